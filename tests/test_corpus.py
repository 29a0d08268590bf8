"""The page about the models follows from the results, and the results are about the models as they are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from corpus import __main__ as command
from corpus.diagnosing import MODELS, about, diagnosed, digest, drawn, names, read, without_lines
from corpus.duties import Fate, Weight, per_day
from corpus.page import page
from corpus.plot import plot
from corpus.results import Fix, GoalResult, ModelResult, Period, Reason, written
from corpus.results import read as read_results
from corpus.totals import by_worst_goal, totals_of
from reconcheck.model.expr import show
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Operator

AGAIN = "write it anew: python -m tests.corpus"
QUICK = (
    "ack/requeued",
    "cert-manager/renewal-lost",
    "grafana/dashboard-drift",
    "grafana/dashboard-hash-guard",
    "grafana/owner-reference-before",
    "kpack/permanent-error",
)
"""Models whose diagnosis takes about a second: with and without need, causes of several kinds, repairs of one and two
changes, and one that there is no repair for."""
LONG = ("percona-mongodb", "superset")
"""Folders with models whose diagnosis takes minutes."""
DRAWN = drawn((name for name in names() if not name.startswith(LONG)), 3)
"""Models that each change of the checker draws: what is kept of all of them would not change with it by itself."""
SAME_GOAL = {
    ("kie-cloud", "settled"): "two operators fight about a label, and the fix gives it to the other one",
    ("kubebuilder", "started"): "each start has its Job; the models differ in how many starts there are",
    ("percona-mongodb", "configured"): "the replica set, which is called after what the model has besides it",
    ("percona-mongodb", "finished"): "the backup ends, or at least does not run any more",
    ("percona-mongodb", "present"): "the objects of the cluster, of which some models leave one out",
    ("percona-mongodb", "started"): "the state `ready`, which is a flag where the model has no other state",
}
"""Goals of one operator that have one name and several formulas, and why they are the same goal for all that."""


@cache
def operator(name: str) -> Operator:
    return read(name)


@cache
def results() -> dict[str, ModelResult]:
    return read_results(command.RESULTS)


# ---- the files in models/ ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [command.RESULTS, command.PAGE, command.PLOT], ids=lambda file: file.name)
def test_the_files_are_what_the_results_give(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == command.rendered(results().values())[file], AGAIN


def test_the_results_are_about_all_models_as_they_are() -> None:
    assert set(results()) == set(names()), AGAIN
    old = [name for name, result in results().items() if result.digest != digest(operator(name))]
    assert not old, AGAIN


@pytest.mark.parametrize("name", names())
def test_the_results_are_what_the_model_expects(name: str) -> None:
    goals = {goal.goal: goal for goal in results()[name].goals}
    assert set(goals) == {goal.name for goal in operator(name).goals}
    for line in operator(name).expectations:
        if line.scope.without:
            continue
        goal, level = goals[line.goal], line.scope.level
        wanted = {"quiet", "livelock"} if line.verdict == "diverges" else {line.verdict}
        assert goal.levels[level] in wanted, AGAIN
        why = goal.why_scheduled if line.scope.schedule else goal.why
        assert set(line.because) <= {reason.cause for reason in why}, AGAIN


@pytest.mark.parametrize("name", names())
def test_what_converges_is_expected_with_and_without_schedule(name: str) -> None:
    lines = {(line.goal, line.scope.level) for line in operator(name).expectations if not line.scope.without}
    goals = [goal.name for goal in operator(name).goals if goal.kind == "converges"]
    assert {(goal, level) for goal in goals for level in (UNSCHEDULED, SCHEDULED)} <= lines


def test_a_name_is_one_goal_in_all_models_of_an_operator() -> None:
    """Totals count a goal once for each name in a folder, so goals that are not the same have names of their own."""
    formulas: dict[tuple[str, str], set[str]] = {}
    for name in names():
        for goal in operator(name).goals:
            formulas.setdefault((name.partition("/")[0], goal.name), set()).add(f"{goal.kind} {show(goal.formula)}")
    several = {key: sorted(found) for key, found in formulas.items() if len(found) > 1}
    assert set(several) == set(SAME_GOAL), several


@pytest.mark.parametrize("name", sorted({*QUICK, *DRAWN}))
def test_a_diagnosis_gives_the_same_again(name: str) -> None:
    assert diagnosed(name) == results()[name], AGAIN


def test_what_the_page_and_the_readme_link_to_is_there() -> None:
    for file in (command.PAGE, MODELS.parent / "README.md"):
        links = re.findall(r"\]\(([^)\s#]+)", file.read_text(encoding="utf-8"))
        here = [link for link in links if not link.startswith("https://")]
        assert here
        assert not [link for link in here if not (file.parent / link).exists()]


# ---- counting ----------------------------------------------------------------------------------------------------

FREE, NEEDS, FAILS = ("quiet",) * 2 + ("converges",) * 3, ("quiet",) * 4 + ("converges",), ("quiet",) * 5
UNWATCHED, EXTERNAL = Reason("unwatched_read", ""), Reason("external_without_events", "external")
POLL = Period("schedule", "app", "poll", 60.0, True)
USUAL = Period("resync", "app", "resync", 36_000.0, True)


def goal(name: str, levels: tuple[str, ...], *why: Reason) -> GoalResult:
    return GoalResult(name, "converges", levels, why, why if levels == FAILS else ())


def model(name: str, *goals: GoalResult, periods: tuple[Period, ...] = (POLL, USUAL), **more: object) -> ModelResult:
    plain = ModelResult(name, "0" * 64, "A model.", "https://example.org", periods, goals, (), None)
    return replace(plain, **more)  # type: ignore[arg-type]


def test_a_goal_counts_once_for_all_versions_of_its_operator() -> None:
    before, after = model("a/before", goal("up", NEEDS, UNWATCHED)), model("a/after", goal("up", FREE))
    totals = totals_of([before, after, model("b/other", goal("up", FREE))])
    assert [(one.duty.operator, one.fate, one.mended) for one in totals.scheduled] == [
        ("a", Fate.NEEDS, True),
        ("b", Fate.FREE, True),
    ]
    assert [(count.cause, count.cured, count.uncured) for count in totals.causes] == [("unwatched_read", {"": 1}, {})]
    assert by_worst_goal(totals.scheduled_models) == {(Fate.FREE, None): 2, (Fate.NEEDS, Weight.AVOIDABLE): 1}


def test_a_schedule_that_nobody_chose_is_none() -> None:
    often = replace(USUAL, seconds=600.0)
    waiting = model("a/m", goal("up", NEEDS, EXTERNAL), periods=(USUAL,))
    resynced = model("b/m", goal("up", NEEDS, EXTERNAL), periods=(often,))
    totals = totals_of([waiting, resynced])
    assert [one.duty.operator for one in totals.scheduled] == ["b"]
    assert [(one.duty.operator, one.fate) for one in totals.unscheduled] == [("a", Fate.NEEDS)]


def test_examples_are_not_counted() -> None:
    totals = totals_of([model("minimal/m", goal("up", NEEDS, EXTERNAL))])
    assert (totals.models, totals.duties, totals.causes) == ((), (), ())


def test_only_what_converges_is_a_duty() -> None:
    always = GoalResult("never", "always", ("fails",) * 5, (), ())
    assert not totals_of([model("a/m", always)]).duties


def test_what_a_schedule_cures_in_one_version_is_cured() -> None:
    both = [model("a/x", goal("up", NEEDS, UNWATCHED)), model("a/y", goal("up", FAILS, UNWATCHED, EXTERNAL))]
    found = {count.cause: (count.cured, count.uncured) for count in totals_of(both).causes}
    assert found == {"unwatched_read": ({"": 1}, {}), "external_without_events": ({}, {"external": 1})}
    (duty,) = totals_of(both).scheduled
    assert (duty.fate, duty.weight) == (Fate.NEEDS, Weight.AVOIDABLE)


def test_a_goal_with_an_accepted_and_an_avoidable_cause_has_both() -> None:
    (duty,) = totals_of([model("a/x", goal("up", NEEDS, UNWATCHED, EXTERNAL))]).scheduled
    assert duty.weight is Weight.BOTH


def test_a_goal_is_repaired_if_it_is_in_each_version_and_the_schedule_is_not_kept() -> None:
    needs = goal("up", NEEDS, UNWATCHED)
    kept, waiting, watched = (Fix("some change", ("up",), level, 1) for level in (4, 2, 1))
    for fixes, level in (
        ((), None),
        ((kept,), None),
        ((waiting, watched), 1),
        ((replace(watched, goals=("x",)),), None),
    ):
        (duty,) = totals_of([model("a/x", needs, fixes=fixes)]).scheduled
        assert duty.repaired == level
    versions = [
        model("a/x", needs, fixes=(watched,)),
        model("a/y", needs, fixes=(waiting,)),
        model("a/z", goal("up", FREE)),
    ]
    assert [one.repaired for one in totals_of(versions).scheduled] == [2]
    assert [one.repaired for one in totals_of([*versions, model("a/w", needs)]).scheduled] == [None]


def test_wake_ups_are_the_fastest_of_each_controller_that_go_on() -> None:
    other = Period("resync", "other", "resync", 36_000.0, None)
    assert per_day([POLL, USUAL, other]) == pytest.approx(1440 + 2.4)
    assert per_day([replace(POLL, converged=False), USUAL]) == pytest.approx(2.4)
    assert per_day([]) == 0.0


# ---- the page and the plot ---------------------------------------------------------------------------------------


def test_the_plot_has_a_square_for_each_goal() -> None:
    """And one for each kind in the legend, which has the two that are cured twice."""
    some = [model("a/x", goal("up", NEEDS, UNWATCHED)), model("b/x", goal("up", FAILS, UNWATCHED, EXTERNAL))]
    causes = totals_of(some).causes
    squares = [one.get("class") for one in ET.fromstring(plot(causes)).iter("{http://www.w3.org/2000/svg}rect")]
    assert {kind: squares.count(kind) for kind in squares} == {
        "card": 1,
        "accepted": 2,
        "avoidable": 2 + 1,
        "accepted hollow": 1 + 1,
        "avoidable hollow": 1 + 1,
    }


def test_the_page_says_what_is_not_known() -> None:
    odd = goal("up", ("unknown", "quiet", "unknown", "quiet", "converges"), UNWATCHED)
    text = page([model("a/x", odd, given_up_after=600.0), model("b/x", goal("up", ("unknown",) * 5))])
    assert "at most L4" in text
    assert "search given up" in text
    assert "- a/x: after 600 s" in text
    assert "| not known | 1 | 1 |" in text


def test_a_folder_links_to_its_repository_if_it_has_one() -> None:
    same, other = model("a/x", goal("up", FREE)), model("a/y", goal("up", FREE), source="https://example.com")
    assert "| [a](https://example.org) | [x](a/x.rdsl" in page([same])
    assert "| a | [x](a/x.rdsl" in page([same, other])


def test_no_text_breaks_a_table() -> None:
    wild = model("a/x", goal("up", NEEDS, UNWATCHED), about='a | "b"', fixes=(Fix("watch a | b", ("up",), 1, 1),))
    rows = [line for line in page([wild]).splitlines() if line.startswith("| [a]")]
    assert [len(re.split(r"(?<!\\)\|", row)) for row in rows] == [12]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert read_results(file) == {}
    some = model("a/x", goal("up", NEEDS, UNWATCHED), fixes=(Fix("watch “b”", ("up",), 1, 2),), given_up_after=1.5)
    file.write_text(written([some]), encoding="utf-8")
    assert read_results(file) == {"a/x": some}
    file.write_text('{"schema": 0, "models": []}')
    with pytest.raises(ValueError, match="schema 0"):
        read_results(file)


def test_what_a_model_only_says_leaves_its_results_as_they_are(tmp_path: Path) -> None:
    def digest_of(text: str) -> str:
        (tmp_path / "m.rdsl").write_text(text, encoding="utf-8")
        return digest(load(tmp_path / "m.rdsl").operator)

    text = (MODELS / "minimal" / "time.rdsl").read_text(encoding="utf-8")
    assert digest_of(text) == digest_of(re.sub(r'\s*@"[^"]*"', "", text))
    assert digest_of(text) == digest_of(text.replace("\n  environment", "\n  // Aside.\n\n  environment"))
    assert digest_of(text) != digest_of(text.replace("/// Pain point:", "/// Another point:"))
    assert digest_of(text) != digest_of(text.replace("https://", "http://"))


def test_the_first_sentence_of_a_description() -> None:
    assert about("One, with v1.2 in\nit. Two.\n\nThree.") == "One, with v1.2 in it."
    assert about("Only one:\n\nand a list.") == "Only one:"


def test_the_changes_of_a_fix_are_told_without_their_lines() -> None:
    assert without_lines("watch b; return the error (L45)") == "watch b; return the error"
    twice = "return the error (L44); look again after 10s (L9); return the error (L45)"
    assert without_lines(twice) == "return the error, in 2 places; look again after 10s"


def test_no_fix_is_kept_with_its_lines() -> None:
    kept = [fix.title for result in results().values() for fix in result.fixes]
    assert kept == list(map(without_lines, kept)), AGAIN


def test_other_models_are_drawn_when_the_checker_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.diagnosing.reconcheck.__file__", str(tmp_path / "__init__.py"))
    among = [f"a/{number}" for number in range(100)]
    seen = set()
    for text in ("one", "another", "one"):
        (tmp_path / "part.py").write_text(text)
        seen.add(drawn(among, 3))
    assert len(seen) == 2
    assert {len(one) for one in seen} == {3}


# ---- the command -------------------------------------------------------------------------------------------------


def test_only_what_has_changed_is_diagnosed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: tmp_path / getattr(command, name).name for name in ("RESULTS", "PAGE", "PLOT")}
    for name, file in files.items():
        monkeypatch.setattr(command, name, file)
    monkeypatch.setattr(command, "names", lambda: QUICK[:2])
    kept = results()[QUICK[0]]
    files["RESULTS"].write_text(written([kept, replace(results()[QUICK[1]], digest="another"), model("gone/x")]))
    run = CliRunner().invoke(command.main, [])
    assert (run.exit_code, run.output) == (0, f"1 of 1: {QUICK[1]}\n")
    assert read_results(files["RESULTS"]) == {name: results()[name] for name in QUICK[:2]}
    assert files["PAGE"].read_text() == page([results()[name] for name in QUICK[:2]])
    assert CliRunner().invoke(command.main, []).output == ""
    assert CliRunner().invoke(command.main, ["nowhere/x"]).exit_code == 2
