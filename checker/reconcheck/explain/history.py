"""A trace as history: its states, the runs of each controller, what the last one saw, and what changed since."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.explain.cause import Place
from reconcheck.explain.rehearsal import Rehearsal, read_in, reads
from reconcheck.explain.trace import Trace, TraceStep
from reconcheck.model.operator import Bind, Controller, Instruction, Jump
from reconcheck.model.types import Value
from reconcheck.semantics.layout import IDLE, STOPPED
from reconcheck.semantics.world import State


class Run(Struct, frozen=True):
    """A reconcile in a trace: the numbers of its steps, from 0, without the start."""

    steps: tuple[int, ...]
    ended: bool


class Changed(Struct, frozen=True):
    """A variable that is not as the last reconcile saw it: the steps that changed it since, from 0."""

    name: str
    before: Value
    """What the reconcile saw, or what was when it ended."""
    steps: tuple[int, ...]
    stale: bool
    """Whether the reconcile saw an outdated copy."""


class History:
    """What happened in a trace."""

    def __init__(self, rehearsal: Rehearsal, trace: Trace) -> None:
        self.rehearsal, self.trace = rehearsal, trace
        self.operator = rehearsal.whole.operator
        self.steps: tuple[TraceStep, ...] = trace.steps
        self.states: list[State] = trace.states()

    @property
    def end(self) -> State:
        """The last state."""
        return self.states[-1]

    @cached_property
    def holders(self) -> tuple[str, ...]:
        """Everything with fields: objects, externals, clocks, and the memory."""
        clocks = dict.fromkeys(variable.name.partition(".")[0] for variable in self.operator.clocks)
        return (*self.operator.objects, *self.operator.externals, *clocks, "memory")

    def holder(self, name: str) -> str:
        """What a variable is a field of."""
        return next((holder for holder in self.holders if name.startswith(f"{holder}.")), "")

    # ---- runs ----------------------------------------------------------------------------------------------

    def last_run(self, controller: Controller) -> Run | None:
        """The last reconcile of a controller, if there was one."""
        action = f"reconcile {controller.name}"
        number = max((n for n, step in enumerate(self.steps) if step.step.action == action), default=None)
        return None if number is None else self.run_at(controller, number)

    def run_at(self, controller: Controller, number: int) -> Run:
        """The reconcile that a step belongs to, with its steps up to that one."""
        action, first = f"reconcile {controller.name}", number
        while self.steps[first].step.action != f"start {controller.name}" and first > 0:
            first -= 1
        steps = tuple(n for n in range(first, number + 1) if self.steps[n].step.action == action)
        return Run(steps, self.states[number + 1][f"pc({controller.name})"] in (IDLE, STOPPED))

    def seen(self, controller: Controller, run: Run) -> dict[str, tuple[Value, int]]:
        """What a run read: the value it saw of each live variable, and the step, the last one of several."""
        found: dict[str, tuple[Value, int]] = {}
        for number in run.steps:
            state = self.states[number]
            for name in reads(self.rehearsal, state, controller):
                view = controller.manager.view(name)
                found[name] = state[view if self.is_cached(number, controller, name) else name], number
        return found

    def is_cached(self, number: int, controller: Controller, name: str) -> bool:
        """Whether a step of a reconcile that reads a live variable takes it from the cache."""
        return controller.manager.view(name) in self.states[number] and not self._reads_live(number, controller, name)

    def _reads_live(self, number: int, controller: Controller, name: str) -> bool:
        effect = self.instruction(number, controller)
        target = getattr(effect, "target", None)
        return self.steps[number].step.detail.startswith("read ") and name.startswith(f"{target}.")

    def changed(self, controller: Controller, run: Run | None, names: frozenset[str], own: bool) -> list[Changed]:
        """Which of these live variables are not any more as the last run saw them, or as it left them.

        With `own`, what the run wrote itself is a change too: it may have counted on being told of it.
        """
        saw = self.seen(controller, run) if run is not None else {}
        left = run.steps[-1] + 1 if run is not None else 0
        found: list[Changed] = []
        for name in sorted(names):
            before, since = saw.get(name, (self.states[left][name], left))
            stale = before != self.states[since][name]
            steps = [n for n in range(len(self.steps)) if self.states[n][name] != self.states[n + 1][name]]
            written = [n for n in steps if run is not None and n in run.steps and n >= since]
            if written and not own:
                since, stale = written[-1] + 1, False
                before = self.states[since][name]
            if stale and self.end[name] == before:  # it came back to what the outdated copy said
                before, stale = self.states[since][name], False
            if self.end[name] == before:
                continue
            later = [n for n in steps if n >= since] or (steps[-1:] if stale else [])
            if later:
                found.append(Changed(name, before, tuple(later), stale))
        return found

    # ---- errors ----------------------------------------------------------------------------------------------

    def outcome(self, number: int) -> str:
        """What a step of a reconcile does, without its line."""
        return self.steps[number].step.detail.rpartition(" (L")[0]

    def ends_with_error(self, controller: Controller, number: int) -> bool:
        """Whether a run ends with an error at a step, so that the error rule decides."""
        failed = " fails" in self.steps[number].step.detail
        return self.outcome(number).startswith("fail") or (failed and not self._handled(controller, number))

    def _handled(self, controller: Controller, number: int) -> bool:
        """Whether a failing effect has a handler that its error goes to."""
        effect = self.instruction(number, controller)
        handlers = dict(getattr(effect, "handlers", ()))
        detail = self.steps[number].step.detail
        error = next((name for name in ("conflict", "exists", "missing") if f"({name})" in detail), "error")
        return error in handlers or "error" in handlers

    # ---- places --------------------------------------------------------------------------------------------

    def instruction(self, number: int, controller: Controller) -> Instruction | None:
        """The effect or outcome that a step of a reconcile carried out."""
        coming = self.rehearsal.coming(self.states[number], controller)
        return coming[-1] if coming else None

    def place(self, number: int) -> Place | None:
        """The line of the model that a step comes from."""
        step = self.steps[number]
        verb, _, name = step.step.action.partition(" ")
        if verb == "reconcile":
            found = self.instruction(number, self.rehearsal.controller(name))
            return None if found is None else place_of(found)
        action = next((action for action in self.operator.actions if action.name == name), None)
        return Place(action.span, action.cites) if action is not None and verb != "sync" else None

    def reading(self, controller: Controller, name: str) -> Iterator[Place]:
        """Where a reconcile reads a variable."""
        for instruction in controller.program.code:
            if name in read_in(instruction):
                yield place_of(instruction)

    def declared(self, holder: str) -> Place | None:
        """Where something is declared."""
        found = self.operator.objects.get(holder) or self.operator.externals.get(holder)
        return Place(found.span, found.cites) if found is not None else None


def place_of(instruction: Instruction) -> Place:
    """The place of an instruction."""
    if isinstance(instruction, Bind | Jump):
        return Place(instruction.span)
    return Place(instruction.span, instruction.cites)


def line(span: Span) -> str:
    """A line as a message names it."""
    return f"L{span.line}"
