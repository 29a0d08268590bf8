"""Proves convergence in parts: what settles by itself, then each part of the goal on the smallest slice that does.

Where nothing goes on for ever, a goal has to hold only where everything has come to rest; else it is ranked on
a slice, against the steps that are left.  A slice grows by what leaves the least trouble: a variable, or a
*predicate*, a condition on many cut variables at once.  Where the trouble is that such a condition stays false,
it is proved first, as a lemma.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, Ranking, livelocks, quiet_states, rank, strongly_connected
from reconcheck.engines.measures import ways
from reconcheck.engines.python_code import StateTuple, predicate, successors
from reconcheck.engines.settling import Oracle, Settling, settle
from reconcheck.engines.slicing import Predicate, Slice, Slicer, first_slice
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import domain, is_finite
from reconcheck.proof.certificate import Column, Part, Rests, Settles
from reconcheck.proof.diagram import Diagram, smallest
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System

SLICE_STATES = 20_000
"""States of a slice past which it is given up."""
MOST_SUSPECTS = 8
"""Variables or predicates tried one by one when a slice is too coarse."""


class Checking(Oracle, Protocol):
    """The checker of proofs, as far as the search for one needs it."""

    def left(self, number: int) -> list[e.Expr] | None:
        """What holds when a calm command is taken after all that was accepted has settled; None where it cannot."""


@dataclass
class Found:
    """How far a proof got."""

    settling: Settling
    slices: int = 0
    states: int = 0
    largest: int = 0
    """Variables of the largest slice."""
    obstacle: frozenset[str] | None = None
    """The variables of the slice on which the search gave up."""


def conjuncts(formula: e.Expr) -> tuple[e.Expr, ...]:
    """The parts of a goal that can be proved one by one: `<>[]` distributes over `and`."""
    return formula.operands if isinstance(formula, e.And) else (formula,)


class Prover:
    """Looks for proofs about one system; what was proved for one goal serves the next."""

    def __init__(self, system: System, checker: Checking, budget: Budget) -> None:
        self.system, self.checker, self.budget = system, checker, budget
        self.found = Found(settle(system, checker, budget))
        self.ends = not self.found.settling.live
        self.slicer = Slicer(system, self.found.settling.clauses, checker.left)
        self.ways = ways(system)
        self.proved: dict[e.Expr, bool] = {}
        self.explored: dict[object, StateGraph] = {}
        self.known: list[e.Expr] = [
            zero for measure in self.found.settling.measures if measure.action for zero in conjuncts(measure.zero)
        ]

    def prove(self, goal: e.Expr) -> bool:
        """Whether every part of the goal was proved, and accepted by the checker."""
        return all(self._lemma(part) for part in conjuncts(goal))

    def _lemma(self, formula: e.Expr) -> bool:
        """Proves a formula, with whatever it needs; one that is being proved does not serve itself."""
        if formula in self.proved:
            return self.proved[formula]
        self.proved[formula] = False
        if isinstance(formula, e.And):
            self.proved[formula] = all(self._lemma(part) for part in formula.operands)
        else:
            self.proved[formula] = self._on_slices(formula)
        return self.proved[formula]

    def _on_slices(self, goal: e.Expr) -> bool:
        attempt = self._attempt(goal, first_slice(self.system, goal), ())
        while attempt is not None:
            if not attempt.trouble:
                if self._accept(goal, attempt):
                    return True
                self.found.obstacle = attempt.keep
                return False
            for lemma in self._lemmas(attempt):
                if not self.proved.get(lemma, False) and lemma not in self.proved and self._lemma(lemma):
                    again = self._attempt(goal, attempt.keep, attempt.predicates)
                    if again is not None and again.trouble < attempt.trouble:
                        attempt = again
                        break
            else:
                self.found.obstacle = attempt.keep
                attempt = self._best(goal, self._wider(attempt))
        return False

    def _best(self, goal: e.Expr, shapes: Sequence[tuple[frozenset[str], tuple[Predicate, ...]]]) -> _Attempt | None:
        """Of several slices the first without trouble, or the one with the least."""
        best: _Attempt | None = None
        for keep, predicates in shapes:
            attempt = self._attempt(goal, keep, predicates)
            if attempt is not None and (best is None or attempt.trouble < best.trouble):
                best = attempt
                if not best.trouble:
                    break
        return best

    # ---- one slice -----------------------------------------------------------------------------------------------

    def _attempt(self, goal: e.Expr, keep: frozenset[str], predicates: tuple[Predicate, ...]) -> _Attempt | None:
        """Explores one slice; None where it is too large or endless."""
        self.budget.check(f"trying a slice of {len(keep) + len(predicates)} variables")
        part = self.slicer.slice(keep, predicates, self.known)
        try:
            graph = explore(part.system, self.budget.at_most(SLICE_STATES))
        except LeftRange as wrong:  # the guard that prevents it in the whole system was cut
            number = next(n for n, c in enumerate(self.system.commands) if c.step == wrong.step)
            missing = self.system.commands[number].reads - keep
            return self._attempt(goal, keep | missing, predicates) if missing else None
        except (Exhausted, Endless):
            if self.budget.left == 0.0:
                raise
            return None
        holds = predicate(part.system, goal)
        truth = [holds(state) or not all(known(state) for known in part.known) for state in graph.states]
        if self.ends:
            possible = [any(sure(state) for _, sure in part.sure) for state in graph.states]
            bad = [n for n, good in enumerate(truth) if not good and not possible[n]]
            return _Attempt(keep, predicates, part, graph, bad, len(bad) / len(graph.states), None)
        calm_graph = self._calm(part, graph)
        bad = quiet_states(calm_graph, truth)
        bad += [state for members in livelocks(calm_graph, truth) for state in members]
        ranking = None if bad else rank(calm_graph, truth)
        return _Attempt(keep, predicates, part, graph, bad, len(bad) / len(graph.states), ranking)

    def _calm(self, part: Slice, graph: StateGraph) -> CalmGraph:
        """The calm steps of a slice that are left once everything known has settled.

        A step of a reconcile within one region is none: a run comes to its end.
        """
        actions = tuple(action for action, _ in part.sure)
        number = {action: index for index, action in enumerate(actions)}
        states = {state: index for index, state in enumerate(graph.states)}
        following = successors(part.calm)
        edges: list[list[tuple[int, int]]] = []
        for here, state in enumerate(graph.states):
            row: list[tuple[int, int]] = []
            for command, after in following(state):
                step = part.calm.commands[command].step
                if states[after] == here and step.action.startswith("reconcile "):
                    continue
                row.append((number.get(step.action, -1) if step.kind == "fair" else -1, states[after]))
            edges.append(row)
        enabled = [sum(1 << i for i, (_, sure) in enumerate(part.sure) if sure(state)) for state in graph.states]
        component, found = strongly_connected(edges, self.budget)
        return CalmGraph(graph, actions, edges, enabled, component, found)

    def _accept(self, goal: e.Expr, attempt: _Attempt) -> bool:
        ranking = attempt.ranking
        ranks = [0] * len(attempt.graph.states) if ranking is None else ranking.ranks
        columns, diagram = arranged(attempt.part.columns, list(zip(attempt.graph.states, ranks, strict=True)))
        part: Part = Rests(goal, columns, diagram)
        if ranking is not None:
            part = Settles(goal, columns, diagram, ranking.helpful, self.ways)
        if self.checker.add(part) is not None:
            return False
        self.known.append(goal)
        self.found.slices += 1
        self.found.states += len(attempt.graph.states)
        self.found.largest = max(self.found.largest, len(columns))
        return True

    def _lemmas(self, attempt: _Attempt) -> Iterator[e.Expr]:
        """Predicates of the slice that are the same throughout the trouble: it would be gone if they changed."""
        for place, one in enumerate(attempt.predicates):
            values = {attempt.graph.states[state][place] for state in attempt.bad}
            if values == {False}:
                yield one.term
            elif values == {True}:
                yield e.negate(one.term)

    def _wider(self, attempt: _Attempt) -> list[tuple[frozenset[str], tuple[Predicate, ...]]]:
        """Larger slices worth a try: with a predicate, or with a variable that decides what happens in the trouble."""
        keep, predicates = attempt.keep, attempt.predicates
        found: list[tuple[frozenset[str], tuple[Predicate, ...]]] = []
        terms = {one.term for one in predicates}
        for term in self._conditions(attempt):
            if term not in terms and e.negate(term) not in terms:
                found.append((keep, (*predicates, Predicate(f"condition {len(predicates) + 1}", term))))
        votes: Counter[str] = Counter()
        for number in self._concerned(attempt):
            votes.update(self.slicer.footprints[number] - keep)
        types = {variable.name: variable for variable in self.system.variables}
        ordered = sorted(votes, key=lambda name: (-votes[name] / _weight(types[name]), name))
        for name in ordered:
            more = frozenset({name, name[5:-1]} if name.startswith("view(") else {name}) & frozenset(types)
            found.append((keep | more, predicates))
        return found[:MOST_SUSPECTS]

    def _concerned(self, attempt: _Attempt) -> list[int]:
        """The fair commands that have to do with what the slice keeps and are not fully seen by it."""
        return [
            number
            for number, command in enumerate(self.system.commands)
            if command.step.kind == "fair"
            and not self.slicer.writes[number].isdisjoint(attempt.keep)
            and not self.slicer.footprints[number] <= attempt.keep
        ]

    def _conditions(self, attempt: _Attempt) -> list[e.Expr]:
        """Conditions on cut variables under which a reconcile writes what the slice keeps, or ends before that."""
        found: dict[e.Expr, None] = {}
        world = {name for name in attempt.keep if not name.startswith(("pc(", "queued(", "timer(", "held("))}
        exits: list[e.Expr] = []
        for number in self._concerned(attempt):
            command = self.system.commands[number]
            if not command.step.action.startswith("reconcile "):
                continue
            cut = _cut_part(command.guard, attempt.keep)
            if cut == e.TRUE:
                continue
            if not self.slicer.writes[number].isdisjoint(world):
                found[cut] = None
            elif command.step.detail.startswith("await"):
                exits.append(e.negate(cut))
        if exits:
            found[e.both(*exits)] = None
        return [term for term in found if not isinstance(term, e.Const)]


@dataclass(frozen=True)
class _Attempt:
    """One slice with the states of it in which a run could stay without the goal."""

    keep: frozenset[str]
    predicates: tuple[Predicate, ...]
    part: Slice
    graph: StateGraph
    bad: list[int]
    trouble: float
    ranking: Ranking | None


def arranged(columns: Sequence[Column], rows: Sequence[tuple[StateTuple, int]]) -> tuple[tuple[Column, ...], Diagram]:
    """The columns in the order that makes the diagram small, and the diagram."""
    diagram = smallest(tuple(column.variable for column in columns), rows)
    by_name = {column.name: column for column in columns}
    return tuple(by_name[variable.name] for variable in diagram.variables), diagram


def _cut_part(guard: e.Expr, keep: frozenset[str]) -> e.Expr:
    """The part of a guard that reads cut variables only."""
    parts = guard.operands if isinstance(guard, e.And) else (guard,)
    return e.both(*(part for part in parts if e.names(part) and e.names(part).isdisjoint(keep)))


def _weight(variable: Variable) -> int:
    """How much a variable can multiply the states: the number of its values, many for an endless type."""
    return len(domain(variable.type)) if is_finite(variable.type) else 100
