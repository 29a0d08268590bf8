"""The reference interpreter: what a model means, in the plainest way there is.

It takes a state and gives every step that can be taken in it with the state after.  It is written to be
compared with `spec/semantics.md` line by line; it is neither fast nor used to find verdicts, only to check
them.  Where a step may go several ways, the code asks `choose` and is run once for each way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from reconcheck.model import expr as e
from reconcheck.model.names import view_name
from reconcheck.model.operator import (
    Action,
    Bind,
    Call,
    Controller,
    Effect,
    End,
    Filter,
    Jump,
    Operator,
    Read,
    Register,
    Remember,
    Rule,
    Scope,
    Target,
    Test,
    Variable,
    Watch,
    Write,
)
from reconcheck.model.types import OpaqueType, Value, contains, domain, is_finite, zero
from reconcheck.semantics.layout import (
    ERROR_TIMER,
    IDLE,
    NO_TIMER,
    STOPPED,
    Layout,
    after_gap,
    event_name,
    held_name,
    layout,
    maps_change,
    registered_name,
    timer_action,
)
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step

State = dict[str, Value]
Snapshot = dict[str, Value]
Choose = Callable[[list[Value]], Value]


@dataclass
class Run:
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


class Interpreter:
    """The steps of an operator in a scope."""

    def __init__(self, operator: Operator, scope: Scope, numbers: tuple[int, ...] | None = None) -> None:
        self.operator = operator
        self.layout: Layout = layout(operator, scope)
        self.names = tuple(variable.name for variable in self.layout.variables)
        self.types = {variable.name: variable.type for variable in self.layout.variables}
        self.numbers = numbers
        """The integers that `any` tries on an unbounded variable; None where that is not allowed."""

    # ---- states ------------------------------------------------------------------------------------

    def key(self, state: State) -> tuple[Value, ...]:
        """The state as a tuple, in the order of the layout."""
        return tuple(state[name] for name in self.names)

    def initial(self) -> Iterator[State]:
        """Every state the system can begin in: the operator has just started."""
        free = [variable for variable in self.layout.variables if variable.initial is None]
        free = [variable for variable in free if not variable.name.startswith("view(")]

        def begin(run: Run) -> bool:
            for variable in self.layout.variables:
                run.state[variable.name] = zero(variable.type) if variable.initial is None else variable.initial
            for variable in free:
                run.state[variable.name] = self._any(run, variable)
            for target in self.operator.objects:
                self._settle(run, target)
            self._restart(run, kept_timers=False)
            return True

        for _, state in self._outcomes({}, Step("begin", Kind.FAIR), begin):
            yield state

    def successors(self, state: State) -> Iterator[tuple[Step, State]]:
        """Every step possible in a state, with the state after.  Raises `LeftRange` and `Endless`."""
        for step, attempt in self._attempts(state):
            for done, after in self._outcomes(state, step, attempt):
                if after != state:
                    self._check_types(done, after)
                    yield done, after

    def _attempts(self, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        operator, faults = self.operator, self.operator.faults
        for target in (*operator.objects, *operator.externals):
            yield Step(f"sync {target}", Kind.FAIR), partial(self._sync, target=target)
        for controller in operator.controllers:
            yield Step(f"start {controller.name}", Kind.FAIR), partial(self._start, controller=controller)
            yield from self._reconcile_attempts(controller, state)
            yield from self._timer_attempts(controller, state)
        for action in operator.actions:
            kind = {"process": Kind.FAIR, "noise": Kind.NOISE, "disturbance": Kind.DISTURBANCE}[action.kind]
            yield Step(f"{action.kind} {action.name}", kind), partial(self._act, action=action)
        if "crash" in faults:
            yield Step("crash", Kind.FAULT), self._crash
        if "relist" in faults:
            for target in operator.objects:
                yield Step(f"relist {target}", Kind.FAULT), partial(self._relist, target=target)
            for controller in operator.controllers:
                if operator.profile["relist_early"] == "yes":
                    step = Step(f"relist page {controller.primary}", Kind.FAULT)
                    yield step, partial(self._relist_early, controller=controller)
        if "lost_event" in faults:
            for controller in operator.controllers:
                for watch in controller.watches:
                    step = Step(f"lose {event_name(watch)}", Kind.FAULT)
                    yield step, partial(self._lose, watch=watch)

    def _outcomes(self, state: State, step: Step, attempt: Callable[[Run], bool]) -> Iterator[tuple[Step, State]]:
        """Runs an attempt once for every sequence of choices."""
        known = {int(v) for n, v in state.items() if isinstance(self.types[n], OpaqueType) and v}
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

    def _check_types(self, step: Step, state: State) -> None:
        for name, type_ in self.types.items():
            if not contains(type_, state[name]):
                raise LeftRange(step, name, state[name], type_)

    # ---- objects and events ----------------------------------------------------------------------------

    def _exists(self, state: State, target: str) -> bool:
        return self.layout.always_exists(target) or bool(state[f"{target}.exists"])

    def _snapshot(self, state: State, target: str) -> Snapshot:
        shown: Snapshot = {
            variable.name[len(target) + 1 :]: state[variable.name] for variable in self.layout.fields(target)
        }
        shown["exists"] = self._exists(state, target)
        shown["deleting"] = bool(state.get(f"{target}.deleting", False))
        return shown

    def _view(self, state: State, target: str) -> Snapshot:
        """What the cache knows; fields it does not keep are shown as they are."""
        shown = self._snapshot(state, target)
        for name in shown:
            shown[name] = state.get(view_name(f"{target}.{name}"), shown[name])
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

    def _publish(self, run: Run, target: str, old: Snapshot, writer: str | None = None) -> None:
        """After a change: the cache lags, and each watch that lets the change through has an event."""
        if target in self.operator.objects:
            self._settle(run, target)
        new, state = self._snapshot(run.state, target), run.state
        if new != old:
            if target in self.layout.stale:
                state[f"stale({target})"] = True
            if target in self.layout.recreated and old["exists"] and not new["exists"]:
                state[f"recreated({target})"] = True
            for controller, object_ in self.layout.held:
                if object_ == target:
                    state[held_name(controller, target)] = False
            for _, watch in self.layout.watches(target):
                active = not watch.late or bool(state[registered_name(watch)])
                if active and self._passes(run, watch.filter, old, new):
                    if not maps_change(watch) or self._leads_here(run, watch, old, new):
                        state[event_name(watch)] = True
        if writer is not None and (writer, target) in self.layout.held:
            state[held_name(writer, target)] = True

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

    def _wake(self, run: Run, controller: Controller) -> None:
        run.state[f"queued({controller.name})"] = True
        if self.operator.profile["timer_on_event"] == "consumed" and f"timer({controller.name})" in run.state:
            self._disarm(run, controller)

    def _leads_here(self, run: Run, watch: Watch, old: Snapshot, new: Snapshot) -> bool:
        """Whether the mapping leads to the controller's key."""
        last = new if new["exists"] else old
        versions: State = {f"old.{name}": value for name, value in old.items()}
        versions |= {f"new.{name}": value for name, value in last.items()}
        return bool(run.value(watch.mapping, versions))

    def _deliver(self, run: Run, controller: Controller, watch: Watch, old: Snapshot, new: Snapshot) -> None:
        """Wakes the controller if the mapping leads to its key."""
        if self._leads_here(run, watch, old, new):
            self._wake(run, controller)

    def _refresh(self, run: Run, target: str) -> None:
        """The cache takes over the live object."""
        for name in self.layout.snapshot(target):
            view = view_name(f"{target}.{name}")
            if view in run.state:
                run.state[view] = run.state[f"{target}.{name}"]
        for flag in (f"stale({target})", f"recreated({target})"):
            if flag in run.state:
                run.state[flag] = False

    def _sync(self, run: Run, target: str) -> bool:
        watches = list(self.layout.watches(target))
        pending = [(c, w) for c, w in watches if run.state[event_name(w)]]
        if not pending and not run.state.get(f"stale({target})", False):
            return False
        old = self._view(run.state, target)
        self._refresh(run, target)
        new = self._snapshot(run.state, target)
        for controller, watch in pending:
            run.state[event_name(watch)] = False
            if maps_change(watch):
                self._wake(run, controller)
            else:
                self._deliver(run, controller, watch, old, new)
        return True

    # ---- the queue and the timers --------------------------------------------------------------------------

    def _start(self, run: Run, controller: Controller) -> bool:
        name, state = controller.name, run.state
        if state[f"pc({name})"] != IDLE or not state[f"queued({name})"]:
            return False
        state[f"queued({name})"] = False
        known = state.get(view_name(f"{controller.primary}.exists"), True)
        if self.operator.profile["missing_primary"] == "runs" or known:
            for holder, target in self.layout.held:
                if holder == name and not self.operator.objects[target].cached:
                    state[held_name(holder, target)] = True
            self._goto(run, controller, 0)
        return True

    def _timer_attempts(self, controller: Controller, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        timer = state.get(f"timer({controller.name})", NO_TIMER)
        if timer != NO_TIMER:
            rule = None if timer == ERROR_TIMER else self.layout.rule(str(timer))
            step = Step(timer_action(controller, str(timer)), Kind.FAIR)
            yield step, partial(self._fire, controller=controller, rule=rule)
        if self.layout.scope.schedule and controller.resync is not None:
            for watch in controller.watches:
                if watch.target in self.operator.objects:
                    step = Step(f"resync {watch.controller}: {watch.name}", Kind.FAIR)
                    yield step, partial(self._resync, controller=controller, watch=watch)

    def _fire(self, run: Run, controller: Controller, rule: Rule | None) -> bool:
        if rule is not None and rule.condition is not None and not run.value(rule.condition):
            return False
        self._disarm(run, controller)
        run.state[f"queued({controller.name})"] = True
        return True

    def _resync(self, run: Run, controller: Controller, watch: Watch) -> bool:
        """An update whose old and new are equal; it goes through the predicate and the mapping."""
        shown = self._view(run.state, watch.target)
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
        profile, slot = self.operator.profile, f"timer({controller.name})"
        if profile["requeue_if_queued"] == "dropped" and run.state[f"queued({controller.name})"]:
            return
        current = run.state[slot]
        captured = [(v, run.value(value)) for v, value in (rule.captures if rule is not None else ())]
        if current != NO_TIMER and profile["timer_merge"] == "earliest":
            old = None if current == ERROR_TIMER else self.layout.rule(str(current))
            surely_earlier = (
                old is not None
                and rule is not None
                and old.seconds is not None
                and rule.seconds is not None
                and old.seconds <= rule.seconds
            )
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
        name, state = controller.name, run.state
        state[f"pc({name})"] = IDLE
        for local, _ in controller.program.kept:
            state[local.name] = zero(local.type)
        for holder, target in self.layout.held:
            if holder == name:
                state[held_name(holder, target)] = False
        policy = controller.error
        if outcome in ("await", "requeue"):
            if policy.policy == "retry":
                state[f"retries({name})"] = 0
            if self.operator.profile["timer_on_event"] == "cancelled_on_success" and f"timer({name})" in state:
                self._disarm(run, controller)
            rule = self.layout.rule(rule_name) if rule_name is not None else None
            if rule is None or not self.layout.enabled(rule):
                rule = self.layout.periodic(controller)
            if rule is not None:
                self._arm(run, controller, rule.name, rule)
        elif outcome == "fail":
            if policy.policy in ("backoff", "requeue"):
                self._arm(run, controller, ERROR_TIMER, None)
            elif policy.policy == "retry":
                self._retry(run, controller)
            elif policy.policy == "stop":
                state[f"pc({name})"] = STOPPED

    def _retry(self, run: Run, controller: Controller) -> None:
        """Bounded retries.  A run for which an event waits already is no attempt, where a requeue is dropped."""
        retries = f"retries({controller.name})"
        if self.operator.profile["requeue_if_queued"] == "dropped" and run.state[f"queued({controller.name})"]:
            return
        if int(run.state[retries]) < controller.error.retries:
            run.state[retries] = int(run.state[retries]) + 1
            self._arm(run, controller, ERROR_TIMER, None)
        elif (rule := self.layout.after_retries(controller)) is not None:
            self._arm(run, controller, rule.name, rule)

    # ---- the running reconcile ----------------------------------------------------------------------------------

    def _goto(self, run: Run, controller: Controller, position: int) -> None:
        """`pc` moves on; locals that are not used any more are forgotten."""
        position = controller.program.resume(position)
        run.state[f"pc({controller.name})"] = self.layout.labels[controller.name][position]
        run.state.update({n: v for n, v in run.locals.items() if n in run.state})
        for local, last_use in controller.program.kept:
            if last_use < position:
                run.state[local.name] = zero(local.type)

    def _reconcile_attempts(self, controller: Controller, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        label = state[f"pc({controller.name})"]
        if label in (IDLE, STOPPED):
            return
        position = next(p for p, known in self.layout.labels[controller.name].items() if known == label)
        action, faults = f"reconcile {controller.name}", self.operator.faults
        yield Step(action, Kind.FAIR), partial(self._advance, controller=controller, position=position, failure="")
        for failure in ("fails", "fails after it took effect"):
            if faults & {"api", "call"}:
                step = Step(action, Kind.FAULT)
                yield step, partial(self._advance, controller=controller, position=position, failure=failure)

    def _advance(self, run: Run, controller: Controller, position: int, failure: str) -> bool:
        """Evaluates up to the next effect and performs it; with `failure`, the request goes wrong."""
        code = controller.program.code
        run.locals = {local.name: run.state[local.name] for local, _ in controller.program.kept}
        while True:
            instruction = code[position]
            own_step = position in controller.program.stops
            match instruction:
                case Test(condition, otherwise):
                    position = position + 1 if run.value(condition) else otherwise
                case Jump(target):
                    position = target
                case Bind(local, value):
                    run.locals[local.name] = run.value(value)
                    position += 1
                case _:
                    break
            if own_step:  # what was read may change before the effect
                run.step = Step(run.step.action, run.step.kind, describe(instruction))
                self._goto(run, controller, position)
                return not failure
        if failure and not self._can_fail(instruction, failure):
            return False
        run.step = Step(run.step.action, run.step.kind, describe(instruction, failure))
        if isinstance(instruction, End):
            self._finish(run, controller, instruction.outcome, instruction.rule)
            return True
        error = "error" if failure == "fails" else self._perform(run, controller, instruction)
        if failure == "fails after it took effect":
            if error is not None:
                return False  # it took no effect
            error = "error"
            if not isinstance(instruction, Remember | Register | End):
                self._forget_version(run, controller, instruction.target)
        if error is None:
            self._goto(run, controller, position + 1)
            return True
        if not failure:
            run.step = Step(run.step.action, run.step.kind, describe(instruction, f"fails ({error})"))
        handlers = dict(instruction.handlers) if isinstance(instruction, Read | Write | Call) else {}
        handler = handlers.get(error, handlers.get("error"))
        if handler is None:
            self._finish(run, controller, "fail", None)
        else:
            self._goto(run, controller, handler)
        return True

    def _forget_version(self, run: Run, controller: Controller, target: str) -> None:
        """The answer with the new version was lost."""
        if (controller.name, target) in self.layout.held:
            run.state[held_name(controller.name, target)] = False

    def _can_fail(self, instruction: Effect, failure: str) -> bool:
        match instruction:
            case Read(target):
                fault = "call" if target in self.operator.externals else "api"
                return failure == "fails" and fault in self.operator.faults
            case Write():
                return "api" in self.operator.faults
            case Call():
                return "call" in self.operator.faults
            case _:
                return False

    def _perform(self, run: Run, controller: Controller, instruction: Effect) -> str | None:
        """Performs an effect; gives the error it ends with, if any."""
        match instruction:
            case Read(target, pairs, handlers):
                if any(error == "missing" for error, _ in handlers) and not self._exists(run.state, target):
                    return "missing"
                for local, live in pairs:
                    # what always exists, or is never being deleted, has no variable
                    run.locals[local.name] = run.state.get(live.name, live.name.endswith(".exists"))
                if (controller.name, target) in self.layout.held:
                    run.state[held_name(controller.name, target)] = True
                return None
            case Write():
                return self._write(run, controller, instruction)
            case Call(target, assignments):
                old = self._snapshot(run.state, target)
                self._assign(run, assignments)
                self._publish(run, target, old)
                return None
            case Remember(assignments):
                self._assign(run, assignments)
                return None
            case Register(name):
                watch = next(w for w in controller.watches if w.name == name)
                if run.state[registered_name(watch)]:
                    return None
                run.state[registered_name(watch)] = True
                new = self._snapshot(run.state, watch.target)
                listed = watch.target in self.operator.objects
                if listed and self._passes(run, watch.filter, {**new, "exists": False}, new):
                    if not maps_change(watch) or self._leads_here(run, watch, new, new):
                        run.state[event_name(watch)] = True
                return None
            case End():
                raise AssertionError("an outcome is not performed")

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

    def _write(self, run: Run, controller: Controller, write: Write) -> str | None:
        state, target = run.state, write.target
        exists = self._exists(state, target)
        create = write.verb == "create" or (write.verb == "apply" and not exists)
        if create and exists:
            return "exists"
        if not create and not exists:
            return "missing"
        held = bool(state.get(held_name(controller.name, target), False))
        if write.verb == "update" and not held:
            cached, tracked = self.operator.objects[target].cached, (controller.name, target) in self.layout.held
            if state[f"stale({target})"] if cached else tracked:
                return "conflict"
        old = self._snapshot(state, target)
        if write.verb == "delete":
            self._delete(run, target)
        elif create:
            self._assign(run, write.assignments)
            self._fill(run, target, write.assignments)
            state[f"{target}.exists"] = True
        else:
            self._assign(run, write.assignments)
            if self._adds_finalizer(state, target, old):
                for variable in self.operator.objects[target].fields:
                    state[variable.name] = old[variable.name[len(target) + 1 :]]
                return "error"  # the API server refuses new finalizers on an object that is being deleted
        self._publish(run, target, old, controller.name)
        return None

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

    # ---- the environment and the faults ------------------------------------------------------------------------------

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

    def _restart(self, run: Run, kept_timers: bool) -> None:
        """A fresh process: nothing remembered, everything listed, every mapped key queued."""
        operator, state = self.operator, run.state
        for target in (*operator.objects, *operator.externals):
            self._refresh(run, target)
            for _, watch in self.layout.watches(target):
                state[event_name(watch)] = False
                if watch.late:
                    state[registered_name(watch)] = False
        for variable in operator.memory:
            state[variable.name] = zero(variable.type) if variable.initial is None else variable.initial
        for holder, target in self.layout.held:
            state[held_name(holder, target)] = False
        for controller in operator.controllers:
            name = controller.name
            state[f"pc({name})"] = IDLE
            state[f"queued({name})"] = False
            for local, _ in controller.program.kept:
                state[local.name] = zero(local.type)
            if controller.error.policy == "retry":
                state[f"retries({name})"] = 0
            if not kept_timers and f"timer({name})" in state:
                self._disarm(run, controller)
        for controller in operator.controllers:
            for watch in controller.watches:
                if watch.late or watch.target in operator.externals:
                    continue
                listed = self._snapshot(state, watch.target)
                if self._passes(run, watch.filter, {**listed, "exists": False}, listed):
                    self._deliver(run, controller, watch, listed, listed)

    def _crash(self, run: Run) -> bool:
        self._restart(run, kept_timers=self.operator.profile["timer_at_restart"] == "kept")
        return True

    def _relist(self, run: Run, target: str) -> bool:
        """After a gap in the watch, the cache compares what it had with what there is now."""
        state = run.state
        watches = list(self.layout.watches(target))
        if not state.get(f"stale({target})", False) and not any(state[event_name(w)] for _, w in watches):
            return False
        old, new = self._view(state, target), self._snapshot(state, target)
        recreated = bool(state.get(f"recreated({target})", False))
        loses_deletes = self.operator.profile["relist"] == "loses_deletes"
        self._refresh(run, target)
        for controller, watch in watches:
            pending = bool(state[event_name(watch)])
            state[event_name(watch)] = False
            active = not watch.late or bool(state[registered_name(watch)])
            if loses_deletes:
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
        if not run.state.get(f"stale({target})", False):
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


def describe(instruction: Effect | Test | Bind | Jump, failure: str = "") -> str:
    """What an instruction does, in a few words with its line."""
    match instruction:
        case Test():
            text = "decide"
        case Bind(local):
            text = f"read {local.name.partition('/')[2]}"
        case Jump():
            text = "go on"
        case Read(target):
            text = f"read {target}"
        case Write(verb, target):
            text = f"{verb} {target}"
        case Call(target):
            text = f"call {target}"
        case Remember(assignments):
            text = "remember " + ", ".join(target.variable.name for target in assignments)
        case Register(watch):
            text = f"register {watch}"
        case End("requeue", rule):
            text = f"requeue {rule}"
        case End("await"):
            text = "await change"
        case End("terminal"):
            text = "fail terminal"
        case End():
            text = "fail"
    return f"{text} {failure} (L{instruction.span.line})" if failure else f"{text} (L{instruction.span.line})"
