"""The compiled form of a model: guarded commands over typed variables.

A command may be taken in a state where its guard holds; it then gives the variables in `updates` their new
values, all at once.  Values chosen by nobody are the command's `inputs`.  A step that would change nothing is
not a step.  Frames cost nothing: what a command does not name stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope, Variable
from reconcheck.model.types import OpaqueType
from reconcheck.semantics.layout import Layout
from reconcheck.semantics.steps import Step


@dataclass(frozen=True)
class Command:
    """`guard -> updates`, with the step it stands for."""

    step: Step
    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The state variables that guard and updates depend on."""
        inputs = {variable.name for variable in self.inputs}
        found = {variable.name for variable in e.variables(self.guard)}
        for _, value in self.updates:
            found |= {variable.name for variable in e.variables(value)}
        return frozenset(found - inputs)


@dataclass(frozen=True)
class System:
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
        fair = (command.step.action for command in self.commands if command.step.kind == "fair")
        return tuple(dict.fromkeys(fair))


def changes(command: Command, variable_types: dict[str, Variable]) -> e.Expr:
    """The condition under which a command changes something; inputs are assumed to be chosen so that it does."""
    inputs = {variable.name for variable in command.inputs}
    different: list[e.Expr] = []
    for name, value in command.updates:
        variable = variable_types[name]
        if isinstance(value, e.Var) and value.name in inputs:
            return e.TRUE  # another value can be chosen
        different.append(e.negate(e.equal(e.Var(name, variable.type), value)))
    return e.either(*different)


def is_free(variable: Variable) -> bool:
    """Whether a variable is opaque, so that only its equality with others matters."""
    return isinstance(variable.type, OpaqueType)
