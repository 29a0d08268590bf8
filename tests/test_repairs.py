"""Repairs: what is offered, that it is minimal and true, and how it is written."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from reconcheck.cli.main import group
from reconcheck.diagnostic import ModelError, Span
from reconcheck.explain.candidates import broken_model, candidates
from reconcheck.explain.diagnose import LEAST_SECONDS
from reconcheck.explain.diagnosis import Diagnosis, Edit, Repair
from reconcheck.explain.edits import Overlap, Source, apply_edits, original_line, original_lines
from reconcheck.explain.patch import patched, read_text
from reconcheck.explain.probe import NotProbed, Probed, probe_like
from reconcheck.explain.reenacting import Stage
from reconcheck.explain.repairs import objections, repaired_text, repairs
from reconcheck.explain.trial import Asked, Verdicts, try_out
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import assemble
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Loaded, Scope
from reconcheck.render.repairs import render_repairs
from reconcheck.render.text import Paint
from reconcheck.semantics.compiler import compile_system
from reconcheck.syntax.parser import parse_text
from sarif_rules import SCHEMA

ROOT = Path(__file__).parent.parent
FILE = Path("small.rdsl")


def read(text: str) -> Loaded:
    return assemble(parse_text(text, str(FILE)), text, FILE, {})


def found(loaded: Loaded, seconds: float | None = None, most: int = 3) -> tuple[tuple[Repair, ...], tuple[str, ...]]:
    verifier = Verifier(loaded)
    answers = [verifier.answer(goal, Scope()) for goal in loaded.operator.goals]
    return repairs(loaded, answers, seconds, most_edits=most)


def titles(text: str) -> list[str]:
    made, undecided = found(read(text))
    assert not undecided
    return [repair.title for repair in made]


def model(
    controller: str,
    things: str = "external db {}",
    environment: str = "disturbance edit { app.spec.size = any }",
    goal: str = "synced: app.status.size == app.spec.size",
    faults: str = "faults { api off  call off  crash off  relist off }",
    rest: str = "",
    runtime: str = "controller-runtime 0.24 { resync = none }",
) -> str:
    return f"""rdsl 1

