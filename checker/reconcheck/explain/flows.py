"""Work on a model that several hands share: what there is to do, and who waits for what comes of it.

A flow is what has to be found out one after the other, such as the search for repairs.  It hands out pieces of work,
each time some that do not depend on each other, and goes on when all of these are done.  What comes of a piece depends
on the model and the piece only, and never on who did it, or what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field

from reconcheck.explain.verify import Verifier


class Piece(Protocol):
    """A piece of work: values that can be sent to another process."""

    def done(self, verifier: Verifier, seconds: float | None) -> Any:
        """What comes of it, within so many seconds; the verifier has the model."""


Flow = Generator[Sequence[Piece], Sequence[Any], Any]
"""Yields pieces of work, is sent what came of each, None for one that was not done, and returns what it was for."""

Seconds = Callable[[], float | None]
"""How much time is left; None without a limit."""


class Hands(Protocol):
    """Who does the work: this process, or others."""

    def __call__(self, flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
        """What the flows are for, each to its end."""


class Ticket(NamedTuple):
    """A piece of work with where it belongs."""

    flow: int
    number: int
    piece: Piece


class _Waiting(Struct):
    """A flow with the pieces that it waits for."""

    flow: Flow
    open: list[Ticket] = field(default_factory=list)
    """Those that nobody has taken."""
    taken: int = 0
    """How many somebody is at."""
    results: list[Any] = field(default_factory=list)
    ended: bool = False
    result: Any = None


class Board:
    """Flows, and who is at what."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.flows = [_Waiting(flow) for flow in flows]
        for number in range(len(self.flows)):
            self._go_on(number, None)

    @property
    def ended(self) -> bool:
        """Whether all flows have come to their end."""
        return all(one.ended for one in self.flows)

    @property
    def waiting(self) -> bool:
        """Whether there is something that nobody has taken."""
        return any(one.open for one in self.flows)

    @property
    def results(self) -> tuple[Any, ...]:
        """What the flows were for."""
        return tuple(one.result for one in self.flows)

    def take(self) -> Ticket | None:
        """Something to do, where possible in a flow that nobody is at, so that none is left for the end."""
        one = min((one for one in self.flows if one.open), key=lambda one: one.taken, default=None)
        if one is None:
            return None
        one.taken += 1
        return one.open.pop(0)

    def put(self, ticket: Ticket, result: Any) -> None:
        """What came of a piece; None where it was not done."""
        one = self.flows[ticket.flow]
        one.results[ticket.number] = result
        one.taken -= 1
        if not one.open and not one.taken:
            self._go_on(ticket.flow, one.results)

    def give_up(self) -> None:
        """What nobody has taken is not done."""
        while (ticket := self.take()) is not None:
            self.put(ticket, None)

    def _go_on(self, number: int, results: list[Any] | None) -> None:
        """A flow goes on to the next pieces that it needs, or to its end."""
        one = self.flows[number]
        try:
            pieces: Sequence[Piece] = ()
            while not pieces:
                pieces = next(one.flow) if results is None else one.flow.send(results)
                results = []
        except StopIteration as end:
            one.ended, one.result = True, end.value
            return
        one.open = [Ticket(number, place, piece) for place, piece in enumerate(pieces)]
        one.results = [None] * len(pieces)


def one_hand(verifier: Verifier) -> Hands:
    """Works in this process, on one piece after the other."""

    def hands(flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
        board = Board(flows)
        while (ticket := board.take()) is not None:
            left = seconds()
            board.put(ticket, None if left == 0.0 else ticket.piece.done(verifier, left))
        return board.results

    return hands
