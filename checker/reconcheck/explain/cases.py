"""What each answer means for the outcome of a model: as asked, not as asked, not known, or not asked for."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import Expectation, Goal, Scope


class Status(StrEnum):
    """How a question ended for the author."""

    PASSED = "as asked"
    FAILED = "not as asked"
    UNKNOWN = "unknown"
    OPEN = "not judged"
    """An `expect` line decides for this goal in another scope only."""


class Case(Struct, frozen=True):
    """A goal in a scope: the answer, and the `expect` line that decides about it if there is one."""

    answer: Answer
    expectation: Expectation | None
    status: Status

    @property
    def goal(self) -> Goal:
        """What was asked."""
        return self.answer.goal

    @property
    def scope(self) -> Scope:
        """In which scope."""
        return self.answer.scope

    @property
    def name(self) -> str:
        """The question in words, such as `shown, without schedule`."""
        return f"{self.goal.name}, {self.scope}"


def cases(report: Report) -> tuple[Case, ...]:
    """Every question of a report: the answers asked for first, then those to the other expectations.

    The exit code of the report follows from them: 1 if some case failed, else 3 if some is unknown, else 0.
    """
    expected = {(checked.answer.goal.name, checked.answer.scope) for checked in report.expectations}
    covered = {goal for goal, _ in expected}
    found: list[Case] = []
    for answer in report.answers:
        if (answer.goal.name, answer.scope) not in expected:
            found.append(Case(answer, None, _alone(answer, answer.goal.name in covered)))
    for checked in report.expectations:
        answer = checked.answer
        missed = Status.UNKNOWN if answer.verdict == "unknown" else Status.FAILED
        found.append(Case(answer, checked.expectation, Status.PASSED if checked.met else missed))
    order = {answer.goal.name: number for number, answer in enumerate(report.answers)}
    return tuple(sorted(found, key=lambda case: (order.get(case.goal.name, len(order)), _number(case))))


def _alone(answer: Answer, covered: bool) -> Status:
    """The status of an answer about which no line says anything."""
    if answer.good:
        return Status.PASSED
    if covered:
        return Status.OPEN
    return Status.UNKNOWN if answer.verdict == "unknown" else Status.FAILED


def _number(case: Case) -> int:
    """Without the schedule first, then as the `expect` lines stand."""
    return -1 if case.expectation is None else case.expectation.span.line
