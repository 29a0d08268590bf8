"""Guarded commands as Python functions, for fast explicit search.

A state is a tuple of values in the order of `System.variables`.  Opaque values are renamed by their first
occurrence after each step, so that states that differ only in which values they hold are one: with equality
and copying as the only operations, such states behave alike, whatever the number of values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import assert_never

from reconcheck.engines.budget import Exhausted
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import EnumType, OpaqueType, RangeType, Type, Value, domain, is_finite
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import Command, System

MOST_CHOICES = 500_000
"""Choices in one step past which they are not tried: it takes seconds, and Python nests no more than 20 loops."""

StateTuple = tuple[Value, ...]
Successors = Callable[[StateTuple], list[tuple[int, StateTuple]]]


def _source(expr: e.Expr, places: dict[str, str]) -> str:
    match expr:
        case e.Const(value, _):
            return repr(value)
        case e.Var(name, _):
            return places[name]
        case e.Not(e.Equal(left, right)):
            return f"({_source(left, places)} != {_source(right, places)})"
        case e.Not(operand):
            return f"(not {_source(operand, places)})"
        case e.And(operands):
            return "(" + " and ".join(_source(operand, places) for operand in operands) + ")"
        case e.Or(operands):
            return "(" + " or ".join(_source(operand, places) for operand in operands) + ")"
        case e.Equal(left, right):
            return f"({_source(left, places)} == {_source(right, places)})"
        case e.AtMost(left, right):
            return f"({_source(left, places)} <= {_source(right, places)})"
        case e.Arithmetic(operator, left, right):
            return f"({_source(left, places)} {operator} {_source(right, places)})"
        case e.Choice(condition, yes, no):
            return f"({_source(yes, places)} if {_source(condition, places)} else {_source(no, places)})"
        case _:
            assert_never(expr)


def predicate(system: System, formula: e.Expr) -> Callable[[StateTuple], bool]:
    """A formula over state variables as a function of a state."""
    places = {variable.name: f"s[{index}]" for index, variable in enumerate(system.variables)}
    scope: dict[str, Callable[[StateTuple], bool]] = {}
    exec(f"def holds(s):\n    return bool({_source(formula, places)})\n", {}, scope)
    return scope["holds"]


def canonical(system: System) -> Callable[[StateTuple], StateTuple]:
    """Renames opaque values by first occurrence; the identity where there are none."""
    opaque = [i for i, variable in enumerate(system.variables) if isinstance(variable.type, OpaqueType)]
    if not opaque:
        return lambda state: state

    def rename(state: StateTuple) -> StateTuple:
        names: dict[Value, int] = {0: 0}
        result = list(state)
        for index in opaque:
            result[index] = names.setdefault(state[index], len(names))
        return tuple(result)

    return rename


def initial_states(system: System) -> list[StateTuple]:
    """Every initial state, canonical, each once.  Raises `Exhausted` where there are too many choices."""
    functions = _functions(system, [system.initial], guard_on_change=False)
    nothing = tuple(False for _ in system.variables)
    rename = canonical(system)
    return list(dict.fromkeys(rename(state) for _, state in functions(nothing)))


def successors(system: System) -> Successors:
    """All steps from a state as (command index, canonical state after).

    Raises `Exhausted` where one has too many choices; following the steps raises `LeftRange` and `Endless`.
    """
    raw, rename = _functions(system, list(system.commands), guard_on_change=True), canonical(system)
    if all(not isinstance(variable.type, OpaqueType) for variable in system.variables):
        return raw

    def renamed(state: StateTuple) -> list[tuple[int, StateTuple]]:
        steps = dict.fromkeys((command, rename(after)) for command, after in raw(state))
        return list(steps)

    return renamed


def source(system: System) -> tuple[str, ...]:
    """The steps of a system as Python text: the same for systems that differ in names only."""
    types = [str(variable.type) for variable in system.variables]
    return (*types, _text(system, [system.initial], False), _text(system, list(system.commands), True))


def _functions(system: System, commands: list[Command], guard_on_change: bool) -> Successors:
    """Builds `successors(state)`; each command is a few lines of it."""
    for command in commands:
        if choices(command.inputs) > MOST_CHOICES:
            raise Exhausted(f"`{command.step}` has more than {MOST_CHOICES:,} choices")
    types = {variable.name: variable.type for variable in system.variables}

    def left_range(command: int, name: str, value: Value) -> None:
        raise LeftRange(commands[command].step, name, value, types[name])

    def endless(command: int, name: str) -> list[Value]:
        raise Endless(commands[command].step, name)

    scope: dict[str, Successors] = {}
    text = _text(system, commands, guard_on_change)
    exec(text, {"left_range": left_range, "endless": endless}, scope)
    return scope["successors"]


def choices(inputs: Sequence[Variable]) -> int:
    """How many choices there are at least of some values, opaque ones up to renaming; endless ones are not counted."""
    finite = prod(len(domain(variable.type)) for variable in inputs if is_finite(variable.type))
    ways = {0: 1}
    """In how many ways so many different opaque values can have been chosen (Bell numbers)."""
    for variable in inputs:
        if isinstance(variable.type, OpaqueType):
            counts = {used: used * ways.get(used, 0) + ways.get(used - 1, 0) for used in range(1, max(ways) + 2)}
            ways = counts
    return finite * sum(ways.values())


def _text(system: System, commands: list[Command], guard_on_change: bool) -> str:
    places = {variable.name: f"v{index}" for index, variable in enumerate(system.variables)}
    opaque = [places[variable.name] for variable in system.variables if isinstance(variable.type, OpaqueType)]
    lines = ["def successors(s):", f"    {', '.join(places.values())}, = s", "    out = []"]
    for index, command in enumerate(commands):
        lines += _command(index, command, system, places, opaque if guard_on_change else [], guard_on_change)
    lines.append("    return out")
    return "\n".join(lines)


def _command(
    index: int, command: Command, system: System, places: dict[str, str], opaque: list[str], guard_on_change: bool
) -> Iterator[str]:
    indent = "    "
    inputs = {variable.name for variable in command.inputs}
    early, late = _split(command.guard, inputs)
    if early != e.TRUE:
        yield f"{indent}if {_source(early, places)}:"
        indent += "    "
    local = dict(places)
    known = list(opaque)
    for variable in command.inputs:
        local[variable.name] = variable.name
        if is_finite(variable.type) and len(domain(variable.type)) == 1:
            yield f"{indent}{variable.name} = {domain(variable.type)[0]!r}"
            continue
        yield f"{indent}for {variable.name} in {_options(index, variable, known)}:"
        if isinstance(variable.type, OpaqueType):
            known.append(variable.name)
        indent += "    "
    if late != e.TRUE:
        yield f"{indent}if {_source(late, local)}:"
        indent += "    "
    updates = dict(command.updates)
    new: list[str] = []
    for variable in system.variables:
        value = updates.get(variable.name)
        if value is None:
            new.append(places[variable.name])
        elif e.surely_in(value, variable.type):
            new.append(_source(value, local))
        else:
            name = f"n{places[variable.name]}"
            yield f"{indent}{name} = {_source(value, local)}"
            yield f"{indent}if not ({_range_test(name, variable.type)}): left_range({index}, {variable.name!r}, {name})"
            new.append(name)
    yield f"{indent}t = ({', '.join(new)},)"
    only_if = "if t != s: " if guard_on_change and not command.hidden else ""
    yield f"{indent}{only_if}out.append(({index}, t))"


def _split(guard: e.Expr, inputs: set[str]) -> tuple[e.Expr, e.Expr]:
    """The part of a guard that can be tested before the inputs are chosen, and the rest."""
    early: list[e.Expr] = []
    late: list[e.Expr] = []
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        (late if any(variable.name in inputs for variable in e.variables(part)) else early).append(part)
    return e.both(*early), e.both(*late)


def _options(index: int, variable: Variable, known: list[str]) -> str:
    if is_finite(variable.type):
        return repr(domain(variable.type))
    if isinstance(variable.type, OpaqueType):
        values = ", ".join(known)
        return f"sorted({{{values}, max((0, {values})) + 1}} - {{0}})" if known else "(1,)"
    return f"endless({index}, {variable.name!r})"


def _range_test(name: str, type_: Type) -> str:
    match type_:
        case RangeType(low, high):
            return f"{low} <= {name} <= {high}"
        case EnumType(values):
            return f"{name} in {values!r}"
        case _:
            return f"{name} >= 0"
