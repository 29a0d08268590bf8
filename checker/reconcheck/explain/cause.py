"""Why a goal fails.  Data only."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.syntax.cite import Cite


class Place(Struct, frozen=True):
    """A place that a cause or a repair is about: in the model, and in the operator's source where it is cited."""

    span: Span
    cites: tuple[Cite, ...] = ()


class Cause(Struct, frozen=True):
    """Why a goal fails, derived from its trace and the model."""

    code: str
    """RC41x to RC43x; each code is one kind of cause, with its title in the catalogue."""
    title: str
    """The kind in a few words, such as "unwatched read"."""
    accepted: str
    """Why polling is accepted here: "external", "time", or "errors and delays"; empty where it is avoidable."""
    message: str
    """What happened, in the model's names."""
    places: tuple[Place, ...]
    step: int | None = None
    """The step of the trace that shows it, from 1."""
