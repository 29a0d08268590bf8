"""The checker of proofs by itself: form before obligations, diagrams, solvers."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from known_proofs import EXTERNAL, GOLDEN, MINIMAL, PROVED, SCHEDULED, explored, proved
from reconcheck.certify.check import Checker
from reconcheck.certify.context import Memory
from reconcheck.certify.queries import Query, Solver
from reconcheck.certify.solvers import SOLVERS, Z3, Failure
from reconcheck.engines.budget import Budget
from reconcheck.engines.prove import Prover
from reconcheck.engines.settling import settle
from reconcheck.model import expr as e
from reconcheck.model.likeness import Pattern
from reconcheck.model.load import load
from reconcheck.model.operator import Scope, Variable
from reconcheck.model.types import BOOL, OPAQUE, EnumType, RangeType, Type, domain, is_finite
from reconcheck.proof.certificate import (
    Checked,
    Column,
    Invariant,
    Measure,
    Proof,
    Refused,
    Rests,
    Settles,
    columns_of,
    region_type,
)
from reconcheck.proof.diagram import FEW_VALUES, OUTSIDE, Diagram, among, build, leaf, leaf_rank, membership, smallest
from reconcheck.semantics import smtlib
from reconcheck.semantics.compiler import compile_system


def test_what_settles_is_no_invariant() -> None:
    """A checker that has accepted measures still asks of an invariant that it holds from the beginning."""
    system = explored(EXTERNAL, SCHEDULED).system
    proof = proved(EXTERNAL, SCHEDULED)
    checker = Checker(system)
    assert isinstance(checker.check(proof), Checked)
    everything = Diagram((), (), leaf(0))
    refused = checker.add(Invariant(proof.goal, (), everything))
    assert refused is not None
    assert refused.obligation == "the property holds"
    assert checker.add(Invariant(proof.clauses[0], (), everything)) is None


def test_a_proof_that_is_not_well_formed_is_refused_before_anything_is_asked() -> None:
    system = explored(EXTERNAL, SCHEDULED).system
    proof = proved(EXTERNAL, SCHEDULED)
    settled = next(part for part in proof.parts if isinstance(part, Settles))
    pc = next(column for column in settled.columns if column.regions)
    reordered = Column(pc.name, pc.type, pc.term, tuple(reversed(pc.regions)))
    swapped = tuple(reordered if column == pc else column for column in settled.columns)
    odd_type = Column("x", EnumType(("a", "b")), e.Var("pc(dashboard)", pc.type))
    wrong: list[Any] = [
        Settles(settled.goal, swapped, settled.diagram, settled.helpful, settled.ways),
        Settles(settled.goal, settled.columns[1:], settled.diagram, settled.helpful, settled.ways),
        Settles(settled.goal, settled.columns, settled.diagram, settled.helpful[:-1], settled.ways),
        Rests(settled.goal, (odd_type,), Diagram((odd_type.variable,), (), leaf(0))),
        Measure(e.Var("stale(dashboard)", RangeType(0, 1)), e.integer(1)),
        Measure(e.TRUE, e.Const(-1, RangeType(0, 1))),
        Measure(e.Var("any0", BOOL), e.integer(1)),
    ]
    for part_ in wrong:
        checker = Checker(system)
        refused = checker.add(part_)
        assert refused is not None
        assert refused.obligation.startswith("well formed")
        assert checker.solver.held == 0
        result = checker.check(Proof(proof.goal, (), (part_,)))
        assert isinstance(result, Refused)


def test_a_diagram_gives_each_state_its_rank_and_no_other() -> None:
    graph = explored(MINIMAL / "unwatched-secondary.rdsl", SCHEDULED).graph
    variables = tuple(column.variable for column in columns_of(graph.system.variables))
    ranked = build(variables, ((state, number % 5) for number, state in enumerate(graph.states)))
    known = set(graph.states)
    assert [ranked.rank(state) for state in graph.states] == [number % 5 for number in range(len(graph.states))]
    chance = random.Random(5)
    for _ in range(500):
        state = list(chance.choice(graph.states))
        index = chance.randrange(len(state))
        state[index] = chance.choice(graph.states)[index]
        if tuple(state) not in known:
            assert ranked.rank(state) == OUTSIDE


def test_cutting_at_a_rank_keeps_what_is_below() -> None:
    graph = explored(EXTERNAL, SCHEDULED).graph
    variables = tuple(column.variable for column in columns_of(graph.system.variables))
    ranked = build(variables, ((state, number % 4) for number, state in enumerate(graph.states)))
    for limit in range(4):
        cut = among(ranked, range(limit + 1))
        for number, state in enumerate(graph.states):
            assert (cut.rank(state) == 0) == (number % 4 <= limit)


@pytest.mark.parametrize("seed", range(25))
def test_a_solver_reads_a_diagram_as_it_is(seed: int) -> None:
    """Also where it need not tell states without a rank from the others: it says the same of those that have one."""
    chance = random.Random(seed)
    types: list[Type] = [BOOL, EnumType(("red", "green", "blue")), RangeType(-1, 2), RangeType(0, FEW_VALUES), OPAQUE]
    variables = tuple(Variable(f"x{i}", type_, None) for i, type_ in enumerate(chance.sample(types, 4)))
    values = [domain(v.type) if is_finite(v.type) else (0, 1) for v in variables]
    states = list(itertools.product(*(chance.sample(some, min(len(some), 4)) for some in values)))
    ranked = dict.fromkeys(chance.sample(states, len(states) * 2 // 3), 0)
    ranked = {state: chance.randrange(3) for state in ranked}
    whole, few = build(variables, ranked.items()), {chance.randrange(3)}
    exact, loose = among(whole, few), among(whole, few, exactly=False)
    assert len(loose.nodes) <= len(exact.nodes)
    assert all((loose.rank(state) == 0) == (exact.rank(state) == 0) == (ranked[state] in few) for state in ranked)
    assert all(exact.rank(state) == OUTSIDE for state in states if state not in ranked)
    terms = []
    for name, diagram in (("exact", exact), ("loose", loose)):
        for state in states:
            shown = " ".join(smtlib.constant(value, v.type) for v, value in zip(variables, state, strict=True))
            terms.append(f"(not (= ({name} {shown}) {'true' if diagram.rank(state) == 0 else 'false'}))")
    assert Z3().refute("\n".join([*membership(exact, "exact"), *membership(loose, "loose")]), terms, None) is None


def test_leaves_are_ranks() -> None:
    assert [leaf_rank(leaf(rank)) for rank in (OUTSIDE, 0, 1, 7)] == [OUTSIDE, 0, 1, 7]
    assert Diagram((), (), leaf(2)).rank(()) == 2


def test_solvers_say_what_they_found() -> None:
    for backend in (solver() for solver in SOLVERS.values()):
        assert backend.version[0].isdigit()
        assert backend.refute("(declare-const x Int)", ["(< x x)", "(and (< x 1) (< 1 x))"], None) is None
        failure = backend.refute("(declare-const x Int)", ["(< x x)", "(< x 1)"], 5.0)
        assert failure == Failure(1, f"{backend.name} found a state in which it fails")
        hard = "(= (+ (* x x x) (* y y y) (* z z z)) 114)"
        unknown = backend.refute("(declare-const x Int)(declare-const y Int)(declare-const z Int)", [hard], 0.05)
        assert unknown is not None
        assert unknown.reason.startswith(f"{backend.name} gave up")


def test_two_columns_may_show_one_program_counter() -> None:
    """One folds it to a single region, under the counter's own name; the other one tells all places apart."""
    for path in (MINIMAL / "sidecar.rdsl", GOLDEN / "handover.rdsl"):
        asked = explored(path, SCHEDULED)
        pc = next(variable for variable in asked.system.variables if variable.name.startswith("pc("))
        assert isinstance(pc.type, EnumType)
        here = e.Var(pc.name, pc.type)
        one = tuple((place, "anywhere") for place in pc.type.values)
        every = tuple((place, place) for place in pc.type.values)
        columns = Column(pc.name, region_type(one), here, one), Column("place", region_type(every), here, every)
        index = asked.system.variables.index(pc)
        reached = {str(state[index]) for state in asked.graph.states}
        assert len(reached) > 3
        for place in pc.type.values:
            others = [("anywhere", other) for other in pc.type.values if other != place]
            diagram = build(tuple(column.variable for column in columns), ((state, 0) for state in others))
            never = e.negate(e.equal(here, e.Const(place, pc.type)))
            refused = Checker(asked.system).add(Invariant(never, columns, diagram))
            assert (refused is not None) == (place in reached), place


