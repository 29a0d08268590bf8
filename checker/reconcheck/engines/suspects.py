"""Which parts of a goal may not come true: those that already the few variables they see leave open."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from msgspec import Struct

from reconcheck.engines.blurring import tells
from reconcheck.engines.budget import Budget
from reconcheck.engines.first_slices import first_slice
from reconcheck.engines.patterns import Pattern, pattern
from reconcheck.engines.reduction import holders
from reconcheck.model import expr as e
from reconcheck.semantics.system import System

MOST_STATES = 5_000
"""States of a part's pattern past which nothing is said about the part."""
ELEMENT = re.compile(r"\[\d+\]")


class Suspect(Struct, frozen=True):
    """A part of a goal that may not come true."""

    formula: e.Expr
    seen: Pattern
    """The system as the part sees it."""


def suspects(system: System, parts: tuple[e.Expr, ...], budget: Budget) -> Iterator[Suspect]:
    """The parts of a goal that may be false, as they see the system, where nothing surely happens any more.

    A suspect may be innocent, and who is no suspect here may be guilty: this only says where to look first.  Of
    parts that are alike, such as those about the elements of an array, one is looked at; those that few are
    like come first, because a trouble that all share is rarer than the one that was forgotten.
    """
    for formula in _one_of_each(system, [formula for formula in parts if tells(formula)]):
        budget.check(f"looking at {e.show(formula)}")
        seen = pattern(system, first_slice(system, formula), formula, budget, MOST_STATES)
        if seen is not None and seen.quiet:
            yield Suspect(formula, seen)


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
