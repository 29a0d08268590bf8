"""Compiles running reconciles: a command for each path from a place of the program to the end of the step."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.model import expr as e
from reconcheck.model.operator import (
    Bind,
    Call,
    Controller,
    Effect,
    End,
    Jump,
    Read,
    Register,
    Remember,
    Test,
    Write,
)
from reconcheck.model.types import zero
from reconcheck.semantics.compiler import Compiler
from reconcheck.semantics.draft import Draft
from reconcheck.semantics.flow import NEWEST, OUTDATED, UNREAD, VERSION, Flow, held_name
from reconcheck.semantics.keeping import objects_read
from reconcheck.semantics.layout import (
    ERROR_TIMER,
    IDLE,
    STOPPED,
    event_name,
    maps_change,
    registered_name,
)
from reconcheck.semantics.pauses import ends_step
from reconcheck.semantics.reconciling import describe, going_on
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.system import Command


class Path(Struct, frozen=True):
    """From a place on: under which condition, with which locals, having read which objects whose version counts."""

    start: int
    end: int
    condition: e.Expr
    locals: dict[str, e.Expr]
    reads: frozenset[str]
    paused: bool = False
    """Whether the step ends before the instruction at `end`."""


def reconcile_commands(compiler: Compiler, controller: Controller) -> Iterator[Command]:
    """Every command of a controller's running reconcile."""
    flow, code = compiler.layout.flows[controller.name], controller.program.code
    reads = tuple(objects_read(instruction) & flow.held.keys() for instruction in code)
    zero_of = {variable.name: e.Const(zero(variable.type), variable.type) for variable in flow.kept}
    for place, needed in flow.needed.items():
        zeros = {name: zero_of[name] for name in sorted(needed)}
        for path in _paths(controller, flow, reads, place):
            yield from _Effects(compiler, controller, path, zeros).commands()


def _paths(controller: Controller, flow: Flow, reads: tuple[frozenset[str], ...], place: int) -> Iterator[Path]:
    """The ways on from a place to the next effect, pause, or test or binding that is a step of its own."""
    waiting = [Path(place, place, e.TRUE, {}, frozenset())]
    while waiting:
        path = waiting.pop()
        position, locals_ = path.end, path.locals
        if path.condition == e.FALSE:
            continue
        if position in flow.cuts.pauses and position != place:
            yield replace(path, paused=True)
            continue
        path = replace(path, reads=path.reads | reads[position])
        instruction = controller.program.code[position]
        if ends_step(instruction, position in flow.cuts.stops):
            yield path
            continue
        match instruction:
            case Test(test, otherwise):
                value = e.substitute(test, locals_)
                for condition, following in ((e.negate(value), otherwise), (value, position + 1)):  # the last first
                    waiting.append(replace(path, end=following, condition=e.both(path.condition, condition)))
            case Jump(target):
                waiting.append(replace(path, end=target))
            case Bind(local, value):
                bound = {**locals_, local.name: e.substitute(value, locals_)}
                waiting.append(replace(path, end=position + 1, locals=bound))


