"""The part of a state graph that is worth drawing: all of it, or its beginning where it is too large."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.model.types import IntType, RangeType
from reconcheck.semantics.system import Command, System

SOME_INTEGERS = RangeType(0, 2)
"""What is drawn of a step that chooses any integer."""


class Beginning(Struct, frozen=True):
    """States in breadth-first order; the steps of those from `explored` on were not followed."""

    graph: StateGraph
    explored: int
    notes: tuple[str, ...]
    """What was left out, in sentences."""

    @property
    def complete(self) -> bool:
        """Whether these are all reachable states with all their steps."""
        return not self.notes


def begin(system: System, budget: Budget, most: int) -> Beginning:
    """Explores about `most` states.  Raises `LeftRange`."""
    system, notes = _without_endless_choices(system)
    graph = explore(system, budget, most)
    if graph.followed < len(graph.states):
        notes += (f"only the first {graph.followed:,} states were followed, {max(graph.depth)} steps deep",)
    return Beginning(graph, graph.followed, notes)


def _without_endless_choices(system: System) -> tuple[System, tuple[str, ...]]:
    """The system with a few numbers in place of "any integer", and sentences that say so."""
    commands = tuple(_with_few_numbers(command) for command in system.commands)
    initial = _with_few_numbers(system.initial)
    changed = [new.step.action for new, old in zip(commands, system.commands, strict=True) if new is not old]
    if initial is not system.initial:
        changed.insert(0, "the first state")
    if not changed:
        return system, ()
    who = ", ".join(dict.fromkeys(changed))
    return replace(system, initial=initial, commands=commands), (f"any integer is drawn as {SOME_INTEGERS} ({who})",)


def _with_few_numbers(command: Command) -> Command:
    if not any(isinstance(variable.type, IntType) for variable in command.inputs):
        return command
    inputs = tuple(replace(v, type=SOME_INTEGERS) if isinstance(v.type, IntType) else v for v in command.inputs)
    return replace(command, inputs=inputs)
