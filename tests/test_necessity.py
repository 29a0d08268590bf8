"""What each wake-up is good for, and what it costs, on models of which the truth is known."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from diagnosing import diagnosed, loaded, need
from reconcheck.explain.alternatives import alternatives
from reconcheck.explain.diagnose import refuted_on_known_runs
from reconcheck.explain.diagnosis import Diagnosis, Pace
from reconcheck.explain.flows import one_hand
from reconcheck.explain.looks import Looks
from reconcheck.explain.refuting import AT_ONCE, Refuter, Refuting
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.render.diagnosis import as_long_as, idle_with, render_diagnosis
from reconcheck.render.text import Paint

QUIET_WORLD = "api off call off"
WRITES = "reconcile { call database.size = app.spec.size await change }"
SYNCED = "converges { synced: database.size == app.spec.size }"
DRIFT = "disturbance drift { database.size = any }"


def test_a_rule_that_one_goal_needs_and_another_does_not() -> None:
    found = diagnosed(
        loaded(
            """watch app
            requeue poll every 10s
            on error backoff
            reconcile { call database.size = app.spec.size call database.copy = app.spec.size await change }""",
            "converges { synced: database.size == app.spec.size  copied: database.copy == app.spec.size }",
            DRIFT,
            "copy: 0..1 = 0",
        )
    )
    poll = need(found, "poll")
    assert (poll.needed, poll.redundant, poll.harmful, poll.unknown) == (("synced",), ("copied",), (), ())
    assert need(found, "on error").needed == ("synced", "copied")
    watch = need(found, "watch app")
    assert watch.needed == ("synced", "copied")
    assert watch.never_runs
    assert found.sufficient == (("app.watch app", "app.on error", "poll"),)


def test_a_watch_that_another_makes_redundant() -> None:
    model = loaded(f"watch app watch app as again {WRITES}", SYNCED, faults=QUIET_WORLD)
    found = diagnosed(model)
    for name in ("watch app", "watch again"):
        assert need(found, name).redundant == ("synced",)
        assert need(found, name).needed == ()
        assert need(found, name).never_runs is False
    assert found.sufficient == (("app.watch app",), ("app.watch again",))


def test_what_holds_since_nobody_runs_is_said(tmp_path: Path) -> None:
    path = tmp_path / "made.rdsl"
    path.write_text("""rdsl 1
