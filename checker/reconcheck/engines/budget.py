"""How long and how far an engine may go, and who is told about it.  Nothing stops silently."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import replace

MOST_STATES = 2_000_000
"""States an explicit search keeps before it gives up with "unknown" (about 2 GB)."""


class Exhausted(Exception):
    """The budget is spent; the message says what was spent and how far it got.

    `reached` are the states that a search has seen by then, or the steps of which it has excluded all runs.
    """

    def __init__(self, message: str, reached: int = 0) -> None:
        super().__init__(message)
        self.reached = reached


class Budget(Struct):
    """Seconds and states.  `report` is called now and then with what is going on."""

    seconds: float | None = None
    states: int = MOST_STATES
    report: Callable[[str], None] = lambda _text: None
    started: float = field(default_factory=time.monotonic)
    share: float | None = None
    """Processor seconds, for an attempt that something else follows: how busy the machine is does not matter."""
    begun: float = field(default_factory=time.process_time)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        limits = [] if self.seconds is None else [self.seconds - self.spent]
        limits += [] if self.share is None else [self.share - (time.process_time() - self.begun)]
        return max(0.0, min(limits)) if limits else None

    def shared(self, share: float) -> Budget:
        """The same clock, and no more than a share of the work."""
        return replace(self, share=share, begun=time.process_time())

    def at_most(self, states: int) -> Budget:
        """The same clock with another number of states."""
        return replace(self, states=states)

    def check(self, doing: str, states: int = 0) -> None:
        """Raises `Exhausted` when time or states are used up, and reports otherwise."""
        if self.seconds is not None and self.spent > self.seconds:
            raise Exhausted(f"the time limit of {round(self.seconds, 2):g} s was reached while {doing}", states)
        if self.share is not None and time.process_time() - self.begun > self.share:
            raise Exhausted(f"{self.share:g} s of processor time were spent while {doing}", states)
        if states > self.states:
            raise Exhausted(f"more than {self.states:,} states while {doing}", states)
        self.report(doing)
