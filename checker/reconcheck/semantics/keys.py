"""The reference interpreter, part two: a controller's key: what queues it, its one timer, and outcomes."""

from __future__ import annotations

from reconcheck.model.managers import Manager
from reconcheck.model.operator import (
    Controller,
    Rule,
    Watch,
)
from reconcheck.model.types import zero
from reconcheck.semantics.flow import NEWEST
from reconcheck.semantics.layout import (
    ERROR_TIMER,
    IDLE,
    NO_TIMER,
    STOPPED,
    event_name,
    maps_change,
    registered_name,
)
from reconcheck.semantics.world import Run, Snapshot, World


class Keys(World):
    """Each controller's key: one place in the queue, one timer, one running reconcile."""

    def _wake(self, run: Run, controller: Controller) -> None:
        run.state[f"queued({controller.name})"] = True
        if controller.profile["timer_on_event"] == "consumed" and f"timer({controller.name})" in run.state:
            self._disarm(run, controller)

    def _deliver(self, run: Run, controller: Controller, watch: Watch, old: Snapshot, new: Snapshot) -> None:
        """Wakes the controller if the mapping leads to its key."""
        if self._leads_here(run, watch, old, new):
            self._wake(run, controller)

    def _sync(self, run: Run, manager: Manager, target: str) -> bool:
        watches = list(self.layout.watches_of(manager, target))
        pending = [(c, w) for c, w in watches if run.state[event_name(w)]]
        if not pending and not run.state.get(manager.stale(target), False):
            return False
        old = self._view(run.state, manager, target)
        self._refresh(run, manager, target)
        new = self._snapshot(run.state, target)
        for controller, watch in pending:
            run.state[event_name(watch)] = False
            if maps_change(watch):
                self._wake(run, controller)
            else:
                self._deliver(run, controller, watch, old, new)
        return True

    def _start(self, run: Run, controller: Controller) -> bool:
        name, state = controller.name, run.state
        if state[f"pc({name})"] != IDLE or not state[f"queued({name})"]:
            return False
        state[f"queued({name})"] = False
        known = state.get(controller.manager.view(f"{controller.primary}.exists"), True)
        if controller.profile["missing_primary"] == "runs" or known:
            for target, held in self.layout.flows[name].held.items():
                if controller.manager.name not in self.operator.objects[target].cached:
                    state[held.name] = NEWEST
            self._goto(run, controller, 0)
        return True

    def _goto(self, run: Run, controller: Controller, position: int) -> None:
        """`pc` moves on; locals and versions that are not needed any more are forgotten."""
        name, flow = controller.name, self.layout.flows[controller.name]
        place = controller.program.resume(position)
        run.state[f"pc({name})"] = flow.labels[place]
        run.state.update({n: v for n, v in run.locals.items() if n in run.state})
        for variable in flow.kept:
            if variable.name not in flow.needed[place]:
                run.state[variable.name] = zero(variable.type)

    def _fire(self, run: Run, controller: Controller, rule: Rule | None) -> bool:
        if rule is not None and rule.condition is not None and not run.value(rule.condition):
            return False
        self._disarm(run, controller)
        run.state[f"queued({controller.name})"] = True
        return True

    def _resync(self, run: Run, controller: Controller, watch: Watch) -> bool:
        """An update whose old and new are equal; it goes through the predicate and the mapping."""
        shown = self._view(run.state, controller.manager, watch.target)
        active = not watch.late or bool(run.state[registered_name(watch)])
        if not active or not shown["exists"] or not self._passes(run, watch.filter, shown, shown):
            return False
        self._deliver(run, controller, watch, shown, shown)
        return True

    def _disarm(self, run: Run, controller: Controller) -> None:
        run.state[f"timer({controller.name})"] = NO_TIMER
        for rule in controller.rules:
            for captured, _ in rule.captures:
                if captured.name in run.state:
                    run.state[captured.name] = zero(captured.type)

    def _arm(self, run: Run, controller: Controller, timer: str, rule: Rule | None) -> None:
        """Starts a timer.  A key has one slot: what happens when it is taken is the runtime's."""
        profile, slot = controller.profile, f"timer({controller.name})"
        if profile["requeue_if_queued"] == "dropped" and run.state[f"queued({controller.name})"]:
            return
        current = run.state[slot]
        captured = [(v, run.value(value)) for v, value in (rule.captures if rule is not None else ())]
        if current != NO_TIMER and profile["timer_merge"] == "earliest":
            old = None if current == ERROR_TIMER else self.layout.rule(str(current))
            surely_earlier = old is not None and old.surely_before(rule)
            if surely_earlier or (current == timer and not captured):
                return
            if run.choose([False, True]):
                return
        self._disarm(run, controller)
        run.state[slot] = timer
        for variable, value in captured:
            run.state[variable.name] = value

    def _finish(self, run: Run, controller: Controller, outcome: str, rule_name: str | None) -> None:
        """The reconcile ends, with one of the four outcomes."""
        name, state, flow = controller.name, run.state, self.layout.flows[controller.name]
        state[f"pc({name})"] = IDLE
        for variable in flow.kept:
            state[variable.name] = zero(variable.type)
        policy = controller.error
        if outcome in ("await", "requeue"):
            if f"retries({name})" in state:
                state[f"retries({name})"] = 0
            if controller.profile["timer_on_event"] == "cancelled_on_success" and f"timer({name})" in state:
                self._disarm(run, controller)
            rule = self.layout.rule(rule_name) if rule_name is not None else None
            if rule is None or not self.layout.enabled(rule):
                rule = self.layout.periodic(controller)
            if rule is not None:
                self._arm(run, controller, rule.name, rule)
        elif outcome == "fail":
            if policy.policy == "retry":
                self._retry(run, controller)
            elif self.layout.retries_errors(controller):
                self._arm(run, controller, ERROR_TIMER, None)
            elif policy.policy == "stop":
                state[f"pc({name})"] = STOPPED

    def _retry(self, run: Run, controller: Controller) -> None:
        """Bounded retries.  A run for which an event waits already is no attempt, where a requeue is dropped."""
        retries = f"retries({controller.name})"
        if controller.profile["requeue_if_queued"] == "dropped" and run.state[f"queued({controller.name})"]:
            return
        if self.layout.retries_errors(controller) and int(run.state[retries]) < controller.error.retries:
            run.state[retries] = int(run.state[retries]) + 1
            self._arm(run, controller, ERROR_TIMER, None)
        elif (rule := self.layout.after_retries(controller)) is not None:
            self._arm(run, controller, rule.name, rule)
