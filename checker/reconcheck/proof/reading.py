"""Reads certificates: the header first, then, with the model at hand, the proof.

What is read has the shape of a proof and speaks of variables that exist.  Whether its formulas and diagrams are
well formed is for the checker to say.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from reconcheck.model import expr as e
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Scope
from reconcheck.model.types import EnumType, Type
from reconcheck.proof.certificate import (
    Column,
    Invariant,
    Measure,
    Part,
    Places,
    Proof,
    Rests,
    Settles,
    region_type,
)
from reconcheck.proof.diagram import OUTSIDE, Diagram, Node, leaf
from reconcheck.proof.document import FORMAT, VERSION, Header, Source
from reconcheck.proof.expressions import Reader
from reconcheck.proof.json_reading import JsonReading, Unreadable
from reconcheck.semantics.system import System

QUESTIONS = ("converges", "always", "reachable")


def read_header(content: Any) -> tuple[Header | None, JsonReading]:
    """Which question a certificate answers, and what is wrong with the document around the proof."""
    reading = JsonReading()
    try:
        return _header(content, reading), reading
    except Unreadable:
        return None, reading


def _header(content: Any, reading: JsonReading) -> Header:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise reading.wrong("", "it is no certificate of reconcheck", "RC501")
    if type(content.get("version")) is not int or content["version"] != VERSION:
        raise reading.wrong("version", f"its form is {content.get('version')!r}, known is {VERSION}", "RC502")
    fields = ("format", "version", "reconcheck", "model", "settings", "scope", "goal", "proof")
    reading.record(content, "", fields)

    def source(content: Any, place: str) -> Source:
        reading.record(content, place, ("file", "sha256"))
        return Source(*reading.all(content, place, {"file": reading.text, "sha256": reading.text}))

    def model(content: Any, place: str) -> tuple[str, Source, tuple[Source, ...]]:
        reading.record(content, place, ("operator", "file", "sha256", "imports"))
        readers = {"operator": reading.text, "file": reading.text, "sha256": reading.text}
        operator, file, digest = reading.all(content, place, readers)
        return operator, Source(file, digest), reading.each(content["imports"], f"{place}.imports", source)

    def settings(content: Any, place: str) -> tuple[tuple[str, int], ...]:
        if not isinstance(content, dict):
            raise reading.wrong(place, "an object is needed here")
        values = reading.all(content, place, dict.fromkeys(content, reading.number))
        return tuple(zip(content, values, strict=True))

    def scope(content: Any, place: str) -> Scope:
        reading.record(content, place, ("schedule", "without"), ("level",))
        without = reading.each(content["without"], f"{place}.without", reading.text)
        if list(without) != sorted(set(without)):
            raise reading.wrong(f"{place}.without", "the rules are not sorted, or one is listed twice")
        scheduled = reading.flag(content["schedule"], f"{place}.schedule")
        if "level" not in content:
            return Scope(SCHEDULED if scheduled else UNSCHEDULED, without)
        level = reading.number(content["level"], f"{place}.level")
        if scheduled or not 0 <= level < UNSCHEDULED:
            raise reading.wrong(f"{place}.level", "a level is 0, 1 or 2, without the schedule")
        return Scope(level, without)

    def goal(content: Any, place: str) -> tuple[str, str]:
        reading.record(content, place, ("name", "question", "formula"))
        name, question = reading.all(content, place, {"name": reading.text, "question": reading.text})
        if question not in QUESTIONS:
            raise reading.wrong(f"{place}.question", f"`{question}` is none of {', '.join(QUESTIONS)}")
        return name, question

    readers = {"reconcheck": reading.text, "model": model, "settings": settings, "scope": scope, "goal": goal}
    version, (operator, file, imports), values, asked, (name, question) = reading.all(content, "", readers)
    return Header(operator, file, imports, values, asked, name, question, version)


def read_proof(content: Any, system: System) -> tuple[e.Expr | None, Proof | Invariant | None, JsonReading]:
    """The goal's formula and the proof of a certificate whose header was read, and what is wrong with them."""
    reader = _Proofs(system.variables)
    goal = proof = None
    with suppress(Unreadable):
        goal = reader.expression(content["goal"]["formula"], "goal.formula")
    with suppress(Unreadable):
        proof = reader.proof(content["proof"], "proof", e.TRUE if goal is None else goal)
    return goal, proof, reader


