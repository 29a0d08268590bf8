"""The engines agree with the judge on random models; the judge knows what is known; and lies are found."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

import campaign as campaign_module
import judge as judge_module
from campaign import Match, campaign, compare_all, compare_judged, fault
from campaign_record import CONTESTANTS, JUDGED, Run, Tally, page
from contestants import NO_RUN, NONE_LEFT, Contest
from judge import Judge, Judgement, Listing, objection
from random_operators import WITH_LOOPS
from reconcheck.explain.trace import Trace
from reconcheck.explain.verdict import Answer
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Scope
from support import GOLDEN, MOST_GOLDEN_STATES, TESTS, meets, read

JUDGED_EACH = 20
"""Models that are judged in each of these tests, from a first seed on."""
FIRST_SEEDS = (*range(8_000, 20_000, 1_000), *range(WITH_LOOPS, WITH_LOOPS + 3_000, 1_000))
assert len(FIRST_SEEDS) * JUDGED_EACH == 300
FEWEST = {"program": JUDGED_EACH, "proof": 8, "search": 10, "guided": 7}
"""On how many of these models each must give a verdict; an engine alone does not know, or is not asked, of all."""

QUIET = TESTS / "golden" / "quiet-external.rdsl"
LIVELOCK = TESTS / "golden" / "self-trigger.rdsl"
CONVERGING = TESTS / "golden" / "poll-needed.rdsl"

UNBOUNDED = """rdsl 1
operator o {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: nat = 0  up: bool = false }
  controller app for app { watch app reconcile { await change } }
  environment { process p { db.n = any  db.up = db.up or db.n > 9  db.n = 0 } }
  converges { comes_up: db.up }
  reachable up: db.up
}
"""
"""Only a number that the judge does not try brings the database up."""


LEAVING = """rdsl 1
operator o {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: 0..1 = 0  m: nat = 0 }
  controller app for app { watch app reconcile { await change } }
  environment { disturbance d { CHANGE } }
  reachable up: db.n == 1
}
"""
"""The disturbance can count beyond the range of a field."""


@pytest.mark.parametrize("first", FIRST_SEEDS)
def test_everybody_agrees_on_random_models(first: int) -> None:
    tally = compare_judged(first, JUDGED_EACH)
    assert not tally.disagreements, "\n\n".join(tally.disagreements)
    assert tally.decided[JUDGED] == JUDGED_EACH
    assert {who: tally.decided[who] for who in CONTESTANTS if tally.decided[who] < FEWEST[who]} == {}


@pytest.mark.parametrize(
    "seed",
    [
        110_249,  # guided search had not tried all numbers, and said that nothing was left
        112_869,  # a step of a slice had more choices than Python nests loops
        120_921,  # in the search for causes there was no number to choose
        124_380,  # two predicates of a slice had one name
        124_488,  # a command on a predicate was taken for that of a slice with other variables
        124_647,  # guided search chose a number that was overwritten in the same step
        412_077,  # a value that is chosen and overwritten makes an event, so that the step is possible
        2_001_116,  # a condition for a proof read what a command had chosen
        2_001_628,
        2_006_562,
        2_010_688,  # the judge took a process that chooses for one that changes something
        2_011_543,  # a number that was chosen, and overwritten in the same step, was not told to the interpreter
    ],
)
def test_everybody_agrees_on_models_of_the_campaign(seed: int) -> None:
    tally = compare_all([seed])
    assert not tally.disagreements, "\n\n".join(tally.disagreements)


# ---- the judge -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_judge_meets_the_expectations_of_golden_models(path: Path) -> None:
    operator = read(path)
    for expectation in operator.expectations:
        judgement = Judge(operator, expectation.scope, MOST_GOLDEN_STATES).judge(operator.goal(expectation.goal))
        assert judgement.complete
        assert any(meets(expectation, verdict) for verdict in judgement.verdicts), str(judgement)


def test_the_judge_shares_no_code_with_the_engines() -> None:
    tree = ast.parse(Path(judge_module.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules
    assert not any(module.startswith(("reconcheck.engines", "reconcheck.certify")) for module in modules)
    assert "support" not in modules


def test_the_judge_knows_that_it_has_not_tried_all_numbers(tmp_path: Path) -> None:
    path = tmp_path / "unbounded.rdsl"
    path.write_text(UNBOUNDED)
    operator = load(path).operator
    judge = Judge(operator, Scope(), 100)
    assert not judge.states.complete
    for goal in operator.goals:
        assert not judge.judge(goal).verdicts, "neither proved nor refuted"
    with_it = Listing(operator, Scope(), (0, 10))
    assert any(after["db.up"] for state in with_it.initial() for _, after in with_it.look(state)[0])


def test_too_many_states_are_not_a_proof() -> None:
    operator = read(LIVELOCK)
    judge = Judge(operator, Scope(), 2)
    assert not judge.states.complete
    assert all(
        judge.judge(goal).verdicts <= Judge(operator, Scope(), 500).judge(goal).verdicts for goal in operator.goals
    )


@pytest.mark.parametrize("change", ["db.n += 1", "db.n += 1  db.m = any  db.m = 0"])
def test_a_value_that_leaves_its_range_is_no_question_of_verdicts(change: str, tmp_path: Path) -> None:
    """The program says so, if it can list the states; proofs fail."""
    path = tmp_path / "wrong.rdsl"
    path.write_text(LEAVING.replace("CHANGE", change))
    tally = Match(0, load(path), 100).run()
    assert not tally.disagreements
    assert tally.counts == {"wrong": 2}  # in two scopes
    asked = {("proof", "RC310", "unknown"): 2} | ({} if "any" in change else {("program", "RC310", "RC310"): 2})
    assert tally.answers == asked


# ---- lies are found ------------------------------------------------------------------------------------------------


def diverging(path: Path) -> tuple[Contest, Goal, Judgement, Answer, Trace]:
    """A golden model that diverges, with what is true and what the program answers."""
    contest = Contest(load(path), Scope())
    goal = contest.loaded.operator.goals[0]
    judgement = Judge(contest.loaded.operator, Scope(), 500).judge(goal)
    answer = contest.by_program(goal)
    assert answer.trace is not None
    assert not fault("program", contest, judgement, answer)
    return contest, goal, judgement, answer, answer.trace


@pytest.mark.parametrize("path", [QUIET, LIVELOCK], ids=lambda path: path.stem)
def test_a_wrong_answer_is_found(path: Path) -> None:
    contest, _, judgement, answer, trace = diverging(path)
    other = "livelock" if answer.verdict == "quiet" else "quiet"
    lies = [
        replace(answer, verdict="converges", trace=None),
        replace(answer, verdict="unknown", trace=None),
        replace(answer, verdict=other),
        replace(answer, trace=None),
        replace(answer, trace=replace(trace, steps=trace.steps[:-1])),
        replace(answer, trace=replace(trace, steps=trace.steps[1:])),
    ]
    for lie in lies:
        assert fault("program", contest, judgement, lie), lie.verdict
    assert not fault("search", contest, judgement, lies[1]), "an engine alone need not know"
    missed = fault("search", contest, judgement, replace(lies[1], reason=NO_RUN))
    assert bool(missed) == (path == QUIET), "but it must not miss a run that it looked for; it looks for no loops"
    left_out = replace(lies[1], reason=NONE_LEFT)
    assert fault("guided", contest, judgement, left_out), "guided search comes to its end only where there is none"
    longer = replace(judgement, found={verdict: (n or 0) + 1 for verdict, n in judgement.found.items()})
    assert "shortest" in fault("program", contest, longer, answer)


def test_a_refutation_of_what_is_proved_is_found() -> None:
    contest = Contest(load(CONVERGING), Scope(level=4))
    goal = contest.loaded.operator.goals[0]
    judgement = Judge(contest.loaded.operator, contest.scope, 500).judge(goal)
    assert judgement.verdicts == {"converges"}
    assert fault("search", contest, judgement, Answer(goal, contest.scope, "quiet"))


def test_a_trace_with_another_end_is_found() -> None:
    contest, goal, _, _, trace = diverging(QUIET)
    operator = contest.loaded.operator
    assert not objection(operator, Scope(), goal, trace)
    assert objection(operator, Scope(), goal, replace(trace, end="witness"))
    assert "not closed" in objection(operator, Scope(), goal, replace(trace, end="livelock", loop=0))
    assert "no first state" in objection(operator, Scope(), goal, replace(trace, start=(("database.up", 7),)))


def test_a_loop_that_is_not_fair_is_found() -> None:
    contest, goal, _, _, trace = diverging(LIVELOCK)
    assert trace.loop is not None
    assert not objection(contest.loaded.operator, Scope(), goal, trace)
    assert objection(contest.loaded.operator, Scope(), goal, replace(trace, loop=trace.loop + 1))
    assert objection(contest.loaded.operator, Scope(), goal, replace(trace, end="quiet"))


# ---- the record ----------------------------------------------------------------------------------------------------


def test_the_page_says_what_came_of_it() -> None:
    told = "seed 7, converges settled, without schedule:\n  guided says quiet: too short\n  the judge says converges\n"
    tally = Tally(disagreements=[told])
    tally.answers["program", "converges", "converges"] = 1234
    tally.answers["proof", "converges", "unknown"] = 5
    tally.counts["judged"] = 987
    tally.decided.update({JUDGED: 1500, "guided": 800})
    text = page(tally, Run(100, 1500, 2, 200, 600.0, looked=2000))
    assert "2,000 models, seeds 100 to 2,099" in text
    assert "| **models judged** | **1,500** |" in text
    assert "| with a verdict of guided search alone | 800 |" in text
    assert "| **disagreements** | **1** |" in text
    assert "| seed 7, converges settled, without schedule | guided says quiet: too short | converges |" in text
    assert "| converges | converges 1,234 | unknown 5 | - | - |" in text
    assert "| all states listed | 987 |" in text
    assert "--count 1500 --first 100 --jobs 2 --record" in text


def test_a_campaign_goes_on_where_it_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two parts it finds what it finds in one, and it stops when enough models are judged."""
    monkeypatch.setattr(campaign_module, "BATCH", 4)
    totals = tmp_path / "totals.json"
    few, more = Run(8_000, 3, 1, 200), Run(8_000, 8, 1, 200)
    begun, _ = campaign(few, totals)
    resumed, run = campaign(more, totals)
    whole, again = campaign(more)
    assert 3 <= begun.decided[JUDGED] < 8 <= resumed.decided[JUDGED]
    assert (resumed.answers, resumed.counts, resumed.decided) == (whole.answers, whole.counts, whole.decided)
    assert run.looked == again.looked == resumed.counts["models"]
    assert campaign(more, totals)[0] == resumed, "there is nothing left to do"
    with pytest.raises(ValueError, match="holds another run"):
        campaign(dataclasses.replace(more, states=100), totals)
