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


# ---- runs without faults --------------------------------------------------------------------------------


STOPPING = """rdsl 1
operator stopping {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.off: bool = false  status.phase: run | stopping | stopped = run }
  resource Job as job owned by app initially absent
  controller app for app {
    watch app
    watch job via owner
    on error backoff
    reconcile {
      when app.status.phase == stopped and job.exists { requeue again after 3s }
      when app.status.phase == stopping { update app.status.phase = stopped }
      when app.status.phase == run and app.spec.off { update app.status.phase = stopping }
      when app.status.phase == run and not app.spec.off and not job.exists { create job }
      await change
    }
  }
  environment { disturbance off { app.spec.off = true } }
  faults { call off  relist off }
  converges { gone: app.status.phase == stopped implies not job.exists }
}
"""


def test_a_livelock_with_faults_is_shown_without_any_as_well(tmp_path: Path) -> None:
    report = report_of(written(tmp_path, STOPPING))
    (answer,) = report.answers
    assert answer.verdict == "livelock"
    assert answer.trace is not None
    assert answer.faultless is not None
    assert answer.trace.has_faults
    assert not answer.faultless.has_faults
    assert answer.faultless.end == "livelock"
    assert answer.faultless.loop is not None
    assert len(answer.faultless.steps) >= len(answer.trace.steps)
    assert "it happens without any fault as well:" in render_report(report, Paint(False))
    calm = report_of(written(tmp_path, STOPPING.replace("call off", "api off  call off  crash off")))
    (alone,) = calm.answers
    assert alone.trace is not None
    assert len(alone.trace.steps) == len(answer.faultless.steps)


HIDDEN = """rdsl 1
operator hidden {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { status.ready: bool = false  status.beat: opaque = none }
  resource Pod as pod owned by app initially absent { metadata.label: opaque = none  status.up: bool = false }
  controller app for app {
    watch app on spec
    watch pod via owner on metadata
    on error backoff
    reconcile {
      when not pod.exists { create pod }
      update app { status.ready = pod.status.up  status.beat = any } on conflict continue on error continue
      await change
    }
  }
  environment { process comes_up when pod.exists and not pod.status.up { pod.status.up = true } }
  faults { crash off  relist off }
  converges { ready: app.status.ready }
}
"""


def test_what_a_fault_hides_and_a_conflict_hides_as_well(tmp_path: Path) -> None:
    """The shortest run without faults has a conflict that is swallowed; the filter is told of all the same."""
    answer = first(written(tmp_path, HIDDEN))
    assert answer.because == ("swallowed_error", "dropped_by_predicate")
    assert answer.faultless is not None
    assert not any(" fails" in step.step.detail for step in answer.faultless.steps)


# ---- what must always hold ------------------------------------------------------------------------------


TWICE = """rdsl 1
operator twice {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.size: 0..1 = 0 }
  resource Job as one owned by app initially absent
  resource Job as two owned by app initially absent
  controller app for app {
    watch app
    watch one via owner
    watch two via owner
    on error backoff
    reconcile {
      when not one.exists and not two.exists { create one on exists { create two on exists continue } }
      await change
    }
  }
  environment { disturbance edit { app.spec.size = any } }
  faults { call off  relist off }
  always never_both: not (one.exists and two.exists)
  expect never_both fails BECAUSE
}
"""


def test_a_property_that_a_stale_read_violates(tmp_path: Path) -> None:
    report = report_of(written(tmp_path, TWICE.replace("BECAUSE", "because stale_read")))
    (answer,) = report.answers
    assert answer.because == ("stale_read",)
    assert answer.faultless is not None
    assert answer.trace is not None
    assert answer.trace.has_faults
    assert not answer.faultless.has_faults
    assert [checked.met for checked in report.expectations] == [True]
    wrong = report_of(written(tmp_path, TWICE.replace("BECAUSE", "because logic")))
    assert [checked.met for checked in wrong.expectations] == [False]


def test_a_property_that_the_world_violates_has_no_cause(tmp_path: Path) -> None:
    text = TWICE.replace("BECAUSE", "").replace("not (one.exists and two.exists)", "app.spec.size == 0")
    (answer,) = report_of(written(tmp_path, text)).answers
    assert answer.verdict == "fails"
    assert answer.causes == ()


# ---- what is no lack of a wake-up -------------------------------------------------------------------------


MARKED = """rdsl 1
operator marked {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.v: bool = false }
  external x { v: bool = true }
  memory { begun: bool = false }
  controller app for app {
    watch app
    on error RULE
    reconcile {
      when memory.begun { await change }
      remember memory.begun = true
      call x.v = app.spec.v
      remember memory.begun = false
      await change
    }
  }
  environment { disturbance edit { app.spec.v = any } }
  faults { crash off  relist off }
  converges { same: x.v == app.spec.v }
}
"""


@pytest.mark.parametrize(("rule", "because"), [("backoff", "logic"), ("await change", "swallowed_error")])
def test_an_error_that_is_retried_is_not_swallowed(rule: str, because: str, tmp_path: Path) -> None:
    assert first(written(tmp_path, MARKED.replace("RULE", rule))).because == (because,)


def test_an_error_whose_rule_is_taken_away_is_swallowed(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, MARKED.replace("RULE", "backoff")))
    answer = Verifier(loaded).answer(loaded.operator.goals[0], Scope(0))
    assert answer.because == ("swallowed_error",)


LIVE = """rdsl 1
operator live {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.v: opaque }
  external x { v: opaque = none }
  memory { last: opaque = none }
  controller app for app {
    watch app on spec
    on error backoff
    reconcile {
      let now = live(app)
      when memory.last == now.spec.v { await change }
      call x.v = now.spec.v
      remember memory.last = now.spec.v
      await change
    }
  }
  environment { disturbance edit { app.spec.v = any } }
  converges { same: x.v == app.spec.v }
}
"""


def test_what_is_read_live_is_no_stale_read(tmp_path: Path) -> None:
    assert first(written(tmp_path, LIVE)).because == ("logic",)


ROUND = """rdsl 1
operator round {
  runtime controller-runtime 0.24
  primary App as app
  external x { p: VALUE  q: VALUE  r: VALUE }
  controller app for app { watch app  on error backoff  reconcile { await change } }
  environment {
    process one when x.p != x.r { x.p = x.r }
    process two when x.q != x.p { x.q = x.p }
    process three when x.r != x.q { x.r = x.q }
  }
  converges { same: x.p == x.q and x.q == x.r }
}
"""


@pytest.mark.parametrize("value", ["bool", "opaque"])
def test_a_loop_that_another_order_leaves_lacks_no_wake_up(value: str, tmp_path: Path) -> None:
    answer = first(written(tmp_path, ROUND.replace("VALUE", value)))
    assert answer.verdict == "livelock"
    assert answer.because == ("logic",)
    assert answer.causes[0].message.startswith("in another order the steps of the loop lead to the goal")


FORGOTTEN = """rdsl 1
operator forgotten {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.port: opaque  metadata.handled: bool = false }
  memory { port: opaque = none }
  controller app for app {
    watch app on create where (not new.metadata.handled), update where (old.spec.port != new.spec.port)
    on error backoff
    reconcile {
      remember memory.port = app.spec.port
      patch app.metadata.handled = true
      await change
    }
  }
  converges { known: memory.port == app.spec.port }
}
"""


def test_what_a_restart_forgets_that_no_reconcile_reads(tmp_path: Path) -> None:
    answer = first(written(tmp_path, FORGOTTEN))
    assert answer.because == ("lost_at_restart",)
    assert "memory.port" in answer.causes[0].message


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
