"""Of the shortest traces, the one shown changes the fewest variables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from operator import ne
from pathlib import Path

import pytest

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.model.operator import Scope
from support import GOLDEN, read
from support import search as exhaustive

Path_ = list[tuple[int, int]]


def changes(graph: StateGraph, path: Path_) -> int:
    states = [graph.states[state] for _, state in path]
    return sum(sum(map(ne, before, after)) for before, after in pairwise(states))


def every_shortest(graph: StateGraph, end: int) -> Iterator[Path_]:
    """All shortest ways to a state, one by one."""
    before: dict[int, list[tuple[int, int]]] = {}
    for state, row in enumerate(graph.edges):
        for command, after in row:
            if graph.depth[after] == graph.depth[state] + 1:
                before.setdefault(after, []).append((state, command))

    def back(state: int) -> Iterator[Path_]:
        if graph.depth[state] == 0:
            yield [(-1, state)]
        for earlier, command in before.get(state, ()):
            for way in back(earlier):
                yield [*way, (command, state)]

    return back(end)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_no_way_is_shorter_or_changes_less(path: Path) -> None:
    graph = exhaustive(read(path), Scope()).graph
    for ends in ([0], [graph.depth.index(min(4, max(graph.depth)))], [n for n, d in enumerate(graph.depth) if d == 3]):
        if not ends:
            continue
        found = shortest_path(graph, ends)
        assert found[-1][1] in ends
        assert graph.depth[found[0][1]] == 0
        assert len(found) - 1 == graph.depth[ends[0]]
        for (_, earlier), step in pairwise(found):
            assert step in graph.edges[earlier]
        assert changes(graph, found) == min(changes(graph, way) for end in ends for way in every_shortest(graph, end))


def test_it_makes_a_difference() -> None:
    """On some model, the first way that was found changes more than is needed."""
    saved = 0
    for path in GOLDEN:
        graph = exhaustive(read(path), Scope()).graph
        for end in range(0, len(graph.states), 7):
            saved += changes(graph, graph.path(end)) - changes(graph, shortest_path(graph, [end]))
    assert saved > 0
