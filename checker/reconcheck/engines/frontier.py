"""Which of the states reached is followed next: three orders in turns."""

from __future__ import annotations

from heapq import heappop, heappush

TURNS = ("near", "fresh", "near", "stale")
"""Which order has its turn, over and over."""
DEPARTURE = 3
"""Steps of distance for which one departure from the scheduler is worth it."""


class Frontier:
    """States to be followed, each once.

    *Near* first are those that a pattern says are few steps from trouble, departures counted as steps.  *Fresh*
    are those to which the way shows the goal's variables something new, *stale* the others: of both, those with
    the fewest departures first, and the newest of them.
    """

    def __init__(self) -> None:
        self._near: list[tuple[int, int, int]] = []
        self._fresh: list[list[int]] = []
        self._stale: list[list[int]] = []
        self._taken: set[int] = set()
        self._turn = 0

    def add(self, number: int, departures: int, fresh: bool, distance: int | None) -> None:
        """Adds a state; `distance` is None where trouble other than a quiet state is looked for."""
        if distance is not None:
            heappush(self._near, (distance + DEPARTURE * departures, departures, -number))
        stacks = self._fresh if fresh else self._stale
        stacks += [[] for _ in range(departures + 1 - len(stacks))]
        stacks[departures].append(number)

    def take(self) -> tuple[int, bool] | None:
        """The state to follow next, and whether it counts as fresh; None where all have been followed."""
        for _ in TURNS:
            which = TURNS[self._turn % len(TURNS)]
            self._turn += 1
            number = self._nearest() if which == "near" else self._newest(which == "fresh")
            if number is not None:
                self._taken.add(number)
                return number, which != "stale"
        return None

    def _nearest(self) -> int | None:
        while self._near:
            number = -heappop(self._near)[2]
            if number not in self._taken:
                return number
        return None

    def _newest(self, fresh: bool) -> int | None:
        for stack in self._fresh if fresh else self._stale:
            while stack:
                number = stack.pop()
                if number not in self._taken:
                    return number
        return None
