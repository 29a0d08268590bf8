"""Other checkers: how each is run on the small operator of `peer_models`, and what its output says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from . import peer_models
from .measure import Limit, Run, run
from .peer_models import Instance

CONVERGES, QUIET = "converges", "quiet"
"""The two questions: the whole goal; or only that nothing comes to rest without it, which is much easier."""


class Answer(Struct, frozen=True):
    """What a checker said, and what it took."""

    verdict: str
    """`holds`, `fails` or `unknown`."""
    states: int | None
    """How many states it says it stored."""
    run: Run


class Peer(Protocol):
    """A checker on the command line."""

    @property
    def name(self) -> str:
        """As the results call it."""

    def missing(self) -> str | None:
        """How to get it, if it is not here."""

    def versions(self) -> dict[str, str]:
        """Its version, and those of what it needs."""

    def ask(self, instance: Instance, question: str, folder: Path, limit: Limit) -> Answer:
        """Writes the model into a folder, and runs the checker there."""


class Spin(Struct, frozen=True):
    """Explicit states, by a program in C that is written and compiled for each model.  Weak fairness is Spin's own."""

    name: str = "Spin"

    def missing(self) -> str | None:
        return None if shutil.which("spin") and shutil.which("gcc") else "apt-get install spin gcc"

    def versions(self) -> dict[str, str]:
        return {
            "Spin": _found(r"Spin Version (\S+)", _told("spin", "-V")),
            "gcc": _told("gcc", "-dumpfullversion").strip(),
        }

    def ask(self, instance: Instance, question: str, folder: Path, limit: Limit) -> Answer:
        (folder / "model.pml").write_text(peer_models.promela(instance, question), encoding="utf-8")
        fair = instance.size // 4 + 3  # k are enough for 4k - 2 processes
        options, flags = ("-DSAFETY", "") if question == QUIET else (f"-DNFAIR={fair}", "-a -f")
        steps = [
            "spin -a model.pml",
            f"gcc -O2 -w {options} -DVECTORSZ={1024 + 32 * instance.size} -o pan pan.c",
            f"./pan {flags} -n -m1000000",
        ]
        result = run(["sh", "-c", " && ".join(steps)], limit, folder)
        return Answer(self.verdict(result.output), _number(r"(\d+) states, stored", result.output), result)

    def verdict(self, output: str) -> str:
        """What the output says.  A search that was cut somewhere proves nothing."""
        cut = ("max search depth too small", "out of memory", "memory limit", "Search not completed")
        found = re.search(r"errors: (\d+)", output)
        if found is None:
            return "unknown"
        if found[1] != "0":
            return "fails" if "assertion violated" in output or "acceptance cycle" in output else "unknown"
        return "unknown" if any(words in output for words in cut) else "holds"


class NuSMV(Struct, frozen=True):
    """Binary decision diagrams, with dynamic reordering."""

    program: str = "NuSMV"
    name: str = "NuSMV"

    def missing(self) -> str | None:
        if shutil.which(self.program):
            return None
        return (
            "`sh tests/bench/build_nusmv.sh FOLDER` builds it (or get it from https://nusmv.fbk.eu); "
            "then give --nusmv PROGRAM"
        )

    def versions(self) -> dict[str, str]:
        return {"NuSMV": _found(r"NuSMV[ -]([0-9.]+)", _told(self.program, "-h"))}

    def ask(self, instance: Instance, question: str, folder: Path, limit: Limit) -> Answer:
        (folder / "model.smv").write_text(peer_models.smv(instance, question), encoding="utf-8")
        result = run([self.program, "-dynamic", "model.smv"], limit, folder)
        return Answer(self.verdict(result.output), None, result)

    def verdict(self, output: str) -> str:
        """What the output says."""
        found = re.search(r"^-- (?:specification|invariant) .* is (true|false)$", output, re.MULTILINE)
        return "unknown" if found is None else "holds" if found[1] == "true" else "fails"


class TLC(Struct, frozen=True):
    """Explicit states, in Java.  Needs a `tla2tools.jar` of the user's own."""

    jar: Path | None
    name: str = "TLC"

    def missing(self) -> str | None:
        if not shutil.which("java"):
            return "apt-get install default-jre-headless, and give --tlc-jar tla2tools.jar"
        if self.jar is None or not self.jar.is_file():
            return "give --tlc-jar tla2tools.jar, from https://github.com/tlaplus/tlaplus/releases"
        return None

    def versions(self) -> dict[str, str]:
        return {
            "TLC": _found(r"TLC2 Version (\S+)", _told("java", "-cp", str(self.jar), "tlc2.TLC")),
            "Java": _found(r'version "([^"]+)"', _told("java", "-version")),
        }

    def ask(self, instance: Instance, question: str, folder: Path, limit: Limit) -> Answer:
        (folder / "Fanout.tla").write_text(peer_models.tla(instance), encoding="utf-8")
        (folder / "Fanout.cfg").write_text(peer_models.tla_configuration(question), encoding="utf-8")
        statistics = folder / ".tlaplus" / "esc.txt"
        statistics.parent.mkdir(exist_ok=True)
        statistics.write_text("NO_STATISTICS\n", encoding="utf-8")  # else TLC reports its use to its makers
        java = ["java", "-XX:+UseParallelGC", f"-Duser.home={folder}"]
        if limit.gigabytes is not None:
            java.append(f"-Xmx{int(limit.gigabytes * 1024)}m")
        options = ["-workers", "auto", "-lncheck", "final", "-noGenerateSpecTE", "-metadir", str(folder)]
        command = [*java, "-cp", str(self.jar), "tlc2.TLC", *options, "-config", "Fanout.cfg", "Fanout.tla"]
        # a Java virtual machine reserves more address space than it uses, and has a limit of its own
        result = run(command, replace(limit, gigabytes=None), folder)
        states = _number(r"(\d+) distinct states found", result.output.replace(",", ""))
        return Answer(self.verdict(result.output), states, result)

    def verdict(self, output: str) -> str:
        """What the output says."""
        if re.search(r"Invariant Quiet is violated|Temporal propert(y Converges was|ies were) violated", output):
            return "fails"
        return "holds" if "Model checking completed. No error has been found." in output else "unknown"


def _told(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout + told.stderr


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else "unknown"


def _number(pattern: str, text: str) -> int | None:
    """The last number of that form in a text."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else None
