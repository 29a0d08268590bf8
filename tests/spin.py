"""Spin as a referee: it counts the states of an export, and answers its questions.

Each export is translated to C and compiled once.  A claim that says nothing counts the states, the others answer.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from judge import Key
from reconcheck.export import promela
from reconcheck.export.system import System

DEPTHS = (20_000, 200_000, 4_000_000)
"""Steps that Spin goes at most before it gives up on a run; the next where nothing was found within so many."""
MEGABYTES = 6_000
LARGE = 10_000
"""States from which on a program that runs fast saves more than it takes to compile it."""
TOO_DEEP = "max search depth too small"
CUT = (TOO_DEEP, "out of memory", "memory limit", "Search not completed")
"""What a search says that was not completed; it may have found something nevertheless."""


class SpinError(Exception):
    """Spin, or the C compiler, did not do what it was asked for; the text is what they said."""


class OutOfTimeError(Exception):
    """A run took too long."""


class Seen(Struct, frozen=True):
    """What another checker says about an export."""

    states: int | None
    """How many states it stored; None where a step leaves a type, at which it stops."""
    holds: dict[str, bool]
    """The answer to each question, by name."""
    seconds: float
    deep: tuple[str, ...] = ()
    """Questions whose search went down to the first depth limit."""


def compiler(states: int) -> list[str]:
    """The C compiler for an export with about so many states: of few, compiling takes longer than searching."""
    if states > LARGE:
        return ["gcc", "-O1"]
    return ["tcc"] if shutil.which("tcc") is not None else ["gcc", "-O0"]


class Spin(Struct, frozen=True):
    """Explicit states, in a program in C that is made for each model."""

    name: str = "spin"
    title: str = "Spin"

    def missing(self) -> str | None:
        """How to get it, if it is not here."""
        absent = [program for program in ("spin", "gcc") if shutil.which(program) is None]
        return f"`{absent[0]}` is missing: apt-get install spin gcc tcc" if absent else None

    def version(self) -> str:
        """What it says of itself, and the C compilers."""
        told = subprocess.run(["spin", "-V"], capture_output=True, text=True, check=True).stdout
        found = [re.sub(r"Spin Version (\S+).*", r"Spin \1", told.strip())]
        for program, option in (("tcc", "-v"), ("gcc", "-dumpfullversion")):
            if shutil.which(program) is not None:
                said = subprocess.run([program, option], capture_output=True, text=True, check=True).stdout
                numbers = re.search(r"\d+(\.\d+)+", said)
                found.append(f"{program} {numbers[0] if numbers is not None else ''}".strip())
        return ", ".join(found)

    def files(self, system: System) -> dict[str, str]:
        """The export, as it gets it."""
        return promela.files(system)

    def stored(self, system: System, states: Sequence[Key]) -> int:
        """How many states it must store of an export with these reachable states."""
        return promela.stored(len(states))

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """Counts the states of an export that has about so many, and answers its questions.

        Raises `SpinError`, and `OutOfTimeError` if one run takes longer than that.
        """
        started = time.monotonic()
        ((name, text),) = self.files(system).items()
        (folder / name).write_text(text, encoding="utf-8")
        told = _run(["spin", "-a", "-o2", name], folder, seconds)
        if not (folder / "pan.c").is_file() or ", Error: " in told:
            raise SpinError(told)
        options = ["-w", "-DNOREDUCE", f"-DMEMLIM={MEGABYTES}", f"-DNFAIR={promela.fair_words(system)}"]
        options.append(f"-DVECTORSZ={promela.vector_size(system)}")
        told = _run([*compiler(states), *options, "-o", "pan", "pan.c"], folder, seconds)
        if not (folder / "pan").is_file():
            raise SpinError(told)
        search = ["./pan", f"-w{22 if states > LARGE else 18}", "-n", "-N"]
        told, _ = self._searched([*search, promela.EVERY_STATE], folder, seconds)
        stored = self._count(told)
        holds: dict[str, bool] = {}
        deep: list[str] = []
        claims = promela.claims(system)
        for question in system.questions if stored is not None else ():
            fair = ["-f"] if question.kind == "converges" else []
            told, was_deep = self._searched([*search, claims[question.name], "-a", *fair], folder, seconds)
            holds[question.name] = self._is_unbroken(told) != (question.kind == "reachable")
            if was_deep:
                deep.append(question.name)
        return Seen(stored, holds, time.monotonic() - started, tuple(deep))

    def _searched(self, command: list[str], folder: Path, seconds: float) -> tuple[str, bool]:
        """What a search says that goes as deep as it must, and whether that was to the first limit."""
        was_deep = False
        for depth in DEPTHS:
            told = _run([*command, f"-m{depth}"], folder, seconds)
            was_deep = was_deep or TOO_DEEP in told
            if TOO_DEEP not in told or "errors: 0" not in told:
                break
        return told, was_deep

    def _count(self, told: str) -> int | None:
        if "assertion violated" in told:
            return None
        found = re.search(r"(\d+) states, stored", told)
        if found is None or not self._is_unbroken(told):
            raise SpinError(told)
        return int(found[1])

    def _is_unbroken(self, told: str) -> bool:
        """Whether a search found nothing.  Raises `SpinError` for one that found nothing since it was cut somewhere."""
        found = re.search(r"errors: (\d+)", told)
        if found is None:
            raise SpinError(told)
        if found[1] == "0" and not any(words in told for words in CUT):
            return True
        if found[1] != "0" and ("acceptance cycle" in told or "assertion violated  !(" in told):
            return False
        raise SpinError(told)


def _run(command: list[str], folder: Path, seconds: float) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise OutOfTimeError(f"{command[0]} took longer than {seconds:.0f} s") from error
    return done.stdout + done.stderr
