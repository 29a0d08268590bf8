"""What verification answers: data only; text and JSON are rendered from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from reconcheck.cause_kinds import BY_CODE
from reconcheck.diagnostic import Diagnostic
from reconcheck.explain.cause import Cause
from reconcheck.explain.missing import Missing
from reconcheck.explain.trace import Trace
from reconcheck.model.operator import Expectation, Goal, Operator, Scope
from reconcheck.proof import certificate as proofs

if TYPE_CHECKING:
    from reconcheck.explain.diagnosis import Diagnosis

GOOD = frozenset({"converges", "holds", "reachable"})
"""The answers an author hopes for."""


class Proof(Struct, frozen=True):
    """How a proof was found and checked."""

    parts: tuple[str, ...]
    """What was proved one by one: the conjuncts of the goal."""
    slices: int
    """How many slices it was found on; 0 where it was found on the whole system."""
    variables: int
    """Variables in the largest slice, or in the whole system."""
    states: int
    """States ranked, over all parts."""
    obligations: int
    """Obligations that Z3 discharged on the whole system."""


class Answer(Struct, frozen=True):
    """The verdict on one question in one scope.

    `verdict` is converges, quiet or livelock (both are ways to diverge); holds or fails; reachable or
    unreachable; or unknown, with `reason` and what is `missing`.
    """

    goal: Goal
    scope: Scope
    verdict: str
    reason: str = ""
    code: str = ""
    trace: Trace | None = None
    proof: Proof | None = None
    states: int = 0
    """States that were looked at."""
    seconds: float = 0.0
    engine: str = ""
    certificate: proofs.Proof | proofs.Invariant | None = None
    """What the checker has accepted."""
    causes: tuple[Cause, ...] = ()
    """Why the goal fails."""
    unexplained: str = ""
    """Why its causes are not told; empty where they are."""
    faultless: Trace | None = None
    """Where the trace has faults, a run without any on which the goal fails as well, if one was found."""
    missing: Missing | None = None
    """What an answer "unknown" lacks, where it was looked for."""

    @property
    def good(self) -> bool:
        """Whether the answer is the one an author hopes for."""
        return self.verdict in GOOD

    @property
    def fails(self) -> bool:
        """Whether a run shows that the goal does not converge, or does not always hold."""
        return self.verdict in ("quiet", "livelock", "fails")

    @property
    def because(self) -> tuple[str, ...]:
        """The kinds of its causes, each once, as an `expect` line names them."""
        return tuple(dict.fromkeys(BY_CODE[cause.code].name for cause in self.causes))

    @property
    def relies_on(self) -> frozenset[str] | None:
        """The fair actions that the proof relies on; None where all may matter, or where there is no proof."""
        if not isinstance(self.certificate, proofs.Proof):
            return None
        found: set[str] = set()
        for part in self.certificate.parts:
            match part:
                case proofs.Measure():
                    found |= {part.action} if part.action is not None else set()
                case proofs.Settles():
                    found |= {action for action in part.helpful if action is not None}
                case proofs.Rests():  # "no fair action is possible" speaks of all of them
                    return None
        return frozenset(found)

    def meets(self, wanted: str, because: Iterable[str] = ()) -> bool:
        """Whether the answer is the one expected, with these causes; `diverges` is met by both its kinds."""
        met = self.verdict == wanted or (wanted == "diverges" and self.verdict in ("quiet", "livelock"))
        return met and set(because) <= set(self.because)


class Checked(Struct, frozen=True):
    """An `expect` line with the answer to it."""

    expectation: Expectation
    answer: Answer

    @property
    def met(self) -> bool:
        """Whether the answer is as expected, and so are its causes, where the line names some."""
        return self.answer.meets(self.expectation.verdict, self.expectation.because)

    @property
    def open(self) -> bool:
        """Whether it could not be told: the verdict, or the causes of the expected one, are unknown."""
        answer = self.answer
        return answer.verdict == "unknown" or (bool(answer.unexplained) and answer.meets(self.expectation.verdict))


class Report(Struct, frozen=True):
    """Everything about one model: the answers asked for, the expectations, the findings."""

    operator: Operator
    scope: Scope
    answers: tuple[Answer, ...]
    expectations: tuple[Checked, ...]
    findings: tuple[Diagnostic, ...]
    seconds: float
    wake_ups: tuple[tuple[str, str, float], ...] = ()
    """Scheduled rules: controller, rule and wake-ups a day for each object."""
    diagnosis: Diagnosis | None = None
    """What to do, where it was asked for."""
    cached: bool = False
    """Whether it was found on an earlier run; `seconds` are those of that run."""

    @property
    def exit_code(self) -> int:
        """0 as asked, 1 diverges or an expectation not met, 3 unknown (spec/reports.md)."""
        missed = ["unknown" if checked.open else "missed" for checked in self.expectations if not checked.met]
        covered = {checked.answer.goal.name for checked in self.expectations}
        rest = [answer for answer in self.answers if answer.goal.name not in covered and not answer.good]
        verdicts = {*missed, *(answer.verdict for answer in rest)}
        if verdicts - {"unknown"}:
            return 1
        return 3 if verdicts else 0
