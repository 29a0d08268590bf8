"""How much work a diagnosis shares: questions that came up, and those of them that something was looked at for."""

from __future__ import annotations

from msgspec import Struct, field

from reconcheck.explain.diagnosis import Shared

LEVELS, NEEDS, SETS, REPAIRED = "levels", "wake-ups", "edits", "repairs"
PARTS = (LEVELS, NEEDS, SETS, REPAIRED)
"""What is counted apart, in the order in which a diagnosis does it."""


class Tally(Struct):
    """Counts by part: questions, and those that no earlier answer, run or state graph had answered already."""

    _asked: dict[str, int] = field(default_factory=dict)
    _looked: dict[str, int] = field(default_factory=dict)

    def count(self, part: str, asked: int, looked: int = 0) -> None:
        """So many more questions, and so many of which the answer was not there."""
        self._asked[part] = self._asked.get(part, 0) + asked
        self._looked[part] = self._looked.get(part, 0) + looked

    def add(self, other: Tally) -> None:
        """What somebody else has counted."""
        for part in other._asked:
            self.count(part, other.asked(part), other.looked(part))

    def asked(self, part: str) -> int:
        """Questions of a part."""
        return self._asked.get(part, 0)

    def looked(self, part: str) -> int:
        """Questions of a part for which something was looked at."""
        return self._looked.get(part, 0)

    def shared(self) -> tuple[Shared, ...]:
        """The counts of each part in which there was a question."""
        return tuple(Shared(part, self.asked(part), self.looked(part)) for part in PARTS if self.asked(part))
