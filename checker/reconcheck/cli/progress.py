"""Progress on standard error, for what takes longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType

PATIENCE = 1.0
"""Seconds before anything is said."""


class Progress:
    """Shows what is going on: one changing line on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, what: str, started: float | None = None) -> None:
        self.what = what
        self.started = self.said = time.monotonic() if started is None else started
        self.terminal = sys.stderr.isatty()
        self.shown = False

    def __call__(self, doing: str) -> None:
        """Reports what is being done."""
        now = time.monotonic()
        pause = 0.2 if self.terminal else 10.0 if self.shown else PATIENCE
        if now - self.started < PATIENCE or now - self.said < pause:
            return
        self.said, self.shown = now, True
        text = f"{self.what}: {doing} ({now - self.started:.0f} s)"
        if self.terminal:
            sys.stderr.write(f"\r\033[K{text[:110]}")
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.shown and self.terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
