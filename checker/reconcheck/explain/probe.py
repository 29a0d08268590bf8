"""What is wrong with a model, told quickly by its state graph: no proof is made, and nothing is replayed.

It sorts out what is no repair.  What is one is verified by the real engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, calm, livelocks, quiet_states
from reconcheck.engines.python_code import predicate
from reconcheck.explain.candidate import Happened
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step

MOST_STATES = 20_000
"""States that are looked at first; what is wrong with a larger model is mostly seen in so many of them."""
MOST_ENDS = 40
"""Quiet states whose runs are looked at, the nearest first."""


@dataclass(frozen=True)
class Wrong:
    """How a goal fails, with what happens in the runs by which it does."""

    verdict: str
    """quiet, livelock, fails or unreachable."""
    runs: tuple[Happened, ...]


@dataclass(frozen=True)
class Probed:
    """What the state graph of a model in a scope shows."""

    states: int
    whole: bool
    """Whether these are all states; if not, what is not wrong among them can still be wrong."""
    wrong: dict[str, Wrong]
    """The goals that fail."""
    restless: Wrong | None
    """Where a fair run never comes to rest, whether it converges or not."""
    waiting: Wrong | None
    """Where a fair run arms one of the given rules for ever."""


class NotProbed(Exception):
    """The graph is endless, or there was no time; the message says which."""


def probe(
    operator: Operator, scope: Scope, seconds: float | None, rules: Iterable[str] = (), most: int = MOST_STATES
) -> Probed:
    """What is wrong in a scope, as far as the nearest states show it; `rules` must not be armed for ever.

    Raises `NotProbed`.
    """
    try:
        system = compile_system(operator, scope)
        budget = Budget(seconds)
        graph = explore(system, budget, most)
        calm_graph = calm(graph, budget)
    except (Exhausted, Endless, LeftRange) as reason:
        raise NotProbed(str(reason)) from reason
    runs = _Runs(graph, calm_graph)
    wrong = {goal.name: found for goal in operator.goals if (found := runs.wrong(goal)) is not None}
    whole = graph.followed == len(graph.states)
    return Probed(len(graph.states), whole, wrong, runs.restless(), runs.waiting(frozenset(rules)))


class _Runs:
    """The runs of a graph, as what happens in them."""

    def __init__(self, graph: StateGraph, calm_graph: CalmGraph) -> None:
        self.graph, self.calm_graph = graph, calm_graph
        self.holders = [_holder(variable.name) for variable in graph.system.variables]

    def wrong(self, goal: Goal) -> Wrong | None:
        """How a goal fails, if it does."""
        holds = predicate(self.graph.system, goal.formula)
        truth = [holds(state) for state in self.graph.states]
        if goal.kind == "always":
            bad = [state for state, value in enumerate(truth) if not value]
            return Wrong("fails", tuple(self._to(bad))) if bad else None
        if goal.kind == "reachable":
            missed = any(truth) or self.graph.followed < len(truth)
            return None if missed else Wrong("unreachable", ())
        quiet = [state for state in quiet_states(self.calm_graph, truth) if state < self.graph.followed]
        loops = livelocks(self.calm_graph, truth)
        if not quiet and not loops:
            return None
        return Wrong("quiet" if quiet else "livelock", (*self._to(quiet), *self._around(loops)))

    def restless(self) -> Wrong | None:
        """The fair runs that never end."""
        loops = livelocks(self.calm_graph, [False] * len(self.graph.states))
        return Wrong("livelock", tuple(self._around(loops))) if loops else None

    def waiting(self, rules: frozenset[str]) -> Wrong | None:
        """The fair runs in which one of the rules is armed again and again."""
        places = [i for i, v in enumerate(self.graph.system.variables) if v.name.startswith("timer(")]
        idle = [not any(state[place] in rules for place in places) for state in self.graph.states]
        loops = livelocks(self.calm_graph, idle) if rules else []
        return Wrong("livelock", tuple(self._around(loops))) if loops else None

    def _to(self, states: list[int]) -> Iterator[Happened]:
        for state in states[:MOST_ENDS]:
            path = self.graph.path(state)
            numbers = [path[0][1], *(number for _, number in path[1:])]
            steps = zip((command for command, _ in path[1:]), numbers[:-1], numbers[1:], strict=True)
            yield self._happened(list(steps))

    def _around(self, loops: list[list[int]]) -> Iterator[Happened]:
        """A way into each component, and everything that can go on in it."""
        for members in loops[:MOST_ENDS]:
            inside = set(members)
            entry = min(members, key=lambda state: self.graph.depth[state])
            path = self.graph.path(entry)
            numbers = [number for _, number in path]
            way = list(zip((command for command, _ in path[1:]), numbers[:-1], numbers[1:], strict=True))
            commands = self.graph.system.commands
            loop = [
                (command, state, after)
                for state in members
                for command, after in self.graph.edges[state]
                if after in inside and commands[command].step.kind.calm
            ]
            yield self._happened([*way, *loop])

    def _happened(self, steps: list[tuple[int, int, int]]) -> Happened:
        changed: set[str] = set()
        outcomes: set[int] = set()
        failures: set[int] = set()
        errors = restarts = False
        states, commands = self.graph.states, self.graph.system.commands
        for command, before, after in steps:
            step = commands[command].step
            old, new = states[before], states[after]
            changed |= {
                holder for holder, a, b in zip(self.holders, old, new, strict=True) if a != b and holder is not None
            }
            restarts = restarts or step.action.partition(" ")[0] in ("crash", "relist")
            line = line_of(step)
            if line is None or not step.action.startswith("reconcile "):
                continue
            if is_outcome(step):
                outcomes.add(line)
                errors = errors or step.detail.startswith("fail")
            elif is_failure(step):
                failures.add(line)
                errors = True
        return Happened(frozenset(changed), frozenset(outcomes), frozenset(failures), errors, restarts)


def _holder(variable: str) -> str | None:
    """The object or external that a live variable belongs to."""
    return None if "(" in variable or "/" in variable else variable.partition(".")[0]


def line_of(step: Step) -> int | None:
    """The line of the model that a step of a reconcile carries out."""
    found = re.search(r"\(L(\d+)\)$", step.detail)
    return int(found.group(1)) if found is not None else None


def is_outcome(step: Step) -> bool:
    """Whether a step of a reconcile is its outcome."""
    return step.detail.startswith(("await ", "requeue ", "fail"))


def is_failure(step: Step) -> bool:
    """Whether a step of a reconcile is a request that fails."""
    return not is_outcome(step) and (step.kind is Kind.FAULT or " fails" in step.detail)