class _Effects:
    """The commands of one effect at the end of one path; `zeros` resets what may be kept at its start."""

    def __init__(self, compiler: Compiler, controller: Controller, path: Path, zeros: dict[str, e.Const]) -> None:
        self.compiler, self.controller, self.path, self.zeros = compiler, controller, path, zeros
        instruction = controller.program.code[path.end]
        assert not isinstance(instruction, Jump), "a path does not end at a jump"
        self.instruction = instruction
        self.flow = compiler.layout.flows[controller.name]
        own = {instruction.target} if isinstance(instruction, Read | Write) else set()
        got = sorted((path.reads | own) & self.flow.held.keys())
        self.first = [name for target in got if (name := self.flow.held[target].name) not in zeros]
        """The versions that the step may be the first to get: they are unread at its start."""
        self.begun = self.begin()

    def begin(self) -> Draft:
        """What all commands of the path have in common: where it begins, its branches, and what it reads."""
        name = self.controller.name
        draft = self.compiler.draft(f"reconcile {name}", Kind.FAIR)
        label = self.flow.labels[self.path.start]
        here = e.equal(draft[f"pc({name})"], self.compiler.constant(f"pc({name})", label))
        draft.guard = e.both(here, self.path.condition)
        for held in self.first:
            draft[held] = e.Const(UNREAD, VERSION)
        for target in sorted(self.path.reads):  # the first read decides which version the run has
            held = self.flow.held[target].name
            lags = e.choose(
                draft[self.controller.manager.stale(target)], e.Const(OUTDATED, VERSION), e.Const(NEWEST, VERSION)
            )
            draft.where(e.equal(draft[held], e.Const(UNREAD, VERSION)), held, lags)
        return draft

    def draft(self, kind: Kind, failure: str = "", after: Draft | None = None) -> Draft:
        """A command that takes the path, and what is done already in another of its drafts."""
        detail = going_on(self.instruction) if self.path.paused else describe(self.instruction, failure)
        done = after or self.begun
        step = Step(done.step.action, kind, detail)
        return replace(done, step=step, state=dict(done.state), inputs=list(done.inputs))

    def commands(self) -> Iterator[Command]:
        """What the effect does, how it is refused, and how it fails."""
        instruction = self.instruction
        if self.path.paused:
            draft = self.draft(Kind.FAIR)
            self.goto(draft, self.path.end, self.path.locals)
            yield draft.command()
            return
        if isinstance(instruction, End):
            draft = self.draft(Kind.FAIR)
            self.finish(draft, instruction.outcome, instruction.rule)
            yield draft.command()
            return
        if isinstance(instruction, Test | Bind):
            yield from self.own_step(instruction)
            return
        accepted: e.Expr = e.TRUE
        for error, condition in self.refusals(instruction):
            draft = self.draft(Kind.FAIR, f"fails ({error})")
            draft.guard = e.both(draft.guard, accepted, condition)
            accepted = e.both(accepted, e.negate(condition))
            self.handle(draft, error, self.path.locals)
            yield draft.command()
        done = self.draft(Kind.FAIR)
        done.guard = e.both(done.guard, accepted)
        locals_ = self.perform(done, instruction)
        draft = self.draft(Kind.FAIR, after=done)
        if isinstance(instruction, Read | Write) and instruction.target in self.flow.held:
            draft[self.flow.held[instruction.target].name] = e.Const(NEWEST, VERSION)  # it is in the answer
        if isinstance(instruction, Write) and instruction.verb != "delete":
            self.filter_own(draft, instruction.target)
        self.goto(draft, self.path.end + 1, locals_)
        yield draft.command()
        if not self.can_fail(instruction):
            return
        draft = self.draft(Kind.FAULT, "fails")
        self.handle(draft, "error", self.path.locals)
        yield draft.command()
        if not isinstance(instruction, Read):
            draft = self.draft(Kind.FAULT, "fails after it took effect", after=done)
            self.handle(draft, "error", locals_)
            yield draft.command()

    def own_step(self, instruction: Test | Bind) -> Iterator[Command]:
        """A test or binding that reads what may change before the effect."""
        locals_ = self.path.locals
        if isinstance(instruction, Bind):
            draft = self.draft(Kind.FAIR)
            value = e.substitute(instruction.value, locals_)
            self.goto(draft, self.path.end + 1, {**locals_, instruction.local.name: value})
            yield draft.command()
        else:
            holds = e.substitute(instruction.condition, locals_)
            for condition, position in ((holds, self.path.end + 1), (e.negate(holds), instruction.otherwise)):
                draft = self.draft(Kind.FAIR)
                draft.guard = e.both(draft.guard, condition)
                self.goto(draft, position, locals_)
                yield draft.command()

    def can_fail(self, instruction: Effect) -> bool:
        """Whether the fault that concerns the effect is on."""
        operator = self.compiler.operator
        match instruction:
            case Read(target):
                return ("call" if target in operator.externals else "api") in operator.faults
            case Write():
                return "api" in operator.faults
            case Call():
                return "call" in operator.faults
            case _:
                return False

    def refusals(self, instruction: Effect) -> Iterator[tuple[str, e.Expr]]:
        """The errors with which the API server answers, each with its condition, the first that holds first."""
        compiler = self.compiler
        draft = self.draft(Kind.FAIR)
        if isinstance(instruction, Read):
            if any(error == "missing" for error, _ in instruction.handlers):
                yield "missing", e.negate(compiler.exists(draft, instruction.target))
            return
        if not isinstance(instruction, Write):
            return
        target = instruction.target
        exists = compiler.exists(draft, target)
        if instruction.verb == "create":
            yield "exists", exists
            return
        if instruction.verb != "apply":
            yield "missing", e.negate(exists)
        if instruction.verb == "update":
            yield "conflict", self.conflicts(draft, target)
        if instruction.verb in ("update", "patch", "apply"):
            yield from self.new_finalizers(draft, instruction)

    def conflicts(self, draft: Draft, target: str) -> e.Expr:
        """Whether somebody else wrote the object since the run got its version."""
        version = draft.get(held_name(self.controller.name, target), e.Const(UNREAD, VERSION))
        manager = self.controller.manager
        cached = manager.name in self.compiler.operator.objects[target].cached
        lags = draft[manager.stale(target)] if cached else e.FALSE
        unread = e.equal(version, e.Const(UNREAD, VERSION))
        return e.either(e.equal(version, e.Const(OUTDATED, VERSION)), e.both(unread, lags))

    def new_finalizers(self, draft: Draft, write: Write) -> Iterator[tuple[str, e.Expr]]:
        """The API server refuses a new finalizer on an object that is being deleted."""
        deleting = draft.get(f"{write.target}.deleting", e.FALSE)
        added: list[e.Expr] = []
        for one in write.assignments:
            if one.variable.name.startswith(f"{write.target}.finalizers.") and one.value is not None:
                value = draft.value(one.value, self.path.locals)
                added.append(e.both(value, e.negate(draft[one.variable.name])))
        if added:
            yield "error", e.both(deleting, e.either(*added))

    def handle(self, draft: Draft, error: str, locals_: dict[str, e.Expr]) -> None:
        """Goes to the handler of the error, or fails."""
        instruction = self.instruction
        handlers = dict(instruction.handlers) if isinstance(instruction, Read | Write | Call) else {}
        handler = handlers.get(error, handlers.get("error"))
        if handler is None:
            self.finish(draft, "fail", None)
        else:
            self.goto(draft, handler, locals_)

    def goto(self, draft: Draft, position: int, locals_: dict[str, e.Expr]) -> None:
        """`pc` moves on, and what is needed there is kept."""
        place, pc = self.controller.program.resume(position), f"pc({self.controller.name})"
        draft[pc] = self.compiler.constant(pc, self.flow.labels[place])
        needed = self.flow.needed[place]
        for name in sorted(needed & locals_.keys()):
            draft[name] = locals_[name]
        self.forget(draft, needed)

    def forget(self, draft: Draft, needed: frozenset[str]) -> None:
        """Resets what the step began with, or got, and what is not needed any more."""
        for name, value in self.zeros.items():
            if name not in needed:
                draft[name] = value
        for name in self.first:
            if name not in needed or draft[name] == e.Const(UNREAD, VERSION):
                del draft.state[name]  # it is as it was

    def perform(self, draft: Draft, instruction: Effect) -> dict[str, e.Expr]:
        """The effect itself, but for what its answer tells; gives the locals after it."""
        compiler, locals_ = self.compiler, self.path.locals
        match instruction:
            case Read(target, pairs):
                read = {
                    local.name: draft.get(live.name, e.TRUE if live.name.endswith(".exists") else e.FALSE)
                    for local, live in pairs
                }
                return {**locals_, **read}
            case Write():
                self.write(draft, instruction)
            case Call(target, assignments):
                old = compiler.snapshot(draft, target)
                compiler.assign(draft, assignments, locals_)
                compiler.publish(draft, target, old)
            case Remember(assignments):
                compiler.assign(draft, assignments, locals_)
            case Register(name):
                watch = next(w for w in self.controller.watches if w.name == name)
                if registered_name(watch) not in compiler.types:
                    return locals_  # it is taken away
                already = draft[registered_name(watch)]
                draft[registered_name(watch)] = e.TRUE
                new = compiler.snapshot(draft, watch.target)
                passes = compiler.passes(draft, watch.filter, {**new, "exists": e.FALSE}, new)
                if maps_change(watch):
                    passes = e.both(passes, compiler.leads_here(draft, watch, new, new))
                if watch.target in compiler.operator.objects:
                    draft.where(e.both(e.negate(already), passes), event_name(watch), e.TRUE)
            case End():
                raise AssertionError("an outcome is not performed")
        return locals_

    def write(self, draft: Draft, write: Write) -> None:
        """A write that the API server accepts."""
        compiler, target, locals_ = self.compiler, write.target, self.path.locals
        old = compiler.snapshot(draft, target)
        if write.verb == "delete":
            compiler.delete(draft, target)
        elif write.verb in ("create", "apply"):
            exists = compiler.exists(draft, target)
            before = dict(draft.state)
            compiler.assign(draft, write.assignments, locals_)
            if exists != e.TRUE:
                given = {one.variable.name for one in write.assignments}
                compiler.fill(draft, target, write.assignments)
                for variable in compiler.operator.objects[target].fields:
                    if variable.name not in given:
                        kept = before.get(variable.name, e.Var(variable.name, variable.type))
                        draft[variable.name] = e.choose(exists, kept, draft[variable.name])
                draft[f"{target}.exists"] = e.TRUE
        else:
            compiler.assign(draft, write.assignments, locals_)
        compiler.publish(draft, target, old)

    def filter_own(self, draft: Draft, target: str) -> None:
        """Where the runtime filters own writes, the cache has them at once, and they wake only by the primary."""
        controller = self.controller
        if controller.profile["own_writes"] != "filtered":
            return
        if target != controller.primary:
            for watch in controller.watches:
                if watch.target == target:
                    draft.state.pop(event_name(watch), None)
        self.compiler.refresh(draft, controller.manager, target)

    def finish(self, draft: Draft, outcome: str, rule_name: str | None) -> None:
        """The reconcile ends."""
        compiler, controller = self.compiler, self.controller
        name, policy = controller.name, controller.error
        draft[f"pc({name})"] = compiler.constant(f"pc({name})", IDLE)
        before = {**self.path.locals}
        if outcome in ("await", "requeue"):
            if f"retries({name})" in compiler.types:
                draft[f"retries({name})"] = e.Const(0, compiler.types[f"retries({name})"])
            if controller.profile["timer_on_event"] == "cancelled_on_success":
                compiler.disarm(draft, controller, e.TRUE)
            rule = compiler.layout.rule(rule_name) if rule_name is not None else None
            if rule is None or not compiler.layout.enabled(rule):
                rule = compiler.layout.periodic(controller)
            if rule is not None:
                compiler.arm(draft, controller, rule.name, rule, before)
        elif outcome == "fail":
            if policy.policy == "retry":
                self.bounded_retry(draft)
            elif compiler.layout.retries_errors(controller):
                compiler.arm(draft, controller, ERROR_TIMER, None, before)
            elif policy.policy == "stop":
                draft[f"pc({name})"] = compiler.constant(f"pc({name})", STOPPED)
        self.forget(draft, frozenset())

    def bounded_retry(self, draft: Draft) -> None:
        """Arms the error timer while retries are left, and the runtime's own period after that."""
        compiler, controller = self.compiler, self.controller
        if not compiler.layout.retries_errors(controller):
            rule = compiler.layout.after_retries(controller)
            if rule is not None:
                compiler.arm(draft, controller, rule.name, rule, {})
            return
        retries = f"retries({controller.name})"
        limit = e.Const(controller.error.retries, compiler.types[retries])
        left = e.negate(e.equal(draft[retries], limit))
        counted = left
        if controller.profile["requeue_if_queued"] == "dropped":
            counted = e.both(left, e.negate(draft[f"queued({controller.name})"]))
        captures = [variable.name for rule in controller.rules for variable, _ in rule.captures]
        slots = [f"timer({controller.name})", *(name for name in captures if name in compiler.types)]
        before = {name: draft[name] for name in slots}
        compiler.arm(draft, controller, ERROR_TIMER, None, {})
        retried = {name: draft[name] for name in slots}
        draft.state.update(before)
        rule = compiler.layout.after_retries(controller)
        if rule is not None:
            compiler.arm(draft, controller, rule.name, rule, {})
        for name in slots:
            draft.where(left, name, retried[name])
        more = e.arithmetic("+", draft[retries], e.integer(1))
        draft.where(counted, retries, more)
