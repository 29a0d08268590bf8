"""Findings that need no counterexample: each with a model that has it, and one that has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import random_models
from reconcheck.cli.main import group
from reconcheck.diagnostic import ModelError
from reconcheck.explain.idle import idle_wake_ups
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Scope
from reconcheck.render.text import Paint, render_report
from support import GOLDEN

WAITS = """rdsl 1
operator waits {
  runtime controller-runtime 0.24
  primary App as app { status.ready: bool = false }
  external database { up: bool = false }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      let db = live(database)
      when db.up and not app.status.ready { patch app.status.ready = true }
      when COND { requeue look after 10s }
      await change
    }
  }
  environment {
    process comes_up when not database.up { database.up = true }
  }
  faults { api off  call off  crash off  relist off }
  converges { ready: app.status.ready }
}
"""


def report_of(path: Path) -> Report:
    return Verifier(load(path)).report(Scope())


def written(folder: Path, text: str) -> Path:
    path = folder / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    return path


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(("condition", "expected"), [("true", ["RC307"]), ("not db.up", [])])
def test_a_wait_is_periodic_if_it_goes_on_when_the_goal_holds(
    condition: str, expected: list[str], tmp_path: Path
) -> None:
    text = WAITS.replace("COND", condition if condition != "true" else "db.up or not db.up")
    report = report_of(written(tmp_path, text))
    assert [answer.verdict for answer in report.answers] == ["converges"]
    assert [code for code in codes(report) if code == "RC307"] == expected


def test_a_periodic_wait_is_shown_where_it_is_asked_for_again_and_again(tmp_path: Path) -> None:
    once = "patch app.status.ready = true  requeue look after 10s }\n"
    text = WAITS.replace("patch app.status.ready = true }\n", once).replace("when COND {", "when db.up {")
    report = report_of(written(tmp_path, text))
    (finding,) = [one for one in report.findings if one.code == "RC307"]
    assert finding.span is not None
    assert text.splitlines()[finding.span.line - 1].strip() == "when db.up { requeue look after 10s }"


def test_a_generation_filter_beside_fields_lets_these_pass(tmp_path: Path) -> None:
    text = WAITS.replace("watch app\n", "watch app\n    watch secret on spec, data\n")
    text = text.replace("  controller", "  resource Secret as secret { data: opaque }\n  controller", 1)
    messages = [
        [one.message for one in report_of(written(tmp_path, changed)).findings if one.code == "RC304"]
        for changed in (
            text.replace("COND", "not db.up"),
            text.replace("COND", "not db.up").replace("spec, data", "spec"),
        )
    ]
    assert messages == [
        ["`Secret` objects have no generation: it lets no update pass"],
        ["`Secret` objects have no generation: no update of `secret` passes"],
    ]


@pytest.mark.parametrize(("condition", "expected"), [("db.up or not db.up", 1), ("not db.up", 0)])
def test_a_goal_that_never_holds_does_not_hide_a_periodic_wait(condition: str, expected: int, tmp_path: Path) -> None:
    text = WAITS.replace("COND", condition).replace("ready: app", "never: database.up and not database.up  ready: app")
    found = [one.message for one in report_of(written(tmp_path, text)).findings if one.code == "RC307"]
    assert len(found) == expected
    assert all("while every goal holds but `never`, which no run settles on: it is periodic" in one for one in found)


def test_a_field_that_no_watch_covers(tmp_path: Path) -> None:
    path = GOLDEN[0].with_name("predicate-drops.rdsl")
    (finding,) = [one for one in report_of(path).findings if one.code == "RC306"]
    assert "`web.status.ready`" in finding.message
    assert finding.span is not None
    assert finding.span.line == 18
    covered = path.read_text(encoding="utf-8").replace("watch web via owner on spec", "watch web via owner on status")
    covered = covered.replace("predicate_drops", "covered")
    covered = "\n".join(line for line in covered.splitlines() if not line.startswith("  expect"))
    assert "RC306" not in codes(report_of(written(tmp_path, covered)))


def test_strict_makes_findings_fail() -> None:
    path = str(GOLDEN[0].with_name("predicate-drops.rdsl"))
    run = CliRunner().invoke(group, ["verify", path, "--jobs", "1"], standalone_mode=False)
    strict = CliRunner().invoke(group, ["verify", path, "--jobs", "1", "--strict"], standalone_mode=False)
    assert (run.return_value, strict.return_value) == (0, 1)


def test_the_fairness_that_a_proof_relies_on_is_said_to_be_used(tmp_path: Path) -> None:
    text = WAITS.replace("COND", "not db.up")
    extra = "process comes_up when not database.up { database.up = true }\n"
    more = extra + "    process beats when app.metadata.beat == 0 { app.metadata.beat = 1 }\n"
    text = text.replace(extra, more).replace("status.ready: bool", "metadata.beat: 0..1 = 0  status.ready: bool")
    report = report_of(written(tmp_path, text))
    assert [answer.verdict for answer in report.answers] == ["converges"]
    used = report.answers[0].relies_on
    assert used is not None
    assert "process comes_up" in used
    shown = render_report(report, Paint(False))
    assert "comes_up (used)" in shown
    assert ("beats (used)" in shown) == ("process beats" in used)


# ---- wake-ups that make no difference -------------------------------------------------------------------------------

WATCHES = """rdsl 1
operator watches {
  runtime RUNTIME
  primary App as app { spec.size: 0..1 = 0  status.size: 0..1 = 0 }
  resource Job as job initially absent { status.done: bool = false }
  controller app for app {
    MEMBERS
    on error backoff
    reconcile {
      when app.spec.size == 1 { create job on exists continue }
      patch app.status.size = app.spec.size
      END
    }
  }
  environment {
    disturbance edit { app.spec.size = any }
    MORE
  }
  converges { sized: app.status.size == app.spec.size }
}
"""


def watching(
    folder: Path, members: str, end: str = "await change", more: str = "", runtime: str = "controller-runtime 0.22"
) -> Report:
    text = WATCHES.replace("MEMBERS", members).replace("END", end).replace("MORE", more)
    return report_of(written(folder, text.replace("RUNTIME", runtime + " { resync = none }")))


def idle(report: Report) -> list[str]:
    return [one.message.split(" makes")[0] for one in report.findings if one.code == "RC308"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("watch app", []),
        ("watch app  watch app as again on spec", ["watch `again`"]),
        ("watch app  watch app as again", ["watch `again`"]),  # one of them is needed
        ("watch app on spec  watch app as again on status", []),  # the writes of the controller itself
        ("watch app on create  watch app as again on update", []),
        ("watch app  watch job via (new.status.done)", ["watch `job`"]),
        ("watch app  watch job", []),
        ("watch app  watch job as ended on delete", ["watch `ended`"]),
    ],
)
def test_a_watch_without_which_each_step_leads_to_the_same_states(
    members: str, expected: list[str], tmp_path: Path
) -> None:
    assert idle(watching(tmp_path, members)) == expected


def test_what_an_event_does_to_a_timer_is_a_difference(tmp_path: Path) -> None:
    """The two watches wake in different steps, and each of them may be the one that consumes the timer."""
    members, end = "watch app on spec  watch job on create", "requeue again after 5s"
    assert idle(watching(tmp_path, members, end, runtime="controller-runtime 0.24")) == []


def test_taking_an_idle_watch_away_changes_no_verdict(tmp_path: Path) -> None:
    text = WATCHES.replace("MEMBERS", "watch app  watch app as again on spec").replace("END", "await change")
    text = text.replace("MORE", "").replace("RUNTIME", "controller-runtime 0.22")
    loaded = load(written(tmp_path, text))
    verifier = Verifier(loaded)
    (goal,) = loaded.operator.goals
    for without in ((), ("app.watch again",)):
        assert verifier.answer(goal, Scope(without=without)).verdict == "converges"


@pytest.mark.parametrize("seed", range(30))
def test_verdicts_on_random_models_do_not_depend_on_idle_watches(seed: int, tmp_path: Path) -> None:
    loaded = load(written(tmp_path, random_models.model_text(seed, small=True)))
    for scope in (Scope(), Scope(SCHEDULED)):
        verifier = Verifier(loaded, engines=frozenset({"graph"}))
        try:
            verdicts = {goal.name: verifier.answer(goal, scope, why=False).verdict for goal in loaded.operator.goals}
            found = verifier.explored(scope)
            away = () if found is None else tuple(sorted(name for name in idle_wake_ups(found[0]) if " " in name))
            for goal in loaded.operator.goals if away else ():
                answer = verifier.answer(goal, Scope(scope.level, away), why=False)
                assert answer.verdict == verdicts[goal.name], (scope, away)
        except ModelError:
            continue


def test_a_rule_that_is_never_armed(tmp_path: Path) -> None:
    members = "watch app  requeue often every 5s  requeue seldom every 10s"
    text = WATCHES.replace("MEMBERS", members).replace("END", "await change").replace("MORE", "")
    path = written(tmp_path, text.replace("RUNTIME", "controller-runtime 0.22"))
    assert idle(Verifier(load(path)).report(Scope())) == []  # nothing is known of the schedule there
    assert idle(Verifier(load(path)).report(Scope(SCHEDULED))) == ["`seldom`"]


def test_findings_say_which_scope_they_are_about(tmp_path: Path) -> None:
    text = WATCHES.replace("MEMBERS", "watch app  requeue poll every 5s  watch app as again").replace("MORE", "")
    path = written(tmp_path, text.replace("END", "await change").replace("RUNTIME", "controller-runtime 0.22"))
    (finding,) = [one for one in Verifier(load(path)).report(Scope()).findings if one.code == "RC308"]
    assert finding.message.startswith("watch `again` makes no difference without schedule: ")
    (finding,) = [one for one in Verifier(load(path)).report(Scope(SCHEDULED)).findings if one.code == "RC308"]
    assert finding.message.startswith("watch `again` makes no difference: ")


# ---- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reconcile", "expected"),
    [
        ("when app.spec.size >= 0 { patch app.status.size = app.spec.size } await change", True),
        ("when app.spec.size == 1 { patch app.status.size = app.spec.size } await change", False),
        ("let big = app.spec.size + 1  when big > 0 { patch app.status.size = app.spec.size } await change", True),
        # what says so is that the other line is never reached
        ("when app.spec.size >= 0 { patch app.status.size = app.spec.size  await change } fail", False),
        ("when app.spec.size >= 0 { await change } else { fail terminal }", False),
        # behind a request that fails, and in an operator that reads live
        ("patch app.status.size = app.spec.size on error { when app.status.size < 2 { fail } } await change", True),
        ("let a = live(app)  when a.status.size < 2 { patch app.status.size = a.spec.size } await change", True),
    ],
)
def test_a_condition_that_always_holds(reconcile: str, expected: bool, tmp_path: Path) -> None:
    text = WATCHES.replace("MEMBERS", "watch app").replace("MORE", "").replace("RUNTIME", "controller-runtime 0.22")
    begin, end = text.index("reconcile {") + len("reconcile {"), text.index("END")
    text = text[:begin] + reconcile.replace(" else", "\n else").replace(" fail", "\n fail") + text[end + len("END") :]
    found = [one for one in report_of(written(tmp_path, text)).findings if "always holds" in one.message]
    assert bool(found) == expected
    assert all(one.code == "RC305" for one in found)


def test_a_condition_in_a_loop_is_one_condition(tmp_path: Path) -> None:
    text = WATCHES.replace("MEMBERS", "watch app").replace("MORE", "disturbance ends { jobs[0].status.done = true }")
    text = text.replace("resource Job as job initially absent", "resource Job as jobs[2]")
    text = text.replace(
        "when app.spec.size == 1 { create job on exists continue }",
        "for j in jobs { when not j.status.done { call x } }",
    )
    text = text.replace("RUNTIME", "controller-runtime 0.22").replace("END", "await change")
    text = text.replace("  controller app", "  external x { hit: bool = false }\n  controller app")
    report = report_of(written(tmp_path, text))
    assert not [one for one in report.findings if "always holds" in one.message]


# ---- actions that cannot matter -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "more", "expected"),
    [
        ("watch app", "noise beats { job.status.done = any }", ["RC309"]),
        ("watch app", "noise beats { side.count = any }", ["RC309"]),
        ("watch app  watch side", "noise beats { side.count = any }", []),
        ("watch app  watch side on spec", "noise beats { side.count = any }", ["RC309"]),
        ("watch app", "noise beats { side.count = any } process shrinks when side.count == 1 { delete job }", []),
    ],
)
def test_an_action_on_which_no_goal_can_depend(members: str, more: str, expected: list[str], tmp_path: Path) -> None:
    side = "resource Side as side { spec.size: 0..1 = 0  count: 0..1 = 0 }\n  resource Job"
    text = WATCHES.replace("resource Job", side).replace("MEMBERS", members).replace("MORE", more)
    text = text.replace("END", "when job.exists { patch app.status.size = 1 }  await change")
    report = report_of(written(tmp_path, text.replace("RUNTIME", "controller-runtime 0.22")))
    assert [one.code for one in report.findings if one.code == "RC309"] == expected


# ---- predicates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter_", "missed"),
    [
        ("on update where (old.status.phase != new.status.phase)", "`job.status.done`"),
        ("on update where (new.status.done and not old.status.done)", "`job.status.phase`"),
        ("on update where (old.status.done != new.status.done or old.status.phase != new.status.phase)", ""),
        ("on create, status.done", "`job.status.phase`"),
        ("on delete", "`job.status.done`, `job.status.phase`"),
        ("", ""),
    ],
)
def test_conditions_of_a_predicate_are_looked_into(filter_: str, missed: str, tmp_path: Path) -> None:
    text = WATCHES.replace("status.done: bool = false", "status.done: bool = false  status.phase: 0..2 = 0")
    text = text.replace("MEMBERS", f"watch app  watch job {filter_}").replace("RUNTIME", "controller-runtime 0.22")
    text = text.replace(
        "END", "when job.status.done and job.status.phase == 2 { patch app.status.size = 0 } await change"
    )
    text = text.replace("MORE", "process done when job.exists { job.status.done = true  job.status.phase = any }")
    found = [one.message for one in report_of(written(tmp_path, text)).findings if one.code == "RC306"]
    assert found == ([f"`app` reads {missed}, and no watch of `job` lets a change of it through"] if missed else [])


@pytest.mark.parametrize(
    ("kinds", "missed"),
    [("update", "when it is created"), ("create", ""), ("create, update", "")],
)
def test_whether_an_object_comes_and_goes_is_read_too(kinds: str, missed: str, tmp_path: Path) -> None:
    text = WATCHES.replace("MEMBERS", f"watch app  watch job on {kinds}").replace("RUNTIME", "controller-runtime 0.22")
    text = text.replace("create job on exists continue", "patch app.status.size = 0")
    text = text.replace("END", "when job.exists { patch app.status.size = 1 } await change")
    text = text.replace("MORE", "process comes when not job.exists { create job }")
    found = [one.message for one in report_of(written(tmp_path, text)).findings if one.code == "RC306"]
    assert [missed in message for message in found] == [True] * bool(missed)


def test_a_loop_that_is_not_fair_makes_no_wait_periodic(tmp_path: Path) -> None:
    """On a conflict it looks again: for ever only if the cache never caught up."""
    text = WAITS.replace(
        "patch app.status.ready = true", "update app.status.ready = true on conflict { requeue look after 1s }"
    )
    text = text.replace("when COND { requeue look after 10s }", "").replace("watch app", "watch app")
    text = text.replace("process comes_up", "disturbance label { app.metadata.label = any }\n    process comes_up")
    text = text.replace("status.ready: bool = false }", "status.ready: bool = false  metadata.label: bool = false }")
    report = report_of(written(tmp_path, text.replace("when db.up and not app.status.ready", "when db.up")))
    assert "RC307" not in codes(report)
