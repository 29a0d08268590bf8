"""Spin as a referee: it counts the states of an export, and answers its questions.

Each export is translated to C and compiled twice: to count states without any claim, and with the claims to answer.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from judge import Key
from reconcheck.export import promela
from reconcheck.export.system import System

DEEPEST = 4_000_000
"""Steps that Spin goes at most before it gives up on a run."""
MEGABYTES = 6_000
LARGE = 5_000
"""States from which on it pays to let the C compiler optimise."""


class SpinError(Exception):
    """Spin, or the C compiler, did not do what it was asked for; the text is what they said."""


class OutOfTimeError(Exception):
    """A run took too long."""


@dataclass(frozen=True)
class Seen:
    """What another checker says about an export."""

    states: int | None
    """How many states it stored; None where a step leaves a type, at which it stops."""
    holds: dict[str, bool]
    """The answer to each question, by name."""
    seconds: float


@dataclass(frozen=True)
class Spin:
    """Explicit states, in a program in C that is made for each model."""

    name: str = "spin"
    title: str = "Spin"

    def missing(self) -> str | None:
        """How to get it, if it is not here."""
        absent = [program for program in ("spin", "gcc") if shutil.which(program) is None]
        return f"`{absent[0]}` is missing: apt-get install spin gcc" if absent else None

    def version(self) -> str:
        """What it says of itself."""
        told = subprocess.run(["spin", "-V"], capture_output=True, text=True, check=True).stdout
        return told.strip()

    def stored(self, system: System, states: Sequence[Key]) -> int:
        """How many states it must store of an export with these reachable states."""
        return promela.stored(len(states))

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """Counts the states of an export that has about so many, and answers its questions.

        Raises `SpinError`, and `OutOfTimeError` if one run takes longer than that.
        """
        started = time.monotonic()
        ((name, text),) = promela.files(system).items()
        (folder / name).write_text(text, encoding="utf-8")
        told = _run(["spin", "-a", "-o2", name], folder, seconds)
        if not (folder / "pan.c").is_file() or ", Error: " in told:
            raise SpinError(told)
        options = ["-O2" if states > LARGE else "-O0", "-w", "-DNOREDUCE", f"-DMEMLIM={MEGABYTES}"]
        options.append(f"-DVECTORSZ={promela.vector_size(system)}")
        most = 10_000 + 2 * states * 3 * (len(system.units) + 3)  # with the claim and the copies for fairness
        depth = min(most, DEEPEST)
        stored = self._count(folder, options, depth, seconds)
        holds: dict[str, bool] = {}
        if stored is not None and system.questions:
            _compile(folder, "pan", [*options, f"-DNFAIR={promela.fair_words(system)}"], seconds)
            for question in system.questions:
                fair = ["-f"] if question.kind == "converges" else []
                claim = promela.claims(system)[question.name]
                none = self._is_unbroken(_pan(folder, "pan", ["-a", *fair, "-N", claim], depth, seconds))
                holds[question.name] = none != (question.kind == "reachable")
        return Seen(stored, holds, time.monotonic() - started)

    def _count(self, folder: Path, options: list[str], depth: int, seconds: float) -> int | None:
        _compile(folder, "count", [*options, "-DNOCLAIM", "-DSAFETY"], seconds)
        told = _pan(folder, "count", [], depth, seconds)
        if "assertion violated" in told:
            return None
        found = re.search(r"(\d+) states, stored", told)
        if found is None or not self._is_unbroken(told):
            raise SpinError(told)
        return int(found[1])

    def _is_unbroken(self, told: str) -> bool:
        """Whether a search found nothing.  Raises `SpinError` for a search that was cut somewhere."""
        found = re.search(r"errors: (\d+)", told)
        if found is None:
            raise SpinError(told)
        if found[1] != "0":
            if "acceptance cycle" in told or "assertion violated  !(" in told:
                return False
            raise SpinError(told)
        cut = ("max search depth too small", "out of memory", "memory limit", "Search not completed")
        if any(words in told for words in cut):
            raise SpinError(told)
        return True


def _compile(folder: Path, program: str, options: list[str], seconds: float) -> None:
    told = _run(["gcc", *options, "-o", program, "pan.c"], folder, seconds)
    if not (folder / program).is_file():
        raise SpinError(told)


def _pan(folder: Path, program: str, options: list[str], depth: int, seconds: float) -> str:
    return _run([f"./{program}", "-w20", f"-m{depth}", "-n", *options], folder, seconds)


def _run(command: list[str], folder: Path, seconds: float) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise OutOfTimeError(f"{command[0]} took longer than {seconds:.0f} s") from error
    return done.stdout + done.stderr
