"""One slice at a time: its states, whether a goal holds on it, and the proof that comes of that."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.engines.blurring import tells
from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, livelocks, quiet_states, rank, strongly_connected
from reconcheck.engines.measures import ending, ways
from reconcheck.engines.predicates import Predicate
from reconcheck.engines.python_code import predicate, successors
from reconcheck.engines.settling import Oracle, Settling
from reconcheck.engines.slicing import Slice, Slicer
from reconcheck.engines.widening import Attempt
from reconcheck.model import expr as e
from reconcheck.proof.certificate import Column, Part, Rests, Settles, arranged
from reconcheck.proof.diagram import Diagram
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System


class Checking(Oracle, Protocol):
    """The checker of proofs, as far as the search for one needs it."""

    def mark(self) -> object:
        """What has been accepted so far, to come back to."""

    def back_to(self, mark: Any) -> None:
        """Forgets what was accepted after a mark."""

    def left(self, number: int) -> list[e.Expr] | None:
        """What holds when a calm command is taken after all that was accepted has settled; None where it cannot."""


class Found(Struct):
    """How far a proof got."""

    settling: Settling
    slices: int = 0
    states: int = 0
    largest: int = 0
    """Variables of the largest slice."""
    tried: int = 0
    """Slices that were looked at, for whatever was proved or not."""
    open: e.Expr | None = None
    """The part of the goal that was not proved."""


Shape = tuple[frozenset[str], tuple[Predicate, ...]]
"""What a slice keeps: variables and predicates."""


class Slices:
    """The slices of one system, after what settles."""

    def __init__(
        self,
        system: System,
        settling: Settling,
        checker: Checking,
        budget: Budget,
        graphs: dict[object, StateGraph] | None,
    ) -> None:
        self.system, self.checker, self.budget = system, checker, budget
        self.found = Found(settling)
        self.moving, self.still = _apart(system, settling.live)
        self.slicer = Slicer(system, settling.clauses, checker.left)
        self.ways = ways(system)
        self.ending = ending(system, self.ways)
        self.graphs: dict[object, StateGraph] = {} if graphs is None else graphs
        self.diagrams: dict[object, tuple[tuple[int, ...], Diagram]] = {}
        self.known: list[e.Expr] = []
        """What was proved for the present goal."""
        self.shapes: dict[e.Expr, Shape] = {}
        """The slices on which formulas were proved."""
        self.most_slices: int | None = None

    def rests(self, goal: e.Expr) -> bool:
        """Whether all that a formula speaks of comes to rest, where it has to hold then."""
        return self.moving is not None and self.moving.isdisjoint(e.names(goal))

    def _attempt(self, goal: e.Expr, shape: Shape, most: int) -> Attempt | None:
        """Explores one slice; None where it is too large or endless."""
        keep = shape[0]
        predicates = tuple(one for one in shape[1] if not e.names(one.term) <= keep or not tells(one.term))
        if self.found.tried == self.most_slices:
            raise Exhausted(f"{self.most_slices} slices did not do")
        self.found.tried += 1
        self.budget.check(f"trying a slice of {len(keep) + len(predicates)} variables")
        part = self.slicer.slice(keep, predicates)
        try:
            graph = self._explored(part, most)
        except LeftRange as wrong:  # the guard that prevents it in the whole system was cut
            number = next(n for n, c in enumerate(self.system.commands) if c.step == wrong.step)
            missing = self.system.commands[number].reads - keep
            return self._attempt(goal, (keep | missing, predicates), most) if missing else None
        except (Exhausted, Endless):
            if self.budget.left == 0.0:
                raise
            return None
        try:
            return self._judged(goal, part, graph)
        except (Exhausted, Endless):  # among the calm steps, choices can be open that those of the slice do without
            if self.budget.left == 0.0:
                raise
            return None

    def _explored(self, part: Slice, most: int) -> StateGraph:
        """The state graph of a slice; slices that differ in names only are explored once."""
        key = part.source
        if key not in self.graphs:
            self.graphs[key] = explore(part.system, self.budget.at_most(most))
        return replace(self.graphs[key], system=part.system)

    def _judged(self, goal: e.Expr, part: Slice, graph: StateGraph) -> Attempt:
        """What a slice says about the goal, with what is known by now."""
        holds, tests = predicate(part.system, goal), self.slicer.known(part, self.known)
        truth = [holds(state) or not all(known(state) for known in tests) for state in graph.states]
        if self.rests(goal):
            possible = [sure for action, sure in part.sure if action in self.still]
            bad = [
                number
                for number, (state, good) in enumerate(zip(graph.states, truth, strict=True))
                if not good and not any(sure(state) for sure in possible)
            ]
            return Attempt(part, graph, bad, None, True)
        calm_graph = self._calm(part, graph)
        quiet = quiet_states(calm_graph, truth)
        bad = quiet + [state for members in livelocks(calm_graph, truth) for state in members]
        return Attempt(part, graph, bad, None if bad else rank(calm_graph, truth), bool(quiet))

    def _calm(self, part: Slice, graph: StateGraph) -> CalmGraph:
        """The calm steps of a slice that are left once everything known has settled.

        A step of a reconcile within one region is none: a run comes to its end.  Nor is one out of the states that the
        slice reaches: both show all that the system does, so it does nothing that only one of them shows.
        """
        actions = tuple(action for action, _ in part.sure)
        number = {action: index for index, action in enumerate(actions)}
        states = {state: index for index, state in enumerate(graph.states)}
        calm = self.slicer.calm(part)
        following = successors(calm)
        edges: list[list[tuple[int, int]]] = []
        for here, state in enumerate(graph.states):
            row: list[tuple[int, int]] = []
            for command, after in following(state):
                step, target = calm.commands[command].step, states.get(after)
                if target is None or (target == here and step.action.startswith("reconcile ")):
                    continue
                row.append((number.get(step.action, -1) if step.kind == "fair" else -1, target))
            edges.append(row)
        enabled = [sum(1 << i for i, (_, sure) in enumerate(part.sure) if sure(state)) for state in graph.states]
        component, found = strongly_connected(edges, self.budget)
        return CalmGraph(graph, actions, edges, enabled, component, found, self.ending)

    def _accept(self, goal: e.Expr, attempt: Attempt) -> bool:
        """Hands the proof to the checker."""
        ranking, states = attempt.ranking, attempt.graph.states
        if ranking is None:
            columns, diagram = self._resting(attempt)
        else:
            columns, diagram = arranged(attempt.part.columns, list(zip(states, ranking.ranks, strict=True)))
        part: Part = Rests(goal, columns, diagram)
        if ranking is not None:
            part = Settles(goal, columns, diagram, ranking.helpful, self.ways)
        if self.checker.add(part) is not None:
            return False
        self.known.append(goal)
        self.shapes[goal] = attempt.keep, attempt.part.predicates
        self.found.slices += 1
        self.found.states += len(states)
        self.found.largest = max(self.found.largest, len(columns))
        return True

    def _resting(self, attempt: Attempt) -> tuple[tuple[Column, ...], Diagram]:
        """The diagram of all states of a slice; of slices that look alike it is made once."""
        part = attempt.part
        if part.source not in self.diagrams:
            columns, diagram = arranged(part.columns, [(state, 0) for state in attempt.graph.states])
            self.diagrams[part.source] = tuple(part.columns.index(column) for column in columns), diagram
        order, diagram = self.diagrams[part.source]
        columns = tuple(part.columns[place] for place in order)
        return columns, replace(diagram, variables=tuple(column.variable for column in columns))


def _apart(system: System, live: Collection[int]) -> tuple[frozenset[str] | None, frozenset[str]]:
    """What goes on for ever may change, and the fair actions that come to an end.

    None where the two are not apart: what comes to an end depends on what does not.
    """
    commands = system.commands
    moving = frozenset(name for number in live for name, _ in commands[number].updates)
    going = {commands[number].step.action for number in live}
    calm = (n for n, command in enumerate(commands) if command.step.kind.calm and n not in live)
    if any(not moving.isdisjoint(commands[number].reads) for number in calm):
        return None, frozenset()
    return moving, frozenset(system.actions()) - going
