"""Answers questions about a model, and lets nothing out that was not checked by something else.

Order of work: the whole state graph, if it is small; else proofs on slices and bounded search with Z3, in
turns; else the rest of the graph.  A proof counts when `certify` has discharged its obligations on the whole
system, a trace when the reference interpreter has replayed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from reconcheck.certify.check import Checker
from reconcheck.diagnostic import Diagnostic, InternalError, ModelError
from reconcheck.engines import bounded, guided
from reconcheck.engines.budget import MOST_STATES, Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, calm, livelocks, quiet_states, rank
from reconcheck.engines.faultless import path_without_faults
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.engines.first_slices import first_slice
from reconcheck.engines.gaps import Gap
from reconcheck.engines.guided import Counterexample
from reconcheck.engines.invariance import prove_always
from reconcheck.engines.lasso import shortest_lasso
from reconcheck.engines.measures import ways
from reconcheck.engines.patterns import Pattern
from reconcheck.engines.prove import Prover, arranged, conjuncts
from reconcheck.engines.python_code import canonical, predicate
from reconcheck.engines.slicing import Slicer
from reconcheck.engines.suspects import suspects
from reconcheck.explain.agenda import Agenda, Asked
from reconcheck.explain.causes import causes_of
from reconcheck.explain.findings import Seen, seen_in
from reconcheck.explain.missing import Missing
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer, Trace
from reconcheck.explain.unproved import Efforts, advised, choosing, missing_invariant, missing_proof, unbounded
from reconcheck.explain.verdict import Answer, Proof, Report
from reconcheck.model import expr as e
from reconcheck.model.assemble import Loaded
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.proof import certificate as proofs
from reconcheck.proof.certificate import Checked as Accepted
from reconcheck.proof.certificate import Refused
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, Kind, LeftRange
from reconcheck.semantics.system import System, is_exact
from reconcheck.semantics.world import State

FIRST_LOOK = 30_000
"""States explored before anything else is tried, if there are not too many commands to try in each."""
FIRST_STEPS = 2_000_000
"""Commands tried on these states together."""
WORTH_A_LOOK = 5_000
"""States below which a first look is left out: so many commands are hardly ever those of a small graph."""
WORTH_SLICING = 30_000
"""States of a complete graph above which a proof in parts is cheaper to check than one on the whole graph."""
WORTH_A_FEW = 3_000
"""States of a complete graph above which it is cheaper to look at a few slices first."""
FEW_SLICES = 8
"""How many those are."""
ENGINES = frozenset({"graph", "slices", "proof", "search"})
"""The whole state graph; a few slices where that is large; proofs in parts; bounded search for traces."""
LOOK_ROUNDS = 1
"""Rounds of a search for a counterexample to a suspect, before any proof is tried."""
LOOK = 60.0
"""Processor seconds past which such searches are left, whatever their rounds."""
LOOK_PART = 0.3
"""The part of the time that is left for them, where there is a limit."""
MOST_SUSPECTS = 3
"""Parts of a goal that are looked at for a shorter run, once one is known to fail."""
NEITHER = "neither a proof nor a run was found"
TOO_MANY = f"not all states could be listed; {NEITHER}"
"""Why an answer is unknown."""
OTHER_PARTS = 5.0
"""Processor seconds for proofs of the parts behind the open one, once the answer is "unknown"."""
DEEPEST_SEARCH = 100
"""Steps of the bounded search; it mostly ends earlier, at a time limit."""
SHARES = (4.0, 12.0, 36.0)
"""Processor seconds for each search for a counterexample, in turns with proofs, before all states are listed."""
ORDINARY = 500
"""Commands of a system up to which these are enough; a larger one has as many times more."""
PROOF = 5
"""How many times as long a proof is looked for in its turn: nothing has looked bad by then."""


@dataclass
class _Explored:
    """What is known about the graph of a scope."""

    system: System
    graph: StateGraph | None = None
    calm: CalmGraph | None = None
    complete: bool = False
    part: StateGraph | None = None
    """The nearest states, where there are too many for all of them."""
    endless: Endless | None = None
    seen: Seen | None = None
    """What it says about the model, once it is complete and asked for."""


class Verifier:
    """Verifies the goals of one model; work on a scope is shared between its goals.

    An answer does not depend on what was asked before, time limits aside.
    """

    def __init__(
        self,
        loaded: Loaded,
        seconds: float | None = None,
        report: Callable[[str], None] = lambda _text: None,
        engines: frozenset[str] = ENGINES,
    ) -> None:
        self.loaded = loaded
        self.operator: Operator = loaded.operator
        self.budget = Budget(seconds, MOST_STATES, report)
        self.engines = engines
        self.scopes: dict[tuple[Scope, int], _Explored] = {}
        """The graph of a scope, for each number of states it was looked for among."""
        self.looked_at: _Explored | None = None
        """The graph that the present question was last looked for in."""
        self.systems: dict[Scope, System] = {}
        self.provers: dict[Scope, tuple[Prover, Checker]] = {}
        self.unproved: set[tuple[str, Scope]] = set()
        """Goals for which the prover has nothing left to try."""
        self.wide: set[str] = set()
        """Goals that a few slices did not prove, in some scope."""
        self.efforts = Efforts()
        """What was tried for the present question."""
        self.gap: Gap | None = None
        """What the search for an invariant left open, for the present question."""
        self.thorough = True
        """Whether the present answer is to be shown, and not only to be told from others."""
        self.proving: dict[Scope, str] = {}
        """The goal that the prover of a scope looked at last."""

    def report(self, scope: Scope, goals: Iterable[str] | None = None, every_scope: bool = True) -> Report:
        """The answers in a scope, and to the expectations: in every scope, or in this one only.

        Raises `ModelError` and `InternalError`.
        """
        asked = Asked(scope, None if goals is None else frozenset(goals), every_scope)
        agenda = Agenda(self.loaded, asked, self.budget.seconds)
        self.work(agenda)
        return agenda.report()

    def work(self, agenda: Agenda) -> None:
        """Answers the questions of an agenda, one after the other.  Raises `ModelError` and `InternalError`."""
        while (turn := agenda.take(self)) is not None:
            answer = self.answer(self.operator.goal(turn.goal), turn.scope, turn.seconds)
            agenda.put(self, turn.number, answer, self.seen())

    def seen(self) -> dict[Hashable, Seen]:
        """What the complete graphs, as far as there are any by now, say about the model."""
        found: dict[Hashable, Seen] = {}
        for key, explored in self.scopes.items():
            if explored.complete and explored.calm is not None:
                if explored.seen is None:
                    explored.seen = seen_in(explored.calm, self.operator, key[0])
                found[key] = explored.seen
        return found

    def answer(self, goal: Goal, scope: Scope, seconds: float | None = None, why: bool = True) -> Answer:
        """The verdict on one goal, and `why` it fails.  `seconds` is its share of a time limit, from now on."""
        started = time.monotonic()
        if seconds is not None and self.budget.seconds is not None:
            self.budget = replace(self.budget, started=started + seconds - self.budget.seconds)
        self.looked_at, self.efforts, self.gap, self.thorough = None, Efforts(), None, why
        try:
            answer = self._answer(goal, scope)
        except Exhausted as spent:
            answer = Answer(goal, scope, "unknown", self._spent(spent), "RC406")
        except MemoryError:
            self.scopes, self.provers, self.looked_at = {}, {}, None
            answer = Answer(goal, scope, "unknown", "memory is used up", "RC406")
        except LeftRange as wrong:
            raise ModelError([self._left_range(wrong)], self.operator.sources) from wrong
        except DoesNotReplay as wrong:
            raise InternalError("RC901", f"{goal.name}: a trace does not replay: {wrong}") from wrong
        try:
            if why:
                answer = replace(answer, causes=causes_of(self.operator, answer, self._tell))
                if answer.trace is not None and answer.verdict in ("quiet", "livelock") and not answer.causes:
                    answer = replace(answer, unexplained="a wake-up would help, but the run does not show which")
        except Exhausted as spent:
            answer = replace(answer, unexplained=str(spent))
        states = answer.states or _listed(self.looked_at, answer)
        if answer.verdict == "unknown" and why:
            answer = replace(answer, missing=self._missing(goal, scope))
        return replace(answer, seconds=time.monotonic() - started, states=states)

    def _spent(self, spent: Exhausted) -> str:
        """Why there is no answer, where time or states are used up."""
        if self.budget.seconds is None or self.budget.spent < self.budget.seconds:
            return str(spent)
        return f"the time limit of {round(self.budget.seconds, 2):g} s was reached; {NEITHER}"

    def _missing(self, goal: Goal, scope: Scope) -> Missing:
        """What would have been needed for an answer."""
        system = self.systems.get(scope)
        if system is None:
            return Missing()
        for explored in (one for (listed, _), one in self.scopes.items() if listed == scope):
            graph = explored.graph or explored.part
            if graph is not None:
                self.efforts.listed(graph)
            if explored.endless is not None:
                self.efforts.leave_out("state graph", choosing(system, explored.endless))
        if goal.kind == "converges":
            prover = self.provers.get(scope, (None, None))[0] if self.proving.get(scope) == goal.name else None
            if prover is not None:
                prover.budget = self._share(OTHER_PARTS)
                if prover.budget.left != 0.0:
                    with suppress(Exhausted):
                        prover.prove_others(goal.formula)
                self.efforts.reached("proofs in parts", prover.found.tried)
            found = missing_proof(system, goal, prover)
        else:
            found = missing_invariant(system, goal, self.gap)
        found = replace(found, unbounded=unbounded(system), searched=tuple(self.efforts.found.values()))
        return replace(found, advice=advised(found, self.operator, self.budget.left == 0.0))

    def together(self, goals: Sequence[Goal], scope: Scope) -> tuple[Answer, ...]:
        """The verdicts on several goals, without causes; those that one state graph shows to converge share a proof."""
        shared = self._proved_together(goals, scope)
        return tuple(
            shared[goal.name] if goal.name in shared else self.answer(goal, scope, why=False) for goal in goals
        )

    def _proved_together(self, goals: Sequence[Goal], scope: Scope) -> dict[str, Answer]:
        """The answers to the goals that one proof shows to converge; empty where there are not two of them."""
        started = time.monotonic()
        if len([goal for goal in goals if goal.kind == "converges"]) < 2:
            return {}
        self.thorough = False
        try:
            explored = self._explored(scope, self._first_look(scope))
            good = [goal for goal in goals if goal.kind == "converges" and _settles(explored, goal)]
            if len(good) < 2:
                return {}
            alone = {goal.name: answer for goal in good if (answer := self._in_few(goal, scope, explored)) is not None}
            good = [goal for goal in good if goal.name not in alone]
            if len(good) < 2:
                return alone
            checker, proof = self._ranked(e.both(*(goal.formula for goal in good)), explored)
            result = checker.check(proof)
            if isinstance(result, Refused):
                self._refused(good[0], result)
            together = self._one_by_one(good, scope, explored, checker, proof, time.monotonic() - started)
            return alone | together
        except (Exhausted, MemoryError):
            return {}
        except LeftRange as wrong:
            raise ModelError([self._left_range(wrong)], self.operator.sources) from wrong

    def _one_by_one(
        self,
        goals: Sequence[Goal],
        scope: Scope,
        explored: _Explored,
        checker: Checker,
        proof: proofs.Proof,
        seconds: float,
    ) -> dict[str, Answer]:
        """An answer to each goal from a proof of all of them that was accepted: it has to give each by itself."""
        found: dict[str, Answer] = {}
        for goal in goals:
            result = checker.conclude(goal.formula)
            if isinstance(result, Refused):
                self._refused(goal, result)
            assert isinstance(result, Accepted)
            states = len(explored.graph.states) if explored.graph is not None else 0
            parts = tuple(e.show(part) for part in conjuncts(goal.formula))
            summary = Proof(parts, 0, len(explored.system.variables), states, result.obligations)
            found[goal.name] = Answer(
                goal,
                scope,
                "converges",
                proof=summary,
                states=states,
                seconds=seconds / len(goals),
                engine="whole state graph",
                certificate=replace(proof, goal=goal.formula),
            )
        return found

    def list_states(self, scope: Scope) -> None:
        """Lists the states of a scope, if there are not too many for a first look."""
        try:
            self._explored(scope, self._first_look(scope))
        except Exhausted:
            return
        except LeftRange as wrong:
            raise ModelError([self._left_range(wrong)], self.operator.sources) from wrong

    def explored(self, scope: Scope) -> tuple[StateGraph, CalmGraph] | None:
        """The complete state graph of a scope, if it has been listed."""
        for (listed, _), explored in self.scopes.items():
            if listed == scope and explored.complete and explored.graph is not None and explored.calm is not None:
                return explored.graph, explored.calm
        return None

    def forget(self, scope: Scope) -> None:
        """Lets go of what was found out about a scope: there may be many of them."""
        self.scopes = {key: explored for key, explored in self.scopes.items() if key[0] != scope}
        self.systems.pop(scope, None)
        self.provers.pop(scope, None)

    def limit(self, seconds: float | None) -> None:
        """From now on there are so many seconds; None for no limit."""
        self.budget = replace(self.budget, seconds=seconds, started=time.monotonic())

    def _answer(self, goal: Goal, scope: Scope) -> Answer:
        explored = self._explored(scope, self._first_look(scope))
        if goal.kind == "converges":
            return self._convergence(goal, scope, explored)
        return self._reachability(goal, scope, explored)

    def _explored(self, scope: Scope, states: int) -> _Explored:
        """The state graph of a scope, looked for among so many states."""
        explored = self.looked_at = self.scopes.get((scope, states))
        if explored is not None:
            return explored
        system = self._system(scope)
        explored = self.looked_at = self.scopes[scope, states] = _Explored(system)
        if not states:
            return explored
        try:
            with self.efforts.at("state graph"):
                graph = explore(explored.system, self.budget, states)
            if graph.followed < len(graph.states):
                explored.part = graph
                return explored
            explored.graph, explored.calm = graph, calm(graph, self.budget)
            explored.complete = True
        except Endless as endless:
            explored.endless = endless
        except Exhausted:
            if self.budget.left == 0.0:
                raise
        return explored

    # ---- convergence ---------------------------------------------------------------------------------------

    def _first_look(self, scope: Scope) -> int:
        """How many states are listed before anything else: fewer where each has many steps to try, or none."""
        if "graph" not in self.engines:
            return 0
        states = min(FIRST_LOOK, FIRST_STEPS // max(1, len(self._system(scope).commands)))
        return states if states >= WORTH_A_LOOK else 0

    def _system(self, scope: Scope) -> System:
        """The compiled system of a scope."""
        if scope not in self.systems:
            self.systems[scope] = compile_system(self.operator, scope)
        return self.systems[scope]

    def _convergence(self, goal: Goal, scope: Scope, explored: _Explored) -> Answer:
        if explored.complete:
            return self._from_graph(goal, scope, explored)
        answer = self._nearby(goal, scope, explored) or self._suspected(goal, scope, explored.system)
        if answer is not None:
            return answer
        bad = bounded.quiet_without(explored.system, goal.formula)
        for seconds in _shares(explored.system):
            answer = self._in_parts(goal, scope, explored, PROOF * seconds) if "proof" in self.engines else None
            answer = answer or self._guided(goal, scope, explored.system, self._open_part(goal, scope), seconds)
            answer = answer or self._bounded(goal, scope, explored, bad, "quiet", seconds)
            if answer is not None:
                return answer
        if explored.endless is None and "graph" in self.engines:
            explored = self._explored(scope, MOST_STATES)
        if explored.endless is not None:
            return self._unbounded(goal, scope, explored.endless)
        if explored.complete:
            return self._from_graph(goal, scope, explored)
        return Answer(goal, scope, "unknown", TOO_MANY, "RC406")

    def _from_graph(self, goal: Goal, scope: Scope, explored: _Explored) -> Answer:
        assert explored.calm is not None
        assert explored.graph is not None
        system, calm_graph, graph = explored.system, explored.calm, explored.graph
        holds = predicate(system, goal.formula)
        truth = [holds(state) for state in graph.states]
        quiet = quiet_states(calm_graph, truth)
        loops = livelocks(calm_graph, truth)
        if quiet or loops:
            return self._divergence(goal, scope, calm_graph, quiet, loops, truth)
        answer = self._in_few(goal, scope, explored)
        if answer is None and "proof" in self.engines and len(graph.states) > WORTH_SLICING:
            answer = self._in_parts(goal, scope, explored, _shares(system)[-1])
        if answer is not None:
            return answer
        checker, proof = self._ranked(goal.formula, explored, truth)
        return self._certified(goal, scope, system, checker, proof, len(graph.states))

    def _ranked(
        self, formula: e.Expr, explored: _Explored, truth: list[bool] | None = None
    ) -> tuple[Checker, proofs.Proof]:
        """A proof from a complete state graph that a formula comes and stays, and who is to check it."""
        assert explored.calm is not None
        assert explored.graph is not None
        system, states = explored.system, explored.graph.states
        if truth is None:
            truth = list(map(predicate(system, formula), states))
        ranking = rank(explored.calm, truth)
        columns = proofs.columns_of(system.variables)
        columns, diagram = arranged(columns, list(zip(states, ranking.ranks, strict=True)))
        part = proofs.Settles(formula, columns, diagram, ranking.helpful, ways(system))
        return Checker(system, lambda: self.budget.left, self._tell), proofs.Proof(formula, (), (part,))

    def _nearby(self, goal: Goal, scope: Scope, explored: _Explored) -> Answer | None:
        """A counterexample among the nearest states: rest or a fair loop, in states whose steps are all known."""
        graph = explored.part
        if graph is None or "search" not in self.engines:
            return None
        calm_graph = calm(graph, self.budget)
        truth = list(map(predicate(explored.system, goal.formula), graph.states))
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
        graph = calm_graph.graph
        whole = graph.followed == len(graph.states)
        known = len(graph.states) if whole else graph.depth[graph.followed]
        """Steps up to which no run can have been missed."""
        lasso = shortest_lasso(calm_graph, loops, truth, self.budget) if loops else None
        if quiet and (lasso is None or graph.depth[quiet[0]] <= len(lasso.stem) - 1 + len(lasso.loop)):
            claim = self._claim(graph, shortest_path(graph, quiet), None, "quiet", True)
        else:
            assert lasso is not None
            path = [*lasso.stem, *lasso.loop]
            claim = self._claim(graph, path, len(lasso.stem) - 1, "livelock", lasso.shortest and len(path) <= known)
        system = graph.system
        trace = self._replay(goal, scope, system, claim)
        code = "RC401" if claim.end == "quiet" else "RC402"
        faultless = None
        if quiet and any(step.step.kind is Kind.FAULT for step in trace.steps):
            way = path_without_faults(graph, quiet)
            if way is not None:
                faultless = self._replay(goal, scope, system, self._claim(graph, way, None, "quiet", True))
        engine, states = "whole state graph" if whole else "nearest states", len(graph.states)
        return Answer(goal, scope, claim.end, "", code, trace, states=states, engine=engine, faultless=faultless)

    def _claim(
        self, graph: StateGraph, path: list[tuple[int, int]], loop: int | None, end: str, shortest: bool
    ) -> Claim:
        commands = graph.system.commands
        steps = [(commands[c].step if c >= 0 else None, graph.states[state]) for c, state in path]
        return Claim(steps, loop, end, shortest)

    def _in_few(self, goal: Goal, scope: Scope, explored: _Explored) -> Answer | None:
        """The answer "converges", if a few slices of a system with a large graph do; its graph converges.

        An answer that is not shown is not looked for among them where they did not do for another scope.
        """
        assert explored.graph is not None
        small = "slices" not in self.engines or len(explored.graph.states) <= WORTH_A_FEW
        if small or (goal.name in self.wide and not self.thorough):
            return None
        answer = self._in_parts(goal, scope, explored, _shares(explored.system)[0], FEW_SLICES)
        if answer is None:
            self.wide.add(goal.name)
        return answer

    def _in_parts(
        self, goal: Goal, scope: Scope, explored: _Explored, seconds: float | None, slices: int | None = None
    ) -> Answer | None:
        """The answer "converges", if the prover finds a proof and the checker accepts each part of it."""
        budget = self._share(seconds)
        try:
            with self.efforts.at("proofs in parts"):
                if scope not in self.provers:
                    made = Checker(explored.system, lambda: self.budget.left, self._tell)
                    self.provers[scope] = Prover(explored.system, made, self.budget), made
                prover, checker = self.provers[scope]
                prover.budget = budget
                if (goal.name, scope) in self.unproved:
                    return None
                self.proving[scope] = goal.name
                if not prover.prove(goal.formula, slices):
                    self.unproved.add((goal.name, scope))
                    return None
        except Exhausted:
            if self.budget.left == 0.0:
                raise
            return None
        result = checker.conclude(goal.formula)
        if isinstance(result, Refused):
            return None
        found = prover.found
        parts = tuple(e.show(part) for part in conjuncts(goal.formula))
        summary = Proof(parts, found.slices, found.largest, found.states, result.obligations)
        proof = proofs.Proof(goal.formula, tuple(checker.context.clauses), tuple(checker.accepted))
        return Answer(goal, scope, "converges", proof=summary, states=found.states, engine="slices", certificate=proof)

    def _suspected(self, goal: Goal, scope: Scope, system: System) -> Answer | None:
        """A short look at the first part of the goal that looks bad on its own, and at others once it is known to be.

        It never takes more than a part of the time that is left: something else follows it.
        """
        if "search" not in self.engines or not self._can_tell_rest(system):
            return None
        left = self.budget.left
        budget = self._share(LOOK if left is None else min(LOOK, LOOK_PART * left))
        best: Counterexample | None = None
        try:
            for suspect in islice(suspects(system, conjuncts(goal.formula), budget), MOST_SUSPECTS):
                found = self._search(goal, system, suspect.formula, budget, suspect.seen, LOOK_ROUNDS)
                if found is not None and (best is None or len(found.path) < len(best.path)):
                    best = found
                if best is None or best.shortest:
                    break
        except (Exhausted, Endless):
            if self.budget.left == 0.0 and best is None:
                raise
        return None if best is None else self._from_guided(goal, scope, system, best)

    def _open_part(self, goal: Goal, scope: Scope) -> e.Expr:
        """The part of the goal that the prover did not prove."""
        prover = self.provers.get(scope, (None, None))[0]
        return goal.formula if prover is None or prover.found.open is None else prover.found.open

    def _guided(self, goal: Goal, scope: Scope, system: System, part: e.Expr, seconds: float) -> Answer | None:
        """A counterexample to a part of the goal, by a search that its pattern guides."""
        if "search" not in self.engines or not self._can_tell_rest(system):
            return None
        try:
            found = self._search(goal, system, part, self._share(seconds))
        except (Exhausted, Endless):
            if self.budget.left == 0.0:
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
        whole = conjuncts(goal.formula)
        with self.efforts.at("guided search"):
            return guided.search(system, first_slice(system, part), part, budget, seen, rounds, whole, self.thorough)

    def _from_guided(self, goal: Goal, scope: Scope, system: System, found: Counterexample) -> Answer:
        """The answer that a counterexample of guided search gives, once it is replayed."""
        commands = system.commands
        steps = [(commands[number].step if number >= 0 else None, state) for number, state in found.path]
        end = "quiet" if found.loop is None else "livelock"
        trace = self._replay(goal, scope, system, Claim(steps, found.loop, end, found.shortest))
        code = "RC401" if end == "quiet" else "RC402"
        return Answer(goal, scope, end, "", code, trace, states=found.explored, engine="guided search")

    def _can_tell_rest(self, system: System) -> bool:
        """Whether searches for a state at rest are of use."""
        if _rest_is_exact(system):
            return True
        for engine in ("guided search", "bounded search"):
            self.efforts.leave_out(engine, "a fair step depends on a number that it chooses among all")
        return False

    def _share(self, seconds: float | None) -> Budget:
        """A share of the time, for an attempt that something else follows."""
        return self.budget if seconds is None else self.budget.shared(seconds)

    def _certified(
        self, goal: Goal, scope: Scope, system: System, checker: Checker, proof: proofs.Proof, states: int
    ) -> Answer:
        """The answer "converges", if Z3 confirms the proof on the whole system."""
        result = checker.check(proof)
        if isinstance(result, Refused):
            self._refused(goal, result)
        assert isinstance(result, Accepted)
        parts = tuple(e.show(part) for part in conjuncts(goal.formula))
        summary = Proof(parts, 0, len(system.variables), states, result.obligations)
        return Answer(goal, scope, "converges", proof=summary, engine="whole state graph", certificate=proof)

    def _refused(self, goal: Goal, refused: Refused) -> None:
        """A refused proof: time was short, or something is wrong in this program."""
        if "gave up" in refused.reason:
            raise Exhausted(f"the proof was not checked: {refused.obligation}: {refused.reason}")
        raise InternalError("RC902", f"{goal.name}: the proof is refused: {refused.obligation}: {refused.reason}")

    def _tell(self, text: str) -> None:
        self.budget.check(text)

    # ---- always and reachable ---------------------------------------------------------------------------------

    def _reachability(self, goal: Goal, scope: Scope, explored: _Explored) -> Answer:
        """`always` looks for a state where the formula is false, `reachable` for one where it is true."""
        never = goal.formula if goal.kind == "always" else e.negate(goal.formula)
        end = "violation" if goal.kind == "always" else "witness"
        if not explored.complete:
            answer = self._near(goal, scope, explored, never, end) or self._invariant(goal, scope, explored, never)
            for seconds in _shares(explored.system):
                answer = answer or self._bounded(goal, scope, explored, e.negate(never), end, seconds)
            if answer is not None:
                return answer
            if explored.endless is None and "graph" in self.engines:
                explored = self._explored(scope, MOST_STATES)
            if explored.endless is not None:
                return self._unbounded(goal, scope, explored.endless)
            if not explored.complete:
                return Answer(goal, scope, "unknown", TOO_MANY, "RC406")
        assert explored.graph is not None
        graph = explored.graph
        holds = predicate(explored.system, never)
        bad = [number for number, state in enumerate(graph.states) if not holds(state)]
        if bad:
            claim = self._claim(graph, shortest_path(graph, bad), None, end, True)
            return self._found(goal, scope, self._replay(goal, scope, explored.system, claim))
        if len(graph.states) > WORTH_SLICING:
            proved = self._invariant(goal, scope, explored, never)
            if proved is not None:
                return proved
        columns, diagram = arranged(
            proofs.columns_of(explored.system.variables), [(state, 0) for state in graph.states]
        )
        invariant = proofs.Invariant(never, columns, diagram)
        answer = self._certified_invariant(
            goal, scope, explored.system, invariant, len(graph.states), "whole state graph"
        )
        assert answer is not None  # a refused invariant of the whole graph is an internal error
        return answer

    def _near(self, goal: Goal, scope: Scope, explored: _Explored, never: e.Expr, end: str) -> Answer | None:
        """The shortest run to one of the nearest states where a formula is false."""
        graph = explored.part
        if graph is None or "search" not in self.engines:
            return None
        holds = predicate(explored.system, never)
        bad = [number for number, state in enumerate(graph.states) if not holds(state)]
        if not bad:
            return None
        claim = self._claim(graph, shortest_path(graph, bad), None, end, True)
        return replace(
            self._found(goal, scope, self._replay(goal, scope, graph.system, claim)), engine="nearest states"
        )

    def _found(self, goal: Goal, scope: Scope, trace: Trace) -> Answer:
        if goal.kind == "always":
            return Answer(goal, scope, "fails", "", "RC403", trace, engine="whole state graph")
        return Answer(goal, scope, "reachable", trace=trace, engine="whole state graph")

    def _invariant(self, goal: Goal, scope: Scope, explored: _Explored, never: e.Expr) -> Answer | None:
        if "proof" not in self.engines:
            return None
        with self.efforts.at("proofs in parts"):
            region = prove_always(Slicer(explored.system), never, self.budget)
        if isinstance(region, Gap):
            self.gap = region
            return None
        columns, diagram = arranged(region.columns, [(state, 0) for state in region.states])
        invariant = proofs.Invariant(never, columns, diagram)
        return self._certified_invariant(goal, scope, explored.system, invariant, len(region.states), "slices", True)

    def _certified_invariant(
        self,
        goal: Goal,
        scope: Scope,
        system: System,
        invariant: proofs.Invariant,
        states: int,
        engine: str,
        or_none: bool = False,
    ) -> Answer | None:
        """The answer "holds" or "unreachable", if Z3 confirms the invariant on the whole system."""
        result = Checker(system, lambda: self.budget.left, self._tell).check(invariant)
        if isinstance(result, Refused):
            if or_none and "gave up" not in result.reason:
                return None  # such as a slice that does not know why a cut variable stays in its range
            self._refused(goal, result)
        assert isinstance(result, Accepted)
        verdict = "holds" if goal.kind == "always" else "unreachable"
        code = "" if goal.kind == "always" else "RC404"
        summary = Proof(
            (e.show(invariant.formula),), int(engine == "slices"), len(invariant.columns), states, result.obligations
        )
        return Answer(goal, scope, verdict, "", code, None, summary, states, engine=engine, certificate=invariant)

    # ---- what cannot be listed ---------------------------------------------------------------------------------

    def _bounded(
        self, goal: Goal, scope: Scope, explored: _Explored, bad: e.Expr, end: str, seconds: float
    ) -> Answer | None:
        """The shortest run to a bad state, as far as bounded search gets in its time; None where it finds none."""
        system = explored.system
        if "search" not in self.engines or (end == "quiet" and not self._can_tell_rest(system)):
            return None
        try:
            with self.efforts.at("bounded search"):
                found = bounded.search(system, bad, DEEPEST_SEARCH, self._share(seconds))
        except Exhausted:
            if self.budget.left == 0.0:
                raise
            return None
        if found is None:
            self.efforts.reached("bounded search", DEEPEST_SEARCH + 1)
            return None
        names = [variable.name for variable in system.variables]
        steps = [
            (command.step if command is not None else None, tuple(state[name] for name in names))
            for command, state in found.steps
        ]
        try:
            trace = self._replay(goal, scope, system, Claim(steps, None, end, True, found.chosen))
        except DoesNotReplay:  # Z3 was asked about a condition for "nothing must happen" that is not exact
            return None
        if end == "quiet":
            return Answer(goal, scope, "quiet", "", "RC401", trace, engine="bounded search")
        return replace(self._found(goal, scope, trace), engine="bounded search")

    def _unbounded(self, goal: Goal, scope: Scope, endless: Endless) -> Answer:
        reason = f"{choosing(self._system(scope), endless)}, so that not all states can be listed; {NEITHER}"
        return Answer(goal, scope, "unknown", reason, "RC407")

    # ---- checks and findings ----------------------------------------------------------------------------------------

    def _replay(self, goal: Goal, scope: Scope, system: System, claim: Claim) -> Trace:
        replayer = Replayer(self.operator, scope, canonical(system))
        names = dict.fromkeys(variable.name for variable in e.variables(goal.formula))

        def holds(state: State) -> bool:
            return bool(e.evaluate(goal.formula, state))

        return replayer.replay(claim, holds, names)

    def _left_range(self, wrong: LeftRange) -> Diagnostic:
        name = wrong.step.action.split(" ", 1)[-1]
        span = next((a.span for a in self.operator.actions if a.name == name), None)
        if span is None:
            controller = next((c for c in self.operator.controllers if c.name == name), None)
            span = controller.span if controller is not None else self.operator.span
        message = f"`{wrong.step}` can set `{wrong.variable}` to {wrong.value}, outside of its type `{wrong.type}`"
        instead = "guard the step, widen the range, or use `nat` or `int`"
        return Diagnostic("RC310", message, span, instead)


def _listed(explored: _Explored | None, answer: Answer) -> int:
    """The states that were listed for an answer; bounded search lists none."""
    graph = None if explored is None or answer.engine == "bounded search" else explored.graph or explored.part
    return 0 if graph is None else len(graph.states)


def _settles(explored: _Explored, goal: Goal) -> bool:
    """Whether a complete state graph, not too large for one proof, shows that a goal converges."""
    if explored.graph is None or explored.calm is None or not explored.complete:
        return False
    if len(explored.graph.states) > WORTH_SLICING:
        return False
    truth = list(map(predicate(explored.system, goal.formula), explored.graph.states))
    return not quiet_states(explored.calm, truth) and not livelocks(explored.calm, truth)


def _shares(system: System) -> tuple[float, ...]:
    """Processor seconds for each attempt at one question, turn by turn."""
    return tuple(seconds * max(1.0, len(system.commands) / ORDINARY) for seconds in SHARES)


def _rest_is_exact(system: System) -> bool:
    """Whether it can be told of every state that nothing has to happen in it any more.

    It cannot where a fair action depends on a number that it chooses among all: another number might do.
    """
    return all(is_exact(command) for command in system.commands if command.step.kind == "fair")
