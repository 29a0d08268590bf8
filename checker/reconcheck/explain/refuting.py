"""Counterexamples used again: a run that fails with some wake-ups often fails alike with others.

What is found is replayed on the reference interpreter in the scope at hand, like any counterexample.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import calm, livelocks, quiet_states
from reconcheck.engines.lasso import shortest_cycle
from reconcheck.engines.python_code import canonical, predicate
from reconcheck.explain.flows import Flow
from reconcheck.explain.reenacting import Script, Stage
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer, Trace
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.world import State

MOST_RUNS = 12
"""Known runs that are tried in a scope, the most useful first."""
AT_ONCE = 8
"""Scopes in which runs are tried one after the other; so many take a moment."""


class Run(Struct, frozen=True):
    """A run on which a goal failed."""

    goal: e.Expr
    script: Script


class Refuted(NamedTuple):
    """A known run by which its goal fails elsewhere, and how it does there: quiet or livelock."""

    run: Run
    end: str


class Refuting(Struct, frozen=True):
    """A piece of work: known runs to be tried in scopes, until one goal fails, or to see of `each` whether it does."""

    scopes: tuple[Scope, ...]
    runs: tuple[Run, ...]
    each: bool = False

    def done(self, verifier: Verifier, seconds: float | None) -> tuple[tuple[Refuted, ...], ...]:
        """For each of the scopes, as far as there is time, the runs by which a goal fails there too.

        The goal fails on a run that begins like the known one, as far as that is possible.
        """
        until = None if seconds is None else time.monotonic() + seconds
        found: list[tuple[Refuted, ...]] = []
        for scope in self.scopes:
            if until is not None and time.monotonic() > until:
                break
            refuted = _refuted(verifier.operator, scope, self.runs)
            found.append(tuple(refuted) if self.each else tuple(islice(refuted, 1)))
        return tuple(found)


class Refuter:
    """The runs on which goals of a model failed, to be tried in other scopes."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.of_use: Counter[Run] = Counter()

    def learn(self, answers: Iterable[Answer]) -> None:
        """Takes the runs on which goals fail."""
        for answer in answers:
            if answer.verdict in ("quiet", "livelock") and isinstance(answer.trace, Trace):
                trace = answer.trace
                steps = [row.step for row in trace.steps]
                while steps and steps[-1].kind == "fair":
                    steps.pop()
                script = Script(trace.first or trace.start, tuple((step.action, step.detail) for step in steps))
                run = Run(answer.goal.formula, script)
                if run not in self.runs:
                    self.runs.append(run)

    def refuted(self, scopes: Sequence[Scope], since: int) -> Flow:
        """The flow that finds those of some scopes in which a goal fails, on a run that was not there `since` then."""
        found = yield from self._tried(scopes, self.runs[since:], each=False)
        return set(found)

    def failing(self, scopes: Sequence[Scope]) -> Flow:
        """The flow that finds, for each of some scopes, the goals that fail there too, with how they do."""
        found = yield from self._tried(scopes, self.runs, each=True)
        return {scope: {one.run.goal: one.end for one in refuted} for scope, refuted in found.items()}

    def _tried(self, scopes: Sequence[Scope], runs: Sequence[Run], each: bool) -> Flow:
        """The flow that finds the scopes in which one of some runs fails too, with those that do."""
        runs = sorted(runs, key=lambda run: -self.of_use[run])[:MOST_RUNS]
        if not runs:
            return {}
        chunks = [tuple(scopes[at : at + AT_ONCE]) for at in range(0, len(scopes), AT_ONCE)]
        found: dict[Scope, tuple[Refuted, ...]] = {}
        for chunk, result in zip(chunks, (yield [Refuting(one, tuple(runs), each) for one in chunks]), strict=True):
            for scope, refuted in zip(chunk, result or (), strict=False):
                if refuted:
                    self.of_use.update(one.run for one in refuted)
                    found[scope] = refuted
        return found


def _refuted(operator: Operator, scope: Scope, runs: Iterable[Run]) -> Iterator[Refuted]:
    """Those of some known runs by which their goals fail in another scope too, one for each goal."""
    system = compile_system(operator, scope)
    replayer = Replayer(operator, scope, canonical(system))
    stage = Stage(system, lambda line: line)
    failed: set[e.Expr] = set()
    for run in runs:
        if run.goal in failed:
            continue

        def holds(state: State, goal: e.Expr = run.goal) -> bool:
            return bool(e.evaluate(goal, state))

        try:
            claim = _claim(stage.follow(run.script), run.goal)
            if claim is not None:
                replayer.replay(claim, holds, ())
                failed.add(run.goal)
                yield Refuted(run, claim.end)
        except (DoesNotReplay, Endless, Exhausted, LeftRange):
            continue


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
