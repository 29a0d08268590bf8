"""Proofs in parts and guided search, on operators whose states are too many to list."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.peer_models import Instance, rdsl
from graph_proofs import holds_on_graph
from known_proofs import MOST_STATES, PROVED
from reconcheck.certify.check import Checker
from reconcheck.cli.template import Outline, Template
from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import rank
from reconcheck.engines.measures import ending, ways
from reconcheck.engines.prove import Prover
from reconcheck.explain import convergence, listed
from reconcheck.explain.convergence import Convergence
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, Scope
from reconcheck.proof.certificate import Checked, Proof
from reconcheck.render.text import Paint, render_report
from reconcheck.semantics.compiler import compile_system
from support import GOLDEN, search

FAMILIES = Path(__file__).parent / "bench" / "models"
MODELS = Path(__file__).parent.parent / "models"


def answers(model: str, size: int, engines: frozenset[str], seconds: float = 300) -> dict[str, Answer]:
    loaded = load(FAMILIES / f"{model}.rdsl", {"N": size})
    return {
        goal.name: Verifier(loaded, seconds=seconds, engines=engines).answer(goal, Scope())
        for goal in loaded.operator.goals
    }


@pytest.mark.parametrize(
    ("model", "size"), [("fanout", 1), ("fanout", 3), ("fanout-unbounded", 1), ("chain", 2), ("chain-unbounded", 2)]
)
def test_a_family_is_proved_in_parts(model: str, size: int) -> None:
    """Each proof stands by itself: a checker that has seen nothing of the search accepts it again."""
    loaded = load(FAMILIES / f"{model}.rdsl", {"N": size})
    for name, answer in answers(model, size, frozenset({"proof"})).items():
        assert answer.verdict == "converges", name
        assert isinstance(answer.certificate, Proof)
        again = Checker(compile_system(loaded.operator, Scope())).check(answer.certificate)
        assert isinstance(again, Checked), name


def test_a_variable_is_tried_where_conditions_were_of_no_use(tmp_path: Path) -> None:
    """A model as `reconcheck new` writes it: what one of two live reads gave was never looked at."""
    outline = Outline("app", "App", "kube-rs", ("Secret",), ("ConfigMap",), ("db",), "1h")
    path = tmp_path / "new.rdsl"
    path.write_text(Template(outline).text(), encoding="utf-8")
    loaded = load(path)
    verifier = Verifier(loaded, seconds=300, engines=frozenset({"proof"}))
    for goal in loaded.operator.goals:
        assert verifier.answer(goal, Scope(SCHEDULED)).verdict == "converges", goal.name


def test_what_is_proved_does_not_depend_on_what_was_asked_before() -> None:
    loaded = load(FAMILIES / "fanout.rdsl", {"N": 2})
    engines = frozenset({"proof"})
    together = Verifier(loaded, engines=engines)
    for goal in loaded.operator.goals:
        alone = Verifier(loaded, engines=engines).answer(goal, Scope())
        assert together.answer(goal, Scope()).certificate == alone.certificate


@pytest.mark.parametrize("all_watched", [True, False])
def test_a_value_that_sums_up_many_others_is_proved_in_parts(all_watched: bool, tmp_path: Path) -> None:
    """What is reported depends on twelve values that were noted together, and the goal on all of them."""
    path = tmp_path / "one-object.rdsl"
    path.write_text(rdsl(Instance(12, all_watched)), encoding="utf-8")
    loaded = load(path)
    (goal,) = loaded.operator.goals
    answer = Verifier(loaded, seconds=120, engines=frozenset({"proof", "search"})).answer(goal, Scope())
    if not all_watched:
        assert (answer.verdict, answer.engine) == ("quiet", "guided search")
        return
    assert (answer.verdict, answer.engine) == ("converges", "slices")
    assert answer.states < 1_000
    assert isinstance(answer.certificate, Proof)
    assert isinstance(Checker(compile_system(loaded.operator, Scope())).check(answer.certificate), Checked)


def test_a_proof_relies_on_when_another_operator_writes() -> None:
    """The autoscaler takes back what the operator writes, for ever; the image is rolled out all the same."""
    loaded = load(MODELS / "superset" / "hpa-fought.rdsl")
    goal = loaded.operator.goal("rolled_out")
    answer = Verifier(loaded, seconds=120, engines=frozenset({"proof"})).answer(goal, Scope(4))
    assert (answer.verdict, answer.engine) == ("converges", "slices")
    assert answer.proof is not None
    assert answer.proof.variables < len(compile_system(loaded.operator, Scope(4)).variables)


def test_a_slice_that_did_elsewhere_is_tried_first() -> None:
    """A hint that does not do is of no consequence."""
    loaded = load(FAMILIES / "fanout.rdsl", {"N": 2})
    (goal, _), system = loaded.operator.goals, compile_system(loaded.operator, Scope())
    first = Prover(system, Checker(system), Budget())
    assert first.prove(goal.formula)
    system = compile_system(loaded.operator, Scope(4))
    plain, hinted, misled = (Prover(system, Checker(system), Budget()) for _ in range(3))
    assert plain.prove(goal.formula)
    assert hinted.prove(goal.formula, hints=first.shapes)
    assert hinted.found.tried <= plain.found.tried
    assert hinted.shapes.keys() == first.shapes.keys()
    nothing = dict.fromkeys(first.shapes, (frozenset[str](), ()))
    assert misled.prove(goal.formula, hints=nothing)


def test_a_missing_watch_is_found_and_never_proved_away() -> None:
    """The trace is a run of the whole system: it was replayed before it was given out."""
    size = 4
    proofs = answers("fanout-missing-watch", size, frozenset({"proof"}), seconds=5)
    assert proofs["copied"].verdict == "unknown"
    found = answers("fanout-missing-watch", size, frozenset({"search"}))["copied"]
    assert found.verdict == "quiet"
    assert found.engine == "guided search"
    assert found.trace is not None


@pytest.mark.parametrize("engine", ["guided search", "nearest states", "bounded search", "slices"])
def test_each_answer_says_how_many_states_it_looked_at(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded search lists none, and says so."""
    engines = frozenset({"search"})
    if engine == "nearest states":
        engines = frozenset({"search", "graph"})
        monkeypatch.setattr(listed, "WORTH_A_LOOK", 0)
        monkeypatch.setattr(listed, "FIRST_LOOK", 80)
    elif engine == "bounded search":
        monkeypatch.setattr(Convergence, "_suspected", lambda *_: None)
        monkeypatch.setattr(Convergence, "_guided", lambda *_: None)
    elif engine == "slices":
        engines = frozenset({"proof"})
    loaded = load(GOLDEN[0].with_name("two-fight.rdsl"))
    if engine != "nearest states":
        loaded = load(FAMILIES / f"fanout{'' if engine == 'slices' else '-missing-watch'}.rdsl", {"N": 2})
    goal = loaded.operator.goals[0].name
    report = Verifier(loaded, 300, engines=engines).report(Scope(), [goal], every_scope=False)
    (answer,) = report.answers
    assert answer.engine == engine
    text = " ".join(render_report(report, Paint(False)).split())
    if engine == "bounded search":
        assert answer.states == 0
        assert "replayed; bounded search, which lists no states" in text
        return
    if engine == "guided search":
        assert "steps (the fewest to a quiet state), replayed; guided search" in text
    assert answer.states > 0
    assert f"{answer.states:,} states" in text
    if engine == "slices":
        assert answer.proof is not None
        assert answer.states == answer.proof.states


