"""NuSMV as a referee: it counts the states of an export, and answers its questions."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from judge import Key
from reconcheck.export import smv
from reconcheck.export.system import System
from spin import OutOfTimeError, Seen
from tlc import renamed


class NuSMVError(Exception):
    """NuSMV did not do what it was asked for; the text is what it said."""


class NuSMV(Struct, frozen=True):
    """Binary decision diagrams, with dynamic reordering."""

    program: str = "NuSMV"
    name: str = "nusmv"
    title: str = "NuSMV"

    def missing(self) -> str | None:
        """How to get it, if it is not here."""
        if shutil.which(self.program) is not None:
            return None
        return (
            f"`{self.program}` is missing: `sh tests/bench/build_nusmv.sh FOLDER` builds it, or get it from "
            "https://nusmv.fbk.eu; then give `--nusmv PROGRAM`"
        )

    def version(self) -> str:
        """What it says of itself."""
        with tempfile.TemporaryDirectory() as folder:
            told = self._source(Path(folder), ["quit"], 60).stdout
        found = re.search(r"This is (NuSMV [\w.-]+)", told)
        return found[1] if found is not None else self.title

    def files(self, system: System) -> dict[str, str]:
        """The export, as it gets it.  Raises `Unfit`."""
        return smv.files(system)

    def stored(self, system: System, states: Sequence[Key]) -> int:
        """How many states an export has with these reachable states: each renaming counts, and each with `calm`.

        NuSMV tells six digits only.
        """
        return int(float(f"{2 * renamed(system, states):g}"))

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """Counts the states of an export, and answers its questions.

        Raises `NuSMVError`, and `OutOfTimeError` if one run takes longer than that.
        """
        started = time.monotonic()
        ((name, text),) = self.files(system).items()
        (folder / name).write_text(text, encoding="utf-8")
        (folder / "states.smv").write_text(smv.unfair(system), encoding="utf-8")
        properties = smv.properties(system)
        asked = [*properties.values(), *([smv.OUTSIDE] if f"NAME {smv.OUTSIDE} " in text else [])]
        told = self._asked(folder, name, [f"check_property -P {one}" for one in asked], seconds)
        answers = dict(zip(asked, _answers(told), strict=True))
        holds = {
            question.name: answers[properties[question.name]] != (question.kind == "reachable")
            for question in system.questions
        }
        if not answers.get(smv.OUTSIDE, True):
            return Seen(None, {}, time.monotonic() - started)
        counted = self._asked(folder, "states.smv", ["print_reachable_states"], seconds)
        found = re.search(r"reachable states: ([0-9.e+]+)", counted)
        if found is None:
            raise NuSMVError(counted)
        return Seen(int(float(found[1])), holds, time.monotonic() - started)

    def _asked(self, folder: Path, name: str, commands: Sequence[str], seconds: float) -> str:
        script = [
            "set on_failure_script_quits",
            "set dynamic_reorder",
            f"read_model -i {name}",
            "go",
            *commands,
            "quit",
        ]
        try:
            done = self._source(folder, script, seconds)
        except subprocess.TimeoutExpired as error:
            raise OutOfTimeError(f"NuSMV took longer than {seconds:.0f} s") from error
        if done.returncode != 0:
            raise NuSMVError(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def _source(self, folder: Path, script: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """Runs a script.  Raises `TimeoutExpired`."""
        (folder / "commands").write_text("\n".join([*script, ""]), encoding="utf-8")
        return subprocess.run(
            [self.program, "-dcx", "-source", "commands"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _answers(told: str) -> list[bool]:
    """The answers in a text, in their order."""
    found = re.findall(r"^-- (?:specification|invariant) .* is (true|false)$", told, re.MULTILINE)
    return [answer == "true" for answer in found]
