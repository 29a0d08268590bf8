"""What the drawn states say about one goal: where it holds, and a run that ends or circles without it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import CalmGraph, livelocks, quiet_states
from reconcheck.engines.fewest_changes import shortest_path
from reconcheck.engines.lasso import shortest_lasso
from reconcheck.engines.python_code import predicate
from reconcheck.model.operator import Goal

Path = list[tuple[int, int]]


class Judgement(Struct, frozen=True):
    """A goal, looked at in a state graph."""

    goal: Goal
    truth: list[bool]
    """For each state, whether the goal's formula holds."""
    ending: str
    """quiet, livelock, violation or witness; empty where no such run was found."""
    path: Path
    """The shortest run to it: (command, state) of each step, -1 for the first state."""
    loop: int | None
    """The index in `path` from which on the run repeats for ever."""
    livelock: frozenset[int]
    """The states among which a fair run can stay for ever without the goal."""

    @property
    def diverges(self) -> bool:
        """Whether a run was found that an author does not hope for."""
        return self.ending in ("quiet", "livelock", "violation")


def judge(goal: Goal, calm_graph: CalmGraph, explored: int, budget: Budget) -> Judgement:
    """Looks at a goal; states from `explored` on have unknown steps and are never called quiet."""
    graph = calm_graph.graph
    holds = predicate(graph.system, goal.formula)
    truth = [holds(state) for state in graph.states]
    if goal.kind != "converges":
        wanted = goal.kind == "reachable"
        found = [state for state, value in enumerate(truth) if value == wanted]
        ending = "" if not found else "witness" if wanted else "violation"
        return Judgement(goal, truth, ending, shortest_path(graph, found) if found else [], None, frozenset())
    quiet = [state for state in quiet_states(calm_graph, truth) if state < explored]
    loops = livelocks(calm_graph, truth)
    circling = frozenset(state for members in loops for state in members)
    lasso = shortest_lasso(calm_graph, loops, truth, budget) if loops else None
    if quiet and (lasso is None or graph.depth[quiet[0]] <= len(lasso.stem) - 1 + len(lasso.loop)):
        return Judgement(goal, truth, "quiet", shortest_path(graph, quiet), None, circling)
    if lasso is not None:
        return Judgement(goal, truth, "livelock", [*lasso.stem, *lasso.loop], len(lasso.stem) - 1, circling)
    return Judgement(goal, truth, "", [], None, circling)


def first_diverging(goals: Sequence[Goal], calm_graph: CalmGraph, explored: int, budget: Budget) -> Judgement | None:
    """The first goal that does not hold, else the first goal; None for a model without goals."""
    first: Judgement | None = None
    for goal in goals:
        judgement = judge(goal, calm_graph, explored, budget)
        if judgement.diverges:
            return judgement
        first = first or judgement
    return first
