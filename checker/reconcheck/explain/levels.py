"""Which wake-ups a goal needs, by classes: events, and errors, and waits, and deadlines, and the schedule."""

from __future__ import annotations

from reconcheck.explain.diagnosis import LEVELS, Levels
from reconcheck.explain.looks import Looks
from reconcheck.model.operator import Scope


def level_scopes(without: tuple[str, ...] = ()) -> tuple[Scope, ...]:
    """The scopes of the levels L0 to L4; `without` is away at each of them."""
    return tuple(Scope(level, without) for level in range(len(LEVELS)))


def levels_of(looks: Looks, without: tuple[str, ...]) -> tuple[Levels, ...]:
    """The answers to each goal, level by level.

    Every level is asked about: a goal can converge at one, and not with more wake-ups.
    """
    scopes = level_scopes(without)
    return tuple(Levels(goal.name, tuple(looks.answer(goal, scope) for scope in scopes)) for goal in looks.goals)
