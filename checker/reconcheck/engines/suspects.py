"""Which parts of a goal may not come true: those that already their smallest slice leaves open."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.python_code import predicate, source
from reconcheck.engines.reduction import holders
from reconcheck.engines.slicing import Slicer, first_slice, tells
from reconcheck.model import expr as e
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System

SLICE_STATES = 10_000
"""States of a slice past which nothing is said about it."""
ELEMENT = re.compile(r"\[\d+\]")


def suspects(slicer: Slicer, parts: tuple[e.Expr, ...], budget: Budget) -> Iterator[e.Expr]:
    """The parts of a goal that are false in some state of their slice in which nothing surely happens.

    A suspect may be innocent, and who is no suspect here may be guilty: this only says where to look first.  Of
    parts that are alike, such as those about the elements of an array, one is looked at; those that few are
    like come first, because a trouble that all share is rarer than the one that was forgotten.
    """
    graphs: dict[object, StateGraph | None] = {}
    for formula in _one_of_each(slicer.system, [formula for formula in parts if tells(formula)]):
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
            yield formula


def _one_of_each(system: System, parts: list[e.Expr]) -> list[e.Expr]:
    """The first of the parts that are alike, the rarest kind first."""
    if len(parts) < 2:
        return parts
    look = _Look(system)
    kinds: dict[Hashable, list[e.Expr]] = {}
    for formula in parts:
        kinds.setdefault(look.of(formula), []).append(formula)
    return [alike[0] for alike in sorted(kinds.values(), key=len)]


class _Look:
    """What a formula and the commands that change what it is about look like, without the numbers of elements."""

    def __init__(self, system: System) -> None:
        self.holder = holders(system)
        self.changing: dict[str, set[Hashable]] = {holder: set() for holder in self.holder.values()}
        for command in system.commands:
            own: dict[str, list[str]] = {}
            for name, _ in command.updates:
                if name in self.holder:
                    own.setdefault(self.holder[name], []).append(_plain(name))
            step = (command.step.kind, _plain(command.step.action), _plain(command.step.detail))
            for holder, names in own.items():
                self.changing[holder].add((*step, *sorted(names)))

    def of(self, formula: e.Expr) -> Hashable:
        """What is the same for formulas that are alike."""
        about = sorted({self.holder[name] for name in e.names(formula) if name in self.holder})
        return _plain(e.show(formula)), *(frozenset(self.changing[holder]) for holder in about)


def _plain(text: str) -> str:
    """A name or formula without the numbers of elements."""
    return ELEMENT.sub("[]", text)
