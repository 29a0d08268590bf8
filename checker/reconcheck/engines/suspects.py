"""Which parts of a goal may not come true: those that already their smallest slice leaves open."""

from __future__ import annotations

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.python_code import predicate, source
from reconcheck.engines.slicing import Slicer, first_slice, tells
from reconcheck.model import expr as e
from reconcheck.semantics.steps import Endless, LeftRange

SLICE_STATES = 10_000
"""States of a slice past which nothing is said about it."""


def suspects(slicer: Slicer, parts: tuple[e.Expr, ...], budget: Budget) -> list[e.Expr]:
    """The parts of a goal that are false in some state of their slice in which nothing surely happens.

    A suspect may be innocent, and who is no suspect here may be guilty: this only says where to look first.
    """
    graphs: dict[object, StateGraph | None] = {}
    found: list[e.Expr] = []
    for formula in parts:
        if not tells(formula):
            continue
        part = slicer.slice(first_slice(slicer.system, formula))
        key = source(part.system)
        if key not in graphs:
            try:
                graphs[key] = explore(part.system, budget.at_most(SLICE_STATES))
            except (Exhausted, Endless, LeftRange):
                if budget.left == 0.0:
                    raise
                graphs[key] = None
        graph = graphs[key]
        if graph is None:
            continue
        holds = predicate(part.system, formula)
        if any(not holds(state) and not any(sure(state) for _, sure in part.sure) for state in graph.states):
            found.append(formula)
    return found
