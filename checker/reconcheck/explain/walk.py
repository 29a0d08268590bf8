"""The statements of a reconcile with what is in sight of each: locals, branches, handlers."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes


class Sight(Struct, frozen=True):
    """What stands around a statement."""

    live: tuple[tuple[str, str], ...] = ()
    """Locals that hold a whole object or external, each with what it was read from."""
    values: tuple[tuple[str, tree.Expr], ...] = ()
    """Locals that name a value."""
    branch: bool = False
    """Whether it stands in a branch, so that not every run comes by."""
    handler: tree.Effect | tree.Let | None = None
    """The request whose error is handled here."""


Outcome = tree.Await | tree.Requeue | tree.Fail


def statements(block: tree.Block, sight: Sight | None = None) -> Iterator[tuple[tree.Statement, Sight]]:
    """Every statement of a block and below, from the top."""
    sight = sight or Sight()
    for statement in block.statements:
        yield statement, sight
        match statement:
            case tree.When(block=inner, otherwise=otherwise):
                yield from statements(inner, replace(sight, branch=True))
                if otherwise is not None:
                    yield from statements(otherwise, replace(sight, branch=True))
            case tree.ForEach(block=inner):
                yield from statements(inner, replace(sight, branch=True))
            case tree.Effect(handlers=handlers) | tree.Let(handlers=handlers):
                for handler in handlers:
                    if handler.block is not None:
                        yield from statements(handler.block, replace(sight, branch=True, handler=statement))
        if isinstance(statement, tree.Let):
            sight = _with(sight, statement)


def _with(sight: Sight, let: tree.Let) -> Sight:
    if let.live is not None and len(let.live.parts) == 1 and let.live.parts[0].index is None:
        return replace(sight, live=(*sight.live, (let.name.text, let.live.parts[0].name)))
    if let.value is not None:
        return replace(sight, values=(*sight.values, (let.name.text, let.value)))
    return sight


def paths(node: object) -> Iterator[tree.Path]:
    """Every path in a part of a syntax tree; where an assignment leaves it out, there is none."""
    return (part for part in nodes(node) if isinstance(part, tree.Path) and part.parts)