def test_rest_is_not_claimed_where_another_number_might_do(tmp_path: Path) -> None:
    """A fair process that depends on the number it chooses: a state is not quiet because one number does nothing."""
    model = tmp_path / "chosen.rdsl"
    model.write_text(
        "rdsl 1\noperator o {\n  runtime controller-runtime 0.24\n  primary App as app { spec.n: 0..1 = 0 }\n"
        "  external db { n: nat = 0  up: bool = false }\n"
        "  controller app for app { watch app on spec  on error backoff  reconcile { await change } }\n"
        "  environment { process p { db.n = any  db.up = db.up or db.n > 9  db.n = 0 } }\n"
        "  converges { comes_up: db.up }\n}\n"
    )
    loaded = load(model)
    answer = Verifier(loaded, seconds=20).answer(loaded.operator.goal("comes_up"), Scope())
    assert answer.verdict in ("unknown", "converges")


GRAPH, SLICES = frozenset({"graph"}), frozenset({"graph", "slices"})


def test_a_few_slices_are_tried_before_a_proof_on_a_large_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convergence, "WORTH_A_FEW", 100)
    whole, parts = (answers("fanout", 1, engines)["copied"] for engines in (GRAPH, SLICES))
    assert (whole.verdict, whole.engine) == ("converges", "whole state graph")
    assert (parts.verdict, parts.engine) == ("converges", "slices")
    assert parts.states < whole.states
    monkeypatch.setattr(convergence, "FEW_SLICES", 0)
    assert answers("fanout", 1, SLICES)["copied"].engine == "whole state graph"
    monkeypatch.setattr(convergence, "FEW_SLICES", 8)
    monkeypatch.setattr(convergence, "WORTH_A_FEW", whole.states)
    assert answers("fanout", 1, SLICES)["copied"].engine == "whole state graph"


def test_goals_that_a_few_slices_prove_are_proved_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked together is answered as it is alone, whichever proof it gets."""
    monkeypatch.setattr(convergence, "WORTH_A_FEW", 100)
    loaded = load(FAMILIES / "fanout.rdsl", {"N": 1})
    goals = loaded.operator.goals
    assert [one.engine for one in Verifier(loaded, engines=SLICES).together(goals, Scope())] == ["slices"] * len(goals)
    monkeypatch.setattr(convergence, "FEW_SLICES", 0)
    found = Verifier(loaded, engines=SLICES).together(goals, Scope())
    assert [(one.verdict, one.engine) for one in found] == [("converges", "whole state graph")] * len(goals)


@pytest.mark.parametrize(("path", "scope"), PROVED, ids=lambda one: getattr(one, "stem", str(one)))
def test_a_proof_on_the_whole_graph_holds_on_it(path: Path, scope: Scope) -> None:
    """The conditions of its ranks are looked at state by state, without a solver."""
    loaded = load(path)
    found = (Verifier(loaded, engines=GRAPH).answer(goal, scope).certificate for goal in loaded.operator.goals)
    proofs = [certificate for certificate in found if isinstance(certificate, Proof)]
    for proof in proofs:
        holds_on_graph(search(loaded.operator, scope, MOST_STATES), proof)
    assert proofs


def test_a_run_that_comes_to_its_end_needs_one_rank() -> None:
    operator = load(GOLDEN[0].with_name("finalizer-external.rdsl")).operator
    found = search(operator, Scope())
    truth = found.values(operator.goal("matched"))
    actions = ending(found.system, ways(found.system))
    at_once, step_by_step = rank(replace(found.calm, ending=actions), truth), rank(found.calm, truth)
    assert actions == {f"reconcile {operator.controllers[0].name}"}
    assert (len(at_once.helpful), len(step_by_step.helpful)) == (7, 9)
