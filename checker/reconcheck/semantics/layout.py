"""The state of an operator model: which variables there are, and why.

A state is a value for each variable of `Layout.variables`.  Both the reference interpreter and the compiled
system use this list; what is in it follows from the model only (spec/semantics.md, "State").
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.model import expr as e
from reconcheck.model.managers import Manager, is_view, live_name
from reconcheck.model.operator import (
    Controller,
    Filter,
    Operator,
    Rule,
    Scope,
    Variable,
    Watch,
    Write,
    expressions,
)
from reconcheck.model.types import BOOL, EnumType, RangeType, zero
from reconcheck.model.wakeups import RETRYING, RULE_LEVELS, in_force
from reconcheck.semantics.flow import Flow, flow

IDLE = "idle"
STOPPED = "stopped"
NO_TIMER = "none"
ERROR_TIMER = "error"
RUNTIME_PERIOD = "runtime_period"
"""The rule that a runtime with a period of its own (knob `period`) gives each controller."""


class Cache(Struct, frozen=True):
    """What the cache of one process keeps that matters."""

    manager: Manager
    views: frozenset[str]
    """Live variables of which it has a copy."""
    stale: frozenset[str]
    """Objects for which it matters whether it lags."""
    recreated: frozenset[str]


class Layout(Struct, frozen=True, dict=True):
    """The variables of an operator in a scope, and the facts about them that both semantics need."""

    operator: Operator
    scope: Scope
    variables: tuple[Variable, ...]
    caches: tuple[Cache, ...]
    """One for each process."""
    flows: dict[str, Flow]
    """The steps of each controller's reconcile, and what it keeps between them."""

    def rule(self, name: str) -> Rule:
        """The requeue rule of that name."""
        return next(rule for rule in self.operator.rules() if rule.name == name)

    def enabled(self, rule: Rule) -> bool:
        """Whether the scope leaves the rule in force."""
        return rule.name not in self.scope.without and RULE_LEVELS[rule.kind] <= self.scope.level

    def retries_errors(self, controller: Controller) -> bool:
        """Whether a failed reconcile is tried again after a while: by the error rule, if it is in force."""
        return controller.error.policy in RETRYING and f"{controller.name}.on error" in self._in_force

    def resyncs(self, controller: Controller) -> bool:
        """Whether the informers' resync of a controller is in force."""
        return f"{controller.name}.resync" in self._in_force

    def watching(self, controller: Controller) -> tuple[Watch, ...]:
        """The watches of a controller that are in force."""
        return tuple(w for w in controller.watches if f"{controller.name}.watch {w.name}" in self._in_force)

    def periodic(self, controller: Controller) -> Rule | None:
        """The rule that `await change` arms: the shortest of the declared periods in force."""
        rules = [rule for rule in controller.rules if rule.declared and self.enabled(rule)]
        return min(rules, key=lambda rule: rule.seconds or 0.0, default=None)

    def after_retries(self, controller: Controller) -> Rule | None:
        """What is left when the retries are exhausted: the runtime's own period, if it is in force."""
        rules = [rule for rule in controller.rules if rule.name == RUNTIME_PERIOD and self.enabled(rule)]
        return rules[0] if rules else None

    @cached_property
    def _in_force(self) -> frozenset[str]:
        return in_force(self.operator.controllers, self.scope)

    @cached_property
    def _watches(self) -> dict[str, list[tuple[Controller, Watch]]]:
        found: dict[str, list[tuple[Controller, Watch]]] = {}
        for controller in self.operator.controllers:
            for watch in self.watching(controller):
                found.setdefault(watch.target, []).append((controller, watch))
        return found

    def watches(self, target: str) -> tuple[tuple[Controller, Watch], ...]:
        """Every watch in force on an object or external."""
        return tuple(self._watches.get(target, ()))

    def watches_of(self, manager: Manager, target: str) -> tuple[tuple[Controller, Watch], ...]:
        """Every watch in force on an object or external by a controller of a process."""
        return tuple(one for one in self.watches(target) if one[0].manager.name == manager.name)

    def holders(self, target: str) -> tuple[str, ...]:
        """The controllers of which it matters which version of the object their run has."""
        return tuple(name for name, flow in self.flows.items() if target in flow.held)

    def always_exists(self, target: str) -> bool:
        """Whether the object cannot be absent; externals always exist."""
        holder = self.operator.objects.get(target)
        return holder is None or holder.always_exists

    def fields(self, target: str) -> tuple[Variable, ...]:
        """The live fields of an object or external."""
        holder = self.operator.objects.get(target) or self.operator.externals[target]
        return holder.fields

    def snapshot(self, target: str) -> tuple[str, ...]:
        """The names (without the object) of all that an event about it can show."""
        names = [variable.name[len(target) + 1 :] for variable in self.fields(target)]
        return ("exists", "deleting", *names)


