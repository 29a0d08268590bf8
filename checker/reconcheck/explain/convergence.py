"""Answers whether a goal comes to hold and stays.

Order of work: the whole state graph, if it is small; else proofs on slices and bounded search with Z3, in turns; else
the rest of the graph.  A proof counts when the checker has discharged its obligations on the whole system.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.fairness import CalmGraph, livelocks, quiet_states, rank
from reconcheck.engines.faultless import Faultless
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.engines.lasso import Lasso, shortest_lasso
from reconcheck.engines.measures import ways
from reconcheck.engines.python_code import predicate
from reconcheck.explain.listed import Listed
from reconcheck.explain.trace import Claim
from reconcheck.explain.verdict import Answer, Proof
from reconcheck.explain.workbench import WORTH_SLICING, Workbench, claimed, shares
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Scope
from reconcheck.proof import certificate as proofs
from reconcheck.proof.certificate import Refused
from reconcheck.semantics.steps import Endless
from reconcheck.semantics.system import System

if TYPE_CHECKING:
    from reconcheck.certify.check import Checker
    from reconcheck.certify.context import Memory
    from reconcheck.engines.attempts import Shape
    from reconcheck.engines.explicit import StateGraph
    from reconcheck.engines.guided import Counterexample
    from reconcheck.engines.patterns import Pattern
    from reconcheck.engines.prove import Prover

WORTH_A_FEW = 5_000
"""States of a complete graph above which it is cheaper to look at a few slices first."""
FEW_SLICES = 8
"""How many those are."""
MOST_KEPT = 200_000
"""States of the graphs of slices that are kept for other scopes."""
LOOK_ROUNDS = 1
"""Rounds of a search for a counterexample to a suspect, before any proof is tried."""
LOOK = 60.0
"""Processor seconds past which such searches are left, whatever their rounds."""
LOOK_PART = 0.3
"""The part of the time that is left for them, where there is a limit."""
MOST_SUSPECTS = 3
"""Parts of a goal that are looked at for a shorter run, once one is known to fail."""
OTHER_PARTS = 5.0
"""Processor seconds for proofs of the parts behind the open one, once the answer is "unknown"."""
PROOF = 5
"""How many times as long as for a run a proof is looked for in its turn: nothing has looked bad by then."""


class Convergence:
    """Questions of `converges` about one model; work on a scope is shared between its goals."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.provers: dict[Scope, tuple[Prover, Checker]] = {}
        self.unproved: set[tuple[str, Scope]] = set()
        """Goals for which the prover has nothing left to try."""
        self.wide: set[str] = set()
        """Goals that a few slices did not prove, in some scope."""
        self.memory: Memory | None = None
        """What the checkers of proofs in parts have asked, in whatever scope."""
        self.graphs: dict[object, StateGraph] = {}
        """Those of slices, in whatever scope."""
        self.shapes: dict[e.Expr, Shape] = {}
        """The slices on which formulas were proved, in whatever scope."""
        self.proving: dict[Scope, str] = {}
        """The goal that the prover of a scope looked at last."""

    def learn(self, other: Convergence) -> None:
        """Takes over which slices did for a like model, with their graphs, and what its checkers have asked."""
        self.shapes, self.graphs, self.memory = other.shapes, other.graphs, other.memory

    def forget(self, scope: Scope) -> None:
        """Lets go of what was found out about a scope."""
        self.provers.pop(scope, None)
        if sum(len(graph.states) for graph in self.graphs.values()) > MOST_KEPT:
            self.graphs.clear()

    def answer(self, goal: Goal, scope: Scope, listed: Listed) -> Answer:
        """The verdict; `listed` is what the first look has shown.  Raises `Exhausted`."""
        if listed.complete:
            return self._from_graph(goal, scope, listed)
        from reconcheck.engines.bounded import quiet_without

        bench, system = self.bench, listed.system
        answer = self.nearby(goal, scope, listed) if bench.has("search") else None
        answer = answer or self._suspected(goal, scope, system)
        if answer is not None:
            return answer
        bad = quiet_without(system, goal.formula)
        for seconds in shares(system):
            answer = self._in_parts(goal, scope, system, PROOF * seconds) if bench.has("proof") else None
            answer = answer or self._guided(goal, scope, system, self._open_part(goal, scope), seconds)
            answer = answer or bench.bounded(goal, scope, bad, "quiet", seconds)
            if answer is not None:
                return answer
            if (more := bench.second_look(scope, listed)) is not None:
                return self._from_graph(goal, scope, more)
        every = bench.every_state(goal, scope, listed)
        return every if isinstance(every, Answer) else self._from_graph(goal, scope, every)

    def together(self, goals: Sequence[Goal], scope: Scope, listed: Listed) -> dict[str, Answer]:
        """The answers to goals that converge, as a complete graph shows, as far as one proof gives several.

        Goals that a few slices prove are proved on these.
        """
        started = time.monotonic()
        good = [goal for goal in goals if goal.kind == "converges" and _settles(listed, goal)]
        if len(good) < 2:
            return {}
        alone = {goal.name: answer for goal in good if (answer := self._in_few(goal, scope, listed)) is not None}
        good = [goal for goal in good if goal.name not in alone]
        if len(good) < 2:
            return alone
        checker, proof = self._ranked(e.both(*(goal.formula for goal in good)), listed)
        self.bench.accepted(good[0], checker.check(proof))
        seconds = (time.monotonic() - started) / len(good)
        return alone | {goal.name: self._of_all(goal, scope, listed, checker, proof, seconds) for goal in good}

    def _of_all(
        self, goal: Goal, scope: Scope, listed: Listed, checker: Checker, proof: proofs.Proof, seconds: float
    ) -> Answer:
        """The answer to a goal from an accepted proof of several: it has to give each by itself."""
        result = self.bench.accepted(goal, checker.conclude(goal.formula))
        assert listed.graph is not None
        found = self._certified(goal, scope, listed, replace(proof, goal=goal.formula), result)
        return replace(found, states=len(listed.graph.states), seconds=seconds)

    def on_few_slices(self, goal: Goal, scope: Scope) -> Answer | None:
        """The answer "converges", if a few slices prove it; the states need not be listed for that."""
        if goal.kind != "converges" or not self.bench.has("slices"):
            return None
        system = self.bench.listings.system(scope)
        return self._in_parts(goal, scope, system, shares(system)[0], FEW_SLICES)

    def prover(self, goal: Goal, scope: Scope) -> Prover | None:
        """The prover that looked at this goal last, if any did; it looks at the other parts as well, for a while."""
        prover = self.provers[scope][0] if self.proving.get(scope) == goal.name and scope in self.provers else None
        if prover is not None:
            prover.budget = self.bench.share(OTHER_PARTS)
            if prover.budget.left != 0.0:
                with suppress(Exhausted):
                    prover.prove_others(goal.formula)
            self.bench.efforts.reached("proofs in parts", prover.found.tried)
        return prover

    # ---- on the state graph ----------------------------------------------------------------------------------

    def _from_graph(self, goal: Goal, scope: Scope, listed: Listed) -> Answer:
        assert listed.calm is not None
        assert listed.graph is not None
        calm_graph, graph = listed.calm, listed.graph
        truth = list(map(predicate(listed.system, goal.formula), graph.states))
        quiet = quiet_states(calm_graph, truth)
        loops = livelocks(calm_graph, truth)
        if quiet or loops:
            return self._divergence(goal, scope, calm_graph, quiet, loops, truth)
        answer = self._in_few(goal, scope, listed)
        if answer is None and self.bench.has("proof") and len(graph.states) > WORTH_SLICING:
            answer = self._in_parts(goal, scope, listed.system, shares(listed.system)[-1])
        if answer is not None:
            return answer
        checker, proof = self._ranked(goal.formula, listed, truth)
        return self._certified(goal, scope, listed, proof, self.bench.accepted(goal, checker.check(proof)))

    def _ranked(self, formula: e.Expr, listed: Listed, truth: list[bool] | None = None) -> tuple[Checker, proofs.Proof]:
        """A proof from a complete state graph that a formula comes and stays, and who is to check it."""
        from reconcheck.certify.check import Checker

        assert listed.calm is not None
        assert listed.graph is not None
        system, states = listed.system, listed.graph.states
        if truth is None:
            truth = list(map(predicate(system, formula), states))
        ranking = rank(listed.calm, truth)
        columns = proofs.columns_of(system.variables)
        columns, diagram = proofs.arranged(columns, list(zip(states, ranking.ranks, strict=True)))
        part = proofs.Settles(formula, columns, diagram, ranking.helpful, ways(system))
        checker = Checker(system, lambda: self.bench.budget.left, self.bench.tell, self.bench.backend())
        return checker, proofs.Proof(formula, (), (part,))

    def _certified(
        self, goal: Goal, scope: Scope, listed: Listed, proof: proofs.Proof, result: proofs.Checked
    ) -> Answer:
        """The answer "converges", from a proof on the whole graph that Z3 has confirmed on the whole system."""
        assert listed.graph is not None
        parts, width = tuple(e.show(part) for part in e.conjuncts(goal.formula)), len(listed.system.variables)
        summary = Proof(parts, 0, width, len(listed.graph.states), result.obligations)
        return Answer(goal, scope, "converges", proof=summary, engine="whole state graph", certificate=proof)

    def nearby(self, goal: Goal, scope: Scope, listed: Listed) -> Answer | None:
        """A counterexample among the nearest states: rest or a fair loop, in states whose steps are all known."""
        calm_graph = listed.calm_part(self.bench.budget)
        if calm_graph is None:
            return None
        graph = calm_graph.graph
        truth = list(map(predicate(listed.system, goal.formula), graph.states))
        quiet = [state for state in quiet_states(calm_graph, truth) if state < graph.followed]
        loops = livelocks(calm_graph, truth)
        return self._divergence(goal, scope, calm_graph, quiet, loops, truth) if quiet or loops else None

    def _divergence(
        self,
        goal: Goal,
        scope: Scope,
        calm_graph: CalmGraph,
        quiet: list[int],
        loops: list[list[int]],
        truth: list[bool],
    ) -> Answer:
        bench, graph = self.bench, calm_graph.graph
        whole = graph.followed == len(graph.states)
        known = len(graph.states) if whole else graph.depth[graph.followed]
        """Steps up to which no run can have been missed."""
        lasso = shortest_lasso(calm_graph, loops, truth, bench.budget, bench.thorough) if loops else None
        if quiet and (lasso is None or graph.depth[quiet[0]] <= len(lasso.stem) - 1 + len(lasso.loop)):
            claim = claimed(graph, shortest_path(graph, quiet), None, "quiet", True)
        else:
            assert lasso is not None
            claim = _round(graph, lasso, known)
        trace = bench.replay(goal, scope, graph.system, claim)
        code = "RC401" if claim.end == "quiet" else "RC402"
        faultless = None
        if trace.has_faults:
            without = self._without_faults(calm_graph, quiet, loops, truth, known)
            faultless = None if without is None else bench.replay(goal, scope, graph.system, without)
        engine, states = "whole state graph" if whole else "nearest states", len(graph.states)
        return Answer(goal, scope, claim.end, "", code, trace, states=states, engine=engine, faultless=faultless)

    def _without_faults(
        self, calm_graph: CalmGraph, quiet: list[int], loops: list[list[int]], truth: list[bool], known: int
    ) -> Claim | None:
        """A run without faults that ends quietly, or else in a livelock; None where there is none.

        One on which no request fails comes first: what a fault hides, a conflict may hide as well.  Of an answer that
        is not shown, only a quiet end is looked for.
        """
        graph, thorough = calm_graph.graph, self.bench.thorough
        for smooth in (True, False) if thorough else (False,):
            without = Faultless(graph, smooth)
            way = without.path(quiet)
            if way is not None:
                return claimed(graph, way, None, "quiet", len(way) <= known)
            lasso = without.lasso(calm_graph, loops, truth, self.bench.budget) if loops and thorough else None
            if lasso is not None:
                return _round(graph, lasso, known)
        return None

    # ---- in parts --------------------------------------------------------------------------------------------

    def _in_few(self, goal: Goal, scope: Scope, listed: Listed) -> Answer | None:
        """The answer "converges", if a few slices of a system with a large graph do; its graph converges.

        An answer that is not shown is not looked for among them where they did not do for another scope.
        """
        bench = self.bench
        assert listed.graph is not None
        small = not bench.has("slices") or len(listed.graph.states) <= WORTH_A_FEW
        if small or (goal.name in self.wide and not bench.thorough):
            return None
        answer = self._in_parts(goal, scope, listed.system, shares(listed.system)[0], FEW_SLICES)
        if answer is None:
            self.wide.add(goal.name)
        return answer

    def _in_parts(
        self, goal: Goal, scope: Scope, system: System, seconds: float | None, slices: int | None = None
    ) -> Answer | None:
        """The answer "converges", if the prover finds a proof and the checker accepts each part of it."""
        from reconcheck.certify.check import Checker
        from reconcheck.certify.context import Memory
        from reconcheck.engines.prove import Prover

        bench = self.bench
        budget = bench.share(seconds)
        try:
            with bench.efforts.at("proofs in parts"):
                if scope not in self.provers:
                    self.memory = self.memory or Memory()
                    made = Checker(system, lambda: bench.budget.left, bench.tell, bench.backend(), self.memory)
                    self.provers[scope] = Prover(system, made, bench.budget, self.graphs), made
                prover, checker = self.provers[scope]
                prover.budget = budget
                if (goal.name, scope) in self.unproved:
                    return None
                self.proving[scope] = goal.name
                if not prover.prove(goal.formula, slices, {} if bench.thorough else self.shapes):
                    self.unproved.add((goal.name, scope))
                    return None
                self.shapes.update(prover.shapes)
        except Exhausted:
            if bench.over:
                raise
            return None
        result = checker.conclude(goal.formula)
        if isinstance(result, Refused):
            return None
        found = prover.found
        parts = tuple(e.show(part) for part in e.conjuncts(goal.formula))
        summary = Proof(parts, found.slices, found.largest, found.states, result.obligations)
        proof = proofs.Proof(goal.formula, tuple(checker.context.clauses), tuple(checker.accepted))
        return Answer(goal, scope, "converges", proof=summary, states=found.states, engine="slices", certificate=proof)

    # ---- runs ------------------------------------------------------------------------------------------------

    def _suspected(self, goal: Goal, scope: Scope, system: System) -> Answer | None:
        """A short look at the first part of the goal that looks bad on its own, and at others once it is known to be.

        It never takes more than a part of the time that is left: something else follows it.
        """
        from reconcheck.engines.suspects import suspects

        bench = self.bench
        if not bench.has("search") or not bench.can_tell_rest(system):
            return None
        left = bench.budget.left
        budget = bench.share(LOOK if left is None else min(LOOK, LOOK_PART * left))
        best: Counterexample | None = None
        try:
            for suspect in islice(suspects(system, e.conjuncts(goal.formula), budget), MOST_SUSPECTS):
                found = self._search(goal, system, suspect.formula, budget, suspect.seen, LOOK_ROUNDS)
                if found is not None and (best is None or len(found.path) < len(best.path)):
                    best = found
                if best is None or best.shortest:
                    break
        except (Exhausted, Endless):
            if bench.over and best is None:
                raise
        return None if best is None else self._from_guided(goal, scope, system, best)

    def _open_part(self, goal: Goal, scope: Scope) -> e.Expr:
        """The part of the goal that the prover did not prove."""
        prover = self.provers.get(scope, (None, None))[0]
        return goal.formula if prover is None or prover.found.open is None else prover.found.open

    def _guided(self, goal: Goal, scope: Scope, system: System, part: e.Expr, seconds: float) -> Answer | None:
        """A counterexample to a part of the goal, by a search that its pattern guides."""
        bench = self.bench
        if not bench.has("search") or not bench.can_tell_rest(system):
            return None
        try:
            found = self._search(goal, system, part, bench.share(seconds))
        except (Exhausted, Endless):
            if bench.over:
                raise
            return None
        return None if found is None else self._from_guided(goal, scope, system, found)

    def _search(
        self,
        goal: Goal,
        system: System,
        part: e.Expr,
        budget: Budget,
        seen: Pattern | None = None,
        rounds: int | None = None,
    ) -> Counterexample | None:
        """What guided search finds for a part of the goal."""
        from reconcheck.engines import guided
        from reconcheck.engines.first_slices import first_slice

        whole, slice_ = e.conjuncts(goal.formula), first_slice(system, part)
        with self.bench.efforts.at("guided search"):
            return guided.search(system, slice_, part, budget, seen, rounds, whole, self.bench.thorough)

    def _from_guided(self, goal: Goal, scope: Scope, system: System, found: Counterexample) -> Answer:
        """The answer that a counterexample of guided search gives, once it is replayed."""
        commands = system.commands
        steps = [(commands[number].step if number >= 0 else None, state) for number, state in found.path]
        end = "quiet" if found.loop is None else "livelock"
        trace = self.bench.replay(goal, scope, system, Claim(steps, found.loop, end, found.shortest, found.chosen))
        code = "RC401" if end == "quiet" else "RC402"
        return Answer(goal, scope, end, "", code, trace, states=found.explored, engine="guided search")


def _round(graph: StateGraph, lasso: Lasso, known: int) -> Claim:
    """A livelock in a state graph as a run that is claimed; up to so many steps, no run can have been missed."""
    path = [*lasso.stem, *lasso.loop]
    return claimed(graph, path, len(lasso.stem) - 1, "livelock", lasso.shortest and len(path) <= known)


def _settles(listed: Listed, goal: Goal) -> bool:
    """Whether a complete state graph, not too large for one proof, shows that a goal converges."""
    if listed.graph is None or listed.calm is None or not listed.complete:
        return False
    if len(listed.graph.states) > WORTH_SLICING:
        return False
    truth = list(map(predicate(listed.system, goal.formula), listed.graph.states))
    return not quiet_states(listed.calm, truth) and not livelocks(listed.calm, truth)
