"""Finds the shortest run to a quiet state without the goal, or shows that there is none below some length.

The search is breadth first, and leaves out the states from which patterns exclude a run that is short enough.
Each command counts in one pattern only, so what the patterns say adds up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice

from reconcheck.engines.budget import Budget
from reconcheck.engines.explored import Explored
from reconcheck.engines.patterns import pattern
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import CONTROL, core_of, holders
from reconcheck.engines.runs import Judge, Run
from reconcheck.model import expr as e
from reconcheck.model.types import IntType
from reconcheck.semantics.system import System

MOST_PATTERNS = 8
"""Objects and externals with a pattern of their own; where there are more, only the goal has one."""
MOST_TRIED = 100_000
"""Steps tried before it is left open whether there is a shorter run: about two seconds."""
MOST_FIRST = 1_000
"""Initial states, of which more leave it open too."""

Bound = Callable[[StateTuple], int | None]
"""How many steps a quiet state without the goal is away at least; None where there is no way to one."""


@dataclass(frozen=True)
class Answer:
    """The shortest run below the limit, if one was found, and whether nothing shorter can have been missed."""

    run: Run | None
    complete: bool


def shortest(judge: Judge, keep: frozenset[str], goal: e.Expr, limit: int, budget: Budget) -> Answer:
    """The shortest run of less than `limit` steps to a quiet state without the goal."""
    stepper = judge.stepper
    bound = _bound(stepper.system, keep, goal, budget)
    explored = Explored(stepper, judge)
    beginnings = list(islice(stepper.first_choices(), MOST_FIRST + 1))
    inputs = [v for command in (stepper.system.initial, *stepper.system.commands) for v in command.inputs]
    complete = len(beginnings) <= MOST_FIRST and not any(isinstance(v.type, IntType) for v in inputs)
    layer: list[int] = []
    for choices in beginnings:
        number, new = explored.begin(choices)
        if new and (bound(explored.states[number]) or 0) < limit:
            layer.append(number)
    tried = 0
    for depth in range(limit):
        ends = [number for number in layer if judge.is_end(explored.states[number])]
        if ends:
            return Answer(min((explored.run_to(number) for number in ends), key=lambda run: run.changes), complete)
        budget.check(f"searching for a shorter run ({len(explored.states):,} states)")
        following: list[int] = []
        for before in layer:
            state = explored.states[before]
            for command in stepper.possible(state):
                for choices, after in stepper.steps(command, state):
                    tried += 1
                    left = bound(after)
                    if left is None or depth + 1 + left >= limit:
                        continue
                    number, new = explored.step(before, (command, choices), after)
                    if new:
                        following.append(number)
            if tried > MOST_TRIED:
                return Answer(None, False)
        layer = following
    return Answer(None, complete)


def _bound(system: System, keep: frozenset[str], goal: e.Expr, budget: Budget) -> Bound:
    """What the goal's pattern and those of the objects that it does not see say together."""
    core = core_of(system, keep)
    of = {name: holder for name, holder in holders(system).items() if not name.startswith("held(")}
    seen = {of[name] for name in core if name in of}
    others = list(dict.fromkeys(holder for holder in of.values() if holder not in seen))
    if len(others) > MOST_PATTERNS:
        others = []
    owners = [_owner(command.updates, of, others) for command in system.commands]
    control = frozenset(v.name for v in system.variables if v.name.startswith(CONTROL))
    patterns = [pattern(system, keep, goal, budget, lambda number: owners[number] is None)]
    for other in others:
        own = control | {name for name, holder in of.items() if holder == other}
        patterns.append(pattern(system, own, e.FALSE, budget, partial(_owned_by, owners, other)))
    there = [one for one in patterns if one is not None]

    def bound(state: StateTuple) -> int | None:
        total = 0
        for one in there:
            steps = one.quiet.get(one.key(state))
            if steps is None:
                return None
            total += steps
        return total

    return bound


def _owned_by(owners: list[str | None], other: str, number: int) -> bool:
    """Whether a command belongs to one of the other objects."""
    return owners[number] == other


def _owner(updates: tuple[tuple[str, e.Expr], ...], of: dict[str, str], others: list[str]) -> str | None:
    """The one object or external that a command changes, if the goal does not see it."""
    changed = {of[name] for name, _ in updates if name in of}
    owner = changed.pop() if len(changed) == 1 else None
    return owner if owner in others else None
