"""Traces: what happened, who did it, what changed, and whether it woke the controller.

A trace exists only as the record of a replay on the reference interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain

from msgspec import Struct

from reconcheck.model.operator import External, Object, Operator, Scope
from reconcheck.model.types import Value
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.layout import event_name
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.world import State


class Change(Struct, frozen=True):
    """A variable's value before and after a step."""

    variable: str
    old: Value
    new: Value


class TraceStep(Struct, frozen=True):
    """One step as it happened."""

    step: Step
    who: str
    changes: tuple[Change, ...]
    woke: str
    """Whether the step woke a controller, and if it did not, why not; empty where the question makes no sense."""
    line: int | None
    """The line of the model that the step comes from."""
    sees: tuple[Change, ...] = ()
    """For a step of a reconcile, the fields it reads an outdated copy of: `old` is the copy, `new` the truth."""


class Trace(Struct, frozen=True):
    """A replayed run.  With `loop` set, the steps from that index on repeat for ever."""

    start: tuple[tuple[str, Value], ...]
    """The variables of the first state that are not at their zero value, without those of the runtime."""
    steps: tuple[TraceStep, ...]
    end: str
    """quiet, livelock, violation or witness."""
    loop: int | None
    fair: tuple[str, ...]
    """For a loop: for each fair action, why the loop treats it fairly."""
    shortest: bool
    final: tuple[tuple[str, Value], ...]
    """The goal's variables at the end."""
    first: tuple[tuple[str, Value], ...] = ()
    """The whole first state; empty where nobody has to know it."""

    @property
    def has_faults(self) -> bool:
        """Whether a fault happens in it."""
        return any(step.step.kind is Kind.FAULT for step in self.steps)

    def states(self) -> list[State]:
        """The first state and the one after each step."""
        states = [dict(self.first)]
        for step in self.steps:
            states.append(states[-1] | {change.variable: change.new for change in step.changes})
        return states


class DoesNotReplay(Exception):
    """A path that an engine claims is not one of the reference interpreter: an internal error (RC901)."""


class Claim(Struct, frozen=True):
    """What an engine claims: canonical states with the step into each, and where the loop begins.

    `chosen` are numbers without bounds that steps chose, and that need not be in a state.
    """

    steps: list[tuple[Step | None, tuple[Value, ...]]]
    loop: int | None
    end: str
    shortest: bool
    chosen: tuple[int, ...] = ()


