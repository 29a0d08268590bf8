"""Records what NuSMV and TLC print about their counterexamples, for `test_import_trace.py`.

    python tests/record_traces.py --nusmv PROGRAM --tlc-jar tla2tools.jar

Run it with the `checker` folder on `PYTHONPATH`, or with reconcheck installed, when the exports have changed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from nusmv import NuSMV
from reconcheck.export import smv, tla
from reconcheck.export.system import System, build
from reconcheck.model.operator import Scope
from support import GOLDEN, TESTS, read
from tlc import TLC

TRACES = TESTS / "traces"
ASKED = (
    ("missing-watch", "same"),
    ("self-trigger", "settled"),
    ("blue-green", "single"),
    ("blue-green", "both_at_once"),
)
"""Golden models, each with a question that has a counterexample or a witness."""
AFTER = r"(@!@!@STARTMSG (2199|2201|2267)|Finished |Progress|\d[\d,]* states generated)"
"""How a line begins that stands behind TLC's trace."""
XML, TOOL = "missing-watch", "missing-watch"
"""Those that are recorded in the other form of the tool as well."""


def system_of(name: str, goal: str) -> System:
    """The golden model of that name, with that question, without schedule."""
    operator = read(GOLDEN[0].with_name(f"{name}.rdsl"))
    return build(operator, Scope(), (operator.goal(goal),))


def by_nusmv(program: str, system: System, form: int) -> str:
    """What NuSMV prints; form 4 is XML."""
    with tempfile.TemporaryDirectory() as folder:
        ((name, text),) = smv.files(system).items()
        (Path(folder) / name).write_text(text, encoding="utf-8")
        commands = [f"set default_trace_plugin {form}", f"read_model -i {name}", "go", "check_property", "quit", ""]
        (Path(folder) / "commands").write_text("\n".join(commands), encoding="utf-8")
        command = [program, "-dynamic", "-source", "commands"]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return told[told.index("-- ") :]


def by_tlc(jar: Path, system: System, *options: str) -> str:
    """What TLC prints about a counterexample, without what is about the machine."""
    with tempfile.TemporaryDirectory() as folder:
        module, (configuration, _) = tla.files(system).items()
        for name, text in tla.files(system).items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        command = ["java", f"-Duser.home={folder}", "-cp", str(jar), "tlc2.TLC", "-noGenerateSpecTE", *options]
        command += ["-fp", "0", "-seed", "0", "-config", configuration, module[0]]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    found = re.search(rf"^(@!@!@STARTMSG 21\d\d:1|Error: ).*?violated.*?(?=^{AFTER})", told, re.MULTILINE | re.DOTALL)
    assert found is not None, told
    return found[0]


def main() -> int:
    """Writes the recordings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--nusmv", default="NuSMV", metavar="PROGRAM", help="where NuSMV is")
    parser.add_argument("--tlc-jar", type=Path, metavar="FILE", help="a `tla2tools.jar`")
    arguments = parser.parse_args()
    for missing in (NuSMV(arguments.nusmv).missing(), TLC(arguments.tlc_jar).missing()):
        if missing is not None:
            print(missing, file=sys.stderr)
            return 2
    for name, goal in ASKED:
        system = system_of(name, goal)
        recordings = {"nusmv.txt": by_nusmv(arguments.nusmv, system, 1), "tlc.txt": by_tlc(arguments.tlc_jar, system)}
        if name == XML:
            recordings["nusmv.xml"] = by_nusmv(arguments.nusmv, system, 4)
        if name == TOOL:
            recordings["tlc-tool.txt"] = by_tlc(arguments.tlc_jar, system, "-tool")
        for end, text in recordings.items():
            (TRACES / f"{name}.{goal}.{end}").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
