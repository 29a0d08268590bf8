"""Repairs: what is offered, and that it is minimal and true."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
from msgspec.structs import replace

from broken_models import (
    AS_SECRET,
    BRIDGED,
    BY_REFERENCE,
    CONDITION,
    COPIES,
    FIGHT,
    FILE,
    FILTERED,
    HOPELESS,
    LATE,
    NARROWER,
    NOT_RETRIED,
    OWNED,
    POLLED,
    ROOT,
    ROTATED,
    SECRET,
    SELF_TRIGGER,
    STALE,
    STARTS,
    SWALLOWED,
    TERMINAL,
    TIMED,
    TWO,
    UNWATCHED,
    WRONG_MAPPING,
    found,
    model,
    read,
    titles,
)
from reconcheck.diagnostic import ModelError
from reconcheck.explain.candidates import broken_model, candidates
from reconcheck.explain.edits import Overlap, original_line, original_lines
from reconcheck.explain.patch import read_text
from reconcheck.explain.probe import probe_like
from reconcheck.explain.reenacting import Stage
from reconcheck.explain.repairs import objections, repaired_text
from reconcheck.explain.trial import Asked, Verdicts, try_out
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Loaded, Scope
from reconcheck.render.repairs import outcome
from reconcheck.semantics.compiler import compile_system
from reconcheck.syntax.parser import parse_text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (UNWATCHED, "watch users"),
        (OWNED, "watch users via owner"),
        (BY_REFERENCE, "watch users via (new.name == app.spec.ref)"),
        (FILTERED, "let changes of spec.size through watch app"),
        (CONDITION, "let every update through watch app, not only some"),
        (WRONG_MAPPING, "let watch users wake the controller whatever the mapping says"),
        (SWALLOWED, "return the error of `patch app.status.size` (L8)"),
        (NOT_RETRIED, "retry after every error, later and later (`on error backoff`)"),
        (TERMINAL, "let the error be tried again (L8)"),
        (STARTS, "look again after 7s (L13)"),
        (BRIDGED, "turn changes of db into events, and watch them"),
        (TIMED, "look again when time.now >= 1 (L10)"),
        (LATE, "begin watch users at the start"),
        (STALE, "read one live in app"),
        (FIGHT, "let only changes of spec through watch hook in app"),
        (NARROWER, "let only changes of rules through watch hook in app"),
    ],
)
def test_a_single_change_of_each_kind_mends(text: str, title: str) -> None:
    assert title in titles(text)


def test_a_schedule_that_is_returned_becomes_a_wait() -> None:
    text = POLLED.replace("await change\n", "patch app.status.size = 1  await change\n").replace(
        "app.status.size == 1 or db.up and app.status.size == 0", "app.status.size == 1"
    )
    made, _ = found(read(text))
    wait = next(repair for repair in made if repair.title == "turn the schedule poll into a wait (`after`)")
    assert "requeue poll after 5s" in repaired_text(read(text).operator, wait)


def test_nothing_is_repaired_where_nothing_diverges() -> None:
    assert found(read(model(f"watch app {COPIES}"))) == ((), ())


def test_what_must_always_hold_is_repaired_as_well() -> None:
    text = STALE.replace("converges {", "always never_both: not (one.exists and two.exists)\n  converges {")
    made, undecided = found(read(text))
    assert not undecided
    (repair,) = [one for one in made if one.title == "read one live in app"]
    assert (repair.goals, repair.always) == (("never_both", "single"), ("never_both",))
    assert outcome(repair) == "single converges and never_both holds at L0"
    mended = repaired_text(read(text).operator, repair)
    assert "let one_now = live(one)" in mended
    assert "when not one_now.exists and not two.exists" in mended
    property_alone = text.replace("converges { single: not (one.exists and two.exists) }", "")
    assert "read one live in app" in titles(property_alone)


def test_nothing_is_read_live_where_no_old_news_is_acted_upon() -> None:
    broken = broken_model(read(STALE).operator, parse_text(STALE, str(FILE)), read(STALE).operator.goals)
    assert not [one.title for one in candidates(broken) if "live" in one.title]
    told = broken_model(broken.operator, broken.file, broken.operator.goals, frozenset({"stale_read"}))
    assert [one.title for one in candidates(told) if "live" in one.title] == [
        "read one live in app",
        "read two live in app",
    ]


def test_a_watch_that_keeps_a_fight_going_is_left_out() -> None:
    text = FIGHT.replace("watch hook via owner", "watch hook via owner on any")
    assert titles(text) == ["leave out watch hook in app"]
    operator = read(text).operator
    broken = broken_model(operator, parse_text(text, str(FILE)), operator.goals, frozenset({"fight_between_writers"}))
    left_out = [one.title for one in candidates(broken) if one.title.startswith("leave out")]
    assert left_out == ["leave out watch hook in app"], "a controller goes on watching what it is for"


def test_two_edits_where_one_is_not_enough() -> None:
    made, undecided = found(read(TWO))
    assert not undecided
    assert "watch users; return the error of `patch app.status.size` (L8)" in [repair.title for repair in made]
    assert all(repair.title.count(";") == 1 for repair in made)
    assert {repair.level for repair in found(read(TWO), most=1)[0]} == {4}


def test_no_repair_where_the_operator_does_nothing() -> None:
    assert found(read(HOPELESS)) == ((), ())


def test_a_repair_that_would_never_rest_is_not_offered() -> None:
    made, _ = found(read(SELF_TRIGGER))
    assert [repair.title for repair in made] == ["watch stamp"]
    wide = SELF_TRIGGER.replace("watch app on spec", "watch app on spec, status.size  watch stamp")
    verifier = Verifier(read(wide))
    assert verifier.answer(read(wide).operator.goals[0], Scope()).verdict == "converges"  # and yet it never rests
    assert all("watch app" not in repair.title for repair in made)


def test_whatever_a_state_graph_says_a_repair_is_verified_before_it_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That it comes to rest too is asked of the engines."""
    restful, _ = found(read(SELF_TRIGGER))
    monkeypatch.setattr("reconcheck.explain.probe._Runs.restless", lambda _runs: None)
    made, undecided = found(read(SELF_TRIGGER))
    assert [repair.title for repair in made] == [repair.title for repair in restful]
    assert any(reason.endswith("that it comes to rest is livelock without schedule then") for reason in undecided)


