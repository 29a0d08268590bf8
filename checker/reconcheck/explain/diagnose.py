"""The diagnosis of a model whose verdicts are there: levels, needs, costs and repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from reconcheck.explain.absent_faults import absent_faults
from reconcheck.explain.added_schedule import with_added_schedules
from reconcheck.explain.diagnosis import MOST_EDITS, Diagnosis, Levels
from reconcheck.explain.flows import Flow, Hands
from reconcheck.explain.levels import level_scopes, levels_of
from reconcheck.explain.looks import Looks
from reconcheck.explain.mending import mending
from reconcheck.explain.necessity import considered, less, needs_of, sufficient_of, whole
from reconcheck.explain.paces import paces_of
from reconcheck.explain.refuting import Refuter
from reconcheck.explain.repair_search import MOST_WORK
from reconcheck.explain.repairs import unrepaired
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import UNSCHEDULED, Scope

LEAST_SECONDS, TIMES_THE_VERDICTS = 60.0, 3.0
"""Without a time limit: seconds that a diagnosis may take, or so many times what the verdicts took, if that is more."""


def diagnose(report: Report, hands: Hands, seconds: float | None, tell: Callable[[str], None]) -> Diagnosis:
    """What can be told beyond the verdicts, within so many seconds; what could not be told says so."""
    if all(answer.verdict == "unknown" for answer in report.answers):
        return Diagnosis(undecided=("everything: no verdict is known, so the model is too hard for a diagnosis",))
    limit = default_limit(report) if seconds is None else seconds
    without = report.scope.without
    goals = list({answer.goal.name: answer.goal for answer in report.answers}.values())
    looks = Looks(report.operator, goals, limit, tell)
    looks.know([*report.answers, *(checked.answer for checked in report.expectations)])
    base, unscheduled = whole(without), Scope(UNSCHEDULED, without)
    scopes = list(dict.fromkeys([base, unscheduled, *level_scopes(without)]))
    hands([looks.gather((), costs=[base, unscheduled], levels=scopes)], looks.left)
    levels = levels_of(looks, without)
    known = [*report.answers, *(checked.answer for checked in report.expectations), *_by_level(levels)]
    wake_ups, mended, levels, absent = hands(
        [
            _about_wake_ups(looks, without, levels),
            mending(known, MOST_EDITS, MOST_WORK, looks.tally),
            with_added_schedules(levels, without),
            absent_faults(report),
        ],
        looks.left,
    )
    (sufficient, ended), paces = wake_ups
    mending_found, untold = mended
    found = Diagnosis(
        levels=levels,
        needs=needs_of(looks, without),
        sufficient=sufficient,
        paces=paces,
        most_reconciles=_most_reconciles(looks, unscheduled),
        repairs=mending_found,
        unrepaired=unrepaired(report.answers, mending_found),
        absent=absent,
        shared=looks.tally.shared(),
    )
    return replace(found, undecided=(*_undecided(found, looks, unscheduled), *([ended] if ended else []), *untold))


def _about_wake_ups(looks: Looks, without: tuple[str, ...], levels: Sequence[Levels]) -> Flow:
    """The flow that finds which wake-ups are enough, and how soon they come; what each is good for is known then."""
    single = [less(whole(without), one.scoped) for one in considered(looks, without)]
    yield from refuted_on_known_runs(looks, single)
    yield from looks.gather(single, runs=single)
    sufficient = yield from sufficient_of(looks, without)
    return sufficient, (yield from paces_of(looks, without, levels))


def refuted_on_known_runs(looks: Looks, scopes: Sequence[Scope]) -> Flow:
    """The flow that makes known which goals fail in some scopes on runs that are known from others."""
    refuter = Refuter()
    refuter.learn(looks.known())
    failing = yield from refuter.failing(scopes)
    for scope, ends in failing.items():
        failed = [goal for goal in looks.goals if goal.kind == "converges" and goal.formula in ends]
        looks.know(Answer(goal, scope, ends[goal.formula]) for goal in failed)


def default_limit(report: Report) -> float:
    """Seconds for a diagnosis, or for repairs alone, where no limit was given."""
    return max(LEAST_SECONDS, TIMES_THE_VERDICTS * report.seconds)


def _by_level(levels: Iterable[Levels]) -> Iterator[Answer]:
    """The answers at each level that are known."""
    for one in levels:
        yield from (answer for answer in one.answers if answer.verdict != "unknown")


def _most_reconciles(looks: Looks, scope: Scope) -> tuple[tuple[str, int | None], ...]:
    costs = looks.costs(scope)
    return () if costs is None or costs.most_reconciles is None else costs.most_reconciles


def _undecided(found: Diagnosis, looks: Looks, unscheduled: Scope) -> tuple[str, ...]:
    """What could not be told, each with the reason."""
    reasons: list[str] = []
    for levels in found.levels:
        for level, answer in enumerate(levels.answers):
            if answer.verdict == "unknown":
                reasons.append(f"{levels.goal} at L{level}: {answer.reason}")
    for need in found.needs:
        if need.unknown:
            reasons.append(f"whether {', '.join(need.unknown)} needs {need.name} of {need.controller}")
    if any(need.wakes_converged is None for need in found.needs):
        reasons.append(
            "what wakes a converged operator for ever: its states were not all listed, or it never converges"
        )
    costs = looks.costs(unscheduled)
    if costs is None:
        reasons.append("how many reconciles a change can cost: not all states were listed")
    elif costs.most_reconciles is None:
        reasons.append("how many reconciles a change can cost: the operator never rests with all its goals")
    return tuple(reasons)
