"""Where a step of a trace, or a question, stands: in the model, and in the operator's source that it cites."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.explain.cause import Place
from reconcheck.explain.trace import TraceStep
from reconcheck.model.managers import subject
from reconcheck.model.operator import Bind, External, Jump, Object, Operator, Test
from reconcheck.syntax.citation import location_of
from reconcheck.syntax.cite import Cite


class Source(Struct, frozen=True):
    """Some lines of the operator's source."""

    path: str
    """From the top of the repository, or a whole address."""
    first: int | None
    last: int | None
    commit: str | None
    """The commit of the citation, else that of the model."""
    symbol: str = ""
    """What stands there: a function, a field or a rule."""


def source_of(operator: Operator, cite: Cite) -> Source:
    """What a citation such as `pkg/users.go#L66-L68 reconcileUsers` points at."""
    commit = cite.commit or (operator.source[1] if operator.source else None)
    place = location_of(cite.location)
    if place is None or place.lines is None:
        return Source(cite.location, None, None, commit)
    first, last = place.lines
    return Source(place.path, first, max(first, last), commit, place.symbol)


def place_of(operator: Operator, step: TraceStep) -> Place:
    """Where a step comes from; steps of the runtime stand where their watch, object or controller is declared.

    A step of a reconcile is known by its line, so that it has the citations of everything in that line.
    """
    verb, _, name = step.step.action.partition(" ")
    if verb in ("sync", "relist"):
        name = subject(step.step.action)[1]
    spans: list[Place] = []
    if verb == "reconcile":
        spans = [place for place in _lines_of(operator, name) if place.span.line == step.line]
        cites = dict.fromkeys(cite for place in spans for cite in place.cites)
        spans = [Place(place.span, tuple(cites)) for place in spans[:1]]
    elif verb in ("process", "noise", "disturbance"):
        spans = [Place(one.span, one.cites) for one in operator.actions if one.name == name]
    elif verb == "fire":
        spans = [Place(one.span, one.cites) for one in operator.rules() if one.name == name]
    return next(iter([*spans, *_declared(operator, name)]), Place(operator.span))


def _lines_of(operator: Operator, controller: str) -> Iterator[Place]:
    """The effects and outcomes of a reconcile function, then its tests, which may stand on the same lines."""
    program = next((c.program for c in operator.controllers if c.name == controller), None)
    code = () if program is None else program.code
    for instruction in sorted(code, key=lambda one: isinstance(one, Test | Bind)):
        if not isinstance(instruction, Jump):
            yield Place(instruction.span, () if isinstance(instruction, Bind) else instruction.cites)


def _declared(operator: Operator, name: str) -> Iterator[Place]:
    for controller in operator.controllers:
        yield from (Place(w.span, w.cites) for w in controller.watches if name in (w.name, w.target))
    for controller in operator.controllers:
        if controller.name == name:
            yield Place(controller.span, controller.cites)
    holders: list[Object | External] = [*operator.objects.values(), *operator.externals.values()]
    for holder in holders:
        if holder.name == name:
            yield Place(holder.span, holder.cites)
