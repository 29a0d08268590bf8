"""What each wake-up is good for, and the smallest sets of them that are enough.

That more wake-ups are never worse is not assumed: a rule can keep an operator from its goal.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msgspec.structs import replace

from reconcheck.explain.diagnosis import Need
from reconcheck.explain.flows import Flow
from reconcheck.explain.looks import Looks
from reconcheck.explain.refuting import Refuter
from reconcheck.explain.tally import NEEDS
from reconcheck.model.operator import SCHEDULED, Goal, Scope
from reconcheck.model.wakeups import WakeUp, resync_is_heard, wake_ups_of

DAY = 86_400.0
AT_A_TIME = 2
"""Sets of wake-ups that are looked at together: one finds nothing out for the other."""
WHAT = "sets of wake-ups that are enough"


def whole(without: tuple[str, ...] = ()) -> Scope:
    """The operator as it is, with its schedule."""
    return Scope(SCHEDULED, without)


def considered(looks: Looks, without: tuple[str, ...]) -> tuple[WakeUp, ...]:
    """The wake-ups of the operator that are not taken away anyhow."""
    return tuple(one for one in wake_ups_of(looks.operator.controllers) if one.scoped not in without)


def less(scope: Scope, *away: str) -> Scope:
    """A scope without some more wake-ups."""
    return replace(scope, without=tuple(sorted({*scope.without, *away})))


def needs_of(looks: Looks, without: tuple[str, ...]) -> tuple[Need, ...]:
    """For each wake-up of the operator as it is, the goals that need it, and whether it ever ends."""
    base = whole(without)
    goals = [goal for goal in looks.goals if goal.kind == "converges"]
    costs = looks.costs(base)
    recurring = None if costs is None else costs.recurring
    return tuple(
        _need(looks, goals, base, one, None if recurring is None else (one.controller, one.scoped) in recurring)
        for one in considered(looks, without)
    )


def _need(looks: Looks, goals: Sequence[Goal], base: Scope, one: WakeUp, wakes: bool | None) -> Need:
    sorted_: dict[str, list[str]] = {"needed": [], "redundant": [], "harmful": [], "unknown": [], "": []}
    rest = less(base, one.scoped)
    runs = looks.runs(one.controller, rest)
    for goal in goals:
        with_, without = looks.answer(goal, base), looks.answer(goal, rest)
        kind = "unknown"
        if "unknown" not in (with_.verdict, without.verdict):
            kinds = {(True, True): "redundant", (True, False): "needed", (False, True): "harmful"}
            kind = kinds.get((with_.good, without.good), "")
        if kind == "harmful" and not runs:
            kind = "unknown" if runs is None else ""
        sorted_[kind].append(goal.name)
    costly = wakes or (wakes is None and one.kind in ("schedule", "resync"))
    if one.kind == "resync":
        owner = next(controller for controller in looks.operator.controllers if controller.name == one.controller)
        costly = costly and resync_is_heard(looks.operator, owner)
    return Need(
        one.kind,
        one.controller,
        one.name,
        one.span,
        needed=tuple(sorted_["needed"]),
        redundant=tuple(sorted_["redundant"]),
        harmful=tuple(sorted_["harmful"]),
        unknown=tuple(sorted_["unknown"]),
        never_runs=None if runs is None else not runs,
        wakes_converged=wakes,
        per_day=DAY / one.seconds if costly and one.seconds else None,
    )


# ---- what is enough ----------------------------------------------------------------------------------------------


def sufficient_of(looks: Looks, without: tuple[str, ...]) -> Flow:
    """The sets of wake-ups with which every goal converges that converges with all of them, and no smaller set does.

    Sets are tried by size, and one that contains a set that is enough is not smallest.  Each that is passed over
    has a counterexample of its own, replayed.  The flow returns the sets, and why the search ended early, if it did.
    """
    base = whole(without)
    goals = [g for g in looks.goals if g.kind == "converges" and looks.answer(g, base).good]
    if not goals:
        return (), ""
    names = tuple(dict.fromkeys(one.scoped for one in considered(looks, without)))
    refuter = Refuter()
    refuter.learn(answer for answer in looks.known() if answer.goal in goals)
    found: list[frozenset[str]] = []
    for size in range(len(names) + 1):
        sets = [set_ for set_ in map(frozenset, itertools.combinations(names, size)) if not _contains(set_, found)]
        scopes = {less(base, *(name for name in names if name not in set_)): set_ for set_ in sets}
        tried = 0
        while scopes:
            if looks.left() == 0.0:
                return _named(found, names), f"{WHAT}: there was no time for those of {size} and more"
            looks.tell(f"{WHAT} ({size} of {len(names)})")
            since, tried = tried, len(refuter.runs)
            refuted = yield from refuter.refuted(tuple(scopes), since)
            looks.tally.count(NEEDS, len(goals) * len(refuted))
            scopes = {scope: set_ for scope, set_ in scopes.items() if scope not in refuted}
            taken = tuple(scopes)[:AT_A_TIME]
            yield from looks.gather(taken)
            for scope in taken:
                answers = [looks.answer(goal, scope) for goal in goals]
                refuter.learn(answers)
                unknown = next((answer for answer in answers if answer.verdict == "unknown"), None)
                if unknown is not None:
                    return _named(found, names), f"{WHAT}: {unknown.reason}"
                kept = scopes.pop(scope)
                if all(answer.good for answer in answers):
                    found.append(kept)
    return _named(found, names), ""


def _contains(set_: frozenset[str], found: Sequence[frozenset[str]]) -> bool:
    return any(smaller <= set_ for smaller in found)


def _named(found: Sequence[frozenset[str]], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name for name in names if name in kept) for kept in found)
