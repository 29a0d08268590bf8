"""What the machine has, and what a run used of it."""

from __future__ import annotations

import gc
import os
import sys


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def working_folder() -> str:
    """The folder that relative paths start from; the root where it was taken away meanwhile."""
    try:
        return os.getcwd()
    except OSError:
        return os.sep


def collect_seldom() -> None:
    """Lets the garbage collector look for cycles seldom: what is made here hardly has any, and lives long."""
    gc.set_threshold(100_000, 50, 100)


def peak_memory() -> int | None:
    """Bytes that this process, or one of those that ended before, held in memory at most; None if nobody knows."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