def test_what_is_expected_in_other_scopes_is_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = UNWATCHED.replace("  \n}", "  expect synced diverges without watch app\n}")
    made, _ = found(read(text))
    assert made
    monkeypatch.setattr("reconcheck.explain.patch._updated", lambda *_arguments: [])  # as if nothing had changed
    made, undecided = found(read(text))
    assert "watch users" not in [repair.title for repair in made]
    assert any("synced is converges without schedule, without app.watch app then" in reason for reason in undecided)


def test_a_wait_that_would_poll_for_ever_is_not_offered() -> None:
    polled = UNWATCHED.replace("await change }", "requeue look after 5s }")
    assert Verifier(read(polled)).answer(read(polled).operator.goals[0], Scope()).verdict == "converges"
    assert all("look again" not in title for title in titles(UNWATCHED))


def test_no_goal_is_broken() -> None:
    text = model(
        """watch app on spec
        reconcile {
          patch app.status.size = users.size
          patch runs.count = min(runs.count + 1, 2)
          await change
        }""",
        SECRET + " resource Runs as runs { count: 0..2 = 0 }",
        ROTATED,
        AS_SECRET,
    )
    assert "watch users" in titles(text)
    assert found(read(text.replace(AS_SECRET, f"{AS_SECRET}  once: runs.count == 1"))) == ((), ())


