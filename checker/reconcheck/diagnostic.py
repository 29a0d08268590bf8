"""Errors are data: what is wrong, where, and what to write instead.

Everything that can be wrong with a model, a command line or a run is a `Diagnostic` with a code from
`reconcheck.codes`; text and JSON are rendered from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How bad: an error stops the run, a warning is a finding, a note adds to another."""

    ERROR = "error"
    WARNING = "warning"


class Span(Struct, frozen=True, order=True):
    """A piece of a file; lines and columns count from 1, the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Fix(Struct, frozen=True):
    """A replacement of the text under a span that makes the diagnostic go away."""

    span: Span
    replacement: str


class Diagnostic(Struct, frozen=True):
    """One finding about a model: a code, a sentence, a place, and what to write instead."""

    code: str
    message: str
    span: Span | None = None
    instead: str = ""
    fix: Fix | None = None
    severity: Severity = Severity.ERROR


class ModelError(Exception):
    """The model, or a file it needs, is wrong; carries every diagnostic found in one pass."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: dict[str, str] | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        self.sources = sources or {}
        super().__init__("; ".join(f"{d.code} {d.message}" for d in self.diagnostics))


class InternalError(Exception):
    """A result that its check does not confirm: a bug in reconcheck, never a verdict.  `code` is RC9xx."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics in the order of the file, one for each code and place."""
    nowhere = Span("", 0, 0, 0, 0)
    unique = {(d.code, d.span or d.message): d for d in reversed(tuple(diagnostics))}
    return tuple(sorted(unique.values(), key=lambda d: (d.span or nowhere, d.code, d.message)))
