"""The shortest livelock: a way into a component, and a fair cycle through a state without the goal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import CalmGraph

MOST_NODES = 300_000
"""Search nodes spent on the shortest cycle; past it the best cycle found so far is taken, and said to be so."""


@dataclass(frozen=True)
class Lasso:
    """A path to `loop[0]`'s state and a cycle back to it, as (command, state) pairs; -1 for the first state."""

    stem: list[tuple[int, int]]
    loop: list[tuple[int, int]]
    shortest: bool


def shortest_lasso(
    calm_graph: CalmGraph, components: list[list[int]], goal: list[bool], budget: Budget
) -> Lasso | None:
    """The lasso with the fewest steps, stem and loop together."""
    graph = calm_graph.graph
    best: list[tuple[int, int]] | None = None
    start, complete, spent = -1, True, 0
    entries = sorted((graph.depth[state], state) for members in components for state in members)
    for depth, state in entries:
        if best is not None and depth + 2 > graph.depth[start] + len(best):
            break
        limit = None if best is None else graph.depth[start] + len(best) - depth - 1
        if spent > MOST_NODES:
            complete = False
            break
        cycle, used = _cycle(calm_graph, goal, state, limit)
        spent += used
        budget.check("looking for the shortest livelock")
        if cycle is not None:
            best, start = cycle, state
    if best is None:
        return None
    return Lasso(graph.path(start), best, complete)


def _cycle(
    calm_graph: CalmGraph, goal: list[bool], start: int, limit: int | None
) -> tuple[list[tuple[int, int]] | None, int]:
    """The shortest cycle from a state that is fair and meets a state without the goal, and the nodes spent."""
    graph, component = calm_graph.graph, calm_graph.component
    actions = {action: index for index, action in enumerate(calm_graph.actions)}
    every = (1 << len(actions)) - 1
    missing_goal = 1 << len(actions)
    full = every | missing_goal

    def met(state: int) -> int:
        return (every & ~calm_graph.enabled[state]) | (0 if goal[state] else missing_goal)

    first = (start, met(start))
    parents: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {first: None}
    queue = deque([(first, 0)])
    while queue:
        node, length = queue.popleft()
        if (limit is not None and length >= limit) or len(parents) > MOST_NODES:
            break
        state, mask = node
        for command, target in graph.edges[state]:
            step = graph.system.commands[command].step
            if not step.kind.calm or component[target] != component[start]:
                continue
            after = mask | met(target) | (1 << actions[step.action] if step.kind == "fair" else 0)
            if target == start and after == full:
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
