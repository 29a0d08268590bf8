"""Predicates: the truth of a formula that a slice keeps, over variables that it cuts."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from reconcheck.engines.clauses import same
from reconcheck.model import expr as e
from reconcheck.model.types import BOOL
from reconcheck.semantics.system import Command

MOST_MOVED = 4
"""Parts of a predicate that a command may change before the predicate may become anything, or may read before it only
shows that the predicate does not hold without them."""


class Predicate(Struct, frozen=True):
    """A formula whose truth a slice keeps, under a name."""

    name: str
    term: e.Expr


def with_predicates(
    command: Command,
    writes: frozenset[str],
    guard: e.Expr,
    updates: dict[str, e.Expr],
    predicates: Sequence[Predicate],
) -> tuple[e.Expr, dict[str, e.Expr]]:
    """What is known of a command's guard, and some of its updates, with predicates as variables of their own.

    `writes` are the variables that it may change.
    """
    every = dict(command.updates)
    parts = {one: one.term.operands if isinstance(one.term, e.And) else (one.term,) for one in predicates}
    moved = {one: [p for p in parts[one] if not e.names(p).isdisjoint(writes)] for one in predicates}
    whole = [one for one in predicates if not moved[one] or len(moved[one]) > MOST_MOVED]
    """Those that are not taken apart."""
    for one in predicates:
        if len(moved[one]) > MOST_MOVED:
            updates[one.name] = e.substitute(one.term, every)
    for one in whole:
        here = e.Var(one.name, BOOL)
        guard = recognise(guard, one, here)
        updates = {name: recognise(value, one, here) for name, value in updates.items()}
    for one in predicates:
        here = e.Var(one.name, BOOL)
        if len(moved[one]) > MOST_MOVED:
            if not e.names(updates[one.name]) <= {other.name for other in whole}:
                updates[one.name] = e.Var(f"?{one.name}", BOOL)
        elif moved[one]:
            rest = _rest(one, len(moved[one]) < len(parts[one]))
            before = e.both(*moved[one])
            guard = e.both(guard, same(here, e.both(before, rest)))
            after = e.both(e.substitute(before, every), rest)
            for other in whole:
                after = recognise(after, other, e.Var(other.name, BOOL))
            updates[one.name] = after
        else:
            read = [part for part in parts[one] if not e.names(part).isdisjoint(e.names(guard))]
            if len(read) > MOST_MOVED:
                guard = e.both(guard, *(e.either(e.negate(here), part) for part in read))
            elif read:
                guard = e.both(guard, same(here, e.both(*read, _rest(one, len(read) < len(parts[one])))))
    return guard, updates


def _rest(one: Predicate, some: bool) -> e.Expr:
    """The truth of the parts of a predicate that a command has nothing to do with."""
    return e.Var(f"?rest of {one.name}", BOOL) if some else e.TRUE


def recognise(expr: e.Expr, one: Predicate, here: e.Expr) -> e.Expr:
    """The expression with the predicate put for its formula."""
    if e.names(expr).isdisjoint(e.names(one.term)):
        return expr
    if expr == one.term:
        return here
    if isinstance(expr, e.And) and isinstance(one.term, e.And):
        wanted = set(one.term.operands)
        if wanted <= set(expr.operands):
            rest = (recognise(part, one, here) for part in expr.operands if part not in wanted)
            return e.both(here, *rest)
    if isinstance(expr, e.Or) and e.negate(expr) == one.term:
        return e.negate(here)
    return e.rebuild(expr, tuple(recognise(part, one, here) for part in e.parts(expr)))
