"""Guards and updates as a person would write them: without what the rest of the guard says already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconcheck.model import expr as e
from reconcheck.model.types import BoolType, Type


def change(name: str, type_: Type, value: e.Expr) -> e.Expr:
    """The condition under which a variable gets another value than it has."""
    old = e.Var(name, type_)
    if isinstance(type_, BoolType):
        match value:
            case e.Or(operands) if old in operands:
                return e.both(e.negate(old), e.either(*(one for one in operands if one != old)))
            case e.And(operands) if old in operands:
                return e.both(old, e.negate(e.both(*(one for one in operands if one != old))))
    if isinstance(value, e.Choice):
        yes, no = change(name, type_, value.yes), change(name, type_, value.no)
        return e.either(e.both(value.condition, yes), e.both(e.negate(value.condition), no))
    return e.negate(e.equal(old, value))


def under(expr: e.Expr, guard: e.Expr) -> e.Expr:
    """An expression that means the same as another where a guard holds, and is simpler if it can be."""
    facts: dict[e.Expr, e.Expr] = {}
    known: dict[str, e.Expr] = {}
    for part in conjuncts(guard):
        facts[part] = e.TRUE
        facts[e.negate(part)] = e.FALSE
        match part:
            case e.Equal(e.Var(name, type_), e.Const(value, _)):
                known[name] = e.Const(value, type_)
    return _replaced(expr, facts, known)


def _replaced(expr: e.Expr, facts: Mapping[e.Expr, e.Expr], known: Mapping[str, e.Expr]) -> e.Expr:
    if expr in facts:
        return facts[expr]
    if isinstance(expr, e.Var):
        return known.get(expr.name, expr)
    if isinstance(expr, e.Or):
        for fact in facts:
            if isinstance(fact, e.Or) and facts[fact] == e.TRUE and set(fact.operands) <= set(expr.operands):
                return e.TRUE
    return e.rebuild(expr, tuple(_replaced(part, facts, known) for part in e.parts(expr)))


def absorbed(condition: e.Expr) -> e.Expr:
    """A disjunction without those cases that others cover."""
    if not isinstance(condition, e.Or):
        return condition
    cases = [(case, frozenset(conjuncts(case))) for case in condition.operands]
    kept = (case for case, parts in cases if not any(other < parts for _, other in cases))
    return e.either(*kept)


def conjuncts(condition: e.Expr) -> tuple[e.Expr, ...]:
    """The parts of a conjunction, or the condition itself."""
    return condition.operands if isinstance(condition, e.And) else (condition,)


def tidied(guard: e.Expr) -> e.Expr:
    """A conjunction, each part of which is simplified by those before it."""
    found: e.Expr = e.TRUE
    for part in sorted(conjuncts(guard), key=lambda one: isinstance(one, e.Or)):
        found = e.both(found, absorbed(under(part, found)))
    return found


def assignments(updates: Iterable[tuple[str, e.Expr]], guard: e.Expr) -> Iterator[tuple[str, e.Expr]]:
    """Updates simplified by what the guard says; those that then change nothing are left out."""
    for name, value in updates:
        simple = under(value, guard)
        if not (isinstance(simple, e.Var) and simple.name == name):
            yield name, simple
