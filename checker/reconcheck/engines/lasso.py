"""The shortest livelock: a way into a component, and a fair cycle through a state without the goal.

Of equally short ones, it is one on which the fewest variables change: there is less to read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import CalmGraph
from reconcheck.engines.fewest_changes import ShortestWays, changes, shortest_path

MOST_NODES = 300_000
"""Search nodes spent on the shortest cycle; past it the best cycle found so far is taken, and said to be so.

So many again are spent on equally short ones with fewer changes.
"""

Path = list[tuple[int, int]]
"""Steps as (command, state after)."""


class Lasso(Struct, frozen=True):
    """A path to `loop[0]`'s state and a cycle back to it, as (command, state) pairs; -1 for the first state."""

    stem: Path
    loop: Path
    shortest: bool


class Cycle(Struct, frozen=True):
    """A fair cycle from a state back to it, as (command, state) pairs; `shortest` with the way to it."""

    start: int
    loop: Path
    shortest: bool


def shortest_lasso(
    calm_graph: CalmGraph, components: list[list[int]], goal: list[bool], budget: Budget, fewest: bool = True
) -> Lasso | None:
    """The lasso with the fewest steps, stem and loop together; with `fewest`, of those one with the fewest changes.

    Some lasso, where that search takes too long.
    """
    cycle = shortest_cycle(calm_graph, components, goal, budget)
    if cycle is None:
        return None
    graph = calm_graph.graph
    lasso = Lasso(shortest_path(graph, [cycle.start]), cycle.loop, cycle.shortest)
    if not cycle.shortest or not fewest:
        return lasso
    return _with_fewest_changes(_Inside(calm_graph, goal), _entries(graph, components), lasso, budget)


def shortest_cycle(
    calm_graph: CalmGraph,
    components: list[list[int]],
    goal: list[bool],
    budget: Budget,
    depths: Mapping[int, int] | None = None,
) -> Cycle | None:
    """The loop of the shortest lasso; with `depths`, of those that begin in one of these states, so many steps away."""
    inside = _Inside(calm_graph, goal)
    best: Path | None = None
    start, at, complete, spent = -1, 0, True, 0
    entries = _entries(calm_graph.graph, components, depths)
    for depth, state in entries:
        if best is not None and depth + 2 > at + len(best):
            break
        if spent > MOST_NODES:
            complete = False
            break
        limit = None if best is None else at + len(best) - depth - 1
        cycle, used = inside.shortest_cycle(state, limit)
        spent += used
        complete = complete and used <= MOST_NODES
        budget.check("looking for the shortest livelock")
        if cycle is not None:
            best, start, at = cycle, state, depth
    if best is None and entries:
        start = entries[0][1]
        best = inside.some_cycle(start)
    if best is None:
        return None
    return Cycle(start, best, complete)


def _entries(
    graph: StateGraph, components: list[list[int]], depths: Mapping[int, int] | None = None
) -> list[tuple[int, int]]:
    """The states in which a loop may begin, with their depths, the nearest first."""
    members = (state for component in components for state in component)
    if depths is None:
        return sorted((graph.depth[state], state) for state in members)
    return sorted((depths[state], state) for state in members if state in depths)


def _with_fewest_changes(inside: _Inside, entries: list[tuple[int, int]], first: Lasso, budget: Budget) -> Lasso:
    """Of the lassos that are as short as a shortest one, one with the fewest changes.

    It is the best one so far where time or nodes run out: it is a shortest one all the same.
    """
    graph = inside.calm_graph.graph
    length = len(first.stem) - 1 + len(first.loop)
    loops: dict[int, dict[int, tuple[Path, int]]] = {}
    """For each depth, the states in which such a loop begins, with the loop and its changes."""
    spent = 0
    for depth, state in entries:
        if depth >= length or spent > MOST_NODES:
            break
        try:
            budget.check("looking for the shortest livelock with the fewest changes")
        except Exhausted:
            break
        found, used = inside.cycle_with_fewest_changes(state, length - depth, MOST_NODES - spent)
        spent += used
        if found is not None:
            loops.setdefault(depth, {})[state] = found
    best, least = first, _changes(graph, [*first.stem, *first.loop])
    for layer in loops.values():
        ways = ShortestWays(graph, set(layer))
        for state, (loop, changed) in layer.items():
            if ways.changes[state] + changed < least:
                best, least = Lasso(ways.path(state), loop, True), ways.changes[state] + changed
    return best


def _changes(graph: StateGraph, path: Path) -> int:
    return sum(changes(graph, before, after) for (_, before), (_, after) in pairwise(path))


