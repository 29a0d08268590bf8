"""What a state shows in a picture: named features, the most telling first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import predicate
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Variable
from reconcheck.model.types import BoolType, OpaqueType, Value
from reconcheck.render.causes import effect_of
from reconcheck.render.values import value_text
from reconcheck.semantics.layout import ERROR_TIMER, IDLE, NO_TIMER, STOPPED


class Feature(Struct, frozen=True):
    """One thing that a state shows: a text for each state, empty for what goes without saying."""

    name: str
    covers: frozenset[str]
    """The state variables that it tells, fully or in part."""
    texts: list[str]
    position: bool = False
    """Whether it says where a controller stands."""
    minor: bool = False
    """Whether it is shown only where there is plenty of room."""
    coarser: Feature | None = None
    """What to show where this has too many values."""


def features(graph: StateGraph, goal: Goal | None, explored: int) -> Iterator[Feature]:
    """Every feature of a graph, the most telling first; together they tell a state apart from any other."""
    operator, variables = graph.system.operator, graph.system.variables
    one = len(operator.controllers) == 1
    of = _Variables(graph)
    for controller in operator.controllers:
        yield _position(graph, controller.name, one, explored)
    for controller in operator.controllers:
        prefix = "" if one else f"{controller.name} "
        queued, timer = f"queued({controller.name})", f"timer({controller.name})"
        yield of.feature(queued, _queued(prefix))
        if timer in of.places:
            yield of.feature(timer, _timer(prefix))
    asked = list(_asked(goal))
    for name in asked:
        if name in of.places:
            yield of.feature(name)
    if goal is not None:
        yield from _comparisons(graph, goal)
    rest = [v for v in variables if v.name not in asked and not v.name.startswith(("pc(", "queued(", "timer("))]
    rest.sort(key=lambda v: (_importance(v), variables.index(v)))
    for variable in rest:
        yield of.feature(variable.name, minor=_importance(variable) >= 2)


def _asked(goal: Goal | None) -> Iterator[str]:
    """The goal's variables; of opaque ones only what the goal compares counts."""
    if goal is not None:
        for variable in e.variables(goal.formula):
            if not isinstance(variable.type, OpaqueType):
                yield variable.name


def _comparisons(graph: StateGraph, goal: Goal) -> Iterator[Feature]:
    """The goal's comparisons of opaque values, where the goal is more than one of them."""
    found = dict.fromkeys(_equalities(goal.formula))
    if list(found) == [goal.formula]:
        return
    for part in found:
        holds = predicate(graph.system, part)
        text = e.show(part)
        texts = [text if holds(state) else "" for state in graph.states]
        yield Feature(text, frozenset(variable.name for variable in e.variables(part)), texts)


def _equalities(formula: e.Expr) -> Iterator[e.Expr]:
    match formula:
        case e.Equal(left, right):
            if any(isinstance(e.type_of(side), OpaqueType) for side in (left, right)):
                yield formula
        case e.Not(operand):
            yield from _equalities(operand)
        case e.And(operands) | e.Or(operands):
            for operand in operands:
                yield from _equalities(operand)


def _importance(variable: Variable) -> int:
    """0 memory, clocks and the live world; 1 pending events; 2 caches and what runs hold; 3 opaque values."""
    name = variable.name
    if isinstance(variable.type, OpaqueType):
        return 3
    if name.startswith("event("):
        return 1
    return 2 if "(" in name or "/" in name else 0


def _queued(prefix: str) -> Callable[[Value], str]:
    return lambda value: f"{prefix}queued" if value else ""


def _timer(prefix: str) -> Callable[[Value], str]:
    words: dict[Value, str] = {NO_TIMER: "", ERROR_TIMER: f"{prefix}backoff timer"}
    return lambda value: words.get(value, f"{prefix}timer {value}")


def _position(graph: StateGraph, controller: str, one: bool, explored: int) -> Feature:
    """Where the controller stands: idle, or the effect that comes next."""
    pc = next(i for i, v in enumerate(graph.system.variables) if v.name == f"pc({controller})")
    effects = {
        index: effect_of(command.step)
        for index, command in enumerate(graph.system.commands)
        if command.step.action == f"reconcile {controller}" and command.step.kind == "fair"
    }
    prefix = "" if one else f"{controller}: "
    places = [str(state[pc]) for state in graph.states]
    texts: list[str] = []
    possible: dict[str, set[str]] = {}
    for number, place in enumerate(places):
        if place in (IDLE, STOPPED):
            texts.append(place)
            continue
        text = next((effects[command] for command, _ in graph.edges[number] if command in effects), "")
        if text:
            possible.setdefault(place, set()).add(text)
        elif number < explored:
            raise AssertionError(f"a running reconcile has no next step at {place}")
        texts.append(text or f"L{place.split()[1]} ...")
    places = [_any_of(possible.get(place, {place})) for place in places]
    running = [place if place in (IDLE, STOPPED) else "running" for place in places]
    covers = frozenset({f"pc({controller})"})

    def feature(name: str, words: list[str], coarser: Feature | None) -> Feature:
        return Feature(name, covers, [prefix + word for word in words], position=True, coarser=coarser)

    coarse = feature(f"whether {controller} runs", running, None)
    coarse = feature(f"where {controller} stands", places, coarse)
    return feature(f"the next step of {controller}", texts, coarse)


def _any_of(effects: set[str]) -> str:
    """What may come next at a place of the reconcile, the first line first."""
    ordered = sorted(effects, key=lambda text: (int(text[1:].split()[0]) if text[1:2].isdigit() else 0, text))
    return " or ".join([*ordered[:2], "..."] if len(ordered) > 2 else ordered)


class _Variables:
    """Features that show one variable."""

    def __init__(self, graph: StateGraph) -> None:
        self.graph = graph
        self.places = {v.name: i for i, v in enumerate(graph.system.variables)}
        self.types = {v.name: v.type for v in graph.system.variables}

    def feature(self, name: str, text: Callable[[Value], str] | None = None, minor: bool = False) -> Feature:
        """A variable as a feature: yes/no variables by name where they are yes, others with their value."""
        place = self.places[name]
        show = text or (lambda value: self._text(name, value))
        known: dict[Value, str] = {}
        texts: list[str] = []
        for state in self.graph.states:
            value = state[place]
            if value not in known:
                known[value] = show(value)
            texts.append(known[value])
        return Feature(name, frozenset({name}), texts, minor=minor)

    def _text(self, name: str, value: Value) -> str:
        spoken = _spoken(name)
        if isinstance(self.types[name], BoolType):
            return spoken if value else ""
        return f"{spoken} = {value_text(name, value, self.types)}"


def _spoken(name: str) -> str:
    """A variable in words: `view(sts.exists)` is what is cached, `event(app: sts)` an event on its way."""
    kind, parenthesis, inner = name.partition("(")
    inner = inner.rstrip(")")
    words = {
        "view": f"cached {inner}",
        "stale": f"cache of {inner} is old",
        "event": f"event {inner.split(': ')[-1]}",
        "held": f"holds {inner.split(': ')[-1]}",
        "registered": f"watches {inner.split(': ')[-1]}",
        "recreated": f"{inner} was deleted",
        "retries": "retries",
    }
    return words.get(kind, name) if parenthesis else name.rpartition("/")[2]
