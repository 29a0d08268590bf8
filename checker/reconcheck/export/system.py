"""A transition system that says nothing about the language it will be written in.

It is made from the compiled guarded commands, and has two things more.  `calm` is false at first, and a step of its
own makes it true at some time; disturbances and faults are possible only before.  So a run in which they stop is
any run, `calm` comes true by fairness, and a goal of `converges` is `<>[] goal` under weak fairness (spec/export.md).
And each guard says also that the step changes something, so that a guard that holds is a step that is possible.

Numbers without bounds stay so unless `build` is given a bound; opaque values are as many as can ever matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.export.comments import of_goal, of_step, of_variable
from reconcheck.export.simplify import assignments, change, tidied, under
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.model.types import BOOL, BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value, domain
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Kind
from reconcheck.semantics.system import Command
from reconcheck.semantics.system import System as CompiledSystem

CALM = "calm"
"""The variable that says that disturbances and faults are over, and the fair step that makes it true."""


class Variable(Struct, frozen=True):
    """A state variable, or a choice of an action.  Opaque variables hold 0, which is `none`, and other numbers."""

    name: str
    """As the model writes it: `view(sts.ready)`; targets mangle it (`names`)."""
    type: Type
    comments: tuple[str, ...] = ()


class Action(Struct, frozen=True):
    """A way to take a step: where `guard` holds, all `updates` happen at once; the rest stays as it is.

    Guard and updates are over the state before, and over `choices`: values chosen by nobody.  The guard holds only
    where something changes.
    """

    name: str
    """The step with its detail: `reconcile app: call grafana (L26)`.  Several actions can have one name."""
    unit: str
    """The unit of fairness: `reconcile app`."""
    kind: Kind
    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    choices: tuple[Variable, ...] = ()
    leaves: e.Expr = e.FALSE
    """Where, if the guard holds, a value leaves its type: the model is wrong there (RC310)."""
    comments: tuple[str, ...] = ()
    """The lines of the model, and of the operator's source that they cite."""

    @property
    def fair(self) -> bool:
        """Whether it belongs to a unit that does not stay possible for ever without being taken."""
        return self.kind is Kind.FAIR


class Question(Struct, frozen=True):
    """A goal: `converges` is `<>[] formula`, `always` is `[] formula`, `reachable` asks for one state."""

    name: str
    kind: str
    formula: e.Expr
    comments: tuple[str, ...] = ()


class System(Struct, frozen=True, dict=True):
    """What is exported."""

    operator: Operator
    scope: Scope
    variables: tuple[Variable, ...]
    """Those of the layout, in its order, then `calm`."""
    initial: Action
    """Its updates give every variable a first value; they read nothing but its choices."""
    actions: tuple[Action, ...]
    """Those of the compiled system that can happen at all, in its order, then `calm`."""
    questions: tuple[Question, ...]
    bound: int | None = None
    """The largest size of numbers that the model leaves without bounds, if there are any and they were given one."""

    @cached_property
    def units(self) -> dict[str, tuple[Action, ...]]:
        """The fair actions by their unit."""
        found: dict[str, list[Action]] = {}
        for action in self.actions:
            if action.fair:
                found.setdefault(action.unit, []).append(action)
        return {unit: tuple(actions) for unit, actions in found.items()}

    @cached_property
    def unfair(self) -> tuple[Action, ...]:
        """Noise, disturbances and faults: what nobody has to do."""
        return tuple(action for action in self.actions if not action.fair)

    @cached_property
    def types(self) -> dict[str, Type]:
        """The type of each variable."""
        return {variable.name: variable.type for variable in self.variables}

    @cached_property
    def opaque_values(self) -> int:
        """How many opaque values besides `none` are enough: with as many, no run of the model is missing.

        One for each variable, and one for each choice of a step: then a step can always choose a value that is new.
        """
        state = sum(isinstance(variable.type, OpaqueType) for variable in self.variables)
        chosen = (
            sum(isinstance(choice.type, OpaqueType) for choice in action.choices)
            for action in (self.initial, *self.actions)
        )
        return state + max(chosen, default=0)

    @property
    def endless(self) -> bool:
        """Whether some variable or choice is a number without bounds."""
        choices = (choice for action in (self.initial, *self.actions) for choice in action.choices)
        return any(isinstance(variable.type, IntType) for variable in (*self.variables, *choices))

    def values(self, variable: Variable) -> tuple[Value, ...]:
        """What a choice can be: opaque ones any value but `none`.  Raises `ValueError` for endless numbers."""
        if isinstance(variable.type, OpaqueType):
            return tuple(range(1, self.opaque_values + 1))
        return domain(variable.type)

    def instances(self, action: Action) -> Iterator[tuple[dict[str, Value], Action]]:
        """An action once for each way to choose, simplified; ways that are never possible are left out.

        Raises `ValueError` where a choice is endless.
        """
        for values in itertools.product(*(self.values(choice) for choice in action.choices)):
            chosen = {choice.name: value for choice, value in zip(action.choices, values, strict=True)}
            constants: dict[str, e.Expr] = {c.name: e.Const(chosen[c.name], c.type) for c in action.choices}
            updates = tuple((name, e.substitute(value, constants)) for name, value in action.updates)
            guard, leaves = e.substitute(action.guard, constants), e.substitute(action.leaves, constants)
            instance = _simple(replace(action, guard=guard, updates=updates, choices=(), leaves=leaves))
            if instance.guard != e.FALSE:
                yield chosen, instance

    def enabled(self, action: Action) -> e.Expr:
        """Where an action is possible, in terms of the state alone.  Raises `ValueError` where a choice is endless."""
        read = e.names(action.guard)
        choices = tuple(choice for choice in action.choices if choice.name in read)
        silent = replace(action, choices=choices, updates=(), leaves=e.FALSE)
        return e.either(*(instance.guard for _, instance in self.instances(silent)))


