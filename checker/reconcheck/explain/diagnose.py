"""The diagnosis of a model whose verdicts are there: levels, needs, costs and repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from reconcheck.explain.absent_faults import absent_faults
from reconcheck.explain.added_schedule import with_added_schedules
from reconcheck.explain.diagnosis import Diagnosis
from reconcheck.explain.levels import level_scopes, levels_of
from reconcheck.explain.looks import Hands, Looks
from reconcheck.explain.necessity import considered, less, needs_of, sufficient_of, whole
from reconcheck.explain.paces import paces_of
from reconcheck.explain.repairs import repairs, unrepaired
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.assemble import Loaded
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
    looks = Looks(report.operator, goals, hands, limit, tell)
    looks.know([*report.answers, *(checked.answer for checked in report.expectations)])
    base, unscheduled = whole(without), Scope(UNSCHEDULED, without)
    every = considered(looks, without)
    single = [less(base, one.scoped) for one in every]
    levels = list(dict.fromkeys([base, unscheduled, *level_scopes(without)]))
    looks.gather(single, runs=single, costs=[base, unscheduled], levels=levels)
    sufficient, ended = sufficient_of(looks, without)
    found = Diagnosis(
        levels=levels_of(looks, without),
        needs=needs_of(looks, without),
        sufficient=sufficient,
        most_reconciles=_most_reconciles(looks, unscheduled),
    )
    paces = paces_of(looks, without, found.levels)
    found = replace(found, levels=with_added_schedules(report, found.levels, looks.left, tell))
    absent = absent_faults(report, looks.left(), tell)
    known = [*report.answers, *(checked.answer for checked in report.expectations), *_by_level(found)]
    mending, untold = repairs(
        Loaded(report.operator, ()), list(dict.fromkeys(known)), looks.left(), tell, tally=looks.tally
    )
    undecided = (*_undecided(found, looks, unscheduled), *([ended] if ended else []), *untold)
    left = unrepaired(report.answers, mending)
    shared = looks.tally.shared()
    found = replace(found, repairs=mending, undecided=undecided, unrepaired=left, absent=absent)
    return replace(found, paces=paces, shared=shared)


def default_limit(report: Report) -> float:
    """Seconds for a diagnosis, or for repairs alone, where no limit was given."""
    return max(LEAST_SECONDS, TIMES_THE_VERDICTS * report.seconds)


def _by_level(found: Diagnosis) -> Iterator[Answer]:
    """The answers at each level that are known."""
    for levels in found.levels:
        yield from (answer for answer in levels.answers if answer.verdict != "unknown")


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
