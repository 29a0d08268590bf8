"""Repairs as text: what is written, and what is expected of it afterwards."""

from __future__ import annotations

import pytest

from broken_models import AS_SECRET, FILE, FROM_SECRET, ROTATED, SECRET, UNWATCHED, found, model, read
from reconcheck.diagnostic import Span
from reconcheck.explain.candidates import broken_model
from reconcheck.explain.diagnosis import Diagnosis, Edit, Repair
from reconcheck.explain.edits import Overlap, Source, apply_edits, original_line, original_lines
from reconcheck.explain.patch import patched
from reconcheck.explain.probe import NotProbed, Probed
from reconcheck.explain.repairs import objections, repaired_text
from reconcheck.explain.trial import Verdicts
from reconcheck.model.operator import Scope
from reconcheck.render.repairs import render_repairs
from reconcheck.render.text import Paint
from reconcheck.syntax.parser import parse_text


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
