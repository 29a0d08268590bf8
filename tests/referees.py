"""Lets other model checkers judge exports, and compares what they say with the reference interpreter.

    python tests/referees.py --peer spin --models models/ --jobs 2
    python tests/referees.py --peer spin --random 2000 --first 0 --jobs 2 --log FILE
    python tests/referees.py --peer nusmv --nusmv PROGRAM --models tests/golden models/ --log FILE
    python tests/referees.py --peer tlc --tlc-jar tla2tools.jar --models tests/golden models/ --log FILE
    python tests/referees.py --log FILE --record spec/referees.md

Of each model in each scope the reference interpreter lists the states, and decides the goals (`reference.py`).  The
peer gets the export alone.  It must find as many states, and the same answers.  With `--log`, what was found is added
to a file, a line for each model and scope, and what is in it already is not asked again: so a campaign can be stopped
and continued.  `--record` writes the page from that file.

Exit code 1 if there is a disagreement, 2 if a peer is missing.  Run it with the `checker` folder on `PYTHONPATH`, or
with reconcheck installed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import random_models
from judge import Key
from nusmv import NuSMV
from reconcheck.diagnostic import ModelError
from reconcheck.export.system import System, build
from reconcheck.export.targets import Unfit
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Scope
from referees_record import AGREED, DISAGREED, LATE, TOO_LARGE, UNFIT, WRONG, Entry, page, summary
from reference import reference
from spin import OutOfTimeError, Seen, Spin
from support import search
from tlc import TLC

MOST_STATES = 5_000
"""States beyond which the interpreter does not list a model; a random model is skipped, of others see `truth_of`."""
BOUND = 3
"""What numbers without bounds are kept within."""
SECONDS = 300.0
"""What one run of a peer may take."""


class Peer(Protocol):
    """A checker that judges exports."""

    @property
    def name(self) -> str:
        """As `--peer` calls it."""

    @property
    def title(self) -> str:
        """As it calls itself."""

    def missing(self) -> str | None:
        """How to get it, if it is not here."""

    def stored(self, system: System, states: list[Key]) -> int:
        """How many states it must find in an export with these reachable states, which are up to renaming."""

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """What it says of an export.  Raises `OutOfTimeError`, `Unfit`, and anything else if it fails."""


@dataclass(frozen=True)
class Truth:
    """What is so, and who says so."""

    states: list[Key]
    holds: dict[str, bool]
    by: str


def truth_of(operator: Operator, scope: Scope, most: int, anyhow: bool) -> Truth | str:
    """The states and answers of an operator, or why there are none.

    With more than `most` states, a model that has to be looked at `anyhow` is listed by the compiled system, which is
    faster; that the two agree is tested elsewhere.
    """
    known = reference(operator, scope, BOUND, most)
    if known.wrong:
        return WRONG
    if known.complete:
        return Truth(known.keys, {goal.name: known.holds(goal) for goal in operator.goals}, "interpreter")
    if not anyhow:
        return TOO_LARGE
    found = search(operator, scope, 2_000_000)
    good = ("converges", "holds", "reachable")
    answers = {goal.name: found.verdict(goal) in good for goal in operator.goals}
    return Truth(found.graph.states, answers, "compiled system")


def judge(peer: Peer, case: str, operator: Operator, scope: Scope, truth: Truth | str, seconds: float) -> Entry:
    """What a peer says about a model in a scope."""
    started = time.monotonic()

    def entry(outcome: str, text: str = "", seen: Seen | None = None) -> Entry:
        states, by = (len(truth.states), truth.by) if isinstance(truth, Truth) else (None, "interpreter")
        holds = truth.holds if isinstance(truth, Truth) else {}
        took = round(time.monotonic() - started, 2) if seen is None else round(seen.seconds, 2)
        return Entry(case, str(scope), peer.name, outcome, states, by, holds, system.bound, took, text)

    system = build(operator, scope, operator.goals, BOUND)
    if truth == TOO_LARGE:
        return entry(TOO_LARGE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            size = len(truth.states) if isinstance(truth, Truth) else 0
            seen = peer.look(system, Path(folder), size, seconds)
    except OutOfTimeError as error:
        return entry(LATE, str(error))
    except Unfit as error:
        return entry(UNFIT, str(error))
    except Exception:  # that a peer fails is a finding like any other, and the models after it shall be tried
        return entry(DISAGREED, traceback.format_exc(limit=-2))
    if not isinstance(truth, Truth):
        return entry(WRONG if seen.states is None else DISAGREED, "" if seen.states is None else "RC310 not seen", seen)
    wanted = peer.stored(system, truth.states)
    wrong = [f"it has {seen.states} states, and must have {wanted}"] if seen.states != wanted else []
    for goal, holds in truth.holds.items():
        if seen.holds.get(goal) != holds:
            wrong.append(f"{goal}: it says {seen.holds.get(goal)}, and the {truth.by} {holds}")
    return entry(DISAGREED if wrong else AGREED, "; ".join(wrong), seen)


# ---- which models ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A model to be looked at: a file, or the seed of a random one."""

    model: str
    seed: int | None

    @property
    def case(self) -> str:
        """As the log calls it."""
        return self.model if self.seed is None else f"seed {self.seed}"

    def operator(self) -> Operator:
        """The operator.  Raises `ModelError`."""
        if self.seed is None:
            return load(Path(self.model)).operator
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"seed{self.seed}.rdsl"
            path.write_text(random_models.model_text(self.seed, small=True), encoding="utf-8")
            return load(path).operator

    def scopes(self, operator: Operator) -> tuple[Scope, ...]:
        """Of a file those without and with schedule and those of its `expect` lines; of a random model one."""
        if self.seed is not None:
            return (random_models.scope_of(operator, self.seed),)
        asked = (expectation.scope for expectation in operator.expectations)
        return tuple(dict.fromkeys([Scope(level=3), Scope(level=4), *asked]))