FOUGHT = model(
    """watch app on spec
    watch copy on create
    reconcile {
      patch app.status.size = 1 - app.spec.size
      patch copy.size = users.size
      patch app.status.size = app.spec.size
      await change
    }""",
    SECRET + " resource Copy as copy { size: 0..1 = 0 }",
    ROTATED,
    "copied: copy.size == users.size  whole: copy.size == users.size and app.status.size == app.spec.size",
    runtime="controller-runtime 0.24",
)
"""Each reconcile writes the status twice: woken for ever, `whole` never stays."""
RULES = model(
    """watch app
    requeue fast every 5s
    requeue slow every 1h
    reconcile {
      patch app.status.size = users.size
      patch copy.size = other.size on error continue
      await change
    }""",
    SECRET + " resource Secret as other { size: 0..1 = 0 } resource Copy as copy { size: 0..1 = 0 }",
    ROTATED + " disturbance other_rotated { other.size = any }",
    AS_SECRET + "  copied: copy.size == other.size",
    "faults { crash off  relist off  call off }",
)
"""`synced` can do with one edit, `copied` not with less than two."""


def test_no_repair_adds_a_livelock_with_the_schedule_that_stays() -> None:
    """The informers list everything anew every 10 hours, whatever a model changes."""
    made, _ = found(read(FOUGHT))
    assert made
    for repair in made:
        after = read(repaired_text(read(FOUGHT).operator, repair))
        verifier = Verifier(after)
        for name in repair.goals:
            assert verifier.answer(after.operator.goal(name), Scope(SCHEDULED)).verdict == "converges"
    assert all(repair.goals == ("copied",) for repair in made)
    without = FOUGHT.replace("controller-runtime 0.24", "controller-runtime 0.24 { resync = none }")
    assert any("whole" in repair.goals for repair in found(read(without))[0])


def test_scheduled_rules_go_one_by_one() -> None:
    """With one edit, only one of the two goals is mended: the other needs a schedule, and the rarer one does."""
    loaded = read(RULES)
    made, undecided = found(loaded, most=1)
    assert undecided == ()
    kept = next(repair for repair in made if repair.title.startswith("keep "))
    watches = [repair for repair in made if repair is not kept]
    assert kept.title == f"keep slow for {', '.join(kept.goals)}, without fast"
    for repair in made:
        after = repaired_text(loaded.operator, repair)
        assert ("fast" in after, "slow" in after) == (False, True)
        assert objections(loaded.operator, repair, Scope(), FILE, None, lambda _text: None) == ()
    assert watches
    assert all(repair.notes[0].startswith("slow stays for ") for repair in watches)


LOCAL_CLOCK = TIMED.replace("when time.now >= 1 {", "let now = time.now  let late = now >= 1  when late {")
TRUE_AT_LAST = TIMED.replace("now: 0..1 = 0", "come: bool = false").replace("time.now >= 1", "time.come")
TRUE_AT_LAST = TRUE_AT_LAST.replace("when time.now < 1 { time.now += 1 }", "{ time.come = true }")
TRUE_AT_LAST = TRUE_AT_LAST.replace("app.status.size == time.now", "time.come implies app.status.size == 1")
ELSEWHERE = model(
    """watch app
    reconcile {
      when time.now >= 1 { patch app.status.size = 1  await change }
      when app.spec.size == 2 { requeue ends when app.spec.size <= time.now }
      await change
    }""",
    "clock time { now: 0..1 = 0 }",
    "process tick when time.now < 1 { time.now += 1 }",
    "synced: app.status.size == time.now",
).replace("spec.size: 0..1 = 0", "spec.size: 1..2 = 1")


@pytest.mark.parametrize(
    ("text", "edit", "rule"),
    [
        (LOCAL_CLOCK, "look again when time.now >= 1 (L10)", "requeue due when time.now >= 1"),
        (TRUE_AT_LAST, "look again when time.come (L10)", "requeue due when time.come"),
        (ELSEWHERE, "look again when app.spec.size <= time.now (L12)", "requeue ends when app.spec.size <= time.now"),
    ],
    ids=["local", "truth", "elsewhere"],
)
def test_deadlines_are_offered_wherever_a_clock_is_asked(text: str, edit: str, rule: str) -> None:
    loaded = read(text)
    made, _ = found(loaded)
    repair = next(repair for repair in made if repair.title == edit)
    assert repair.level == 3
    assert rule in repaired_text(loaded.operator, repair)


