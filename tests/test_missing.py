"""What an answer "unknown" says is missing: in the model's own names, and of the right thing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconcheck.explain.missing import Missing
from reconcheck.explain.run import Outcome, Run
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.render.text import Paint, render_answer
from reconcheck.report.document import document
from reconcheck.report.sarif import log
from test_unbounded import ROW

SCHEMA = json.loads((Path(__file__).parent.parent / "spec" / "report.schema.json").read_text())
STEPPING = """rdsl 1
operator stepping {
  runtime controller-runtime 0.24
  primary App as app { spec.on: bool = true  status.count: nat = 0  status.done: bool = false }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      update app { status.count += 1 }
      await change
    }
  }
  environment { disturbance edit { app.spec.on = any } }
  converges { done: app.spec.on == app.spec.on and not (app.spec.on and not app.spec.on) and app.status.done }
}
"""
"""Each reconcile counts on, and wakes its own controller: a run for ever on which no state comes twice."""
CHASING = """rdsl 1
operator chasing {
  runtime controller-runtime 0.24
  primary App as app { spec.on: bool = false }
  external work { left: nat = 0  done: nat = 0 }
  controller app for app { watch app on spec  on error backoff  reconcile { await change } }
  environment {
    process more when work.left <= work.done { work.left += 1 }
    process work when work.done < work.left { work.done += 1 }
    disturbance edit { app.spec.on = any }
  }
  converges { level: work.done == work.left }
  always never_ahead: work.done <= work.left
}
"""
"""Two counters, one after the other for ever; a slice sees no order between numbers without bounds."""
CHOSEN = """rdsl 1
operator chosen {
  runtime controller-runtime 0.24
  primary App as app { spec.size: nat = any  status.size: nat = 0 }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      when app.status.size < app.spec.size { update app { status.size = app.spec.size } }
      await change
    }
  }
  environment { disturbance edit when app.spec.size == app.status.size { app.spec.size += 1 } }
  converges { large: app.status.size > 7 }
}
"""


def unknown(text: str, engines: str, goal: int = 0, seconds: float = 60) -> tuple[Answer, Missing]:
    """The answer to a goal, which has to be unknown, with what is missing."""
    loaded = load(Path("m.rdsl"), text=text)
    verifier = Verifier(loaded, seconds, engines=frozenset(engines.split()))
    answer = verifier.answer(loaded.operator.goals[goal], Scope())
    assert answer.verdict == "unknown"
    assert answer.missing is not None
    assert "any0" not in answer.reason
    assert "Z3" not in answer.reason
    return answer, answer.missing


def test_steps_that_nothing_ends_are_named_with_the_field_that_counts_on() -> None:
    _, missing = unknown(STEPPING, "proof")
    assert missing.settles is False
    assert [(one.step.action, one.line) for one in missing.again] == [("reconcile app", 9)]
    assert [(one.field, one.line, one.chosen) for one in missing.unbounded] == [("app.status.count", 4, False)]
    assert missing.open == ("app.status.done",)
    assert any("bound app.status.count (L4)" in one for one in missing.advice)


def test_a_state_at_rest_that_is_not_excluded_is_shown_with_what_a_slice_cannot_tell() -> None:
    _, missing = unknown(CHASING, "proof")
    assert missing.settles is False
    assert [(one.step.action, one.line) for one in missing.again] == [("process more", 8), ("process work", 9)]
    assert missing.doubt is not None
    assert missing.doubt.kind == "rest"
    assert dict(missing.doubt.values) == {"work.left": "n1", "work.done": 0}
    assert missing.doubt.blurred == ("work.left <= work.done",)


def test_of_a_property_the_state_is_shown_that_no_invariant_excludes() -> None:
    _, missing = unknown(CHASING, "proof", goal=1)
    assert missing.open == ("work.done <= work.left",)
    assert missing.doubt is not None
    assert missing.doubt.kind == "state"
    assert dict(missing.doubt.values) == {"work.left": 0, "work.done": "n1"}


def test_what_is_chosen_among_all_numbers_is_named_as_a_field() -> None:
    answer, missing = unknown(CHOSEN, "graph proof")
    assert answer.code == "RC407"
    assert answer.reason.startswith("app.spec.size may be any number at first")
    assert [(one.field, one.chosen, one.steps) for one in missing.unbounded] == [("app.spec.size", True, ())]
    assert missing.doubt is not None
    assert missing.doubt.kind == "numbers"
    graph = next(one for one in missing.searched if one.engine == "state graph")
    assert "app.spec.size" in graph.left_out


def test_parts_that_were_proved_are_told_from_the_open_one() -> None:
    unheard = ROW.replace("    watch s1\n    watch s2", "    watch s2")
    _, missing = unknown(unheard.replace("copied: ", "copied: s1.exists and "), "proof", seconds=300)
    assert missing.proved == ("s1.exists",)
    assert missing.open == ("s2.exists", "s2.spec.size == s0.spec.size")
    assert missing.doubt is not None
    assert (missing.doubt.part, missing.doubt.kind) == ("s2.exists", "rest")
    assert dict(missing.doubt.values)["s2.exists"] is False
    assert "more time would not help the proof: it has nothing left to try" in missing.advice


def test_it_says_how_far_each_search_got() -> None:
    answer, missing = unknown(STEPPING, "graph proof search", seconds=8)
    assert answer.reason == "the time limit of 8 s was reached; neither a proof nor a run was found"
    reached = {one.engine: one.reached for one in missing.searched}
    assert reached["state graph"] > 30_000
    assert reached["proofs in parts"] >= 1
    assert reached["guided search"] > 100
    assert "a longer `--timeout`" in missing.advice


@pytest.mark.parametrize("text", [STEPPING, CHASING, CHOSEN])
def test_all_formats_say_what_is_missing(text: str) -> None:
    loaded = load(Path("m.rdsl"), text=text)
    report = Verifier(loaded, 30, engines=frozenset({"proof"})).report(Scope(), every_scope=False)
    answer = next(one for one in report.answers if one.verdict == "unknown")
    assert answer.missing is not None
    run = Run((Outcome("m.rdsl", report),), 1.0, 1, "/")
    written = document(run)
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    told: dict[str, Any] = next(one for one in written["models"][0]["answers"] if one["missing"])["missing"]
    assert told["open"] == list(answer.missing.open)
    shown = " ".join(render_answer(loaded.operator, answer, Paint(False)).split())
    for wanted in (*answer.missing.open, *answer.missing.advice, *(one.field for one in answer.missing.unbounded)):
        assert wanted in shown
    result = next(one for one in log(run)["runs"][0]["results"] if one["kind"] == "open")
    assert f"open: {answer.missing.open[0]}" in result["message"]["text"]
    lines = {one["physicalLocation"]["region"]["startLine"] for one in result["relatedLocations"]}
    assert {one.line for one in answer.missing.unbounded} <= lines
