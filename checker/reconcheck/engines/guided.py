"""Counterexamples in systems far too large to list."""

from __future__ import annotations

from dataclasses import dataclass

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.departures import Departures
from reconcheck.engines.patterns import pattern
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import everything, near, with_examples
from reconcheck.engines.runs import Judge, Run
from reconcheck.engines.shorten import shortened
from reconcheck.engines.shortest import shortest
from reconcheck.engines.stepping import Stepper
from reconcheck.model import expr as e
from reconcheck.semantics.system import System

FIRST_TURN = 20_000
"""Steps that each search tries in its first turn; each turn has twice as many as the one before."""


@dataclass(frozen=True)
class Counterexample:
    """A run of the whole system that ends in a quiet state without the goal, or repeats a fair cycle outside of it."""

    path: list[tuple[int, StateTuple]]
    """Each step as (command, canonical state after); -1 for the first state."""
    loop: int | None
    """The index in `path` of the state to which the last one is equal; None where the last one is quiet."""
    shortest: bool
    """Whether it is proved that no run to a quiet state without the goal has fewer steps."""
    explored: int
    """How many states were reached."""


def search(system: System, keep: frozenset[str], goal: e.Expr, budget: Budget) -> Counterexample | None:
    """A counterexample to the convergence of a goal that depends on the variables in `keep`; None where none is left.

    Raises `Exhausted` when the budget is spent first, and `LeftRange` where the model is wrong.
    """
    stepper = Stepper(system)
    judge = Judge(stepper, goal)
    guide = pattern(system, keep, goal, budget)
    wider = with_examples(system, keep)
    ways = [near(system, keep), *([near(system, wider)] if wider != keep else []), everything(system, keep)]
    searches = [Departures(stepper, judge, way, guide, budget) for way in ways]
    turn = FIRST_TURN
    while searches:
        for one in list(searches):
            run = one.advance(turn)
            explored = sum(len(other.departures) for other in searches)
            if run is not None:
                return _best(judge, keep, goal, run, explored, budget)
            if one.finished:
                searches.remove(one)
            budget.check("searching for a counterexample", explored)
        turn *= 2
    return None


def _best(judge: Judge, keep: frozenset[str], goal: e.Expr, run: Run, explored: int, budget: Budget) -> Counterexample:
    """The shortest counterexample that comes of a run; as short as the budget allows."""
    run = shortened(judge, run)
    is_quiet = run.loop is None
    complete = False
    try:
        answer = shortest(judge, keep, goal, len(run.moves) + (not is_quiet), budget)
        run = answer.run or run
        complete = answer.complete and run.loop is None
    except Exhausted:
        pass
    if not judge.proves(run):
        raise AssertionError("a run that proves nothing")
    path = [(-1, judge.rename(run.states[0]))]
    path += [(move[0], judge.rename(state)) for move, state in zip(run.moves, run.states[1:], strict=True)]
    return Counterexample(path, run.loop, complete, explored)
