"""What an answer "unknown" lacks: what was proved, what is open and why, and how far each search got.  Data only."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.model.types import Value
from reconcheck.semantics.steps import Step


class Way(Struct, frozen=True):
    """A step of the model, with how many more are like it, for other elements of arrays."""

    step: Step
    line: int | None
    more: int = 0


class Doubt(Struct, frozen=True):
    """Why a part of the goal is open: what the last abstraction that was looked at does not exclude."""

    part: str
    kind: str
    """rest, cycle, state, numbers, size or refused (`engines.gaps`)."""
    values: tuple[tuple[str, Value], ...] = ()
    """Fields in a state that could not be excluded; of a number without bounds, 0, or `n1`, `n2`... for any others."""
    steps: tuple[Way, ...] = ()
    """For a cycle, what could be among its steps."""
    seen: int = 0
    """How many variables the abstraction keeps; 0 where there was none."""
    blurred: tuple[str, ...] = ()
    """Conditions of the model on what it keeps that it cannot tell: they compare numbers without bounds."""


class Unbounded(Struct, frozen=True):
    """A field that can become any number, which makes the state graph infinite."""

    field: str
    line: int | None
    type: str
    chosen: bool
    """Whether the steps choose it among all numbers, or else count on and on."""
    steps: tuple[Way, ...]
    """None where it is chosen at first."""
    more: int = 0
    """How many fields are like it, of other elements of arrays."""


class Effort(Struct, frozen=True):
    """How far a search got."""

    engine: str
    seconds: float
    """Of processor time."""
    reached: int = 0
    """States that it saw; for proofs, slices that were looked at; for bounded search, steps of which it excluded all
    shorter runs that end at rest without the goal, or where the property is false."""
    steps: int = 0
    """For a state graph that is not whole: no run of up to so many steps was left out."""
    left_out: str = ""
    """Why it was not tried at all."""


class Missing(Struct, frozen=True):
    """What would have been needed for an answer."""

    proved: tuple[str, ...] = ()
    """Parts of the goal that were proved."""
    open: tuple[str, ...] = ()
    """Parts that were neither proved nor refuted."""
    untried: tuple[str, ...] = ()
    """Parts that come after an open one, and were not looked at."""
    doubt: Doubt | None = None
    settles: bool | None = None
    """Whether it is proved that every run comes to rest, whatever the goal; None where that was not found out."""
    again: tuple[Way, ...] = ()
    """Steps for which nothing was found that they use up: they could happen again and again."""
    unbounded: tuple[Unbounded, ...] = ()
    searched: tuple[Effort, ...] = ()
    advice: tuple[str, ...] = ()
