"""Why a goal fails: each kind of cause has a model that shows it, and names mean nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

import random_models
from reconcheck.cause_kinds import BY_CODE, KINDS
from reconcheck.diagnostic import ModelError
from reconcheck.engines.budget import Exhausted
from reconcheck.explain import rehearsal
from reconcheck.explain.causes import causes_of
from reconcheck.explain.verdict import Answer, Checked, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Scope
from reconcheck.render.text import Paint, render_report, rows_of
from support import GOLDEN, MODELS, read

POLL = """rdsl 1
operator poll {
  runtime controller-runtime 0.24
  primary App as app { status.done: bool = false  metadata.label: bool = false }
  external bucket { tagged: bool = false }
  controller app for app {
    watch app on metadata
    on error backoff
    reconcile {
      let found = live(bucket)
      when not found.tagged { call bucket.tagged = true  requeue look after 10s }
      await change
    }
  }
  environment {
    disturbance drift { bucket.tagged = false }
    disturbance label { app.metadata.label = any }
  }
  faults { api off  call off  crash off  relist off }
  converges { tagged: bucket.tagged }
  expect tagged quiet because external_without_events
}
"""
"""An event may consume the timer here, and that does no harm: what is missing is told by nobody."""


def golden(name: str) -> Path:
    return GOLDEN[0].with_name(f"{name}.rdsl")


def report_of(path: Path) -> Report:
    return Verifier(load(path)).report(Scope())


def written(folder: Path, text: str) -> Path:
    path = folder / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    return path


def first(path: Path) -> Answer:
    return report_of(path).answers[0]


def test_each_kind_of_cause_is_expected_of_a_golden_model() -> None:
    expected = {name for path in GOLDEN for one in read(path).expectations for name in one.because}
    assert expected | {"time_based_duty"} == set(KINDS)  # a shipped model has that one
    assert any("time_based_duty" in one.because for path in MODELS for one in read(path).expectations)


def test_each_shipped_model_that_diverges_says_why() -> None:
    for path in MODELS:
        for one in read(path).expectations:
            told = (True,) if one.verdict in ("diverges", "quiet", "livelock") else (one.verdict == "fails", False)
            assert bool(one.because) in told, f"{path}: {one}"


def test_the_catalogue_of_causes() -> None:
    assert [kind.code for kind in KINDS.values()] == [f"RC{number}" for number in range(411, 411 + len(KINDS))]
    for name, kind in KINDS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert kind.name == name
        assert kind.title
        assert kind.lesson.strip()
        assert kind.instead
        assert kind.example


def test_a_cause_has_the_lines_of_the_model_and_what_they_cite() -> None:
    (shown,) = [path for path in MODELS if path.stem == "external-system"]
    (cause,) = first(shown).causes
    assert (cause.code, cause.accepted, cause.step) == ("RC415", "external", 4)
    assert [place.span.line for place in cause.places] == [33, 18]
    (lost,) = [path for path in MODELS if path.stem == "swallowed-error"]
    (cause,) = first(lost).causes
    assert (cause.code, cause.accepted) == ("RC417", "")
    assert cause.places[0].cites[0].location.startswith("internal/controller/node_controller.go#")


def test_a_timer_that_an_event_consumed_without_harm_is_no_cause(tmp_path: Path) -> None:
    assert first(written(tmp_path, POLL)).because == ("external_without_events",)


AT_THE_START = """rdsl 1
operator old {{
  runtime controller-runtime 0.24
  primary App as app {{ spec.size: bool = true  status.size: bool = false }}
  controller app for app {{
    watch app{registration}
    on error backoff
    reconcile {{
      let a = live(app)
      patch app.status.size = a.spec.size
      await change
    }}
  }}
  faults {{ api off  crash off  relist off }}
  converges {{ sized: app.status.size }}
  expect sized quiet because {because}
}}
"""


@pytest.mark.parametrize(
    ("registration", "because"),
    [
        (" on update", "dropped_by_predicate"),
        (" via (new.status.size)", "wrong_mapping"),
    ],
)
def test_what_is_there_at_the_start_and_wakes_nobody(tmp_path: Path, registration: str, because: str) -> None:
    answer = first(written(tmp_path, AT_THE_START.format(registration=registration, because=because)))
    assert answer.trace is not None
    assert answer.trace.steps == ()
    assert answer.because == (because,)
    assert answer.causes[0].message.startswith("app is listed at the start")


NEXT_STATE = """rdsl 1
operator steps {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { status.state: waiting | working | done = waiting }
  resource Job as job { status.complete: bool = false }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      when app.status.state == waiting { patch app.status.state = working HANDLER  requeue poll every 5s }
      when job.status.complete { patch app.status.state = done }
      requeue poll every 5s
    }
  }
  environment { process completes when app.status.state == working { job.status.complete = true } }
  faults { crash off  relist off }
  converges { finished: app.status.state == done }
}
"""


def test_a_request_whose_change_would_have_woken_the_controller(tmp_path: Path) -> None:
    """Something else is missing too, so that the goal would not have been reached even then."""
    answer = first(written(tmp_path, NEXT_STATE.replace("HANDLER", "on error continue")))
    assert answer.because == ("swallowed_error", "unwatched_read")
    swallowed, unwatched = answer.causes
    assert swallowed.message.endswith("had it gone well, what it changes would have woken app")
    assert [place.span.line for place in swallowed.places] == [10, 10]
    assert unwatched.message.startswith("also without any fault: job.status.complete changes")
    retried = first(written(tmp_path, NEXT_STATE.replace("HANDLER", "")))
    assert "swallowed_error" not in retried.because


def test_no_logic_where_the_poll_helps() -> None:
    (path,) = [path for path in MODELS if path.stem == "restore"]
    assert first(path).because == ("swallowed_error", "unwatched_read")


def test_the_step_is_shown_as_the_row_it_is_in() -> None:
    report = report_of(golden("missing-watch"))
    (answer,) = report.answers
    (cause,) = answer.causes
    assert answer.trace is not None
    assert cause.step is not None
    assert answer.trace.steps[cause.step - 1].step.action == "disturbance rotate"
    row = next(n for n, row in enumerate(rows_of(answer.trace), 1) if row.step.step.action == "disturbance rotate")
    text = render_report(report, Paint(False))
    assert f"why     unwatched read [RC411], avoidable\n            step {row}: users.password changes" in text


def test_names_mean_nothing() -> None:
    """Another name for everything that a model names, and the causes are the same."""
    for name in ("missing-watch", "timer-consumed", "late-watch-after", "two-outdated-decision", "memory-lost"):
        path = golden(name)
        operator = read(path)
        given = {*operator.objects, *operator.externals, *(a.name for a in operator.actions)}
        given |= {c.name for c in operator.controllers} | {g.name for g in operator.goals}
        for variable in operator.memory:
            given.add(variable.name.partition(".")[2])
        text = re.sub(r"(?m)^ *///.*\n", "", path.read_text(encoding="utf-8"))
        for number, word in enumerate(sorted(given)):
            text = re.sub(rf"(?<![\w.]){word}\b(?!:\s*(?:bool|opaque|\d))", f"n{number}", text)
        renamed = first(written_beside(path, text))
        assert renamed.because == first(path).because


def written_beside(path: Path, text: str) -> Path:
    import tempfile

    return written(Path(tempfile.mkdtemp()), text)


# ---- because --------------------------------------------------------------------------------------------


def test_an_expectation_with_the_wrong_cause_is_not_met(tmp_path: Path) -> None:
    text = POLL.replace("because external_without_events", "because timer_consumed")
    report = report_of(written(tmp_path, text))
    assert [checked.met for checked in report.expectations] == [False]
    assert report.exit_code == 1
    shown = render_report(report, Paint(False))
    assert "quiet without schedule because timer_consumed, but it is: quiet because external_without_events" in shown


def test_several_lines_name_several_causes(tmp_path: Path) -> None:
    more = "  expect tagged quiet because logic\n}\n"
    operator = read(written(tmp_path, POLL.rstrip()[:-1] + more))
    assert [one.because for one in operator.expectations] == [("external_without_events", "logic")]


def test_what_could_not_be_explained_is_unknown_and_not_wrong() -> None:
    report = report_of(golden("missing-watch"))
    (checked, _) = report.expectations
    answer = replace(checked.answer, causes=(), unexplained="no time")
    unclear = replace(report, expectations=(Checked(checked.expectation, answer),))
    assert not unclear.expectations[0].met
    assert unclear.exit_code == 3


def test_rehearsals_end(monkeypatch: pytest.MonkeyPatch) -> None:
    path = golden("memory-lost")
    answer = first(path)
    monkeypatch.setattr(rehearsal, "MOST_WORK", 100)
    with pytest.raises(Exhausted):
        causes_of(read(path), answer)
    unexplained = first(path)
    assert unexplained.causes == ()
    assert "100 values" in unexplained.unexplained


# ---- random models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_whatever_diverges_has_causes_with_places(seed: int, tmp_path: Path) -> None:
    path = written(tmp_path, random_models.model_text(seed, small=True))
    loaded = load(path)
    verifier = Verifier(loaded, seconds=5.0, engines=frozenset({"graph"}))
    for goal in loaded.operator.goals:
        try:
            answer = verifier.answer(goal, Scope(SCHEDULED if seed % 2 == 0 else UNSCHEDULED), 5.0)
        except ModelError:
            continue
        if answer.verdict not in ("quiet", "livelock"):
            assert answer.causes == ()
            continue
        assert answer.trace is not None
        assert bool(answer.causes) != bool(answer.unexplained)
        for cause in answer.causes:
            assert cause.code in BY_CODE
            assert cause.places
            assert cause.message
            assert cause.step is None or 1 <= cause.step <= len(answer.trace.steps)
