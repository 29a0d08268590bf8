"""Causes and diagnoses as JSON, parts of a report's document."""

from __future__ import annotations

from typing import Any

from reconcheck.diagnostic import Span
from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.diagnosis import LEVELS, Diagnosis, Need, Repair


def cause(item: Cause) -> dict[str, Any]:
    """Why a goal fails."""
    return {
        "code": item.code,
        "title": item.title,
        "accepted": item.accepted or None,
        "message": item.message,
        "places": [cited(one) for one in item.places],
        "step": item.step,
    }


def diagnosis(item: Diagnosis) -> dict[str, Any]:
    """What to do.  The answer of a level is its verdict only; the run of L0 and L4 is among the answers."""
    return {
        "levels": [
            {
                "goal": one.goal,
                "answers": [
                    {"level": level, "name": name, "verdict": answer.verdict, "reason": answer.reason or None}
                    for level, (name, answer) in enumerate(zip(LEVELS, one.answers, strict=True))
                ],
                "lowest": one.lowest,
            }
            for one in item.levels
        ],
        "needs": [need(one) for one in item.needs],
        "sufficient": [list(names) for names in item.sufficient],
        "most_reconciles": [{"controller": name, "most": most} for name, most in item.most_reconciles],
        "repairs": [repair(one) for one in item.repairs],
        "undecided": list(item.undecided),
    }


def need(item: Need) -> dict[str, Any]:
    """What a wake-up is good for."""
    return {
        "kind": item.kind,
        "controller": item.controller,
        "name": item.name,
        "place": place(item.span),
        "needed": list(item.needed),
        "redundant": list(item.redundant),
        "unknown": list(item.unknown),
        "wakes_converged": item.wakes_converged,
        "per_day": None if item.per_day is None else round(item.per_day, 3),
    }


def repair(item: Repair) -> dict[str, Any]:
    """A change after which goals converge."""
    return {
        "title": item.title,
        "edits": [{"place": place(edit.span), "text": edit.text} for edit in item.edits],
        "patch": item.patch,
        "goals": list(item.goals),
        "level": item.level,
        "places": [cited(one) for one in item.places],
        "seconds": round(item.seconds, 3),
    }


def cited(item: Place) -> dict[str, Any]:
    """A place in the model with the operator's source that it cites."""
    cites = [{"location": cite.location, "commit": cite.commit} for cite in item.cites]
    return {"place": place(item.span), "cites": cites}


def place(span: Span) -> dict[str, Any]:
    """A span, from 1, the end exclusive."""
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
