"""The models of real operators cite what wakes them and what they do, and call no retry a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from reconcheck.syntax import tree
from reconcheck.syntax.parser import parse_file

MODELS = Path(__file__).resolve().parent.parent / "models"
OWN = ("minimal", "std")
"""Folders that are not about one operator: examples, and libraries of kinds."""
SAID = ("Not in the code", "Not in this repository")
"""How a comment above something without a citation begins: it is proposed, or is another program's."""

Told = tree.Watch | tree.Requeue | tree.Resync | tree.Effect | tree.Let


def files() -> list[str]:
    paths = sorted(path.relative_to(MODELS) for path in MODELS.rglob("*.rdsl"))
    return [path.with_suffix("").as_posix() for path in paths if path.parts[0] not in OWN]


def told(node: object) -> Iterator[Told]:
    """The watches, requeues, resyncs, writes and requests to read of a model; the environment is not the operator."""
    if isinstance(node, tuple):
        for one in node:
            yield from told(one)
    elif isinstance(node, Struct) and not isinstance(node, tree.Environment):
        plain = isinstance(node, tree.Let) and node.live is None
        if isinstance(node, Told) and not plain:
            yield node
        for name in node.__struct_fields__:
            yield from told(getattr(node, name))


def excused(lines: list[str], line: int, uncited: set[int]) -> bool:
    """Whether the comment above a line says why it cites nothing; one comment does for several lines."""
    above = line - 1
    while above in uncited:
        above -= 1
    comment: list[str] = []
    while lines[above - 1].strip().startswith("//"):
        comment.insert(0, lines[above - 1].strip().strip("/ "))
        above -= 1
    return " ".join(comment).startswith(SAID)


@pytest.mark.parametrize("name", files())
def test_what_wakes_an_operator_and_what_it_does_is_cited(name: str) -> None:
    file, text = parse_file(MODELS / f"{name}.rdsl")
    lines = text.splitlines()
    uncited = {one.span.line for one in told(file) if not one.cites}
    assert not [line for line in sorted(uncited) if not excused(lines, line, uncited)]


def within_handlers(node: object, inside: bool = False) -> Iterator[tree.Requeue]:
    """The requeues that a model asks for because a request has failed."""
    if isinstance(node, tuple):
        for one in node:
            yield from within_handlers(one, inside)
    elif isinstance(node, Struct):
        if inside and isinstance(node, tree.Requeue):
            yield node
        for name in node.__struct_fields__:
            yield from within_handlers(getattr(node, name), inside or isinstance(node, tree.Handler))


def test_a_retry_after_an_error_is_no_schedule() -> None:
    """But for a ticker, which comes whatever became of the run before."""
    found = {
        name: [one.name.text for one in within_handlers(parse_file(MODELS / f"{name}.rdsl")[0]) if one.kind == "every"]
        for name in files()
    }
    assert {name: rules for name, rules in found.items() if rules} == {"zalando-postgres/secret-synced": ["sync"] * 2}


def test_a_comment_excuses_what_is_below_it() -> None:
    lines = ["// Not in the code: what", "// it would do.", "watch a", "watch b", "// Or else.", "watch c"]
    assert [excused(lines, line, {3, 4, 6}) for line in (3, 4, 6)] == [True, True, False]
