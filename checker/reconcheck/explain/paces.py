"""How soon the schedule comes to a goal that rests on it: which scheduled wake-ups do, and their period.

The verdict is the same whether a schedule comes every second or every day; who waits for it sees the difference.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconcheck.explain.diagnosis import Levels, Pace
from reconcheck.explain.flows import Flow
from reconcheck.explain.looks import Looks
from reconcheck.explain.necessity import considered, less, whole
from reconcheck.model.operator import SCHEDULED


def paces_of(looks: Looks, without: tuple[str, ...], levels: Iterable[Levels]) -> Flow:
    """The flow that finds the pace of each goal that converges with the schedule only, where it can be told."""
    lowest = {one.goal: one.lowest for one in levels}
    goals = [goal for goal in looks.goals if goal.kind == "converges" and lowest.get(goal.name) == SCHEDULED]
    periods: dict[str, float] = {}
    for one in considered(looks, without):
        if one.level == SCHEDULED and one.seconds is not None:
            periods[one.scoped] = max(one.seconds, periods.get(one.scoped, 0.0))
    base = whole(without)
    away = {name: less(base, name) for name in periods}
    alone = {name: less(base, *(other for other in periods if other != name)) for name in periods}
    needed = {
        goal.name: [name for name, scope in away.items() if looks.answer(goal, scope).verdict in ("quiet", "livelock")]
        for goal in goals
    }
    if any(not needed[goal.name] for goal in goals):
        yield from looks.gather(alone.values())
    found: list[Pace] = []
    for goal in goals:
        if some := needed[goal.name]:
            found.append(Pace(goal.name, tuple(some), True, max(periods[name] for name in some)))
        elif some := [name for name, scope in alone.items() if looks.answer(goal, scope).good]:
            found.append(Pace(goal.name, tuple(some), False, min(periods[name] for name in some)))
    return tuple(found)
