"""Goals that do more with numbers without bounds than to compare them with each other and with 0.

Of such a number a slice shows only what it equals.  What a goal asks of it, `ready > 0` or `total == a + b`, is kept
as a predicate instead: whether it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconcheck.engines.blurring import tells
from reconcheck.engines.first_slices import keeps
from reconcheck.engines.measures import is_local
from reconcheck.engines.predicates import Predicate
from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.types import BOOL, BoolType, IntType
from reconcheck.proof.certificate import Measure
from reconcheck.semantics.system import System

MOST_FORMS = 8
"""Formulas that are looked at in the place of a goal."""


def endless(formula: e.Expr) -> frozenset[str]:
    """The variables of a formula that are numbers without bounds."""
    return frozenset(variable.name for variable in e.variables(formula) if isinstance(variable.type, IntType))


def as_conditions(formula: e.Expr) -> tuple[e.Expr, tuple[Predicate, ...]]:
    """The formula with predicates in the place of what a slice cannot tell of its numbers."""
    terms = dict.fromkeys(_conditions(formula))
    predicates = tuple(Predicate(f"number {place}", term) for place, term in enumerate(terms, 1))
    return _put(formula, {one.term: e.Var(one.name, BOOL) for one in predicates}), predicates


def forms(system: System, goal: e.Expr) -> Sequence[e.Expr]:
    """Formulas from which the goal may follow once numbers have settled, nearer to what the runs of controllers do.

    These are the goal about cached copies; the goal with a condition of the same shape by which a run decides; and
    that a variable of the goal is what is written into it.
    """
    types = {variable.name: variable.type for variable in system.variables}
    found: dict[e.Expr, None] = {}
    for manager in system.operator.managers:
        copies = {name: manager.view(name) for name in endless(goal)}
        known: dict[str, e.Expr] = {old: e.Var(new, types[new]) for old, new in copies.items() if new in types}
        found[e.substitute(goal, known)] = None
    asked = {_shape(one): one for one in _conditions(goal)}
    for command in system.commands:
        written = [(name, value) for name, value in command.updates if name in e.names(goal)]
        if not written or not command.step.action.startswith("reconcile "):
            continue
        for formula in (command.guard, *(value for _, value in written)):
            for one in _conditions(formula):
                if _shape(one) in asked and not any(map(is_local, e.names(one))):
                    found[_put(goal, {asked[_shape(one)]: one})] = None
        for name, value in written:
            counts = name in map(live_name, e.names(value))
            if endless(value) and e.names(value) <= types.keys() and not counts and not keeps(name, value):
                found[e.equal(e.Var(name, types[name]), value)] = None
    return [one for one in found if one != goal and not isinstance(one, e.Const)][:MOST_FORMS]


def differs(measure: Measure) -> frozenset[str] | None:
    """The two numbers, as they are and not as they are cached, that a measure is the difference of."""
    match measure:
        case Measure(amount=e.Arithmetic("-", e.Var(one, _), e.Var(other, _))):
            pass
        case Measure(condition=e.Not(e.Equal(e.Var(one, IntType()), e.Var(other, _)))):
            pass
        case _:
            return None
    pair = frozenset((live_name(one), live_name(other)))
    return pair if len(pair) == 2 else None


def looks(
    system: System, form: e.Expr, first: frozenset[str]
) -> Iterator[tuple[e.Expr, tuple[frozenset[str], tuple[Predicate, ...]]]]:
    """Slices for a formula, with what it is there: all of it as a predicate, or its conditions on numbers.

    Each is without what stands in the predicates only, then with whether cached copies of that are up to date: first
    of objects of which the cache may take something over without an event.
    """
    watches = [watch for controller in system.operator.controllers for watch in controller.watches]
    silent = tuple(f"{one.target}." for one in watches if one.filter.parts is not None or one.filter.conditions)
    types = {variable.name: variable.type for variable in system.variables}
    number = Predicate("number 1", form)
    for shown, predicates in dict.fromkeys(((e.Var(number.name, BOOL), (number,)), as_conditions(form))):
        hidden = {live_name(name) for name in e.names(form) - e.names(shown)}
        copies = [(name, manager.view(name)) for name in sorted(hidden) for manager in system.operator.managers]
        keep = (first - hidden - {copy for _, copy in copies}) | (e.names(shown) & types.keys())
        current: dict[str, Predicate] = {}
        for name, copy in copies:
            if copy in types and isinstance(types[name], IntType):
                same = e.equal(e.Var(name, types[name]), e.Var(copy, types[copy]))
                current[copy] = Predicate(f"up to date {len(current) + 1}", same)
        unheard = tuple(one for copy, one in current.items() if live_name(copy).startswith(silent))
        for more in dict.fromkeys(((), unheard, tuple(current.values()))):
            yield shown, (keep, (*predicates, *more))


def _conditions(formula: e.Expr) -> Iterator[e.Expr]:
    """The comparisons of numbers in a formula that a slice cannot tell."""
    if isinstance(formula, e.Equal | e.AtMost) and not isinstance(e.type_of(formula.left), BoolType):
        if not tells(formula):
            yield formula
        return
    for part in e.parts(formula):
        yield from _conditions(part)


def _put(formula: e.Expr, values: Mapping[e.Expr, e.Expr]) -> e.Expr:
    """The formula with some of its parts replaced."""
    if formula in values:
        return values[formula]
    return e.rebuild(formula, tuple(_put(part, values) for part in e.parts(formula)))


def _shape(condition: e.Expr) -> e.Expr:
    """The condition, about any number where it is about a single one."""
    numbers: dict[str, e.Expr] = {v.name: e.Var("a number", v.type) for v in e.variables(condition)}
    return e.substitute(condition, numbers) if len(numbers) == 1 else condition
