"""Applies the fixes that diagnostics carry."""

from __future__ import annotations

from collections.abc import Iterable

from reconcheck.diagnostic import Diagnostic, Fix


def apply_fixes(text: str, file: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, int]:
    """The text with every fix for `file` applied, and how many; of two that overlap the first one wins."""
    fixes = [d.fix for d in diagnostics if d.fix is not None and d.fix.span.file == file]
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def place(fix: Fix) -> tuple[int, int]:
        span = fix.span
        return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1

    applied, limit = 0, len(text) + 1
    chosen: list[Fix] = []
    end = -1
    for fix in sorted(fixes, key=place):
        if place(fix)[0] >= end:
            chosen.append(fix)
            end = place(fix)[1]
    for fix in reversed(chosen):
        start, end = place(fix)
        if end <= limit:
            text = text[:start] + fix.replacement + text[end:]
            applied, limit = applied + 1, start
    return text, applied