def test_a_deadline_that_would_come_for_ever_is_not_offered() -> None:
    assert all("not (time.now >= 1)" not in title for title in titles(LOCAL_CLOCK))


# ---- minimal -------------------------------------------------------------------------------------------------------


def mending(loaded: Loaded, most: int) -> tuple[dict[frozenset[int], frozenset[str]], int]:
    """Every set of candidates that mends something and breaks nothing, found without leaving any out."""
    verifier = Verifier(loaded)
    answers = {goal.name: verifier.answer(goal, Scope()) for goal in loaded.operator.goals}
    failing = [answer.goal for answer in answers.values() if not answer.good]
    good = frozenset(name for name, answer in answers.items() if answer.good)
    broken = broken_model(loaded.operator, parse_text(loaded.operator.sources[str(FILE)], str(FILE)), failing)
    every = candidates(broken)
    asked = Asked(Scope(), frozenset(goal.name for goal in failing), good, True)
    sets: dict[frozenset[int], frozenset[str]] = {}
    for size in range(1, most + 1):
        for chosen in itertools.combinations(every, size):
            edits = [edit for candidate in chosen for edit in candidate.edits]
            rules = tuple(rule for candidate in chosen for rule in candidate.rules)
            try:
                _, changed = read_text(broken, edits)
            except (Overlap, ModelError):
                continue
            tried = try_out(changed, asked, rules, lambda line: line, lambda: None)
            if tried.mended and tried.allowed(asked):
                sets[frozenset(map(every.index, chosen))] = tried.mended
    return sets, len(every)


@pytest.mark.parametrize(
    "text", [TWO, SWALLOWED, FILTERED, TIMED, STARTS], ids=["two", "swallowed", "on", "time", "up"]
)
def test_every_minimal_set_is_found_and_no_other(text: str) -> None:
    loaded = read(text)
    sets, _ = mending(loaded, 2)
    broken = broken_model(loaded.operator, parse_text(text, str(FILE)), loaded.operator.goals)
    every = candidates(broken)

    def covered(chosen: frozenset[int]) -> frozenset[int]:
        keys = {key for number in chosen for key in every[number].covers}
        return chosen | {number for number, candidate in enumerate(every) if candidate.key in keys}

    minimal = [one for one in sets if not any(other != one and other <= covered(one) for other in sets)]
    wanted = {"; ".join(every[number].title for number in sorted(chosen)) for chosen in minimal}
    made, undecided = found(loaded, most=2)
    assert not undecided
    assert wanted
    assert {repair.title for repair in made} == wanted
    assert [repair.title.count(";") for repair in made] == sorted(repair.title.count(";") for repair in made)


@pytest.mark.parametrize("text", [TWO, STARTS, TIMED, RULES, SELF_TRIGGER], ids=["two", "up", "time", "rules", "loop"])
def test_known_runs_tell_the_same_as_all_states(text: str) -> None:
    """And they do tell: of the sets that mend nothing, most are seen to fail by a run that another has failed by."""
    loaded = read(text)
    goals = frozenset(goal.name for goal in loaded.operator.goals)
    broken = broken_model(loaded.operator, parse_text(text, str(FILE)), loaded.operator.goals)
    asked = Asked(Scope(), goals, frozenset(), False)
    as_it_is = try_out(loaded, asked, (), lambda line: line, lambda: None)
    known = [run.script for runs in as_it_is.wrong.values() for run in runs if run.script is not None]
    assert known
    failed = told = 0
    for size in (1, 2):
        for chosen in itertools.combinations(candidates(broken), size):
            edits = [edit for candidate in chosen for edit in candidate.edits]
            rules = tuple(rule for candidate in chosen for rule in candidate.rules)
            try:
                _, changed = read_text(broken, edits)
            except (Overlap, ModelError):
                continue
            lines = partial(original_line, original_lines(edits))
            plain = try_out(changed, asked, rules, lines, lambda: None)
            followed = try_out(changed, asked, rules, lines, lambda: None, known)
            mends = plain.mended if plain.allowed(asked) else frozenset()
            assert mends == (followed.mended if followed.allowed(asked) else frozenset())
            assert followed.by is None or followed.states <= plain.states + 1_500 * len(known)
            if not mends:
                failed, told = failed + 1, told + (followed.by is not None)
    assert told > failed / 2


