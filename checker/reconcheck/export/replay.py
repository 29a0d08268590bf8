"""A counterexample of another checker, step by step on the reference interpreter, and judged there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from reconcheck.engines.python_code import canonical
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer, Trace, numbers_in
from reconcheck.export import nusmv_trace, spin_trace, tlc_trace
from reconcheck.export.foreign import ForeignTrace, Moment, no_trace, not_replayed, other_model, shows_nothing
from reconcheck.export.system import System, TooTight, build
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.model.types import Value
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import LeftRange, Step
from reconcheck.semantics.world import State

MOST_NAMED = 3
"""Differences that a message names."""


class Imported(Struct, frozen=True):
    """What a counterexample of another checker shows of the model."""

    tool: str
    goal: Goal
    verdict: str
    """As `verify` would say it: quiet, livelock, fails or reachable."""
    trace: Trace


class _Path(Struct, frozen=True):
    """A run of the interpreter: each state with the step into it; `loop` is the state to which it comes back."""

    states: list[State]
    steps: list[Step]
    loop: int | None


def read(text: str, tool: str | None, system: System) -> list[ForeignTrace]:
    """The traces in a text.  Raises `ModelError` (RC701, RC702, RC703)."""
    found = tool
    if found is None:
        looks = {"spin": spin_trace.recognised, "nusmv": nusmv_trace.recognised, "tlc": tlc_trace.recognised}
        found = next((name for name, recognised in looks.items() if recognised(text)), None)
    match found:
        case "spin":
            return [spin_trace.read(text, system)]
        case "nusmv":
            return nusmv_trace.read(text, system)
        case "tlc":
            return [tlc_trace.read(text, system)]
        case _:
            raise no_trace("nothing in it looks like a counterexample of Spin, NuSMV, nuXmv or TLC")


def imported(
    text: str, tool: str | None, operator: Operator, scope: Scope, goals: Sequence[Goal], bound: int | None
) -> list[Imported]:
    """What the traces in a text show, each replayed.  Raises `ModelError` (RC701 to RC704)."""
    try:
        system = build(operator, scope, tuple(goals), bound)
    except TooTight as tight:
        raise other_model(
            f"the model begins with larger numbers than {bound}, so its export had another bound"
        ) from tight
    replaying = _Replaying(operator, scope)
    return [replaying.judged(trace, goals) for trace in read(text, tool, system)]


class _Replaying:
    """Replays traces of an operator in a scope."""

    def __init__(self, operator: Operator, scope: Scope) -> None:
        self.operator, self.scope = operator, scope
        self.canonical = canonical(compile_system(operator, scope))

    def judged(self, trace: ForeignTrace, goals: Iterable[Goal]) -> Imported:
        """What a trace shows: the first question that it answers.  Raises `ModelError` (RC703, RC704)."""
        path = self.follow(trace)
        reasons: list[str] = []
        for goal in goals:
            try:
                return self._shown(trace.tool, path, goal)
            except DoesNotReplay as reason:
                reasons.append(f"{goal.name}: {reason}")
        raise shows_nothing(f"the trace was replayed to its end, and shows nothing: {'; '.join(reasons)}")

    def _shown(self, tool: str, path: _Path, goal: Goal) -> Imported:
        """Raises `DoesNotReplay` where the run is no counterexample to the goal, nor a witness."""

        def holds(state: State) -> bool:
            return bool(e.evaluate(goal.formula, state))

        names = list(dict.fromkeys(variable.name for variable in e.variables(goal.formula)))
        end, verdict, last, loop = "quiet", "quiet", len(path.states) - 1, None
        if goal.kind == "converges":
            if path.loop is not None and path.loop < last:
                end, verdict, loop = "livelock", "livelock", path.loop
        else:
            wanted = goal.kind == "reachable"
            end, verdict = ("witness", "reachable") if wanted else ("violation", "fails")
            last = next((number for number, state in enumerate(path.states) if holds(state) == wanted), last)
        interpreter = Interpreter(self.operator, self.scope)
        steps: list[Step | None] = [None, *path.steps]
        states = list(zip(steps, map(interpreter.key, path.states), strict=True))[: last + 1]
        claim = Claim(states, loop, end, True)
        trace = Replayer(self.operator, self.scope, self.canonical).replay(claim, holds, names)
        return Imported(tool, goal, verdict, trace)

    # ---- the steps ----

    def follow(self, trace: ForeignTrace) -> _Path:
        """The run of the interpreter that a trace tells of.  Raises `ModelError` (RC703)."""
        numbers = numbers_in(value for moment in trace.moments for value in moment.state.values())
        interpreter = Interpreter(self.operator, self.scope, tuple(sorted(numbers)))
        path = _Path([self._first(interpreter, trace.moments[0])], [], None)
        where = [0]
        for moment in trace.moments[1:]:
            if not self._same(interpreter, path.states[-1], moment):
                step, after = self._next(interpreter, path.states[-1], moment)
                path.states.append(after)
                path.steps.append(step)
            where.append(len(path.states) - 1)
        return _Path(path.states, path.steps, where[trace.loop] if trace.loop is not None else None)

    def _key(self, interpreter: Interpreter, state: State | Moment) -> tuple[Value, ...]:
        values = state.state if isinstance(state, Moment) else state
        return self.canonical(tuple(values[name] for name in interpreter.names))

    def _same(self, interpreter: Interpreter, state: State, moment: Moment) -> bool:
        return self._key(interpreter, state) == self._key(interpreter, moment)

    def _first(self, interpreter: Interpreter, moment: Moment) -> State:
        states = list(interpreter.initial())
        for state in states:
            if self._same(interpreter, state, moment):
                return state
        raise not_replayed(f"{moment.label} of the trace is no first state of the model{self._nearest(states, moment)}")

    def _next(self, interpreter: Interpreter, state: State, moment: Moment) -> tuple[Step, State]:
        action = moment.action
        try:
            possible = list(interpreter.successors(state))
        except LeftRange as error:
            raise not_replayed(f"before {moment.label} of the trace, {error}: the model is wrong (RC310)") from error
        named = [one for one in possible if action is not None and _is(one[0], action.name, action.kind)]
        for step, after in named if action is not None else possible:
            if self._same(interpreter, after, moment):
                return step, after
        if action is None:
            there = "nothing was done before it in the trace, or it is not told what"
        elif not named:
            can = ", ".join(sorted({str(step) for step, _ in possible})) or "nothing"
            there = f"{action.name} is not possible there; possible: {can}"
        else:
            there = f"{action.name} does not lead there{self._nearest([after for _, after in named], moment)}"
        raise not_replayed(f"{moment.label} of the trace cannot be reached on the reference interpreter: {there}")

    def _nearest(self, states: list[State], moment: Moment) -> str:
        """How a state that is told differs from the nearest one that is possible."""
        differences = [[name for name in state if state[name] != moment.state[name]] for state in states]
        names = min(differences, key=len)
        near = states[differences.index(names)]
        told = [f"{name} should be {near[name]} and is {moment.state[name]} in the trace" for name in names]
        more = f", and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
        return f": {', '.join(told[:MOST_NAMED])}{more}"


def _is(step: Step, name: str, kind: str) -> bool:
    return str(step) == name and step.kind == kind
