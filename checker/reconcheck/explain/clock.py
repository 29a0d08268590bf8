"""How much of a time limit is left."""

from __future__ import annotations

import time

from msgspec import Struct, field


class Clock(Struct):
    """How much time is left."""

    seconds: float | None
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.seconds is None else max(0.0, self.seconds - (time.monotonic() - self.started))

    def past(self, part: float) -> bool:
        """Whether more than a part of the time is gone."""
        return self.seconds is not None and time.monotonic() - self.started > part * self.seconds
