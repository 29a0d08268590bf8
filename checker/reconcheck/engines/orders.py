"""Orders between numbers without bounds: guesses at which always hold, and what they make of comparisons.

A slice sees only whether such numbers are equal.  Where one never is above the other, `one < other` says just that they
differ: an observed generation and the generation, for instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from msgspec.structs import replace

from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.types import IntType
from reconcheck.semantics.system import Command, System

MOST_ALIKE = 12
"""Copies of two compared numbers past which no order is guessed among them."""


def likely_orders(system: System) -> Iterator[e.Expr]:
    """Orders between numbers that a reconcile compares, their copies, and the locals that hold them."""
    compared: dict[frozenset[str], None] = {}
    for command in system.commands:
        if command.step.action.startswith("reconcile "):
            for one in _comparisons(command.guard):
                compared[frozenset(live_name(variable.name) for variable in e.variables(one))] = None
    if not compared:
        return
    types = {variable.name: variable for variable in system.variables}
    copies: dict[str, set[str]] = {}
    for name, variable in types.items():
        if isinstance(variable.type, IntType):
            copies.setdefault(live_name(name), set()).add(name)
    for command in system.commands:
        for name, value in command.updates:
            if "/" in name and isinstance(value, e.Var):
                copies.setdefault(live_name(value.name), set()).add(name)
    for pair in compared:
        alike = sorted(set().union(*(copies.get(name, set()) for name in pair)))
        if len(alike) <= MOST_ALIKE:
            for less, more in permutations(alike, 2):
                yield e.at_most(e.Var(less, types[less].type), e.Var(more, types[more].type))


def with_equalities(system: System, clauses: Sequence[e.Expr]) -> System:
    """The same system with comparisons in reconciles spelled by way of equality: `a <= b` is `a < b` or `a == b`.

    Where a clause says that one number never is above the other, only the equality is left.
    """
    known = {(clause.left, clause.right) for clause in clauses if isinstance(clause, e.AtMost)}

    def plain(formula: e.Expr) -> e.Expr:
        if isinstance(formula, e.AtMost) and next(_comparisons(formula), None) is not None:
            left, right = formula.left, formula.right
            if (left, right) in known:
                return e.TRUE
            equal = e.equal(left, right)
            if (right, left) in known:
                return equal
            lower = e.at_most(left, right) if str(left) < str(right) else e.negate(e.at_most(right, left))
            return e.either(lower, equal)
        return e.rebuild(formula, tuple(map(plain, e.parts(formula))))

    def shown(command: Command) -> Command:
        if not command.step.action.startswith("reconcile ") or next(_comparisons(command.guard), None) is None:
            return command
        return replace(command, guard=plain(command.guard))

    return replace(system, commands=tuple(map(shown, system.commands)))


def _comparisons(formula: e.Expr) -> Iterator[e.AtMost]:
    """The comparisons of two numbers without bounds in a formula."""
    match formula:
        case e.AtMost(e.Var(_, IntType()), e.Var(_, IntType())):
            yield formula
        case _:
            for part in e.parts(formula):
                yield from _comparisons(part)