operator made {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app initially absent
  resource Pod as pod initially absent { done: bool = false }
  controller maker for app {
    watch app
    reconcile { when app.exists and not pod.exists { create pod }  await change }
  }
  controller marker for pod {
    watch pod
    reconcile { when pod.exists and not pod.done { patch pod.done = true }  await change }
  }
  environment { disturbance comes when not app.exists { create app } }
  faults { api off  call off  crash off  relist off }
  converges { marked: pod.exists implies pod.done }
}
""")
    found = diagnosed(load(path))
    assert found.sufficient == ((),)
    assert idle_with((), found) == " (maker, marker never run then)"
    assert idle_with(("marker.watch pod",), found) == " (maker never runs then)"
    assert idle_with(("marker.watch pod", "maker.watch app"), found) == ""


def test_two_rules_of_which_each_is_enough() -> None:
    model = loaded(
        f"watch app requeue poll every 10s requeue check every 1m {WRITES}", SYNCED, DRIFT, faults=QUIET_WORLD
    )
    found = diagnosed(model)
    assert need(found, "poll").redundant == need(found, "check").redundant == ("synced",)
    assert found.sufficient == (("app.watch app", "poll"), ("app.watch app", "check"))


def test_smallest_sets_can_differ_in_size() -> None:
    model = loaded(
        f"watch app watch database requeue poll every 10s on error backoff {WRITES}", SYNCED, DRIFT, notifies=True
    )
    found = diagnosed(model)
    assert found.sufficient == (
        ("app.watch app", "app.watch database", "app.on error"),
        ("app.watch app", "app.on error", "poll"),
    )


def test_a_rule_that_keeps_an_operator_from_its_goal() -> None:
    model = loaded(
        """watch app
        requeue poll every 10s
        reconcile { call database.busy = true call database.busy = false await change }""",
        "converges { idle: not database.busy }",
        fields="busy: bool = false",
        faults=QUIET_WORLD,
    )
    found = diagnosed(model)
    poll = need(found, "poll")
    assert (poll.needed, poll.redundant, poll.harmful) == ((), (), ("idle",))
    watch = need(found, "watch app")
    assert watch.harmful == ()  # without it the operator is idle because it never runs
    assert watch.never_runs


# ---- what stands in for what ---------------------------------------------------------------------------------------


def instead(found: Diagnosis, name: str) -> tuple[tuple[str, ...], ...]:
    return alternatives(found, need(found, name))


def test_of_two_wake_ups_each_is_not_needed_only_as_long_as_the_other_is_there() -> None:
    model = loaded(
        f"watch app requeue poll every 10s requeue check every 1m {WRITES}", SYNCED, DRIFT, faults=QUIET_WORLD
    )
    found = diagnosed(model)
    assert instead(found, "poll") == (("check",),)
    assert instead(found, "check") == (("poll",),)
    assert instead(found, "watch app") == ()  # it is needed
    assert found.paces == (Pace("synced", ("poll", "check"), False, 10.0),)
    text = render_diagnosis(replace(Verifier(model).report(Scope()), diagnosis=found), Paint(False))
    assert re.search(r"needs: watch app \(L\d+\), poll or check\n", text)
    assert "not needed for synced as long as check is there" in text


def test_what_nothing_needs_has_nothing_that_stands_in_for_it() -> None:
    found = diagnosed(loaded(f"watch app requeue poll every 10s {WRITES}", SYNCED, faults=QUIET_WORLD))
    assert need(found, "poll").redundant == ("synced",)
    assert instead(found, "poll") == ()
    assert found.paces == ()  # it converges without a schedule


def test_what_stands_in_may_be_several_together() -> None:
    controller = f"watch app watch database requeue poll every 10s on error backoff {WRITES}"
    found = diagnosed(loaded(controller, SYNCED, DRIFT, notifies=True))
    assert instead(found, "poll") == (("app.watch database",),)
    assert instead(found, "watch database") == (("poll",),)
    assert as_long_as(need(found, "poll"), found) == " as long as app.watch database is there"
    both = replace(found, sufficient=(("poll",), ("a", "b"), ("c",)))
    assert alternatives(both, need(found, "poll")) == (("a", "b"), ("c",))
    assert as_long_as(need(found, "poll"), both) == " as long as a and b, or c are there"


def test_a_goal_that_needs_a_rule_rests_on_that_rule() -> None:
    found = diagnosed(loaded(f"watch app requeue poll every 10s on error backoff {WRITES}", SYNCED, DRIFT))
    assert found.paces == (Pace("synced", ("poll",), True, 10.0),)


def test_of_three_rules_the_fastest_that_is_enough_alone_counts() -> None:
    rules = "requeue slow every 1h requeue poll every 10s requeue check every 1m"
    found = diagnosed(loaded(f"watch app {rules} {WRITES}", SYNCED, DRIFT, faults=QUIET_WORLD))
    assert found.paces == (Pace("synced", ("slow", "poll", "check"), False, 10.0),)


# ---- costs -----------------------------------------------------------------------------------------------------------


def test_a_schedule_wakes_a_converged_operator_and_a_watch_does_not() -> None:
    found = diagnosed(loaded(f"watch app requeue poll every 10s on error backoff {WRITES}", SYNCED, DRIFT))
    assert need(found, "poll").wakes_converged
    assert need(found, "poll").per_day == 8_640.0
    assert need(found, "watch app").wakes_converged is False
    assert need(found, "on error").wakes_converged is False
    assert need(found, "on error").per_day is None


def test_a_wait_that_is_always_armed_is_a_schedule_in_all_but_name() -> None:
    body = "reconcile { call database.size = app.spec.size requeue again after 1m }"
    found = diagnosed(loaded(f"watch app on error backoff {body}", SYNCED, DRIFT))
    again = need(found, "again")
    assert (again.kind, again.needed, again.wakes_converged, again.per_day) == ("wait", ("synced",), True, 1_440.0)
    assert found.most_reconciles == ()
    assert any("never rests" in reason for reason in found.undecided)


NEVER = "never: database.gone"
"""Nothing in these models makes it true."""


def test_a_goal_that_never_holds_does_not_hide_what_the_others_cost() -> None:
    """Which wake-ups go on, how often, and what a change costs are told as they are without that goal."""
    controller = f"watch app requeue poll every 10s on error backoff {WRITES}"
    asked = "converges { synced: database.size == app.spec.size OTHER }"
    alone, both = (
        diagnosed(loaded(controller, asked.replace("OTHER", other), DRIFT, "gone: bool = false"))
        for other in ("", NEVER)
    )
    for name in ("poll", "watch app", "on error"):
        assert (need(both, name).wakes_converged, need(both, name).per_day) == (
            need(alone, name).wakes_converged,
            need(alone, name).per_day,
        )
    assert need(both, "poll").per_day == 8_640.0
    assert both.most_reconciles == alone.most_reconciles == (("app", 1),)


def test_where_no_goal_ever_holds_costs_are_not_told() -> None:
    controller = f"watch app requeue poll every 10s on error backoff {WRITES}"
    found = diagnosed(loaded(controller, f"converges {{ {NEVER} }}", DRIFT, "gone: bool = false"))
    assert need(found, "poll").wakes_converged is None
    assert any("it never converges" in reason for reason in found.undecided)


def test_goals_that_exclude_each_other_count_only_where_every_run_ends_with_them() -> None:
    """Each of two goals holds at the end of some run, never both: what holds at every end counts."""
    controller = f"watch app requeue poll every 10s on error backoff {WRITES}"
    asked = "converges { synced: database.size == app.spec.size  one: app.spec.size == 1  zero: app.spec.size == 0 }"
    found = diagnosed(loaded(controller, asked, DRIFT))
    assert need(found, "poll").per_day == 8_640.0


def test_a_change_costs_a_reconcile_for_each_watch_that_hears_of_it() -> None:
    once = diagnosed(loaded(f"watch app {WRITES}", SYNCED, faults=QUIET_WORLD))
    assert once.most_reconciles == (("app", 1),)
    heard = diagnosed(loaded(f"watch app watch database {WRITES}", SYNCED, faults=QUIET_WORLD, notifies=True))
    assert heard.most_reconciles == (("app", 2),)


def test_a_loop_of_waits_has_no_bound() -> None:
    model = loaded(
        """watch app
        reconcile {
          let seen = live(database.up)
          when not seen { requeue again after 5s }
          call database.size = app.spec.size
          await change
        }""",
        SYNCED,
        """process comes_up when not database.up { database.up = true }
        disturbance moved { app.spec.size = any database.up = false }""",
        "up: bool = true",
        faults=QUIET_WORLD,
    )
    assert diagnosed(model).most_reconciles == (("app", None),)


# ---- counterexamples used again --------------------------------------------------------------------------------------


def refuted(refuter: Refuter, verifier: Verifier, *scopes: Scope) -> set[Scope]:
    """The scopes in which a goal fails on a run that the refuter knows."""
    (found,) = one_hand(verifier)([refuter.refuted(scopes, 0)], lambda: None)
    assert isinstance(found, set)
    return found


def test_a_known_run_refutes_only_where_it_ends_without_the_goal() -> None:
    model = loaded(f"watch app requeue poll every 10s requeue other every 5s {WRITES}", SYNCED, DRIFT)
    verifier = Verifier(model)
    goal = model.operator.goal("synced")
    refuter = Refuter()
    away = Scope(4, ("other", "poll"))
    assert not refuted(refuter, verifier, away)  # nothing is known yet
    refuter.learn([verifier.answer(goal, Scope())])
    assert refuted(refuter, verifier, away, Scope(4), Scope(0)) == {away, Scope(0)}
    assert sum(refuter.of_use.values()) == 2
    assert verifier.answer(goal, Scope(4)).verdict == "converges"


def test_a_known_livelock_refutes_where_it_goes_on() -> None:
    writes = "reconcile { call database.size = 1 - app.spec.size call database.size = app.spec.size await change }"
    model = loaded(
        f"watch app requeue poll every 10s requeue other every 5s {writes}", SYNCED, faults="api off call off"
    )
    verifier = Verifier(model)
    refuter = Refuter()
    refuter.learn([verifier.answer(model.operator.goal("synced"), Scope(4))])
    assert refuted(refuter, verifier, Scope(4, ("other", "poll")), Scope(4, ("other",))) == {Scope(4, ("other",))}


def test_a_run_is_tried_again_only_where_it_was_not() -> None:
    model = loaded(f"watch app requeue poll every 10s requeue other every 5s {WRITES}", SYNCED, DRIFT)
    verifier = Verifier(model)
    refuter = Refuter()
    refuter.learn([verifier.answer(model.operator.goal("synced"), Scope())])
    flow = refuter.refuted([Scope(0)], since=len(refuter.runs))
    assert one_hand(verifier)([flow], lambda: None) == (set(),)
    flow = refuter.refuted([Scope(0)] * (AT_ONCE + 1), since=0)
    pieces = [piece for piece in next(flow) if isinstance(piece, Refuting)]
    assert [len(piece.scopes) for piece in pieces] == [AT_ONCE, 1]
    assert pieces[0].done(verifier, -1.0) == ()  # no time: nothing is said of a scope


def test_the_goals_that_fail_on_known_runs_are_told_one_by_one() -> None:
    goals = "converges { synced: database.size == app.spec.size  copied: database.copy == app.spec.size }"
    writes = "reconcile { call database.size = app.spec.size call database.copy = app.spec.size await change }"
    both = "disturbance drift { database.size = any  database.copy = any }"
    model = loaded(f"watch app requeue poll every 10s {writes}", goals, both, "copy: 0..1 = 0")
    verifier, synced = Verifier(model), model.operator.goal("synced")
    refuter = Refuter()
    refuter.learn(verifier.answer(goal, Scope()) for goal in model.operator.goals)
    assert len({run.goal for run in refuter.runs}) == 2
    away = Scope(4, ("poll",))
    (found,) = one_hand(verifier)([refuter.failing([away, Scope(4)])], lambda: None)
    assert found == {away: {goal.formula: "quiet" for goal in model.operator.goals}}
    assert verifier.answer(synced, away).verdict == "quiet"


def test_a_run_without_a_goal_says_nothing_of_whether_it_can_be_reached() -> None:
    """Both questions have one formula; of the second it is not even asked which wake-ups it needs."""
    goals = f"{SYNCED} reachable seen: database.size == app.spec.size"
    model = loaded(f"watch app requeue poll every 10s {WRITES}", goals, DRIFT)
    verifier = Verifier(model)
    looks = Looks(model.operator, model.operator.goals, 60.0, lambda _text: None)
    looks.know(verifier.answer(goal, Scope()) for goal in model.operator.goals)
    away = Scope(0)
    hands = one_hand(verifier)
    hands([refuted_on_known_runs(looks, [away])], lambda: None)
    synced, seen = model.operator.goals
    assert not looks.answer(synced, away).good
    assert looks.answer(seen, away).verdict in ("reachable", "unknown")