class Replayer:
    """Replays claims on the reference interpreter."""

    def __init__(
        self, operator: Operator, scope: Scope, canonical: Callable[[tuple[Value, ...]], tuple[Value, ...]]
    ) -> None:
        self.operator, self.scope, self.canonical = operator, scope, canonical

    def replay(self, claim: Claim, goal: Callable[[State], bool], shown: Iterable[str]) -> Trace:
        """The trace of a claim.  Raises `DoesNotReplay` when any part of the claim is not so."""
        numbers = numbers_in(value for _, state in claim.steps for value in state).union(claim.chosen)
        interpreter = Interpreter(self.operator, self.scope, tuple(sorted(numbers)))
        states = [self._first(interpreter, claim.steps[0][1])]
        steps: list[Step] = []
        for step, wanted in claim.steps[1:]:
            assert step is not None
            states.append(self._next(interpreter, states[-1], step, wanted))
            steps.append(step)
        more = tuple(sorted(numbers | beside(numbers)))
        fair = self._judge(Interpreter(self.operator, self.scope, more), claim, states, steps, goal)
        rows = tuple(
            trace_step(interpreter, step, before, after)
            for step, before, after in zip(steps, states[:-1], states[1:], strict=True)
        )
        start = visible_start(self.operator, states[0])
        final = tuple((name, states[-1][name]) for name in shown if name in states[-1])
        return Trace(start, rows, claim.end, claim.loop, fair, claim.shortest, final, tuple(states[0].items()))

    def _first(self, interpreter: Interpreter, wanted: tuple[Value, ...]) -> State:
        given = dict(zip(interpreter.names, self.canonical(wanted), strict=True))
        for state in chain(interpreter.initial_like(given), interpreter.initial()):
            if self._same(interpreter, state, wanted):
                return state
        raise DoesNotReplay("the first state is not an initial one")

    def _next(self, interpreter: Interpreter, state: State, step: Step, wanted: tuple[Value, ...]) -> State:
        for taken, after in interpreter.successors(state, step.action):
            if taken == step and self._same(interpreter, after, wanted):
                return after
        raise DoesNotReplay(f"the interpreter has no such step: {step}")

    def _same(self, interpreter: Interpreter, state: State, wanted: tuple[Value, ...]) -> bool:
        return self.canonical(interpreter.key(state)) == self.canonical(wanted)

    def _judge(
        self,
        interpreter: Interpreter,
        claim: Claim,
        states: list[State],
        steps: list[Step],
        goal: Callable[[State], bool],
    ) -> tuple[str, ...]:
        """Whether the end of the trace is what it is claimed to be; for a loop, why it is fair."""
        match claim.end:
            case "violation":
                if goal(states[-1]):
                    raise DoesNotReplay("the property holds at the end")
            case "witness":
                if not goal(states[-1]):
                    raise DoesNotReplay("the formula does not hold at the end")
            case "quiet":
                possible = {step.action for step, _ in interpreter.successors(states[-1]) if step.kind is Kind.FAIR}
                if possible or goal(states[-1]):
                    raise DoesNotReplay(f"not quiet: {', '.join(sorted(possible)) or 'the goal holds'}")
            case "livelock":
                assert claim.loop is not None
                return self._judge_loop(interpreter, claim.loop, states, steps, goal)
        return ()

    def _judge_loop(
        self,
        interpreter: Interpreter,
        loop: int,
        states: list[State],
        steps: list[Step],
        goal: Callable[[State], bool],
    ) -> tuple[str, ...]:
        around, inside = states[loop:], steps[loop:]
        if not inside or not self._same(interpreter, states[-1], interpreter.key(states[loop])):
            raise DoesNotReplay("the loop does not come back to where it began")
        if any(not step.kind.calm for step in inside):
            raise DoesNotReplay("the loop needs a disturbance or a fault")
        if all(goal(state) for state in around):
            raise DoesNotReplay("the goal holds all around the loop")
        enabled = [
            {step.action for step, _ in interpreter.successors(state) if step.kind is Kind.FAIR} for state in around
        ]
        reasons: list[str] = []
        for action in sorted(set().union(*enabled)):
            if any(step.action == action for step in inside):
                reasons.append(f"{action}: taken in the loop")
            elif any(action not in possible for possible in enabled):
                reasons.append(f"{action}: not possible all around the loop")
            else:
                raise DoesNotReplay(f"the loop is not fair to {action}")
        return tuple(reasons)


# ---- numbers ---------------------------------------------------------------------------------------------------


def numbers_in(values: Iterable[Value]) -> set[int]:
    """The numbers among some values; `False` is none, though it is equal to 0."""
    return {value for value in values if isinstance(value, int) and not isinstance(value, bool)}


def beside(numbers: Collection[int]) -> set[int]:
    """Numbers other than these: what chooses among all of them can choose them as well, and so change something."""
    return {0, 1, min(numbers, default=0) - 1, max(numbers, default=0) + 1}


# ---- rows ------------------------------------------------------------------------------------------------------


def visible_start(operator: Operator, state: State) -> tuple[tuple[str, Value], ...]:
    """The fields of a first state that are not at their zero value."""
    holders: list[Object | External] = [*operator.objects.values(), *operator.externals.values()]
    names = [variable.name for variable in operator.clocks]
    names += [variable.name for holder in holders for variable in holder.fields]
    return tuple((name, state[name]) for name in names if state[name] not in (False, 0))


