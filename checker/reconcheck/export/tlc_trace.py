"""Traces of TLC, as it prints them, plainly or with `-tool`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconcheck.export.foreign import ForeignTrace, Moment, no_trace, other_model
from reconcheck.export.names import originals
from reconcheck.export.system import System
from reconcheck.export.tla import identifiers_of
from reconcheck.model.types import BoolType, EnumType, OpaqueType, Type, Value

STATE = re.compile(r"^(?:State )?(\d+): <(\w+)")
BACK = re.compile(r"^(?:Back to state (\d+)|(\d+): Back to state)(?:: <(\w+))?", re.MULTILINE)
VALUE = re.compile(r"^(?:/\\ )?(\w+) = (.+?)\s*$")


def recognised(text: str) -> bool:
    """Whether a text has a trace of TLC."""
    return re.search(r"^(State )?1: <Initial predicate>", text, re.MULTILINE) is not None


def read(text: str, system: System) -> ForeignTrace:
    """The run that TLC shows.  Raises `ModelError` (RC701, RC702)."""
    known = identifiers_of(system)
    names, actions = originals(known.variables), dict(zip(known.actions, system.actions, strict=True))
    opaque: dict[str, int] = {"None": 0}
    moments: list[Moment] = []
    for number, by, lines in _states(text):
        state: dict[str, Value] = {}
        for line in lines:
            found = VALUE.match(line)
            if found is not None and found[1] in names:
                name = names[found[1]]
                state[name] = _value(found[2], system.types[name], opaque)
        missing = system.types.keys() - state.keys()
        if missing:
            raise other_model(f"state {number} of the trace does not tell `{min(missing)}`")
        if moments and by not in actions:
            raise other_model(f"the export of this model has no action `{by}`")
        moments.append(Moment(f"state {number}", state, actions[by] if moments else None))
    if not moments:
        raise no_trace("there is no `State 1: <Initial predicate>`: TLC has shown no run")
    back = BACK.search(text)
    if back is None:
        return ForeignTrace("TLC", tuple(moments), None)
    loop = int(back[1] or back[2]) - 1
    if loop >= len(moments):
        raise no_trace(f"the trace goes back to state {loop + 1}, which it does not have")
    closed = Moment(f"state {loop + 1} again", moments[loop].state, actions.get(back[3]))
    return ForeignTrace("TLC", (*moments, closed), loop)


def _states(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The number of each state, the action before it, and the lines with its values."""
    found: tuple[int, str, list[str]] | None = None
    for line in text.splitlines():
        head = STATE.match(line)
        if head is not None:
            if found is not None:
                yield found
            found = (int(head[1]), head[2], [])
        elif found is not None and VALUE.match(line):
            found[2].append(line)
        elif found is not None:  # the end of a state
            yield found
            found = None
    if found is not None:
        yield found


def _value(text: str, type_: Type, opaque: dict[str, int]) -> Value:
    """A value; opaque ones are numbered as they come."""
    match type_:
        case BoolType():
            return text == "TRUE"
        case EnumType(values):
            if text.strip('"') not in values:
                raise other_model(f"{text} is not a value of {type_}")
            return text.strip('"')
        case OpaqueType():
            return opaque.setdefault(text, len(opaque))
        case _:
            try:
                return int(text)
            except ValueError:
                raise other_model(f"{text} is no number") from None
