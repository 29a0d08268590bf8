"""The state graphs of the scopes of a model; each is listed once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, calm
from reconcheck.engines.measures import ending, ways
from reconcheck.explain.findings import Seen, seen_in
from reconcheck.model.operator import Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless
from reconcheck.semantics.system import System

FIRST_LOOK = 30_000
"""States explored before anything else is tried, if there are not too many commands to try in each."""
SECOND_LOOK = 6
"""How many times as many are explored once proofs in parts and searches have had a first turn."""
FIRST_STEPS = 2_000_000
"""Commands tried on these states together."""
WORTH_A_LOOK = 5_000
"""States below which a first look is left out: so many commands are hardly ever those of a small graph."""


class Listed(Struct):
    """What is known about the graph of a scope."""

    system: System
    graph: StateGraph | None = None
    calm: CalmGraph | None = None
    complete: bool = False
    part: StateGraph | None = None
    """The nearest states, where there are too many for all of them; `calm` is made of them when it is asked for."""
    endless: Endless | None = None
    seen: Seen | None = None
    """What it says about the model, once it is complete and asked for."""

    def calm_part(self, budget: Budget) -> CalmGraph | None:
        """The calm steps of the nearest states, where these are not all."""
        if self.part is not None and self.calm is None:
            self.calm = calm(self.part, budget)
        return None if self.part is None else self.calm


class Listings:
    """The state graphs of one model."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.systems: dict[Scope, System] = {}
        self.found: dict[tuple[Scope, int], Listed] = {}
        """What is known of a scope, for each number of states it was looked for among."""

    def system(self, scope: Scope) -> System:
        """The compiled system of a scope."""
        if scope not in self.systems:
            self.systems[scope] = compile_system(self.operator, scope)
        return self.systems[scope]

    def first_look(self, scope: Scope) -> int:
        """How many states are listed before anything else: fewer where each has many steps to try, or none."""
        states = min(FIRST_LOOK, FIRST_STEPS // max(1, len(self.system(scope).commands)))
        return states if states >= WORTH_A_LOOK else 0

    def second_look(self, scope: Scope) -> int:
        """How many states are listed before anything is tried for long."""
        return SECOND_LOOK * self.first_look(scope)

    def listed(self, scope: Scope, states: int, budget: Budget) -> Listed:
        """The state graph of a scope, looked for among so many states.  Raises `Exhausted` where time is used up."""
        found = self.found.get((scope, states)) or next((one for one in self.of(scope) if one.complete), None)
        if found is not None:
            return found
        found = self.found[scope, states] = Listed(self.system(scope))
        if not states:
            return found
        try:
            nearest = max(
                (one.part for one in self.of(scope) if one.part), key=lambda part: part.followed, default=None
            )
            graph = explore(found.system, budget, states, nearest)
            if graph.followed < len(graph.states):
                found.part = graph
                return found
            found.graph = graph
            found.calm = calm(graph, budget, ending(found.system, ways(found.system)))
            found.complete = True
        except Endless as endless:
            found.endless = endless
        except Exhausted:
            if budget.left == 0.0:
                raise
        return found

    def of(self, scope: Scope) -> Iterator[Listed]:
        """What is known about a scope."""
        return (found for (listed, _), found in self.found.items() if listed == scope)

    def seen(self) -> dict[Hashable, Seen]:
        """What the complete graphs, as far as there are any by now, say about the model."""
        said: dict[Hashable, Seen] = {}
        for key, found in self.found.items():
            if found.complete and found.calm is not None:
                if found.seen is None:
                    found.seen = seen_in(found.calm, self.operator, key[0])
                said[key] = found.seen
        return said

    def forget(self, scope: Scope) -> None:
        """Lets go of what was found out about a scope: there may be many of them."""
        self.found = {key: found for key, found in self.found.items() if key[0] != scope}
        self.systems.pop(scope, None)
