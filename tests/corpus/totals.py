"""The figures of the page: how many goals and models need their schedule, and for which causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from reconcheck.cause_kinds import KINDS
from reconcheck.model.operator import SCHEDULED

from .duties import (
    Duty,
    Fate,
    Variant,
    Weight,
    chosen,
    duties_of,
    fate_of,
    is_example,
    per_day,
    reasons_of,
    weight_of,
)
from .results import ModelResult


class Judged(Struct, frozen=True):
    """A duty, seen in some of its variants."""

    duty: Duty
    variants: tuple[Variant, ...]

    @property
    def fate(self) -> Fate:
        """What the schedule does for it."""
        return fate_of(self.variants)

    @property
    def weight(self) -> Weight:
        """Whether its causes are accepted."""
        return weight_of(reasons_of(self.variants, self.fate))

    @property
    def mended(self) -> bool:
        """Whether another model of the operator has the same goal, and converges without schedule."""
        return any(variant.fate is Fate.FREE for variant in self.duty.variants)

    @property
    def repaired(self) -> int | None:
        """The level at which verified repairs make it converge, in each version that is as bad as it is.

        None where there is a version without a repair, or one that keeps the schedule.
        """
        levels = [_lowest_repaired(variant) for variant in self.variants if variant.fate is self.fate]
        return max(levels) if max(levels) < SCHEDULED else None


def _lowest_repaired(variant: Variant) -> int:
    return min((fix.level for fix in variant.model.fixes if variant.result.goal in fix.goals), default=SCHEDULED)


class CauseCount(Struct, frozen=True):
    """The duties that fail for a cause, each once: by whether it is accepted, and whether the schedule cures it."""

    cause: str
    cured: dict[str, int]
    """By why it is accepted; avoidable is the empty text."""
    uncured: dict[str, int]
    operators: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.cured.values()) + sum(self.uncured.values())


class Totals(Struct, frozen=True):
    """All figures; the examples are left out."""

    models: tuple[ModelResult, ...]
    duties: tuple[Duty, ...]
    scheduled: tuple[Judged, ...]
    """The duties in models with a schedule of their own, seen in these models."""
    unscheduled: tuple[Judged, ...]
    """The other duties: what wakes them now and then is at most the usual resync."""
    scheduled_models: tuple[ModelResult, ...]
    causes: tuple[CauseCount, ...]
    """Of all duties, most frequent first."""

    @property
    def operators(self) -> int:
        """How many operators."""
        return len({result.operator for result in self.models})

    def wake_ups(self) -> tuple[float, float]:
        """Wake-ups a day for each object by schedules that go on after convergence: the median model, and the most."""
        rates = [per_day(filter(chosen, result.periods)) for result in self.scheduled_models]
        costly = [rate for rate in rates if rate] or [0.0]
        return median(costly), max(costly)


def totals_of(results: Iterable[ModelResult]) -> Totals:
    """The figures for some results."""
    models = tuple(result for result in sorted(results, key=lambda one: one.model) if not is_example(result))
    duties = duties_of(models)
    return Totals(
        models,
        duties,
        tuple(Judged(duty, duty.scheduled) for duty in duties if duty.scheduled),
        tuple(Judged(duty, duty.variants) for duty in duties if not duty.scheduled),
        tuple(result for result in models if any(map(chosen, result.periods))),
        _causes(duties),
    )


def with_fate(judged: Iterable[Judged], fate: Fate, *weights: Weight) -> list[Judged]:
    """Those with a fate, and with one of the weights, if there are any."""
    return [one for one in judged if one.fate is fate and (not weights or one.weight in weights)]


def by_worst_goal(models: Sequence[ModelResult]) -> dict[tuple[Fate, Weight | None], int]:
    """How many models have a goal that needs the schedule, by its causes, and how many have none; each counts once."""
    counts: dict[tuple[Fate, Weight | None], int] = {}
    for result in models:
        variants = [Variant(result, goal) for goal in result.goals if goal.kind == "converges"]
        if variants:
            fate = fate_of(variants)
            key = (fate, weight_of(reasons_of(variants, fate)) if fate is Fate.NEEDS else None)
            counts[key] = counts.get(key, 0) + 1
    return counts


def _causes(duties: Sequence[Duty]) -> tuple[CauseCount, ...]:
    counts = [_count(cause, duties) for cause in KINDS]
    order = list(KINDS)
    return tuple(sorted((one for one in counts if one.total), key=lambda one: (-one.total, order.index(one.cause))))


def _count(cause: str, duties: Sequence[Duty]) -> CauseCount:
    """Each duty once: as cured if the schedule cures it in some variant; as avoidable if it is in some of these."""
    found: dict[bool, dict[str, int]] = {True: {}, False: {}}
    operators: set[str] = set()
    for duty in duties:
        failing = [variant for variant in duty.variants if variant.fate in (Fate.NEEDS, Fate.FAILS)]
        seen = [(variant.fate, one) for variant in failing for one in variant.reasons if one.cause == cause]
        if seen:
            cured = any(fate is Fate.NEEDS for fate, _ in seen)
            accepted = min(one.accepted for fate, one in seen if (fate is Fate.NEEDS) == cured)
            found[cured][accepted] = found[cured].get(accepted, 0) + 1
            operators.add(duty.operator)
    return CauseCount(cause, found[True], found[False], len(operators))
