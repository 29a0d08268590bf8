"""The meaning is written twice; here the reference interpreter and the compiled system must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

import random_models
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
