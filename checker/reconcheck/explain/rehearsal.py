"""What would have happened: calm runs on the reference interpreter, from a state that is changed by thought.

A rehearsal asks "would a wake-up have helped?" or "would it have gone well without that crash?".  It follows fair
runs without disturbances, faults and noise, in which caches are brought up to date before anything else is done:
one in which reconciles run in one piece, and one in which everybody else may come between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.engines.budget import Exhausted
from reconcheck.explain.trace import Trace, numbers_in
from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.operator import (
    Call,
    Controller,
    End,
    Goal,
    Instruction,
    Operator,
    Read,
    Remember,
    Scope,
    Write,
    expressions,
)
from reconcheck.model.types import Value
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.layout import ERROR_TIMER, timer_action
from reconcheck.semantics.reconciling import Reconciling
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step
from reconcheck.semantics.world import Run, State

MOST_WORK = 8_000_000
"""Variables copied in all rehearsals of a trace, some four seconds; then its causes are not looked for any further."""

Check = Callable[[str], None]
"""Called now and then with what is being done; raises `Exhausted` when there is no time left."""


class Ended(Struct):
    """How a rehearsal ended: whether the goal holds from then on, and what reconciles did on the way."""

    good: bool
    state: State
    read: set[str] = field(default_factory=set)
    """What they read."""
    begun: set[str] = field(default_factory=set)
    """The controllers of which one began."""


class Next(NamedTuple):
    """The next step of a rehearsal: whose turn it is then, the state then, and what a reconcile did."""

    turn: int
    after: State
    begun: str | None
    """The controller of which one began."""
    read: set[str]


Moment = tuple[tuple[Value, ...], int]
"""A state, and whose turn it is in it."""

ORDERS = ("in one piece", "in between")
"""The two runs: reconciles are not interrupted, or everybody takes a step in turn, the environment first."""


class Rehearsal(Interpreter):
    """The interpreter without faults, noise and disturbances, following fair runs."""

    def __init__(self, operator: Operator, scope: Scope, goal: Goal, numbers: tuple[int, ...], check: Check) -> None:
        super().__init__(operator, scope, numbers)
        self.check = check
        processes = tuple(action for action in operator.actions if action.kind == "process")
        self.whole = Interpreter(operator, scope, numbers)
        self.operator = replace(operator, faults=frozenset(), actions=processes)
        self.goal = goal
        self.order = {action: number for number, action in enumerate(_actions(self.operator))}
        """Whose turn it is after whom."""
        self.work = 0
        """Variables copied so far."""
        self._known: dict[tuple[Moment, frozenset[str], str], Next | None] = {}
        """The next step at each moment, what is pinned, and in which order: rehearsals mostly end alike."""

    def holds(self, state: State) -> bool:
        """Whether the goal is true in a state."""
        return bool(e.evaluate(self.goal.formula, state))

    def controller(self, name: str) -> Controller:
        """The controller of that name."""
        return next(controller for controller in self.operator.controllers if controller.name == name)

    # ---- runs -----------------------------------------------------------------------------------------

    def helps(self, state: State, controllers: Iterable[str], pinned: Collection[str] = ()) -> bool:
        """Whether the goal is reached on one of the runs if these controllers are woken, as often as it may take."""
        names = list(controllers)
        return any(self.woken(state, names, pinned, order).good for order in ORDERS)

    def surely(self, state: State) -> bool:
        """Whether the goal is reached on each of the runs, if nobody is woken from outside."""
        return all(self.settle(state, order=order).good for order in ORDERS)

    def possibly(self, state: State) -> bool:
        """Whether the goal is reached on one of the runs, if nobody is woken from outside."""
        return any(self.settle(state, order=order).good for order in ORDERS)

    def wakes(self, state: State, controller: str) -> bool:
        """Whether a reconcile of the controller begins on each of the runs, if nobody is woken from outside."""
        return all(controller in self.settle(state, order=order).begun for order in ORDERS)

    def woken(
        self, state: State, controllers: Iterable[str], pinned: Collection[str] = (), order: str = ORDERS[0]
    ) -> Ended:
        """What becomes of a state if these controllers are woken whenever nothing else goes on."""
        names, seen, read = list(controllers), set[tuple[Value, ...]](), set[str]()
        while True:
            state = state | {f"queued({name})": True for name in names}
            ended = self.settle(state, pinned, order)
            read |= ended.read
            if ended.good or self.key(ended.state) in seen:
                return Ended(ended.good, ended.state, read)
            seen.add(self.key(ended.state))
            state = ended.state

    def settle(self, state: State, pinned: Collection[str] = (), order: str = ORDERS[0]) -> Ended:
        """What becomes of a state if nothing disturbs it any more; the environment leaves `pinned` as it is."""
        seen: dict[Moment, int] = {}
        truths: list[bool] = []
        read: set[str] = set()
        begun: set[str] = set()
        turn, still = 0, frozenset(pinned)
        try:
            while True:
                moment = self.key(state), turn
                if moment in seen:  # it goes round for ever
                    return Ended(all(truths[seen[moment] :]), state, read, begun)
                seen[moment] = len(truths)
                truths.append(self.holds(state))
                if (moment, still, order) not in self._known:
                    self._known[moment, still, order] = self._next(state, turn, still, order)
                taken = self._known[moment, still, order]
                if taken is None:
                    return Ended(truths[-1], state, read, begun)
                if taken.begun is not None:
                    begun.add(taken.begun)
                read |= taken.read
                turn, state = taken.turn, taken.after
        except (LeftRange, Endless):  # a run that the model does not mean: it shows nothing good
            return Ended(False, state, read, begun)

    def advance(self, state: State, action: str) -> State | None:
        """The state after an action that nothing fails in; None where it is not possible."""
        return next((after for step, after in self.successors(state) if step.action == action), None)

    def fresh(self, state: State) -> State:
        """The state once the caches are up to date."""
        while True:
            caches = [one for one in self._attempts(state) if one[0].action.startswith("sync ")]
            after = next((after for _, after in self._tried(state, caches)), None)
            if after is None:
                return state
            state = after

    def _next(self, state: State, turn: int, pinned: frozenset[str], order: str) -> Next | None:
        """The next step of a fair run, caches first, then everybody in turn."""
        attempts = [(step, attempt) for step, attempt in self._attempts(state) if step.kind is Kind.FAIR]
        caches = [one for one in attempts if one[0].action.startswith("sync ")]
        for _, after in self._tried(state, caches):
            return Next(turn, after, None, set())
        if order == "in one piece":
            running = [one for one in attempts if one[0].action.startswith("reconcile ")]
            for step, after in self._tried(state, running):
                return self._going_on(state, turn, step, after)
        others = [one for one in attempts if not one[0].action.startswith("sync ")]
        others.sort(key=lambda one: self._wait(one[0].action, turn, order))
        for step, after in self._tried(state, others):
            if step.action.startswith("process ") and any(state[name] != after[name] for name in pinned):
                continue
            following = (turn + self._wait(step.action, turn, order) + 1) % len(self.order)
            return self._going_on(state, following, step, after)
        return None

    def _going_on(self, state: State, turn: int, step: Step, after: State) -> Next:
        """A step with what it tells of reconciles."""
        verb, _, name = step.action.partition(" ")
        read = reads(self, state, self.controller(name)) if verb == "reconcile" else set[str]()
        return Next(turn, after, name if verb == "start" else None, read)

    def _wait(self, action: str, turn: int, order: str) -> int:
        """How many others have their turn before an action."""
        place = self.order[action] if order == "in one piece" else -1 - self.order[action]
        return (place - turn) % len(self.order)

    def _tried(
        self, state: State, attempts: Iterable[tuple[Step, Callable[[Run], bool]]]
    ) -> Iterator[tuple[Step, State]]:
        for step, attempt in attempts:
            self.work += len(state)
            if self.work > MOST_WORK:
                raise Exhausted(f"rehearsals of the run copied more than {MOST_WORK:,} values")
            self.check("looking for causes")
            for done, after in self._outcomes(state, step, attempt):
                if after != state:
                    self._check_types(done, after)
                    yield done, after


def _actions(operator: Operator) -> Iterator[str]:
    """The fair actions that are not the cache's, each once."""
    for controller in operator.controllers:
        timers = [*(rule.name for rule in controller.rules), ERROR_TIMER]
        yield from (f"start {controller.name}", f"reconcile {controller.name}")
        yield from (timer_action(controller, timer) for timer in timers)
        yield from (f"resync {controller.name}: {watch.name}" for watch in controller.watches)
    yield from (f"process {action.name}" for action in operator.actions)