def test_a_run_is_followed_as_far_as_it_is_possible() -> None:
    loaded = read(UNWATCHED)
    asked = Asked(Scope(), frozenset({"synced"}), frozenset(), True)
    tried = try_out(loaded, asked, (), lambda line: line, lambda: None)
    script = next(run.script for run in tried.wrong["synced"] if run.script is not None)
    assert script.steps[-1] == ("disturbance rotated", "")
    impossible = replace(script, steps=(("process nothing", ""), *script.steps))
    stage = Stage(compile_system(loaded.operator, Scope()), lambda line: line)
    graph = stage.follow(impossible)
    path = graph.path(0)
    assert len(path) == len(script.steps) + 1
    assert [graph.system.commands[command].step.action for command, _ in path[1:]] == [one for one, _ in script.steps]
    watching = read(UNWATCHED.replace("watch app", "watch app watch users"))
    shown = [found for _, found in probe_like(watching.operator, Scope(), None, (), [script], lambda line: line)]
    assert [found.wrong for found in shown] == [{}]


def test_several_goals_are_mended_at_once() -> None:
    text = model(
        """watch app
        reconcile { patch app.status.size = users.size  patch copy.size = other.size  await change }""",
        SECRET + " resource Secret as other { size: 0..1 = 0 } resource Copy as copy { size: 0..1 = 0 }",
        ROTATED + " disturbance other_rotated { other.size = any }",
        AS_SECRET + "  copied: copy.size == other.size",
    )
    made, _ = found(read(text))
    assert [(repair.title, repair.goals) for repair in made] == [("watch users; watch other", ("synced", "copied"))]


def test_the_time_limit_is_told() -> None:
    _, undecided = found(read(TWO), seconds=0.0)
    assert undecided


@pytest.mark.parametrize("text", [UNWATCHED, SWALLOWED])
def test_large_models_are_left_to_the_engines(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small, _ = found(read(text), most=1)
    monkeypatch.setattr("reconcheck.explain.probe.MOST_STATES", 0)
    large, undecided = found(read(text), most=1)
    assert not undecided
    assert [repair.title for repair in large] == [repair.title for repair in small]


# ---- the schedule --------------------------------------------------------------------------------------------------


def test_the_schedule_goes_when_nothing_needs_it() -> None:
    text = UNWATCHED.replace("watch app", "watch app\n    requeue poll every 5s // often\n   ")
    loaded = read(
        text.replace("  \n}", "  expect synced quiet without schedule\n  expect synced converges without poll\n}")
    )
    made, _ = found(loaded)
    after = repaired_text(loaded.operator, made[0])
    assert "poll" not in after
    assert "// often" in after
    assert "expect synced converges without schedule" in after


def test_the_schedule_is_kept_where_nothing_else_helps() -> None:
    made, undecided = found(load(ROOT / "models/restate/deletions-filtered.rdsl"))
    assert not undecided
    assert [(repair.title, repair.level, repair.edits) for repair in made] == [("keep check_back for there", 4, ())]


def test_a_schedule_is_added_where_there_is_none_and_nothing_else_helps() -> None:
    made, _ = found(load(ROOT / "models/thesis/demo-controller.rdsl"))
    assert [(repair.goals, repair.level) for repair in made] == [(("provided",), 4)]
    assert "+    requeue poll every 5m" in made[0].patch


def test_verdicts_of_a_graph_are_those_of_the_engines() -> None:
    for text in (UNWATCHED, SWALLOWED, TIMED, STARTS):
        loaded = read(text)
        verdicts = Verdicts(lambda: None)
        for goal in loaded.operator.goals:
            for scope in (Scope(), Scope(SCHEDULED)):
                assert verdicts(loaded, goal, scope) == Verifier(loaded).answer(goal, scope).verdict
