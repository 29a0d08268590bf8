"""Tries the faults that are off: which goals that converge would fail if they happened, each verdict verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from reconcheck.diagnostic import ModelError
from reconcheck.explain.diagnosis import Absent
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.verify import FIRST_LOOK, Verifier
from reconcheck.model.assemble import Loaded
from reconcheck.model.operator import FAULTS, Goal

SECONDS, PART = 2.0, 0.25
"""What finding out about the faults that are off may take: so many seconds, or that part of what is left, if less."""
QUICK = frozenset({"graph"})
"""What answers then: only whole state graphs."""


def absent_faults(report: Report, seconds: float, tell: Callable[[str], None]) -> tuple[Absent, ...]:
    """For each fault that is off: the goals that converge and would not if it happened, and those that would.

    A goal of which that could not be told in a short time is in neither.
    """
    good = [one for one in report.answers if one.verdict == "converges" and one.scope == report.scope]
    until = time.monotonic() + min(SECONDS, PART * seconds)
    found: list[Absent] = []
    for fault in (fault for fault in FAULTS if fault not in report.operator.faults):
        left = until - time.monotonic()
        answers: tuple[Answer, ...] = ()
        if good and left > 0.0 and all(0 < one.states <= FIRST_LOOK for one in good):
            tell(f"trying it with the fault {fault}")
            answers = _with_fault(report, fault, [one.goal for one in good], left)
        needed = tuple(one.goal.name for one in answers if one.verdict in ("quiet", "livelock"))
        found.append(Absent(fault, needed, tuple(one.goal.name for one in answers if one.good)))
    return tuple(found)


def _with_fault(report: Report, fault: str, goals: list[Goal], seconds: float) -> tuple[Answer, ...]:
    operator = replace(report.operator, faults=report.operator.faults | {fault})
    try:
        return Verifier(Loaded(operator, ()), seconds, engines=QUICK).together(goals, report.scope)
    except ModelError:  # a value leaves its range then: nothing is known of goals
        return ()