operator small {{
  runtime {runtime}
  primary App as app {{ spec.size: 0..1 = 0  status.size: 0..1 = 0 }}
  {things}
  controller app for app {{
    {controller}
  }}
  environment {{ {environment} }}
  {faults}
  converges {{ {goal} }}
  {rest}
}}
"""


COPIES = "reconcile { patch app.status.size = app.spec.size  await change }"
SECRET = "resource Secret as users { size: 0..1 = 0 }"
FROM_SECRET = "reconcile { patch app.status.size = users.size  await change }"
ROTATED = "disturbance rotated { users.size = any }"
AS_SECRET = "synced: app.status.size == users.size"

UNWATCHED = model(f"watch app {FROM_SECRET}", SECRET, ROTATED, AS_SECRET)
OWNED = model(f"watch app {FROM_SECRET}", SECRET.replace("users", "users owned by app"), ROTATED, AS_SECRET)
BY_REFERENCE = model(
    """watch app
    reconcile {
      when users.name == app.spec.ref { patch app.status.size = users.size }
      await change
    }""",
    "resource Secret as users { size: 0..1 = 0  name: opaque = none }",
    ROTATED,
    AS_SECRET,
).replace("spec.size: 0..1 = 0", "spec.size: 0..1 = 0  spec.ref: opaque = none")
FILTERED = model(f"watch app on status.size {COPIES}")
CONDITION = model(f"watch app on update where (new.spec.size == 1), create {COPIES}")
WRONG_MAPPING = model(f"watch app  watch users via (false) {FROM_SECRET}", SECRET, ROTATED, AS_SECRET)
SWALLOWED = model(
    "watch app reconcile { patch app.status.size = app.spec.size on error continue  await change }",
    faults="faults { crash off  relist off }",
)
NOT_RETRIED = model(f"watch app on error await change {COPIES}", faults="faults { crash off  relist off }")
TERMINAL = model(
    "watch app reconcile { patch app.status.size = app.spec.size on error { fail terminal }  await change }",
    faults="faults { crash off  relist off }",
)
STARTS = model(
    """watch app
    requeue poll every 7s
    reconcile {
      call db.asked = true
      let seen = live(db)
      when not seen.up { await change }
      patch app.status.size = app.spec.size
      await change
    }""",
    "external db { asked: bool = false  up: bool = false }",
    "disturbance edit { app.spec.size = any }  process comes_up when db.asked { db.up = true }",
)
BRIDGED = model(
    "watch app reconcile { let seen = live(db)  patch app.status.size = seen.size  await change }",
    'external db "the database" { size: 0..1 = 0 }',
    "disturbance drift { db.size = any }",
    "synced: app.status.size == db.size",
)
POLLED = model(
    """watch app
    reconcile {
      call db.asked = true
      let seen = live(db)
      when not seen.up { requeue poll every 5s }
      await change
    }""",
    "external db { asked: bool = false  up: bool = false }",
    "process comes_up when db.asked { db.up = true }",
    "synced: app.status.size == 1 or db.up and app.status.size == 0",
)
TIMED = model(
    """watch app
    reconcile {
      when time.now >= 1 { patch app.status.size = 1 }
      await change
    }""",
    "clock time { now: 0..1 = 0 }",
    "process tick when time.now < 1 { time.now += 1 }",
    "synced: app.status.size == time.now",
)
TWO = model(
    f"watch app {FROM_SECRET.replace('users.size', 'users.size on error continue')}",
    SECRET,
    ROTATED,
    AS_SECRET,
    "faults { crash off  relist off  call off }",
)
HOPELESS = model("watch app reconcile { await change }")
SELF_TRIGGER = model(
    """watch app on spec
    reconcile {
      patch app.status.size = 1 - app.status.size
      patch stamp.size = app.spec.size
      await change
    }""",
    "resource Stamp as stamp { size: 0..1 = 0 }",
    "disturbance edit { stamp.size = any }",
    "stamped: stamp.size == app.spec.size",
)
LATE = model(
    f"watch app  late watch users reconcile {{ when app.spec.size == 1 {{ register users }}  {FROM_SECRET[11:]}",
    SECRET,
    ROTATED,
    AS_SECRET,
)


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


def test_with_a_time_limit_of_its_own_the_search_for_repairs_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("reconcheck.explain.repair_search.MOST_WORK", 1)
    loaded = read(TWO)
    answers = [Verifier(loaded).answer(goal, Scope()) for goal in loaded.operator.goals]
    _, undecided = repairs(loaded, answers, most_work=1)
    assert any("sets were" in reason for reason in undecided)
    made, undecided = repairs(loaded, answers, seconds=60.0, most_work=None)
    assert (bool(made), undecided) == (True, ())
    path = tmp_path / "two.rdsl"
    path.write_text(TWO)
    assert "sets were" in run("repair", str(path))[1]
    assert "sets were" not in run("repair", str(path), "--timeout", "60")[1]


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
    made, undecided = found(load(ROOT / "models/kube-rs/document.rdsl"))
    assert not undecided
    assert [(repair.title, repair.level, repair.edits) for repair in made] == [
        ("keep check for hidden, released", 4, ())
    ]


def test_a_schedule_is_added_where_there_is_none_and_nothing_else_helps() -> None:
    made, _ = found(load(ROOT / "models/thesis/demo-controller.rdsl"))
    assert [(repair.goals, repair.level) for repair in made] == [(("provided",), 4)]
    assert "+    requeue poll every 5m" in made[0].patch


# ---- text ----------------------------------------------------------------------------------------------------------


def test_comments_and_layout_stay() -> None:
    text = UNWATCHED.replace("watch app ", "watch app // by name\n\n    // the work\n    ")
    text = text.replace("  \n}", "  // as it is\n  expect synced quiet     without schedule // wrong\n}")
    loaded = read(text)
    made, _ = found(loaded)
    after = repaired_text(loaded.operator, made[0])
    lines, changed = text.splitlines(), after.splitlines()
    assert "    watch users" in changed
    changed.remove("    watch users")
    at = lines.index("  expect synced quiet     without schedule // wrong")
    assert changed[at] == "  expect synced converges without schedule // wrong"
    assert changed[:at] + changed[at + 1 :] == lines[:at] + lines[at + 1 :]


def test_a_comment_behind_a_rule_that_goes_stays_on_a_line_of_its_own() -> None:
    rule = "/// look now and then\n    requeue poll every 5s   // often\n    "
    loaded = read(UNWATCHED.replace("watch app ", f"watch app\n    {rule}"))
    made, _ = found(loaded)
    lines = repaired_text(loaded.operator, made[0]).splitlines()
    at = lines.index("    // often")
    assert lines[at - 2 : at] == ["    watch app", "    watch users"]
    assert "poll" not in made[0].title
    assert not any("now and then" in line for line in lines)


def test_spans_are_taken_away_with_what_belongs_to_them() -> None:
    text = "a {\n  one // first\n  two\n  three four // last\n}\n"
    source = Source.of("x", text)

    def without(line: int, column: int, end: int) -> str:
        return apply_edits(source, [source.without(Span("x", line, column, line, end))])

    assert without(2, 3, 6) == text.replace("one // first", "// first")
    assert without(3, 3, 6) == text.replace("  two\n", "")
    assert without(4, 9, 13) == text.replace(" four", "")


OTHER_CAUSE = model(
    f"watch app {FROM_SECRET}",
    SECRET + " resource Fuse as fuse { armed: bool = false  blown: bool = false }",
    ROTATED + " disturbance arms { fuse.armed = true } disturbance blows when fuse.armed { fuse.blown = true }",
    AS_SECRET + "  whole: app.status.size == users.size and not fuse.blown",
    rest="""expect synced quiet because unwatched_read
  expect whole quiet without schedule because unwatched_read // for now
  expect whole quiet with schedule""",
)


def test_a_goal_that_fails_for_another_cause_after_a_repair_is_expected_to() -> None:
    loaded = read(OTHER_CAUSE)
    made, undecided = found(loaded)
    assert not undecided
    (repair,) = made
    assert (repair.title, repair.goals) == ("watch users", ("synced",))
    after = repaired_text(loaded.operator, repair).splitlines()
    assert "  expect whole quiet without schedule because logic // for now" in after
    assert "  expect synced converges" in [line.rstrip() for line in after]
    line = 1 + OTHER_CAUSE.splitlines().index("  expect whole quiet without schedule because unwatched_read // for now")
    note = f"`whole quiet without schedule` was because of unwatched_read, and is because of logic then (L{line})"
    assert repair.notes == (note,)
    assert objections(loaded.operator, repair, Scope(), FILE, None, lambda _text: None) == ()
    shown = render_repairs(Diagnosis(repairs=made), Paint(False))
    assert " ".join(shown.split()).count(f"note: {note}") == 1


def test_causes_that_stay_are_kept() -> None:
    both = "because logic, unwatched_read // for now"
    text = OTHER_CAUSE.replace("because unwatched_read // for now", both)
    assert both in text
    (repair,) = found(read(text))[0]
    assert "because logic // for now" in repaired_text(read(text).operator, repair)
    stays = OTHER_CAUSE.replace("because unwatched_read // for now", "because logic // for now")
    (repair,) = found(read(stays))[0]
    assert "because logic // for now" in repaired_text(read(stays).operator, repair)
    assert repair.notes == ()


def test_lines_that_expect_the_same_for_several_causes_are_all_corrected() -> None:
    twice = "expect synced quiet because unwatched_read\n  expect synced quiet because unwatched_read"
    loaded = read(UNWATCHED.replace("  \n}", f"  {twice}\n}}"))
    (expectation,) = loaded.operator.expectations
    assert len(expectation.others) == 1
    after = repaired_text(loaded.operator, found(loaded)[0][0])
    assert after.count("expect synced converges") == 2
    assert "because" not in after


def test_a_goal_may_fail_in_another_way_after_a_repair() -> None:
    """With a schedule that goal is a livelock where it was quiet: it is expected to fail all the same."""
    loaded = read(OTHER_CAUSE)
    broken = broken_model(loaded.operator, parse_text(OTHER_CAUSE, str(FILE)), loaded.operator.goals)
    edit = broken.source.before(broken.controllers[0].members[1].span, "requeue poll every 5m")
    after = patched(broken, (edit,), frozenset(), Verdicts(lambda: None)).text
    assert "expect whole livelock with schedule" in after
    assert "expect whole quiet without schedule" in after


def test_where_no_state_graph_tells_engines_verify_what_is_expected_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`expect synced quiet` becomes `converges`, as the repair is meant to have it, and is proved with the repair."""

    def too_large(*_arguments: object) -> Probed:
        raise NotProbed("there are too many states")

    loaded = read(UNWATCHED.replace("  \n}", "  expect synced quiet because unwatched_read\n}"))
    monkeypatch.setattr("reconcheck.explain.trial.probe", too_large)
    monkeypatch.setattr("reconcheck.explain.repair_search.probe", too_large)
    made, undecided = found(loaded)
    assert made[0].title == "watch users"
    assert "expect synced converges" in repaired_text(loaded.operator, made[0])
    assert undecided == ()


