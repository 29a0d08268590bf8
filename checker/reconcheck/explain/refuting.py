"""Counterexamples used again: a run that fails with some wake-ups often fails alike with others.

What is found is replayed on the reference interpreter in the scope at hand, like any counterexample.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcheck.explain.trace import Trace, visible_start
from reconcheck.explain.verdict import Answer
from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.types import Value
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step
from reconcheck.semantics.world import State

WIDTH = 8
"""States followed at a time: a step can end in several."""
SETTLING = 60
"""Fair steps after the last one of a known run until there is rest, or it is given up."""


@dataclass(frozen=True)
class _Run:
    """A run that came to rest where the goal was false: what it began with, and its steps."""

    goal: e.Expr
    start: tuple[tuple[str, Value], ...]
    steps: tuple[Step, ...]


class Refuter:
    """Tries known runs in other scopes."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.known: dict[_Run, int] = {}
        """The runs that came to rest without their goal, with how often each was of use."""

    def learn(self, answers: Iterable[Answer]) -> None:
        """Takes the runs that end at rest without their goal."""
        for answer in answers:
            if answer.verdict == "quiet" and isinstance(answer.trace, Trace):
                trace = answer.trace
                steps = tuple(row.step for row in trace.steps)
                self.known.setdefault(_Run(answer.goal.formula, trace.start, steps), 0)

    def refutes(self, scope: Scope) -> bool:
        """Whether some known run, as far as it is possible, comes to rest without its goal in another scope too."""
        interpreter = Interpreter(self.operator, scope)
        for run in sorted(self.known, key=lambda one: -self.known[one]):
            try:
                if _ends_without(interpreter, run):
                    self.known[run] += 1
                    return True
            except (Endless, LeftRange):
                continue
        return False


def _ends_without(interpreter: Interpreter, run: _Run) -> bool:
    """Whether a run of these steps, without those that are not possible, comes to rest where the goal is false.

    Every state on the way is one that the interpreter gives as a successor of the state before.
    """
    operator, goal = interpreter.operator, run.goal
    states = [state for state in interpreter.initial() if visible_start(operator, state) == run.start][:WIDTH]
    for step in run.steps:
        after = [then for state in states for taken, then in interpreter.successors(state) if taken == step]
        states = _distinct(interpreter, after)[:WIDTH] or states
    for _ in range(SETTLING):
        if not states:
            return False
        going_on: list[State] = []
        for state in states:
            fair = [then for step, then in interpreter.successors(state) if step.kind is Kind.FAIR]
            if not fair and not e.evaluate(goal, state):
                return True
            going_on += fair[:1]
        states = _distinct(interpreter, going_on)[:WIDTH]
    return False


def _distinct(interpreter: Interpreter, states: Iterable[State]) -> list[State]:
    return list({interpreter.key(state): state for state in states}.values())
