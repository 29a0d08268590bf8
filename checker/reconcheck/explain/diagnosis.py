"""What to do: levels, necessity and repairs.  Data only; every report is rendered from it."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.explain.cause import Place
from reconcheck.explain.verdict import GOOD, Answer

LEVELS = ("events", "errors", "waits", "deadlines", "schedule")
"""What wakes the operator at each level, L0 to L4: each adds one class of wake-ups to those before."""

MOST_EDITS = 3
"""Edits of a repair, if nothing else is said."""


class Levels(Struct, frozen=True):
    """The answers to one goal, level by level."""

    goal: str
    answers: tuple[Answer, ...]
    """One a level, L0 to L4."""
    added: str = ""
    """The verdict with a schedule added where there is none; empty where that is not asked, or there is one already."""

    @property
    def lowest(self) -> int | None:
        """The lowest level with a good answer; None where no schedule helps, or where it is not known."""
        return next((level for level, answer in enumerate(self.answers) if answer.good), None)

    @property
    def fails(self) -> bool:
        """Whether the goal surely fails at every level, with the wake-ups that there are."""
        return bool(self.answers) and not any(answer.good or answer.verdict == "unknown" for answer in self.answers)

    @property
    def beyond(self) -> bool:
        """Whether the goal surely fails with a schedule for each controller as well: it is beyond any schedule."""
        return self.fails and self.added not in (*GOOD, "unknown")


class Need(Struct, frozen=True):
    """What a wake-up is good for: what happens to each goal when it alone is taken away."""

    kind: str
    """watch, wait, deadline, schedule, resync or backoff."""
    controller: str
    name: str
    span: Span
    needed: tuple[str, ...]
    """Goals that converge with it, and not without."""
    redundant: tuple[str, ...]
    """Goals that converge without it as well."""
    harmful: tuple[str, ...]
    """Goals that converge only without it, with its controller still running: to remove it mends them."""
    unknown: tuple[str, ...]
    """Goals for which it could not be told."""
    never_runs: bool | None
    """Whether its controller never runs without it; None where it could not be told."""
    wakes_converged: bool | None
    """Whether it goes on to wake an operator that has converged; None where it could not be told."""
    per_day: float | None
    """Wake-ups a day for each object that it costs a converged operator, from its period."""


class Edit(Struct, frozen=True):
    """A change to the text of a model: `text` instead of what stands at `span` (an empty span inserts)."""

    span: Span
    text: str


class Repair(Struct, frozen=True):
    """A change to the model after which the goals converge, or always hold, verified again."""

    title: str
    """What to do, such as "watch users via label app"."""
    edits: tuple[Edit, ...]
    patch: str
    """The same as a unified diff of the model."""
    goals: tuple[str, ...]
    """The goals that it mends."""
    level: int
    """The lowest level, from 0 to 4, at which they converge then."""
    places: tuple[Place, ...]
    """Where in the operator's code this belongs."""
    seconds: float
    notes: tuple[str, ...] = ()
    """What else is not as it was: expectations of goals that fail for other causes then."""
    always: tuple[str, ...] = ()
    """Those of the goals that always hold then; the others converge."""


class Absent(Struct, frozen=True):
    """A fault that is switched off, with what becomes of the goals that converge without it if it happens."""

    name: str
    needed: tuple[str, ...]
    """Goals that fail then, each with a replayed run: their proofs rest on its absence."""
    unneeded: tuple[str, ...]
    """Goals that converge then too, proved."""


class Pace(Struct, frozen=True):
    """How soon the schedule comes to a goal that converges with it only."""

    goal: str
    wake_ups: tuple[str, ...]
    """The scheduled wake-ups that it rests on, as `Scope.without` calls them."""
    every: bool
    """Whether it needs each of them; else each alone is enough."""
    seconds: float
    """The longest of their periods where it needs each, else the shortest."""


class Shared(Struct, frozen=True):
    """How many questions of one part of a diagnosis came up, and for how many of them something was looked at."""

    part: str
    asked: int
    looked: int


class Diagnosis(Struct, frozen=True):
    """Everything about one model beyond the verdicts."""

    levels: tuple[Levels, ...] = ()
    needs: tuple[Need, ...] = ()
    sufficient: tuple[tuple[str, ...], ...] = ()
    """The smallest sets of wake-ups with which every goal converges that converges at all."""
    most_reconciles: tuple[tuple[str, int | None], ...] = ()
    """Controller, and the largest number of its reconciles that one change can cost; None where there is no bound."""
    repairs: tuple[Repair, ...] = ()
    undecided: tuple[str, ...] = ()
    """What could not be told, each with the reason."""
    unrepaired: tuple[str, ...] = ()
    """The goals that diverge and that no repair mends, as far as repairs were looked for."""
    absent: tuple[Absent, ...] = ()
    """The faults that are switched off."""
    paces: tuple[Pace, ...] = ()
    """The goals that rest on the schedule, where it could be told on which part of it."""
    shared: tuple[Shared, ...] = ()
    """What was asked, part by part, and what an earlier answer, run or state graph had answered already."""