def test_lines_end_as_they_did() -> None:
    text = UNWATCHED.replace("watch app ", "watch app\n    ").replace("\n", "\r\n")
    loaded = read(text)
    after = repaired_text(loaded.operator, found(loaded)[0][0])
    assert after.count("\n") == after.count("\r\n") == text.count("\n") + 1


def test_a_repaired_text_is_verified_again() -> None:
    loaded = read(UNWATCHED.replace("  \n}", "  expect synced quiet\n}"))
    repair = found(loaded)[0][0]
    assert objections(loaded.operator, repair, Scope(), FILE, None, lambda _text: None) == ()
    nothing = Repair(repair.title, (), "", repair.goals, 3, (), 0.0)
    against = objections(loaded.operator, nothing, Scope(), FILE, None, lambda _text: None)
    assert against == ("synced is quiet without schedule, not converges",)


def test_edits_are_applied_from_the_end_and_never_over_each_other() -> None:
    source = Source.of("x", "one two\nthree\n")
    first, second = source.replace(4, 7, "2\n2"), source.replace(8, 13, "3")
    assert apply_edits(source, [second, first]) == "one 2\n2\n3\n"
    changes = original_lines([second, first])
    assert [original_line(changes, line) for line in (1, 2, 3)] == [1, 1, 2]
    with pytest.raises(Overlap):
        apply_edits(source, [first, source.replace(5, 6, "")])
    at = source.replace(3, 3, " a")
    assert apply_edits(source, [at, Edit(at.span, " b")]) == "one a b two\nthree\n"