class _Inside:
    """Calm steps that stay inside a component, and what a cycle has to meet, as a bit set.

    There is a bit for each fair action, met where it is taken or not possible, and one for the goal being false.
    """

    def __init__(self, calm_graph: CalmGraph, goal: list[bool]) -> None:
        self.calm_graph, self.goal = calm_graph, goal
        self.actions = {action: index for index, action in enumerate(calm_graph.actions)}
        self.every = (1 << len(self.actions)) - 1
        self.missing_goal = 1 << len(self.actions)
        self.full = self.every | self.missing_goal
        steps = [command.step for command in calm_graph.graph.system.commands]
        self.taken = [
            None if not step.kind.calm else 1 << self.actions[step.action] if step.kind == "fair" else 0
            for step in steps
        ]
        """For each command, what taking it meets; None where it is not calm."""

    def met(self, state: int) -> int:
        """What a state meets by itself."""
        return (self.every & ~self.calm_graph.enabled[state]) | (0 if self.goal[state] else self.missing_goal)

    def steps(self, state: int) -> Iterator[tuple[int, int, int]]:
        """Each calm step inside the component: command, state after, and what step and state meet."""
        component = self.calm_graph.component
        for command, target in self.calm_graph.graph.edges[state]:
            taken = self.taken[command]
            if taken is not None and component[target] == component[state]:
                yield command, target, self.met(target) | taken

    def shortest_cycle(self, start: int, limit: int | None) -> tuple[Path | None, int]:
        """The shortest cycle from a state that meets everything, and the nodes spent."""
        first = (start, self.met(start))
        parents: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {first: None}
        queue = deque([(first, 0)])
        while queue:
            node, length = queue.popleft()
            if (limit is not None and length >= limit) or len(parents) > MOST_NODES:
                break
            state, mask = node
            for command, target, more in self.steps(state):
                after = mask | more
                if target == start and after == self.full:
                    steps = [(command, target)]
                    back: tuple[int, int] = node
                    while (parent := parents[back]) is not None:
                        steps.append((parent[1], back[0]))
                        back = parent[0]
                    return steps[::-1], len(parents)
                following = (target, after)
                if following not in parents:
                    parents[following] = (node, command)
                    queue.append((following, length + 1))
        return None, len(parents)

    def cycle_with_fewest_changes(self, start: int, length: int, most: int) -> tuple[tuple[Path, int] | None, int]:
        """Of the cycles of the shortest length from a state that meet everything, one with the fewest changes.

        The first part has the cycle and its changes, or is None where there is none of that length or the search took
        more than `most` nodes; the second is the nodes spent.  Each part of a shortest cycle is a shortest way to the
        node where it ends, so of each node only the steps on which it is reached first count.
        """
        graph = self.calm_graph.graph
        first = (start, self.met(start))
        parents: dict[tuple[int, int], tuple[tuple[int, int], int]] = {}
        layer, seen = {first: 0}, {first}
        for _ in range(length - 1):
            following: dict[tuple[int, int], int] = {}
            for node, so_far in layer.items():
                state, mask = node
                for command, target, more in self.steps(state):
                    after = (target, mask | more)
                    if after in seen:
                        continue
                    changed = so_far + changes(graph, state, target)
                    if changed < following.get(after, changed + 1):
                        following[after] = changed
                        parents[after] = node, command
            seen.update(following)
            if len(seen) > most:
                return None, len(seen)
            layer = following
        ends = [
            (so_far + changes(graph, state, start), number, (state, mask), command)
            for number, ((state, mask), so_far) in enumerate(layer.items())
            for command, target, more in self.steps(state)
            if target == start and mask | more == self.full
        ]
        if not ends:
            return None, len(seen)
        changed, _, back, command = min(ends)
        path = [(command, start)]
        while back != first:
            before, command = parents[back]
            path.append((command, back[0]))
            back = before
        return (path[::-1], changed), len(seen)

    def some_cycle(self, start: int) -> Path:
        """A cycle from a state that meets everything: the nearest thing that is missing, again and again."""
        path: Path = []
        state, mask = start, self.met(start)
        while mask != self.full or state != start or not path:
            for command, target, more in self._way(state, mask, start):
                path.append((command, target))
                state, mask = target, mask | more
        return path

    def _way(self, state: int, mask: int, start: int) -> list[tuple[int, int, int]]:
        """The shortest way to something that is missing, or back to the start if nothing is."""
        parents: dict[int, tuple[int, tuple[int, int, int]]] = {}
        queue = deque([state])
        while queue:
            current = queue.popleft()
            for step in self.steps(current):
                _, target, more = step
                if more & ~mask or (mask == self.full and target == start):
                    way = [step]
                    while current != state:
                        current, step = parents[current]
                        way.append(step)
                    return way[::-1]
                if target not in parents and target != state:
                    parents[target] = (current, step)
                    queue.append(target)
        raise AssertionError("the component is no livelock")