@pytest.mark.parametrize("name", ["external-system", "missing-watch", "two-periods"])
def test_what_was_forgotten_is_not_relied_on(name: str) -> None:
    """After going back to a mark, a checker knows what one knows that never accepted the rest."""
    path = next(path for path, _ in PROVED if path.stem == name)
    system = explored(path, SCHEDULED).system
    proof = proved(path, SCHEDULED)
    measures = [part for part in proof.parts if isinstance(part, Measure)]
    commands = [number for number, command in enumerate(system.commands) if command.step.kind.calm]

    def knowledge(checker: Checker) -> list[list[e.Expr]]:
        return [checker.context.left(number, set()) for number in commands]

    once, twice = Checker(system), Checker(system)
    for checker in (once, twice):
        assert checker.add_clauses(proof.clauses) == []
    mark = twice.mark()
    before = knowledge(twice)
    for measure in measures:
        assert twice.add(measure) is None
    assert knowledge(twice) != before
    twice.back_to(mark)
    assert knowledge(twice) == before
    for checker in (once, twice):
        for measure in reversed(measures):  # at the places of others now
            checker.add(measure)
    assert once.accepted == twice.accepted
    assert knowledge(once) == knowledge(twice)
    assert once.solver.held > 0


# ---- likeness ----------------------------------------------------------------------------------------------------


