"""TLC as a referee: it counts the states of an export, and answers its questions.  Needs a `tla2tools.jar`."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from judge import Key
from reconcheck.export import tla
from reconcheck.export.system import System
from reconcheck.model.types import OpaqueType
from spin import OutOfTimeError, Seen

BROKEN = ("is violated", "Temporal propert", "is equal to FALSE")
"""What TLC says where a property fails; the last of them of a formula that reads no variable."""
NO_STATISTICS = "NO_STATISTICS\n"
"""What TLC looks for in a file before it reports its use to its makers."""


class TLCError(Exception):
    """TLC did not do what it was asked for; the text is what it said."""


class TLC(Struct, frozen=True):
    """Explicit states, in Java; it is run once for each question."""

    jar: Path | None = None
    name: str = "tlc"
    title: str = "TLC"

    def missing(self) -> str | None:
        """How to get it, if it is not here."""
        if shutil.which("java") is None:
            return "`java` is missing: apt-get install default-jre-headless"
        if self.jar is None or not self.jar.is_file():
            return "give `--tlc-jar tla2tools.jar`, from https://github.com/tlaplus/tlaplus/releases"
        return None

    def version(self) -> str:
        """What it says of itself, when it is asked for help."""
        command = ["java", "-cp", str(self.jar), "tlc2.TLC", "-h"]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = re.search(r"TLC[^\n]*?(Version [\w.-]+)", told, re.IGNORECASE)
        return f"TLC {found[1]}" if found is not None else self.title

    def files(self, system: System) -> dict[str, str]:
        """The export, as it gets it."""
        return tla.files(system)

    def stored(self, system: System, states: Sequence[Key]) -> int:
        """How many states an export has with these reachable states: each renaming counts, and each with `calm`."""
        return 2 * renamed(system, states)

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """Counts the states of an export, and answers its questions.

        Raises `TLCError`, and `OutOfTimeError` if one run takes longer than that.
        """
        started = time.monotonic()
        module, *configurations = self.files(system).items()
        for name, text in (module, *configurations):
            (folder / name).write_text(text, encoding="utf-8")
        statistics = folder / ".tlaplus" / "esc.txt"
        statistics.parent.mkdir(exist_ok=True)
        statistics.write_text(NO_STATISTICS, encoding="utf-8")
        holds: dict[str, bool] = {}
        count: int | None = None
        for question, (name, _) in zip(system.questions, configurations, strict=True):
            told = self._run(folder, module[0], name, seconds)
            if "Invariant Types is violated" in told:
                return Seen(None, {}, time.monotonic() - started)
            unbroken = "No error has been found" in told
            if not unbroken and not any(words in told for words in BROKEN):
                raise TLCError(told)
            holds[question.name] = unbroken != (question.kind == "reachable")
            if unbroken or question.kind == "converges":  # else it stopped early
                count = int(re.findall(r"(\d+) distinct states found", told.replace(",", ""))[-1])
        if count is None:
            count = self._count(folder, module[0], configurations[0], seconds)
        return Seen(count, holds, time.monotonic() - started)

    def _count(self, folder: Path, module: str, configuration: tuple[str, str], seconds: float) -> int:
        asked = re.sub(r"^(PROPERTY|INVARIANT) (?!Types).*$", "", configuration[1], flags=re.MULTILINE)
        (folder / "count.cfg").write_text(asked, encoding="utf-8")
        told = self._run(folder, module, "count.cfg", seconds)
        return int(re.findall(r"(\d+) distinct states found", told.replace(",", ""))[-1])

    def _run(self, folder: Path, module: str, configuration: str, seconds: float) -> str:
        java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx3g", f"-Duser.home={folder}"]
        options = ["-lncheck", "final", "-noGenerateSpecTE", "-metadir", str(folder / "states")]
        command = [*java, "-cp", str(self.jar), "tlc2.TLC", *options, "-config", configuration, module]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise OutOfTimeError(f"TLC took longer than {seconds:.0f} s") from error
        return done.stdout + done.stderr


def renamed(system: System, states: Sequence[Key]) -> int:
    """How many states there are with all renamings of their opaque values, `none` apart."""
    opaque = [n for n, variable in enumerate(system.variables) if isinstance(variable.type, OpaqueType)]
    return sum(math.perm(system.opaque_values, len({key[n] for n in opaque} - {0})) for key in states)
