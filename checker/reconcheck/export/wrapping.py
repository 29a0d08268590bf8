"""Lines that are not too long: broken where the language lets them be broken."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from msgspec import Struct

WIDTH = 110
TIED = "\xa0"
"""Stands for a space at which no line is broken."""
LOOKED_BACK = 8
"""Characters before a space that say whether a line may be broken there."""


class Breaking(Struct, frozen=True):
    """Where lines of a language may be broken: at spaces `behind` something, but not in what is `quoted`."""

    comment: str
    """Begins a comment that goes to the end of the line."""
    behind: re.Pattern[str]
    quoted: re.Pattern[str]

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, of which those that are too long are several; what follows is indented deeper."""
        for line in (part for text in lines for part in (text.splitlines() or [""])):
            if len(line) <= WIDTH or line.lstrip().startswith(self.comment):
                yield line
            else:
                yield from self._broken(line)

    def _broken(self, line: str) -> list[str]:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        quoted = self.quoted.sub(lambda found: found[0].replace(" ", TIED), line)
        text, sign, remark = quoted.partition(f" {self.comment} ")
        body = re.sub(" +", self._space, text)
        kept = body + (sign + remark).replace(" ", TIED)
        parts = textwrap.wrap(kept, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        return [part.replace(TIED, " ") for part in parts]

    def _space(self, space: re.Match[str]) -> str:
        before = space.string[max(0, space.start() - LOOKED_BACK) : space.start()]
        return space[0] if self.behind.search(before) else space[0].replace(" ", TIED)


INFIX = Breaking("--", re.compile(r"[&|?:,]$"), re.compile(r"(?!)"))
"""SMV: behind operators."""
TLA = Breaking("\\*", re.compile(r"(/\\|\\/|THEN|ELSE|,)$"), re.compile(r'"[^"]*"'))
"""TLA+: behind operators, so that no line begins with one, which would make it an item of a list."""
LISTS = Breaking(";", re.compile(r"."), re.compile(r"\|[^|]*\|"))
"""SMT-LIB: anywhere between terms."""
