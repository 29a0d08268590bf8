"""Traces of Spin: `spin -t -p` or `pan -r`.

The export prints a line for each step: `[3] start app any0=1`, with the number of the action and what was chosen.
What the state is follows from these; where the first choices do not settle it, from the steps behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reconcheck.export.foreign import ForeignTrace, Moment, no_trace, not_replayed, other_model
from reconcheck.export.system import Action, System, Variable
from reconcheck.model import expr as e
from reconcheck.model.types import BoolType, EnumType, OpaqueType, Value

LINE = re.compile(r"^\s*\[(begin|\d+)\](.*)$")
CHOICE = re.compile(r" (any\d+)=(\S+)")
CYCLE = "START OF CYCLE"

State = dict[str, Value]


def recognised(text: str) -> bool:
    """Whether a text has lines of the export."""
    return any((found := LINE.match(line)) and found[1] == "begin" for line in text.splitlines())


def read(text: str, system: System) -> ForeignTrace:
    """The run that Spin shows.  Raises `ModelError` (RC701, RC702, RC703)."""
    taken, loop = _steps(text, system)
    if not taken:
        raise no_trace("there is no line that begins with `[begin]`: Spin has shown no run of an export")
    runs = [[first] for first in _first(system, taken[0][1])]
    for number, (action, chosen) in enumerate(taken[1:], 1):
        assert action is not None
        going_on = [[*run, after] for run in runs for after in _after(system, run[-1], action, chosen)]
        if not going_on:
            raise not_replayed(f"step {number} of the trace, {action.name}, is not possible there in the export")
        runs = going_on
    moments = [
        Moment(f"step {number}" if number else "the first state", state, action)
        for number, (state, (action, _)) in enumerate(zip(runs[0], taken, strict=True))
    ]
    return ForeignTrace("Spin", tuple(moments), loop)


Taken = tuple[Action | None, dict[str, str]]


def _steps(text: str, system: System) -> tuple[list[Taken], int | None]:
    """The actions with their choices, the beginning first, and after how many of them the loop begins."""
    taken: list[Taken] = []
    loop: int | None = None
    for line in text.splitlines():
        if CYCLE in line and taken:
            loop = len(taken) - 1
        found = LINE.match(line)
        if found is None:
            continue
        chosen = dict(CHOICE.findall(found[2]))
        if found[1] == "begin":
            taken, loop = [(None, chosen)], None
            continue
        if not taken:
            raise no_trace("the trace does not begin with `[begin]`")
        taken.append((_action(system, int(found[1]), CHOICE.sub("", found[2]).strip()), chosen))
    return taken, loop


def _action(system: System, number: int, name: str) -> Action:
    if number >= len(system.actions) or system.actions[number].name != name:
        there = system.actions[number].name if number < len(system.actions) else "none"
        raise other_model(f"action {number} is `{name}` in the trace, and `{there}` in the export of this model")
    return system.actions[number]


def _first(system: System, chosen: Mapping[str, str]) -> Iterator[State]:
    """The first states that agree with what is told; names are told as Spin's own numbers, and are not compared."""
    types = {choice.name: choice.type for choice in system.initial.choices}
    for values, instance in system.instances(system.initial):
        told = (chosen.get(name) == str(int(value)) for name, value in values.items() if not isinstance(value, str))
        if all(told) and values.keys() == types.keys():
            yield _numbered(system, {name: e.evaluate(value, {}) for name, value in instance.updates})


def _after(system: System, state: State, action: Action, chosen: Mapping[str, str]) -> Iterator[State]:
    """The state after an action, if it is possible."""
    values = {choice.name: _value(choice, chosen) for choice in action.choices}
    known = {**state, **values}
    if e.evaluate(action.guard, known):
        yield _numbered(system, {**state, **{name: e.evaluate(value, known) for name, value in action.updates}})


def _value(choice: Variable, chosen: Mapping[str, str]) -> Value:
    text = chosen.get(choice.name)
    if text is None:
        raise other_model(f"the trace does not tell what was chosen for `{choice.name}`")
    match choice.type:
        case BoolType():
            return text.lower() in ("true", "1")
        case EnumType():
            return text
        case _:
            try:
                return int(text)
            except ValueError:
                raise other_model(f"`{text}` is no number, and was chosen for `{choice.name}`") from None


def _numbered(system: System, state: State) -> State:
    """The state with opaque values numbered by the first variable that has them, as the export does it."""
    order: list[Value] = [0]
    for name, type_ in system.types.items():
        if isinstance(type_, OpaqueType):
            if state[name] not in order:
                order.append(state[name])
            state[name] = order.index(state[name])
    return state
