"""The meaning is written twice; here the reference interpreter and the compiled system must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

import random_models
from reconcheck.model.operator import Scope
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Endless
from support import GOLDEN, MODELS, MOST_GOLDEN_STATES, disagreement, read, scopes

PREFIX = 80
"""States compared of each model in `models/`, in each scope; small ones have fewer."""

SEEDS = range(100)
RANDOM_STATES = 100


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_models_agree_in_every_state(path: Path) -> None:
    operator = read(path)
    for scope in scopes(operator):
        assert disagreement(operator, scope, MOST_GOLDEN_STATES) is None


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_models_agree_on_their_first_states(path: Path) -> None:
    operator = read(path)
    for scope in scopes(operator)[:2]:
        assert disagreement(operator, scope, PREFIX) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_random_models_agree(seed: int, tmp_path: Path) -> None:
    problem = random_models.check(seed, tmp_path, RANDOM_STATES)
    assert problem is None, f"{problem}\n\npython tests/random_models.py --show {seed}"


def test_random_models_are_the_same_for_the_same_seed() -> None:
    assert random_models.model_text(7) == random_models.model_text(7) != random_models.model_text(8)


def test_a_choice_that_is_written_over_is_compared_too(tmp_path: Path) -> None:
    """The interpreter cannot list it; the compiled system can, and has the steps that any number would give."""
    path = tmp_path / "written_over.rdsl"
    path.write_text("""rdsl 1
operator o {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: nat = 0  up: bool = false }
  controller app for app { watch app reconcile { await change } }
  environment { process p { db.n = any  db.n = 0  db.up = true } }
  reachable up: db.up
}
""")
    operator = read(path)
    interpreter = Interpreter(operator, Scope())
    with pytest.raises(Endless):
        list(interpreter.successors(next(interpreter.initial())))
    assert disagreement(operator, Scope(), RANDOM_STATES) is None