FAMILIES = Path(__file__).parent / "bench" / "models"


@pytest.mark.parametrize(("model", "size"), [("fanout", 3), ("fanout-unbounded", 1), ("chain", 2)])
def test_nothing_is_accepted_for_its_likeness_alone(model: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every obligation written down and asked by itself, the same parts and the same mutants of them hold."""
    loaded = load(FAMILIES / f"{model}.rdsl", {"N": size})
    system = compile_system(loaded.operator, Scope())
    cases = []
    for goal in loaded.operator.goals:
        checker = Checker(system)
        prover = Prover(system, checker, Budget())
        assert prover.prove(goal.formula)
        proof = Proof(goal.formula, tuple(checker.context.clauses), tuple(checker.accepted))
        chance = random.Random(5)
        dropped = chance.sample(range(len(proof.parts)), 4)
        without = [[part for n, part in enumerate(proof.parts) if n != drop] for drop in dropped]
        cases += [proof, *(replace(proof, parts=tuple(some)) for some in without)]
        cases.append(replace(proof, clauses=proof.clauses[: len(proof.clauses) // 2]))
    alike = [Checker(system).check(proof) for proof in cases]
    written = Counter[str]()
    count = itertools.count()
    solved = Solver.refute

    def refute(self: Solver, declared: Iterable[str], queries: Sequence[Query]) -> object:
        written["obligations"] += len(queries)
        return solved(self, declared, queries)

    monkeypatch.setattr(Solver, "refute", refute)
    for proof in cases:
        Checker(system).check(proof)
    few = written["obligations"]
    monkeypatch.setattr(Pattern, "key", lambda *_given: (next(count),))  # nothing is like anything
    written.clear()
    apart = [Checker(system).check(proof) for proof in cases]
    assert written["obligations"] > few
    assert [type(one) for one in apart] == [type(one) for one in alike]
    assert {type(one) for one in alike} == {Checked, Refused}


def test_controllers_with_caches_of_their_own_are_told_apart_one_after_the_other() -> None:
    """A diagram in this order has a third of the nodes for two operators on one resource."""
    operator = load(Path(__file__).parent.parent / "models" / "superset" / "hpa-fought.rdsl").operator
    variables = compile_system(operator, Scope()).variables
    first = [0 if isinstance(variable.type, RangeType) else domain(variable.type)[0] for variable in variables]
    order = [variable.name for variable in smallest(variables, [(first, 0)] * 5_001).variables]
    mine = {
        name: [v for v in order if v.startswith(f"{name}/") or f"({name}" in v] for name in ("superset", "autoscaler")
    }
    assert max(map(order.index, mine["superset"])) < min(map(order.index, mine["autoscaler"]))
    assert order.index("deployment.spec.image") < order.index("pc(superset)")
    assert sorted(order) == sorted(variable.name for variable in variables)


# ---- a memory that several checkers share ----------------------------------------------------------------------------


def test_checkers_of_like_systems_ask_a_question_once() -> None:
    """What comes out is the same as without the memory, for the same and for other scopes and models."""
    memory = Memory()
    asked: list[int] = []
    for path in (EXTERNAL, MINIMAL / "external-with-notifies.rdsl", EXTERNAL):
        for scope in (SCHEDULED, Scope()):
            system = compile_system(load(path).operator, scope)
            backend = Counting()
            alone, shared = Checker(system), Checker(system, backend=backend, memory=memory)
            found = [settle(system, checker, Budget()) for checker in (alone, shared)]
            assert found[0] == found[1]
            assert alone.solver.held == shared.solver.held
            asked.append(backend.asked)
    assert asked[0] > 0
    assert asked[-2:] == [0, 0]


def test_a_solver_that_gave_up_is_asked_again() -> None:
    system = compile_system(load(EXTERNAL).operator, SCHEDULED)
    memory = Memory()
    settle(system, Checker(system, backend=GivesUp(), memory=memory), Budget())
    assert settle(system, Checker(system, memory=memory), Budget()) == settle(system, Checker(system), Budget())


class Counting(Z3):
    """Z3, which counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        self.asked += len(terms)
        return super().refute(declared, terms, seconds)


class GivesUp(Z3):
    """A solver without answers."""

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        return Failure(0, "Z3 gave up: timeout")
