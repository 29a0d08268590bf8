"""Looks for a proof of convergence on the smallest slice that carries it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import explore
from reconcheck.engines.fairness import CalmGraph, Ranking, calm, livelocks, quiet_states, rank
from reconcheck.engines.python_code import StateTuple, predicate
from reconcheck.engines.slicing import Slice, closed, first_slice, slice_system
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import domain, is_finite
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System

SLICE_STATES = 4000
"""States of a slice past which it is given up; the whole graph, where there is one, serves instead."""
MOST_SUSPECTS = 8
"""Variables tried one by one when a slice is too coarse."""

WORTH_SHRINKING = 1_000
"""States above which a proof is made smaller before it is checked: checking costs more than searching."""


@dataclass(frozen=True)
class RankedStates:
    """What an engine hands to the certificate: a rank for each state over some of the variables."""

    variables: tuple[Variable, ...]
    states: list[StateTuple]
    ranking: Ranking


def conjuncts(formula: e.Expr) -> tuple[e.Expr, ...]:
    """The parts of a goal that can be proved one by one: `<>[]` distributes over `and`."""
    return formula.operands if isinstance(formula, e.And) else (formula,)


@dataclass(frozen=True)
class _Attempt:
    """What came of one slice: a proof, or how much of it is trouble and which cut variables may be why."""

    keep: frozenset[str]
    proof: RankedStates | None
    trouble: float
    suspects: tuple[frozenset[str], ...]


def prove_by_slices(system: System, goal: e.Expr, budget: Budget, most: int = SLICE_STATES) -> RankedStates | None:
    """A ranking of a slice on which the goal converges; None where no slice of that size was found to carry one.

    The slice grows by the suspect that leaves the least trouble, until it carries a proof or is too large.
    """
    attempt = _attempt(system, goal, first_slice(system, goal), budget, most)
    while attempt is not None and attempt.proof is None:
        wider = [_attempt(system, goal, attempt.keep | more, budget, most) for more in attempt.suspects]
        attempt = min((one for one in wider if one is not None), key=lambda one: one.trouble, default=None)
    if attempt is None or attempt.proof is None:
        return None
    return _smaller(system, goal, attempt.proof, budget)


def _attempt(system: System, goal: e.Expr, keep: frozenset[str], budget: Budget, most: int) -> _Attempt | None:
    """Tries one slice; None where it is too large, endless, or out of time."""
    part = slice_system(system, keep)
    try:
        graph = explore(part.system, budget.at_most(most))
        calm_graph = _surely_enabled(part, calm(graph, budget))
    except LeftRange as wrong:  # the guard that prevents it in the whole system was cut
        command = next(c for c in system.commands if c.step == wrong.step)
        missing = command.reads - keep
        return _attempt(system, goal, keep | missing, budget, most) if missing else None
    except (Exhausted, Endless):
        return None
    truth = list(map(predicate(part.system, goal), graph.states))
    bad = _trouble(calm_graph, truth)
    if bad:
        suspects = _suspects(system, part, calm_graph, bad, keep)
        return _Attempt(keep, None, len(bad) / len(graph.states), suspects)
    return _Attempt(keep, RankedStates(part.system.variables, graph.states, rank(calm_graph, truth)), 0.0, ())


def prove_always_by_slices(
    system: System, formula: e.Expr, budget: Budget, most: int = SLICE_STATES
) -> tuple[tuple[Variable, ...], list[StateTuple]] | None:
    """The reachable states of a slice in all of which the formula holds; None where there is no such slice."""
    everything = frozenset(variable.name for variable in system.variables)
    keep = first_slice(system, formula)
    while True:
        part = slice_system(system, keep)
        try:
            graph = explore(part.system, budget.at_most(most))
        except (Exhausted, LeftRange, Endless):
            return None
        holds = predicate(part.system, formula)
        bad = next((number for number, state in enumerate(graph.states) if not holds(state)), None)
        if bad is None:
            return part.system.variables, graph.states
        votes: Counter[str] = Counter()
        for number, _ in graph.path(bad)[1:]:
            votes.update(part.cut_reads[number])
        if not votes or keep == everything:
            return None
        chosen = min(votes, key=lambda name: (-votes[name], name))
        keep |= closed(system, [chosen]) | {chosen}


def _smaller(system: System, goal: e.Expr, proof: RankedStates, budget: Budget) -> RankedStates:
    """Leaves out what the proof does not need, as long as that makes it smaller."""
    needed = {variable.name for variable in e.variables(goal)}
    for variable in sorted(proof.variables, key=lambda v: -_weight(v)):
        kept = frozenset(v.name for v in proof.variables) - {variable.name}
        if variable.name in needed or variable.name.startswith("pc(") or len(proof.states) < WORTH_SHRINKING:
            continue
        smaller = _attempt(system, goal, kept, budget, len(proof.states))
        if smaller is not None and smaller.proof is not None and len(smaller.proof.states) < len(proof.states):
            proof = smaller.proof
    return proof


def _weight(variable: Variable) -> int:
    """How much a variable can multiply the states: the number of its values, many for an endless type."""
    return len(domain(variable.type)) if is_finite(variable.type) else 100


def _surely_enabled(part: Slice, calm_graph: CalmGraph) -> CalmGraph:
    """The same graph with actions enabled only where they are whatever the cut variables are."""
    enabled = [
        sum(1 << index for index, (_, sure) in enumerate(part.must) if sure(state)) for state in calm_graph.graph.states
    ]
    edges, actions = calm_graph.edges, calm_graph.actions
    number = {action: index for index, (action, _) in enumerate(part.must)}
    order = [number[action] for action in actions]
    renumbered = [sum(1 << i for i, source in enumerate(order) if bits >> source & 1) for bits in enabled]
    return CalmGraph(calm_graph.graph, actions, edges, renumbered, calm_graph.component, calm_graph.components)


def _trouble(calm_graph: CalmGraph, truth: list[bool]) -> list[int]:
    """The states of the slice in which a run could stay without the goal."""
    quiet = quiet_states(calm_graph, truth)
    return quiet + [state for members in livelocks(calm_graph, truth) for state in members]


def _suspects(
    system: System, part: Slice, calm_graph: CalmGraph, bad: list[int], keep: frozenset[str]
) -> tuple[frozenset[str], ...]:
    """The cut variables that most often decide a step inside the trouble, or whether a fair step is possible."""
    inside = set(bad)
    votes: Counter[str] = Counter()
    for state in bad[:500]:
        for number, target in calm_graph.graph.edges[state]:
            if part.system.commands[number].step.kind.calm and target in inside:
                votes.update(part.cut_reads[number])
    for command in system.commands:
        if command.step.kind == "fair" and command.reads & keep:
            votes.update(command.reads - keep)
    types = {variable.name: variable for variable in system.variables}
    ordered = sorted(votes, key=lambda name: (-votes[name] / _weight(types[name]), name))
    chosen = [frozenset({name, name[5:-1]} if name.startswith("view(") else {name}) for name in ordered]
    return tuple(more & frozenset(types) for more in chosen[:MOST_SUSPECTS])
