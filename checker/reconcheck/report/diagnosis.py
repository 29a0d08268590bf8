"""The diagnosis of a model as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconcheck.diagnostic import Span
from reconcheck.explain.diagnosis import Diagnosis, Levels, Need, Pace
from reconcheck.explain.verdict import Answer
from reconcheck.report.repairs import repair

NOT_LOOKED_FOR = "causes are looked for in the scopes that were asked about, not at every level"


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
        "absent_faults": [
            {"name": one.name, "needed": list(one.needed), "unneeded": list(one.unneeded)} for one in item.absent
        ],
        "paces": [pace(one) for one in item.paces],
        "shared": [{"part": one.part, "asked": one.asked, "looked_at": one.looked} for one in item.shared],
    }


def _levels(item: Levels, answer: Callable[[Answer], dict[str, Any]]) -> dict[str, Any]:
    return {
        "goal": item.goal,
        "lowest": item.lowest,
        "beyond_any_schedule": item.beyond,
        "with_added_schedule": item.added or None,
        "answers": [_at_level(answer(one)) for one in item.answers],
    }


def _at_level(written: dict[str, Any]) -> dict[str, Any]:
    """An answer at a level: no cause does not mean that there is none where none was looked for."""
    if written["verdict"] in ("quiet", "livelock") and not written["causes"]:
        return {**written, "unexplained": written["unexplained"] or NOT_LOOKED_FOR}
    return written


def pace(item: Pace) -> dict[str, Any]:
    """How soon the schedule comes to a goal that rests on it."""
    return {"goal": item.goal, "wake_ups": list(item.wake_ups), "needs_each": item.every, "seconds": item.seconds}


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
