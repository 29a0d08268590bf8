"""`reconcheck diff`: what a change of a model does to its answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from hand_made import ALONE, FILE, NEED, POLLED, REPAIR, TEXT, answer, diagnosis, loaded, with_answers
from reconcheck.explain.declared import declared
from reconcheck.explain.diagnosis import Diagnosis, Levels, Pace
from reconcheck.explain.difference import Difference, Trend, difference
from reconcheck.explain.verdict import Answer, Report
from reconcheck.render.difference import headline, render_difference
from reconcheck.render.difference_markdown import MARK, difference_markdown
from reconcheck.render.markup import LIMIT
from reconcheck.render.text import Paint
from reconcheck.report.difference import document
from test_command_line import goal_model, reconcheck, write

ROOT = Path(__file__).resolve().parent.parent
REPORTS = json.loads((ROOT / "spec" / "report.schema.json").read_text())
SCHEMA = json.loads((ROOT / "spec" / "diff.schema.json").read_text())

EVENTS = goal_model().replace("watch app\n", "watch app on spec\n")
"""`g` is quiet: the cache's resync changes nothing, and is not let through."""
POLLING = EVENTS.replace("on error backoff", "requeue poll every 10m\n    on error backoff")
"""`g` converges with the schedule."""


def valid(written: Any) -> dict[str, Any]:
    """A document, once it follows its schema."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    return dict(written)


def declaring(text: str, answers: list[Answer] | None = None) -> Report:
    """A report about another text of the model, with answers that need not be true."""
    return replace(with_answers(answers or []), operator=loaded(text).operator)


def compared(old: str, new: str) -> Difference:
    return difference(declaring(old), declaring(new))


# ---- answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "trend", "exit_code"),
    [
        ("converges", "converges", Trend.SAME, 0),
        ("converges", "quiet", Trend.WORSE, 1),
        ("converges", "livelock", Trend.WORSE, 1),
        ("converges", "unknown", Trend.UNKNOWN, 3),
        ("quiet", "converges", Trend.BETTER, 0),
        ("quiet", "quiet", Trend.SAME, 0),
        ("quiet", "livelock", Trend.CHANGED, 0),
        ("quiet", "unknown", Trend.CHANGED, 0),
        ("unknown", "converges", Trend.BETTER, 0),
        ("unknown", "quiet", Trend.UNKNOWN, 3),
        ("unknown", "unknown", Trend.UNKNOWN, 3),
    ],
)
def test_what_became_of_an_answer(before: str, after: str, trend: Trend, exit_code: int) -> None:
    found = difference(with_answers([answer(before)]), with_answers([answer(after)]))
    (verdict,) = found.verdicts
    assert verdict.trend is trend
    assert found.exit_code == exit_code
    valid(document(found))
    assert difference_markdown(found).startswith(MARK)


def test_worse_counts_more_than_unknown() -> None:
    old = with_answers([answer("converges"), answer("converges", scope=POLLED)])
    new = with_answers([answer("unknown"), answer("quiet", scope=POLLED)])
    found = difference(old, new)
    assert found.exit_code == 1
    assert headline(found) == "1 answer got worse, 1 answer cannot be told"


def test_an_answer_that_only_one_model_has_is_no_worse() -> None:
    found = difference(with_answers([answer("converges")]), with_answers([answer("quiet", scope=POLLED)]))
    assert [(one.scope, one.trend) for one in found.verdicts] == [(POLLED, Trend.ADDED), (ALONE, Trend.REMOVED)]
    assert found.exit_code == 0


def test_goals_are_added_removed_renamed_and_reworded() -> None:
    new = (
        TEXT.replace("up: x.up", "running: x.up")
        .replace("always never_two: app.spec.n < 2", "always never_two: app.spec.n < 1")
        .replace("reachable one: app.spec.n == 1", "reachable zero: app.spec.n == 0")
    )
    found = compared(TEXT, new)
    assert [(one.change, one.old, one.new) for one in found.questions] == [
        ("renamed", "up", "running"),
        ("removed", "one", ""),
        ("added", "", "zero"),
        ("reworded", "never_two", "never_two"),
    ]
    assert found.questions[3].was == "always: 2 > app.spec.n"
    text = render_difference(found, Paint(False))
    assert "~ up is running now: converges: x.up" in text
    assert "- one: reachable: app.spec.n == 1" in text
    assert "~ never_two asks for something else: always: 2 > app.spec.n -> always: 1 > app.spec.n" in text
    valid(document(found))


def test_answers_to_a_renamed_goal_are_compared() -> None:
    old = with_answers([answer("converges")])
    operator = loaded(TEXT.replace("up: x.up", "running: x.up")).operator
    (goal, *_) = operator.goals
    new = replace(old, operator=operator, answers=(answer("quiet", goal=goal),))
    (verdict,) = difference(old, new).verdicts
    assert (verdict.goal, verdict.trend) == ("running", Trend.WORSE)


# ---- what the models say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("every 10m", "every 20m", "~ schedule poll of app: requeue poll every 10m, 144 a day for each object -> "
         "requeue poll every 20m, 72 a day for each object"),
        ("requeue poll every 10m", "", "- schedule poll of app: requeue poll every 10m, 144 a day for each object"),
        ("watch app", "watch app on spec", "~ watch app of app: watch app -> watch app on spec"),
        ("watch app", "watch app watch app as other", "+ watch other of app: watch app as other"),
        ("on error backoff", "on error retry 3", "~ backoff on error of app: backoff -> retry 3 times"),
    ],
)  # fmt: skip
def test_wake_ups_that_are_not_as_they_were(old: str, new: str, said: str) -> None:
    text = TEXT.replace('@"pkg/small.go#L20"', "")
    found = compared(text, text.replace(old, new, 1))
    shown = " ".join(render_difference(found, Paint(False)).split())
    assert f"wake-ups {said}" in shown
    assert len(found.wake_ups) == 1
    valid(document(found))
    assert said.replace("|", "\\|") in difference_markdown(found)


def test_a_rule_may_be_of_another_class_now() -> None:
    new = TEXT.replace("requeue poll every 10m", "").replace("await change", "requeue poll after 10m")
    text = " ".join(render_difference(compared(TEXT, new), Paint(False)).split())
    said = (
        "~ wait poll of app: schedule -> wait: requeue poll every 10m, 144 a day for each object -> requeue poll after"
    )
    assert said in text


def test_comments_and_citations_change_nothing() -> None:
    new = TEXT.replace("requeue poll every 10m", 'requeue  poll // often\n every 10m @"new.go#L3" at "abc"')
    new = new.replace('@"pkg/small.go#L20"', "// nothing")
    found = compared(TEXT, new)
    assert (found.wake_ups, found.assumptions, found.questions) == ((), (), ())
    assert headline(found) == "no answer got worse", "of levels and schedules nothing is known without a diagnosis"


def test_a_text_may_contain_what_looks_like_a_comment() -> None:
    operator = loaded(TEXT.replace('"something"', '"http://x // y"')).operator
    external = operator.externals["x"]
    assert declared(operator, external.span).startswith('external x "http://x // y" { up')


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("controller-runtime 0.24", "controller-runtime 0.20", "runtime"),
        ("disturbance down", "disturbance falls", "disturbance down"),
        ("app.spec.n = any", "app.spec.n = 1", "disturbance edit"),
        ("environment {", "faults { crash off } environment {", "faults"),
        ("environment {", "environment { process heals { x.up = true }", "process heals"),
    ],
)
def test_what_verdicts_rest_on_is_said_where_it_changed(old: str, new: str, what: str) -> None:
    found = compared(TEXT, TEXT.replace(old, new, 1))
    assert what in [one.what for one in found.assumptions]
    assert f"{what}:" in render_difference(found, Paint(False))
    valid(document(found))


# ---- diagnoses -----------------------------------------------------------------------------------------------------


def diagnosed(made: Diagnosis | None) -> Report:
    return replace(with_answers([]), diagnosis=made)


@pytest.mark.parametrize(
    ("before", "after", "trend", "exit_code"),
    [
        (0, 4, Trend.WORSE, 1),
        (4, None, Trend.WORSE, 1),
        (None, 3, Trend.BETTER, 0),
        (4, 0, Trend.BETTER, 0),
        (2, 2, Trend.SAME, 0),
        (None, None, Trend.SAME, 0),
    ],
)
def test_levels_are_compared(before: int | None, after: int | None, trend: Trend, exit_code: int) -> None:
    found = difference(diagnosed(diagnosis(before)), diagnosed(diagnosis(after)))
    assert found.advice is not None
    (level,) = found.advice.levels
    assert (level.before, level.after, level.trend) == (before, after, trend)
    assert found.exit_code == exit_code
    assert ("1 goal needs more wake-ups" in headline(found)) == (trend is Trend.WORSE)
    valid(document(found))


def test_a_level_below_one_that_is_unknown_cannot_be_told() -> None:
    verdicts = ["quiet", "unknown", "converges", "converges", "converges"]
    unsure = replace(diagnosis(2), levels=(Levels("up", tuple(answer(one) for one in verdicts)),))
    assert difference(diagnosed(diagnosis(1)), diagnosed(unsure)).exit_code == 3
    verdicts = ["quiet", "quiet", "converges", "unknown", "unknown"]
    sure = replace(diagnosis(2), levels=(Levels("up", tuple(answer(one) for one in verdicts)),))
    assert difference(diagnosed(diagnosis(2)), diagnosed(sure)).exit_code == 0, "those above do not matter"


def test_needs_and_repairs_are_compared() -> None:
    old = replace(diagnosis(), needs=(replace(NEED, needed=()),), repairs=(replace(REPAIR, title="poll"),))
    found = difference(diagnosed(old), diagnosed(diagnosis()))
    text = " ".join(render_difference(found, Paint(False)).split())
    assert "needs schedule poll of app: not needed -> needed for up" in text
    assert "repairs + let x notify: then up converges at L0 - poll" in text
    written = valid(document(found))
    assert [one["title"] for one in written["advice"]["offered"]] == ["let x notify"]
    assert [one["title"] for one in written["advice"]["gone"]] == ["poll"]
    assert "```diff\n--- a" in difference_markdown(found)
    gone = difference(diagnosed(old), diagnosed(replace(old, needs=())))
    assert "schedule poll of app: not needed -> not there" in render_difference(gone, Paint(False))


def test_what_is_not_known_of_a_wake_up_is_no_change() -> None:
    """A search that ran out of time does not make it superfluous."""
    unsure = replace(diagnosis(), needs=(replace(NEED, needed=(), unknown=("up",), never_runs=None),))
    for old, new in ((diagnosis(), unsure), (unsure, diagnosis())):
        assert "needs" not in render_difference(difference(diagnosed(old), diagnosed(new)), Paint(False))
    found = difference(diagnosed(replace(unsure, needs=())), diagnosed(unsure))
    assert "not there -> not known whether for up" in render_difference(found, Paint(False))
    assert valid(document(found))["advice"]["needs"][0]["after"]["unknown"] == ["up"]


def test_the_schema_stands_alone_and_says_the_same_as_that_of_reports() -> None:
    own = {"advice", "answer", "model", "need", "wake_up"}
    shared = SCHEMA["$defs"].keys() - own
    assert shared == {"pace", "place", "repair", "scope", "step", "trace", "values"}
    assert {name: SCHEMA["$defs"][name] for name in shared} == {name: REPORTS["$defs"][name] for name in shared}
    assert "report.schema.json" not in json.dumps(SCHEMA)


def paced(seconds: float, *names: str, every: bool = False) -> Report:
    """A report in which `up` rests on the schedule."""
    return diagnosed(replace(diagnosis(), paces=(Pace("up", names, every, seconds),)))


@pytest.mark.parametrize(
    ("before", "after", "trend", "said"),
    [
        (paced(5, "poll", "app.resync"), paced(36_000, "app.resync"), Trend.RARER,
         "up: every 5 s by poll or app.resync -> every 10 h by app.resync (rarer)"),
        (paced(3_600, "a", "b", every=True), paced(90, "a", "b", every=True), Trend.MORE_OFTEN,
         "up: every 1 h by a and b -> every 90 s by a and b (more often)"),
        (paced(300, "poll"), paced(300, "check"), Trend.SAME, ""),
    ],
)  # fmt: skip
def test_a_schedule_that_comes_less_often_is_said(before: Report, after: Report, trend: Trend, said: str) -> None:
    """The verdicts are the same, so the exit code is 0; but the goal waits longer."""
    found = difference(before, after)
    assert found.exit_code == 0
    assert found.advice is not None
    assert [one.trend for one in found.advice.paces] == [trend]
    text = " ".join(render_difference(found, Paint(False)).split())
    assert (f"pace {said}" in text) == (trend is not Trend.SAME)
    assert said in difference_markdown(found)
    less = "no answer got worse, the schedule comes less often to up"
    assert headline(found) == (less if trend is Trend.RARER else "nothing got worse")
    (pace,) = valid(document(found))["advice"]["paces"]
    assert (pace["goal"], pace["trend"]) == ("up", str(trend))


def test_what_got_worse_comes_before_what_comes_less_often() -> None:
    old, new = (
        replace(report, answers=(answer(verdict),))
        for report, verdict in ((paced(5, "poll"), "converges"), (paced(6, "poll"), "quiet"))
    )
    assert headline(difference(old, new)) == "1 answer got worse, the schedule comes less often to up"


def test_repairs_are_the_same_in_other_lines() -> None:
    before, after = (
        diagnosed(diagnosis(repairs=(replace(REPAIR, title=f"look again after 5s (L{line}); watch x"),)))
        for line in (12, 13)
    )
    found = difference(before, after)
    assert found.advice is not None
    assert (found.advice.offered, found.advice.gone) == ((), ())
    assert "repairs" not in render_difference(found, Paint(False))


def test_without_two_diagnoses_there_is_nothing_to_compare() -> None:
    for old, new in ((None, diagnosis()), (diagnosis(), None)):
        found = difference(diagnosed(old), diagnosed(new))
        assert found.advice is None
        assert valid(document(found))["advice"] is None


def test_a_comment_about_very_many_answers_is_not_too_long() -> None:
    goals = [replace(answer("converges").goal, name=f"goal_{number}") for number in range(500)]
    base = with_answers([])
    operator = replace(base.operator, goals=tuple(goals))
    old, new = (
        replace(base, operator=operator, answers=tuple(answer(verdict, goal=goal) for goal in goals))
        for verdict in ("converges", "quiet")
    )
    text = difference_markdown(difference(old, new))
    assert len(text.encode()) <= LIMIT
    assert "_and 400 more answers_" in text
    assert "parts left out: a comment holds 65,536 characters" in text


# ---- the command line ---------------------------------------------------------------------------------------------


def test_removing_a_periodic_requeue(tmp_path: Path) -> None:
    old = write(tmp_path / "old.rdsl", POLLING)
    new = write(tmp_path / "new.rdsl", EVENTS)
    result = reconcheck("diff", old, new, "-o", str(tmp_path / "d.json"), "-o", str(tmp_path / "d.md"))
    assert result.returncode == 1, result.stderr
    assert "small  1 answer got worse" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["g", "without", "schedule", "quiet", "quiet"] in lines
    assert ["g", "with", "schedule", "converges", "quiet", "WORSE"] in lines
    assert "- schedule poll of app: requeue poll every 10m, 144 a day" in result.stdout
    assert result.stdout.count("replayed step by step") == 1, "the run of what got worse, and no other"
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    written = valid(json.loads((tmp_path / "d.json").read_text()))
    assert [one["trend"] for one in written["verdicts"]] == ["same", "worse"]
    assert written["verdicts"][0]["trace"] is None
    assert written["verdicts"][1]["trace"]["steps"]
    assert written["exit_code"] == 1
    assert "| `g` | `with schedule` | converges | quiet | **WORSE** |" in (tmp_path / "d.md").read_text()
    back = reconcheck("diff", new, old)
    assert back.returncode == 0
    assert "1 answer got better" in back.stdout


def test_removing_a_rule_that_a_rare_resync_stands_in_for(tmp_path: Path) -> None:
    """The answers are the same; what took 10 minutes at most may take 10 hours."""
    resynced = POLLING.replace("watch app on spec", "watch app")
    old = write(tmp_path / "old.rdsl", resynced)
    new = write(tmp_path / "new.rdsl", resynced.replace("requeue poll every 10m", ""))
    result = reconcheck("diff", old, new)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "small  no answer got worse, the schedule comes less often to g" in result.stdout
    assert "g: every 10 min by poll or app.resync -> every 10 h by app.resync (rarer)" in result.stdout


def test_either_model_may_come_from_standard_input(tmp_path: Path) -> None:
    """Its imports are searched beside the other model, as the text comes from its history."""
    write(tmp_path / "kinds.rdsl", "rdsl 1\nkind App { spec.n: 0..1 = 0 }\n")
    text = POLLING.replace("rdsl 1", 'rdsl 1\nimport "kinds"').replace("{ spec.n: 0..1 = 0 }", "")
    model = write(tmp_path / "model.rdsl", text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    for arguments, first in ((["-", model], "old"), ([model, "-"], "new")):
        command = [sys.executable, "-m", "reconcheck", "diff", *arguments, "--format", "json", "-j", "1"]
        changed = text.replace("every 10m", "every 5m")
        result = subprocess.run(command, input=changed, env=environment, capture_output=True, text=True, cwd=ROOT)
        assert result.returncode == 0, result.stderr
        written = valid(json.loads(result.stdout))
        assert written[first]["file"].endswith("(standard input)")
        (change,) = written["wake_ups"]
        days = {change["before"]["per_day"], change["after"]["per_day"]}
        assert days == {144.0, 288.0}


def test_what_the_documentation_says_about_git_works(tmp_path: Path) -> None:
    """The command of `spec/ci.md`, in a repository in which the last commit removed a periodic requeue."""
    page = (ROOT / "spec" / "ci.md").read_text()
    command = "git show HEAD~1:model.rdsl | reconcheck diff - model.rdsl"
    assert command in page
    model = tmp_path / "model.rdsl"
    for text in (POLLING, EVENTS):
        model.write_text(text)
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "change"]):
            subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    line = command.replace("reconcheck diff", f"{sys.executable} -m reconcheck diff")
    result = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    assert "1 answer got worse" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-", "-"], "RC107"),
        (["{model}", "{folder}"], "RC107"),
        (["{model}"], "RC107"),
        (["{model}", "{folder}/missing.rdsl"], "RC101"),
        (["{model}", "{model}", "--set", "M=3"], "RC224"),
        (["{model}", "{model}", "--format", "sarif"], "RC107"),
        (["{model}", "{model}", "-o", "x.sarif"], "RC107"),
        (["{model}", "{model}", "-o", "{folder}/none/x.md"], "RC108"),
        (["-", "{model}"], "RC105"),
    ],
)
def test_what_cannot_be_compared(arguments: list[str], code: str, tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model())
    command = [part.format(model=model, folder=tmp_path) for part in arguments]
    result = reconcheck("diff", *command)
    assert result.returncode == 2
    assert f"[{code}]" in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert result.stdout == ""


def test_settings_and_limits_are_for_both_models(tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model("reachable g: app.spec.n + N == 5"))
    result = reconcheck("diff", model, model, "--set", "N=4", "--format", "json", "--timeout", "30")
    assert result.returncode == 0
    assert {one["after"]["verdict"] for one in json.loads(result.stdout)["verdicts"]} == {"reachable"}
    large = str(ROOT / "tests" / "data" / "large.rdsl")
    limited = reconcheck("diff", large, large, "--timeout", "0.2", "--format", "json", "-j", "1")
    assert limited.returncode == 3
    assert "cannot be told" in {one["trend"] for one in json.loads(limited.stdout)["verdicts"]}


def test_a_file_name_says_where_it_comes_from() -> None:
    found = difference(with_answers([]), with_answers([]))
    assert f"{FILE} -> {FILE}" in render_difference(found, Paint(False))