def trace_step(interpreter: Interpreter, step: Step, before: State, after: State) -> TraceStep:
    """The record of a step between two states."""
    changes = tuple(Change(name, before[name], after[name]) for name in before if before[name] != after[name])
    operator = interpreter.operator
    woke = _woke(interpreter, step, before, after)
    sees: tuple[Change, ...] = ()
    if step.action.startswith("reconcile "):
        controller = next(c for c in operator.controllers if step.action == f"reconcile {c.name}")
        stale = interpreter.outdated_reads(before, controller)
        sees = tuple(Change(name, before[controller.manager.view(name)], before.get(name, True)) for name in stale)
    return TraceStep(step, _who(step), changes, woke, line_of(operator, step), sees)


def _who(step: Step) -> str:
    verb, _, rest = step.action.partition(" ")
    match verb:
        case "reconcile" | "start":
            return rest
        case "process" | "noise" | "disturbance":
            return "environment"
        case "sync" | "relist" | "resync" | "lose":
            return "cache"
        case "fire" | "retry":
            return "timer"
        case _:
            return "fault" if step.kind is Kind.FAULT else "runtime"


def line_of(operator: Operator, step: Step) -> int | None:
    """The line of the model that a step comes from."""
    if "(L" in step.detail:
        return int(step.detail.rsplit("(L", 1)[1].rstrip(")"))
    verb, _, name = step.action.partition(" ")
    if verb in ("process", "noise", "disturbance"):
        return next((action.span.line for action in operator.actions if action.name == name), None)
    if verb == "fire":
        return next((rule.span.line for rule in operator.rules() if rule.name == name), None)
    return None


def _woke(interpreter: Interpreter, step: Step, before: State, after: State) -> str:
    """Says for a change whether a watch saw it, and for a delivery whether it queued the key."""
    verb = step.action.split(" ", 1)[0]
    if verb in ("sync", "resync", "relist", "fire", "retry", "crash", "lose"):
        return _delivery(interpreter, step.action, before, after)
    changed = [name for name in before if before[name] != after[name]]
    holders = (*interpreter.operator.objects, *interpreter.operator.externals)
    heard = [holder for holder in holders if any(name.startswith(f"{holder}.") for name in changed)]
    return "; ".join(_hearing(interpreter, holder, before, after) for holder in heard)


def _delivery(interpreter: Interpreter, action: str, before: State, after: State) -> str:
    """Which keys a delivery, a timer or a restart queues, and why it queues none."""
    operator = interpreter.operator
    names = [controller.name for controller in operator.controllers]
    verb, _, rest = action.partition(" ")
    if verb == "crash":
        restarted = operator.controllers_of(operator.manager(rest))
        listed = [one.name for one in restarted if after[f"queued({one.name})"]]
        return f"yes: {', '.join(listed)} is queued" if listed else "NO: the listing wakes nobody"
    newly = [name for name in names if after[f"queued({name})"] and not before[f"queued({name})"]]
    if newly:
        return f"yes: {', '.join(newly)} is queued"
    watches = [watch for controller in operator.controllers for watch in interpreter.layout.watching(controller)]
    delivered = [watch for watch in watches if before[event_name(watch)] and not after[event_name(watch)]]
    waiting = verb != "lose" and any(before[f"queued({watch.controller})"] for watch in delivered)
    if verb in ("relist", "lose") and delivered and not waiting:
        return "NO: the pending event is gone"
    if verb != "sync" and not waiting:
        return ""
    if not delivered:
        return "NO: no event was pending"
    return "no: it is queued already" if waiting else "NO: the mapping leads to nobody"


def _hearing(interpreter: Interpreter, holder: str, before: State, after: State) -> str:
    """What the watches of a changed object or external make of the change."""
    watches = [watch for _, watch in interpreter.layout.watches(holder)]
    heard = {interpreter.hears(watch, before, after) for watch in watches}
    if "event" in heard:
        return f"event: watch {holder}"
    if "unmapped" in heard:
        return f"NO: watch {holder} leads to nobody"
    if "own" in heard:
        return f"NO: the runtime filters own writes of {holder}"
    if "filtered" in heard:
        return f"NO: not let through by watch {holder}"
    if "unregistered" in heard:
        return f"NO: watch {holder} is not registered yet"
    sends_none = holder in interpreter.operator.externals
    return f"NO: {holder} sends no events" if sends_none else f"NO: nothing watches {holder}"
