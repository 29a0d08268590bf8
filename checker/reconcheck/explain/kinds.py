"""Makes a cause of its kind."""

from __future__ import annotations

from collections.abc import Iterable

from reconcheck.cause_kinds import KINDS
from reconcheck.explain.cause import Cause, Place


def cause(name: str, message: str, places: Iterable[Place], step: int | None, accepted: str = "") -> Cause:
    """A cause by the identifier of its kind; `step` counts the steps of the trace from 0.  Each place once."""
    kind = KINDS[name]
    given = tuple(dict.fromkeys(places))
    return Cause(kind.code, kind.title, accepted, message, given, None if step is None else step + 1)