def event_name(watch: Watch) -> str:
    """The variable that says a matching change is still to be delivered."""
    return f"event({watch.controller}: {watch.name})"


def registered_name(watch: Watch) -> str:
    """The variable that says a late watch has been started."""
    return f"registered({watch.controller}: {watch.name})"


def after_gap(filter_: Filter) -> Filter:
    """The predicate as it is put to the two ends of a gap in a watch.

    A generation only grows, so where an event was pending it differs, whatever the spec is by then; predicates
    over values see the two ends only.
    """
    return replace(filter_, parts=None) if filter_.by_generation else filter_


def maps_change(watch: Watch) -> bool:
    """Whether the mapping reads the changed object only, so that each change is mapped by itself.

    A mapping that reads anything else is evaluated with the cache as it is when the event is delivered.
    """
    return all(variable.name.startswith(("old.", "new.")) for variable in e.variables(watch.mapping))


def timer_action(controller: Controller, timer: str) -> str:
    """The step by which a timer fires: fair on its own, so two controllers never share one."""
    if timer == ERROR_TIMER:
        return f"retry {controller.name}"
    return f"fire {controller.name}: {timer}" if timer == RUNTIME_PERIOD else f"fire {timer}"


def layout(operator: Operator, scope: Scope) -> Layout:
    """The state variables of an operator in a scope."""
    caches = tuple(_cache(operator, manager) for manager in operator.managers)
    flows = {controller.name: flow(operator, controller) for controller in operator.controllers}
    partial = Layout(operator, scope, (), caches, flows)
    return Layout(operator, scope, tuple(_variables(partial)), caches, flows)


def _cache(operator: Operator, manager: Manager) -> Cache:
    controllers = operator.controllers_of(manager)
    views = frozenset(_views(operator, manager, controllers))
    lagging = frozenset(name for name in operator.objects if any(v.startswith(f"{name}.") for v in views))
    updated = frozenset(one.target for one in _writes(controllers) if one.verb == "update")
    return Cache(manager, views, lagging | updated, frozenset(_recreated(operator, manager, controllers)))


def _variables(shape: Layout) -> Iterator[Variable]:
    operator = shape.operator
    for controller in operator.controllers:
        name = controller.name
        steps = shape.flows[name]
        yield Variable(f"pc({name})", EnumType((IDLE, STOPPED, *steps.labels.values())), IDLE)
        yield Variable(f"queued({name})", BOOL, False)
        timers = _timers(shape, controller)
        if timers:
            yield Variable(f"timer({name})", EnumType((NO_TIMER, *timers)), NO_TIMER)
        if controller.error.policy == "retry" and shape.retries_errors(controller):
            yield Variable(f"retries({name})", RangeType(0, controller.error.retries), 0)
        for local in steps.locals:
            yield Variable(local.name, local.type, zero(local.type))
        for rule in controller.rules:
            if shape.enabled(rule):
                for captured, _ in rule.captures:
                    yield Variable(captured.name, captured.type, zero(captured.type))
    yield from operator.memory
    yield from operator.clocks
    for external in operator.externals.values():
        yield from external.fields
        yield from _watch_variables(shape, external.name)
    for target in operator.objects:
        yield from _object_variables(shape, target)


