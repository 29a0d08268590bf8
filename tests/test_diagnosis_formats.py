"""What a diagnosis has, all formats and the difference say: harm, what never runs, beyond any schedule, and more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from diagnosing import loaded
from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.difference import difference
from reconcheck.explain.flows import one_hand
from reconcheck.explain.run import Outcome, Run
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Loaded, Scope
from reconcheck.render.difference import render_difference
from reconcheck.render.difference_markdown import difference_markdown
from reconcheck.render.markdown import markdown
from reconcheck.render.run import render_run
from reconcheck.render.text import Paint
from reconcheck.report.diagnosis import NOT_LOOKED_FOR
from reconcheck.report.document import document
from reconcheck.report.sarif import log
from sarif_rules import SCHEMA, problems
from test_causes import NEXT_STATE
from test_diff import valid

ROOT = Path(__file__).resolve().parent.parent
POLL = "requeue poll every 10s"
BUSY = f"""watch app
    {POLL}
    reconcile {{ call database.busy = true call database.busy = false await change }}"""
WRITES = "reconcile { call database.size = app.spec.size await change }"
SYNCED = "converges { synced: database.size == app.spec.size }"
GOALS = "converges { idle: not database.busy  sized: database.size == app.spec.size }"


def told(model: Loaded, scope: Scope) -> Report:
    verifier = Verifier(model)
    report = verifier.report(scope)
    return replace(report, diagnosis=diagnose(report, one_hand(verifier), None, lambda _text: None))


@pytest.fixture(scope="module")
def busy() -> Report:
    """With its schedule it is never idle for good, and the size is nobody's business."""
    model = loaded(BUSY, GOALS, fields="busy: bool = false", faults="api off call off")
    return told(model, Scope(SCHEDULED))


@pytest.fixture(scope="module")
def calm() -> Report:
    model = loaded(BUSY.replace(POLL, ""), GOALS, fields="busy: bool = false", faults="api off call off")
    return told(model, Scope(SCHEDULED))


def run(report: Report) -> Run:
    return Run((Outcome(report.operator.file, report),), 1.0, None, str(ROOT))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_text(busy: Report) -> None:
    text = flat(render_run(run(busy), True))
    assert "sized" in text
    assert "beyond any schedule: it fails at every level" in text
    assert "HARMFUL: without it, idle converges; 8,640 wake-ups a day for each object" in text
    assert re.search(r"watch app \(L\d+\): without it, app never runs", text)


def test_markdown(busy: Report) -> None:
    shown = markdown(run(busy))
    heads, _, *rows = [line for line in shown.splitlines() if line.startswith("|") and "wake-up" in shown]
    assert heads
    levels = next(row for row in rows if row.startswith("| `sized` |") and "quiet" in row)
    assert levels.endswith("| **beyond any schedule** |")
    (poll,) = [row for row in rows if row.startswith("| schedule `poll`")]
    assert "| **`idle`** |" in poll
    assert "8,640 wake-ups a day" in poll
    (watch,) = [row for row in rows if row.startswith("| watch `app`")]
    assert "without it, `app` never runs" in watch
    assert "Harmful: without that wake-up the goal converges" in shown
    assert "what the verdicts rest on" in shown


def test_how_much_work_was_shared_is_told(busy: Report) -> None:
    """Scopes that leave the same wake-ups are one system; sets of wake-ups fall to runs that are known."""
    (model,) = document(run(busy))["models"]
    shared = {one["part"]: (one["asked"], one["looked_at"]) for one in model["diagnosis"]["shared"]}
    assert shared.keys() <= {"levels", "wake-ups", "edits", "repairs"}
    assert shared["levels"][0] == 10  # two goals at five levels
    assert all(looked < asked for asked, looked in (shared["levels"], shared["wake-ups"]))
    asked, looked = shared["levels"]
    assert f"work levels: {looked} of {asked} questions looked at; wake-ups: " in flat(render_run(run(busy), True))
    assert f"- levels: {looked} of {asked} questions looked at" in markdown(run(busy))


def test_faults_that_are_off_are_in_the_json_as_well() -> None:
    found = told(loaded(f"watch app on error await change {WRITES}", SYNCED, faults="api off call off"), Scope())
    (model,) = valid_report(run(found))["models"]
    absent = {one["name"]: one for one in model["diagnosis"]["absent_faults"]}
    assert absent["call"] == {"name": "call", "needed": ["synced"], "unneeded": []}


