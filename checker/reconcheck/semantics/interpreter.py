"""The reference interpreter: what a model means, in the plainest way there is.

It takes a state and gives every step that can be taken in it with the state after.  It is written to be
compared with `spec/semantics.md` line by line; it is neither fast nor used to find verdicts, only to check
them.  The parts it is built from are `world`, `keys` and `reconciling`; here are the steps, what the
environment does, and the faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reconcheck.model.managers import Manager, is_view
from reconcheck.model.operator import (
    Action,
    Controller,
    Watch,
)
from reconcheck.model.types import Value, contains, zero
from reconcheck.semantics.layout import (
    ERROR_TIMER,
    IDLE,
    NO_TIMER,
    STOPPED,
    after_gap,
    event_name,
    maps_change,
    registered_name,
    timer_action,
)
from reconcheck.semantics.reconciling import Reconciling
from reconcheck.semantics.steps import Kind, LeftRange, Step
from reconcheck.semantics.world import Run, State


class Interpreter(Reconciling):
    """The steps of an operator in a scope."""

    # ---- states and steps --------------------------------------------------------------------------

    def key(self, state: State) -> tuple[Value, ...]:
        """The state as a tuple, in the order of the layout."""
        return tuple(state[name] for name in self.names)

    def initial(self) -> Iterator[State]:
        """Every state the system can begin in: the operator has just started."""
        return self._beginnings(None)

    def initial_like(self, wanted: State) -> Iterator[State]:
        """Those that begin with the values of a state, where these can be chosen: all may be far too many."""
        return self._beginnings(wanted)

    def _beginnings(self, wanted: State | None) -> Iterator[State]:
        free = [variable for variable in self.layout.variables if variable.initial is None]
        free = [variable for variable in free if not is_view(variable.name)]

        def begin(run: Run) -> bool:
            for variable in self.layout.variables:
                run.state[variable.name] = zero(variable.type) if variable.initial is None else variable.initial
            for variable in free:
                value = None if wanted is None else wanted[variable.name]
                if value is None or not self._can_be_any(variable, value):
                    value = self._any(run, variable)
                run.state[variable.name] = value
            for target in self.operator.objects:
                self._settle(run, target)
            for manager in self.operator.managers:
                self._restart(run, manager, begins=True)
            return True

        for _, state in self._outcomes({}, Step("begin", Kind.FAIR), begin):
            yield state

    def successors(self, state: State, action: str | None = None) -> Iterator[tuple[Step, State]]:
        """Every step possible in a state, or every one of an action, with the state after.

        Raises `LeftRange` and `Endless`.
        """
        for step, attempt in self._attempts(state):
            if action is not None and step.action != action:
                continue
            for done, after in self._outcomes(state, step, attempt):
                if after != state:
                    self._check_types(done, after)
                    yield done, after

    def hears(self, watch: Watch, before: State, after: State) -> str:
        """What a watch makes of a change between two states: event, unregistered, filtered, unmapped or own."""
        run = Run(dict(after), lambda options: options[0], Step("begin", Kind.FAIR))
        old, new = self._snapshot(before, watch.target), self._snapshot(after, watch.target)
        if watch.late and not before[registered_name(watch)]:
            return "unregistered"
        if not self._passes(run, watch.filter, old, new):
            return "filtered"
        if maps_change(watch) and not self._leads_here(run, watch, old, new):
            return "unmapped"
        return "event" if after.get(event_name(watch), True) else "own"

    def listed(self, watch: Watch, state: State) -> str:
        """What a watch makes of the list at the start: event, absent, unregistered, filtered or unmapped."""
        run = Run(dict(state), lambda options: options[0], Step("begin", Kind.FAIR))
        found = self._snapshot(state, watch.target)
        if not found["exists"] or watch.target in self.operator.externals:
            return "absent"
        if watch.late:
            return "unregistered"
        if not self._passes(run, watch.filter, {**found, "exists": False}, found):
            return "filtered"
        return "event" if self._leads_here(run, watch, found, found) else "unmapped"

    def _attempts(self, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        operator, faults = self.operator, self.operator.faults
        for manager in operator.managers:
            for target in (*operator.objects, *operator.externals):
                yield Step(manager.sync(target), Kind.FAIR), partial(self._sync, manager=manager, target=target)
        for controller in operator.controllers:
            yield Step(f"start {controller.name}", Kind.FAIR), partial(self._start, controller=controller)
            yield from self._reconcile_attempts(controller, state)
            yield from self._timer_attempts(controller, state)
        for action in operator.actions:
            kind = {"process": Kind.FAIR, "noise": Kind.NOISE, "disturbance": Kind.DISTURBANCE}[action.kind]
            yield Step(f"{action.kind} {action.name}", kind), partial(self._act, action=action)
        if "crash" in faults:
            for manager in operator.managers:
                yield Step(manager.crash, Kind.FAULT), partial(self._crash, manager=manager)
        if "relist" in faults:
            for manager in operator.managers:
                for target in operator.objects:
                    step = Step(manager.relist(target), Kind.FAULT)
                    yield step, partial(self._relist, manager=manager, target=target)
            for controller in operator.controllers:
                if controller.profile["relist_early"] == "yes":
                    step = Step(controller.manager.relist_page(controller.primary), Kind.FAULT)
                    yield step, partial(self._relist_early, controller=controller)
        if "lost_event" in faults:
            for controller in operator.controllers:
                for watch in self.layout.watching(controller):
                    step = Step(f"lose {event_name(watch)}", Kind.FAULT)
                    yield step, partial(self._lose, watch=watch)

    def _timer_attempts(self, controller: Controller, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        timer = state.get(f"timer({controller.name})", NO_TIMER)
        if timer != NO_TIMER:
            rule = None if timer == ERROR_TIMER else self.layout.rule(str(timer))
            step = Step(timer_action(controller, str(timer)), Kind.FAIR)
            yield step, partial(self._fire, controller=controller, rule=rule)
        if self.layout.resyncs(controller):
            for watch in self.layout.watching(controller):
                if watch.target in self.operator.objects:
                    step = Step(f"resync {watch.controller}: {watch.name}", Kind.FAIR)
                    yield step, partial(self._resync, controller=controller, watch=watch)

    def _outcomes(self, state: State, step: Step, attempt: Callable[[Run], bool]) -> Iterator[tuple[Step, State]]:
        """Runs an attempt once for every sequence of choices."""
        known = {int(state[name]) for name in self.opaque_names if state.get(name)}
        pending: list[list[Value]] = [[]]
        while pending:
            script = pending.pop()
            taken: list[Value] = []

            def choose(options: list[Value], script: list[Value] = script, taken: list[Value] = taken) -> Value:
                if len(taken) < len(script):
                    choice = script[len(taken)]
                else:
                    pending.extend([*taken, option] for option in options[1:])
                    choice = options[0]
                taken.append(choice)
                return choice

            run = Run(dict(state), choose, step, known=set(known))
            if attempt(run):
                yield run.step, run.state

    def _check_types(self, step: Step, state: State) -> None:
        for name, type_ in self.types.items():
            if not contains(type_, state[name]):
                raise LeftRange(step, name, state[name], type_)

    # ---- the environment and the faults --------------------------------------------------------------

    def _act(self, run: Run, action: Action) -> bool:
        """An action happens as a whole: its guard holds, and all it changes can be changed."""
        if not run.value(action.guard):
            return False
        for change in action.changes:
            target = change.target
            if target not in self.operator.objects and target not in self.operator.externals:
                self._assign(run, change.assignments)  # a clock
                continue
            exists = self._exists(run.state, target)
            if exists == (change.verb == "create"):
                return False
            if change.verb == "delete" and run.state.get(f"{target}.deleting"):
                return False
            old = self._snapshot(run.state, target)
            if change.verb == "delete":
                self._delete(run, target)
            else:
                self._assign(run, change.assignments)
                if self._adds_finalizer(run.state, target, old):
                    return False
            if change.verb == "create":
                self._fill(run, target, change.assignments)
                run.state[f"{target}.exists"] = True
            self._publish(run, target, old)
        return True

    def _restart(self, run: Run, manager: Manager, begins: bool) -> None:
        """A fresh process, the first one or a later one: nothing remembered, everything listed, every key queued.

        kopf keeps on the object what of it was handled.
        """
        operator, state = self.operator, run.state
        controllers = operator.controllers_of(manager)
        kept_timers = not begins and manager.profile["timer_at_restart"] == "kept"
        all_wake = begins or manager.profile["listed_primary"] == "wakes"
        unhandled = {
            event_name(watch)
            for controller in controllers
            for watch in self.layout.watching(controller)
            if state[event_name(watch)]
            or state[f"queued({controller.name})"]
            or state[f"pc({controller.name})"] not in (IDLE, STOPPED)
        }
        for target in (*operator.objects, *operator.externals):
            self._refresh(run, manager, target)
            for _, watch in self.layout.watches_of(manager, target):
                state[event_name(watch)] = False
                if watch.late:
                    state[registered_name(watch)] = False
        for variable in operator.memory_of(manager):
            state[variable.name] = zero(variable.type) if variable.initial is None else variable.initial
        for controller in controllers:
            name, flow = controller.name, self.layout.flows[controller.name]
            state[f"pc({name})"] = IDLE
            state[f"queued({name})"] = False
            for variable in flow.kept:
                state[variable.name] = zero(variable.type)
            if f"retries({name})" in state:
                state[f"retries({name})"] = 0
            if not kept_timers and f"timer({name})" in state:
                self._disarm(run, controller)
        for controller in controllers:
            for watch in self.layout.watching(controller):
                if watch.late or watch.target in operator.externals:
                    continue
                if not all_wake and watch.target == controller.primary and event_name(watch) not in unhandled:
                    continue
                listed = self._snapshot(state, watch.target)
                if self._passes(run, watch.filter, {**listed, "exists": False}, listed):
                    self._deliver(run, controller, watch, listed, listed)

    def _crash(self, run: Run, manager: Manager) -> bool:
        self._restart(run, manager, begins=False)
        return True

    def _relist(self, run: Run, manager: Manager, target: str) -> bool:
        """After a gap in the watch, the cache compares what it had with what there is now."""
        state = run.state
        watches = list(self.layout.watches_of(manager, target))
        if not state.get(manager.stale(target), False) and not any(state[event_name(w)] for _, w in watches):
            return False
        old, new = self._view(state, manager, target), self._snapshot(state, target)
        recreated = bool(state.get(manager.recreated(target), False))
        loses_deletes = manager.profile["relist"] == "loses_deletes"
        self._refresh(run, manager, target)
        for controller, watch in watches:
            pending = bool(state[event_name(watch)])
            state[event_name(watch)] = False
            active = not watch.late or bool(state[registered_name(watch)])
            if target == controller.primary and manager.profile["listed_primary"] == "wakes_unhandled":
                wakes = active and pending and bool(new["exists"])
            elif loses_deletes:
                wakes = active and self._passes(run, watch.filter, {**new, "exists": False}, new)
            else:
                blink = not old["exists"] and not new["exists"]  # to miss it whole would be a lost event
                wakes = pending and (blink or self._passes(run, after_gap(watch.filter), old, new))
                if wakes and recreated and watch.filter.by_generation and old["exists"] and new["exists"]:
                    wakes = bool(run.choose([True, False]))  # both may have generation 1
            if wakes:
                self._deliver(run, controller, watch, old, new)
        return True

    def _relist_early(self, run: Run, controller: Controller) -> bool:
        """kube-rs: a page of a relist triggers before the store is swapped; the swap triggers nothing."""
        target = controller.primary
        if not run.state.get(controller.manager.stale(target), False):
            return False
        for owner, watch in self.layout.watches(target):
            if owner.name != controller.name:
                continue  # has a stream of its own
            run.state[event_name(watch)] = False
            listed = self._snapshot(run.state, target)
            active = not watch.late or bool(run.state[registered_name(watch)])
            if active and self._passes(run, watch.filter, {**listed, "exists": False}, listed):
                self._deliver(run, controller, watch, listed, listed)
        return True

    def _lose(self, run: Run, watch: Watch) -> bool:
        run.state[event_name(watch)] = False
        return True