def _object_variables(shape: Layout, target: str) -> Iterator[Variable]:
    object_ = shape.operator.objects[target]
    if not object_.always_exists:
        initial = {"present": True, "absent": False, "any": None}[object_.presence]
        yield Variable(f"{target}.exists", BOOL, initial)
        yield from _copies(shape, Variable(f"{target}.exists", BOOL, initial))
    if object_.can_be_deleting:
        yield Variable(f"{target}.deleting", BOOL, False)
        yield from _copies(shape, Variable(f"{target}.deleting", BOOL, False))
    for field in object_.fields:
        yield field
        yield from _copies(shape, field)
    for cache in shape.caches:
        if target in cache.stale:
            yield Variable(cache.manager.stale(target), BOOL, False)
        if target in cache.recreated:
            yield Variable(cache.manager.recreated(target), BOOL, False)
    for holder in shape.holders(target):
        yield shape.flows[holder].held[target]
    yield from _watch_variables(shape, target)


def _copies(shape: Layout, live: Variable) -> Iterator[Variable]:
    for cache in shape.caches:
        if live.name in cache.views:
            yield Variable(cache.manager.view(live.name), live.type, live.initial)


def _watch_variables(shape: Layout, target: str) -> Iterator[Variable]:
    for _, watch in shape.watches(target):
        yield Variable(event_name(watch), BOOL, False)
        if watch.late:
            yield Variable(registered_name(watch), BOOL, False)


def _timers(shape: Layout, controller: Controller) -> tuple[str, ...]:
    timers = [rule.name for rule in controller.rules if shape.enabled(rule)]
    if shape.retries_errors(controller):
        timers.append(ERROR_TIMER)
    return tuple(timers)


def _writes(controllers: tuple[Controller, ...]) -> Iterator[Write]:
    for controller in controllers:
        for instruction in controller.program.code:
            if isinstance(instruction, Write):
                yield instruction


def _views(operator: Operator, manager: Manager, controllers: tuple[Controller, ...]) -> Iterator[str]:
    """Live variables whose cached copy is read: by a reconcile, a deadline, a mapping or a relist."""

    def viewed(expression: e.Expr) -> Iterator[str]:
        for variable in e.variables(expression):
            if is_view(variable.name):
                yield live_name(variable.name)

    def versions(expression: e.Expr, target: str) -> Iterator[str]:
        for variable in e.variables(expression):
            if variable.name.startswith(("old.", "new.")):
                yield f"{target}.{variable.name[4:]}"

    keeps_old = "relist" in operator.faults and manager.profile["relist"] == "keeps_deletes"
    for controller in controllers:
        primary = operator.objects[controller.primary]
        if manager.profile["missing_primary"] == "dropped" and not primary.always_exists:
            yield f"{primary.name}.exists"
        for instruction in controller.program.code:
            for expression in expressions(instruction):
                yield from viewed(expression)
        for rule in controller.rules:
            for _, value in rule.captures:
                yield from viewed(value)
        for watch in controller.watches:
            yield from viewed(watch.mapping)
            if watch.target in operator.externals:
                continue
            object_ = operator.objects[watch.target]
            wanted = list(versions(watch.mapping, watch.target))
            if keeps_old:
                filter_ = after_gap(watch.filter)
                for _, condition in filter_.conditions:
                    wanted += versions(condition, watch.target)
                wanted += [f"{watch.target}.{part}" for part in filter_.parts or ()]
                if filter_.parts is not None and filter_.on_deletion_mark and object_.can_be_deleting:
                    wanted.append(f"{watch.target}.deleting")
                if not object_.always_exists:
                    wanted.append(f"{watch.target}.exists")
            elif wanted and not object_.always_exists:
                wanted.append(f"{watch.target}.exists")
            yield from wanted


def _recreated(operator: Operator, manager: Manager, controllers: tuple[Controller, ...]) -> Iterator[str]:
    if "relist" not in operator.faults or manager.profile["relist"] != "keeps_deletes":
        return
    for controller in controllers:
        for watch in controller.watches:
            object_ = operator.objects.get(watch.target)
            if object_ is not None and object_.deletable and object_.creatable and watch.filter.by_generation:
                yield watch.target
