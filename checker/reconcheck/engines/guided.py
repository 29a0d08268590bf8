"""Counterexamples in systems far too large to list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.departures import Departures
from reconcheck.engines.first_slices import first_slice
from reconcheck.engines.lower_bound import Part
from reconcheck.engines.patterns import Guide, Pattern, pattern
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import SLOW, everything, near, with_examples
from reconcheck.engines.runs import Judge, Run
from reconcheck.engines.shorten import shortened
from reconcheck.engines.shortest import MOST_TRIED, shortest_livelock, shortest_quiet
from reconcheck.engines.stepping import Stepper
from reconcheck.model import expr as e
from reconcheck.model.types import IntType
from reconcheck.semantics.system import System

FIRST_TURN = 4_000
"""Steps that each search tries in its first turn, at least; each turn has twice as many as the one before."""
THOROUGH = 4
"""How many times as many steps are tried for a shorter run where that matters."""
FIRST_TURN_EACH = 3
"""The same for each command of the system: a run of a larger system is longer."""


class Counterexample(Struct, frozen=True):
    """A run of the whole system that ends in a quiet state without the goal, or repeats a fair cycle outside of it."""

    path: list[tuple[int, StateTuple]]
    """Each step as (command, canonical state after); -1 for the first state."""
    loop: int | None
    """The index in `path` of the state to which the last one is equal; None where the last one is quiet."""
    shortest: bool
    """Whether it is proved that no run to a quiet state without the goal has fewer steps.

    Where the run is a livelock, no other livelock has fewer either; where it is quiet, a livelock may.
    """
    explored: int
    """How many states were reached."""
    chosen: tuple[int, ...] = ()
    """The numbers without bounds that its steps chose; they need not be in a state."""


def search(
    system: System,
    keep: frozenset[str],
    goal: e.Expr,
    budget: Budget,
    seen: Pattern | None = None,
    rounds: int | None = None,
    whole: Sequence[e.Expr] = (),
    thorough: bool = True,
) -> Counterexample | None:
    """A counterexample to the convergence of a goal that depends on the variables in `keep`; None where none is left.

    `seen` is the goal's pattern, where it is known already.  Where the goal is one of several parts of the `whole`, any
    run without one of them will do in the end, if it is shorter; that none of them is shorter is only looked for where
    the search is to be `thorough`.  Raises `Exhausted` when the budget is spent first, when each search has had so
    many `rounds`, or when choices are left that it does not try, and `LeftRange` where the model is wrong.
    """
    stepper = Stepper(system, goal)
    judge = Judge(stepper, goal)
    seen = seen or pattern(system, keep, goal, budget)
    guide = Guide(seen) if seen is not None else None
    wider = with_examples(system, keep)
    ways = [partial(near, system, keep), partial(near, system, wider, SLOW), partial(everything, system, keep)]
    searches: dict[int, Departures] = {}
    waiting = [0, 1, 2] if wider != keep else [0, 2]
    turn = max(FIRST_TURN, FIRST_TURN_EACH * len(system.commands))
    while waiting:
        for way in list(waiting):
            if way not in searches:
                searches[way] = Departures(stepper, judge, ways[way](), guide, budget)
            run = searches[way].advance(turn)
            explored = sum(len(one.departures) for one in searches.values())
            if run is not None:
                others = [part for part in whole if part != goal] if goal in whole else []
                parts = [(keep, goal), *((first_slice(system, part), part) for part in others if thorough)]
                formula = e.both(goal, *others)
                return _Ending(stepper, formula, parts, {goal: guide}, budget, thorough).best(run, explored)
            if searches[way].finished:
                waiting.remove(way)
            budget.check("searching for a counterexample", explored)
        turn *= 2
        rounds = None if rounds is None else rounds - 1
        if rounds == 0 and waiting:
            raise Exhausted("the first looks for a counterexample found none")
    if not all(one.complete for one in searches.values()):
        raise Exhausted("no counterexample was found, but not all choices were tried")
    return None


class _Ending(Struct, frozen=True):
    """Makes of a run the shortest one, for a goal that is all of some parts, and tells whether it is."""

    stepper: Stepper
    goal: e.Expr
    parts: Sequence[Part]
    """The parts of the goal of which a shorter run is looked for, all or some."""
    guides: dict[e.Expr, Guide | None]
    """Those of parts that are known by now."""
    budget: Budget
    thorough: bool

    def best(self, run: Run, explored: int) -> Counterexample:
        """The shortest counterexample that comes of a run, as far as the budget allows."""
        judge = Judge(self.stepper, self.goal)
        run, proved = shortened(judge, run), False
        every = e.both(*(formula for _, formula in self.parts)) == self.goal
        most = max(MOST_TRIED, THOROUGH * MOST_TRIED // len(self.parts)) if self.thorough else MOST_TRIED
        try:
            limit = len(run.moves) + (run.loop is not None)
            quiet = shortest_quiet(judge, self.parts, limit, self.budget, most)
            run, proved = quiet.run or run, quiet.complete and every
            if run.loop is not None:
                livelock = shortest_livelock(judge, self._guides(), len(run.moves), self.budget, most)
                run, proved = livelock.run or run, proved and livelock.complete
        except Exhausted:
            proved = False
        assert judge.proves(run)
        path = [(-1, judge.rename(run.states[0]))]
        path += [(move[0], judge.rename(state)) for move, state in zip(run.moves, run.states[1:], strict=True)]
        return Counterexample(path, run.loop, proved, explored, _numbers(self.stepper.system, run))

    def _guides(self) -> list[Guide | None]:
        """How near a state is to a livelock without each of the parts."""
        system = self.stepper.system
        found: list[Guide | None] = []
        for keep, formula in self.parts:
            if formula not in self.guides:
                seen = pattern(system, keep, formula, self.budget)
                self.guides[formula] = None if seen is None else Guide(seen)
            found.append(self.guides[formula])
        return found


def _numbers(system: System, run: Run) -> tuple[int, ...]:
    """The numbers without bounds that the steps of a run choose."""
    found: dict[int, None] = {}
    for number, choices in run.moves:
        for variable, value in zip(system.commands[number].inputs, choices, strict=True):
            if isinstance(variable.type, IntType):
                found[int(value)] = None
    return tuple(found)
