"""Pieces of GitHub's Markdown, safe for any text: what comes from a model never becomes markup, link or mention."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

LIMIT = 65_536
"""Characters that a comment on GitHub holds."""


def code(text: str) -> str:
    """A text as a code span."""
    flat = " ".join(text.split())
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    space = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{space}{flat}{space}{ticks}" if flat else ""


def block(text: str, language: str = "text") -> str:
    """A text as a code block."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def cell(text: str) -> str:
    """Markdown as the cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(cell(one) for one in row) + " |" for row in rows]
    return "\n".join(lines)


def folded(summary: str, body: str) -> str:
    """Something to open; the summary is plain text."""
    return f"<details><summary><code>{html.escape(' '.join(summary.split()))}</code></summary>\n\n{body}\n\n</details>"


def size(text: str) -> int:
    """How long GitHub takes a text to be, at most: UTF-8 never has fewer bytes than characters."""
    return len(text.encode("utf-8", "backslashreplace"))


def within(limit: int, head: str, blocks: Iterable[str], where: str) -> str:
    """Head and blocks, without those that do not fit any more; says how many are missing, and where they are."""
    listed = list(blocks)
    note = f"_{{}} of {len(listed)} parts left out: a comment holds {limit:,} characters. {where}_"
    room = limit - size(head) - size(note) - 20
    kept: list[str] = []
    for one in listed:
        if size(one) + 2 <= room:
            kept.append(one)
            room -= size(one) + 2
    missing = len(listed) - len(kept)
    return "\n\n".join([head, *kept, *([note.format(missing)] if missing else [])]) + "\n"