class TooTight(Exception):
    """A bound leaves out every first state."""


def build(operator: Operator, scope: Scope, goals: tuple[Goal, ...], bound: int | None = None) -> System:
    """The system to be exported, with the questions asked about it.

    With a bound, numbers that the model leaves without bounds go from 0 (`nat`) or `-bound` (`int`) to `bound`, and
    steps that would take them further are not possible.  Raises `TooTight` where no first state is within it.
    """
    compiled = compile_system(operator, scope)
    before_calm = e.negate(e.Var(CALM, BOOL))
    variables = [Variable(v.name, v.type, of_variable(v.name)) for v in compiled.variables]
    variables.append(Variable(CALM, BOOL, of_variable(CALM)))
    actions = [_action(compiled, command) for command in compiled.commands]
    actions.append(Action(CALM, CALM, Kind.FAIR, before_calm, ((CALM, e.TRUE),), comments=of_variable(CALM)))
    begin = _choosing(compiled.initial)
    initial = replace(begin, updates=(*begin.updates, (CALM, e.FALSE)))
    questions = tuple(Question(goal.name, goal.kind, goal.formula, of_goal(operator, goal)) for goal in goals)
    whole = System(operator, scope, tuple(variables), initial, tuple(actions), questions)
    if bound is not None and whole.endless:
        whole = _bounded(whole, bound)
    return replace(whole, actions=tuple(action for action in whole.actions if action.guard != e.FALSE))


def _choosing(command: Command) -> Action:
    choices = tuple(Variable(one.name, one.type) for one in command.inputs)
    return Action(str(command.step), command.step.action, command.step.kind, command.guard, command.updates, choices)


def _action(compiled: CompiledSystem, command: Command) -> Action:
    """A command with all that its guard leaves unsaid."""
    action = _choosing(command)
    types = {variable.name: variable.type for variable in compiled.variables}
    changes = e.either(*(change(name, types[name], value) for name, value in action.updates))
    leaves = e.either(*(_outside(types[name], value) for name, value in action.updates))
    guard = e.both(action.guard, changes)
    if not action.kind.calm:
        guard = e.both(e.negate(e.Var(CALM, BOOL)), guard)
    whole = replace(action, guard=guard, leaves=leaves, comments=of_step(compiled.operator, command.step))
    return _simple(whole)


def _simple(action: Action) -> Action:
    """An action that means the same, without what its guard makes superfluous."""
    guard = tidied(action.guard)
    updates = tuple(assignments(action.updates, guard))
    return replace(action, guard=guard, updates=updates, leaves=under(action.leaves, guard))


def _outside(type_: Type, value: e.Expr) -> e.Expr:
    """The condition under which a value is not one of a type's."""
    if e.surely_in(value, type_):
        return e.FALSE
    match type_:
        case RangeType(low, high):
            return e.negate(e.both(e.at_most(e.integer(low), value), e.at_most(value, e.integer(high))))
        case EnumType(values):
            return e.negate(e.either(*(e.equal(value, e.Const(one, type_)) for one in values)))
        case IntType(natural=True):
            return e.negate(e.at_most(e.integer(0), value))
        case BoolType() | IntType() | OpaqueType():
            return e.FALSE


# ---- numbers without bounds ------------------------------------------------------------------------------------


def _bounded(system: System, bound: int) -> System:
    """The system with all numbers bounded; what would leave the bound does not happen."""
    narrow = {v.name: e.Var(v.name, _narrowed(v.type, bound)) for v in system.variables if isinstance(v.type, IntType)}

    def cut(action: Action) -> Action:
        choices = tuple(replace(choice, type=_narrowed(choice.type, bound)) for choice in action.choices)
        typed: dict[str, e.Expr] = {**narrow, **{choice.name: e.Var(choice.name, choice.type) for choice in choices}}
        updates = tuple((name, e.substitute(value, typed)) for name, value in action.updates)
        leaves = e.substitute(action.leaves, typed)
        stays = (e.negate(_outside(narrow[name].type, value)) for name, value in updates if name in narrow)
        guard = e.both(e.substitute(action.guard, typed), e.either(leaves, e.both(*stays)))
        return replace(action, guard=guard, updates=updates, leaves=leaves, choices=choices)

    initial = cut(system.initial)
    if initial.guard == e.FALSE:
        raise TooTight
    return replace(
        system,
        variables=tuple(replace(variable, type=_narrowed(variable.type, bound)) for variable in system.variables),
        initial=initial,
        actions=tuple(cut(action) for action in system.actions),
        questions=tuple(replace(one, formula=e.substitute(one.formula, narrow)) for one in system.questions),
        bound=bound,
    )


def _narrowed(type_: Type, bound: int) -> Type:
    if isinstance(type_, IntType):
        return RangeType(0 if type_.natural else -bound, bound)
    return type_
