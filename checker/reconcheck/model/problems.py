"""Collects diagnostics while a model is checked, so that all of them are reported in one pass."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from msgspec import Struct, field

from reconcheck.diagnostic import Diagnostic, Fix, Severity, Span

MOST_LISTED = 20
"""Names that are known which a message lists."""


class Broken(Exception):
    """The expression or declaration at hand cannot be understood; its problem is already reported."""


class Problems(Struct):
    """The diagnostics found so far."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, span: Span, instead: str = "", fix: str | None = None) -> None:
        """Adds an error; `fix` is the text to put in place of the span."""
        replacement = Fix(span, fix) if fix is not None else None
        self.found.append(Diagnostic(code, message, span, instead, replacement))

    def finding(self, code: str, message: str, span: Span, instead: str = "") -> None:
        """Adds a warning: the model means something, but hardly what the author wanted."""
        self.found.append(Diagnostic(code, message, span, instead, None, Severity.WARNING))

    def broken(self, code: str, message: str, span: Span, instead: str = "", fix: str | None = None) -> Broken:
        """Adds an error and gives the exception with which the caller leaves."""
        self.error(code, message, span, instead, fix)
        return Broken()

    def unknown(self, what: str, name: str, known: Iterable[str], span: Span, code: str = "RC201") -> Broken:
        """Reports an unknown name, with the nearest known one as the fix."""
        choices = sorted(set(known))
        near = difflib.get_close_matches(name, choices, 1, 0.6)
        if near:
            return self.broken(code, f"unknown {what} `{name}`", span, f"did you mean `{near[0]}`?", near[0])
        listed = ", ".join(f"`{choice}`" for choice in choices[:MOST_LISTED])
        listed += f" and {len(choices) - MOST_LISTED} more" * (len(choices) > MOST_LISTED)
        instead = f"known here: {listed}" if choices else f"declare it first: there is no {what} here"
        return self.broken(code, f"unknown {what} `{name}`", span, instead)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.found)
