"""Traces as SARIF code flows: a location a step, what it changed, and the operator's source beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconcheck.explain.cause import Place
from reconcheck.explain.places import place_of, source_of
from reconcheck.explain.trace import Trace
from reconcheck.model.operator import Operator
from reconcheck.render.text import Row, changed, ending, happens, rows_of
from reconcheck.render.values import types_of, value_text
from reconcheck.report.sarif_places import Places, text


class Related:
    """The related locations of one result; each has a number of its own in it."""

    def __init__(self, operator: Operator, places: Places) -> None:
        self.operator, self.places = operator, places
        self._found: dict[str, dict[str, Any]] = {}

    def cited(self, place: Place, what: str) -> list[int]:
        """The numbers of the places in the operator's source that a place of the model cites."""
        if self.operator.source is None:
            return []
        numbers: list[int] = []
        for cite in place.cites:
            key = f"{cite.location} {cite.commit}"
            if key not in self._found:
                source = source_of(self.operator, cite)
                where = self.places.in_source(self.operator.source[0], source, f"{what}, in the operator's source")
                self._found[key] = {"id": len(self._found) + 1, **where}
            numbers.append(self._found[key]["id"])
        return numbers

    def also(self, place: Place, what: str) -> None:
        """One more place in the model, with what it cites."""
        key = str(place.span)
        if key not in self._found:
            self._found[key] = {"id": len(self._found) + 1, **self.places.at(place.span, what)}
        self.cited(place, what)

    def all(self) -> list[dict[str, Any]]:
        """The related locations in the order of their numbers."""
        return list(self._found.values())


def code_flow(operator: Operator, trace: Trace, end: Place, related: Related, what: str = "") -> dict[str, Any]:
    """A trace as a code flow of one thread, which ends at `end`, the question; `what` is said of the whole run."""
    types = types_of(operator)
    rows = rows_of(trace)
    steps = [
        _step(operator, trace, row, number, related, changed(row.step, types), happens(row, types))
        for number, row in enumerate(rows, 1)
    ]
    values = [f"{name} is {value_text(name, value, types)}" for name, value in trace.final]
    last = ending(trace)
    if trace.loop is not None:
        loop = next(number for number, row in enumerate(rows, 1) if row.index >= trace.loop)
        last = last.replace("the steps marked with |", f"the steps from {loop} on")
    steps.append(
        {
            "location": related.places.at(end.span, _sentence([last, *values])),
            "executionOrder": len(rows) + 1,
            "importance": "essential",
        }
    )
    first = {name: text(value_text(name, value, types)) for name, value in trace.start}
    thread = {"id": operator.name, **({"initialState": first} if first else {}), "locations": steps}
    message = f"{len(rows)} step{'s' * (len(rows) != 1)}, replayed on the reference interpreter{what}"
    return {"message": text(message), "threadFlows": [thread]}


def _step(
    operator: Operator, trace: Trace, row: Row, number: int, related: Related, change: str, what: str
) -> dict[str, Any]:
    """A step; those that wake nobody matter most, and those of a loop are one level deeper."""
    step, place = row.step, place_of(operator, row.step)
    asleep = step.woke.startswith("NO")
    location = related.places.at(place.span, _sentence([what, change, _woke(step.woke)]))
    numbers = related.cited(place, f"step {number}")
    if numbers:
        location["relationships"] = [{"target": target, "kinds": ["relevant"]} for target in numbers]
    types = types_of(operator)
    state = {c.variable: text(value_text(c.variable, c.new, types)) for c in step.changes if c.variable in types}
    return {
        "location": location,
        "executionOrder": number,
        "importance": "essential" if asleep else "important" if change else "unimportant",
        **({"nestingLevel": 1} if trace.loop is not None and row.index >= trace.loop else {}),
        **({"state": state} if state else {}),
        "properties": {"who": step.who, "kind": str(step.step.kind)},
    }


def _woke(woke: str) -> str:
    return f"woke the controller? {woke}" if woke else ""


def _sentence(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)
