"""What is missing where the search for a proof of a part of a goal ended without one."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.slicing import Slice
from reconcheck.model import expr as e
from reconcheck.model.types import Value


class Kind(StrEnum):
    """Why a part of a goal was not proved."""

    REST = "rest"
    """A state at rest without it could not be excluded."""
    CYCLE = "cycle"
    """Steps could not be excluded to go round for ever without it."""
    STATE = "state"
    """A state outside of it could not be excluded, for a property that is to hold always."""
    NUMBERS = "numbers"
    """It computes with numbers without bounds, and no condition that was looked at leads to it."""
    SIZE = "size"
    """Its smallest slice has too many states, or chooses among all numbers."""
    REFUSED = "refused"
    """It holds on a slice, but not all obligations of that proof could be discharged."""


class Gap(Struct, frozen=True):
    """The last slice on which a part of a goal was looked at, with the nearest state that is in the way."""

    part: e.Expr
    kind: Kind
    slice: Slice | None = None
    values: tuple[Value, ...] = ()
    """The state, a value for each column of the slice."""
    commands: tuple[int, ...] = ()
    """For a cycle, the commands of the system that could be among its steps."""


def gap_on_slice(goal: e.Expr, part: Slice, graph: StateGraph, bad: list[int], at_rest: bool) -> Gap:
    """The gap that a slice shows; `bad` are the states in which a run could stay without the goal."""
    if not bad:
        return Gap(goal, Kind.REFUSED, part)
    state = graph.states[bad[0]]
    if at_rest:
        return Gap(goal, Kind.REST, part, state)
    return Gap(goal, Kind.CYCLE, part, state, _going_round(part, graph, set(bad)))


def _going_round(part: Slice, graph: StateGraph, bad: Collection[int]) -> tuple[int, ...]:
    """The commands that lead from one of the states to another one of them."""
    steps = {command for state in bad for command, after in graph.edges[state] if after in bad}
    return tuple(sorted({origin for command in steps for origin in part.origins[command]}))
