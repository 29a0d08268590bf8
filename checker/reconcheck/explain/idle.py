"""Wake-ups that make no difference, read off a complete state graph.

A watch makes none if no reachable step, a restart and a gap in the watch among them, leads anywhere else without it:
what it wakes its controller for, the controller is queued for anyhow.  Then verdicts are the same without it.
A requeue rule makes none if each time it fires its key is queued already, or if it never fires.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from msgspec.structs import replace

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import StateTuple, initial_states, successors
from reconcheck.model.operator import Controller, Watch
from reconcheck.semantics.compiler import Compiler
from reconcheck.semantics.layout import RUNTIME_PERIOD, event_name, layout, timer_action
from reconcheck.semantics.system import System

NOWHERE = -1
"""The number of a state that is not in the graph."""
MOST_STATES = 20_000
"""States of a graph in which this is looked for."""
NEVER_DELIVER = frozenset({"start", "reconcile", "fire", "retry", "process", "noise", "disturbance", "lose"})
"""Steps that at most give a watch an event to deliver later, or take it away."""


def idle_wake_ups(graph: StateGraph) -> frozenset[str]:
    """The watches and rules in force that make no difference, as `WakeUp.scoped` calls them.

    The watches make none all together either: they can be left out at once.
    """
    if len(graph.states) > MOST_STATES:
        return frozenset()
    away: list[tuple[Controller, Watch]] = []
    for one in reversed(_open_watches(graph)):  # of two that are alike, the second is not needed
        if not _matter(graph, [*away, one]):
            away.append(one)
    return frozenset({_scoped(*one) for one in away} | _idle_rules(graph))


def _scoped(controller: Controller, watch: Watch) -> str:
    return f"{controller.name}.watch {watch.name}"


# ---- watches -----------------------------------------------------------------------------------------------------


def _open_watches(graph: StateGraph) -> list[tuple[Controller, Watch]]:
    """The watches of which no delivery is seen at once to be what wakes a controller."""
    system = graph.system
    place = {variable.name: number for number, variable in enumerate(system.variables)}
    open_: dict[str, list[tuple[Controller, Watch]]] = {}
    for controller in system.operator.controllers:
        for watch in system.layout.watching(controller):
            open_.setdefault(f"sync {watch.target}", []).append((controller, watch))
    actions = [command.step.action for command in system.commands]
    for state, row in zip(graph.states, graph.edges, strict=True):
        for command, target in row:
            if not open_.get(actions[command]):
                continue
            after = graph.states[target]
            woken = [
                (owner, watch)
                for owner, watch in open_[actions[command]]
                if state[place[event_name(watch)]]
                and not state[place[f"queued({owner.name})"]]
                and after[place[f"queued({owner.name})"]]
            ]
            for owner, watch in woken:
                others = [one for one in system.layout.watches(watch.target) if one[0].name == owner.name]
                if sum(1 for _, other in others if state[place[event_name(other)]]) == 1:
                    open_[actions[command]].remove((owner, watch))
        if not any(open_.values()):
            break
    return [one for some in open_.values() for one in some]


def _matter(graph: StateGraph, away: Sequence[tuple[Controller, Watch]]) -> bool:
    """Whether some step leads elsewhere without these watches."""
    full = graph.system
    without = tuple(sorted({*full.scope.without, *(_scoped(*one) for one in away)}))
    shape = layout(full.operator, replace(full.scope, without=without))
    compiler, owners = Compiler(shape), {controller.name: controller for controller, _ in away}
    resyncs = {name: {f"resync {name}: {one.name}" for one in shape.watching(owners[name])} for name in owners}
    own = {f"resync {controller.name}: {watch.name}": controller.name for controller, watch in away}
    left = tuple(one for one in compiler.commands() if _may_deliver(one.step.action) and one.updates)
    system = System(full.operator, shape.scope, shape, shape.variables, compiler.initial(), left)
    project = _projection(full, system)
    if not {project(state) for state in initial_states(full)} <= set(initial_states(system)):
        return True
    following = successors(system)
    by_action = [command.step.action for command in left]
    actions = enumerate(command.step.action for command in full.commands)
    delivering = {number: action for number, action in actions if _may_deliver(action)}
    numbers: dict[StateTuple, int] = {}
    number = [numbers.setdefault(state, len(numbers)) for state in map(project, graph.states)]
    """For each state, what is left of it."""
    leading: dict[int, set[tuple[str, int]]] = {}
    for before, state, row in zip(number, graph.states, graph.edges, strict=True):
        for command, target in row:
            then = number[target]
            if command not in delivering or then == before:
                continue
            if before not in leading:
                onward = following(project(state))
                leading[before] = {(by_action[other], numbers.get(after, NOWHERE)) for other, after in onward}
            action = delivering[command]
            if action not in own:
                if (action, then) not in leading[before]:
                    return True
            elif not any((other, then) in leading[before] for other in resyncs[own[action]]):
                return True
    return False


def _may_deliver(action: str) -> bool:
    """Whether a step may be one in which a watch wakes its controller; on the safe side."""
    return action.partition(" ")[0] not in NEVER_DELIVER


def _projection(full: System, part: System) -> Callable[[StateTuple], StateTuple]:
    """The variables of a system in a state of another one that has them all, in the same order."""
    place = {variable.name: number for number, variable in enumerate(full.variables)}
    kept = [place[variable.name] for variable in part.variables]
    return itemgetter(*kept) if len(kept) > 1 else lambda state: tuple(state[number] for number in kept)


# ---- rules -------------------------------------------------------------------------------------------------------


def _idle_rules(graph: StateGraph) -> set[str]:
    """The rules in force that never queue a key which is not queued."""
    system = graph.system
    place = {variable.name: number for number, variable in enumerate(system.variables)}
    idle = {
        timer_action(controller, rule.name): (rule.name, place[f"queued({controller.name})"])
        for controller in system.operator.controllers
        for rule in controller.rules
        if system.layout.enabled(rule) and rule.name != RUNTIME_PERIOD
    }
    actions = [command.step.action for command in system.commands]
    for state, row in zip(graph.states, graph.edges, strict=True):
        if not idle:
            break
        for command, _ in row:
            found = idle.get(actions[command])
            if found is not None and not state[found[1]]:
                del idle[actions[command]]
    return {name for name, _ in idle.values()}
