"""Counterexamples used again: a run that fails with some wake-ups often fails alike with others.

What is found is replayed on the reference interpreter in the scope at hand, like any counterexample.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import calm, livelocks, quiet_states
from reconcheck.engines.lasso import shortest_cycle
from reconcheck.engines.python_code import canonical, predicate
from reconcheck.explain.reenacting import Script, Stage
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer, Trace
from reconcheck.explain.verdict import Answer
from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.world import State

MOST_RUNS = 12
"""Known runs that are tried in a scope, the most useful first."""


@dataclass(frozen=True)
class _Run:
    """A run on which a goal failed."""

    goal: e.Expr
    script: Script


class Refuter:
    """Tries known runs in other scopes."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.known: dict[_Run, int] = {}
        """The runs that failed, with how often each was of use."""

    def learn(self, answers: Iterable[Answer]) -> None:
        """Takes the runs on which goals fail."""
        for answer in answers:
            if answer.verdict in ("quiet", "livelock") and isinstance(answer.trace, Trace):
                trace = answer.trace
                steps = [row.step for row in trace.steps]
                while steps and steps[-1].kind == "fair":
                    steps.pop()
                script = Script(trace.first or trace.start, tuple((step.action, step.detail) for step in steps))
                self.known.setdefault(_Run(answer.goal.formula, script), 0)

    def refutes(self, scope: Scope) -> bool:
        """Whether a goal fails in another scope too, on a run that begins like a known one as far as it is possible."""
        if not self.known:
            return False
        system = compile_system(self.operator, scope)
        replayer = Replayer(self.operator, scope, canonical(system))
        stage = Stage(system, lambda line: line)
        for run in sorted(self.known, key=lambda one: -self.known[one])[:MOST_RUNS]:

            def holds(state: State, goal: e.Expr = run.goal) -> bool:
                return bool(e.evaluate(goal, state))

            try:
                claim = _claim(stage.follow(run.script), run.goal)
                if claim is not None:
                    replayer.replay(claim, holds, ())
                    self.known[run] += 1
                    return True
            except (DoesNotReplay, Endless, Exhausted, LeftRange):
                continue
        return False


def _claim(graph: StateGraph, goal: e.Expr) -> Claim | None:
    """That the goal fails in states behind a run: at rest, or in a fair loop."""
    calm_graph = calm(graph, Budget())
    truth = list(map(predicate(graph.system, goal), graph.states))
    quiet = [state for state in quiet_states(calm_graph, truth) if state < graph.followed]
    if quiet:
        return _claimed(graph, graph.path(quiet[0]), None)
    cycle = shortest_cycle(calm_graph, livelocks(calm_graph, truth), truth, Budget())
    if cycle is None:
        return None
    stem = graph.path(cycle.start)
    return _claimed(graph, [*stem, *cycle.loop], len(stem) - 1)


def _claimed(graph: StateGraph, path: list[tuple[int, int]], loop: int | None) -> Claim:
    commands = graph.system.commands
    steps = [(commands[command].step if command >= 0 else None, graph.states[state]) for command, state in path]
    return Claim(steps, loop, "quiet" if loop is None else "livelock", False)
