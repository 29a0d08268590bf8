"""A search that follows a scheduler, and departs from it: first nowhere, then once, then twice.

The scheduler takes the steps that the goal's variables do not see as soon as they are possible, in a fixed
order, and of the others the one of the lowest rank.  So interleavings that make no difference are followed
once, and what is left are the disturbances, faults and unusual orders that a counterexample is made of.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from reconcheck.engines.budget import Budget
from reconcheck.engines.explored import Explored
from reconcheck.engines.frontier import Frontier
from reconcheck.engines.patterns import Guide
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import Reduction
from reconcheck.engines.runs import Judge, Move, Run
from reconcheck.engines.stepping import Choices, Stepper
from reconcheck.model import expr as e
from reconcheck.model.types import IntType
from reconcheck.semantics.layout import IDLE

FIRST_CYCLES = 1_000
"""States followed before all cycles among them are looked for; after that, each time they have doubled."""
MOST_FIRST = 1_000
"""Initial states tried; of more, those that differ from the first one in one free value."""


FREE_BEGINNINGS = 8
"""Initial states that cost no departure, if they differ in what the goal's variables see."""


class Departures:
    """The search, which can be interrupted and taken up again."""

    def __init__(
        self, stepper: Stepper, judge: Judge, reduction: Reduction, guide: Guide | None, budget: Budget
    ) -> None:
        self.stepper, self.judge, self.reduction, self.guide, self.budget = stepper, judge, reduction, guide, budget
        self.explored = Explored(stepper, judge)
        self.frontier = Frontier()
        self.departures: list[int] = []
        """For each state, how often the way to it departs from the scheduler."""
        self.scheduled: dict[int, tuple[Move, int]] = {}
        """For each state that was followed, the scheduler's step and the state after it."""
        self.at_once: set[int] = set()
        """States from which that step was taken at once, and no other was looked at."""
        names = [variable.name for variable in stepper.system.variables]
        self.shown = [i for i, n in enumerate(names) if n in reduction.core or n.startswith(("queued(", "timer("))]
        self.positions = [i for i, name in enumerate(names) if name.startswith("pc(")]
        self.seen: dict[StateTuple, int] = {}
        """How many states the goal has seen as the same."""
        self.finished = False
        self.followed = 0
        self.tried = 0
        """How many steps were tried: a measure of the work done."""
        self.next_cycles = FIRST_CYCLES
        inputs = [v for one in (stepper.system.initial, *stepper.system.commands) for v in one.inputs]
        self.complete = not any(isinstance(variable.type, IntType) for variable in inputs)
        """Whether all choices are tried."""
        for departures, choices in self._beginnings():
            number, new = self.explored.begin(choices)
            if new:
                self._open(number, departures, True)

    def advance(self, work: int) -> Run | None:
        """Tries so many steps more, up to the first counterexample.  Raises `Exhausted` and `LeftRange`."""
        end = self.tried + work
        while self.tried < end:
            taken = self.frontier.take()
            if taken is None:
                self.finished = True
                return self._livelock()
            self.followed += 1
            if self.followed % 128 == 0:
                states = len(self.departures)
                self.budget.check(f"searching for a counterexample ({states:,} states)", states)
            found = self._follow(*taken)
            if found is None and self.followed == self.next_cycles:
                self.next_cycles *= 2
                found = self._livelock()
            if found is not None:
                return found
        return None

    # ---- where it begins, and the order ----------------------------------------------------------------------------

    def _beginnings(self) -> Iterator[tuple[int, Choices]]:
        """The free values of initial states, each with its departures: the usual one has none, and comes last."""
        begin = self.stepper.system.initial
        into_core = [value for name, value in begin.updates if name in self.reduction.core]
        visible = {v.name for value in into_core for v in e.variables(value)}
        nothing = tuple(0 for _ in self.stepper.system.variables)
        every = list(itertools.islice(self.stepper.choices(begin.inputs, nothing), MOST_FIRST + 1))
        usual = every[0]
        if len(every) > MOST_FIRST:
            self.complete = False
            every = [usual]
            for place, variable in enumerate(begin.inputs):
                values = (value for (value,) in self.stepper.choices((variable,), nothing))
                every += [(*usual[:place], v, *usual[place + 1 :]) for v in values if v != usual[place]]
        usual_ones = 0
        found: list[tuple[int, Choices]] = []
        for choices in every:
            pairs = zip(begin.inputs, choices, usual, strict=True)
            hidden = any(given != first and v.name not in visible for v, given, first in pairs)
            usual_ones += not hidden
            found.append((int(hidden) + (usual_ones > FREE_BEGINNINGS), choices))
        yield from reversed(found)

    def _open(self, number: int, departures: int, fresh: bool | None) -> None:
        """Puts a new state before the search; after a departure, it counts as fresh if the goal has not seen it so."""
        self.departures.append(departures)
        key = self._view(self.explored.states[number])
        seen = self.seen.get(key, 0)
        self.seen[key] = seen + 1
        self._put(number, seen == 0 if fresh is None else fresh, key, seen if fresh is None else 0)

    def _put(self, number: int, fresh: bool, key: StateTuple, seen: int) -> None:
        """Has a state followed, unless the pattern shows that there is no trouble behind it."""
        distance: int | None = None
        if self.guide is not None:
            distance = self.guide.quiet.get(key)
            if distance is None and key not in self.guide.restless:
                return
        self.frontier.add(number, self.departures[number], fresh, None if distance is None else distance + seen)

    def _view(self, state: StateTuple) -> StateTuple:
        """What the goal sees of a state: by the pattern, or else its variables, the queues and the timers."""
        if self.guide is not None:
            return self.guide.key(state)
        return (*(state[i] for i in self.shown), *(state[i] == IDLE for i in self.positions))

    # ---- steps -----------------------------------------------------------------------------------------------------

    def _follow(self, number: int, fresh: bool) -> Run | None:
        """Follows the steps from a state; a counterexample, if it is quiet or the scheduler goes round a fair cycle."""
        state = self.explored.states[number]
        possible = self.stepper.possible(state)
        self.tried += 1
        for command in possible:
            if self.reduction.at_once[command]:
                for choices, after in self.stepper.steps(command, state):
                    self.at_once.add(number)
                    cycle = self._schedule(number, (command, choices), after, fresh)
                    if cycle is None or not self.at_once.issuperset(cycle):
                        return self._cycle(cycle)
                    self.at_once.remove(number)
                    break
                if number in self.scheduled:
                    break
        return self._branch(number, fresh, possible)

    def _branch(self, number: int, fresh: bool, possible: list[int]) -> Run | None:
        """Follows every step from a state that is not left out, the scheduler's first."""
        state, departures = self.explored.states[number], self.departures[number]
        fair = self.stepper.fair
        order = sorted((one for one in possible if fair[one]), key=lambda one: self.reduction.rank[one])
        order += [one for one in possible if not fair[one] and not self.reduction.left_out[one]]
        cycle: list[int] | None = None
        for command in order:
            self.tried += 1
            for choices, after in self.stepper.steps(command, state):
                if fair[command] and number not in self.scheduled:
                    cycle = self._schedule(number, (command, choices), after, fresh)
                    continue
                target, new = self.explored.step(number, (command, choices), after)
                if new:
                    self._open(target, departures + 1, None)
        if number not in self.scheduled and not self.judge.holds(state):
            return self.explored.run_to(number)
        return self._cycle(cycle)

    def _schedule(self, number: int, move: Move, after: StateTuple, fresh: bool) -> list[int] | None:
        """Takes the scheduler's step; the states of the cycle that it closes, if it closes one."""
        target, new = self.explored.step(number, move, after)
        self.scheduled[number] = (move, target)
        if new:
            self._open(target, self.departures[number], fresh)
            return None
        self._fewer(target, self.departures[number], fresh)
        cycle = [number]
        while target != number:
            following = self.scheduled.get(target)
            if following is None or len(cycle) > len(self.scheduled):
                return None
            cycle.append(target)
            target = following[1]
        return cycle

    def _fewer(self, number: int, departures: int, fresh: bool) -> None:
        """Where a state turns out to need fewer departures, so does what the scheduler does from it."""
        while self.departures[number] > departures:
            self.departures[number] = departures
            if number not in self.scheduled:
                self._put(number, fresh, self._view(self.explored.states[number]), 0)
                return
            number = self.scheduled[number][1]

    def _livelock(self) -> Run | None:
        found = self.explored.livelock(self.budget)
        return None if found is None else found[0]

    def _cycle(self, cycle: list[int] | None) -> Run | None:
        """The run round a cycle of the scheduler, if that is a livelock."""
        if cycle is None or all(self.judge.holds(self.explored.states[number]) for number in cycle):
            return None
        run = self.explored.round_trip([(number, self.scheduled[number][0]) for number in cycle])
        return run if self.judge.proves(run) else None
