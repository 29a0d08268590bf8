"""The diagnosis of a model as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconcheck.diagnostic import Span
from reconcheck.explain.diagnosis import Diagnosis, Levels, Need
from reconcheck.explain.verdict import Answer
from reconcheck.report.repairs import repair


def diagnosis(
    item: Diagnosis,
    answer: Callable[[Answer], dict[str, Any]],
    place: Callable[[Span | None], dict[str, Any] | None],
) -> dict[str, Any]:
    """Levels, needs, costs and repairs; `answer` writes an answer, and `place` a span."""
    return {
        "levels": [_levels(levels, answer) for levels in item.levels],
        "wake_ups": [need(one) for one in item.needs],
        "sufficient": [list(names) for names in item.sufficient],
        "most_reconciles": [{"controller": controller, "most": most} for controller, most in item.most_reconciles],
        "repairs": [repair(one, place) for one in item.repairs],
        "unrepaired": list(item.unrepaired),
        "undecided": list(item.undecided),
    }


def _levels(item: Levels, answer: Callable[[Answer], dict[str, Any]]) -> dict[str, Any]:
    return {
        "goal": item.goal,
        "lowest": item.lowest,
        "beyond_any_schedule": item.beyond,
        "with_added_schedule": item.added or None,
        "answers": [answer(one) for one in item.answers],
    }


def need(item: Need) -> dict[str, Any]:
    """What a wake-up is good for."""
    return {
        "kind": item.kind,
        "controller": item.controller,
        "name": item.name,
        "line": item.span.line,
        "needed": list(item.needed),
        "redundant": list(item.redundant),
        "harmful": list(item.harmful),
        "unknown": list(item.unknown),
        "never_runs": item.never_runs,
        "wakes_converged": item.wakes_converged,
        "per_day": None if item.per_day is None else round(item.per_day, 3),
    }
