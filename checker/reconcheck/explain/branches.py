"""Which ways the conditions of a reconcile go, read off a complete state graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import StateTuple, predicate
from reconcheck.model import expr as e
from reconcheck.model.operator import Bind, Controller, Jump, Program, Test
from reconcheck.semantics.flow import Flow
from reconcheck.semantics.pauses import ends_step

MOST_STATES = 20_000
"""States of a graph in which this is looked for."""

Way = tuple[str, int, bool]
"""Controller, position of a test in its program, and how it comes out."""


class _Step(Struct, frozen=True):
    """From a place to a test, and how it comes out, under a condition on the state."""

    way: Way
    condition: e.Expr


def ways_taken(graph: StateGraph) -> frozenset[Way] | None:
    """How each test comes out in some reachable state; None where there are too many states to look."""
    if len(graph.states) > MOST_STATES:
        return None
    system = graph.system
    found: set[Way] = set()
    for controller in system.operator.controllers:
        flow = system.layout.flows[controller.name]
        pc = next(n for n, variable in enumerate(system.variables) if variable.name == f"pc({controller.name})")
        open_: dict[object, list[tuple[Way, Callable[[StateTuple], bool]]]] = {
            flow.labels[place]: [
                (step.way, predicate(system, step.condition)) for step in _steps(controller, flow, place)
            ]
            for place in flow.needed
        }
        for state in graph.states:
            ways = open_.get(state[pc])
            if ways:
                found |= {way for way, holds in ways if way not in found and holds(state)}
                open_[state[pc]] = [one for one in ways if one[0] not in found]
    return frozenset(found)


def _steps(controller: Controller, flow: Flow, place: int) -> Iterator[_Step]:
    """Every test that a step from a place can come to, once for each way to it and for each outcome."""
    waiting: list[tuple[int, e.Expr, dict[str, e.Expr]]] = [(place, e.TRUE, {})]
    while waiting:
        position, condition, locals_ = waiting.pop()
        if condition == e.FALSE or (position in flow.cuts.pauses and position != place):
            continue
        match controller.program.code[position]:
            case Test(test, otherwise):
                value = e.substitute(test, locals_)
                for outcome, following in ((True, position + 1), (False, otherwise)):
                    then = e.both(condition, value if outcome else e.negate(value))
                    yield _Step((controller.name, position, outcome), then)
                    if not ends_step(controller.program.code[position], position in flow.cuts.stops):
                        waiting.append((following, then, locals_))
            case Jump(target):
                waiting.append((target, condition, locals_))
            case Bind(local, value) if position not in flow.cuts.stops:
                waiting.append((position + 1, condition, {**locals_, local.name: e.substitute(value, locals_)}))
            case _:
                continue


def next_effects(program: Program, position: int) -> Iterator[int]:
    """The positions of the first effects and outcomes that a run can come to from a position."""
    waiting, seen = [position], set[int]()
    while waiting:
        position = waiting.pop()
        if position in seen:
            continue
        seen.add(position)
        match program.code[position]:
            case Test(_, otherwise):
                waiting += [position + 1, otherwise]
            case Jump(target):
                waiting.append(target)
            case Bind():
                waiting.append(position + 1)
            case _:
                yield position
