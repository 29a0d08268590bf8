"""Proves that a formula always holds, on the smallest slice in which it does."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import explore
from reconcheck.engines.first_slices import closed, first_slice
from reconcheck.engines.gaps import Gap, Kind
from reconcheck.engines.python_code import StateTuple, predicate
from reconcheck.engines.slicing import Slicer
from reconcheck.model import expr as e
from reconcheck.proof.certificate import Column
from reconcheck.semantics.steps import Endless, LeftRange

SLICE_STATES = 20_000
"""States of a slice past which it is given up."""


class Region(Struct, frozen=True):
    """All that a slice can reach."""

    columns: tuple[Column, ...]
    states: list[StateTuple]


def prove_always(slicer: Slicer, formula: e.Expr, budget: Budget) -> Region | Gap:
    """The reachable states of a slice in all of which the formula holds, or what the last slice leaves open."""
    system = slicer.system
    keep = first_slice(system, formula)
    gap = Gap(formula, Kind.SIZE)
    while True:
        part = slicer.slice(keep)
        try:
            graph = explore(part.system, budget.at_most(SLICE_STATES))
        except (Exhausted, LeftRange, Endless):
            if budget.left == 0.0:
                raise
            return gap
        holds = predicate(part.system, formula)
        bad = next((number for number, state in enumerate(graph.states) if not holds(state)), None)
        if bad is None:
            return Region(part.columns, graph.states)
        gap = Gap(formula, Kind.STATE, part, graph.states[bad])
        votes: Counter[str] = Counter()
        for number, _ in graph.path(bad)[1:]:
            for origin in part.origins[number]:
                votes.update(slicer.footprints[origin] - keep)
        if not votes:
            return gap
        chosen = min(votes, key=lambda name: (-votes[name], name))
        keep |= closed(system, [chosen]) | {chosen}
