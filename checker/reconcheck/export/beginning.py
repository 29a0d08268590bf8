"""The first states as conditions on them, for languages whose first states are described and not assigned.

What was chosen is spoken of as the variable that got it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.export.system import Action, System
from reconcheck.model import expr as e
from reconcheck.model.types import OpaqueType


def first(system: System) -> Iterator[e.Expr]:
    """What holds at first, over the variables alone; types come in addition.

    Raises `ValueError` where a choice is endless and no variable tells what was chosen.
    """
    begin, types = system.initial, system.types
    homes = _homes(begin)
    if homes is None:
        each = (way.updates for _, way in system.instances(begin))
        yield e.either(*(e.both(*(e.equal(e.Var(n, types[n]), value) for n, value in way)) for way in each))
        return
    chosen: dict[str, e.Expr] = {choice: e.Var(name, types[name]) for choice, name in homes.items()}
    for name, value in begin.updates:
        mine = e.Var(name, types[name])
        yield from _equation(mine, e.substitute(value, chosen), name in homes.values())


def _homes(begin: Action) -> dict[str, str] | None:
    """A variable for each choice of the beginning that tells what was chosen, as far as it matters."""
    homes: dict[str, str] = {}
    for name, value in begin.updates:
        match value:
            case e.Var(choice, _) | e.Choice(_, e.Var(choice, _), _):
                homes.setdefault(choice, name)
            case e.And(operands):
                chosen = [operand.name for operand in operands if isinstance(operand, e.Var)]
                if len(chosen) == 1:
                    homes.setdefault(chosen[0], name)
            case _:
                pass
    return homes if all(choice.name in homes for choice in begin.choices) else None


def _equation(mine: e.Var, value: e.Expr, at_home: bool) -> Iterator[e.Expr]:
    """What holds of a variable and its first value, if that speaks of the variable where a choice was.

    A choice is not `none`, which a variable may be.
    """
    some = e.negate(e.equal(mine, e.Const(0, mine.type))) if isinstance(mine.type, OpaqueType) else e.TRUE
    match value:
        case _ if not at_home:
            yield e.equal(mine, value)
        case e.Choice(condition, yes, no) if yes == mine:
            yield e.choose(condition, some, e.equal(mine, no))
        case e.And(operands):
            yield e.implies(mine, e.both(*(operand for operand in operands if operand != mine)))
        case _ if some != e.TRUE:
            yield some
        case _:
            pass
