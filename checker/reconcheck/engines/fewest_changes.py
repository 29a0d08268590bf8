"""Of the shortest ways to a state, the one on which the fewest variables change: there is less to read."""

from __future__ import annotations

from collections.abc import Iterable
from operator import ne

from reconcheck.engines.explicit import StateGraph


def shortest_path(graph: StateGraph, ends: Iterable[int]) -> list[tuple[int, int]]:
    """The way to the nearest of the states, as `StateGraph.path` gives it; of equally short ones, by fewest changes.

    Changes are counted between the states of the graph, in which opaque values may be renamed.
    """
    ends = list(ends)
    length = min(graph.depth[end] for end in ends)
    layer = {end for end in ends if graph.depth[end] == length}
    onward = _onward(graph, layer, length)
    changes = {start: 0 for start in onward if graph.depth[start] == 0} or dict.fromkeys(layer, 0)
    parents: dict[int, tuple[int, int]] = {}
    for state in sorted(onward):
        for command, after in onward[state]:
            so_far = changes[state] + sum(map(ne, graph.states[state], graph.states[after]))
            if so_far < changes.get(after, so_far + 1):
                changes[after] = so_far
                parents[after] = state, command
    end = min(layer, key=lambda one: (changes[one], one))
    path: list[tuple[int, int]] = []
    while end in parents:
        before, command = parents[end]
        path.append((command, end))
        end = before
    path.append((-1, end))
    return path[::-1]


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
