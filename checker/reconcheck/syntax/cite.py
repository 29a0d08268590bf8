"""Where something of a model is in the operator's source."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.diagnostic import Span


class Cite(Struct, frozen=True):
    """A reference to the operator's source: a path with a line anchor, and a commit of its own."""

    location: str
    commit: str | None
    span: Span
