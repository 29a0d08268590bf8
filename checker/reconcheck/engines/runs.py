"""Runs of the whole system as an engine finds them: which steps, with which choices, and whether they prove it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from operator import ne

from msgspec import Struct

from reconcheck.engines.python_code import StateTuple, canonical, predicate
from reconcheck.engines.stepping import Choices, Stepper
from reconcheck.model import expr as e

Move = tuple[int, Choices]
"""A command and the values of its inputs."""


class Run(Struct, frozen=True, dict=True):
    """A run from an initial state."""

    first: Choices
    """The free values of the initial state."""
    moves: tuple[Move, ...]
    states: tuple[StateTuple, ...]
    """The initial state, and the state after each move."""
    loop: int | None = None
    """For a run that repeats itself: the index of the state to which the last one is equal."""

    @cached_property
    def changes(self) -> int:
        """How many changes of variables its steps make."""
        return sum(sum(map(ne, before, after)) for before, after in pairwise(self.states))


class Judge:
    """Whether a run shows that a goal does not converge."""

    def __init__(self, stepper: Stepper, goal: e.Expr) -> None:
        self.stepper = stepper
        self.holds: Callable[[StateTuple], bool] = predicate(stepper.system, goal)
        self.rename = canonical(stepper.system)
        commands = stepper.system.commands
        self.calm = [command.step.kind.calm for command in commands]
        self.actions = [command.step.action if command.step.kind == "fair" else None for command in commands]

    def is_end(self, state: StateTuple) -> bool:
        """Whether a state is quiet without the goal."""
        return not self.holds(state) and self.stepper.is_quiet(state)

    def proves(self, run: Run) -> bool:
        """Whether the run ends in a quiet state without the goal, or repeats a fair cycle that is not always in it."""
        if run.loop is None:
            return self.is_end(run.states[-1])
        around, moves = run.states[run.loop :], run.moves[run.loop :]
        if not moves or self.rename(around[-1]) != self.rename(around[0]):
            return False
        if not all(self.calm[number] for number, _ in moves) or all(map(self.holds, around)):
            return False
        taken = {self.actions[number] for number, _ in moves}
        ignored: set[str] | None = None
        for state in around:
            possible = self.stepper.fair_actions(state) - taken
            ignored = possible if ignored is None else ignored & possible
            if not ignored:
                return True
        return False
