"""What a run over models came to: data only; every output is rendered from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconcheck.diagnostic import Diagnostic

if TYPE_CHECKING:
    from reconcheck.explain.verdict import Report

OK, DIVERGES, WRONG, UNKNOWN, INTERNAL = 0, 1, 2, 3, 4
"""Exit codes (spec/reports.md)."""
WORST_FIRST = (INTERNAL, WRONG, DIVERGES, UNKNOWN, OK)
"""The exit code of several models is the first of these that some model has."""


class Failure(Struct, frozen=True):
    """Why a model has no report: it is wrong, or reconcheck is, or there is too little memory to read it."""

    exit_code: int
    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, str]


class Outcome(Struct, frozen=True):
    """A model with its report, or with why there is none."""

    file: str
    result: Report | Failure


class Run(Struct, frozen=True):
    """Everything about a run, in the order in which the models were given."""

    outcomes: tuple[Outcome, ...]
    seconds: float
    memory: int | None
    """Bytes that one process held at most; None where the system does not say."""
    folder: str
    """The absolute path that relative paths start from."""
    strict: bool = False
    """Whether a finding counts as a failure."""

    @property
    def reports(self) -> tuple[Report, ...]:
        """The reports of the models that have one."""
        return tuple(outcome.result for outcome in self.outcomes if not isinstance(outcome.result, Failure))

    @property
    def failures(self) -> tuple[tuple[str, Failure], ...]:
        """The other models, with why they have none."""
        return tuple((one.file, one.result) for one in self.outcomes if isinstance(one.result, Failure))

    @property
    def exit_code(self) -> int:
        """The worst exit code of a model; 0 where there is none."""
        codes = {OK, *(outcome.result.exit_code for outcome in self.outcomes)}
        if self.strict and any(report.findings for report in self.reports):
            codes.add(DIVERGES)
        return next(code for code in WORST_FIRST if code in codes)
