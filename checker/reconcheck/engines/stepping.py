"""Single steps of a large system: each command becomes a function when it is first needed.

`python_code.successors` computes all steps from a state at once, which pays where every state is followed in
full.  Where a search follows few of the steps from few of the states, what counts is to see quickly which
commands are possible, and to take one of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import assert_never

from reconcheck.engines.python_code import StateTuple
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import IntType, OpaqueType, Value, contains, domain, is_finite, is_number
from reconcheck.semantics.steps import LeftRange
from reconcheck.semantics.system import Command, System

MOST_NAMED = 20
"""Numbers that occur in a model, and those next to them, that are tried where any number can be chosen."""

Choices = tuple[Value, ...]
"""A value for each input of a command."""

Take = Callable[[StateTuple, Choices], StateTuple | None]


class Stepper:
    """The steps of a system, one by one.

    Of endlessly many numbers, those are tried that are near the ones in a state, in the system, or in the goal.
    """

    def __init__(self, system: System, goal: e.Expr = e.TRUE) -> None:
        self.system, self.goal = system, goal
        self.places = {variable.name: f"s[{index}]" for index, variable in enumerate(system.variables)}
        self.index = {variable.name: index for index, variable in enumerate(system.variables)}
        self.types = {variable.name: variable.type for variable in system.variables}
        self.opaque = [i for i, variable in enumerate(system.variables) if isinstance(variable.type, OpaqueType)]
        self.endless = [i for i, variable in enumerate(system.variables) if isinstance(variable.type, IntType)]
        self.fair = [command.step.kind == "fair" for command in system.commands]
        self._first: Take | None = None
        self._takes: dict[int, Take] = {}
        self._always, self._standing = self._grouped()
        self._tests: dict[tuple[int, Value] | None, Callable[[StateTuple], list[int]]] = {}

    def possible(self, state: StateTuple) -> list[int]:
        """The commands whose guards hold, as far as they do not depend on inputs, in their order."""
        found = self._test(None, self._always)(state)
        for place, positions in self._standing.items():
            here = positions.get(state[place])
            if here is not None:
                found = found + self._test((place, state[place]), here)(state)
        return sorted(found)

    def take(self, number: int, state: StateTuple, choices: Choices) -> StateTuple | None:
        """The state after a command; None where it is not possible, or would change nothing.  Raises `LeftRange`."""
        function = self._takes.get(number)
        if function is None:
            function = self._takes[number] = self._taking(self.system.commands[number])
        return function(state, choices)

    def steps(self, number: int, state: StateTuple) -> Iterator[tuple[Choices, StateTuple]]:
        """Each way to take a command that changes something.  Of endlessly many numbers, a few are tried."""
        inputs = self.system.commands[number].inputs
        for choices in self.choices(inputs, state) if inputs else ((),):
            after = self.take(number, state, choices)
            if after is not None:
                yield choices, after

    def fair_actions(self, state: StateTuple) -> set[str]:
        """The fair actions that are possible and change something."""
        found: set[str] = set()
        for number in self.possible(state):
            action = self.system.commands[number].step.action
            if self.fair[number] and action not in found and next(self.steps(number, state), None) is not None:
                found.add(action)
        return found

    def is_quiet(self, state: StateTuple) -> bool:
        """Whether no fair action is possible."""
        return not any(
            self.fair[number] and next(self.steps(number, state), None) is not None for number in self.possible(state)
        )

    def first(self, choices: Choices) -> StateTuple:
        """The initial state for a choice of the free values."""
        if self._first is None:
            self._first = self._taking(self.system.initial)
        nothing = tuple("" for _ in self.system.variables)  # no state is that, so the step changes something
        state = self._first(nothing, choices)
        assert state is not None
        return state

    def first_choices(self) -> Iterator[Choices]:
        """Every choice of the free values of the initial states; of endlessly many numbers, a few."""
        return self.choices(self.system.initial.inputs, tuple(0 for _ in self.system.variables))

    # ---- choices -------------------------------------------------------------------------------------------------

    def choices(self, inputs: tuple[Variable, ...], state: StateTuple) -> Iterator[Choices]:
        """Every choice of values for the inputs in a state; of endlessly many numbers, a few that are near."""
        if any(isinstance(variable.type, OpaqueType) for variable in inputs):
            return self._with_opaque(inputs, state)
        return itertools.product(*(self._values(variable, state) for variable in inputs))

    def _with_opaque(self, inputs: tuple[Variable, ...], state: StateTuple) -> Iterator[Choices]:
        """An opaque input is any value that is in use, chosen before it, or new."""
        known = {state[index] for index in self.opaque} | {0}

        def extend(position: int, chosen: Choices, used: set[Value]) -> Iterator[Choices]:
            if position == len(inputs):
                yield chosen
                return
            variable = inputs[position]
            if not isinstance(variable.type, OpaqueType):
                for value in self._values(variable, state):
                    yield from extend(position + 1, (*chosen, value), used)
                return
            for value in sorted({*used, max(map(int, used)) + 1} - {0}, key=int):
                yield from extend(position + 1, (*chosen, value), used | {value})

        return extend(0, (), known)

    def renamed(self, number: int, choices: Choices, before: StateTuple, here: StateTuple) -> Choices:
        """The choices of a command in a state for the same ones in another, which differ in opaque values only.

        What is new in the one is new in the other.
        """
        names: dict[Value, Value] = {before[index]: here[index] for index in self.opaque}
        unused = itertools.count(max((int(here[index]) for index in self.opaque), default=0) + 1)
        inputs = self.system.commands[number].inputs
        return tuple(
            (names[value] if value in names else names.setdefault(value, next(unused)))
            if isinstance(variable.type, OpaqueType)
            else value
            for variable, value in zip(inputs, choices, strict=True)
        )

    def _values(self, variable: Variable, state: StateTuple) -> Iterable[Value]:
        if is_finite(variable.type):
            return domain(variable.type)
        near = {int(state[index]) + more for index in self.endless for more in (-1, 0, 1)} | self.named
        return sorted(value for value in near if contains(variable.type, value))

    @cached_property
    def named(self) -> frozenset[int]:
        """The numbers nearest to 0 that occur in the system or the goal, and those next to them."""
        commands = (self.system.initial, *self.system.commands)
        found = {
            0,
            1,
            *_numbers([self.goal, *(part for one in commands for part in (one.guard, *dict(one.updates).values()))]),
        }
        near = {number + more for number in found for more in (-1, 0, 1)}
        return frozenset(sorted(near, key=lambda number: (abs(number), number))[:MOST_NAMED])

    # ---- generated functions ---------------------------------------------------------------------------------------

    def _grouped(self) -> tuple[list[int], dict[int, dict[Value, list[int]]]]:
        """The commands by the program position at which they stand; those without one apart."""
        always: list[int] = []
        standing: dict[int, dict[Value, list[int]]] = {}
        for number, command in enumerate(self.system.commands):
            here = position(command.guard)
            if here is None:
                always.append(number)
            else:
                standing.setdefault(self.index[here[0]], {}).setdefault(here[1], []).append(number)
        return always, standing

    def _test(self, key: tuple[int, Value] | None, numbers: list[int]) -> Callable[[StateTuple], list[int]]:
        """The function that says which of these commands are possible."""
        function = self._tests.get(key)
        if function is None:
            tests = [(number, self._early(self.system.commands[number])) for number in numbers]
            source = _Source(self.places, [part for _, parts in tests for part in parts])
            lines = ["def possible(s):", "    found = []"]
            for number, parts in tests:
                text = " and ".join(map(source.text, parts))
                lines += [f"    {line}" for line in source.pending()]
                lines.append(f"    if {text}: found.append({number})")
            lines.append("    return found")
            scope: dict[str, Callable[[StateTuple], list[int]]] = {}
            exec("\n".join(lines), {}, scope)
            function = self._tests[key] = scope["possible"]
        return function

    def _early(self, command: Command) -> tuple[e.Expr, ...]:
        """What can be told of a command before its inputs are chosen: its guard, and that it changes something."""
        if command.inputs:
            inputs = {variable.name for variable in command.inputs}
            parts = command.guard.operands if isinstance(command.guard, e.And) else (command.guard,)
            return (e.both(*(part for part in parts if not any(v.name in inputs for v in e.variables(part)))),)
        if position(command.guard) is not None:  # it moves on
            return (command.guard,)
        different = (e.negate(e.Equal(e.Var(name, self.types[name]), value)) for name, value in command.updates)
        return command.guard, e.either(*different)

    def _taking(self, command: Command) -> Take:
        places = dict(self.places)
        lines = ["def take(s, c):"]
        for index, variable in enumerate(command.inputs):
            places[variable.name] = f"c[{index}]"
        source = _Source(places, [command.guard, *(value for _, value in command.updates)])
        text = source.text(command.guard)
        lines += [f"    {line}" for line in source.pending()]
        lines.append(f"    if not {text}: return None")
        types = self.types
        new: list[str] = []
        for position_, (name, value) in enumerate(command.updates):
            text = source.text(value)
            lines += [f"    {line}" for line in source.pending()]
            lines.append(f"    n{position_} = {text}")
            if not e.surely_in(value, types[name]):
                lines.append(f"    if not contains(types[{name!r}], n{position_}): left_range({name!r}, n{position_})")
            new.append(f"    t[{self.index[name]}] = n{position_}")
        different = " or ".join(f"n{i} != {self.places[name]}" for i, (name, _) in enumerate(command.updates))
        lines.append(f"    if not ({different}): return None")
        lines += ["    t = list(s)", *new, "    return tuple(t)"]

        def left_range(name: str, value: Value) -> None:
            raise LeftRange(command.step, name, value, types[name])

        scope: dict[str, Take] = {}
        exec("\n".join(lines), {"left_range": left_range, "contains": contains, "types": types}, scope)
        return scope["take"]


def _numbers(roots: list[e.Expr]) -> set[int]:
    """The numbers in some expressions; one that occurs several times is looked at once."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = roots
    while waiting:
        expr = waiting.pop()
        if id(expr) in seen:
            continue
        seen.add(id(expr))
        if isinstance(expr, e.Const) and is_number(expr.type):
            found.add(int(expr.value))
        waiting.extend(e.parts(expr))
    return found


