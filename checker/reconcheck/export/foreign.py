"""Counterexamples of other checkers, read back into the names of the model."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconcheck.diagnostic import Diagnostic, ModelError
from reconcheck.export.system import Action
from reconcheck.model.types import Value

TOOLS = ("spin", "nusmv", "tlc")


class Moment(Struct, frozen=True):
    """A state in a trace, and how it came about."""

    label: str
    """What the trace calls it, for messages: `State 1.4`."""
    state: Mapping[str, Value]
    """All variables of the export, by the names of the model."""
    action: Action | None = None
    """The action that led here, where the trace tells; None at first, and where nothing was done."""


class ForeignTrace(Struct, frozen=True):
    """A run that another checker found.  With `loop` set, what follows that moment repeats for ever."""

    tool: str
    moments: tuple[Moment, ...]
    loop: int | None


def no_trace(message: str) -> ModelError:
    """The text is no trace (RC701)."""
    return ModelError([Diagnostic("RC701", message, None, "give what the checker printed about its counterexample")])


def other_model(message: str) -> ModelError:
    """The trace is not of this export (RC702)."""
    instead = "give the model, the scope and the parameters of the export: `--level`, `--without`, `--set`"
    return ModelError([Diagnostic("RC702", message, None, instead)])


def not_replayed(message: str) -> ModelError:
    """A step of the trace is none of the model (RC703)."""
    instead = "check that the scope is that of the export; if it is, please report this"
    return ModelError([Diagnostic("RC703", message, None, instead)])


def shows_nothing(message: str) -> ModelError:
    """The end of the trace is no counterexample (RC704)."""
    return ModelError([Diagnostic("RC704", message, None, "say with `--goal` which question was asked")])
