"""Which states of a graph count as converged, where some goal of the operator may never be reached.

A goal that no run ever settles on says nothing about the cost of the others: what wakes an operator that has
reached all that it ever reaches wakes it in vain.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.engines.fairness import CalmGraph
from reconcheck.engines.python_code import predicate
from reconcheck.model.operator import Operator


class Settled(Struct, frozen=True):
    """The states in which the goals hold that the operator settles on."""

    converged: tuple[bool, ...]
    """For each state; false in all where the operator settles on nothing."""
    missing: tuple[str, ...]
    """The convergence goals that are left out: no fair run settles on them, or not together with the others."""


def settled(graph: CalmGraph, operator: Operator) -> Settled:
    """The states with all convergence goals, if some fair run ends with all of them.

    Else with all that hold at the end of some run, if they do together; else with those that hold at the end of
    every run.  The end of a run is a state of rest, or a component in which it stays.
    """
    goals = [goal for goal in operator.goals if goal.kind == "converges"]
    tests = [predicate(graph.graph.system, goal.formula) for goal in goals]
    truth = [sum(holds(state) << number for number, holds in enumerate(tests)) for state in graph.graph.states]
    ends = set(_ends(graph, truth))
    every = (1 << len(goals)) - 1
    some, always = 0, every if ends else 0
    for end in ends:
        some |= end
        always &= end
    wanted = every if every in ends else some if some in ends else always
    converged = tuple(bool(wanted or not goals) and bits & wanted == wanted for bits in truth)
    return Settled(converged, tuple(goal.name for number, goal in enumerate(goals) if not wanted >> number & 1))


def _ends(graph: CalmGraph, truth: list[int]) -> Iterator[int]:
    """The goals that hold at each end of a fair run, as bit sets."""
    for state, bits in enumerate(graph.enabled):
        if not bits:
            yield truth[state]
    for members in graph.fair.values():
        holding = -1
        for state in members:
            holding &= truth[state]
        yield holding
