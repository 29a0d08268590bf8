"""Guesses at clauses that always hold: what caches, pending events, absent objects and locals keep to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from reconcheck.engines.orders import likely_orders
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, zero
from reconcheck.semantics.layout import IDLE, STOPPED, event_name, registered_name
from reconcheck.semantics.system import System

MOST_PLACES = 20_000
"""Places of a run at which a local may hold something; past it a clause would say little."""


def likely_clauses(system: System) -> list[e.Expr]:
    """Clauses worth a try; those that do not hold by induction together are for the checker to find."""
    variables = {variable.name: variable for variable in system.variables}
    found = [*_of_objects(system, variables), *_of_locals(system, variables), *likely_orders(system)]
    return list(dict.fromkeys(clause for clause in found if clause != e.TRUE))


def _variable(variables: dict[str, Variable], name: str) -> e.Expr | None:
    return e.Var(name, variables[name].type) if name in variables else None


def same(left: e.Expr, right: e.Expr) -> e.Expr:
    """Both sides have the same value, spelled so that it splits into truth values where it can."""
    if isinstance(e.type_of(left), BoolType):
        return e.either(e.both(left, right), e.both(e.negate(left), e.negate(right)))
    return e.equal(left, right)


def _of_objects(system: System, variables: dict[str, Variable]) -> Iterator[e.Expr]:
    operator, layout = system.operator, system.layout
    for manager, target in product(operator.managers, (*operator.objects, *operator.externals)):
        stale = _variable(variables, manager.stale(target))
        signs = [stale] if stale is not None else []
        for _, watch in layout.watches_of(manager, target):
            event = _variable(variables, event_name(watch))
            started = _variable(variables, registered_name(watch))
            if event is not None:
                signs.append(event if started is None else e.either(event, e.negate(started)))
                if stale is not None:
                    yield e.either(e.negate(event), stale)
        exists = _variable(variables, f"{target}.exists")
        cached_exists = _variable(variables, manager.view(f"{target}.exists"))
        for part in layout.snapshot(target):
            name = f"{target}.{part}"
            live, cached = _variable(variables, name), _variable(variables, manager.view(name))
            if live is None:
                continue
            nothing = e.Const(zero(variables[name].type), variables[name].type)
            if cached is not None:
                yield from (e.either(same(live, cached), sign) for sign in signs)
            if part != "exists" and exists is not None:
                yield e.either(exists, e.equal(live, nothing))
                if cached is not None and cached_exists is not None:
                    yield e.either(cached_exists, e.equal(cached, nothing))


def _of_locals(system: System, variables: dict[str, Variable]) -> Iterator[e.Expr]:
    """A local, or a version of an object, is nothing where the run does not need it."""
    for controller in system.operator.controllers:
        pc = variables[f"pc({controller.name})"]
        here = e.Var(pc.name, pc.type)
        moves = list(_moves(system, pc.name))
        for variable in system.variables:
            if not variable.name.startswith((f"{controller.name}/", f"held({controller.name}: ")):
                continue
            nothing = e.Const(zero(variable.type), variable.type)
            places = _holding(moves, variable.name, nothing)
            if places and len(places) <= MOST_PLACES and not places & {IDLE, STOPPED}:
                there = (e.equal(here, e.Const(place, pc.type)) for place in sorted(places))
                yield e.either(*there, e.equal(e.Var(variable.name, variable.type), nothing))


def _moves(system: System, pc: str) -> Iterator[tuple[str | None, str | None, dict[str, e.Expr]]]:
    """The moves of a program counter: place before and after, None where it is any, or stays."""
    for command in system.commands:
        old: str | None = None
        for part in command.guard.operands if isinstance(command.guard, e.And) else (command.guard,):
            if isinstance(part, e.Equal) and part.left == e.Var(pc, e.type_of(part.left)):
                old = str(part.right.value) if isinstance(part.right, e.Const) else None
        updates = dict(command.updates)
        new = updates.get(pc)
        yield old, str(new.value) if isinstance(new, e.Const) else None, updates


def _holding(moves: list[tuple[str | None, str | None, dict[str, e.Expr]]], name: str, nothing: e.Const) -> set[str]:
    """The places at which a run may hold something in a local: where it is written, and what follows."""
    places: set[str] = set()
    work = [new for _, new, updates in moves if new is not None and updates.get(name, nothing) != nothing]
    onward: dict[str, list[str]] = {}
    for old, new, updates in moves:
        if old is not None and new is not None and name not in updates:
            onward.setdefault(old, []).append(new)
    while work:
        place = work.pop()
        if place not in places:
            places.add(place)
            work += onward.get(place, ())
    return places
