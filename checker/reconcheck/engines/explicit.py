"""Explicit search: the whole reachable state graph, breadth first."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.python_code import StateTuple, initial_states, successors
from reconcheck.semantics.system import System


class StateGraph(Struct, frozen=True):
    """Every reachable state with its steps.  States are numbered in breadth-first order, initial ones first."""

    system: System
    states: list[StateTuple]
    edges: list[list[tuple[int, int]]]
    """For each state, (command index, state number) of each step that changes something."""
    parents: list[tuple[int, int] | None]
    """For each state, (state number, command index) by which it was first reached."""
    depth: list[int]
    followed: int
    """How many states had their steps followed: all, unless the search was told to stop."""

    def path(self, state: int) -> list[tuple[int, int]]:
        """The shortest way to a state: (command index, state number) of each step; -1 for the first state."""
        steps: list[tuple[int, int]] = []
        while (parent := self.parents[state]) is not None:
            steps.append((parent[1], state))
            state = parent[0]
        steps.append((-1, state))
        return steps[::-1]


def started(graph: StateGraph) -> frozenset[str]:
    """The controllers that some state starts."""
    taken = {number for row in graph.edges for number, _ in row}
    actions = {graph.system.commands[number].step.action for number in taken}
    return frozenset(action.removeprefix("start ") for action in actions if action.startswith("start "))


def explore(system: System, budget: Budget, most: int | None = None, nearest: StateGraph | None = None) -> StateGraph:
    """The reachable states, or about the `most` nearest, on from the `nearest` of them where these are listed.

    Raises `Exhausted`, `LeftRange` and `Endless`.
    """
    following = successors(system)
    if nearest is None:
        states = initial_states(system)
        nearest = StateGraph(system, states, [], [None] * len(states), [0] * len(states), 0)
    states, parents, depth = list(nearest.states), list(nearest.parents), list(nearest.depth)
    numbers = {state: number for number, state in enumerate(states)}
    current = nearest.followed
    edges = nearest.edges[:current]
    while current < len(states) and (most is None or len(states) <= most):
        if current % 512 == 0:
            budget.check(f"exploring states ({len(states):,} found)", len(states))
        row: list[tuple[int, int]] = []
        for command, after in following(states[current]):
            number = numbers.setdefault(after, len(states))
            if number == len(states):
                states.append(after)
                parents.append((current, command))
                depth.append(depth[current] + 1)
            row.append((command, number))
        edges.append(row)
        current += 1
    edges += [[] for _ in range(len(states) - current)]
    return StateGraph(system, states, edges, parents, depth, current)
