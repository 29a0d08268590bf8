"""Bounded model checking with Z3: traces of systems too large, or too unbounded, to be listed.

Every step is a copy of the state variables; depth grows one by one, so the first trace is a shortest one.
What comes out is a suggestion: it is replayed on the reference interpreter before anybody sees it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, Value
from reconcheck.semantics import smtlib
from reconcheck.semantics.system import Command, System, possible

MOST_WRITTEN = 300_000
"""Values in one step, of all variables after each command, past which a step is not written down: it takes seconds."""


class BoundedTrace(Struct, frozen=True):
    """A path: for each step the command (None for the first state) and the state after."""

    steps: list[tuple[Command | None, dict[str, Value]]]
    chosen: tuple[int, ...]
    """The numbers that steps chose: not each of them is in a state."""


def quiet_without(system: System, goal: e.Expr) -> e.Expr:
    """The formula of a quiet state: no fair step is possible, and the goal is false."""
    types = {variable.name: variable for variable in system.variables}
    fair = [possible(command, types) for command in system.commands if command.step.kind == "fair"]
    return e.both(e.negate(goal), *(e.negate(way) for way in fair))


def search(system: System, bad: e.Expr, depth: int, budget: Budget) -> BoundedTrace | None:
    """A shortest path of at most `depth` steps to a state where `bad` holds.  Raises `Exhausted`."""
    import z3

    written = len(system.commands) * len(system.variables)
    if written > MOST_WRITTEN:
        raise Exhausted(f"bounded search was left out: {written:,} values in a step are more than {MOST_WRITTEN:,}")
    solver = z3.Solver()
    solver.set("random_seed", 0)
    declarations: list[str] = []

    def add(lines: list[str], assertion: str) -> None:
        declarations.extend(lines)
        solver.add(z3.parse_smt2_string("\n".join([*declarations, f"(assert {assertion})"])))

    begin = _instance(system, system.initial, 0, 0, first=True)
    add(begin.declarations + _state(system, 0), begin.formula)
    for step in range(depth + 1):
        budget.check(f"searching for a trace of {step} steps", step)
        if budget.left is not None:
            solver.set("timeout", max(1, int(budget.left * 1000)))
        solver.push()
        solver.add(z3.parse_smt2_string("\n".join([*declarations, f"(assert {_at(system, bad, step)})"])))
        answer = solver.check()
        if answer == z3.sat:
            return _read(system, solver.model(), step)
        if answer == z3.unknown:
            if "interrupted" in solver.reason_unknown():  # Z3 takes Ctrl-C for itself
                raise KeyboardInterrupt
            raise Exhausted(f"Z3 gave up at {step} steps: {solver.reason_unknown()}", step)
        solver.pop()
        taken = f"(declare-const taken{step} Int)"
        ways: list[str] = []
        lines = [taken, *_state(system, step + 1)]
        for number, command in enumerate(system.commands):
            instance = _instance(system, command, number, step)
            lines += instance.declarations
            ways.append(f"(and (= taken{step} {number}) {instance.formula})")
        add(lines, f"(or false {' '.join(ways)})")
    return None


class _Instance(Struct, frozen=True):
    declarations: list[str]
    formula: str


def _name(name: str, step: int) -> str:
    return f"{name}!{step}"


def _state(system: System, step: int) -> list[str]:
    return smtlib.declare(Variable(_name(v.name, step), v.type, None) for v in system.variables)


def _input(variable: Variable, number: int, step: int, first: bool = False) -> str:
    return f"{variable.name}@{number}!{step}!{first}"


def _at(system: System, formula: e.Expr, step: int) -> str:
    return smtlib.term(e.substitute(formula, _renaming(system, step)))


def _renaming(system: System, step: int) -> dict[str, e.Expr]:
    return {v.name: e.Var(_name(v.name, step), v.type) for v in system.variables}


def _instance(system: System, command: Command, number: int, step: int, first: bool = False) -> _Instance:
    """A command between two copies of the state; the first one has no state before."""
    inputs = [Variable(_input(v, number, step, first), v.type, None) for v in command.inputs]
    values = {} if first else _renaming(system, step)
    values |= {v.name: e.Var(new.name, new.type) for v, new in zip(command.inputs, inputs, strict=True)}
    after = 0 if first else step + 1
    updates = dict(command.updates)
    conjuncts = ["true"] if first else [smtlib.term(e.substitute(command.guard, values))]
    for variable in inputs:
        name = smtlib.symbol(variable.name)
        positive = isinstance(variable.type, OpaqueType)
        conjuncts.append(f"(< 0 {name})" if positive else smtlib.belongs(name, variable.type))
    for variable in system.variables:
        new = updates.get(variable.name, e.Var(variable.name, variable.type))
        text = smtlib.converted(e.substitute(new, values), variable.type)
        target = smtlib.symbol(_name(variable.name, after))
        conjuncts.append(f"(= {target} {text})")
        conjuncts.append(smtlib.belongs(target, variable.type))
    return _Instance(smtlib.declare(inputs), f"(and {' '.join(conjuncts)})")


def _read(system: System, model: Any, depth: int) -> BoundedTrace:
    """The path that a Z3 model describes."""
    found = {str(symbol.name()): model[symbol] for symbol in model.decls()}

    def value(variable: Variable, step: int) -> Value:
        raw = found.get(_name(variable.name, step))
        if isinstance(variable.type, BoolType):
            return raw is not None and str(raw) == "True"
        number = 0 if raw is None else int(str(raw))
        return variable.type.values[number] if isinstance(variable.type, EnumType) else number

    steps: list[tuple[Command | None, dict[str, Value]]] = []
    chosen: dict[int, None] = {}
    for step in range(depth + 1):
        taken = found.get(f"taken{step - 1}") if step else None
        command = system.commands[int(str(taken))] if taken is not None else None
        steps.append((command, {variable.name: value(variable, step) for variable in system.variables}))
        for variable in command.inputs if command is not None else ():
            raw = found.get(_input(variable, int(str(taken)), step - 1))
            if isinstance(variable.type, IntType) and raw is not None:
                chosen[int(str(raw))] = None
    return BoundedTrace(steps, tuple(chosen))
