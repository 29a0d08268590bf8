"""Certificates: what is true is accepted, what was tampered with is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from graph_proofs import Wrong, holds_on_graph
from known_proofs import (
    EXTERNAL,
    FAN_OUT,
    GOLDEN,
    MINIMAL,
    PROVED,
    SCALING,
    SCHEDULED,
    UNSCHEDULED,
    Remembering,
    document,
    explored,
    issued,
    judged,
    named,
    proved,
)
from mutants import Document, Vocabulary, mutants
from reconcheck.certify.certificates import Judge, issue
from reconcheck.certify.solvers import Z3, Cvc5
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.proof.certificate import Invariant, Measure, Places, Rests, Settles
from reconcheck.proof.document import header, text
from reconcheck.proof.json_reading import parsed
from reconcheck.proof.reading import read_proof

# ---- what is true ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "scope"), PROVED, ids=named)
def test_a_true_proof_is_accepted_and_read_back(path: Path, scope: Scope) -> None:
    system = explored(path, scope).system
    proof = proved(path, scope)
    holds_on_graph(explored(path, scope), proof)
    goal, again, reading = read_proof(document(path, scope), system)
    assert (goal, again) == (proof.goal, proof)
    assert not reading.flaws
    judgement = judged(path, issued(path, scope).proof)
    assert (judgement.verdict, judgement.changes) == ("holds", ())
    assert judgement.obligations == issued(path, scope).count > 10


def test_every_kind_of_part_occurs_in_these_proofs() -> None:
    parts = [part for path, scope in PROVED for part in proved(path, scope).parts]
    assert {type(part) for part in parts} == {Measure, Settles, Rests}
    measures = [part for part in parts if isinstance(part, Measure)]
    assert any(isinstance(measure.amount, Places) for measure in measures)
    assert any(measure.action is None for measure in measures)
    ranked = [part for part in parts if isinstance(part, Settles | Rests)]
    assert any(column.regions for part in ranked for column in part.columns)


def test_a_proof_about_an_array_holds_for_its_size_only() -> None:
    three = issued(FAN_OUT, UNSCHEDULED, (("N", 3),))
    judgement = judged(FAN_OUT, three.proof)
    assert judgement.verdict == "holds"
    assert judgement.obligations == three.count > 100
    assert judgement.about is not None
    assert judgement.about.settings == (("N", 3),)
    untold = judged(FAN_OUT, {**json.loads(three.proof), "settings": {}})
    assert untold.about is not None
    assert untold.about.settings == load(FAN_OUT).operator.parameters  # what was used
    other = Judge(FAN_OUT, {"N": 2}, Z3()).judge_text("certificate", three.proof)
    assert other.verdict in ("refused", "wrong")
    assert "asked is N = 2" in other.changes[0].message


@pytest.mark.parametrize(
    ("path", "goal"),
    [
        (GOLDEN / "blue-green.rdsl", "serving"),  # always
        (GOLDEN / "blue-green.rdsl", "none_left"),  # not reachable
        (GOLDEN / "finalizer-external.rdsl", "covered"),
        (GOLDEN / "blue-green.rdsl", "moved"),  # converges, by the whole state graph
    ],
    ids=named,
)
def test_what_the_verifier_proves_has_a_certificate(path: Path, goal: str) -> None:
    loaded = load(path)
    answer = Verifier(loaded).answer(loaded.operator.goal(goal), UNSCHEDULED)
    assert answer.certificate is not None
    holds_on_graph(explored(path, UNSCHEDULED), answer.certificate)
    found = issue(loaded.operator, answer.goal, answer.scope, answer.certificate, path.stem)
    assert found.name == f"{path.stem}.{goal}"
    assert judged(path, found.proof).verdict == "holds"
    content = parsed(found.proof)
    if isinstance(answer.certificate, Invariant):  # of the property only
        content["proof"]["formula"] = True
        assert judged(path, content).code == "RC507"


@pytest.mark.parametrize(("path", "scope"), PROVED[::6], ids=named)
def test_another_solver_agrees(path: Path, scope: Scope) -> None:
    judgement = judged(path, issued(path, scope).proof, Cvc5())
    assert judgement.verdict == "holds"
    assert judgement.solver.startswith("cvc5 1.")
    content = document(path, scope)
    content["proof"]["parts"].pop()
    refused = judged(path, content, Cvc5())
    assert refused.code == "RC510"
    assert "cvc5 found a state" in refused.reason


def test_the_obligations_are_plain_smt_lib() -> None:
    """A reader of SMT-LIB that knows nothing of reconcheck gets `unsat` for each obligation."""
    import cvc5

    found = issued(EXTERNAL, SCHEDULED)
    solver = cvc5.Solver()
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, found.obligations, "script")
    answers: list[str] = []
    while not (command := parser.nextCommand()).isNull():
        said = str(command.invoke(solver, parser.getSymbolManager())).strip()
        answers += [said] if said else []
    assert set(answers) == {"unsat"}
    assert 20 < len(answers) <= found.count
    assert f"; {len(answers)} different obligations" in found.obligations
    for name in (
        "kept: ",
        "falling: ",
        "always: ",
        "the goal holds where nothing helps",
        "every initial state is inside",
    ):
        assert f"; {name}" in found.obligations
    assert (
        header(load(EXTERNAL).operator, load(EXTERNAL).operator.goals[0], SCHEDULED).model.sha256 in found.obligations
    )


# ---- what was tampered with --------------------------------------------------------------------------------


TAMPERED = [
    (EXTERNAL, SCHEDULED, 110),
    (GOLDEN / "blue-green.rdsl", UNSCHEDULED, 100),
    (GOLDEN / "two-periods.rdsl", SCHEDULED, 90),
    (GOLDEN / "shards.rdsl", UNSCHEDULED, 100),
    (MINIMAL / "unwatched-secondary.rdsl", SCHEDULED, 15),
]
assert sum(count for _, _, count in TAMPERED) >= 400
OF_OTHER_KINDS = [
    (GOLDEN / "blue-green.rdsl", "serving"),  # always
    (GOLDEN / "blue-green.rdsl", "none_left"),  # not reachable
    (GOLDEN / "finalizer-external.rdsl", "covered"),
    (GOLDEN / "blue-green.rdsl", "moved"),  # converges, by the whole state graph
    (GOLDEN / "handover.rdsl", "ready"),
    (GOLDEN / "operators-agree.rdsl", "ready"),
]
MUTANTS, UNBOUNDED_MUTANTS = 60, 100


@pytest.mark.parametrize(("path", "scope", "count"), TAMPERED, ids=named)
def test_tampered_certificates_are_refused(path: Path, scope: Scope, count: int) -> None:
    assert refusals(path, scope, document(path, scope), count) > 0.6 * count


@pytest.mark.parametrize(("path", "goal"), OF_OTHER_KINDS, ids=named)
def test_tampered_certificates_of_other_kinds_are_refused(path: Path, goal: str) -> None:
    """Invariants, proofs by the whole state graph, and proofs about two operators."""
    loaded = load(path)
    answer = Verifier(loaded).answer(loaded.operator.goal(goal), UNSCHEDULED)
    assert answer.certificate is not None
    content = parsed(issue(loaded.operator, answer.goal, UNSCHEDULED, answer.certificate, path.stem).proof)
    assert isinstance(content, dict)
    assert refusals(path, UNSCHEDULED, content, MUTANTS) > 0.6 * MUTANTS


def test_tampered_certificates_of_an_unbounded_proof_are_refused(tmp_path: Path) -> None:
    """A mutant that passes is held against a model with fewer runs, of which all states can be listed.

    There the number that is asked for grows up to two only, by a disturbance: each of its runs is one of the model
    without a bound, so that a proof of that one holds there too.
    """
    model = SCALING.read_text(encoding="utf-8")
    grow = "disturbance grow {"
    assert grow in model
    bounded = tmp_path / SCALING.name
    bounded.write_text(model.replace(grow, "disturbance grow when app.spec.replicas < 2 {"), encoding="utf-8")
    content = document(SCALING, UNSCHEDULED)
    assert any(part["kind"] == "measure" for part in content["proof"]["parts"])
    assert refusals(SCALING, UNSCHEDULED, content, UNBOUNDED_MUTANTS, bounded) > 0.6 * UNBOUNDED_MUTANTS


def refusals(path: Path, scope: Scope, content: Document, count: int, bounded: Path | None = None) -> int:
    """How many of so many mutants of a certificate are refused.

    A mutant that passes must be a proof on every reachable state, of something true; `bounded` is the model of which
    the states are listed, where there are too many of the one that the certificate is about.
    """
    listed = bounded or path
    operator = load(listed).operator
    system = explored(listed, scope).system
    words = Vocabulary({variable.name: str(variable.type) for variable in system.variables}, system.actions())
    judge = Judge(path, {}, Remembering(Z3()))
    refused = total = 0
    for kind, mutant in mutants(content, words, count, random.Random(11)):
        total += 1
        judgement = judge.judge_text(kind, text(mutant))
        if judgement.verdict != "holds":
            assert judgement.verdict in ("refused", "wrong")
            assert judgement.code or judgement.problems
            refused += 1
            continue
        asked = explored(listed, Scope(level=4 if mutant["scope"]["schedule"] else 3))
        _, proof, _ = read_proof(mutant, asked.system)
        assert proof is not None
        holds_on_graph(asked, proof)
        assert asked.verdict(operator.goal(mutant["goal"]["name"])) in ("converges", "holds", "unreachable")
    assert total == count
    return refused


def test_the_graph_refuses_what_the_checker_refuses() -> None:
    """The judgement that mutants are held against is not empty: it refuses most mutants too."""
    path, scope, _ = TAMPERED[0]
    asked = explored(path, scope)
    words = Vocabulary({v.name: str(v.type) for v in asked.system.variables}, asked.system.actions())
    judge = Judge(path, {}, Remembering(Z3()))
    refused = 0
    for kind, mutant in mutants(document(path, scope), words, 60, random.Random(3)):
        _, proof, _ = read_proof(mutant, asked.system)
        if proof is None or judge.judge_text(kind, text(mutant)).verdict == "wrong":
            continue
        try:
            holds_on_graph(asked, proof)
        except Wrong:
            refused += 1
    assert refused > 15


@pytest.mark.parametrize(("path", "scope"), PROVED[::4], ids=named)
def test_without_its_last_step_a_proof_is_none(path: Path, scope: Scope) -> None:
    content = document(path, scope)
    assert content["proof"]["parts"].pop()["kind"] in ("settles", "rests")
    judgement = judged(path, content)
    assert (judgement.verdict, judgement.code) == ("refused", "RC510")
    assert judgement.obligation == "the parts give the goal"
    content["proof"]["parts"] = []
    assert judged(path, content).verdict == "refused"


@pytest.mark.parametrize("name", ["missing-watch", "two-periods", "external-system"])
def test_a_proof_with_the_schedule_is_none_without_it(name: str) -> None:
    path = next(path for path, _ in PROVED if path.stem == name)
    content = document(path, SCHEDULED)
    content["scope"]["schedule"] = False
    judgement = judged(path, content)
    truth = explored(path, UNSCHEDULED).verdict(load(path).operator.goals[0])
    assert judgement.verdict != "holds" or truth == "converges"
    assert name == "two-periods" or truth == "quiet"


def test_a_proof_is_one_of_its_own_goal() -> None:
    path = GOLDEN / "blue-green.rdsl"
    content = document(path, UNSCHEDULED)
    for name, question in (
        ("serving", "converges"),
        ("serving", "always"),
        ("single", "always"),
        ("nothing", "converges"),
    ):
        content["goal"].update(name=name, question=question)
        judgement = judged(path, content)
        assert (judgement.verdict, judgement.code) == ("refused", "RC507")
    content["goal"].update(name="single", question="always", formula=["not", ["and", "blue.exists", "green.exists"]])
    assert judged(path, content).code == "RC507"
    content = document(path, UNSCHEDULED)
    content["goal"]["formula"] = True
    assert judged(path, content).code == "RC507"
    content = document(path, UNSCHEDULED)
    content["scope"]["without"] = ["nothing"]
    assert judged(path, content).code == "RC507"


# ---- another model -----------------------------------------------------------------------------------------


CHANGED = [
    # (model, scope, what is replaced, by what, whether the certificate still holds)
    (GOLDEN / "shards.rdsl", UNSCHEDULED, "watch pods via owner", "", False),
    (GOLDEN / "blue-green.rdsl", UNSCHEDULED, "rdsl 1", "rdsl 1 // the same", True),
    (EXTERNAL, SCHEDULED, "requeue resync_period every 10m", "", False),
    (EXTERNAL, SCHEDULED, "call grafana.dashboard = dashboard.spec.json", "call grafana.dashboard = none", False),
    (EXTERNAL, SCHEDULED, "disturbance edited_in_grafana", "noise edited_in_grafana", False),
    (EXTERNAL, SCHEDULED, "dashboard: opaque = none", "dashboard: opaque = any", True),
]


@pytest.mark.parametrize(("path", "scope", "old", "new", "holds"), CHANGED, ids=named)
def test_what_counts_is_the_model_as_it_is(
    path: Path, scope: Scope, old: str, new: str, holds: bool, tmp_path: Path
) -> None:
    model = path.read_text(encoding="utf-8")
    assert old in model
    changed = tmp_path / path.name
    changed.write_text(model.replace(old, new), encoding="utf-8")
    judgement = judged(changed, issued(path, scope).proof)
    truth = explored(changed, scope).verdict(load(changed).operator.goals[0])
    assert judgement.verdict == "holds" if holds else judgement.verdict in ("refused", "wrong")
    assert truth == "converges" or not holds
    assert any(change.code == "RC508" and "has changed" in change.message for change in judgement.changes)


def test_a_certificate_of_another_model_is_refused() -> None:
    for path, scope in PROVED[:4]:
        for other, _ in PROVED[:4]:
            if other != path:
                assert judged(other, issued(path, scope).proof).verdict in ("refused", "wrong")
