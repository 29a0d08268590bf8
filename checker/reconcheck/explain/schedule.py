"""The last resort: the schedule for a goal that nothing else mends."""

from __future__ import annotations

import time
from collections.abc import Callable

from reconcheck.explain.broken import Broken, reconcile
from reconcheck.explain.cause import Place
from reconcheck.explain.diagnosis import Edit, Repair
from reconcheck.explain.edits import difference
from reconcheck.explain.patch import NoPatch, patched
from reconcheck.explain.trial import verdict_of
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import Loaded
from reconcheck.model.operator import Goal, Rule, Scope

SCHEDULE = 4
"""The level, from 0, of the schedule."""
PERIOD = "5m"
"""Of a schedule where there is none."""


def kept_schedule(
    loaded: Loaded, broken: Broken, goal: Goal, left: Callable[[], float | None]
) -> tuple[Repair | None, str]:
    """The smallest schedule with which a goal converges, or a new one; else why there is none."""
    started = time.monotonic()
    answer = Verifier(loaded, left()).answer(goal, Scope(schedule=True))
    if answer.verdict == "unknown":
        return None, f"whether the schedule helps {goal.name}: {answer.reason}"
    if answer.good:
        rules = _needed(loaded, goal, left)
        title = f"keep {', '.join(rule.name for rule in rules) or 'the resync'} for {goal.name}"
        places = tuple(Place(rule.span, rule.cites) for rule in rules)
        return Repair(title, (), "", (goal.name,), SCHEDULE, places, time.monotonic() - started), ""
    return _new(loaded, broken, goal, left, started)


def _needed(loaded: Loaded, goal: Goal, left: Callable[[], float | None]) -> list[Rule]:
    """The scheduled rules that a goal needs: of two that do the same, the one declared first goes."""
    rules = [rule for rule in loaded.operator.rules() if rule.kind == "every"]
    away: tuple[str, ...] = ()
    for rule in rules:
        scope = Scope(True, tuple(sorted((*away, rule.name))))
        if verdict_of(loaded, goal, scope, left()) == "converges":
            away = (*away, rule.name)
    return [rule for rule in rules if rule.name not in away]


def _new(
    loaded: Loaded, broken: Broken, goal: Goal, left: Callable[[], float | None], started: float
) -> tuple[Repair | None, str]:
    """A schedule where there is none that helps."""
    if any(rule.kind == "every" for rule in loaded.operator.rules()):
        return None, f"no repair of {goal.name} was found, and the schedule does not help it"
    for controller in broken.controllers:
        name = broken.rule_name("poll", controller)
        edit: Edit = broken.source.before(reconcile(controller).span, f"requeue {name} every {PERIOD}")
        try:
            whole = patched(broken, (edit,), False, lambda *asked: verdict_of(*asked, left()))
        except NoPatch:
            continue
        verifier = Verifier(whole.loaded, left())
        good = [g for g in loaded.operator.goals if verdict_of(loaded, g, Scope(True), left()) in ("converges", "holds")]
        asked = [g for g in whole.loaded.operator.goals if g.name in {goal.name, *(one.name for one in good)}]
        if all(verifier.answer(one, Scope(schedule=True), left()).good for one in asked):
            title = f"look again every {PERIOD}, as only a schedule helps {goal.name}"
            places = (Place(reconcile(controller).span, reconcile(controller).cites or controller.cites),)
            patch = difference(broken.source, whole.text)
            seconds = time.monotonic() - started
            return Repair(title, whole.edits, patch, (goal.name,), SCHEDULE, places, seconds), ""
    return None, f"no repair of {goal.name} was found, and a schedule does not help it either"
