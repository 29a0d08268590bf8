"""What is wrong with a model, told quickly by its state graph: no proof is made, and nothing is replayed.

It sorts out what is no repair.  What is one is verified by the real engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, calm, livelocks, quiet_states
from reconcheck.engines.python_code import predicate
from reconcheck.explain.candidate import Happened
from reconcheck.explain.reenacting import Script, Stage, script
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step

MOST_STATES = 20_000
"""States that are looked at first; what is wrong with a larger model is mostly seen in so many of them."""
NOTHING: frozenset[str] = frozenset()
NOTHING_AT: frozenset[int] = frozenset()
MOST_ENDS = 40
"""Quiet states whose runs are looked at, the nearest first."""


class Wrong(Struct, frozen=True):
    """How a goal fails, with what happens in the runs by which it does."""

    verdict: str
    """quiet, livelock, fails or unreachable."""
    runs: tuple[Happened, ...]


class Probed(Struct, frozen=True):
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


def probe(operator: Operator, scope: Scope, seconds: float | None) -> Probed:
    """What is wrong in a scope, as far as the nearest states show it.  Raises `NotProbed`."""
    return next(probes(operator, scope, lambda: seconds, (), (MOST_STATES,)))


def probes(
    operator: Operator, scope: Scope, left: Callable[[], float | None], rules: Iterable[str], sizes: Iterable[int]
) -> Iterator[Probed]:
    """What is wrong in a scope, as so many of the nearest states show it, up to all; no rule must be armed for ever.

    `left` is the time there is for the next ones.  Raises `NotProbed`.
    """
    graph: StateGraph | None = None
    try:
        system = compile_system(operator, scope)
        for most in sizes:
            budget = Budget(left())
            graph = explore(system, budget, most, graph)
            whole = graph.followed == len(graph.states)
            yield _told(graph, budget, operator.goals, rules, whole)
            if whole:
                return
    except (Exhausted, Endless, LeftRange) as reason:
        raise NotProbed(str(reason)) from reason


def probe_like(
    operator: Operator,
    scope: Scope,
    seconds: float | None,
    rules: Iterable[str],
    known: Iterable[Script],
    lines: Callable[[int], int],
) -> Iterator[tuple[Script, Probed]]:
    """What is wrong in a scope, as far as known runs show it that may be possible there; `lines` gives their lines."""
    try:
        stage, budget = Stage(compile_system(operator, scope), lines), Budget(seconds)
        goals = [goal for goal in operator.goals if goal.kind != "reachable"]
        for one in known:
            yield one, _told(stage.follow(one), budget, goals, rules, False)
    except (Exhausted, Endless, LeftRange):
        return  # all the states will tell


def _told(graph: StateGraph, budget: Budget, goals: Iterable[Goal], rules: Iterable[str], whole: bool) -> Probed:
    runs = _Runs(graph, calm(graph, budget))
    wrong = {goal.name: found for goal in goals if (found := runs.wrong(goal)) is not None}
    return Probed(len(graph.states), whole, wrong, runs.restless(), runs.waiting(frozenset(rules)))


class _Runs:
    """The runs of a graph, as what happens in them."""

    def __init__(self, graph: StateGraph, calm_graph: CalmGraph) -> None:
        self.graph, self.calm_graph = graph, calm_graph
        holders = enumerate(_holder(variable.name) for variable in graph.system.variables)
        self.holders = [(place, holder) for place, holder in holders if holder is not None]
        """What lives, by its places in a state."""
        self.told = [_told_by(command.step) for command in graph.system.commands]

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
            yield self._happened(list(steps), path)

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
            yield self._happened([*way, *loop], path)

    def _happened(self, steps: list[tuple[int, int, int]], path: list[tuple[int, int]]) -> Happened:
        changed: set[str] = set()
        outcomes: set[int] = set()
        failures: set[int] = set()
        errors = restarts = False
        states = self.graph.states
        for command, before, after in steps:
            old, new = states[before], states[after]
            for place, holder in self.holders:
                if old[place] != new[place]:
                    changed.add(holder)
            told = self.told[command]
            restarts, errors = restarts or told.restarts, errors or told.errors
            outcomes |= told.outcomes
            failures |= told.failures
        begun = script(self.graph, path)
        return Happened(frozenset(changed), frozenset(outcomes), frozenset(failures), errors, restarts, begun)


def _told_by(step: Step) -> Happened:
    """What a step by itself has to do with candidates."""
    restarts = step.action.partition(" ")[0] in ("crash", "relist")
    line = line_of(step)
    if line is None or not step.action.startswith("reconcile "):
        return Happened(NOTHING, NOTHING_AT, NOTHING_AT, False, restarts)
    here = frozenset({line})
    if is_outcome(step):
        return Happened(NOTHING, here, NOTHING_AT, step.detail.startswith("fail"), restarts)
    failed = is_failure(step)
    return Happened(NOTHING, NOTHING_AT, here if failed else NOTHING_AT, failed, restarts)


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
