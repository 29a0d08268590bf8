"""`reconcheck import-trace`: counterexamples of Spin, NuSMV and TLC come back in the model's own terms.

Spin is run here.  What NuSMV and TLC printed is recorded (`record_traces.py`).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconcheck.cli.import_trace import command
from reconcheck.diagnostic import ModelError
from reconcheck.explain.trace import Trace
from reconcheck.export import promela
from reconcheck.export.replay import Imported, imported
from reconcheck.model.operator import Scope
from record_traces import ASKED, TRACES, system_of
from support import GOLDEN, read

RECORDED = sorted(path for path in TRACES.iterdir())
VERDICTS = {"same": "quiet", "settled": "livelock", "single": "fails", "both_at_once": "reachable"}
WATCH = TRACES / "missing-watch.same.tlc.txt"


def bring(text: str, name: str, goal: str | None = None, tool: str | None = None, level: int = 3) -> Imported:
    """The one trace in a text about a golden model."""
    operator = read(GOLDEN[0].with_name(f"{name}.rdsl"))
    goals = operator.goals if goal is None else (operator.goal(goal),)
    (found,) = imported(text, tool, operator, Scope(level), goals, None)
    return found


def actions(trace: Trace) -> list[str]:
    return [step.step.action for step in trace.steps]


def refused(text: str, name: str = "missing-watch", tool: str | None = None, level: int = 3) -> str:
    """Why a trace is refused, with its code."""
    with pytest.raises(ModelError) as caught:
        bring(text, name, tool=tool, level=level)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.instead
    return f"{diagnostic.code}: {diagnostic.message}"


# ---- what the checkers print -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_traces_are_replayed(path: Path) -> None:
    name, goal, *_ = path.name.split(".")
    text = path.read_text(encoding="utf-8")
    found = bring(text, name, goal)
    assert found.goal.name == goal
    assert found.verdict == VERDICTS[goal]
    assert found.tool == ("NuSMV" if "nusmv" in path.name else "TLC")
    assert (found.trace.loop is not None) == (found.verdict == "livelock")
    assert bring(text, name, goal, tool="nusmv" if "nusmv" in path.name else "tlc") == found


def test_each_model_is_recorded_with_both_tools() -> None:
    names = {path.name for path in RECORDED}
    assert {f"{name}.{goal}.{tool}.txt" for name, goal in ASKED for tool in ("nusmv", "tlc")} <= names
    assert {"missing-watch.same.nusmv.xml", "missing-watch.same.tlc-tool.txt"} <= names


def test_both_forms_of_a_trace_say_the_same() -> None:
    text, xml = (TRACES / f"missing-watch.same.nusmv.{end}" for end in ("txt", "xml"))
    assert actions(bring(text.read_text(), "missing-watch").trace) == actions(
        bring(xml.read_text(), "missing-watch").trace
    )


def by_spin(name: str, goal: str, folder: Path, *show: str) -> str:
    """What Spin prints about its counterexample."""
    system = system_of(name, goal)
    ((file, text),) = promela.files(system).items()
    (folder / file).write_text(text, encoding="utf-8")
    fair = ["-f"] if goal in ("same", "settled") else []
    for run in (
        ["spin", "-a", file],
        ["gcc", "-O0", "-w", "-DNOREDUCE", f"-DNFAIR={promela.fair_words(system)}", "-o", "pan", "pan.c"],
        ["./pan", "-a", *fair, "-m100000", "-N", promela.claims(system)[goal]],
    ):
        subprocess.run(run, cwd=folder, capture_output=True, check=True)
    shown = [part.replace("FILE", file) for part in show]
    return subprocess.run(shown, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(("name", "goal"), ASKED)
def test_traces_of_spin_are_replayed(name: str, goal: str, tmp_path: Path) -> None:
    told = by_spin(name, goal, tmp_path, "spin", "-t", "-p", "FILE")
    found = bring(told, name, goal)
    assert found.tool == "Spin"
    assert found.verdict == VERDICTS[goal]


def test_the_replay_of_pan_is_read_as_well(tmp_path: Path) -> None:
    found = bring(by_spin("self-trigger", "settled", tmp_path, "./pan", "-r"), "self-trigger")
    assert found.verdict == "livelock"


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_a_text_without_a_trace() -> None:
    assert refused("Model checking completed. No error has been found.\n").startswith("RC701")
    for tool in ("spin", "nusmv", "tlc"):
        assert refused("nothing\n", tool=tool).startswith("RC701")
    assert refused("<counter-example><node></counter-example>").startswith("RC701: the trace is not well-formed XML")
    assert "without a `<state>`" in refused('<counter-example type="0"></counter-example>')


def test_a_trace_of_another_model() -> None:
    text = WATCH.read_text()
    assert refused(text, "self-trigger").startswith("RC702")
    assert "no action `rotate_it`" in refused(text.replace("disturbance_rotate", "rotate_it"))
    assert '"line 99" is not a value' in refused(text.replace('"line 16"', '"line 99"'))
    assert "does not tell `stale(users)`" in refused(text.replace("/\\ stale_users = FALSE\n", ""))
    nusmv = (TRACES / "missing-watch.same.nusmv.txt").read_text()
    assert "no step `leap`" in refused(nusmv.replace("step = calm_begins", "step = leap"))
    begun = "[begin] any0=1\n[{}] disturbance rotate any0=x\n"
    system = system_of("missing-watch", "same")
    rotate = next(number for number, action in enumerate(system.actions) if action.name == "disturbance rotate")
    assert refused(begun.format(rotate)) == "RC702: `x` is no number, and was chosen for `any0`"
    assert "`many` is no number" in refused(nusmv.replace("users_password = 3", "users_password = many"))


def test_a_trace_of_another_scope_is_refused_where_it_differs() -> None:
    """With the schedule there is a resync: what was the end is none."""
    assert refused(WATCH.read_text(), level=4).endswith("shows nothing: same: not quiet: resync app: app")


def test_a_first_state_that_is_none() -> None:
    begun = WATCH.read_text().replace("queued_app = TRUE", "queued_app = FALSE", 1)
    message = refused(begun)
    assert message.startswith("RC703: state 1 of the trace is no first state of the model")
    assert "queued(app) should be True and is False in the trace" in message


def test_a_step_that_leads_elsewhere() -> None:
    before, begun, after = WATCH.read_text().partition("<start_app")
    message = refused(before + begun + after.replace('"line 16"', '"line 18"', 1))
    assert " of the trace cannot be reached on the reference interpreter: start app does not lead there" in message
    assert "pc(app) should be line 16 and is line 18 in the trace" in message


def test_a_step_that_is_not_possible() -> None:
    text = WATCH.read_text()
    parts = re.split(r"(?=^State \d+: )", text, flags=re.MULTILINE)
    number = next(n for n, part in enumerate(parts) if "<start_app" in part)
    message = refused("".join(parts[:number] + parts[number + 1 :]))
    assert message.startswith("RC703")
    assert "is not possible there; possible: " in message


def test_a_trace_that_ends_before_it_shows_anything() -> None:
    parts = re.split(r"(?=^State \d+: )", WATCH.read_text(), flags=re.MULTILINE)
    assert refused("".join(parts[:4])).startswith("RC704: the trace was replayed to its end, and shows nothing: same")


def test_a_step_of_spin_that_is_not_possible(tmp_path: Path) -> None:
    told = by_spin("missing-watch", "same", tmp_path, "spin", "-t", "-p", "FILE")
    begun = told.index("[begin]")
    line = re.search(r"^ *\[\d+\] reconcile app: await.*\n", told, re.MULTILINE)
    assert line is not None
    early = told[:begun] + told[begun:].replace("\n", f"\n{line[0]}", 1)
    assert refused(early).startswith("RC703: step 1 of the trace, reconcile app: await change (L18), is not possible")
    other = told.replace("] start app", "] start another")
    assert "`start another` in the trace, and `start app` in the export" in refused(other)
    assert "does not tell what was chosen" in refused(re.sub(r"(rotate) any0=\d", r"\1", told))


# ---- the command -----------------------------------------------------------------------------------------------------


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(command, list(arguments), input=stdin, standalone_mode=False)


def test_the_command_shows_the_trace() -> None:
    model = str(GOLDEN[0].with_name("missing-watch.rdsl"))
    shown = run(str(WATCH), "--model", model)
    assert shown.return_value == 1
    assert shown.output.startswith("same: quiet but not converged, without schedule; found by TLC\n")
    assert "NO: nothing watches" in shown.output
    assert "checked: replayed step by step on the reference interpreter" in shown.output
    assert run("-", "--model", model, "--from", "tlc", stdin=WATCH.read_text()).output == shown.output


def test_a_witness_is_no_failure() -> None:
    model, trace = GOLDEN[0].with_name("blue-green.rdsl"), TRACES / "blue-green.both_at_once.tlc.txt"
    asked = ("--model", str(model), "--goal", "both_at_once")
    assert run(str(trace), *asked).return_value == 0
    assert isinstance(run("nowhere.txt", *asked).exception, ModelError)