def valid_report(one: Run) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(json.dumps(document(one)))
    schema = json.loads((ROOT / "spec" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(written)
    return written


def test_an_answer_at_a_level_without_causes_says_that_none_were_looked_for(busy: Report) -> None:
    (model,) = document(run(busy))["models"]
    failing = [
        one
        for levels in model["diagnosis"]["levels"]
        for one in levels["answers"]
        if one["verdict"] in ("quiet", "livelock")
    ]
    assert failing
    assert all(one["causes"] or one["unexplained"] for one in failing)
    assert NOT_LOOKED_FOR in [one["unexplained"] for one in failing]


def test_columns_without_content_are_left_out(calm: Report) -> None:
    heads = [line for line in markdown(run(calm)).splitlines() if line.startswith("| wake-up |")]
    assert heads == ["| wake-up | line | not needed for | remarks |"]


def test_sarif(busy: Report) -> None:
    written = log(run(busy))
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    assert list(problems(written)) == []
    (one,) = written["runs"]
    results = {result["properties"]["goal"]: result for result in one["results"] if result["ruleId"] in LOOPS}
    idle, sized = results["idle"], results["sized"]
    assert "; harmful: without poll it converges" in idle["message"]["text"]
    assert "without poll, idle converges" in [related["message"]["text"] for related in idle["relatedLocations"]]
    assert sized["message"]["text"].endswith("; beyond any schedule: it fails at every level")
    assert (idle["properties"]["lowestLevel"], sized["properties"]["beyondAnySchedule"]) == (0, True)
    (model,) = one["properties"]["models"]
    harmful = {need["name"]: (need["harmful"], need["never_runs"]) for need in model["wakeUps"]}
    assert harmful == {"app": ([], True), "poll": (["idle"], False), "on error": ([], False)}


LOOPS = ("RC401", "RC402")


def test_difference(busy: Report, calm: Report) -> None:
    found = difference(calm, busy)
    written: dict[str, Any] = valid(json.loads(json.dumps(document_of(found))))
    needs = {need["name"]: need for need in written["advice"]["needs"]}
    assert needs["poll"]["before"] is None
    assert needs["poll"]["after"] == {"needed": [], "harmful": ["idle"], "unknown": [], "never_runs": False}
    levels = {level["goal"]: level for level in written["advice"]["levels"]}
    assert levels["sized"]["beyond_any_schedule"] == {"before": True, "after": True}
    for shown in (render_difference(found, Paint(False)), difference_markdown(found)):
        assert "schedule poll of app: not there -> not needed; HARMFUL for idle" in flat(shown)


def document_of(found: Any) -> Any:
    from reconcheck.report.difference import document as written

    return written(found)


def test_a_goal_that_is_beyond_any_schedule_now(busy: Report) -> None:
    model = loaded(
        BUSY.replace("await", "call database.size = app.spec.size await"),
        GOALS,
        fields="busy: bool = false",
        faults="api off call off",
    )
    found = difference(told(model, Scope(SCHEDULED)), busy)
    assert "sized: L0 -> beyond any schedule (worse)" in render_difference(found, Paint(False))


# ---- runs without faults -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swallowing(tmp_path_factory: pytest.TempPathFactory) -> Report:
    path = tmp_path_factory.mktemp("model") / "steps.rdsl"
    path.write_text(NEXT_STATE.replace("HANDLER", "on error continue"), encoding="utf-8")
    return Verifier(load(path)).report(Scope())


def test_a_run_without_faults_is_shown(swallowing: Report) -> None:
    (answer,) = swallowing.answers
    assert answer.trace is not None
    assert answer.faultless is not None
    text, shown = render_run(run(swallowing), True), markdown(run(swallowing))
    for one in (text, shown):
        assert one.count("at first:") == 2
        assert "it happens without any fault as well:" in one
    assert len(re.findall(r"(?m)^ +\d+ +", text)) > len(answer.trace.steps)
    (result,) = [one for one in log(run(swallowing))["runs"][0]["results"] if one["ruleId"] == "RC401"]
    messages = [flow["message"]["text"] for flow in result["codeFlows"]]
    assert [message.endswith(", without any fault") for message in messages] == [False, True]
    schema = json.loads((ROOT / "spec" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document(run(swallowing)))))


def test_a_difference_has_the_run_without_faults(swallowing: Report) -> None:
    fine = replace(swallowing, answers=(replace(swallowing.answers[0], verdict="converges", trace=None),))
    written = valid(document_of(difference(fine, swallowing)))
    (verdict,) = written["verdicts"]
    assert verdict["trend"] == "worse"
    assert len(verdict["faultless"]["steps"]) > len(verdict["trace"]["steps"])
