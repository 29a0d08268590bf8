"""Tries the faults that are off: which goals that converge would fail if they happened, each verdict verified."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from reconcheck.diagnostic import ModelError
from reconcheck.explain.clock import Clock
from reconcheck.explain.diagnosis import Absent
from reconcheck.explain.flows import Flow
from reconcheck.explain.listed import FIRST_LOOK
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import Loaded
from reconcheck.model.operator import FAULTS, Operator, Scope

SECONDS, PART = 2.0, 0.25
"""What finding out about the faults that are off may take: so many processor seconds, and that part of what is left."""
QUICK = frozenset({"graph"})
"""What answers then: whole state graphs; and a few slices where they are large, if those did without the fault."""


@dataclass(frozen=True)
class AbsentFaults:
    """A piece of work: what becomes of goals that converge if a fault happens that is off."""

    goals: tuple[str, ...]
    scope: Scope
    narrow: frozenset[str] = frozenset()
    """Those of the goals that a few slices prove without it."""

    def done(self, verifier: Verifier, seconds: float | None) -> tuple[Absent, ...]:
        """What each fault would do, within a part of so many seconds."""
        clock, begun = Clock(None if seconds is None else PART * seconds), time.process_time()
        found: list[Absent] = []
        for fault in _off(verifier.operator):
            share = SECONDS - (time.process_time() - begun)
            if share <= 0.0 or clock.left() == 0.0:
                found.append(Absent(fault, (), ()))
                continue
            verifier.budget.report(f"trying it with the fault {fault}")
            answers = self._with_fault(verifier.operator, fault, share, clock.left())
            needed = tuple(one.goal.name for one in answers if one.verdict in ("quiet", "livelock"))
            found.append(Absent(fault, needed, tuple(one.goal.name for one in answers if one.good)))
        return tuple(found)

    def _with_fault(self, operator: Operator, fault: str, share: float, seconds: float | None) -> tuple[Answer, ...]:
        changed = replace(operator, faults=operator.faults | {fault})
        goals = [operator.goal(name) for name in self.goals]
        engines = QUICK | {"slices"} if self.narrow else QUICK
        verifier = Verifier(Loaded(changed, ()), seconds, engines=engines)
        verifier.share(share)
        try:
            return verifier.together(goals, self.scope, self.narrow)
        except ModelError:  # a value leaves its range then: nothing is known of goals
            return ()


def absent_faults(report: Report) -> Flow:
    """The flow that finds, for each fault that is off, the goals that would fail if it happened, and those that not.

    A goal of which that could not be told in a short time is in neither.
    """
    good = [one for one in report.answers if one.verdict == "converges" and one.scope == report.scope]
    found = None
    if good and all(0 < one.states <= FIRST_LOOK for one in good) and _off(report.operator):
        narrow = frozenset(one.goal.name for one in good if one.engine == "slices")
        (found,) = yield (AbsentFaults(tuple(one.goal.name for one in good), report.scope, narrow),)
    return tuple(Absent(fault, (), ()) for fault in _off(report.operator)) if found is None else found


def _off(operator: Operator) -> tuple[str, ...]:
    return tuple(fault for fault in FAULTS if fault not in operator.faults)
