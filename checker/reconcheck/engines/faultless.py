"""The shortest runs on which no fault happens: what goes wrong even if nothing fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import CalmGraph
from reconcheck.engines.lasso import Lasso, Path, shortest_cycle
from reconcheck.semantics.steps import Kind


class Faultless:
    """The states of a graph that are reached without faults, and the shortest ways to them.

    When `smooth`, no request fails on these ways for a reason of its own either, such as a conflict.
    """

    def __init__(self, graph: StateGraph, smooth: bool) -> None:
        begun = [state for state, parent in enumerate(graph.parents) if parent is None]
        self.depths = dict.fromkeys(begun, 0)
        """The states, the nearest first."""
        self._came: dict[int, tuple[int, int] | None] = dict.fromkeys(begun)
        steps = [command.step for command in graph.system.commands]
        away = {n for n, step in enumerate(steps) if step.kind is Kind.FAULT or (smooth and " fails" in step.detail)}
        todo = deque(begun)
        while todo:
            state = todo.popleft()
            for command, after in graph.edges[state]:
                if after not in self.depths and command not in away:
                    self.depths[after] = self.depths[state] + 1
                    self._came[after] = state, command
                    todo.append(after)

    def path(self, targets: Iterable[int]) -> Path | None:
        """The way to the nearest of some states, as `StateGraph.path` gives it; None where each way takes a fault."""
        wanted = set(targets)
        state = next((state for state in self.depths if state in wanted), None)
        if state is None:
            return None
        steps: Path = []
        while (parent := self._came[state]) is not None:
            steps.append((parent[1], state))
            state = parent[0]
        steps.append((-1, state))
        return steps[::-1]

    def lasso(
        self, calm_graph: CalmGraph, components: list[list[int]], goal: list[bool], budget: Budget
    ) -> Lasso | None:
        """The shortest livelock; None where there is none without faults.  A loop never has any."""
        cycle = shortest_cycle(calm_graph, components, goal, budget, self.depths)
        stem = None if cycle is None else self.path([cycle.start])
        return None if cycle is None or stem is None else Lasso(stem, cycle.loop, cycle.shortest)
