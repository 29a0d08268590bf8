"""What changed between two models, for whoever reviews the change: data only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.declared import Assumption, WakeUp, assumptions, wake_ups
from reconcheck.explain.diagnosis import Diagnosis, Levels, Need, Pace, Repair
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Scope

K = TypeVar("K")
V = TypeVar("V")
LINE = re.compile(r" \(L\d+\)")
"""A line of the model in the title of a repair."""


class Trend(StrEnum):
    """What became of an answer."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    """Another way to diverge, or unknown where it diverged."""
    UNKNOWN = "cannot be told"
    RARER = "rarer"
    """The schedule that a goal rests on comes less often: the verdict is the same, and the goal waits longer."""
    MORE_OFTEN = "more often"
    ADDED = "added"
    REMOVED = "removed"


class Question(Struct, frozen=True):
    """A goal that is not asked as it was: added, removed, renamed, or reworded (another formula)."""

    change: str
    old: str
    """Its name before; empty if it is new."""
    new: str
    """Its name now; empty if it is gone."""
    was: str
    """Its formula before."""
    now: str
    """Its formula now."""


class Verdict(Struct, frozen=True):
    """The answers to one goal in one scope, before and after; None where it is not asked."""

    goal: str
    scope: Scope
    before: Answer | None
    after: Answer | None

    @property
    def trend(self) -> Trend:
        """What became of the answer."""
        before, after = self.before, self.after
        if before is None or after is None:
            return Trend.ADDED if before is None else Trend.REMOVED
        old_unknown, new_unknown = (answer.verdict == "unknown" for answer in (before, after))
        if (before.good and new_unknown) or (old_unknown and not after.good):
            return Trend.UNKNOWN
        if before.good != after.good:
            return Trend.BETTER if after.good else Trend.WORSE
        return Trend.SAME if before.verdict == after.verdict else Trend.CHANGED


class WakeUpChange(Struct, frozen=True):
    """A watch, rule or resync, before and after; None where there is none.  One of the two is there."""

    before: WakeUp | None
    after: WakeUp | None

    @property
    def now(self) -> WakeUp:
        """As it is, or was last."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def change(self) -> str:
        """added, removed or changed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


class LevelChange(Struct, frozen=True):
    """The lowest level at which a goal converges, before and after; None at no level, or not known."""

    goal: str
    before: int | None
    after: int | None
    trend: Trend
    beyond_before: bool = False
    """Whether it surely failed at every level."""
    beyond_after: bool = False


class NeedChange(Struct, frozen=True):
    """What a wake-up was and is good for; None where there is no such wake-up.  Goals have their new names."""

    before: Need | None
    after: Need | None

    @property
    def now(self) -> Need:
        """The wake-up as it is, or was last."""
        found = self.after or self.before
        assert found is not None
        return found


class PaceChange(Struct, frozen=True):
    """How soon the schedule comes to a goal that rests on it, before and after."""

    before: Pace
    after: Pace

    @property
    def trend(self) -> Trend:
        """Whether it comes less often."""
        old, new = self.before.seconds, self.after.seconds
        return Trend.SAME if old == new else Trend.RARER if new > old else Trend.MORE_OFTEN


class Advice(Struct, frozen=True):
    """What changed in the diagnoses, where both models have one."""

    levels: tuple[LevelChange, ...]
    paces: tuple[PaceChange, ...]
    """Of goals that rest on the schedule in both models."""
    needs: tuple[NeedChange, ...]
    """Those that are not as they were."""
    offered: tuple[Repair, ...]
    """Repairs that are new."""
    gone: tuple[Repair, ...]
    """Repairs that were offered before."""


class Difference(Struct, frozen=True):
    """Everything that changed between two models."""

    old: Report
    new: Report
    questions: tuple[Question, ...]
    verdicts: tuple[Verdict, ...]
    """Every goal in every scope that either model was asked about."""
    wake_ups: tuple[WakeUpChange, ...]
    """Watches and rules that are not as they were."""
    assumptions: tuple[Assumption, ...]
    """What a verdict rests on, where it is not as it was."""
    advice: Advice | None

    @property
    def worse(self) -> tuple[Verdict, ...]:
        """The answers that got worse."""
        return tuple(one for one in self.verdicts if one.trend is Trend.WORSE)

    @property
    def rarer(self) -> tuple[PaceChange, ...]:
        """The goals that rest on a schedule that comes less often now."""
        paces = () if self.advice is None else self.advice.paces
        return tuple(one for one in paces if one.trend is Trend.RARER)

    @property
    def trends(self) -> frozenset[Trend]:
        """What became of the answers and levels, all together."""
        levels = () if self.advice is None else self.advice.levels
        return frozenset([*(one.trend for one in self.verdicts), *(one.trend for one in levels)])

    @property
    def exit_code(self) -> int:
        """1 if an answer or a level got worse, else 3 if that cannot be told, else 0."""
        return 1 if Trend.WORSE in self.trends else 3 if Trend.UNKNOWN in self.trends else 0


def difference(old: Report, new: Report) -> Difference:
    """What changed between two models."""
    questions = tuple(_questions(old.operator.goals, new.operator.goals))
    renamed = {one.old: one.new for one in questions if one.change == "renamed"}
    return Difference(
        old,
        new,
        questions,
        tuple(_verdicts(old, new, renamed)),
        tuple(_wake_ups(old, new)),
        tuple(_assumptions(old, new)),
        None if old.diagnosis is None or new.diagnosis is None else _advice(old.diagnosis, new.diagnosis, renamed),
    )


# ---- questions and answers -------------------------------------------------------------------------------------


def _questions(old: Sequence[Goal], new: Sequence[Goal]) -> Iterator[Question]:
    """Goals of one model only; one of each that asks the same is one that was renamed."""
    before, after = {goal.name: goal for goal in old}, {goal.name: goal for goal in new}
    gone = [goal for goal in old if goal.name not in after]
    come = [goal for goal in new if goal.name not in before]
    for goal in gone:
        same = next((other for other in come if _asks(other) == _asks(goal)), None)
        if same is None:
            yield Question("removed", goal.name, "", _asks(goal), "")
        else:
            come.remove(same)
            yield Question("renamed", goal.name, same.name, _asks(goal), _asks(same))
    for goal in come:
        yield Question("added", "", goal.name, "", _asks(goal))
    for name in before:
        if name in after and _asks(before[name]) != _asks(after[name]):
            yield Question("reworded", name, name, _asks(before[name]), _asks(after[name]))


def _asks(goal: Goal) -> str:
    return f"{goal.kind}: {e.show(goal.formula)}"


def _verdicts(old: Report, new: Report, renamed: Mapping[str, str]) -> Iterator[Verdict]:
    """Goals in the order of the new model, then those that are gone; scopes as they were asked."""
    before = {(renamed.get(name, name), scope): answer for (name, scope), answer in _answers(old).items()}
    for (goal, scope), was, now in _paired(before, _answers(new)):
        yield Verdict(goal, scope, was, now)


def _answers(report: Report) -> dict[tuple[str, Scope], Answer]:
    every = [*report.answers, *(checked.answer for checked in report.expectations)]
    order = {goal.name: number for number, goal in enumerate(report.operator.goals)}
    every.sort(key=lambda answer: order[answer.goal.name])
    return {(answer.goal.name, answer.scope): answer for answer in every}


def _paired(before: Mapping[K, V], after: Mapping[K, V]) -> Iterator[tuple[K, V | None, V | None]]:
    """All keys, those of the second mapping first, with what each mapping has for them."""
    for key in dict.fromkeys([*after, *before]):
        yield key, before.get(key), after.get(key)


# ---- what the models say -----------------------------------------------------------------------------------------


def _wake_ups(old: Report, new: Report) -> Iterator[WakeUpChange]:
    """Watches, rules and resyncs of which one model has none, or another one."""
    before, after = ({one.key: one for one in wake_ups(report.operator)} for report in (old, new))
    for _, was, now in _paired(before, after):
        if was != now:
            yield WakeUpChange(was, now)


def _assumptions(old: Report, new: Report) -> Iterator[Assumption]:
    before, after = (dict(assumptions(report.operator)) for report in (old, new))
    for what, was, now in _paired(before, after):
        if was != now:
            yield Assumption(what, was, now)


# ---- diagnoses ---------------------------------------------------------------------------------------------------


def _advice(old: Diagnosis, new: Diagnosis, renamed: Mapping[str, str]) -> Advice:
    before = {renamed.get(one.goal, one.goal): one for one in old.levels}
    levels = [
        LevelChange(goal, _lowest(was), _lowest(now), _level_trend(was, now), _beyond(was), _beyond(now))
        for goal, was, now in _paired(before, {one.goal: one for one in new.levels})
    ]
    return Advice(
        tuple(levels),
        tuple(_paces(old.paces, new.paces, renamed)),
        tuple(_needs(old.needs, new.needs, renamed)),
        tuple(_without(new.repairs, old.repairs)),
        tuple(_without(old.repairs, new.repairs)),
    )


def _lowest(levels: Levels | None) -> int | None:
    return None if levels is None else levels.lowest


def _beyond(levels: Levels | None) -> bool:
    return levels is not None and levels.beyond


def _level_trend(was: Levels | None, now: Levels | None) -> Trend:
    """Lower is better, and none is worst; which it is cannot be told where a level below is unknown."""
    if was is None or now is None:
        return Trend.ADDED if was is None else Trend.REMOVED
    if _unsure(was) or _unsure(now):
        return Trend.UNKNOWN
    first, second = (len(one.answers) if one.lowest is None else one.lowest for one in (was, now))
    return Trend.SAME if first == second else Trend.WORSE if second > first else Trend.BETTER


def _unsure(levels: Levels) -> bool:
    """Whether the lowest level might be a lower one than is known."""
    below = levels.answers if levels.lowest is None else levels.answers[: levels.lowest]
    return any(answer.verdict == "unknown" for answer in below)


def _needs(old: Iterable[Need], new: Iterable[Need], renamed: Mapping[str, str]) -> Iterator[NeedChange]:
    """Wake-ups that goals need or suffer from, or that a controller needs to run at all, where that has changed."""
    before = {(one.kind, one.controller, one.name): _renamed(one, renamed) for one in old}
    after = {(one.kind, one.controller, one.name): one for one in new}
    for _, was, now in _paired(before, after):
        both = [need for need in (was, now) if need is not None]
        unsure = {goal for need in both for goal in need.unknown}
        runs = all(need.never_runs is not None for need in both)
        if _good_for(was, unsure, runs) != _good_for(now, unsure, runs):
            yield NeedChange(was, now)


def _renamed(need: Need, names: Mapping[str, str]) -> Need:
    lists = (need.needed, need.harmful, need.unknown)
    needed, harmful, unknown = (tuple(names.get(goal, goal) for goal in goals) for goals in lists)
    return replace(need, needed=needed, harmful=harmful, unknown=unknown)


def _good_for(need: Need | None, unsure: set[str], runs: bool) -> tuple[set[str], set[str], bool | None] | None:
    """What a wake-up is to the goals of which that is known of both, and whether its controller needs it, likewise."""
    if need is None:
        return None
    return set(need.needed) - unsure, set(need.harmful) - unsure, need.never_runs if runs else None


def _paces(old: Iterable[Pace], new: Iterable[Pace], renamed: Mapping[str, str]) -> Iterator[PaceChange]:
    before = {renamed.get(one.goal, one.goal): one for one in old}
    for one in new:
        if one.goal in before:
            yield PaceChange(before[one.goal], one)


def _without(repairs: Iterable[Repair], others: Iterable[Repair]) -> list[Repair]:
    """Repairs that are not among others; in which lines they are in does not matter."""
    known = {LINE.sub("", repair.title) for repair in others}
    return [repair for repair in repairs if LINE.sub("", repair.title) not in known]