def rehearsal(operator: Operator, scope: Scope, goal: Goal, trace: Trace, check: Check) -> Rehearsal:
    """What rehearses from the states of a trace.  Its rehearsals raise `Exhausted`."""
    numbers = numbers_in(value for state in trace.states() for value in state.values())
    return Rehearsal(operator, scope, goal, tuple(sorted(numbers)), check)


def reads(interpreter: Reconciling, state: State, controller: Controller) -> set[str]:
    """What the next step of a running reconcile reads: live names, also of what comes out of the cache."""
    found: set[str] = set()
    for instruction in interpreter.coming(state, controller):
        found |= read_in(instruction)
        if isinstance(instruction, End) and instruction.rule is not None:
            for _, value in interpreter.layout.rule(instruction.rule).captures:
                found |= {live_name(variable.name) for variable in e.variables(value)}
    return {name for name in found if name in state}


def touched_by(controller: Controller) -> set[str]:
    """The live names that a controller reads, and those that it writes; of what it creates or deletes, `r.exists`."""
    found: set[str] = set()
    for instruction in controller.program.code:
        found |= read_in(instruction)
        if isinstance(instruction, Write | Call | Remember):
            found |= {target.variable.name for target in instruction.assignments}
        if isinstance(instruction, Write):
            found.add(f"{instruction.target}.exists")
    return found


def read_in(instruction: Instruction) -> set[str]:
    """The live names that an instruction reads."""
    found = {
        live_name(variable.name) for expression in expressions(instruction) for variable in e.variables(expression)
    }
    if isinstance(instruction, Read):
        found |= {live.name for _, live in instruction.locals} | {f"{instruction.target}.exists"}
    return found
