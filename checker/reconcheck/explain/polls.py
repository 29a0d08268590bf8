"""Waits that are periodic in fact: they fire again and again although there is nothing left to wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import CalmGraph, strongly_connected
from reconcheck.engines.python_code import predicate
from reconcheck.explain.settled import settled
from reconcheck.model.operator import Operator


class Polls(Struct, frozen=True):
    """The waits that are periodic in fact."""

    waits: Mapping[str, frozenset[int]]
    """Each with the lines that ask for it meanwhile."""
    missing: tuple[str, ...] = ()
    """Goals that do not hold meanwhile: no run settles on them."""


def polls_of(graph: CalmGraph, operator: Operator) -> Polls:
    """The waits that fire for ever on a fair run around states with every convergence goal that runs settle on."""
    rules = {f"fire {rule.name}": rule.name for rule in operator.rules() if rule.kind == "after"}
    waits = {number: rules[action] for number, action in enumerate(graph.actions) if action in rules}
    goals = [goal for goal in operator.goals if goal.kind == "converges"]
    if not goals or not waits:
        return Polls({})
    tests = [predicate(graph.graph.system, goal.formula) for goal in goals]
    with_all = _firing(graph, [all(holds(state) for holds in tests) for state in graph.graph.states], waits)
    reached = settled(graph, operator)
    if with_all or not reached.missing:
        return Polls(with_all)
    return Polls(_firing(graph, reached.converged, waits), reached.missing)


def _firing(graph: CalmGraph, good: Sequence[bool], waits: Mapping[int, str]) -> dict[str, frozenset[int]]:
    """The waits that fire again and again on a fair run that stays in good states."""
    edges = [
        [(action, after) for action, after in row if good[number] and good[after]]
        for number, row in enumerate(graph.edges)
    ]
    component, components = strongly_connected(edges, Budget())
    found: dict[str, frozenset[int]] = {}
    for number, members in enumerate(components):
        inside = {a for state in members for a, after in edges[state] if a >= 0 and component[after] == number}
        if inside & waits.keys() and _is_fair(graph, members, inside):
            for action in inside & waits.keys():
                asked = _asking(graph.graph, waits[action], members, component)
                found[waits[action]] = found.get(waits[action], frozenset()) | asked
    return found


def _asking(graph: StateGraph, wait: str, members: Sequence[int], component: Sequence[int]) -> frozenset[int]:
    """The lines that ask for a wait on the way from one of some states, which are a component, to another."""
    lines: set[int] = set()
    for state in members:
        for command, after in graph.edges[state]:
            if component[after] == component[state]:
                what, _, line = graph.system.commands[command].step.detail.rpartition(" (L")
                if what == f"requeue {wait}":
                    lines.add(int(line.rstrip(")")))
    return frozenset(lines)


def _is_fair(graph: CalmGraph, members: list[int], inside: set[int]) -> bool:
    """Whether no fair action is possible in all these states, and never taken among them."""
    always = -1
    for state in members:
        always &= graph.enabled[state]
    taken = sum(1 << action for action in inside)
    return always & ~taken == 0
