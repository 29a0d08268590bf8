"""Repairs as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconcheck.diagnostic import Span
from reconcheck.explain.diagnosis import Repair


def repair(item: Repair, place: Callable[[Span | None], dict[str, Any] | None]) -> dict[str, Any]:
    """A change to the model after which goals converge; `place` writes a span."""
    return {
        "title": item.title,
        "goals": list(item.goals),
        "level": item.level,
        "edits": [{"place": place(edit.span), "text": edit.text} for edit in item.edits],
        "patch": item.patch,
        "notes": list(item.notes),
        "places": [
            {
                "place": place(one.span),
                "cites": [{"location": cite.location, "commit": cite.commit} for cite in one.cites],
            }
            for one in item.places
        ],
        "seconds": round(item.seconds, 3),
    }
