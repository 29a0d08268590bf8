"""Slices: a system projected onto some of its variables.

What is cut may be anything, at any time.  Each condition on cut variables becomes a choice made by nobody,
so a slice can do all that the whole system can: what is proved of it holds of the whole.  A fair action counts
as possible only where it is possible whatever the cut variables are, so fairness is not overstated either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconcheck.engines.python_code import StateTuple, predicate
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BOOL, BoolType, OpaqueType, Type, zero
from reconcheck.semantics.system import Command, System, possible

MOST_CASES = 4000
"""Case distinctions spent on one "whatever the cut variables are"; past it an action counts as not possible."""


@dataclass(frozen=True)
class Slice:
    """A projected system, and for each fair action where it is surely possible."""

    system: System
    must: tuple[tuple[str, Callable[[StateTuple], bool]], ...]
    cut_reads: dict[int, frozenset[str]]
    """For each command of the slice, the cut variables that the whole command reads."""
    origin: tuple[int, ...]
    """For each command of the slice, its number in the whole system."""


class _Blur:
    """Replaces conditions on cut variables by free choices, the same condition by the same choice."""

    def __init__(self, keep: frozenset[str]) -> None:
        self.keep = keep
        self.choices: dict[e.Expr, e.Expr] = {}
        self.inputs: list[Variable] = []

    def __call__(self, expr: e.Expr) -> e.Expr:
        if all(variable.name in self.keep for variable in e.variables(expr)):
            return expr
        if isinstance(expr, e.Var | e.Equal | e.AtMost | e.Arithmetic):
            if expr not in self.choices:
                self.choices[expr] = self._anything(e.type_of(expr))
            return self.choices[expr]
        return e.rebuild(expr, tuple(self(part) for part in e.parts(expr)))

    def variables(self) -> tuple[Variable, ...]:
        """The free choices made so far, as inputs."""
        return tuple(self.inputs)

    def _anything(self, type_: Type) -> e.Expr:
        """A new free choice; an opaque input is never `none`, which a variable may be."""
        if isinstance(type_, OpaqueType):
            return e.choose(self._input(BOOL), e.Const(zero(type_), type_), self._input(type_))
        return self._input(type_)

    def _input(self, type_: Type) -> e.Var:
        self.inputs.append(Variable(f"cut{len(self.inputs)}", type_, None))
        return e.Var(self.inputs[-1].name, type_)


def slice_system(system: System, keep: frozenset[str]) -> Slice:
    """The projection of a system onto the variables in `keep`."""
    variables = tuple(variable for variable in system.variables if variable.name in keep)
    commands: list[Command] = []
    origin: list[int] = []
    cut_reads: dict[int, frozenset[str]] = {}
    for number, command in enumerate(system.commands):
        projected = _project(command, keep)
        if projected is None:
            continue
        cut_reads[len(commands)] = command.reads - keep
        origin.append(number)
        commands.append(projected)
    begin = _project(system.initial, keep)
    assert begin is not None
    layout, scope = system.layout, system.scope
    projected_system = System(system.operator, scope, layout, variables, begin, tuple(commands))
    must = tuple((action, predicate(projected_system, _surely(system, action, keep))) for action in system.actions())
    return Slice(projected_system, must, cut_reads, tuple(origin))


def _project(command: Command, keep: frozenset[str]) -> Command | None:
    """The command on the kept variables; None where it is never possible."""
    inputs = frozenset(variable.name for variable in command.inputs)
    blur = _Blur(keep | inputs)
    guard = blur(command.guard)
    updates = tuple((name, blur(value)) for name, value in command.updates if name in keep)
    hidden = any(name not in keep for name, _ in command.updates)
    used = {variable.name for _, value in updates for variable in e.variables(value)}
    for choice in blur.variables():
        if choice.name not in used and isinstance(choice.type, BoolType):
            guard = e.either(e.substitute(guard, {choice.name: e.TRUE}), e.substitute(guard, {choice.name: e.FALSE}))
    if guard == e.FALSE:
        return None
    used |= {variable.name for variable in e.variables(guard)}
    needed = tuple(v for v in (*command.inputs, *blur.variables()) if v.name in used)
    return Command(command.step, guard, updates, needed, hidden)


def _surely(system: System, action: str, keep: frozenset[str]) -> e.Expr:
    """The condition on kept variables under which a fair action is possible whatever the others are.

    The commands of an action are grouped by the program position at which they stand, where they have one:
    positions exclude each other, which keeps the case distinctions few.
    """
    types = {variable.name: variable for variable in system.variables}
    groups: dict[e.Expr, list[e.Expr]] = {}
    for command in system.commands:
        if command.step.action == action and command.step.kind == "fair":
            here, rest = _position(command.guard)
            if _moves(command, here):  # a change by itself, whatever else happens
                groups.setdefault(here, []).append(_for_some_flag(rest, command))
            else:
                without = Command(command.step, rest, command.updates, command.inputs)
                groups.setdefault(here, []).append(possible(without, types))
    sure: list[e.Expr] = []
    for here, possibilities in groups.items():
        if any(variable.name not in keep for variable in e.variables(here)):
            continue
        blur = _Blur(keep)
        cases = blur(e.either(*possibilities))
        budget = [MOST_CASES]
        sure.append(e.both(here, _always(cases, {c.name for c in blur.variables()}, budget)))
    return e.either(*sure)


def _moves(command: Command, here: e.Expr) -> bool:
    """Whether the command leaves the program position at which it stands."""
    if not isinstance(here, e.Equal) or not isinstance(here.left, e.Var):
        return False
    new = dict(command.updates).get(here.left.name)
    return isinstance(new, e.Const) and new != here.right


def _for_some_flag(guard: e.Expr, command: Command) -> e.Expr:
    """The guard, for some value of the command's Boolean inputs."""
    for variable in command.inputs:
        if isinstance(variable.type, BoolType):
            guard = e.either(*(e.substitute(guard, {variable.name: value}) for value in (e.TRUE, e.FALSE)))
    return guard


