"""Answers whether a formula always holds, or a state can be reached.

`always` looks for a state where the formula is false, `reachable` for one where it is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconcheck.engines.faultless import Faultless
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.engines.python_code import predicate
from reconcheck.explain.listed import Listed
from reconcheck.explain.verdict import Answer, Proof
from reconcheck.explain.workbench import WORTH_SLICING, Workbench, claimed, shares
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Scope
from reconcheck.proof import certificate as proofs
from reconcheck.proof.certificate import Refused
from reconcheck.semantics.system import System

if TYPE_CHECKING:
    from reconcheck.engines.explicit import StateGraph
    from reconcheck.engines.gaps import Gap


class Reachability:
    """Questions of `always` and `reachable` about one model."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.gap: Gap | None = None
        """What the search for an invariant left open, for the present question."""

    def answer(self, goal: Goal, scope: Scope, listed: Listed) -> Answer:
        """The verdict; `listed` is what the first look has shown.  Raises `Exhausted`."""
        bench, self.gap = self.bench, None
        never = goal.formula if goal.kind == "always" else e.negate(goal.formula)
        end = "violation" if goal.kind == "always" else "witness"
        if not listed.complete:
            answer = self._near(goal, scope, listed, never, end) or self._invariant(goal, scope, listed.system, never)
            for seconds in shares(listed.system):
                answer = answer or bench.bounded(goal, scope, e.negate(never), end, seconds)
                if answer is not None:
                    return answer
                if (more := bench.second_look(scope, listed)) is not None:
                    return self._from_graph(goal, scope, more, never, end)
            every = bench.every_state(goal, scope, listed)
            if isinstance(every, Answer):
                return every
            listed = every
        return self._from_graph(goal, scope, listed, never, end)

    def _from_graph(self, goal: Goal, scope: Scope, listed: Listed, never: e.Expr, end: str) -> Answer:
        assert listed.graph is not None
        graph, system = listed.graph, listed.system
        holds = predicate(system, never)
        bad = [number for number, state in enumerate(graph.states) if not holds(state)]
        if bad:
            return self._found(goal, scope, graph, bad, end, "whole state graph")
        if len(graph.states) > WORTH_SLICING:
            proved = self._invariant(goal, scope, system, never)
            if proved is not None:
                return proved
        columns, diagram = proofs.arranged(proofs.columns_of(system.variables), [(state, 0) for state in graph.states])
        invariant = proofs.Invariant(never, columns, diagram)
        answer = self._certified(goal, scope, system, invariant, len(graph.states), "whole state graph")
        assert answer is not None  # a refused invariant of the whole graph is an internal error
        return answer

    def _near(self, goal: Goal, scope: Scope, listed: Listed, never: e.Expr, end: str) -> Answer | None:
        """The shortest run to one of the nearest states where a formula is false."""
        graph = listed.part
        if graph is None or not self.bench.has("search"):
            return None
        holds = predicate(listed.system, never)
        bad = [number for number, state in enumerate(graph.states) if not holds(state)]
        return self._found(goal, scope, graph, bad, end, "nearest states") if bad else None

    def _found(self, goal: Goal, scope: Scope, graph: StateGraph, bad: list[int], end: str, engine: str) -> Answer:
        """The answer with the shortest run to one of some states; and, to a violation with faults, one without any."""
        bench = self.bench
        claim = claimed(graph, shortest_path(graph, bad), None, end, True)
        answer = bench.found(goal, scope, bench.replay(goal, scope, graph.system, claim), engine)
        if goal.kind != "always" or answer.trace is None or not answer.trace.has_faults:
            return answer
        way = Faultless(graph, True).path(bad) or Faultless(graph, False).path(bad)
        if way is None:
            return answer
        claim = claimed(graph, way, None, end, graph.followed == len(graph.states))
        return replace(answer, faultless=bench.replay(goal, scope, graph.system, claim))

    def _invariant(self, goal: Goal, scope: Scope, system: System, never: e.Expr) -> Answer | None:
        """The answer that an invariant of a slice gives."""
        bench = self.bench
        if not bench.has("proof"):
            return None
        from reconcheck.engines.gaps import Gap
        from reconcheck.engines.invariance import prove_always
        from reconcheck.engines.slicing import Slicer

        with bench.efforts.at("proofs in parts"):
            region = prove_always(Slicer(system), never, bench.budget)
        if isinstance(region, Gap):
            self.gap = region
            return None
        columns, diagram = proofs.arranged(region.columns, [(state, 0) for state in region.states])
        invariant = proofs.Invariant(never, columns, diagram)
        return self._certified(goal, scope, system, invariant, len(region.states), "slices")

    def _certified(
        self, goal: Goal, scope: Scope, system: System, invariant: proofs.Invariant, states: int, engine: str
    ) -> Answer | None:
        """The answer "holds" or "unreachable", if Z3 confirms the invariant on the whole system.

        None where a slice does not know why a variable that was cut stays in its range, for example.
        """
        from reconcheck.certify.check import Checker

        bench = self.bench
        result = Checker(system, lambda: bench.budget.left, bench.tell, bench.backend()).check(invariant)
        if engine == "slices" and isinstance(result, Refused) and not result.gave_up:
            return None
        result = self.bench.accepted(goal, result)
        verdict = "holds" if goal.kind == "always" else "unreachable"
        code = "" if goal.kind == "always" else "RC404"
        slices = int(engine == "slices")
        proof = Proof((e.show(invariant.formula),), slices, len(invariant.columns), states, result.obligations)
        return Answer(goal, scope, verdict, "", code, None, proof, states, engine=engine, certificate=invariant)
