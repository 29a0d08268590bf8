"""Runs a command as a process of its own and says what it took."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

from msgspec import Struct

Clock = Literal["wall", "processor"]

PATIENCE = 10
"""Wall time that a run may take where its limit is on processor time, in times of that limit."""

LONGEST_PAUSE = 0.05
"""Seconds between two looks at a running process; short runs are looked at more often."""


class Limit(Struct, frozen=True):
    """What a run may take: seconds on a clock, and gigabytes of address space, where those are limited."""

    seconds: float
    clock: Clock = "wall"
    gigabytes: float | None = None

    @property
    def wall(self) -> float:
        """Seconds of wall time that a run may take."""
        return self.seconds if self.clock == "wall" else self.seconds * PATIENCE


class Run(Struct, frozen=True):
    """What a process did, with all that it started."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds of user and system time."""
    megabytes: float
    """The largest resident set of any of its processes; not below that of this program, from which it was forked."""
    code: int | None
    """The exit code, negative for a signal; None if it was stopped at the limit."""
    output: str
    errors: str

    def seconds(self, clock: Clock) -> float:
        """What it took on a clock."""
        return self.wall if clock == "wall" else self.processor


def run(command: Sequence[str], limit: Limit, folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command in a folder, and stops it with all its children when the limit is reached."""
    restricted = ["sh", "-c", "\n".join([*_restrictions(limit), f"exec {shlex.join(command)}"])]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.monotonic()
        process = subprocess.Popen(
            restricted,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        stopped = False
        ended, usage = None, None
        try:
            while ended is None:
                taken = time.monotonic() - begun
                if taken > limit.wall and not stopped:
                    os.killpg(process.pid, signal.SIGKILL)
                    stopped = True
                time.sleep(min(LONGEST_PAUSE, 0.001 + taken / 100))
                pid, status, found = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    ended, usage = status, found
        finally:
            if ended is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        wall = time.monotonic() - begun
        assert ended is not None
        assert usage is not None
        process.returncode = code = os.waitstatus_to_exitcode(ended)
        processor = usage.ru_utime + usage.ru_stime
        return Run(
            wall=wall,
            processor=processor,
            megabytes=usage.ru_maxrss / 1024,
            code=None if stopped or _out_of_processor_time(limit, processor, code) else code,
            output=_text(output),
            errors=_text(errors),
        )


def _restrictions(limit: Limit) -> list[str]:
    lines = []
    if limit.gigabytes is not None:
        lines.append(f"ulimit -v {int(limit.gigabytes * 1024 * 1024)}")
    if limit.clock == "processor":
        lines.append(f"ulimit -t {max(1, round(limit.seconds))}")
    return lines


def _out_of_processor_time(limit: Limit, processor: float, code: int) -> bool:
    """Whether the system stopped the process, or a shell tells that it stopped one of its children."""
    signals = (signal.SIGXCPU, signal.SIGKILL)
    return (
        limit.clock == "processor"
        and processor >= limit.seconds * 0.9
        and code in [told for number in signals for told in (-number, 128 + number)]
    )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
