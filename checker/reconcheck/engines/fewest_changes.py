"""Of the shortest ways to a state, the one on which the fewest variables change: there is less to read."""

from __future__ import annotations

from collections.abc import Iterable
from operator import ne

from reconcheck.engines.explicit import StateGraph


class ShortestWays:
    """The shortest ways to states of one depth; of equally short ones to a state, one with the fewest changes.

    Changes are counted between the states of the graph, in which opaque values may be renamed.
    """

    def __init__(self, graph: StateGraph, ends: set[int]) -> None:
        length = graph.depth[min(ends)]
        onward = _onward(graph, ends, length)
        self.changes = {start: 0 for start in onward if graph.depth[start] == 0} or dict.fromkeys(ends, 0)
        """How much changes on the way to a state."""
        self._parents: dict[int, tuple[int, int]] = {}
        for state in sorted(onward):
            for command, after in onward[state]:
                so_far = self.changes[state] + changes(graph, state, after)
                if so_far < self.changes.get(after, so_far + 1):
                    self.changes[after] = so_far
                    self._parents[after] = state, command

    def path(self, end: int) -> list[tuple[int, int]]:
        """The way to one of the states, as `StateGraph.path` gives it."""
        path: list[tuple[int, int]] = []
        while end in self._parents:
            before, command = self._parents[end]
            path.append((command, end))
            end = before
        path.append((-1, end))
        return path[::-1]


def changes(graph: StateGraph, before: int, after: int) -> int:
    """How many variables differ between two states."""
    return sum(map(ne, graph.states[before], graph.states[after]))


def shortest_path(graph: StateGraph, ends: Iterable[int]) -> list[tuple[int, int]]:
    """The way to the nearest of the states; of equally short ones, one with the fewest changes."""
    ends = list(ends)
    length = min(graph.depth[end] for end in ends)
    layer = {end for end in ends if graph.depth[end] == length}
    ways = ShortestWays(graph, layer)
    return ways.path(min(layer, key=lambda one: (ways.changes[one], one)))


def _onward(graph: StateGraph, ends: set[int], length: int) -> dict[int, list[tuple[int, int]]]:
    """For each state on some shortest way to one of the ends, its steps on such ways.

    States are numbered in breadth-first order, so all of a depth follow those of the depth before.
    """
    onward: dict[int, list[tuple[int, int]]] = {}
    wanted = ends
    state = max(ends)
    for depth in range(length - 1, -1, -1):
        found: set[int] = set()
        while graph.depth[state] > depth:
            state -= 1
        while state >= 0 and graph.depth[state] == depth:
            steps = [(command, after) for command, after in graph.edges[state] if after in wanted]
            if steps:
                onward[state] = steps
                found.add(state)
            state -= 1
        wanted = found
    return onward
