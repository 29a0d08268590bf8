"""The results grouped for counting: a goal of one operator is a duty, and counts once, whatever variants it has."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct

from reconcheck.explain.verdict import GOOD
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED

from .results import GoalResult, ModelResult, Period, Reason

EXAMPLES = frozenset({"kube-rs", "kubebuilder", "minimal", "thesis", "wasm"})
"""Folders of examples, tutorials and prototypes: nobody's production rests on them, and no total counts them."""
DAY = 86_400.0
USUAL_RESYNC = 36_000.0
"""Seconds: the resync of the informers that controller-runtime comes with."""


class Fate(Enum):
    """What a schedule does for a goal."""

    FREE = "free"
    """It converges without the schedule."""
    NEEDS = "needs"
    """It converges with the schedule only."""
    FAILS = "fails"
    """It fails with the schedule as well."""
    OPEN = "open"
    """It is not known."""


class Weight(Enum):
    """Whether the causes are reasons for which polling is accepted."""

    ACCEPTED = "accepted"
    AVOIDABLE = "avoidable"
    BOTH = "both"
    UNTOLD = "untold"


class Variant(Struct, frozen=True):
    """One goal of one model."""

    model: ModelResult
    result: GoalResult

    @property
    def fate(self) -> Fate:
        """What a schedule does for it, the ten-hour resync included."""
        without, with_ = self.result.levels[UNSCHEDULED], self.result.levels[SCHEDULED]
        if without in GOOD:
            return Fate.FREE
        if "unknown" in (without, with_):
            return Fate.OPEN
        return Fate.NEEDS if with_ in GOOD else Fate.FAILS

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The causes that count: those with the schedule for a goal that fails with it, else those without."""
        return self.result.why_scheduled if self.fate is Fate.FAILS else self.result.why

    @property
    def own_schedule(self) -> bool:
        """Whether somebody chose a schedule."""
        return any(map(chosen, self.model.periods))


class Duty(Struct, frozen=True):
    """A goal of one operator, in all models that have it."""

    operator: str
    goal: str
    variants: tuple[Variant, ...]

    @property
    def scheduled(self) -> tuple[Variant, ...]:
        """The variants that have a schedule of their own."""
        return tuple(variant for variant in self.variants if variant.own_schedule)


def is_example(result: ModelResult) -> bool:
    """Whether a model is not of an operator that runs in production."""
    return result.operator in EXAMPLES


def duties_of(results: Iterable[ModelResult]) -> tuple[Duty, ...]:
    """The duties of the models; only goals to converge to are duties."""
    found: dict[tuple[str, str], list[Variant]] = {}
    for result in sorted(results, key=lambda result: result.model):
        for goal in result.goals:
            if goal.kind == "converges":
                found.setdefault((result.operator, goal.goal), []).append(Variant(result, goal))
    return tuple(Duty(*key, tuple(variants)) for key, variants in found.items())


def chosen(period: Period) -> bool:
    """Whether a period is a schedule that somebody chose: a requeue rule, or a resync more often than the usual one."""
    return period.kind == "schedule" or period.seconds < USUAL_RESYNC


def fate_of(variants: Iterable[Variant]) -> Fate:
    """The fate of a duty: needed in one variant is needed; what fails in one, and is needed in none, fails."""
    fates = {variant.fate for variant in variants}
    return next(fate for fate in (Fate.NEEDS, Fate.FAILS, Fate.OPEN, Fate.FREE) if fate in fates)


def reasons_of(variants: Iterable[Variant], fate: Fate) -> tuple[Reason, ...]:
    """The causes of the variants with a fate, each once."""
    return tuple(dict.fromkeys(one for variant in variants if variant.fate is fate for one in variant.reasons))


def weight_of(reasons: Iterable[Reason]) -> Weight:
    """Whether causes are accepted, avoidable, or some of both."""
    match sorted({bool(reason.accepted) for reason in reasons}):
        case [True]:
            return Weight.ACCEPTED
        case [False]:
            return Weight.AVOIDABLE
        case [_, _]:
            return Weight.BOTH
    return Weight.UNTOLD


def fastest(result: ModelResult) -> Period | None:
    """The schedule of a model: of those that somebody chose, or else of the usual resyncs, the most frequent."""
    periods = [period for period in result.periods if chosen(period)] or list(result.periods)
    return min(periods, key=lambda period: period.seconds, default=None)


def per_day(periods: Iterable[Period]) -> float:
    """Wake-ups a day for each object that go on after everything has converged.

    A controller has one entry for a key, so its fastest period counts; what cannot be told to end counts as going on.
    """
    rates: dict[str, float] = {}
    for period in periods:
        if period.converged is not False:
            rates[period.controller] = max(DAY / period.seconds, rates.get(period.controller, 0.0))
    return sum(rates.values())
