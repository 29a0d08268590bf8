"""A command in the making."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import Type
from reconcheck.semantics.steps import Step
from reconcheck.semantics.system import Command


class Draft(Struct):
    """A command in the making: what the state will be, in terms of what it was."""

    step: Step
    types: dict[str, Type]
    guard: e.Expr = e.TRUE
    state: dict[str, e.Expr] = field(default_factory=dict)
    inputs: list[Variable] = field(default_factory=list)

    def __getitem__(self, name: str) -> e.Expr:
        return self.state.get(name, e.Var(name, self.types[name]))

    def get(self, name: str, absent: e.Expr) -> e.Expr:
        """The variable's value, or `absent` where the state has no such variable."""
        return self[name] if name in self.types else absent

    def __setitem__(self, name: str, value: e.Expr) -> None:
        self.state[name] = value

    def unless(self, condition: e.Expr, name: str, value: e.Expr) -> None:
        """Assigns `value` where `condition` does not hold."""
        self[name] = e.choose(condition, self[name], value)

    def where(self, condition: e.Expr, name: str, value: e.Expr) -> None:
        """Assigns `value` where `condition` holds."""
        self[name] = e.choose(condition, value, self[name])

    def value(self, expression: e.Expr, more: dict[str, e.Expr] | None = None) -> e.Expr:
        """An expression of the model, over the state as it is by now."""
        first = more or {}
        read = {variable.name for variable in e.variables(expression)}
        values = {name: self.state[name] for name in read & self.state.keys()}
        return e.substitute(expression, values | {name: first[name] for name in read & first.keys()})

    def any(self, type_: Type) -> e.Expr:
        """A value chosen by nobody."""
        variable = Variable(f"any{len(self.inputs)}", type_, None)
        self.inputs.append(variable)
        return e.Var(variable.name, type_)

    def command(self) -> Command:
        """The finished command; inputs that ended up unused are dropped."""
        changed = tuple(one for one in self.state.items() if not (isinstance(one[1], e.Var) and one[1].name == one[0]))
        return Command(self.step, self.guard, changed, tuple(self._used_inputs(changed)))

    def _used_inputs(self, changed: tuple[tuple[str, e.Expr], ...]) -> Iterator[Variable]:
        if self.inputs:
            used = {variable.name for _, value in changed for variable in e.variables(value)}
            used |= {variable.name for variable in e.variables(self.guard)}
            yield from (variable for variable in self.inputs if variable.name in used)