def position(guard: e.Expr) -> tuple[str, Value] | None:
    """The program counter and the position at which a command stands, if it stands at one."""
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        match part:
            case e.Equal(e.Var(name, _), e.Const(value, _)) if name.startswith("pc("):
                return name, value
            case _:
                continue
    return None


class _Source:
    """Expressions as Python text.  An object that occurs several times is computed once, into a local."""

    def __init__(self, places: dict[str, str], roots: list[e.Expr]) -> None:
        self.places = places
        self.uses: dict[int, int] = {}
        self.locals: dict[int, str] = {}
        self.lines: list[str] = []
        self.roots = roots
        for root in roots:
            self._count(root)

    def _count(self, expr: e.Expr) -> None:
        if isinstance(expr, e.Const | e.Var):
            return
        self.uses[id(expr)] = self.uses.get(id(expr), 0) + 1
        if self.uses[id(expr)] == 1:
            for part in e.parts(expr):
                self._count(part)

    def pending(self) -> list[str]:
        """The lines that compute new locals."""
        lines, self.lines = self.lines, []
        return lines

    def text(self, expr: e.Expr) -> str:
        """The expression; `pending` has to come before it."""
        if self.uses.get(id(expr), 0) < 2:
            return self._fresh(expr)
        name = self.locals.get(id(expr))
        if name is None:
            value = self._fresh(expr)
            name = self.locals[id(expr)] = f"x{len(self.locals)}"
            self.lines.append(f"{name} = {value}")
        return name

    def _fresh(self, expr: e.Expr) -> str:
        match expr:
            case e.Const(value, _):
                return repr(value)
            case e.Var(name, _):
                return self.places[name]
            case e.Not(operand):
                return f"(not {self.text(operand)})"
            case e.And(operands):
                return "(" + " and ".join(map(self.text, operands)) + ")"
            case e.Or(operands):
                return "(" + " or ".join(map(self.text, operands)) + ")"
            case e.Equal(left, right):
                return f"({self.text(left)} == {self.text(right)})"
            case e.AtMost(left, right):
                return f"({self.text(left)} <= {self.text(right)})"
            case e.Arithmetic(operator, left, right):
                return f"({self.text(left)} {operator} {self.text(right)})"
            case e.Choice(condition, yes, no):
                return f"({self.text(yes)} if {self.text(condition)} else {self.text(no)})"
            case _:
                assert_never(expr)
