"""What changed between two models, as JSON; the schema is `spec/diff.schema.json`."""

from __future__ import annotations

import json
from typing import Any

from reconcheck import __version__
from reconcheck.explain.declared import WakeUp
from reconcheck.explain.diagnosis import Need
from reconcheck.explain.difference import Advice, Difference, Trend, Verdict, WakeUpChange
from reconcheck.explain.verdict import Answer, Report
from reconcheck.report.diagnosis import pace
from reconcheck.report.document import place, scope, trace
from reconcheck.report.repairs import repair

SCHEMA = 1
"""The version of the document's form; it grows when a reader could break."""


def rendered(found: Difference) -> str:
    """The document of a difference, as JSON."""
    return json.dumps(document(found), indent=2, ensure_ascii=False) + "\n"


def document(found: Difference) -> dict[str, Any]:
    """Everything that changed."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "reconcheck", "version": __version__},
        "old": _model(found.old),
        "new": _model(found.new),
        "goals": [
            {
                "change": one.change,
                "old": one.old or None,
                "new": one.new or None,
                "was": one.was or None,
                "now": one.now or None,
            }
            for one in found.questions
        ],
        "verdicts": [_verdict(one) for one in found.verdicts],
        "wake_ups": [_wake_up_change(one) for one in found.wake_ups],
        "assumptions": [{"what": one.what, "before": one.before, "after": one.after} for one in found.assumptions],
        "advice": None if found.advice is None else _advice(found.advice),
        "exit_code": found.exit_code,
    }


def _model(report: Report) -> dict[str, Any]:
    return {"operator": report.operator.name, "file": report.operator.file, "seconds": round(report.seconds, 3)}


def _verdict(one: Verdict) -> dict[str, Any]:
    """An answer before and after; with the run where it got worse."""
    worse = one.after if one.trend is Trend.WORSE else None
    shown, faultless = (None, None) if worse is None else (worse.trace, worse.faultless)
    return {
        "goal": one.goal,
        "scope": scope(one.scope),
        "before": _answer(one.before),
        "after": _answer(one.after),
        "trend": str(one.trend),
        "trace": None if shown is None else trace(shown),
        "faultless": None if faultless is None else trace(faultless),
    }


def _answer(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"verdict": answer.verdict, "code": answer.code or None, "reason": answer.reason or None}


def _wake_up_change(one: WakeUpChange) -> dict[str, Any]:
    return {
        "change": one.change,
        "controller": one.now.controller,
        "name": one.now.name,
        "before": _wake_up(one.before),
        "after": _wake_up(one.after),
    }


def _wake_up(one: WakeUp | None) -> dict[str, Any] | None:
    if one is None:
        return None
    day = None if one.per_day is None else round(one.per_day, 3)
    return {"kind": one.kind, "text": one.text or None, "seconds": one.seconds, "per_day": day}


def _advice(found: Advice) -> dict[str, Any]:
    return {
        "levels": [
            {
                "goal": one.goal,
                "before": one.before,
                "after": one.after,
                "beyond_any_schedule": {"before": one.beyond_before, "after": one.beyond_after},
                "trend": str(one.trend),
            }
            for one in found.levels
        ],
        "paces": [
            {
                "goal": one.after.goal,
                "before": pace(one.before),
                "after": pace(one.after),
                "trend": str(one.trend),
            }
            for one in found.paces
        ],
        "needs": [
            {
                "kind": one.now.kind,
                "controller": one.now.controller,
                "name": one.now.name,
                "before": None if one.before is None else _need(one.before),
                "after": None if one.after is None else _need(one.after),
            }
            for one in found.needs
        ],
        "offered": [repair(one, place) for one in found.offered],
        "gone": [repair(one, place) for one in found.gone],
    }


def _need(item: Need) -> dict[str, Any]:
    return {
        "needed": list(item.needed),
        "harmful": list(item.harmful),
        "unknown": list(item.unknown),
        "never_runs": item.never_runs,
    }
