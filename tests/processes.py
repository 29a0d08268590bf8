"""The program as a process of its own: run to its end, or interrupted on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

where_copied = pytest.mark.skipif(sys.platform != "linux", reason="processes are started as copies there only")


def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker"), "NO_COLOR": "1"}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, **options}
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, text=True, **options)


def run(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    with ended(begin(*arguments)) as process:
        output, errors = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def verified(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return run("-m", "reconcheck", "verify", *arguments, timeout=timeout)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Ends what a failed test leaves behind."""
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def masked(text: str) -> str:
    """Without times and memory."""
    text = re.sub(r" *\d+\.\d+ s\b", " _ s", text)
    return re.sub(r"at most [\d,]+ MB", "at most _ MB", text)


def masked_json(text: str) -> object:
    varying = ("seconds", "peak_memory")
    return json.loads(text, object_hook=lambda found: {k: v for k, v in found.items() if k not in varying})


def living() -> dict[int, int]:
    """Every process that has not ended, with its parent."""
    if Path("/proc/self/stat").exists():
        rows = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ends just now
                rows.append([file.parent.name, *file.read_text().rpartition(")")[2].split()])
    else:
        command = ["ps", "-A", "-o", "pid=,stat=,ppid="]
        rows = [line.split() for line in subprocess.check_output(command, text=True).splitlines()]
    return {int(pid): int(parent) for pid, state, parent, *_ in rows if not state.startswith("Z")}


def children(parent: int) -> set[int]:
    """The processes that a process has started and that have not ended."""
    return {process for process, its_parent in living().items() if its_parent == parent}


def none_lives(processes: set[int]) -> bool:
    return not processes & living().keys()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it does not come about"
        time.sleep(0.1)


def at_work(process: subprocess.Popen[str], workers: int) -> set[int]:
    """The workers, once there are so many and they have had time to begin with a question."""
    until(lambda: len(children(process.pid)) == workers)
    time.sleep(2.0)
    return children(process.pid)
