"""The reference interpreter, part one: objects, the cache, and who hears of a change.

A step is a `Run`: it changes a copy of the state.  Where it may go several ways, the code asks `choose`, and is
run once for each way.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from reconcheck.model import expr as e
from reconcheck.model.managers import Manager
from reconcheck.model.operator import (
    Filter,
    Operator,
    Scope,
    Target,
    Variable,
    Watch,
)
from reconcheck.model.types import OpaqueType, Value, contains, domain, is_finite, zero
from reconcheck.semantics.flow import NEWEST, OUTDATED, held_name
from reconcheck.semantics.layout import (
    Layout,
    event_name,
    layout,
    maps_change,
    registered_name,
)
from reconcheck.semantics.steps import Endless, Step

State = dict[str, Value]
Snapshot = dict[str, Value]
Choose = Callable[[list[Value]], Value]


class Run(Struct):
    """One attempt at a step: the state being changed, and the choices made on the way."""

    state: State
    choose: Choose
    step: Step
    locals: State = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """The opaque values seen since the step began: a new one differs from them all."""

    def value(self, expression: e.Expr, versions: State | None = None) -> Value:
        """The value of an expression in the state, the locals, and old and new versions."""
        return e.evaluate(expression, {**self.state, **self.locals, **(versions or {})})


class World:
    """The objects and externals of a state, and what each process has of them in its cache."""

    def __init__(self, operator: Operator, scope: Scope, numbers: tuple[int, ...] | None = None) -> None:
        self.operator = operator
        self.layout: Layout = layout(operator, scope)
        self.names = tuple(variable.name for variable in self.layout.variables)
        self.types = {variable.name: variable.type for variable in self.layout.variables}
        self.opaque_names = tuple(name for name, type_ in self.types.items() if isinstance(type_, OpaqueType))
        self.numbers = None if numbers is None else tuple(sorted({0, *numbers}))
        """The integers that `any` tries on an unbounded variable, 0 among them, which each can be; None where that is
        not allowed."""

    def _any(self, run: Run, variable: Variable) -> Value:
        """Any value of the variable's type; an opaque one is a known value or a new one."""
        if is_finite(variable.type):
            return run.choose(list(domain(variable.type)))
        if isinstance(variable.type, OpaqueType):
            options: list[Value] = [*sorted(run.known), max(run.known, default=0) + 1]
            value = run.choose(options)
            run.known.add(int(value))
            return value
        if self.numbers is None:
            raise Endless(run.step, variable.name)
        return run.choose([number for number in self.numbers if contains(variable.type, number)])

    def _can_be_any(self, variable: Variable, value: Value) -> bool:
        """Whether `any` can be this value: each of the type, but for `none`."""
        return contains(variable.type, value) and not (isinstance(variable.type, OpaqueType) and value == 0)

    def _exists(self, state: State, target: str) -> bool:
        return self.layout.always_exists(target) or bool(state[f"{target}.exists"])

    def _snapshot(self, state: State, target: str) -> Snapshot:
        shown: Snapshot = {
            variable.name[len(target) + 1 :]: state[variable.name] for variable in self.layout.fields(target)
        }
        shown["exists"] = self._exists(state, target)
        shown["deleting"] = bool(state.get(f"{target}.deleting", False))
        return shown

    def _view(self, state: State, manager: Manager, target: str) -> Snapshot:
        """What a process's cache knows; fields it does not keep are shown as they are."""
        shown = self._snapshot(state, target)
        for name in shown:
            shown[name] = state.get(manager.view(f"{target}.{name}"), shown[name])
        return shown

    def _settle(self, run: Run, target: str) -> None:
        """An object with a deletion timestamp and no finalizer is gone; what is gone has no content."""
        object_, state = self.operator.objects[target], run.state
        if state.get(f"{target}.deleting") and not any(state[f.name] for f in object_.finalizers):
            state[f"{target}.exists"] = False
        if not self._exists(state, target):
            for variable in object_.fields:
                state[variable.name] = zero(variable.type)
            if object_.can_be_deleting:
                state[f"{target}.deleting"] = False

    def _publish(self, run: Run, target: str, old: Snapshot, writer: str | None = None, filtered: bool = False) -> None:
        """After a change: the caches lag, and each watch that lets the change through has an event.

        `writer` is the controller that made it and got an answer; with `filtered`, it is not told of it again.
        """
        if target in self.operator.objects:
            self._settle(run, target)
        new, state = self._snapshot(run.state, target), run.state
        if new != old:
            for cache in self.layout.caches:
                if target in cache.stale:
                    state[cache.manager.stale(target)] = True
                if target in cache.recreated and old["exists"] and not new["exists"]:
                    state[cache.manager.recreated(target)] = True
            for controller in self.layout.holders(target):
                name = held_name(controller, target)
                state[name] = OUTDATED if state[name] == NEWEST else state[name]
            for watcher, watch in self.layout.watches(target):
                if filtered and watcher.name == writer and target != watcher.primary:
                    continue
                active = not watch.late or bool(state[registered_name(watch)])
                if active and self._passes(run, watch.filter, old, new):
                    if not maps_change(watch) or self._leads_here(run, watch, old, new):
                        state[event_name(watch)] = True
        if writer is not None and writer in self.layout.holders(target):
            state[held_name(writer, target)] = NEWEST

    def _passes(self, run: Run, filter_: Filter, old: Snapshot, new: Snapshot) -> bool:
        """Whether a predicate lets an event through."""
        if not old["exists"] and not new["exists"]:
            return False
        kind = "create" if not old["exists"] else "delete" if not new["exists"] else "update"
        if kind not in filter_.kinds:
            return False
        before, after = (new, new) if kind == "create" else (old, old) if kind == "delete" else (old, new)
        versions: State = {f"old.{name}": value for name, value in before.items()}
        versions |= {f"new.{name}": value for name, value in after.items()}
        if not all(run.value(condition, versions) for of, condition in filter_.conditions if of == kind):
            return False
        if kind != "update" or filter_.parts is None:
            return True
        marked = filter_.on_deletion_mark and not old["deleting"] and bool(new["deleting"])
        return marked or any(old[part] != new[part] for part in filter_.parts)

    def _leads_here(self, run: Run, watch: Watch, old: Snapshot, new: Snapshot) -> bool:
        """Whether the mapping leads to the controller's key."""
        last = new if new["exists"] else old
        versions: State = {f"old.{name}": value for name, value in old.items()}
        versions |= {f"new.{name}": value for name, value in last.items()}
        return bool(run.value(watch.mapping, versions))

    def _refresh(self, run: Run, manager: Manager, target: str) -> None:
        """A process's cache takes over the live object."""
        for name in self.layout.snapshot(target):
            view = manager.view(f"{target}.{name}")
            if view in run.state:
                run.state[view] = run.state[f"{target}.{name}"]
        for flag in (manager.stale(target), manager.recreated(target)):
            if flag in run.state:
                run.state[flag] = False

    def _assign(self, run: Run, assignments: tuple[Target, ...]) -> None:
        values = [
            (target.variable, run.value(target.value) if target.value is not None else None) for target in assignments
        ]
        for variable, value in values:
            run.state[variable.name] = self._any(run, variable) if value is None else value

    def _fill(self, run: Run, target: str, assigned: tuple[Target, ...]) -> None:
        """A new object holds what the request gives, and the declared initial values otherwise."""
        given = {one.variable.name for one in assigned}
        for variable in self.operator.objects[target].fields:
            if variable.name not in given:
                initial = variable.initial
                run.state[variable.name] = self._any(run, variable) if initial is None else initial

    def _adds_finalizer(self, state: State, target: str, old: Snapshot) -> bool:
        """Whether an object that is being deleted got a new finalizer, which the API server refuses."""
        object_ = self.operator.objects.get(target)
        if object_ is None or not state.get(f"{target}.deleting"):
            return False
        return any(state[v.name] and not old[v.name[len(target) + 1 :]] for v in object_.finalizers)

    def _delete(self, run: Run, target: str) -> None:
        object_ = self.operator.objects[target]
        if any(run.state[variable.name] for variable in object_.finalizers):
            run.state[f"{target}.deleting"] = True
        else:
            run.state[f"{target}.exists"] = False
