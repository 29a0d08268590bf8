"""Counterexamples in systems far too large to list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.departures import Departures
from reconcheck.engines.patterns import Guide, Pattern, pattern
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import SLOW, everything, near, with_examples
from reconcheck.engines.runs import Judge, Run
from reconcheck.engines.shorten import shortened
from reconcheck.engines.shortest import shortest_livelock, shortest_quiet
from reconcheck.engines.stepping import Stepper
from reconcheck.model import expr as e
from reconcheck.semantics.system import System

FIRST_TURN = 4_000
"""Steps that each search tries in its first turn, at least; each turn has twice as many as the one before."""
FIRST_TURN_EACH = 3
"""The same for each command of the system: a run of a larger system is longer."""


@dataclass(frozen=True)
class Counterexample:
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


def search(
    system: System,
    keep: frozenset[str],
    goal: e.Expr,
    budget: Budget,
    seen: Pattern | None = None,
    rounds: int | None = None,
) -> Counterexample | None:
    """A counterexample to the convergence of a goal that depends on the variables in `keep`; None where none is left.

    `seen` is the goal's pattern, where it is known already.  Raises `Exhausted` when the budget is spent first, when
    each search has had so many `rounds`, or when choices are left that it does not try, and `LeftRange` where the
    model is wrong.
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
                return _best(judge, keep, goal, guide, run, explored, budget)
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


def _best(
    judge: Judge,
    keep: frozenset[str],
    goal: e.Expr,
    guide: Guide | None,
    run: Run,
    explored: int,
    budget: Budget,
) -> Counterexample:
    """The shortest counterexample that comes of a run, as far as the budget allows."""
    run, proved = shortened(judge, run), False
    try:
        quiet = shortest_quiet(judge, keep, goal, len(run.moves) + (run.loop is not None), budget)
        run, proved = quiet.run or run, quiet.complete
        if run.loop is not None:
            livelock = shortest_livelock(judge, guide, len(run.moves), budget)
            run, proved = livelock.run or run, proved and livelock.complete
    except Exhausted:
        proved = False
    assert judge.proves(run)
    path = [(-1, judge.rename(run.states[0]))]
    path += [(move[0], judge.rename(state)) for move, state in zip(run.moves, run.states[1:], strict=True)]
    return Counterexample(path, run.loop, proved, explored)
