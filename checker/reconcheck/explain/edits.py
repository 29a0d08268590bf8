"""Changes to the text of a model, at spans of its syntax tree: what they give, and where each line came from."""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.explain.diagnosis import Edit


class Overlap(Exception):
    """Two edits change the same piece of the text."""


class Source(Struct, frozen=True):
    """The text of a model, with its places as offsets."""

    file: str
    text: str
    starts: tuple[int, ...]
    """The offset of each line."""

    @staticmethod
    def of(file: str, text: str) -> Source:
        """A text with its lines counted."""
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return Source(file, text, tuple(starts))

    def begin(self, span: Span) -> int:
        """The offset at which a span begins."""
        return self.starts[span.line - 1] + span.column - 1

    def end(self, span: Span) -> int:
        """The offset behind a span."""
        return self.starts[span.end_line - 1] + span.end_column - 1

    def under(self, span: Span) -> str:
        """The text at a span."""
        return self.text[self.begin(span) : self.end(span)]

    def span(self, begin: int, end: int) -> Span:
        """The span between two offsets."""
        first, last = self._line(begin), self._line(end)
        return Span(self.file, first + 1, begin - self.starts[first] + 1, last + 1, end - self.starts[last] + 1)

    def _line(self, offset: int) -> int:
        return bisect.bisect_right(self.starts, offset) - 1

    # ---- edits that keep the layout ------------------------------------------------------------------------

    def replace(self, begin: int, end: int, text: str) -> Edit:
        """Another text between two offsets."""
        return Edit(self.span(begin, end), text)

    def put(self, span: Span, text: str) -> Edit:
        """Another text at a span."""
        return Edit(span, text)

    def indent(self, span: Span) -> str | None:
        """The white space before a span that begins its line; None where something else stands before it."""
        before = self.text[self.starts[span.line - 1] : self.begin(span)]
        return before if not before.strip() else None

    def behind(self, span: Span, text: str) -> Edit:
        """A text on a line of its own behind a span, or on the same line where more follows on it."""
        indent, end = self.indent(Span(span.file, span.line, span.column, span.line, span.column)), self.end(span)
        rest = re.compile(r"[ \t\r]*(//[^\n]*)?(?=\n|$)").match(self.text, end)
        if indent is None or rest is None:
            return self.replace(end, end, f" {text}")
        stop = end + len(rest.group().rstrip("\r"))
        return self.replace(stop, stop, f"{self.newline}{indent}{text}")

    def before(self, span: Span, text: str) -> Edit:
        """A text on a line of its own before a span, or on the same line where something else begins it."""
        indent, begin = self.indent(span), self.begin(span)
        return self.replace(begin, begin, f"{text} " if indent is None else f"{text}{self.newline}{indent}")

    def without(self, span: Span) -> Edit:
        """Takes a span away, with its line where it has one to itself, and with the blanks before it.

        A comment behind it stays, on the line that it has to itself then.
        """
        begin, end = self.begin(span), self.end(span)
        comment = re.compile(r"[ \t]*(?=//)").match(self.text, end)
        if self.indent(span) is not None and comment is not None:
            return self.replace(begin, comment.end(), "")
        line_end = re.compile(r"[ \t\r]*(?=\n|$)").match(self.text, end)
        if self.indent(span) is not None and line_end is not None and span.line > 1:
            return self.replace(self.starts[span.line - 1] - 1, line_end.end(), "")
        while begin > 0 and self.text[begin - 1] in " \t":
            begin -= 1
        return self.replace(begin, end, "")

    @property
    def newline(self) -> str:
        """How lines end in this text."""
        return "\r\n" if "\r\n" in self.text else "\n"


def apply_edits(source: Source, edits: Iterable[Edit]) -> str:
    """The text after all edits; insertions at one place keep their order.  Raises `Overlap`."""
    ordered = sorted(edits, key=lambda edit: (source.begin(edit.span), source.end(edit.span)))
    for first, second in pairwise(ordered):
        if source.end(first.span) > source.begin(second.span):
            raise Overlap("two edits change the same words")
    parts: list[str] = []
    position = 0
    for edit in ordered:
        parts += [source.text[position : source.begin(edit.span)], edit.text]
        position = source.end(edit.span)
    return "".join([*parts, source.text[position:]])


def original_lines(edits: Iterable[Edit]) -> list[tuple[int, int, int]]:
    """For each edit, from the first: its line afterwards, lines it has there, and lines it took away."""
    shift, found = 0, []
    for edit in sorted(edits, key=lambda edit: (edit.span.line, edit.span.column, edit.span.end_line)):
        added, removed = edit.text.count("\n"), edit.span.end_line - edit.span.line
        found.append((edit.span.line + shift, added, removed))
        shift += added - removed
    return found


def original_line(changes: list[tuple[int, int, int]], line: int) -> int:
    """The line, before the edits, of a line of the text after them."""
    shift = 0
    for place, added, removed in changes:
        if line <= place:
            break
        if line <= place + added:
            return place + shift
        shift += removed - added
    return line + shift


def difference(source: Source, text: str, new: str = "") -> str:
    """The change from a source to another text as a unified diff."""
    old_lines, new_lines = source.text.splitlines(True), text.splitlines(True)
    lines = difflib.unified_diff(old_lines, new_lines, source.file, new or source.file, n=1)
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