def look_at(
    task: Task, peers: tuple[Peer, ...], done: frozenset[tuple[str, str, str]], most: int, seconds: float
) -> list[Entry]:
    """What the peers say about a model, in each scope that is not done."""
    try:
        operator = task.operator()
    except ModelError as error:
        return [Entry(task.case, "", peer.name, DISAGREED, text=str(error)) for peer in peers]
    entries: list[Entry] = []
    for scope in task.scopes(operator):
        left = [peer for peer in peers if (task.case, str(scope), peer.name) not in done]
        if left:
            truth = truth_of(operator, scope, most, anyhow=task.seed is None)
            entries += [judge(peer, task.case, operator, scope, truth, seconds) for peer in left]
    return entries


def model_files(paths: Iterable[Path]) -> Iterator[str]:
    """The models in some folders, but for libraries of kinds."""
    for path in paths:
        for file in sorted(path.rglob("*.rdsl")) if path.is_dir() else [path]:
            if "operator" in file.read_text(encoding="utf-8").split():
                yield str(file)


def main() -> int:
    """Asks the peers, prints what came of it, and records it where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peer", action="append", choices=["spin", "nusmv", "tlc"], default=[], help="whom to ask")
    parser.add_argument("--nusmv", default="NuSMV", metavar="PROGRAM", help="where NuSMV is")
    parser.add_argument("--tlc-jar", type=Path, metavar="FILE", help="a `tla2tools.jar`, for TLC")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="model files, or folders with models")
    parser.add_argument("--random", type=int, default=0, metavar="COUNT", help="how many random models")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--states", type=int, default=MOST_STATES, help="states that the interpreter lists of a model")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="what one run of a peer may take")
    parser.add_argument("--log", type=Path, help="keep what was found there, and go on from there")
    parser.add_argument("--record", type=Path, help="write the page with all that is in the log")
    arguments = parser.parse_args()
    all_: tuple[Peer, ...] = (Spin(), NuSMV(arguments.nusmv), TLC(arguments.tlc_jar))
    peers = tuple(peer for peer in all_ if peer.name in arguments.peer)
    for peer in peers:
        if (how := peer.missing()) is not None:
            print(f"{peer.title}: {how}", file=sys.stderr)
            return 2
    log: Path | None = arguments.log
    entries = [] if log is None or not log.exists() else read_log(log)
    done = frozenset((entry.case, entry.scope, entry.peer) for entry in entries)
    tasks = [Task(file, None) for file in model_files(arguments.models)]
    tasks += [Task("", seed) for seed in range(arguments.first, arguments.first + arguments.random)]
    started, found = time.monotonic(), list[Entry]()
    work = partial(look_at, peers=peers, done=done, most=arguments.states, seconds=arguments.seconds)
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for number, new in enumerate(workers.map(work, tasks), 1):
            found += new
            if log is not None:
                with log.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(entry.__dict__) + "\n" for entry in new)
            for entry in new:
                if entry.outcome in (DISAGREED, LATE, UNFIT):
                    print(f"{entry.case}, {entry.scope}: {entry.peer} {entry.outcome}: {entry.text}", flush=True)
            if number % 50 == 0 or number == len(tasks):
                print(f"{number} of {len(tasks)} models, {time.monotonic() - started:.0f} s", flush=True)
    print(summary([*entries, *found]))
    if arguments.record is not None:
        arguments.record.write_text(page([*entries, *found]), encoding="utf-8")
    return 1 if any(entry.outcome == DISAGREED for entry in found) else 0


def read_log(path: Path) -> list[Entry]:
    """What a log holds."""
    return [Entry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
