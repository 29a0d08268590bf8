"""The reference interpreter, part three: the running reconcile, its effects and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.operator import (
    Bind,
    Call,
    Controller,
    Effect,
    End,
    Instruction,
    Jump,
    Read,
    Register,
    Remember,
    Test,
    Write,
    expressions,
)
from reconcheck.semantics.flow import NEWEST, OUTDATED, UNREAD, held_name
from reconcheck.semantics.keeping import objects_read
from reconcheck.semantics.keys import Keys
from reconcheck.semantics.layout import (
    IDLE,
    STOPPED,
    event_name,
    maps_change,
    registered_name,
)
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.world import Run, State


class Reconciling(Keys):
    """Takes a running reconcile to its next effect and performs it."""

    def _reconcile_attempts(self, controller: Controller, state: State) -> Iterator[tuple[Step, Callable[[Run], bool]]]:
        label = state[f"pc({controller.name})"]
        if label in (IDLE, STOPPED):
            return
        position = self.layout.flows[controller.name].place(str(label))
        action, faults = f"reconcile {controller.name}", self.operator.faults
        yield Step(action, Kind.FAIR), partial(self._advance, controller=controller, position=position, failure="")
        for failure in ("fails", "fails after it took effect"):
            if faults & {"api", "call"}:
                step = Step(action, Kind.FAULT)
                yield step, partial(self._advance, controller=controller, position=position, failure=failure)

    def _advance(self, run: Run, controller: Controller, position: int, failure: str) -> bool:
        """Evaluates up to the next effect and performs it; with `failure`, the request goes wrong."""
        code, flow, begun = controller.program.code, self.layout.flows[controller.name], position
        run.locals = {local.name: run.state[local.name] for local in flow.locals}
        while True:
            instruction = code[position]
            if position in flow.cuts.pauses and position != begun:
                run.step = Step(run.step.action, run.step.kind, going_on(instruction))
                self._goto(run, controller, position)
                return not failure
            own_step = position in flow.cuts.stops
            self._take_version(run, controller, instruction)
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
            if own_step and not isinstance(instruction, Jump):  # what was read may change before the effect
                run.step = Step(run.step.action, run.step.kind, describe(instruction))
                self._goto(run, controller, position)
                return not failure
        if failure and not self._can_fail(instruction, failure):
            return False
        run.step = Step(run.step.action, run.step.kind, describe(instruction, failure))
        if isinstance(instruction, End):
            self._finish(run, controller, instruction.outcome, instruction.rule)
            return True
        error = "error" if failure == "fails" else self._perform(run, controller, instruction, answered=not failure)
        if failure == "fails after it took effect":
            if error is not None:
                return False  # it took no effect
            error = "error"
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

    def coming(self, state: State, controller: Controller) -> list[Instruction]:
        """What the next step of a running reconcile evaluates, up to its effect or the place where it ends before."""
        label, flow = state[f"pc({controller.name})"], self.layout.flows[controller.name]
        if label in (IDLE, STOPPED):
            return []
        begun = position = flow.place(str(label))
        found: list[Instruction] = []
        run = Run(dict(state), lambda options: options[0], Step("begin", Kind.FAIR))
        run.locals = {local.name: state[local.name] for local in flow.locals}
        while position not in flow.cuts.pauses or position == begun:
            instruction = controller.program.code[position]
            found.append(instruction)
            stop = position in flow.cuts.stops
            match instruction:
                case Test(condition, otherwise) if not stop:
                    position = position + 1 if run.value(condition) else otherwise
                case Jump(target):
                    position = target
                case Bind(local, value) if not stop:
                    run.locals[local.name] = run.value(value)
                    position += 1
                case _:
                    break
        return found

    def outdated_reads(self, state: State, controller: Controller) -> list[str]:
        """The live variables of which the next step of a running reconcile reads another value in the cache."""
        found: dict[str, None] = {}
        for instruction in self.coming(state, controller):
            for expression in expressions(instruction):
                for variable in e.variables(expression):
                    live = live_name(variable.name)
                    if live != variable.name and state[variable.name] != state.get(live, True):
                        found[live] = None
        return list(found)

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

    def _perform(self, run: Run, controller: Controller, instruction: Effect, answered: bool) -> str | None:
        """Performs an effect; gives the error it ends with, if any.  Without an answer the new version is lost."""
        match instruction:
            case Read(target, pairs, handlers):
                if any(error == "missing" for error, _ in handlers) and not self._exists(run.state, target):
                    return "missing"
                for local, live in pairs:
                    # what always exists, or is never being deleted, has no variable
                    run.locals[local.name] = run.state.get(live.name, live.name.endswith(".exists"))
                if controller.name in self.layout.holders(target):
                    run.state[held_name(controller.name, target)] = NEWEST
                return None
            case Write():
                return self._write(run, controller, instruction, answered)
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
                if run.state.get(registered_name(watch), True):  # it is already, or is taken away
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

    def _take_version(self, run: Run, controller: Controller, instruction: Instruction) -> None:
        """The first read through the cache decides which version of an object the run has."""
        for target in objects_read(instruction):
            name = held_name(controller.name, target)
            if run.state.get(name) == UNREAD:
                run.state[name] = OUTDATED if run.state[controller.manager.stale(target)] else NEWEST

    def _conflicts(self, state: State, controller: Controller, target: str) -> bool:
        """Whether somebody else wrote the object since the run got its version."""
        version = state.get(held_name(controller.name, target), UNREAD)
        cached = controller.manager.name in self.operator.objects[target].cached
        return version == OUTDATED or (version == UNREAD and cached and bool(state[controller.manager.stale(target)]))

    def _write(self, run: Run, controller: Controller, write: Write, answered: bool) -> str | None:
        state, target = run.state, write.target
        exists = self._exists(state, target)
        create = write.verb == "create" or (write.verb == "apply" and not exists)
        if create and exists:
            return "exists"
        if not create and not exists:
            return "missing"
        if write.verb == "update" and self._conflicts(state, controller, target):
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
        filtered = answered and write.verb != "delete" and controller.profile["own_writes"] == "filtered"
        self._publish(run, target, old, controller.name if answered else None, filtered)
        if filtered:
            self._refresh(run, controller.manager, target)
        return None


def going_on(instruction: Instruction) -> str:
    """What a step does that ends before an instruction, because the evaluation was long enough."""
    return f"go on (L{instruction.span.line})"


def describe(instruction: Effect | Test | Bind, failure: str = "") -> str:
    """What an instruction does, in a few words with its line."""
    match instruction:
        case Test():
            text = "decide"
        case Bind(local):
            name = local.name.partition("/")[2]
            text = f"read {name if name.startswith('new ') else name.partition('.')[0]}"
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
