"""What verdicts rest on: fairness, and faults that are on or off."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcheck.explain.assumptions import Assumption, assumptions_of
from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.diagnosis import Absent
from reconcheck.explain.flows import one_hand
from reconcheck.explain.ranges import ranges
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Loaded, Scope
from reconcheck.render.diagnosis import render_diagnosis
from reconcheck.render.diagnosis_markdown import assumptions_markdown
from reconcheck.render.text import Paint, render_report
from reconcheck.report.document import model

SYNCED = """rdsl 1
operator synced {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.size: 0..1 = 0  status.size: 0..1 = 0 }
  controller app for app {
    watch app
    on error RULE
    reconcile {
      patch app.status.size = app.spec.size
      await change
    }
  }
  environment { disturbance edit { app.spec.size = any } }
  FAULTS
  converges { same: app.status.size == app.spec.size }
}
"""


def synced(folder: Path, rule: str, faults: str) -> Report:
    path = folder / "model.rdsl"
    path.write_text(SYNCED.replace("RULE", rule).replace("FAULTS", faults), encoding="utf-8")
    return Verifier(load(path)).report(Scope())


def diagnosed(report: Report) -> Report:
    hands = one_hand(Verifier(Loaded(report.operator, ())))
    return replace(report, diagnosis=diagnose(report, hands, None, lambda _text: None))


def of(report: Report, name: str) -> Assumption:
    (found,) = [one for one in assumptions_of(report) if one.name == name]
    return found


def test_a_fault_that_a_run_needs_is_used(tmp_path: Path) -> None:
    report = synced(tmp_path, "await change", "faults { crash off  relist off }")
    assert report.answers[0].verdict == "quiet"
    assert of(report, "api") == Assumption("fault", "api", True, ("same",), ())
    assert of(report, "call") == Assumption("fault", "call", True, (), ("same",))
    assert "faults on: api (used by the run of same), call; off: crash" in render_report(report, Paint(False))


def test_a_fault_that_a_run_can_do_without_is_not_used(tmp_path: Path) -> None:
    text = SYNCED.replace("watch app\n", "watch app on status\n").replace("RULE", "await change").replace("FAULTS", "")
    path = tmp_path / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    report = Verifier(load(path)).report(Scope())
    assert report.answers[0].verdict == "quiet"
    assert of(report, "api").used == of(report, "crash").used == ()
    assert of(report, "api").unused == ("same",)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ("faults { api off }", (Absent("api", ("same",), ()), Absent("lost_event", ("same",), ()))),
        ("faults { call off }", (Absent("call", (), ("same",)), Absent("lost_event", ("same",), ()))),
    ],
)
def test_a_fault_that_is_off_is_tried(faults: str, expected: tuple[Absent, ...], tmp_path: Path) -> None:
    report = diagnosed(synced(tmp_path, "await change" if "api" in faults else "backoff", faults))
    assert report.answers[0].verdict == "converges"
    assert report.diagnosis is not None
    assert report.diagnosis.absent == expected
    fault = expected[0]
    assert of(report, fault.name) == Assumption("fault", fault.name, False, fault.needed, fault.unneeded)
    shown = render_diagnosis(report, Paint(False))
    assert "lost_event is off: used for same, which would fail if it happened" in shown
    assert ("call is off: not used for same, proved with it too" in shown) == (fault.name == "call")
    listed = {one["name"]: one for one in model(report)["assumptions"]}
    assert listed["lost_event"] == {"kind": "fault", "name": "lost_event", "on": False, "used": ["same"], "unused": []}


def test_nothing_is_claimed_of_goals_that_fail_anyhow(tmp_path: Path) -> None:
    report = diagnosed(synced(tmp_path, "await change", "faults { crash off  relist off }"))
    assert report.diagnosis is not None
    assert all(not one.needed and not one.unneeded for one in report.diagnosis.absent)
    assert "is off" not in render_diagnosis(report, Paint(False))


def test_too_large_a_model_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconcheck.explain.absent_faults.FIRST_LOOK", 1)
    report = diagnosed(synced(tmp_path, "backoff", ""))
    assert report.diagnosis is not None
    assert report.diagnosis.absent == (Absent("lost_event", (), ()),)


def test_where_the_schedule_is_asked_about_it_is_tried_with_it(tmp_path: Path) -> None:
    text = SYNCED.replace("watch app\n", "watch app\n    requeue poll every 5s\n").replace("RULE", "backoff")
    path = tmp_path / "model.rdsl"
    path.write_text(text.replace("FAULTS", ""), encoding="utf-8")
    report = diagnosed(Verifier(load(path)).report(Scope(SCHEDULED)))
    assert report.diagnosis is not None
    assert report.diagnosis.absent == (Absent("lost_event", (), ("same",)),)


def test_neighbouring_elements_are_shown_as_one() -> None:
    assert ranges(["a[0]", "b", "a[1]", "a[2]", "a[4]"]) == ("a[0..2]", "b", "a[4]")
    assert ranges(["a[0] (used)", "a[1] (not used)", "a[2] (used)"]) == (
        "a[0] (used)",
        "a[1] (not used)",
        "a[2] (used)",
    )
    assert ranges(["a[0][0].x", "a[0][1].x", "a[1][0].x"]) == ("a[0][0..1].x", "a[1][0].x")
    assert ranges(["a[1]", "a[0]"]) == ("a[1]", "a[0]")
    assert ranges([]) == ()


def test_text_and_markdown_fold_elements_and_json_lists_them() -> None:
    """With hundreds of objects, a line for each would hide the rest."""
    operator = load(Path(__file__).parent / "bench" / "models" / "fanout.rdsl", {"N": 200}).operator
    report = Report(operator, Scope(), (), (), (), 0.0)
    text = render_report(report, Paint(False))
    assert len(text.splitlines()) < 20
    processes = [one for one in model(report)["assumptions"] if one["kind"] == "fairness"]
    assert len(processes) >= 200
    assert "[0..199]" in text
    assert "[7]" not in text
    shown = assumptions_markdown("fanout.rdsl", report)
    assert "[0..199]" in shown
    assert "[7]" not in shown
