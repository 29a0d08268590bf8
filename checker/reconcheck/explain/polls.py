"""Waits that are periodic in fact: they fire again and again although there is nothing left to wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import CalmGraph, strongly_connected
from reconcheck.engines.python_code import predicate
from reconcheck.explain.settled import settled
from reconcheck.model.operator import Operator


class Polls(Struct, frozen=True):
    """The waits that are periodic in fact."""

    waits: frozenset[str]
    missing: tuple[str, ...] = ()
    """Goals that do not hold meanwhile: no run settles on them."""


NO_POLLS = Polls(frozenset())


def polls_of(graph: CalmGraph, operator: Operator) -> Polls:
    """The waits that fire for ever on a fair run around states with every convergence goal that runs settle on."""
    rules = {f"fire {rule.name}": rule.name for rule in operator.rules() if rule.kind == "after"}
    waits = {number: rules[action] for number, action in enumerate(graph.actions) if action in rules}
    goals = [goal for goal in operator.goals if goal.kind == "converges"]
    if not goals or not waits:
        return NO_POLLS
    tests = [predicate(graph.graph.system, goal.formula) for goal in goals]
    with_all = _firing(graph, [all(holds(state) for holds in tests) for state in graph.graph.states], waits)
    reached = settled(graph, operator)
    if with_all or not reached.missing:
        return Polls(with_all)
    return Polls(_firing(graph, reached.converged, waits), reached.missing)


def _firing(graph: CalmGraph, good: Sequence[bool], waits: Mapping[int, str]) -> frozenset[str]:
    """The waits that fire again and again on a fair run that stays in good states."""
    edges = [
        [(action, after) for action, after in row if good[number] and good[after]]
        for number, row in enumerate(graph.edges)
    ]
    component, components = strongly_connected(edges, Budget())
    found: set[str] = set()
    for number, members in enumerate(components):
        inside = {a for state in members for a, after in edges[state] if a >= 0 and component[after] == number}
        if inside & waits.keys() and _is_fair(graph, members, inside):
            found |= {waits[action] for action in inside & waits.keys()}
    return frozenset(found)


def _is_fair(graph: CalmGraph, members: list[int], inside: set[int]) -> bool:
    """Whether no fair action is possible in all these states, and never taken among them."""
    always = -1
    for state in members:
        always &= graph.enabled[state]
    taken = sum(1 << action for action in inside)
    return always & ~taken == 0
