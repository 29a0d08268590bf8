"""The checker of proofs: it accepts what holds, and refuses what was tampered with."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from reconcheck.proof.certificate import Certificate, Checked, Invariant, Refused
from reconcheck.certify.check import Checker
from reconcheck.proof.diagram import OUTSIDE, Diagram, Node, at_most, build, leaf, leaf_rank
from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import calm, livelocks, quiet_states, rank
from reconcheck.engines.prove import conjuncts, prove_by_slices
from reconcheck.engines.python_code import predicate
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.system import System

MODELS = Path(__file__).parent.parent / "models"
EXTERNAL = MODELS / "minimal" / "external-system.rdsl"
SECONDARY = MODELS / "minimal" / "unwatched-secondary.rdsl"


def proof(path: Path, goal: str, scope: Scope) -> tuple[System, StateGraph, Certificate]:
    operator = load(path).operator
    system = compile_system(operator, scope)
    graph = explore(system, Budget())
    formula = operator.goal(goal).formula
    holds = predicate(system, formula)
    truth = [holds(state) for state in graph.states]
    calm_graph = calm(graph, Budget())
    assert not quiet_states(calm_graph, truth)
    assert not livelocks(calm_graph, truth)
    ranking = rank(calm_graph, truth)
    diagram = build(system.variables, zip(graph.states, ranking.ranks, strict=True))
    return system, graph, Certificate(formula, diagram, ranking.helpful)


@pytest.mark.parametrize(("path", "goal"), [(EXTERNAL, "shown"), (SECONDARY, "sized")])
def test_a_true_proof_is_accepted(path: Path, goal: str) -> None:
    system, _, certificate = proof(path, goal, Scope(schedule=True))
    result = Checker(system).check(certificate)
    assert isinstance(result, Checked)
    assert result.obligations > 20


def test_a_proof_with_the_schedule_is_none_without_it() -> None:
    """The same diagram on the system without the timer, where the operator does not converge."""
    _, _, certificate = proof(EXTERNAL, "shown", Scope(schedule=True))
    operator = load(EXTERNAL).operator
    without = compile_system(operator, Scope())
    assert isinstance(Checker(without).check(certificate), Refused)


def test_a_diagram_gives_each_state_its_rank_and_no_other() -> None:
    _, graph, certificate = proof(SECONDARY, "sized", Scope(schedule=True))
    known = set(graph.states)
    ranks = [certificate.diagram.rank(state) for state in graph.states]
    assert min(ranks) >= 0
    assert max(ranks) == len(certificate.helpful) - 1
    chance = random.Random(5)
    for _ in range(500):
        state = list(chance.choice(graph.states))
        other = chance.choice(graph.states)
        index = chance.randrange(len(state))
        state[index] = other[index]
        if tuple(state) not in known:
            assert certificate.diagram.rank(state) == OUTSIDE


def test_cutting_at_a_rank_keeps_what_is_below() -> None:
    _, graph, certificate = proof(EXTERNAL, "shown", Scope(schedule=True))
    for limit in range(len(certificate.helpful)):
        part = at_most(certificate.diagram, limit)
        for state in graph.states:
            assert (part.rank(state) == 0) == (certificate.diagram.rank(state) <= limit)


def mutate(
    diagram: Diagram, helpful: tuple[str | None, ...], chance: random.Random
) -> tuple[Diagram, tuple[str | None, ...]]:
    """One random change: a leaf, a branch, a missing branch or a helpful action."""
    kind = chance.randrange(4)
    if kind == 0:
        index = chance.randrange(len(helpful))
        others = [action for action in {*helpful, None} if action != helpful[index]]
        return diagram, helpful[:index] + (chance.choice(sorted(others, key=str)),) + helpful[index + 1 :]
    nodes = list(diagram.nodes)
    index = chance.randrange(len(nodes))
    node = nodes[index]
    branch = chance.randrange(len(node.branches))
    value, child = node.branches[branch]
    if kind == 1:
        branches = node.branches[:branch] + node.branches[branch + 1 :]
    else:
        lower = chance.randrange(index) if index and kind == 2 and child >= 0 else None
        same_level = lower is not None and nodes[lower].level == nodes[child].level
        target = lower if lower is not None and same_level else leaf(chance.randrange(len(helpful)))
        branches = (*node.branches[:branch], (value, target), *node.branches[branch + 1 :])
    nodes[index] = Node(node.level, branches)
    return replace(diagram, nodes=tuple(nodes)), helpful


def is_a_proof(graph: StateGraph, certificate: Certificate) -> bool:
    """Whether the reachable part of a mutant is a proof all the same, judged on the graph, without Z3."""
    holds = predicate(graph.system, certificate.goal)
    ranks = [certificate.diagram.rank(state) for state in graph.states]
    if min(ranks) < 0:
        return False
    for number, row in enumerate(graph.edges):
        here = ranks[number]
        action = certificate.helpful[here]
        taken = []
        for command, target in row:
            step = graph.system.commands[command].step
            if step.kind.calm and ranks[target] > here:
                return False
            if step.kind == "fair" and step.action == action:
                taken.append(ranks[target])
        if action is None and not holds(graph.states[number]):
            return False
        if action is not None and (not taken or max(taken) >= here):
            return False
    return True


@pytest.mark.parametrize(("path", "goal", "mutants"), [(EXTERNAL, "shown", 150), (SECONDARY, "sized", 50)])
def test_tampered_proofs_are_refused(path: Path, goal: str, mutants: int) -> None:
    """A mutant that passes must be a proof on every reachable state; the others must be refused."""
    system, graph, certificate = proof(path, goal, Scope(schedule=True))
    chance = random.Random(11)
    refused = 0
    for _ in range(mutants):
        diagram, helpful = mutate(certificate.diagram, certificate.helpful, chance)
        mutant = Certificate(certificate.goal, diagram, helpful)
        result = Checker(system).check(mutant)
        if isinstance(result, Checked):
            assert is_a_proof(graph, mutant)
        else:
            refused += 1
    assert refused > mutants // 2


def test_invariants_are_checked_too() -> None:
    operator = load(SECONDARY).operator
    system = compile_system(operator, Scope())
    graph = explore(system, Budget())
    diagram = build(system.variables, ((state, 0) for state in graph.states))
    goal = operator.goal("sized").formula
    assert isinstance(Checker(system).check(Invariant(goal, diagram)), Refused)
    smaller = build(system.variables, ((state, 0) for state in graph.states[:-1]))
    assert isinstance(Checker(system).check(Invariant(goal, smaller)), Refused)


def test_a_proof_on_a_slice_holds_of_the_whole_system() -> None:
    operator = load(SECONDARY).operator
    system = compile_system(operator, Scope(schedule=True))
    part = conjuncts(operator.goal("sized").formula)[0]
    found = prove_by_slices(system, part, Budget())
    assert found is not None
    assert len(found.variables) < len(system.variables)
    diagram = build(found.variables, zip(found.states, found.ranking.ranks, strict=True))
    result = Checker(system).check(Certificate(part, diagram, found.ranking.helpful))
    assert isinstance(result, Checked)


def test_the_obligations_are_plain_smt_lib() -> None:
    system, _, certificate = proof(EXTERNAL, "shown", Scope(schedule=True))
    text = Checker(system).script(certificate)
    assert text.startswith("(set-logic ALL)")
    assert text.count("(check-sat)") == text.count("(push 1)") == text.count("(pop 1)")
    assert text.count("(") == text.count(")")


def test_leaves_are_ranks() -> None:
    assert [leaf_rank(leaf(rank)) for rank in (OUTSIDE, 0, 1, 7)] == [OUTSIDE, 0, 1, 7]
