"""Looks at a model with some wake-ups taken away: the answers to all goals, each verified, and what it costs.

Scopes that leave the same wake-ups are the same system: it is looked at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.costs import Costs, costs_of
from reconcheck.explain.flows import Flow
from reconcheck.explain.settled import settled
from reconcheck.explain.tally import LEVELS, NEEDS, Tally
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.model.wakeups import in_force


class Task(Struct, frozen=True):
    """A scope to look at, with the goals that are open in it, and whether costs and who runs are wanted."""

    scope: Scope
    goals: tuple[str, ...]
    costs: bool = False
    runs: bool = False
    narrow: frozenset[str] = frozenset()
    """Goals that a few slices prove elsewhere: these are tried first here."""

    def done(self, verifier: Verifier, seconds: float | None) -> Look:
        """What comes of it, within so many seconds."""
        return look(verifier, self, seconds)


class Look(Struct, frozen=True):
    """What came of a task; what is not wanted is None, and the costs where the state graph is not complete."""

    task: Task
    answers: tuple[Answer, ...]
    runs: frozenset[str] | None
    """The controllers that some reachable state starts; None where those at hand leave it open."""
    costs: Costs | None


def look(verifier: Verifier, task: Task, seconds: float | None) -> Look:
    """Answers the open goals of a scope within so many seconds, and reads the costs off its state graph."""
    operator = verifier.operator
    goals = [operator.goal(name) for name in task.goals]
    verifier.limit(seconds)
    answers = verifier.together(goals, task.scope, task.narrow)
    costs = None
    if task.costs:
        verifier.list_states(task.scope)
        if (explored := verifier.explored(task.scope)) is not None:
            _, calm_graph = explored
            costs = costs_of(calm_graph, settled(calm_graph, operator).converged, verifier.budget)
    runs = verifier.running(task.scope) if task.runs else None
    verifier.forget(task.scope)
    return Look(task, answers, runs, costs)


class Looks:
    """All looks at one model, each answer once."""

    def __init__(
        self,
        operator: Operator,
        goals: Sequence[Goal],
        seconds: float,
        tell: Callable[[str], None],
    ) -> None:
        self.operator, self.goals, self.tell = operator, tuple(goals), tell
        self.seconds = seconds
        self.started = time.monotonic()
        self.tally = Tally()
        """Questions that were asked, and those of them for which something had to be looked at."""
        self._answers: dict[tuple[str, frozenset[str]], Answer] = {}
        self._costs: dict[frozenset[str], Costs] = {}
        self._runs: dict[frozenset[str], frozenset[str]] = {}
        self._narrow: set[str] = set()

    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def know(self, answers: Iterable[Answer]) -> None:
        """Takes answers that are there already."""
        for answer in answers:
            if answer.verdict != "unknown":
                self._answers.setdefault((answer.goal.name, self._system(answer.scope)), answer)
            if answer.engine == "slices":
                self._narrow.add(answer.goal.name)

    def known(self) -> tuple[Answer, ...]:
        """The answers that are there."""
        return tuple(self._answers.values())

    def gather(
        self,
        scopes: Iterable[Scope],
        runs: Sequence[Scope] = (),
        costs: Sequence[Scope] = (),
        levels: Sequence[Scope] = (),
    ) -> Flow:
        """Has scopes looked at, as far as answers are not there yet, nor what runs and costs where it is wanted.

        `levels` come first, and are counted apart.
        """
        wanted = {self._system(scope) for scope in costs}
        running = {self._system(scope) for scope in runs}
        tasks: dict[frozenset[str], Task] = {}
        for part, scope in [*((LEVELS, scope) for scope in levels), *((NEEDS, scope) for scope in scopes)]:
            self.tally.count(part, len(self.goals))
            system = self._system(scope)
            open_ = tuple(goal.name for goal in self.goals if (goal.name, system) not in self._answers)
            expensive = system in wanted and system not in self._costs
            unseen = system in running and system not in self._runs
            if system not in tasks and (open_ or expensive or unseen):
                tasks[system] = Task(scope, open_, expensive, unseen, frozenset(self._narrow))
                self.tally.count(part, 0, len(open_))
        if tasks:
            self.tell(f"looking at it without some wake-ups ({len(tasks)} times)")
        for found in (yield tuple(tasks.values())):
            if found is not None:  # there was time for it
                self._learn(found)

    def _learn(self, found: Look) -> None:
        system = self._system(found.task.scope)
        for answer in found.answers:
            self._answers[answer.goal.name, system] = answer
            if answer.engine == "slices":
                self._narrow.add(answer.goal.name)
        if found.runs is not None:
            self._runs[system] = found.runs
        if found.costs is not None:
            self._costs[system] = found.costs

    def answer(self, goal: Goal, scope: Scope) -> Answer:
        """The answer to a goal in a scope that was looked at; unknown where there was no time for it."""
        found = self._answers.get((goal.name, self._system(scope)))
        if found is None:
            reason = f"the {self.seconds:.0f} s for the diagnosis were over before this question was begun"
            return Answer(goal, scope, "unknown", reason, "RC406")
        return replace(found, scope=scope)

    def costs(self, scope: Scope) -> Costs | None:
        """The costs in a scope that was looked at, if they are known."""
        return self._costs.get(self._system(scope))

    def runs(self, controller: str, scope: Scope) -> bool | None:
        """Whether a controller ever runs in a scope that was looked at, if that is known."""
        found = self._runs.get(self._system(scope))
        return None if found is None else controller in found

    def _system(self, scope: Scope) -> frozenset[str]:
        return in_force(self.operator.controllers, scope)
