"""Diagnostics as text: the line, a caret under what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconcheck.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from reconcheck.codes import Code

RED, YELLOW, CYAN, BOLD, RESET = "\033[31m", "\033[33m", "\033[36m", "\033[1m", "\033[0m"
WIDEST = 100


def render_diagnostics(diagnostics: Iterable[Diagnostic], sources: dict[str, str], colour: bool = False) -> str:
    """All diagnostics, each with its line and caret, then their number."""
    listed = list(diagnostics)
    blocks = [render_diagnostic(diagnostic, sources, colour) for diagnostic in listed]
    errors = sum(1 for diagnostic in listed if diagnostic.severity is Severity.ERROR)
    if len(listed) > 1:
        others = len(listed) - errors
        counts = [_count(errors, "error")] * (errors > 0) + [_count(others, "finding")] * (others > 0)
        blocks.append(" and ".join(counts))
    return "\n\n".join(blocks)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def render_diagnostic(diagnostic: Diagnostic, sources: dict[str, str], colour: bool = False) -> str:
    """One diagnostic."""

    def paint(style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if colour else text

    serious = diagnostic.severity is Severity.ERROR
    word = "error" if serious else "finding"
    head = paint(RED if serious else YELLOW, f"{word}[{diagnostic.code}]") + ": " + paint(BOLD, diagnostic.message)
    lines = [head]
    span = diagnostic.span
    if span is not None:
        lines.append(f"  --> {span}")
        text = sources.get(span.file, "").split("\n")
        if 0 < span.line <= len(text):
            source = text[span.line - 1].replace("\t", " ").rstrip("\r")
            cut = max(0, span.column - 60)
            shown = source[cut : cut + WIDEST]
            end = span.end_column if span.end_line == span.line else len(source) + 1
            width = max(1, min(end - span.column, len(shown) - (span.column - 1 - cut)))
            number = str(span.line)
            lines.append(f"{' ' * len(number)} |")
            lines.append(f"{number} | {'...' * (cut > 0)}{shown}")
            indent = span.column - 1 - cut + 3 * (cut > 0)
            lines.append(f"{' ' * len(number)} | {' ' * indent}{paint(RED if serious else YELLOW, '^' * width)}")
    if diagnostic.instead:
        lines.append(paint(CYAN, f"  = {diagnostic.instead}"))
    return "\n".join(lines)


def render_lesson(code: Code) -> str:
    """The lesson of a code, as `reconcheck explain` prints it."""
    parts = [f"{code.code}: {code.title}", "", code.lesson.strip()]
    if code.instead:
        parts += ["", "Instead: " + code.instead.strip()]
    if code.example:
        parts += ["", "Example:", "", *("    " + line for line in code.example.strip("\n").split("\n"))]
    return "\n".join(parts)
