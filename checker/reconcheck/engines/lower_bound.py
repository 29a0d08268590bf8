"""How many steps a quiet state without the goal is away at least: what several patterns say, added up.

Distances may be added if no step counts in two of them.  A command that changes one object counts in the
pattern of that object; of the others, each action counts where that raises the sum most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconcheck.engines.budget import Budget
from reconcheck.engines.patterns import Distances, Pattern, pattern
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import CONTROL, core_of, holders
from reconcheck.model import expr as e
from reconcheck.semantics.system import Command, System

Bound = Callable[[StateTuple], int | None]
"""How many steps are needed at least; None where there is no way."""
Part = tuple[frozenset[str], e.Expr]
"""A part of a goal, with the variables that it depends on."""

Summand = tuple[Pattern, Distances]

MOST_SUMMANDS = 150
"""Distances that are looked up for one state, of all parts, past which there is no bound: each has to be worked out."""
MOST_PATTERNS = 40
"""Objects and externals that get a pattern of their own."""
GOAL = ""
"""The name of the goal's pattern."""


def lower_bound(system: System, parts: Sequence[Part], beginnings: list[StateTuple], budget: Budget) -> Bound | None:
    """The bound for a goal that is all of some parts, best for runs from the initial states.

    A state without the goal is one without some part of it.  None where there are too many objects for it.
    """
    made: dict[str, Pattern | None] = {}
    sums: list[list[Summand]] = []
    for keep, formula in parts:
        found = _of_part(system, keep, formula, beginnings, made, budget)
        if found is None or len(parts) * len(found) > MOST_SUMMANDS:
            return None
        sums.append(found)
    return _least(sums)


def _least(sums: list[list[Summand]]) -> Bound:
    """The least of some sums of distances; each pattern's view of a state is worked out once."""
    views = list({id(one): one.key for summands in sums for one, _ in summands}.values())
    place = {id(key): index for index, key in enumerate(views)}
    terms = [[(place[id(one.key)], distances) for one, distances in summands] for summands in sums]

    def bound(state: StateTuple) -> int | None:
        seen = [view(state) for view in views]
        least: int | None = None
        for summands in terms:
            total = 0
            for index, distances in summands:
                steps = distances.get(seen[index])
                if steps is None:
                    break
                total += steps
            else:
                least = total if least is None else min(least, total)
        return least

    return bound


def _of_part(
    system: System,
    keep: frozenset[str],
    formula: e.Expr,
    beginnings: list[StateTuple],
    made: dict[str, Pattern | None],
    budget: Budget,
) -> list[Summand] | None:
    """What adds up to the bound for one part; `made` are the patterns of objects by their names."""
    core = core_of(system, keep)
    of = {name: holder for name, holder in holders(system).items() if not name.startswith("held(")}
    seen = {of[name] for name in core if name in of}
    others = list(dict.fromkeys(holder for holder in of.values() if holder not in seen))
    if len(others) > MOST_PATTERNS:
        return None
    control = frozenset(v.name for v in system.variables if v.name.startswith(CONTROL))
    patterns = {GOAL: pattern(system, keep, formula, budget)}
    for other in others:
        if other not in made:
            own = control | {name for name, holder in of.items() if holder == other}
            made[other] = pattern(system, own, e.FALSE, budget)
        patterns[other] = made[other]
    there = {name: one for name, one in patterns.items() if one is not None}
    return _Sum(there, [_group(command, of, seen) for command in system.commands], beginnings).summands()


def _group(command: Command, of: dict[str, str], seen: set[str]) -> str:
    """What a command counts as: the one object that it changes, the goal for those it sees, or else its action."""
    changed = {of[name] for name, _ in command.updates if name in of}
    if len(changed) != 1:
        return f"action {command.step.action}"
    (holder,) = changed
    return GOAL if holder in seen else holder


class _Sum:
    """Patterns, and which groups of commands count in each."""

    def __init__(self, patterns: dict[str, Pattern], groups: list[str], beginnings: list[StateTuple]) -> None:
        self.patterns, self.groups, self.beginnings = patterns, groups, beginnings
        self.counted = {name: frozenset({name}) for name in patterns}
        self.distances = {name: self._distances(name, counted) for name, counted in self.counted.items()}
        for group in sorted(set(groups) - set(patterns)):
            self._place(group)

    def summands(self) -> list[Summand]:
        """The patterns with the distances that may be added."""
        return [(self.patterns[name], distances) for name, distances in self.distances.items()]

    def _place(self, group: str) -> None:
        """Counts a group of commands in the pattern in which it makes most of a difference."""
        best: tuple[int, str, Distances] | None = None
        tried: set[object] = set()
        for name, one in self.patterns.items():
            alike = (len(one.graph.states), len(one.origins), self.counted[name] - {name})
            if name == GOAL or alike not in tried:
                tried.add(alike)
                distances = self._distances(name, self.counted[name] | {group})
                gain = self._least(name, distances) - self._least(name, self.distances[name])
                if best is None or gain > best[0]:
                    best = (gain, name, distances)
        if best is not None:
            _, name, self.distances[name] = best
            self.counted[name] |= {group}

    def _distances(self, name: str, counted: frozenset[str]) -> Distances:
        one, groups = self.patterns[name], self.groups
        return one.distances(one.quiet, lambda number: groups[number] in counted)

    def _least(self, name: str, distances: Distances) -> int:
        """The least distance of an initial state."""
        found = (distances.get(self.patterns[name].key(state)) for state in self.beginnings)
        return min((steps for steps in found if steps is not None), default=0)