class _Proofs(Reader):
    """Reads what a proof consists of."""

    def proof(self, content: Any, place: str, goal: e.Expr) -> Proof | Invariant:
        """The proof, whose goal was read before."""
        kind = self._kind(content, place, ("convergence", "invariant"))
        if kind == "invariant":
            self.record(content, place, ("kind", "formula", "columns", "diagram"))
            (formula,) = self.all(content, place, {"formula": self.expression})
            return Invariant(formula, *self._ranked(content, place))
        self.record(content, place, ("kind", "clauses", "parts"))

        def clauses(content: Any, place: str) -> tuple[e.Expr, ...]:
            return self.each(content, place, self.expression)

        def parts(content: Any, place: str) -> tuple[Part, ...]:
            return self.each(content, place, self.part)

        return Proof(goal, *self.all(content, place, {"clauses": clauses, "parts": parts}))

    def _kind(self, content: Any, place: str, kinds: tuple[str, ...]) -> str:
        if not isinstance(content, dict):
            raise self.wrong(place, "an object is needed here")
        if content.get("kind") not in kinds:
            raise self.wrong(f"{place}.kind", f"`kind` is one of {', '.join(kinds)}")
        return str(content["kind"])

    # ---- parts -----------------------------------------------------------------------------------------------

    def part(self, content: Any, place: str) -> Part:
        """One part."""
        kind = self._kind(content, place, ("measure", "settles", "rests"))
        if kind == "measure":
            self.record(content, place, ("kind", "condition", "amount", "action"))
            readers = {"condition": self.expression, "amount": self._amount, "action": self._action}
            return Measure(*self.all(content, place, readers))
        if kind == "rests":
            self.record(content, place, ("kind", "goal", "columns", "diagram"))
            (goal,) = self.all(content, place, {"goal": self.expression})
            return Rests(goal, *self._ranked(content, place))
        self.record(content, place, ("kind", "goal", "columns", "diagram", "helpful", "ways"))

        def helpful(content: Any, place: str) -> tuple[str | None, ...]:
            return self.each(content, place, self._action)

        def ways(content: Any, place: str) -> tuple[Places, ...]:
            return self.each(content, place, self._places)

        goal, actions, ends = self.all(content, place, {"goal": self.expression, "helpful": helpful, "ways": ways})
        return Settles(goal, *self._ranked(content, place), actions, ends)

    def _action(self, content: Any, place: str) -> str | None:
        return None if content is None else self.text(content, place)

    def _amount(self, content: Any, place: str) -> e.Expr | Places:
        is_places = isinstance(content, dict) and "amounts" in content
        return self._places(content, place) if is_places else self.expression(content, place)

    def _places(self, content: Any, place: str) -> Places:
        self.record(content, place, ("of", "amounts"))
        variable = self.variables.get(self.text(content["of"], f"{place}.of"))
        if variable is None:
            raise self.wrong(f"{place}.of", f"this model has no variable `{content['of']}`", "RC504")
        amounts = content["amounts"]
        if not isinstance(amounts, dict):
            raise self.wrong(f"{place}.amounts", "an object is needed here")
        values = self.all(amounts, f"{place}.amounts", dict.fromkeys(amounts, self.number))
        return Places(variable, tuple(zip(amounts, values, strict=True)))

    # ---- columns and diagrams --------------------------------------------------------------------------------

    def _ranked(self, content: Any, place: str) -> tuple[tuple[Column, ...], Diagram]:
        columns = self.each(content["columns"], f"{place}.columns", self._column)
        here = f"{place}.diagram"
        self.record(content["diagram"], here, ("nodes", "root"))
        nodes = self.each(content["diagram"]["nodes"], f"{here}.nodes", self._node)
        root = self._target(content["diagram"]["root"], f"{here}.root")
        return columns, Diagram(tuple(column.variable for column in columns), nodes, root)

    def _column(self, content: Any, place: str) -> Column:
        if isinstance(content, str):
            variable = self.expression(content, place)
            return Column(content, e.type_of(variable), variable)
        self.record(content, place, ("name", "term"), ("type", "regions"))
        name, term = self.all(content, place, {"name": self.text, "term": self.expression})
        type_, regions = e.type_of(term), tuple[tuple[str, str], ...]()
        if "regions" in content:
            regions = self._regions(content["regions"], f"{place}.regions", type_)
            type_ = region_type(regions)
        if "type" in content:
            type_ = self.type(content["type"], f"{place}.type")
        return Column(name, type_, term, regions)

    def _regions(self, content: Any, place: str, type_: Type) -> tuple[tuple[str, str], ...]:
        """Each place of a program counter with its region, from the places of each region."""
        if not isinstance(content, dict):
            raise self.wrong(place, "an object is needed here")
        found: dict[str, str] = {}
        for region, places in content.items():
            for at in self.each(places, f"{place}.{region}", self.text):
                if at in found:
                    raise self.wrong(place, f"`{at}` is in two regions", "RC505")
                found[at] = region
        known = type_.values if isinstance(type_, EnumType) else ()
        for at in (*(one for one in known if one not in found), *(one for one in found if one not in known)):
            what = "has no region" if at in known else "is no place of this program counter"
            self.wrong(place, f"`{at}` {what}", "RC505")
        if set(known) != set(found):
            raise Unreadable
        return tuple((at, found[at]) for at in known)

    def _node(self, content: Any, place: str) -> Node:
        if not isinstance(content, list) or len(content) != 2:
            raise self.wrong(place, "a node is a column's number and a list of branches")
        return Node(self.number(content[0], place), self.each(content[1], f"{place}[1]", self._branch))

    def _branch(self, content: Any, place: str) -> tuple[bool | int | str, int]:
        if not isinstance(content, list) or len(content) != 2 or type(content[0]) not in (bool, int, str):
            raise self.wrong(place, "a branch is a value, and a node or a rank in brackets")
        return content[0], self._target(content[1], place)

    def _target(self, content: Any, place: str) -> int:
        if content is None:
            return leaf(OUTSIDE)
        if isinstance(content, list) and len(content) == 1 and type(content[0]) is int and content[0] >= 0:
            return leaf(content[0])
        if type(content) is not int or content < 0:
            raise self.wrong(place, "a branch leads to a node, to a rank in brackets, or nowhere (null)")
        return content