def _position(guard: e.Expr) -> tuple[e.Expr, e.Expr]:
    """Splits `pc(c) == position` off a guard."""
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        if isinstance(part, e.Equal) and isinstance(part.left, e.Var) and part.left.name.startswith("pc("):
            rest = guard.operands if isinstance(guard, e.And) else (guard,)
            return part, e.both(*(other for other in rest if other is not part))
    return e.TRUE, guard


def _always(formula: e.Expr, choices: set[str], budget: list[int]) -> e.Expr:
    """The formula for all values of the Boolean choices in it; false where the budget does not suffice."""
    choice = next((variable for variable in e.variables(formula) if variable.name in choices), None)
    if choice is None:
        return formula
    budget[0] -= 1
    if budget[0] < 0 or choice.type != BOOL:
        return e.FALSE
    yes = _always(e.substitute(formula, {choice.name: e.TRUE}), choices, budget)
    if yes == e.FALSE:
        return e.FALSE
    return e.both(yes, _always(e.substitute(formula, {choice.name: e.FALSE}), choices, budget))


def first_slice(system: System, formula: e.Expr) -> frozenset[str]:
    """Where the search for a proof begins: what the goal reads, its cached copies, and the control state."""
    named = {variable.name for variable in e.variables(formula)}
    keep = closed(system, named)
    control = ("pc(", "queued(", "timer(")
    return keep | {variable.name for variable in system.variables if variable.name.startswith(control)}


def closed(system: System, names: Iterable[str]) -> frozenset[str]:
    """The variables with those that move together with them: the cached copy, the lag, the pending events."""
    keep: set[str] = set()
    existing = {variable.name for variable in system.variables}
    holders = {*system.operator.objects, *system.operator.externals}
    for name in names:
        live = name[5:-1] if name.startswith("view(") else name
        keep |= {name, live, f"view({live})"}
        holder = next((h for h in sorted(holders, key=len, reverse=True) if live.startswith(f"{h}.")), None)
        if holder is not None:
            keep |= {f"{holder}.exists", f"view({holder}.exists)", f"{holder}.deleting", f"stale({holder})"}
            keep |= {f"event({w.controller}: {w.name})" for _, w in system.layout.watches(holder)}
    return frozenset(keep & existing)
