"""Exports to SMT-LIB 2 and VMT: Z3 reads them, and lists the states and steps of the reference interpreter."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
import z3

from reconcheck.export import smt2, vmt
from reconcheck.export.system import System, build
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.types import EnumType
from reference import reference
from smt_systems import Annotated, Records, Values, reached
from support import GOLDEN, MODELS, read, search
from tlc import renamed

WITH, WITHOUT = Scope(level=4), Scope()
LISTED = (
    ("quiet-in-two-steps", WITHOUT),
    ("error-stops", WITHOUT),
    ("poll-needed", WITH),
    ("deletion-passes-generation", WITHOUT),
    ("self-trigger", WITHOUT),
)
"""Small models, in all of whose states Z3 is asked for the steps."""
JUDGED = (
    ("quiet-in-two-steps", WITHOUT),
    ("error-retried", WITHOUT),
    ("error-never-cured", WITHOUT),
)
"""Models whose question is decided on the states that Z3 lists of the VMT system."""


def golden(name: str) -> Operator:
    return read(GOLDEN[0].with_name(f"{name}.rdsl"))


def text(files: dict[str, str]) -> str:
    (found,) = files.values()
    return found


def whole(operator: Operator, scope: Scope) -> System:
    return build(operator, scope, operator.goals)


@pytest.mark.parametrize("path", [*GOLDEN, *MODELS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_z3_reads_every_export(path: Path) -> None:
    system = whole(read(path), WITH)
    asked = {
        text(smt2.files(system)): "(declare-const c Choice) (declare-const s State) (assert (init c s))",
        text(vmt.files(system)): "(assert .init) (assert .trans)",
    }
    for script, question in asked.items():
        solver = z3.Solver()
        solver.from_string(f"{script}\n{question}")
        assert solver.check() == z3.sat


@pytest.mark.parametrize(("name", "scope"), LISTED, ids=str)
def test_smt_has_the_states_and_steps_of_the_interpreter(name: str, scope: Scope) -> None:
    operator = golden(name)
    system = whole(operator, scope)
    records = Records(text(smt2.files(system)))
    assert records.names == [variable.name for variable in system.variables]
    graph = reached(records.initial(), records.successors())
    truth = reference(operator, scope, 1, 1_000)
    assert {state[:-1] for state in graph} == set(truth.keys)
    assert len(graph) == 2 * renamed(system, truth.keys)
    for number, key in enumerate(truth.keys):
        steps = {(str(step), truth.keys[after]) for step, after in truth.states.edges[number]}
        listed = {(str(step).split(" #")[0], after[:-1]) for step, after in graph[*key, False]}
        assert listed - {("calm begins", key)} == steps
        calm = {(str(step), truth.keys[after]) for step, after in truth.states.edges[number] if step.kind.calm}
        assert {(str(step).split(" #")[0], after[:-1]) for step, after in graph[*key, True]} == calm


def test_smt_tells_where_nothing_has_to_happen_any_more() -> None:
    operator = golden("poll-needed")
    for scope, found in ((WITHOUT, True), (WITH, False)):
        records = Records(text(smt2.files(whole(operator, scope))))
        quiet = records.holds(f"|quiet {operator.goals[0].name}|")
        assert any(map(quiet, reached(records.initial(), records.successors()))) == found


def test_opaque_values_are_as_many_as_renamings_of_the_states() -> None:
    operator = load(GOLDEN[0].parent.parent.parent / "models" / "minimal" / "external-system.rdsl").operator
    system = whole(operator, WITHOUT)
    records = Records(text(smt2.files(system)))
    first = {state[:-1] for state in records.initial()}
    known = reference(operator, WITHOUT, 1, 1_000)
    begun = [key for key in known.keys if key in first]
    assert len(first) == renamed(system, begun)


@pytest.mark.parametrize(("name", "scope"), JUDGED, ids=str)
def test_vmt_asks_what_the_model_asks(name: str, scope: Scope) -> None:
    """The property fails again and again on some run exactly if the goal does not converge."""
    operator = golden(name)
    (goal,) = operator.goals
    system = whole(operator, scope)
    annotated = Annotated(text(vmt.files(system)))
    graph = reached(annotated.initial(), annotated.successors())
    turn = annotated.names.index(f"turn {goal.name}")
    assert {state[turn] for state in graph} <= set(range(len(system.units) + 1))
    assert len({_model(state, annotated.names, system) for state in graph}) == 2 * len(
        reference(operator, scope, 1, 999).keys
    )
    holds = annotated.holds(f"|.ask {goal.name}|")
    edges: nx.DiGraph[Values] = nx.DiGraph([(state, after) for state, steps in graph.items() for _, after in steps])
    cycles = [part for part in nx.strongly_connected_components(edges) if len(part) > 1]
    violated = any(not holds(state) for part in cycles for state in part)
    assert violated == (search(operator, scope).verdict(goal) != "converges")


def _model(state: Values, names: list[str], system: System) -> Values:
    """The part of a state that the model has, with names for numbers."""
    known = dict(zip(names, state, strict=True))
    found = []
    for variable in system.variables:
        held = known[variable.name]
        found.append(variable.type.values[int(held)] if isinstance(variable.type, EnumType) else held)
    return tuple(found)
