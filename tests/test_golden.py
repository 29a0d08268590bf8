"""The golden models: each `expect` line is met, each file is small and says why its verdict is what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import GOLDEN, meets, read, scopes, search


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_expectations_are_met(path: Path) -> None:
    operator = read(path)
    assert operator.expectations
    for expectation in operator.expectations:
        verdict = search(operator, expectation.scope).verdict(operator.goal(expectation.goal))
        assert meets(expectation, verdict), f"{expectation.goal} {expectation.scope}: {verdict}"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_says_why_and_asks_what_it_says(path: Path) -> None:
    operator = read(path)
    assert path.stem.replace("-", "_") == operator.name
    assert "Verdict" in operator.doc or "/// Verdict" in path.read_text()
    asked = {expectation.goal for expectation in operator.expectations}
    assert asked == {goal.name for goal in operator.goals}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_is_not_vacuous(path: Path) -> None:
    """No goal is true in every state, and each search stays within the limit for golden models."""
    operator = read(path)
    for scope in scopes(operator):
        found = search(operator, scope)
        for goal in operator.goals:
            if goal.kind == "converges":
                assert not all(found.values(goal)), f"{goal.name} is true in every state"


def test_number_one_is_quiet_after_two_rows() -> None:
    """The reconcile that reads the external, and the external coming up: nothing else is needed."""
    operator = read(GOLDEN[0].with_name("quiet-external.rdsl"))
    expectation = operator.expectations[0]
    steps = search(operator, expectation.scope).quiet_path(operator.goal(expectation.goal))
    expected = ["start app", "reconcile app", "process comes_up", "reconcile app"]
    assert [step.action for step in steps] == expected
    assert steps[1].detail.startswith("read database")
    assert steps[3].detail.startswith("await change")


def test_pairs_differ_in_the_runtime_only() -> None:
    """The two timer models are one text on two versions of controller-runtime."""

    def body(name: str) -> list[str]:
        lines = GOLDEN[0].with_name(name).read_text().splitlines()
        different = ("///", "operator ", "  runtime ", "  expect ")
        return [line for line in lines if not line.startswith(different)]

    assert body("timer-consumed.rdsl") == body("timer-survives.rdsl")