# ---- the command line ----------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, list(arguments), standalone_mode=False)
    if isinstance(result.exception, ModelError):
        return 2, str(result.exception)
    assert result.exception is None, result.exception
    return result.return_value or 0, result.output


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.rdsl"
    path.write_text(TWO.replace("  \n}", "  expect synced diverges\n}"), encoding="utf-8")
    return path


def test_fix_writes_the_first_repair_into_a_new_file(small: Path) -> None:
    before = small.read_text()
    code, output = run("verify", "--jobs", "1", "--fix", str(small))
    assert code == 0
    fixed = small.with_name("small.fixed.rdsl")
    assert f"wrote {fixed}" in output
    assert "fix       each re-verified:" in output
    assert small.read_text() == before
    assert run("verify", "--jobs", "1", str(fixed))[0] == 0
    assert "expect synced converges" in fixed.read_text()


def test_nothing_is_overwritten_unless_it_is_asked_for(small: Path) -> None:
    fixed = small.with_name("small.fixed.rdsl")
    fixed.write_text("mine")
    code, output = run("verify", "--jobs", "1", "--fix", str(small))
    assert (code, fixed.read_text()) == (2, "mine")
    assert "is there already" in output
    assert run("repair", str(small), "-n", "1")[0] == 2
    assert run("repair", str(small), "-n", "1", "--force")[0] == 0
    assert "watch users" in fixed.read_text()


