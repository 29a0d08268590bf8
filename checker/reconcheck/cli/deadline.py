"""A time limit for what does not look at the clock by itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

AGAIN = 1.0
"""Seconds until it is tried once more: an exception can be lost, as in a destructor."""


class _TimeIsUp(BaseException):
    """Raised in the midst of whatever goes on; not an `Exception`, so that nothing there takes it for its own."""


def in_time(work: Callable[[], None], seconds: float | None) -> bool:
    """Does something; false where it was broken off after so many seconds.

    What it worked on is in no good state then.  Without signals, as on Windows, nothing is broken off.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        work()
        return True
    armed = True

    def ring(_number: int, _frame: object) -> None:
        if armed:
            raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        work()
        armed = False
    except _TimeIsUp:
        armed = False
        return False
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
    return True
