"""Answers questions about a model, and lets nothing out that was not checked by something else.

A proof counts when `certify` has discharged its obligations on the whole system, a trace when the reference
interpreter has replayed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import suppress

from msgspec.structs import replace

from reconcheck.certify.solvers import Z3, Backend
from reconcheck.diagnostic import InternalError, ModelError
from reconcheck.engines.budget import MOST_STATES, Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, started
from reconcheck.engines.fairness import CalmGraph
from reconcheck.explain.agenda import Agenda
from reconcheck.explain.asked import Asked
from reconcheck.explain.causes import causes_of
from reconcheck.explain.convergence import Convergence
from reconcheck.explain.findings import Seen
from reconcheck.explain.listed import Listed, Listings
from reconcheck.explain.missing import Missing
from reconcheck.explain.reachability import Reachability
from reconcheck.explain.trace import DoesNotReplay
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.workbench import ENGINES, NEITHER, Workbench
from reconcheck.model.operator import Goal, Loaded, Scope
from reconcheck.semantics.steps import LeftRange

NEAREST = 1_000
"""States that mostly show that every controller runs."""
NEARBY = 8_000
"""States that often show how a goal fails."""


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
        backend: Callable[[], Backend] = Z3,
    ) -> None:
        self.loaded, self.operator = loaded, loaded.operator
        budget = Budget(seconds, MOST_STATES, report)
        self.bench = Workbench(self.operator, Listings(self.operator), budget, engines, backend)
        self.convergence, self.reachability = Convergence(self.bench), Reachability(self.bench)

    @property
    def budget(self) -> Budget:
        """What is left to spend."""
        return self.bench.budget

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
        return self.bench.listings.seen()

    def answer(self, goal: Goal, scope: Scope, seconds: float | None = None, why: bool = True) -> Answer:
        """The verdict on one goal, and `why` it fails.  `seconds` is its share of a time limit, from now on."""
        started, bench = time.monotonic(), self.bench
        if seconds is not None and bench.budget.seconds is not None:
            bench.budget = replace(bench.budget, started=started + seconds - bench.budget.seconds)
        bench.begin(why)
        try:
            answer = self._answer(goal, scope)
        except Exhausted as spent:
            answer = Answer(goal, scope, "unknown", self._spent(spent), "RC406")
        except MemoryError:
            self._forget_all()
            answer = Answer(goal, scope, "unknown", "memory is used up", "RC406")
        except LeftRange as wrong:
            raise ModelError([bench.left_range(wrong)], self.operator.sources) from wrong
        except DoesNotReplay as wrong:
            raise InternalError("RC901", f"{goal.name}: a trace does not replay: {wrong}") from wrong
        try:
            if why:
                answer = replace(answer, causes=causes_of(self.operator, answer, bench.tell))
                if answer.trace is not None and answer.verdict in ("quiet", "livelock") and not answer.causes:
                    answer = replace(answer, unexplained="a wake-up would help, but the run does not show which")
        except Exhausted as spent:
            answer = replace(answer, unexplained=str(spent))
        states = answer.states or _number_of_states(bench.looked_at, answer)
        if answer.verdict == "unknown" and why:
            answer = replace(answer, missing=self._missing(goal, scope))
        return replace(answer, seconds=time.monotonic() - started, states=states)

    def together(
        self, goals: Sequence[Goal], scope: Scope, narrow: Collection[str] = frozenset()
    ) -> tuple[Answer, ...]:
        """The verdicts on several goals, without causes; those that one state graph shows to converge share a proof.

        Of those that are `narrow`, a few slices may do: they are looked at before the states are listed.
        """
        shared = self.on_few_slices([goal for goal in goals if goal.name in narrow], scope)
        shared |= self._proved_together([goal for goal in goals if goal.name not in shared], scope)
        return tuple(
            shared[goal.name] if goal.name in shared else self.answer(goal, scope, why=False) for goal in goals
        )

    def on_few_slices(self, goals: Sequence[Goal], scope: Scope) -> dict[str, Answer]:
        """The answers to the goals that a few slices prove, by name; the states are not listed for that."""
        self.bench.begin(False)
        found: dict[str, Answer] = {}
        with suppress(Exhausted, MemoryError):
            for goal in goals:
                started = time.monotonic()
                answer = self.convergence.on_few_slices(goal, scope)
                if answer is not None:
                    found[goal.name] = replace(answer, seconds=time.monotonic() - started)
        return found

    def nearest_first(
        self, goals: Sequence[Goal], scope: Scope, narrow: Collection[str] = frozenset()
    ) -> tuple[Answer, ...]:
        """The same, where it only matters whether goals converge: how they fail is not told from the whole graph."""
        failing = self._nearby(goals, scope)
        others = self.together([goal for goal in goals if goal.name not in failing], scope, narrow)
        return (*failing.values(), *others)

    def _nearby(self, goals: Sequence[Goal], scope: Scope) -> dict[str, Answer]:
        """The answers to the goals that fail on a run among the nearest states, where these are not all."""
        self.bench.begin(False)
        found: dict[str, Answer] = {}
        with suppress(Exhausted, MemoryError, LeftRange):
            listed = self.bench.listed(scope, NEARBY)
            for goal in goals:
                started = time.monotonic()
                answer = self.convergence.nearby(goal, scope, listed) if goal.kind == "converges" else None
                if answer is not None:
                    found[goal.name] = replace(answer, seconds=time.monotonic() - started)
        return found

    def list_states(self, scope: Scope) -> None:
        """Lists the states of a scope, if there are not too many for a first look."""
        try:
            self._first_look(scope)
        except Exhausted:
            return
        except LeftRange as wrong:
            raise ModelError([self.bench.left_range(wrong)], self.operator.sources) from wrong

    def running(self, scope: Scope) -> frozenset[str] | None:
        """The controllers that some reachable state starts; None where states that are left out may start more."""
        bench, everyone = self.bench, frozenset(one.name for one in self.operator.controllers)
        try:
            nearest = bench.listed(scope, NEAREST).part
            if nearest is not None and started(nearest) == everyone:
                return everyone
            self._first_look(scope)
        except (Exhausted, LeftRange):
            return None
        explored = self.explored(scope)
        return None if explored is None else started(explored[0]) & everyone

    def explored(self, scope: Scope) -> tuple[StateGraph, CalmGraph] | None:
        """The complete state graph of a scope, if it has been listed."""
        for listed in self.bench.listings.of(scope):
            if listed.complete and listed.graph is not None and listed.calm is not None:
                return listed.graph, listed.calm
        return None

    def forget(self, scope: Scope) -> None:
        """Lets go of what was found out about a scope: there may be many of them."""
        self.bench.listings.forget(scope)
        self.convergence.forget(scope)

    def limit(self, seconds: float | None) -> None:
        """From now on there are so many seconds; None for no limit."""
        self.bench.budget = replace(self.budget, seconds=seconds, started=time.monotonic())

    def share(self, seconds: float) -> None:
        """From now on there are so many processor seconds, of what is left."""
        self.bench.budget = self.budget.shared(seconds)

    def _first_look(self, scope: Scope) -> Listed:
        return self.bench.listed(scope, self.bench.first_look(scope))

    def _answer(self, goal: Goal, scope: Scope) -> Answer:
        listed = self._first_look(scope)
        if goal.kind == "converges":
            return self.convergence.answer(goal, scope, listed)
        return self.reachability.answer(goal, scope, listed)

    def _proved_together(self, goals: Sequence[Goal], scope: Scope) -> dict[str, Answer]:
        """The answers to the goals that one proof shows to converge, as far as there are any."""
        if len([goal for goal in goals if goal.kind == "converges"]) < 2:
            return {}
        self.bench.begin(False)
        try:
            return self.convergence.together(goals, scope, self._first_look(scope))
        except (Exhausted, MemoryError):
            return {}
        except LeftRange as wrong:
            raise ModelError([self.bench.left_range(wrong)], self.operator.sources) from wrong

    def _forget_all(self) -> None:
        self.bench.listings, self.bench.looked_at = Listings(self.operator), None
        self.convergence = Convergence(self.bench)

    def _spent(self, spent: Exhausted) -> str:
        """Why there is no answer, where time or states are used up."""
        if self.budget.seconds is None or self.budget.spent < self.budget.seconds:
            return str(spent)
        return f"the time limit of {round(self.budget.seconds, 2):g} s was reached; {NEITHER}"

    def _missing(self, goal: Goal, scope: Scope) -> Missing:
        """What would have been needed for an answer."""
        from reconcheck.explain.unproved import advised, choosing, missing_invariant, missing_proof, unbounded

        bench = self.bench
        system = bench.listings.systems.get(scope)
        if system is None:
            return Missing()
        for listed in bench.listings.of(scope):
            graph = listed.graph or listed.part
            if graph is not None:
                bench.efforts.listed(graph)
            if listed.endless is not None:
                bench.efforts.leave_out("state graph", choosing(system, listed.endless))
        if goal.kind == "converges":
            found = missing_proof(system, goal, self.convergence.prover(goal, scope))
        else:
            found = missing_invariant(system, goal, self.reachability.gap)
        found = replace(found, unbounded=unbounded(system), searched=tuple(bench.efforts.found.values()))
        return replace(found, advice=advised(found, self.operator, bench.over))


def _number_of_states(listed: Listed | None, answer: Answer) -> int:
    """The states that were listed for an answer; bounded search lists none."""
    graph = None if listed is None or answer.engine == "bounded search" else listed.graph or listed.part
    return 0 if graph is None else len(graph.states)
