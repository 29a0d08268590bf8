"""What wake-ups cost an operator, read off a complete state graph: which never end, how many one change makes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import CalmGraph, strongly_connected
from reconcheck.model.wakeups import wake_ups_of
from reconcheck.semantics.layout import event_name, timer_action
from reconcheck.semantics.steps import Kind

Edges = list[list[tuple[int, int]]]


class Costs(Struct, frozen=True):
    """What the complete state graph of one scope tells."""

    recurring: frozenset[tuple[str, str]] | None
    """Controller and `WakeUp.scoped` of what can wake a converged operator for ever; None where it never converges."""
    most_reconciles: tuple[tuple[str, int | None], ...] | None
    """Controller, and the most reconciles that one change at rest can cost, None without bound; None in all where no
    state of rest is a converged one."""


def costs_of(graph: CalmGraph, converged: Sequence[bool], budget: Budget) -> Costs:
    """The costs in a scope; `converged` says of each state whether all goals that the operator settles on hold."""
    return Costs(_recurring(graph, converged), _most_reconciles(graph, converged, budget))


# ---- what never ends ---------------------------------------------------------------------------------------------


def _recurring(graph: CalmGraph, converged: Sequence[bool]) -> frozenset[tuple[str, str]] | None:
    """The wake-ups on fair runs that stay in converged states for ever.

    Such a run ends in a state of rest, or stays in a component of which some fair run never leaves; in a fair
    component each step inside can happen again and again.
    """
    found: set[tuple[str, str]] = set()
    converges = False
    for number, members in enumerate(graph.components):
        if not all(converged[state] for state in members):
            continue
        if len(members) == 1 and not graph.enabled[members[0]]:
            converges = True
            continue
        if number in graph.fair:
            converges = True
            found |= _wakes_inside(graph, number, members)
    return frozenset(found) if converges else None


def _wakes_inside(graph: CalmGraph, number: int, members: list[int]) -> set[tuple[str, str]]:
    system = graph.graph.system
    by_action = _wakes_by_action(graph)
    place = {variable.name: index for index, variable in enumerate(system.variables)}
    layout = system.layout
    watches = [
        (
            controller.name,
            watch.name,
            controller.manager.sync(watch.target),
            place[event_name(watch)],
            place[f"queued({controller.name})"],
        )
        for controller in system.operator.controllers
        for watch in layout.watching(controller)
    ]
    found: set[tuple[str, str]] = set()
    states = graph.graph.states
    for state in members:
        for command, target in graph.graph.edges[state]:
            step = system.commands[command].step
            if not step.kind.calm or graph.component[target] != number:
                continue
            if step.action in by_action:
                found.add(by_action[step.action])
            elif step.action.startswith("sync "):
                for controller, watch, sync, event, queued in watches:
                    if step.action == sync and states[state][event] and states[target][queued]:
                        found.add((controller, f"{controller}.watch {watch}"))
    return found


def _wakes_by_action(graph: CalmGraph) -> dict[str, tuple[str, str]]:
    """The steps that are the wake-up itself."""
    operator = graph.graph.system.operator
    controllers = {controller.name: controller for controller in operator.controllers}
    found: dict[str, tuple[str, str]] = {}
    for one in wake_ups_of(operator.controllers):
        owner = controllers[one.controller]
        match one.kind:
            case "watch":
                continue
            case "backoff":
                found[f"retry {owner.name}"] = (owner.name, one.scoped)
            case "resync":
                for watch in owner.watches:
                    found[f"resync {owner.name}: {watch.name}"] = (owner.name, one.scoped)
            case _:
                found[timer_action(owner, one.name)] = (owner.name, one.scoped)
    return found


# ---- what one change costs ---------------------------------------------------------------------------------------


def _most_reconciles(
    graph: CalmGraph, converged: Sequence[bool], budget: Budget
) -> tuple[tuple[str, int | None], ...] | None:
    """The longest way from a disturbance at rest to rest again, counted in starts; without faults and noise."""
    commands = graph.graph.system.commands
    at_rest = [state for state, bits in enumerate(graph.enabled) if not bits and converged[state]]
    if not at_rest:
        return None
    kinds = [command.step.kind for command in commands]
    begun = {
        target
        for state in at_rest
        for command, target in graph.graph.edges[state]
        if kinds[command] is Kind.DISTURBANCE
    }
    fair: Edges = [[(c, t) for c, t in row if kinds[c] is Kind.FAIR] for row in graph.graph.edges]
    reached = _reached(fair, begun)
    component, components = strongly_connected(fair, budget)
    found: list[tuple[str, int | None]] = []
    for controller in graph.graph.system.operator.controllers:
        starts = {n for n, command in enumerate(commands) if command.step.action == f"start {controller.name}"}
        longest = _longest(fair, starts, reached, component, components)
        found.append((controller.name, None if longest is None else max((longest[s] for s in begun), default=0)))
    return tuple(found)


def _reached(edges: Edges, begun: set[int]) -> set[int]:
    seen, todo = set(begun), sorted(begun)
    while todo:
        for _, target in edges[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _longest(
    edges: Edges, starts: set[int], reached: set[int], component: list[int], components: list[list[int]]
) -> dict[int, int] | None:
    """For each state that is reached, the most starts on a way on from it; None where a loop has one."""
    best: dict[int, int] = {}
    for number, members in enumerate(components):  # successors come first
        if members[0] not in reached:
            continue
        most = 0
        for state in members:
            for command, target in edges[state]:
                weight = int(command in starts)
                if component[target] != number:
                    most = max(most, weight + best[target])
                elif weight:
                    return None
        best.update(dict.fromkeys(members, most))
    return best
