"""Tries the faults that are off: which goals that converge would fail if they happened, each verdict verified."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.diagnostic import ModelError
from reconcheck.explain.diagnosis import Absent
from reconcheck.explain.flows import Flow
from reconcheck.explain.listed import FIRST_LOOK
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.operator import FAULTS, Loaded, Scope

SECONDS, PART = 1.0, 0.1
"""What finding out about a fault that is off may take: so many processor seconds, and that part of what is left."""
QUICK = frozenset({"graph"})
"""What answers then: whole state graphs; and a few slices where they are large, if those did without the fault."""


class AbsentFault(Struct, frozen=True):
    """A piece of work: what becomes of goals that converge if a fault that is off happens."""

    fault: str
    goals: tuple[str, ...]
    scope: Scope
    narrow: frozenset[str] = frozenset()
    """Those of the goals that a few slices prove without it."""

    def done(self, verifier: Verifier, seconds: float | None) -> Absent:
        """What the fault would do, within a part of so many seconds."""
        operator = verifier.operator
        verifier.budget.report(f"trying it with the fault {self.fault}")
        changed = replace(operator, faults=operator.faults | {self.fault})
        engines = QUICK | {"slices"} if self.narrow else QUICK
        trying = Verifier(Loaded(changed, ()), None if seconds is None else PART * seconds, engines=engines)
        trying.share(SECONDS)
        trying.convergence.learn(verifier.convergence)
        answers: tuple[Answer, ...] = ()
        with suppress(ModelError):  # a value leaves its range then: nothing is known of goals
            answers = trying.nearest_first([operator.goal(name) for name in self.goals], self.scope, self.narrow)
        needed = tuple(one.goal.name for one in answers if one.verdict in ("quiet", "livelock"))
        return Absent(self.fault, needed, tuple(one.goal.name for one in answers if one.good))


def absent_faults(report: Report) -> Flow:
    """The flow that finds, for each fault that is off, the goals that would fail if it happened, and those that not.

    A goal of which that could not be told in a short time is in neither.
    """
    good = [one for one in report.answers if one.verdict == "converges" and one.scope == report.scope]
    off = [fault for fault in FAULTS if fault not in report.operator.faults]
    found: Sequence[Absent | None] = [None] * len(off)
    if good and all(0 < one.states <= FIRST_LOOK for one in good):
        names = tuple(one.goal.name for one in good)
        narrow = frozenset(one.goal.name for one in good if one.engine == "slices")
        pieces = [AbsentFault(fault, names, report.scope, narrow) for fault in off]
        found = (yield pieces[::-1])[::-1]  # the last ones add the most states: they are begun first
    return tuple(told or Absent(fault, (), ()) for fault, told in zip(off, found, strict=True))
