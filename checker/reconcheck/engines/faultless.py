"""The shortest way to a state on which no fault happens: what goes wrong even if nothing fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from reconcheck.engines.explicit import StateGraph
from reconcheck.semantics.steps import Kind


def path_without_faults(graph: StateGraph, targets: Iterable[int]) -> list[tuple[int, int]] | None:
    """The way to the nearest target, as `StateGraph.path` gives it; None where each way takes a fault."""
    wanted = set(targets)
    faults = {number for number, command in enumerate(graph.system.commands) if command.step.kind is Kind.FAULT}
    begun = [state for state, parent in enumerate(graph.parents) if parent is None]
    came: dict[int, tuple[int, int] | None] = dict.fromkeys(begun)
    todo = deque(begun)
    while todo:
        state = todo.popleft()
        if state in wanted:
            return _back(came, state)
        for command, after in graph.edges[state]:
            if after not in came and command not in faults:
                came[after] = state, command
                todo.append(after)
    return None


def _back(came: dict[int, tuple[int, int] | None], state: int) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    while (parent := came[state]) is not None:
        steps.append((parent[1], state))
        state = parent[0]
    steps.append((-1, state))
    return steps[::-1]
