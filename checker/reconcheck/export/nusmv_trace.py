"""Traces of NuSMV and nuXmv, as text or as XML (`show_traces -p 4`)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from msgspec import Struct, field

from reconcheck.export.foreign import ForeignTrace, Moment, no_trace, other_model
from reconcheck.export.names import originals
from reconcheck.export.smv import IDLE, identifiers_of, only_value
from reconcheck.export.system import Action, System
from reconcheck.model.types import BoolType, EnumType, Type, Value

HEAD = re.compile(r"^\s*-> (State|Input): (\d+)\.(\d+) <-")
VALUE = re.compile(r"^\s*([A-Za-z_][\w$#.-]*) = (.*?)\s*$")
LOOP = "-- Loop starts here"


def recognised(text: str) -> bool:
    """Whether a text is one of NuSMV's."""
    return "-> State: " in text or "<counter-example" in text


class _Shown(Struct):
    """A state as it is shown: what changed, with the input before it, in NuSMV's identifiers."""

    label: str
    values: dict[str, str] = field(default_factory=dict)
    input: dict[str, str] = field(default_factory=dict)


def read(text: str, system: System) -> list[ForeignTrace]:
    """The runs that NuSMV shows, in their order.  Raises `ModelError` (RC701, RC702)."""
    shown = list(_from_xml(text) if "<counter-example" in text else _from_text(text))
    if not shown:
        raise no_trace("there is no `-> State: 1.1 <-`: NuSMV has shown no run")
    if not all(states for states, _ in shown):
        raise no_trace("there is a `<counter-example>` without a `<state>` in it")
    return [ForeignTrace("NuSMV", tuple(_moments(states, system)), loop) for states, loop in shown]


def _from_text(text: str) -> Iterator[tuple[list[_Shown], int | None]]:
    states: list[_Shown] = []
    loop: int | None = None
    given: dict[str, str] = {}
    into: dict[str, str] | None = None
    for line in text.splitlines():
        head = HEAD.match(line)
        if head is not None:
            if head[1] == "State" and head[3] == "1":
                if states:
                    yield states, loop
                states, loop, given = [], None, {}
            if head[1] == "Input":
                given = into = dict(given)  # what is not shown is as it was
            else:
                states.append(_Shown(f"state {head[2]}.{head[3]}", input=given))
                into = states[-1].values
        elif line.strip() == LOOP:
            loop = len(states) if loop is None else loop
        elif into is not None and (found := VALUE.match(line)):
            into[found[1]] = found[2]
        elif not line.startswith(" "):
            into = None
    if states:
        yield states, loop


def _from_xml(text: str) -> Iterator[tuple[list[_Shown], int | None]]:
    for part in re.findall(r"<counter-example.*?</counter-example>", text, re.DOTALL):
        try:
            root = ElementTree.fromstring(part)
        except ElementTree.ParseError as error:
            raise no_trace(f"the trace is not well-formed XML: {error}") from error
        inputs = {node.get("id"): _values(node) for node in root.iter("input")}  # that led to the state of that number
        states = [
            _Shown(f"state {node.get('id')}", _values(node), inputs.get(node.get("id"), {}))
            for node in root.iter("state")
        ]
        numbers = [int(number) for number in re.findall(r"\d+", root.findtext("loops") or "")]
        yield states, min(numbers) - 1 if numbers else None


def _values(node: ElementTree.Element) -> dict[str, str]:
    return {value.get("variable", ""): (value.text or "").strip() for value in node.iter("value")}


def _moments(states: list[_Shown], system: System) -> Iterator[Moment]:
    """The states in the model's names; a state is told by what is different from the one before."""
    known = identifiers_of(system)
    names, values = originals(known.variables), originals(known.values)
    actions = dict(zip(known.actions, system.actions, strict=True))
    constant = {name: only_value(type_) for name, type_ in system.types.items()}
    state: dict[str, Value] = {name: value for name, value in constant.items() if value is not None}
    for shown in states:
        for identifier, text in shown.values.items():
            if identifier in names:
                name = names[identifier]
                state[name] = _value(text, system.types[name], values)
        missing = system.types.keys() - state.keys()
        if missing:
            raise other_model(f"{shown.label} of the trace does not tell `{min(missing)}`")
        yield Moment(shown.label, dict(state), _action(shown, actions) if shown is not states[0] else None)


def _action(shown: _Shown, actions: dict[str, Action]) -> Action | None:
    """The step that was to be taken; where it was not possible nothing changed."""
    step = shown.input.get("step")
    if step is None or step == IDLE:
        return None
    if step not in actions:
        raise other_model(f"the export of this model has no step `{step}`")
    return actions[step]


def _value(text: str, type_: Type, values: dict[str, str]) -> Value:
    match type_:
        case BoolType():
            return text == "TRUE"
        case EnumType():
            if values.get(text) not in type_.values:
                raise other_model(f"`{text}` is not a value of {type_}")
            return values[text]
        case _:
            try:
                return int(text)
            except ValueError:
                raise other_model(f"`{text}` is no number") from None
