"""Random small operators as `.rdsl` text, for agreement between the interpreter and the compiled system.

    python tests/random_models.py --count 5000            look for disagreements, from seed 0 on
    python tests/random_models.py --show 17               print one model
    python tests/random_models.py --show 17 --small       print the model that the campaign makes of that seed
    python tests/random_models.py --count 500 --several   only models of several operators

The generator uses every construct of the language; the same seed always gives the same text.  Run it with the
`checker` folder on `PYTHONPATH`, or with reconcheck installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from pathlib import Path
from random import Random

from random_operators import Maker
from reconcheck.diagnostic import ModelError
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.wakeups import wake_ups_of


def model_text(seed: int, small: bool = False, several: bool = False) -> str:
    """The random model of that seed; with `several`, one of several operators."""
    return Maker(seed, small, several).text()


def scope_of(operator: Operator, seed: int) -> Scope:
    """The scope in which a model is looked at: a level, and half of the time without one or two wake-ups."""
    dice = Random(seed)
    names = sorted({one.scoped for one in wake_ups_of(operator.controllers)})
    away = dice.sample(names, min(len(names), dice.choice((0, 0, 1, 2))))
    return Scope(dice.choice((0, 1, 2, 3, 4, 4)), tuple(sorted(away)))


def check(seed: int, folder: Path, most_states: int, several: bool = False) -> str | None:
    """What is wrong with the model of a seed: it is refused, or the two semantics disagree on it."""
    from support import disagreement

    path = folder / f"random{seed}.rdsl"
    path.write_text(model_text(seed, several=several))
    try:
        operator = load(path).operator
    except ModelError as error:
        return "\n".join(f"{d.code} at {d.span}: {d.message}; {d.instead}" for d in error.diagnostics)
    try:
        return disagreement(operator, scope_of(operator, seed), most_states)
    except Exception:  # a crash is a finding like any other, and the seeds after it shall be tried
        return traceback.format_exc(limit=-2)


def main() -> int:
    """Looks for disagreements and prints them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, help="how many models")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--states", type=int, default=200, help="states compared in each model")
    parser.add_argument("--show", type=int, help="print the model of this seed and stop")
    parser.add_argument("--small", action="store_true", help="with --show: as the campaign makes it")
    parser.add_argument("--several", action="store_true", help="only models of several operators")
    arguments = parser.parse_args()
    if arguments.show is not None:
        print(model_text(arguments.show, arguments.small, arguments.several), end="")
        return 0
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.count):
            problem = check(seed, Path(folder), arguments.states, arguments.several)
            if problem is not None:
                found += 1
                print(f"seed {seed}: {problem}")
    print(f"{arguments.count} models, {found} with a disagreement")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
