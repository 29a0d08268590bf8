"""What an answer "unknown" lacks, as JSON."""

from __future__ import annotations

from typing import Any

from reconcheck.explain.missing import Doubt, Effort, Missing, Unbounded, Way


def missing(item: Missing) -> dict[str, Any]:
    """What was proved, what is open and why, and how far each search got."""
    return {
        "proved": list(item.proved),
        "open": list(item.open),
        "untried": list(item.untried),
        "doubt": None if item.doubt is None else doubt(item.doubt),
        "settles": item.settles,
        "again": [way(one) for one in item.again],
        "unbounded": [unbounded(one) for one in item.unbounded],
        "searched": [effort(one) for one in item.searched],
        "advice": list(item.advice),
    }


def doubt(item: Doubt) -> dict[str, Any]:
    """Why a part of the goal is open."""
    return {
        "part": item.part,
        "kind": item.kind,
        "values": dict(item.values),
        "steps": [way(one) for one in item.steps],
        "seen": item.seen,
        "blurred": list(item.blurred),
    }


def way(item: Way) -> dict[str, Any]:
    """A step of the model."""
    return {"action": item.step.action, "detail": item.step.detail or None, "line": item.line, "more": item.more}


def unbounded(item: Unbounded) -> dict[str, Any]:
    """A field that can become any number."""
    return {
        "field": item.field,
        "line": item.line,
        "type": item.type,
        "chosen": item.chosen,
        "steps": [way(one) for one in item.steps],
        "more": item.more,
    }


def effort(item: Effort) -> dict[str, Any]:
    """How far a search got."""
    return {
        "engine": item.engine,
        "seconds": round(item.seconds, 3),
        "reached": item.reached,
        "steps": item.steps or None,
        "left_out": item.left_out or None,
    }
