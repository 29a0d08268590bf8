"""The compiled form of a model: guarded commands over typed variables.

A command may be taken in a state where its guard holds; it then gives the variables in `updates` their new
values, all at once.  Values chosen by nobody are the command's `inputs`.  A step that would change nothing is
not a step.  Frames cost nothing: what a command does not name stays as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope, Variable
from reconcheck.model.types import BoolType, domain, is_finite
from reconcheck.semantics.layout import Layout
from reconcheck.semantics.steps import Step


class Command(Struct, frozen=True, dict=True):
    """`guard -> updates`, with the step it stands for."""

    step: Step
    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...] = ()
    hidden: bool = False
    """Whether it may change something that is not among the system's variables (in a slice)."""

    @cached_property
    def reads(self) -> frozenset[str]:
        """The state variables that guard and updates depend on."""
        found = e.names(self.guard).union(*(e.names(value) for _, value in self.updates))
        return found - {variable.name for variable in self.inputs}


class System(Struct, frozen=True, dict=True):
    """The whole, unreduced transition system of an operator in a scope."""

    operator: Operator
    scope: Scope
    layout: Layout
    variables: tuple[Variable, ...]
    initial: Command
    """From anything: gives every variable its first value; its inputs are the free choices."""
    commands: tuple[Command, ...]

    def actions(self) -> tuple[str, ...]:
        """The fair actions, each once."""
        return tuple(self.fair)

    @cached_property
    def fair(self) -> dict[str, tuple[int, ...]]:
        """The numbers of the fair commands by their action."""
        found: dict[str, list[int]] = {}
        for number, command in enumerate(self.commands):
            if command.step.kind == "fair":
                found.setdefault(command.step.action, []).append(number)
        return {action: tuple(numbers) for action, numbers in found.items()}


def possible(command: Command, variables: dict[str, Variable]) -> e.Expr:
    """A condition without inputs under which a command can be taken and changes something.

    It is exact for inputs that are Boolean, or finite and either never assigned as they are or in the guard.  Where
    another one is assigned, another value can be chosen; where one without bounds is compared, one unlike all others;
    and where the guard or a change depends on one in any other way, that is not counted on.
    """
    assigned = {name for _, value in command.updates for name in _leaves(value)} - e.names(command.guard)
    listed = [
        v for v in command.inputs if isinstance(v.type, BoolType) or (is_finite(v.type) and v.name not in assigned)
    ]
    others = {v.name: v for v in command.inputs if v not in listed}
    cases: list[e.Expr] = []
    for values in itertools.product(*(domain(variable.type) for variable in listed)):
        chosen: dict[str, e.Expr] = {v.name: e.Const(value, v.type) for v, value in zip(listed, values, strict=True)}
        guard = _with_new_values(e.substitute(command.guard, chosen), others)
        if guard is None:
            continue
        known = fixed(guard, variables)
        different = (
            _differs(e.Var(name, variables[name].type), e.substitute(value, {**chosen, **known}), others)
            for name, value in command.updates
        )
        cases.append(e.both(guard, e.substitute(e.either(*different), known)))
    return e.either(*cases)


def fixed(guard: e.Expr, variables: Mapping[str, Variable]) -> dict[str, e.Expr]:
    """The variables whose values a guard fixes."""
    known: dict[str, e.Expr] = {}
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        match part:
            case e.Equal(e.Var(name, _), e.Const(value, _)) if name in variables:
                known[name] = e.Const(value, variables[name].type)
            case e.Var(name, _) if name in variables:
                known[name] = e.TRUE
            case e.Not(e.Var(name, _)) if name in variables:
                known[name] = e.FALSE
            case _:
                pass
    return known


def changes(command: Command, variables: Mapping[str, Variable]) -> tuple[dict[str, e.Expr], dict[str, e.Expr]]:
    """The values that a guard fixes, and the updates that do not come to nothing where it holds."""
    known = fixed(command.guard, variables)
    after = {name: e.substitute(value, known) for name, value in command.updates}
    before = {name: known.get(name, e.Var(name, variables[name].type)) for name in after}
    return known, {name: value for name, value in after.items() if value != before[name]}


def is_exact(command: Command) -> bool:
    """Whether `possible` tells exactly when a command can be taken.

    It does where endless inputs are only assigned as they are, or one of them is, and the guard depends on none: then
    whatever else depends on them, another value can be chosen that changes something.
    """
    endless = {variable.name for variable in command.inputs if not is_finite(variable.type)}
    if not endless.isdisjoint(e.names(command.guard)):
        return False
    bare = [isinstance(value, e.Var) and value.name in endless for _, value in command.updates]
    others = (value for (_, value), alone in zip(command.updates, bare, strict=True) if not alone)
    return any(bare) or all(endless.isdisjoint(e.names(value)) for value in others)


def _leaves(value: e.Expr) -> Iterator[str]:
    """The variables that an expression may give as its value, unchanged."""
    match value:
        case e.Var(name, _):
            yield name
        case e.Choice(_, yes, no):
            yield from _leaves(yes)
            yield from _leaves(no)
        case _:
            return


def _differs(old: e.Var, new: e.Expr, inputs: dict[str, Variable]) -> e.Expr:
    """A condition under which a variable gets another value, for some choice of the inputs."""
    if isinstance(new, e.Var) and new.name in inputs:
        type_ = inputs[new.name].type
        return e.TRUE if not is_finite(type_) or len(domain(type_)) > 1 else e.FALSE
    if isinstance(new, e.Choice) and e.names(new.condition).isdisjoint(inputs):
        yes, no = _differs(old, new.yes, inputs), _differs(old, new.no, inputs)
        return e.either(e.both(new.condition, yes), e.both(e.negate(new.condition), no))
    settled = _with_new_values(new, inputs)
    return e.FALSE if settled is None else e.negate(e.equal(old, settled))


def _with_new_values(expr: e.Expr, inputs: dict[str, Variable]) -> e.Expr | None:
    """An expression with inputs that are unlike each other and all else; None where that does not tell its value."""
    if e.names(expr).isdisjoint(inputs):
        return expr
    match expr:
        case e.Equal(left, right):
            known = [e.names(side).isdisjoint(inputs) or _is_endless(side, inputs) for side in (left, right)]
            return e.FALSE if all(known) and left != right else None
        case e.Var() | e.AtMost() | e.Arithmetic():
            return None
        case _:
            parts = [_with_new_values(part, inputs) for part in e.parts(expr)]
            given = tuple(part for part in parts if part is not None)
            return e.rebuild(expr, given) if len(given) == len(parts) else None


def _is_endless(expr: e.Expr, inputs: dict[str, Variable]) -> bool:
    """Whether an expression is an input that always has one more value."""
    return isinstance(expr, e.Var) and expr.name in inputs and not is_finite(inputs[expr.name].type)
