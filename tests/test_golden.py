"""The golden models: each `expect` line is met, each file is small and says why its verdict is what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.render.text import rows_of
from support import GOLDEN, meets, read, scopes, search


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_expectations_are_met(path: Path) -> None:
    """By the program, certified and replayed, and by the tests' own search."""
    report = Verifier(load(path)).report(Scope())
    assert report.expectations
    for checked in report.expectations:
        expectation, answer = checked.expectation, checked.answer
        assert checked.met, f"{expectation.goal} {expectation.scope}: {answer.verdict}"
        assert (answer.proof is None) != (answer.trace is None)
        found = search(report.operator, expectation.scope).verdict(report.operator.goal(expectation.goal))
        assert meets(expectation, found), f"{expectation.goal} {expectation.scope}: {found} by the tests' search"


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


def test_number_one_is_quiet_in_two_steps() -> None:
    """The reconcile begins and ends, and the external comes up: two rows, in either order."""
    report = Verifier(load(GOLDEN[0].with_name("quiet-in-two-steps.rdsl"))).report(Scope())
    (answer,) = report.answers
    assert answer.verdict == "quiet"
    assert answer.trace is not None
    rows = rows_of(answer.trace)
    assert sorted(row.step.step.action for row in rows) == ["process comes_up", "reconcile app"]
    assert "NO: database sends no events" in [row.step.woke for row in rows]


def test_number_one_with_a_read_has_one_step_more() -> None:
    operator = read(GOLDEN[0].with_name("quiet-external.rdsl"))
    expectation = operator.expectations[0]
    steps = search(operator, expectation.scope).quiet_path(operator.goal(expectation.goal))
    expected = ["start app", "reconcile app", "reconcile app", "process comes_up"]
    assert [step.action for step in steps] == expected


def test_pairs_differ_in_the_runtime_only() -> None:
    """The two timer models are one text on two versions of controller-runtime."""

    def body(name: str) -> list[str]:
        lines = GOLDEN[0].with_name(name).read_text().splitlines()
        different = ("///", "operator ", "  runtime ", "  expect ")
        return [line for line in lines if not line.startswith(different)]

    assert body("timer-consumed.rdsl") == body("timer-survives.rdsl")
