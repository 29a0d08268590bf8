"""Of the shortest traces, the one shown changes the fewest variables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from operator import ne
from pathlib import Path

import pytest

from reconcheck.engines import lasso
from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import CalmGraph, livelocks
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.engines.lasso import Lasso, shortest_lasso
from reconcheck.model.operator import Scope
from support import GOLDEN, MODELS, read
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


# ---- livelocks ------------------------------------------------------------------------------------------------


Case = tuple[str, CalmGraph, list[bool], list[list[int]]]


@cache
def livelock_cases() -> list[Case]:
    """The state graphs in which a livelock is expected, with the truth of the goal and the components."""
    found: list[Case] = []
    for path in (*GOLDEN, *(path for path in MODELS if path.stem in ("status-loop", "label-fight"))):
        operator = read(path)
        for line in operator.expectations:
            if line.verdict != "livelock":
                continue
            try:
                searched = exhaustive(operator, line.scope)
            except Exhausted:
                continue
            truth = searched.values(operator.goal(line.goal))
            loops = livelocks(searched.calm, truth)
            if loops:
                found.append((f"{path.stem}: {line.goal} {line.scope}", searched.calm, truth, loops))
    return found


def length_of(found: Lasso) -> int:
    return len(found.stem) - 1 + len(found.loop)


def changes_of(graph: StateGraph, found: Lasso) -> int:
    return changes(graph, [*found.stem, *found.loop])


def fewest(case: Case, length: int) -> int | None:
    """The fewest changes of any lasso of that length, over all walks of each number of steps."""
    _, calm_graph, truth, loops = case
    graph, component = calm_graph.graph, calm_graph.component
    commands = graph.system.commands
    best: int | None = None

    def met(state: int) -> frozenset[str]:
        possible = calm_graph.enabled[state]
        impossible = {action for index, action in enumerate(calm_graph.actions) if not possible >> index & 1}
        return frozenset(impossible | (set() if truth[state] else {"no goal"}))

    everything = frozenset({*calm_graph.actions, "no goal"})
    for start in (state for members in loops for state in members):
        layer = {(start, met(start)): 0}
        for _ in range(length - graph.depth[start]):
            following: dict[tuple[int, frozenset[str]], int] = {}
            for (state, seen), so_far in layer.items():
                for command, after in graph.edges[state]:
                    step = commands[command].step
                    if not step.kind.calm or component[after] != component[state]:
                        continue
                    node = after, seen | met(after) | ({step.action} if step.kind == "fair" else set())
                    changed = so_far + changes(graph, [(-1, state), (command, after)])
                    following[node] = min(changed, following.get(node, changed))
            layer = following
        if length > graph.depth[start] and (start, everything) in layer:
            total = layer[start, everything] + changes(graph, shortest_path(graph, [start]))
            best = total if best is None else min(best, total)
    return best


def test_no_livelock_is_shorter_or_changes_less() -> None:
    assert len(livelock_cases()) >= 12
    for case in livelock_cases():
        name, calm_graph, truth, loops = case
        found = shortest_lasso(calm_graph, loops, truth, Budget())
        assert found is not None
        assert found.shortest, name
        graph = calm_graph.graph
        for (_, before), step in pairwise([*found.stem, *found.loop]):
            assert step in graph.edges[before]
        assert found.stem[-1][1] == found.loop[-1][1]
        assert changes_of(graph, found) == fewest(case, length_of(found)), name
        assert fewest(case, length_of(found) - 1) is None, name


def test_it_makes_a_difference_for_livelocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nodes for it run out, the first one is shown, which may change more; it is a shortest one all the same."""
    chosen = [shortest_lasso(calm, loops, truth, Budget()) for _, calm, truth, loops in livelock_cases()]
    monkeypatch.setattr(lasso._Inside, "cycle_with_fewest_changes", lambda *_: (None, lasso.MOST_NODES + 1))
    saved = []
    for (_, calm_graph, truth, loops), best in zip(livelock_cases(), chosen, strict=True):
        first = shortest_lasso(calm_graph, loops, truth, Budget())
        assert first is not None
        assert best is not None
        assert first.shortest
        assert length_of(first) == length_of(best)
        saved.append(changes_of(calm_graph.graph, first) - changes_of(calm_graph.graph, best))
    assert min(saved) == 0
    assert max(saved) >= 4