def test_what_cannot_be_written_is_said_before_anything_is_looked_for(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcheck.cli.repair.Request", None)  # nothing is verified
    code, output = run("repair", str(small), "--output", str(small.parent / "nowhere" / "x.rdsl"))
    assert code == 2
    assert "RC108" in output
    code, output = run("repair", str(small), "--output", str(small.parent), "--force")
    assert code == 2
    assert "it is a folder" in output
    small.with_name("small.fixed.rdsl").write_text("mine")
    with pytest.raises(ModelError) as caught:
        group.main(["verify", "--fix", str(small)], standalone_mode=False)
    instead = caught.value.diagnostics[0].instead
    assert instead == "use `reconcheck repair --output FILE`, or add `--force`"  # that of `verify` is for reports


def test_the_number_chooses_the_repair_and_in_place_the_file(small: Path) -> None:
    code, output = run("repair", str(small), "-n", "99", "--in-place")
    assert code == 2
    assert "there is no repair 99" in output
    assert run("verify", "--jobs", "1", "--fix=2", "--in-place", str(small))[0] == 0
    assert "until_synced" in small.read_text()


def test_repair_shows_every_repair_and_writes_nothing(small: Path) -> None:
    code, output = run("repair", str(small))
    assert code == 0
    assert "+    watch users" in output or "watch app watch users" in output
    assert sorted(path.name for path in small.parent.iterdir()) == ["small.rdsl"]


def test_repairs_as_json(small: Path) -> None:
    result = CliRunner().invoke(group, ["repair", str(small), "--format", "json"], standalone_mode=False)
    whole = json.loads(result.stdout)
    jsonschema.validate(whole, json.loads((ROOT / "spec" / "report.schema.json").read_text()))
    first = whole["models"][0]["diagnosis"]["repairs"][0]
    assert (first["goals"], first["level"]) == (["synced"], 1)  # the write can fail
    assert first["patch"].startswith("--- ")


def test_repairs_as_markdown_and_sarif(small: Path) -> None:
    shown = CliRunner().invoke(group, ["repair", str(small), "--format", "markdown"], standalone_mode=False).stdout
    assert "to repair synced: watch users" in shown
    assert "```diff\n--- " in shown
    written = json.loads(
        CliRunner().invoke(group, ["repair", str(small), "--format", "sarif"], standalone_mode=False).stdout
    )
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    (run_,) = written["runs"]
    fixes = [fix["description"]["text"] for result in run_["results"] for fix in result.get("fixes", [])]
    assert "; then synced converges at L" in fixes[0]
    assert all(fix["artifactChanges"] for result in run_["results"] for fix in result.get("fixes", []))


def test_without_a_time_limit_a_search_has_that_of_a_diagnosis(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    def looked(_loaded: Loaded, _answers: object, seconds: float | None, *_more: object) -> tuple[tuple[()], tuple[()]]:
        given.append(seconds)
        return (), ()

    monkeypatch.setattr("reconcheck.explain.repairs.repairs", looked)
    run("repair", str(small))
    run("repair", str(small), "--timeout", "500")
    without, with_ = given
    assert without == LEAST_SECONDS
    assert with_ is not None
    assert 400 < with_ < 500


def test_where_there_is_no_repair_the_exit_code_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hopeless.rdsl"
    path.write_text(HOPELESS)
    code, output = run("repair", str(path))
    assert code == 1
    assert "no repair of synced with up to 3 edits" in output
    code, output = run("verify", "--no-cache", "--jobs", "1", str(path))
    assert code == 1
    assert "fix       no repair of synced with up to 3 edits" in output
    code, output = run("verify", "--no-cache", "--jobs", "1", "--format", "markdown", str(path))
    assert "no repair of `synced` with up to 3 edits." in output
    code, output = run("verify", "--no-cache", "--jobs", "1", "--format", "json", str(path))
    (one,) = json.loads(output)["models"]
    assert one["diagnosis"]["unrepaired"] == ["synced"]


def test_verdicts_of_a_graph_are_those_of_the_engines() -> None:
    for text in (UNWATCHED, SWALLOWED, TIMED, STARTS):
        loaded = read(text)
        verdicts = Verdicts(lambda: None)
        for goal in loaded.operator.goals:
            for scope in (Scope(), Scope(SCHEDULED)):
                assert verdicts(loaded, goal, scope) == Verifier(loaded).answer(goal, scope).verdict
