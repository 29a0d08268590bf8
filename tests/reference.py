"""What is true of an operator, by the reference interpreter alone, for comparison with other checkers.

Numbers without bounds can be given one, as `reconcheck export --bound` does: then steps beyond it do not happen.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from judge import Key, Listing, States, list_states, livelocks, quiet_depth
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Operator, Scope, Variable
from reconcheck.model.types import IntType, Value
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.world import Run, State


class Bounded(Listing):
    """The interpreter, with every number that has no bounds of its own kept within one."""

    def __init__(self, operator: Operator, scope: Scope, bound: int) -> None:
        super().__init__(operator, scope, range(-bound, bound + 1))
        self.bound = bound
        self.endless = [name for name, type_ in self.types.items() if isinstance(type_, IntType)]

    def _any(self, run: Run, variable: Variable) -> Value:
        return Interpreter._any(self, run, variable)  # all that there is can be listed

    def _within(self, state: State) -> bool:
        return all(-self.bound <= int(state[name]) <= self.bound for name in self.endless)

    def initial(self) -> Iterator[State]:
        yield from filter(self._within, super().initial())

    def look(self, state: State) -> tuple[list[tuple[Step, State]], frozenset[str]]:
        steps = [(step, after) for step, after in self.successors(state) if self._within(after)]
        return steps, frozenset(step.action for step, _ in steps if step.kind is Kind.FAIR)


class Reference(Struct, frozen=True):
    """All reachable states of an operator in a scope, up to renaming of opaque values."""

    names: tuple[str, ...]
    states: States

    @property
    def wrong(self) -> bool:
        """Whether some step gives a variable a value outside of its type (RC310)."""
        return self.states.wrong

    @property
    def complete(self) -> bool:
        """Whether the states are all there are."""
        return self.states.complete

    @property
    def keys(self) -> list[Key]:
        """The states, each a value for each name."""
        return self.states.keys

    def holds(self, goal: Goal) -> bool:
        """Whether a goal converges, a formula holds always, or what shall be reachable is."""
        truth = [bool(e.evaluate(goal.formula, dict(zip(self.names, key, strict=True)))) for key in self.keys]
        match goal.kind:
            case "converges":
                return quiet_depth(self.states, truth) is None and not livelocks(self.states, truth)
            case "always":
                return all(truth)
            case _:
                return any(truth)


def reference(operator: Operator, scope: Scope, bound: int, most: int) -> Reference:
    """Lists the states of an operator, as far as they are at most about `most`."""
    listing = Bounded(operator, scope, bound)
    return Reference(listing.names, list_states(listing, most))
