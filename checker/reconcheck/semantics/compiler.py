"""Compiles an operator to guarded commands.

The same meaning as `interpreter`, said once more in formulas: a state is a map from variables to expressions
over the state before.  That the two agree, state by state, is tested on every model and on random ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.model import expr as e
from reconcheck.model.managers import Manager, is_view
from reconcheck.model.operator import (
    Action,
    Controller,
    Filter,
    Operator,
    Rule,
    Scope,
    Target,
    Watch,
)
from reconcheck.model.types import BOOL, EnumType, zero
from reconcheck.semantics.draft import Draft
from reconcheck.semantics.flow import NEWEST, OUTDATED, VERSION, held_name
from reconcheck.semantics.layout import (
    ERROR_TIMER,
    IDLE,
    NO_TIMER,
    STOPPED,
    Layout,
    after_gap,
    event_name,
    layout,
    maps_change,
    registered_name,
    timer_action,
)
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.system import Command, System

Snapshot = dict[str, e.Expr]


def compile_system(operator: Operator, scope: Scope) -> System:
    """The transition system of an operator in a scope."""
    from reconcheck.semantics.compile_reconcile import reconcile_commands

    shape = layout(operator, scope)
    compiler = Compiler(shape)
    commands = [*compiler.commands()]
    for controller in operator.controllers:
        commands += reconcile_commands(compiler, controller)
    possible = [command for command in commands if command.guard != e.FALSE and command.updates]
    # the order decides between equally short traces: reconciles in one piece, disturbances and faults late
    kinds = list(Kind)
    possible.sort(key=lambda c: (kinds.index(c.step.kind), not c.step.action.startswith("reconcile ")))
    return System(operator, scope, shape, shape.variables, compiler.initial(), tuple(possible))


class Compiler:
    """Formulas for each kind of step."""

    def __init__(self, shape: Layout) -> None:
        self.layout = shape
        self.operator = shape.operator
        self.types = {variable.name: variable.type for variable in shape.variables}

    def draft(self, action: str, kind: Kind, detail: str = "") -> Draft:
        """An empty command."""
        return Draft(Step(action, kind, detail), self.types)

    def constant(self, name: str, value: str) -> e.Const:
        """A value of an enum variable."""
        return e.Const(value, self.types[name])

    def initial(self) -> Command:
        """The first state, as a command from anything."""
        draft = self.draft("begin", Kind.FAIR)
        for variable in self.layout.variables:
            draft[variable.name] = e.Const(zero(variable.type), variable.type)
            if variable.initial is not None:
                draft[variable.name] = e.Const(variable.initial, variable.type)
            elif not is_view(variable.name):
                draft[variable.name] = draft.any(variable.type)
        for target in self.operator.objects:
            self.settle(draft, target)
        for manager in self.operator.managers:
            self.restart(draft, manager, begins=True)
        return Command(draft.step, e.TRUE, tuple(draft.state.items()), tuple(draft.inputs))

    def commands(self) -> Iterator[Command]:
        """Every command but those of running reconciles."""
        for manager in self.operator.managers:
            for target in (*self.operator.objects, *self.operator.externals):
                yield self.sync(manager, target)
        for controller in self.operator.controllers:
            yield self.start(controller)
            yield from self.timers(controller)
        for action in self.operator.actions:
            yield self.act(action)
        yield from self.faults()

    def faults(self) -> Iterator[Command]:
        """Crash, relist and lost events, as far as they are on."""
        if "crash" in self.operator.faults:
            for manager in self.operator.managers:
                draft = self.draft(manager.crash, Kind.FAULT)
                self.restart(draft, manager, begins=False)
                yield draft.command()
        if "relist" in self.operator.faults:
            for manager in self.operator.managers:
                for target in self.operator.objects:
                    yield self.relist(manager, target)
            for controller in self.operator.controllers:
                if controller.profile["relist_early"] == "yes":
                    yield self.relist_early(controller)
        if "lost_event" in self.operator.faults:
            for controller in self.operator.controllers:
                for watch in self.layout.watching(controller):
                    draft = self.draft(f"lose {event_name(watch)}", Kind.FAULT)
                    draft[event_name(watch)] = e.FALSE
                    yield draft.command()

    # ---- objects and events ----------------------------------------------------------------------------

    def exists(self, draft: Draft, target: str) -> e.Expr:
        """Whether the object is there."""
        return e.TRUE if self.layout.always_exists(target) else draft[f"{target}.exists"]

    def snapshot(self, draft: Draft, target: str) -> Snapshot:
        """The live object, field by field."""
        shown = {v.name[len(target) + 1 :]: draft[v.name] for v in self.layout.fields(target)}
        shown["exists"] = self.exists(draft, target)
        shown["deleting"] = draft.get(f"{target}.deleting", e.FALSE)
        return shown

    def view(self, draft: Draft, manager: Manager, target: str) -> Snapshot:
        """What a process's cache knows; fields it does not keep are shown as they are."""
        shown = self.snapshot(draft, target)
        return {name: draft.get(manager.view(f"{target}.{name}"), value) for name, value in shown.items()}

    def settle(self, draft: Draft, target: str) -> None:
        """Gone without finalizer while deleting; no content while gone."""
        object_ = self.operator.objects[target]
        if object_.can_be_deleting:
            held = e.either(*(draft[variable.name] for variable in object_.finalizers))
            gone = e.both(draft[f"{target}.deleting"], e.negate(held))
            draft.where(gone, f"{target}.exists", e.FALSE)
        if object_.always_exists:
            return
        exists = draft[f"{target}.exists"]
        for variable in object_.fields:
            draft.unless(exists, variable.name, e.Const(zero(variable.type), variable.type))
        if object_.can_be_deleting:
            draft.unless(exists, f"{target}.deleting", e.FALSE)

    def publish(self, draft: Draft, target: str, old: Snapshot) -> None:
        """The caches lag and watches have events, where the object changed."""
        if target in self.operator.objects:
            self.settle(draft, target)
        new = self.snapshot(draft, target)
        changed = e.either(*(e.negate(e.equal(old[name], new[name])) for name in new))
        for cache in self.layout.caches:
            if target in cache.stale:
                draft.where(changed, cache.manager.stale(target), e.TRUE)
            if target in cache.recreated:
                gone = e.both(old["exists"], e.negate(new["exists"]))
                draft.where(gone, cache.manager.recreated(target), e.TRUE)
        for holder in self.layout.holders(target):
            name = held_name(holder, target)
            newest = e.equal(draft[name], e.Const(NEWEST, VERSION))
            draft.where(e.both(changed, newest), name, e.Const(OUTDATED, VERSION))
        for _, watch in self.layout.watches(target):
            active = draft[registered_name(watch)] if watch.late else e.TRUE
            passes = self.passes(draft, watch.filter, old, new)
            passes = e.both(active, passes if e.plainly_implies(passes, changed) else e.both(changed, passes))
            if maps_change(watch):
                passes = e.both(passes, self.leads_here(draft, watch, old, new))
            draft.where(passes, event_name(watch), e.TRUE)

    def passes(self, draft: Draft, filter_: Filter, old: Snapshot, new: Snapshot) -> e.Expr:
        """The condition under which a predicate lets the change from `old` to `new` through."""

        def holds(kind: str, before: Snapshot, after: Snapshot) -> e.Expr:
            if kind not in filter_.kinds:
                return e.FALSE
            versions = {f"old.{name}": value for name, value in before.items()}
            versions |= {f"new.{name}": value for name, value in after.items()}
            return e.both(*(draft.value(c, versions) for of, c in filter_.conditions if of == kind))

        was, is_ = old["exists"], new["exists"]
        update = holds("update", old, new)
        if filter_.parts is not None and update != e.FALSE:
            parts = [e.negate(e.equal(old[part], new[part])) for part in sorted(filter_.parts)]
            if filter_.on_deletion_mark:
                parts.append(e.both(e.negate(old["deleting"]), new["deleting"]))
            update = e.both(update, e.either(*parts))
        return e.either(
            e.both(e.negate(was), is_, holds("create", new, new)),
            e.both(was, e.negate(is_), holds("delete", old, old)),
            e.both(was, is_, update),
        )

    def wake(self, draft: Draft, controller: Controller, condition: e.Expr) -> None:
        """Queues the key where the condition holds, and disarms a timer that events consume."""
        draft.where(condition, f"queued({controller.name})", e.TRUE)
        if controller.profile["timer_on_event"] == "consumed":
            self.disarm(draft, controller, condition)

    def leads_here(self, draft: Draft, watch: Watch, old: Snapshot, new: Snapshot) -> e.Expr:
        """The condition under which the mapping leads to the controller's key."""
        versions = {f"old.{name}": value for name, value in old.items()}
        versions |= {f"new.{name}": e.choose(new["exists"], value, old[name]) for name, value in new.items()}
        return draft.value(watch.mapping, versions)

    def deliver(
        self, draft: Draft, controller: Controller, watch: Watch, condition: e.Expr, old: Snapshot, new: Snapshot
    ) -> None:
        """Wakes the controller where the mapping leads to its key."""
        self.wake(draft, controller, e.both(condition, self.leads_here(draft, watch, old, new)))

    def refresh(self, draft: Draft, manager: Manager, target: str) -> None:
        """A process's cache takes over the live object."""
        for name in self.layout.snapshot(target):
            if manager.view(f"{target}.{name}") in self.types:
                draft[manager.view(f"{target}.{name}")] = draft[f"{target}.{name}"]
        for flag in (manager.stale(target), manager.recreated(target)):
            if flag in self.types:
                draft[flag] = e.FALSE

    def sync(self, manager: Manager, target: str) -> Command:
        """A process's cache catches up, and pending events are delivered."""
        draft = self.draft(manager.sync(target), Kind.FAIR)
        watches = list(self.layout.watches_of(manager, target))
        pending = {event_name(watch): draft[event_name(watch)] for _, watch in watches}
        draft.guard = e.either(draft.get(manager.stale(target), e.FALSE), *pending.values())
        old = self.view(draft, manager, target)
        self.refresh(draft, manager, target)
        new = self.snapshot(draft, target)
        for controller, watch in watches:
            name = event_name(watch)
            draft[name] = e.FALSE
            if maps_change(watch):
                self.wake(draft, controller, pending[name])
            else:
                self.deliver(draft, controller, watch, pending[name], old, new)
        return draft.command()

    # ---- the queue and the timers --------------------------------------------------------------------------

    def start(self, controller: Controller) -> Command:
        """A queued key is taken up."""
        name = controller.name
        draft = self.draft(f"start {name}", Kind.FAIR)
        idle = e.equal(draft[f"pc({name})"], self.constant(f"pc({name})", IDLE))
        draft.guard = e.both(idle, draft[f"queued({name})"])
        draft[f"queued({name})"] = e.FALSE
        known = draft.get(controller.manager.view(f"{controller.primary}.exists"), e.TRUE)
        if controller.profile["missing_primary"] == "runs":
            known = e.TRUE
        flow, entry = self.layout.flows[name], controller.program.resume(0)
        draft.where(known, f"pc({name})", self.constant(f"pc({name})", flow.labels[entry]))
        for target, held in flow.held.items():
            live = controller.manager.name not in self.operator.objects[target].cached
            if live and held.name in flow.needed[entry]:
                draft.where(known, held.name, e.Const(NEWEST, VERSION))
        return draft.command()

    def timers(self, controller: Controller) -> Iterator[Command]:
        """Timers that fire, and the informers' resync."""
        slot = f"timer({controller.name})"
        type_ = self.types.get(slot)
        for timer in type_.values if isinstance(type_, EnumType) else ():
            if timer == NO_TIMER:
                continue
            rule = None if timer == ERROR_TIMER else self.layout.rule(timer)
            draft = self.draft(timer_action(controller, timer), Kind.FAIR)
            draft.guard = e.equal(draft[slot], self.constant(slot, timer))
            if rule is not None and rule.condition is not None:
                draft.guard = e.both(draft.guard, draft.value(rule.condition))
            self.disarm(draft, controller, e.TRUE)
            draft[f"queued({controller.name})"] = e.TRUE
            yield draft.command()
        if self.layout.resyncs(controller):
            for watch in self.layout.watching(controller):
                if watch.target in self.operator.objects:
                    yield self.resync(controller, watch)

    def resync(self, controller: Controller, watch: Watch) -> Command:
        """An update whose old and new are equal."""
        draft = self.draft(f"resync {watch.controller}: {watch.name}", Kind.FAIR)
        shown = self.view(draft, controller.manager, watch.target)
        active = draft[registered_name(watch)] if watch.late else e.TRUE
        draft.guard = e.both(active, shown["exists"], self.passes(draft, watch.filter, shown, shown))
        self.deliver(draft, controller, watch, e.TRUE, shown, shown)
        return draft.command()

    def disarm(self, draft: Draft, controller: Controller, condition: e.Expr) -> None:
        """Stops the key's timer where the condition holds."""
        slot = f"timer({controller.name})"
        if slot not in self.types:
            return
        draft.where(condition, slot, self.constant(slot, NO_TIMER))
        for rule in controller.rules:
            for captured, _ in rule.captures:
                if captured.name in self.types:
                    draft.where(condition, captured.name, e.Const(zero(captured.type), captured.type))

    def arm(
        self, draft: Draft, controller: Controller, timer: str, rule: Rule | None, locals_: dict[str, e.Expr]
    ) -> None:
        """Starts a timer in the key's one slot."""
        slot = f"timer({controller.name})"
        captures = rule.captures if rule is not None else ()
        captured = [(variable, draft.value(value, locals_)) for variable, value in captures]
        allowed: e.Expr = e.TRUE
        if controller.profile["requeue_if_queued"] == "dropped":
            allowed = e.negate(draft[f"queued({controller.name})"])
        if controller.profile["timer_merge"] == "earliest":
            allowed = e.both(allowed, self._wins(draft, controller, timer, rule))
        self.disarm(draft, controller, allowed)
        draft.where(allowed, slot, self.constant(slot, timer))
        for variable, value in captured:
            draft.where(allowed, variable.name, value)

    def _wins(self, draft: Draft, controller: Controller, timer: str, rule: Rule | None) -> e.Expr:
        """Whether a new timer takes the slot from the one that is there: the earlier one does."""
        slot = f"timer({controller.name})"
        type_ = self.types[slot]
        assert isinstance(type_, EnumType)
        current = draft[slot]
        loses: list[e.Expr] = []
        open_: list[e.Expr] = []
        for other in type_.values:
            if other == NO_TIMER:
                continue
            old = None if other == ERROR_TIMER else self.layout.rule(other)
            there = e.equal(current, self.constant(slot, other))
            surely = old is not None and old.surely_before(rule)
            same = other == timer and not (rule is not None and rule.captures)
            (loses if surely or same else open_).append(there)
        undecided = e.either(*open_)
        if undecided == e.FALSE:
            return e.negate(e.either(*loses))
        return e.both(e.negate(e.either(*loses)), e.either(e.negate(undecided), draft.any(BOOL)))

    # ---- the environment and the faults -----------------------------------------------------------------------

    def assign(self, draft: Draft, assignments: tuple[Target, ...], locals_: dict[str, e.Expr] | None = None) -> None:
        """Assigns all at once."""
        values: list[tuple[str, e.Expr]] = []
        for target in assignments:
            value = draft.any(target.variable.type) if target.value is None else draft.value(target.value, locals_)
            values.append((target.variable.name, value))
        for name, value in values:
            draft[name] = value

    def fill(self, draft: Draft, target: str, assigned: tuple[Target, ...]) -> None:
        """The declared initial values of a new object."""
        given = {one.variable.name for one in assigned}
        for variable in self.operator.objects[target].fields:
            if variable.name not in given:
                initial = variable.initial
                value = draft.any(variable.type) if initial is None else e.Const(initial, variable.type)
                draft[variable.name] = value

    def delete(self, draft: Draft, target: str) -> None:
        """Marks the object, or removes it where no finalizer holds it."""
        object_ = self.operator.objects[target]
        held = e.either(*(draft[variable.name] for variable in object_.finalizers))
        if object_.can_be_deleting:
            draft.where(held, f"{target}.deleting", e.TRUE)
        draft.unless(held, f"{target}.exists", e.FALSE)

    def adds_finalizer(self, draft: Draft, target: str, old: Snapshot) -> e.Expr:
        """Whether an object that is being deleted gets a new finalizer, which the API server refuses."""
        object_ = self.operator.objects.get(target)
        finalizers = object_.finalizers if object_ is not None else ()
        added = (e.both(draft[v.name], e.negate(old[v.name[len(target) + 1 :]])) for v in finalizers)
        return e.both(draft.get(f"{target}.deleting", e.FALSE), e.either(*added))

    def act(self, action: Action) -> Command:
        """An action of the environment."""
        kind = {"process": Kind.FAIR, "noise": Kind.NOISE, "disturbance": Kind.DISTURBANCE}[action.kind]
        draft = self.draft(f"{action.kind} {action.name}", kind)
        draft.guard = draft.value(action.guard)
        for change in action.changes:
            target = change.target
            if target not in self.operator.objects and target not in self.operator.externals:
                self.assign(draft, change.assignments)
                continue
            exists = self.exists(draft, target)
            possible = e.negate(exists) if change.verb == "create" else exists
            if change.verb == "delete":
                possible = e.both(possible, e.negate(draft.get(f"{target}.deleting", e.FALSE)))
            draft.guard = e.both(draft.guard, possible)
            old = self.snapshot(draft, target)
            if change.verb == "delete":
                self.delete(draft, target)
            else:
                self.assign(draft, change.assignments)
                draft.guard = e.both(draft.guard, e.negate(self.adds_finalizer(draft, target, old)))
            if change.verb == "create":
                self.fill(draft, target, change.assignments)
                draft[f"{target}.exists"] = e.TRUE
            self.publish(draft, target, old)
        return draft.command()

    def restart(self, draft: Draft, manager: Manager, begins: bool) -> None:
        """A fresh process, the first one or a later one."""
        operator = self.operator
        controllers = operator.controllers_of(manager)
        kept_timers = not begins and manager.profile["timer_at_restart"] == "kept"
        all_wake = begins or manager.profile["listed_primary"] == "wakes"
        busy = {one.name: self.busy(draft, one) for one in controllers if not all_wake}
        pending = {event_name(w): draft[event_name(w)] for one in controllers for w in self.layout.watching(one)}
        for target in (*operator.objects, *operator.externals):
            self.refresh(draft, manager, target)
            for _, watch in self.layout.watches_of(manager, target):
                draft[event_name(watch)] = e.FALSE
                if watch.late:
                    draft[registered_name(watch)] = e.FALSE
        for variable in operator.memory_of(manager):
            value = zero(variable.type) if variable.initial is None else variable.initial
            draft[variable.name] = e.Const(value, variable.type)
        for controller in controllers:
            name, flow = controller.name, self.layout.flows[controller.name]
            draft[f"pc({name})"] = self.constant(f"pc({name})", IDLE)
            draft[f"queued({name})"] = e.FALSE
            for variable in flow.kept:
                draft[variable.name] = e.Const(zero(variable.type), variable.type)
            if f"retries({name})" in self.types:
                draft[f"retries({name})"] = e.Const(0, self.types[f"retries({name})"])
            if not kept_timers:
                self.disarm(draft, controller, e.TRUE)
        for controller in controllers:
            for watch in self.layout.watching(controller):
                if watch.late or watch.target in operator.externals:
                    continue
                listed = self.snapshot(draft, watch.target)
                passes = self.passes(draft, watch.filter, {**listed, "exists": e.FALSE}, listed)
                if not all_wake and watch.target == controller.primary:
                    passes = e.both(passes, e.either(busy[controller.name], pending[event_name(watch)]))
                self.deliver(draft, controller, watch, passes, listed, listed)

    def busy(self, draft: Draft, controller: Controller) -> e.Expr:
        """Whether a key is queued or being reconciled."""
        place = draft[f"pc({controller.name})"]
        rests = (e.equal(place, self.constant(f"pc({controller.name})", label)) for label in (IDLE, STOPPED))
        return e.either(draft[f"queued({controller.name})"], e.negate(e.either(*rests)))

    def relist(self, manager: Manager, target: str) -> Command:
        """After a gap in the watch: old and new are compared, what was in between is not seen."""
        draft = self.draft(manager.relist(target), Kind.FAULT)
        watches = list(self.layout.watches_of(manager, target))
        pending = {event_name(watch): draft[event_name(watch)] for _, watch in watches}
        draft.guard = e.either(draft.get(manager.stale(target), e.FALSE), *pending.values())
        old, new = self.view(draft, manager, target), self.snapshot(draft, target)
        recreated = draft.get(manager.recreated(target), e.FALSE)
        self.refresh(draft, manager, target)
        for controller, watch in watches:
            name = event_name(watch)
            draft[name] = e.FALSE
            active = draft[registered_name(watch)] if watch.late else e.TRUE
            if target == controller.primary and manager.profile["listed_primary"] == "wakes_unhandled":
                wakes = e.both(active, pending[name], new["exists"])
            elif manager.profile["relist"] == "loses_deletes":
                wakes = e.both(active, self.passes(draft, watch.filter, {**new, "exists": e.FALSE}, new))
            else:
                blink = e.both(e.negate(old["exists"]), e.negate(new["exists"]))
                passes = e.either(blink, self.passes(draft, after_gap(watch.filter), old, new))
                wakes = e.both(pending[name], passes)
                if watch.filter.by_generation and recreated != e.FALSE:
                    both_exist = e.both(recreated, old["exists"], new["exists"])
                    wakes = e.both(wakes, e.either(e.negate(both_exist), draft.any(BOOL)))
            self.deliver(draft, controller, watch, wakes, old, new)
        return draft.command()

    def relist_early(self, controller: Controller) -> Command:
        """kube-rs: the trigger comes before the store is swapped."""
        target = controller.primary
        draft = self.draft(controller.manager.relist_page(target), Kind.FAULT)
        draft.guard = draft.get(controller.manager.stale(target), e.FALSE)
        for owner, watch in self.layout.watches(target):
            if owner.name == controller.name:
                draft[event_name(watch)] = e.FALSE
                listed = self.snapshot(draft, target)
                active = draft[registered_name(watch)] if watch.late else e.TRUE
                passes = e.both(active, self.passes(draft, watch.filter, {**listed, "exists": e.FALSE}, listed))
                self.deliver(draft, controller, watch, passes, listed, listed)
        return draft.command()
