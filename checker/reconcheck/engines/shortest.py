"""Finds the shortest counterexample, or shows that there is none below some length.

The search is breadth first, and leaves out the states from which patterns exclude a run that is short enough.
Each command counts in one pattern only, so what the patterns say adds up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.explored import Explored
from reconcheck.engines.lower_bound import Bound, Part, lower_bound
from reconcheck.engines.patterns import Guide
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.runs import Judge, Run
from reconcheck.model.types import IntType

MOST_TRIED = 50_000
"""Steps tried before it is left open whether there is a shorter run, by default: about a second."""
MOST_FIRST = 1_000
"""Initial states, of which more leave it open too."""
WIDEST_GAP = 40
"""Steps between the limit and what the patterns say, beyond which nothing is searched."""


class Answer(Struct, frozen=True):
    """The shortest run below the limit, if one was found, and whether nothing shorter can have been missed."""

    run: Run | None
    complete: bool


def shortest_quiet(judge: Judge, parts: Sequence[Part], limit: int, budget: Budget, most: int = MOST_TRIED) -> Answer:
    """The shortest run of less than `limit` steps to a quiet state without the goal, which is all of the parts."""
    search = _BreadthFirst(judge, limit, budget, most)
    bound = lower_bound(judge.stepper.system, parts, search.first, budget)
    if bound is None:
        return Answer(None, False)
    complete = search.run(bound, stop_at_end=True)
    ends = [search.explored.run_to(number) for number in search.ends]
    return Answer(min(ends, key=lambda run: run.changes, default=None), complete)


def shortest_livelock(
    judge: Judge, guides: Sequence[Guide | None], limit: int, budget: Budget, most: int = MOST_TRIED
) -> Answer:
    """The shortest run of less than `limit` steps to and round a fair cycle that is not always in the goal.

    A cycle that is not always in the goal is not always in some part of it; the guides are those of the parts.
    """

    def bound(state: StateTuple) -> int | None:
        steps = [0 if one is None else one.restless.get(one.key(state)) for one in guides]
        return min((one for one in steps if one is not None), default=None)

    search = _BreadthFirst(judge, limit, budget, most)
    complete = search.run(bound, stop_at_end=False)
    found = search.explored.livelock(budget)
    if found is None:
        return Answer(None, complete)
    run, is_shortest = found
    return Answer(run if len(run.moves) < limit else None, complete and is_shortest)


class _BreadthFirst:
    """The states from which a run of less than `limit` steps is not excluded."""

    def __init__(self, judge: Judge, limit: int, budget: Budget, most: int) -> None:
        self.judge, self.stepper, self.limit, self.budget, self.most = judge, judge.stepper, limit, budget, most
        self.explored = Explored(self.stepper, judge)
        inputs = [v for one in (self.stepper.system.initial, *self.stepper.system.commands) for v in one.inputs]
        beginnings = list(islice(self.stepper.first_choices(), MOST_FIRST + 1))
        self.complete = len(beginnings) <= MOST_FIRST and not any(isinstance(v.type, IntType) for v in inputs)
        self.layer = [number for number, new in map(self.explored.begin, beginnings) if new]
        self.first = [self.explored.states[number] for number in self.layer]
        self.ends: list[int] = []
        """The nearest quiet states without the goal."""
        self.tried = 0

    def run(self, bound: Bound, stop_at_end: bool) -> bool:
        """Searches layer by layer; whether nothing can have been missed."""
        least = [bound(state) for state in self.first]
        self.layer = [n for n, steps in zip(self.layer, least, strict=True) if steps is not None and steps < self.limit]
        if any(steps is not None and steps + WIDEST_GAP < self.limit for steps in least):
            return False
        for depth in range(self.limit):
            self.budget.check(f"searching for a shorter run ({len(self.explored.states):,} states)")
            if stop_at_end:
                self.ends = [number for number in self.layer if self.judge.is_end(self.explored.states[number])]
            if self.ends or not self.layer:
                break
            if self.tried > self.most:
                return False
            self.layer = [number for before in self.layer for number in self._after(before, depth + 1, bound)]
        return self.complete

    def _after(self, before: int, depth: int, bound: Bound) -> Iterator[int]:
        """The new states one step on that are near enough to an end."""
        state = self.explored.states[before]
        for command in self.stepper.possible(state):
            for choices, after in self.stepper.steps(command, state):
                self.tried += 1
                left = bound(after)
                if left is not None and depth + left < self.limit:
                    number, new = self.explored.step(before, (command, choices), after)
                    if new:
                        yield number
