"""Several operators in one model: each has a cache, a memory, timers, a runtime and a crash of its own."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hand_made import run
from reconcheck.certify.certificates import Judge, issue
from reconcheck.certify.solvers import Z3
from reconcheck.diagnostic import ModelError
from reconcheck.explain.repairs import repairs
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.managers import Manager, live_name, subject
from reconcheck.model.operator import Loaded, Scope
from reconcheck.model.runtimes import PROFILES
from reconcheck.model.types import Value
from reconcheck.render.text import Paint, render_report
from reconcheck.report.document import document
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.layout import layout
from support import TESTS, disagreement, read

SCHEMA = json.loads((TESTS.parent / "spec" / "report.schema.json").read_text())
GOLDEN = TESTS / "golden"

TWO = """rdsl 1
system two {
  primary App as app { spec.size: 0..1 = 0  status.size: 0..1 = 0 }
  clock time { now: 0..1 = 0 }

  operator east {
    runtime controller-runtime 0.24
    memory { seen: bool = false }
    controller first for app {
      watch app on spec
      reconcile {
        when app.spec.size == 1 { remember memory.seen = true }
        requeue east_due when time.now >= 1
      }
    }
  }
  operator west {
    runtime kopf
    memory { seen: bool = false }
    controller second for app {
      watch app
      reconcile {
        when app.spec.size == 1 and not memory.seen { remember memory.seen = true }
        update app.status.size = app.spec.size on conflict { requeue west_due after 5s }
        requeue west_due after 5s
      }
    }
  }

  environment {
    disturbance grows when app.spec.size < 1 { app.spec.size = 1 }
    process tick when time.now < 1 { time.now = 1 }
  }
  converges { known: memory.east.seen and memory.west.seen implies app.spec.size == 1  told: app.status.size == 1 }
}
"""
"""Two operators that remember and wait."""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, old: str, new: str) -> list[str]:
    """The codes and messages that a change of the model gives."""
    assert old in TWO
    with pytest.raises(ModelError) as caught:
        load(written(tmp_path, TWO.replace(old, new, 1)))
    return [f"{one.code} {one.message}; {one.instead}" for one in caught.value.diagnostics]


# ---- names -------------------------------------------------------------------------------------------------------


def test_each_process_has_its_own_copies_and_its_own_steps(tmp_path: Path) -> None:
    operator = load(written(tmp_path, TWO)).operator
    names = {variable.name for variable in layout(operator, Scope()).variables}
    assert {f"{kind}({place}: app)" for kind in ("stale",) for place in ("east", "west")} <= names
    assert {"view(east: app.spec.size)", "view(west: app.spec.size)", "memory.east.seen", "memory.west.seen"} <= names
    assert {"pc(first)", "timer(second)", "event(first: app)"} <= names
    interpreter = Interpreter(operator, Scope(level=4))
    steps = {step.action for step, _ in interpreter.successors(next(interpreter.initial()))}
    assert {"start first", "start second"} <= steps


def test_one_process_has_no_name(tmp_path: Path) -> None:
    names = {v.name for v in layout(read(GOLDEN / "handover.rdsl"), Scope()).variables}
    assert "view(sts.exists)" in names
    assert not any(": " in name for name in names if not name.startswith(("event(", "held(", "registered(")))


@pytest.mark.parametrize("name", ["", "east"])
def test_names_lead_back_to_what_they_are_made_of(name: str) -> None:
    manager = Manager(name, PROFILES[0])
    assert live_name(manager.view("pods[0].status.ready")) == "pods[0].status.ready"
    assert live_name("app.spec.size") == "app.spec.size"
    assert [subject(step) for step in (manager.sync("x"), manager.relist("x"), manager.relist_page("x"))] == [
        (name, "x")
    ] * 3


# ---- what is one's own -------------------------------------------------------------------------------------------


def both_busy(interpreter: Interpreter) -> dict[str, Value]:
    """A state in which both operators have a timer, a memory and a lagging cache."""
    state = next(interpreter.initial())
    state |= {"timer(first)": "east_due", "timer(second)": "west_due", "queued(first)": False, "queued(second)": False}
    state |= {"memory.east.seen": True, "memory.west.seen": True, "stale(east: app)": True, "stale(west: app)": True}
    return state | {"app.spec.size": 1, "event(first: app)": True, "event(second: app)": True}


def after(interpreter: Interpreter, state: dict[str, Value], action: str) -> dict[str, Value]:
    (found,) = [then for step, then in interpreter.successors(state, action) if step.action == action]
    return {name: value for name, value in found.items() if value != state[name]}


def test_a_crash_is_one_of_a_process(tmp_path: Path) -> None:
    """It leaves timers, memory, queue and cache of the other one alone; each by the runtime that it has."""
    interpreter = Interpreter(load(written(tmp_path, TWO)).operator, Scope())
    state = both_busy(interpreter)
    assert after(interpreter, state, "crash east") == {
        "timer(first)": "none",
        "queued(first)": True,
        "memory.east.seen": False,
        "view(east: app.spec.size)": 1,
        "stale(east: app)": False,
        "event(first: app)": False,
    }
    assert after(interpreter, state, "crash west") == {  # kopf keeps its timers
        "queued(second)": True,
        "memory.west.seen": False,
        "view(west: app.spec.size)": 1,
        "stale(west: app)": False,
        "event(second: app)": False,
    }


@pytest.mark.parametrize("verb", ["sync", "relist"])
def test_a_cache_catches_up_alone(verb: str, tmp_path: Path) -> None:
    interpreter = Interpreter(load(written(tmp_path, TWO)).operator, Scope())
    changed = after(interpreter, both_busy(interpreter), f"{verb} east: app")
    assert changed == {
        "view(east: app.spec.size)": 1,
        "stale(east: app)": False,
        "event(first: app)": False,
        "queued(first)": True,
        "timer(first)": "none",  # consumed by the event
    }


def test_a_change_is_one_for_every_cache(tmp_path: Path) -> None:
    interpreter = Interpreter(load(written(tmp_path, TWO)).operator, Scope())
    changed = after(interpreter, next(interpreter.initial()), "disturbance grows")
    assert {name for name in changed if "(" in name} == {
        "stale(east: app)",
        "stale(west: app)",
        "event(first: app)",
        "event(second: app)",
    }


@pytest.mark.parametrize("level", range(5))
def test_both_meanings_agree(level: int, tmp_path: Path) -> None:
    assert disagreement(load(written(tmp_path, TWO)).operator, Scope(level=level), 300) is None


def test_each_has_the_reads_of_its_runtime(tmp_path: Path) -> None:
    """kube-rs reads through the cache what one of its controllers is for, whatever it is to the others."""
    text = TWO.replace("primary App", "resource ConfigMap as more { data: bool }\n  primary App")
    text = text.replace("kopf", "kube-rs").replace("watch app\n", "watch app\n      on error backoff\n")
    objects = load(written(tmp_path, text)).operator.objects
    assert objects["app"].cached == {"east", "west"}
    assert objects["more"].cached == {"east"}


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    assert problems(tmp_path, "    runtime kopf\n", "") == [
        "RC213 operator `west` does not name its runtime; add `runtime controller-runtime 0.24`"
    ]
    twice = problems(tmp_path, "operator west", "operator east")
    assert twice[0] == "RC202 operator `east` is declared twice; choose another name"
    assert problems(tmp_path, "controller second", "controller first") == [
        "RC202 controller `first` is declared twice; choose another name"
    ]
    assert problems(tmp_path, "and not memory.seen {", "and not memory.east.seen {")[0].startswith("RC205 unknown")
    assert problems(tmp_path, "known: memory.east.seen", "known: memory.seen")[0].startswith("RC205 unknown")


def test_a_system_needs_an_operator(tmp_path: Path) -> None:
    path = written(tmp_path, "rdsl 1\nsystem none { primary App as app\n  reachable there: app.exists }\n")
    with pytest.raises(ModelError) as caught:
        load(path)
    assert [(one.code, one.message) for one in caught.value.diagnostics] == [("RC216", "the system has no operator")]


@pytest.mark.parametrize("member", ["runtime kopf", "memory { m: bool = false }", "controller c for app {}"])
def test_a_system_has_nothing_that_a_process_has(member: str, tmp_path: Path) -> None:
    assert problems(tmp_path, "system two {", f"system two {{\n  {member}\n")[0].startswith("RC110 unexpected")


def test_an_operator_has_none_inside(tmp_path: Path) -> None:
    assert problems(tmp_path, "system two", "operator two")[0].startswith("RC110 unexpected")


# ---- reports -----------------------------------------------------------------------------------------------------


def test_reports_name_the_operators() -> None:
    report = Verifier(load(GOLDEN / "operators-agree.rdsl")).report(Scope())
    written_out = json.loads(json.dumps(document(run(("model.rdsl", report)))))
    jsonschema.validate(written_out, SCHEMA)
    (model,) = written_out["models"]
    assert model["runtime"] == "controller-runtime, client-go"
    assert model["operators"] == [
        {"name": "apps", "runtime": "controller-runtime", "controllers": ["app"]},
        {"name": "storage", "runtime": "client-go", "controllers": ["binder"]},
    ]
    said = "each a process with a cache of its own: apps (controller-runtime), storage (client-go)"
    assert said in render_report(report, Paint(False))


def shown(name: str) -> str:
    """The report of a golden model on one line."""
    return " ".join(render_report(Verifier(load(GOLDEN / name)).report(Scope()), Paint(False)).split())


def test_a_trace_says_whose_cache_it_is() -> None:
    assert "the cache of copier sees app" in shown("operators-two-caches.rdsl")
    assert "crash and restart of second fault yes: second is queued" in shown("operators-own-restart.rdsl")


def test_a_repair_goes_into_the_operator_that_needs_it() -> None:
    loaded: Loaded = load(GOLDEN / "operators-two-caches.rdsl")
    verifier = Verifier(loaded)
    found, _ = repairs(loaded, [verifier.answer(goal, Scope()) for goal in loaded.operator.goals], None, most_edits=1)
    assert [repair.title for repair in found] == ["watch app in total"]
    assert "\n       watch copied\n+      watch app\n" in found[0].patch


def test_the_proof_of_two_operators_is_checked_on_both(tmp_path: Path) -> None:
    """Its certificate names the copies in both caches, and does not fit where one operator watches less."""
    path = GOLDEN / "operators-agree.rdsl"
    loaded = load(path)
    (goal,) = loaded.operator.goals
    answer = Verifier(loaded).answer(goal, Scope())
    assert answer.verdict == "converges"
    assert answer.certificate is not None
    content = issue(loaded.operator, goal, Scope(), answer.certificate, "agree").proof
    assert "view(apps: claim.status.bound)" in content
    assert "view(storage: claim.status.bound)" in content
    assert Judge(path, {}, Z3()).judge_text("it", content).verdict == "holds"
    text = path.read_text(encoding="utf-8").replace("watch claim as bound", "watch claim as bound on delete")
    spoilt = written(tmp_path, text)
    assert Judge(spoilt, {}, Z3()).judge_text("it", content).verdict == "refused"
