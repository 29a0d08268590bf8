"""Why a goal fails: runs without faults, properties, and what is no lack of a wake-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.render.text import Paint, render_report
from test_causes import first, report_of, written

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


# ---- what a restart takes away ----------------------------------------------------------------------------


FOLLOWS = """rdsl 1
operator follows {
  runtime controller-runtime 0.24
  primary Repository as base { status.artifact: 0..2 = 0 }
  primary Repository as app { status.included: 0..2 = 0 }
  external git { head: 1..2 = 1 }
  controller base for base {
    watch base on spec
    on error backoff
    reconcile {
      let found = live(git)
      when found.head != base.status.artifact { patch base.status.artifact = found.head }
      await change
    }
  }
  controller app for app {
    watch app on spec
    on error backoff
    reconcile {
      when base.status.artifact == 0 { requeue dependency after 30s }
      when base.status.artifact != app.status.included { patch app.status.included = base.status.artifact }
      await change
    }
  }
  faults { api off  call off }
  environment { disturbance push { git.head = any } }
  converges { included: app.status.included == base.status.artifact }
}
"""


def test_a_restart_that_wakes_and_takes_nothing_away_is_no_cause(tmp_path: Path) -> None:
    """What was left of the run it broke off would have ended, and done nothing else."""
    (answer,) = report_of(written(tmp_path, FOLLOWS)).answers
    assert answer.trace is not None
    assert any(step.step.action == "crash" for step in answer.trace.steps)
    assert {cause.code for cause in answer.causes} == {"RC411"}
