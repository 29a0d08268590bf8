"""Random walks on the reference interpreter."""

from __future__ import annotations

import random

from reconcheck.explain.trace import Trace, TraceStep, trace_step, visible_start
from reconcheck.model.expr import evaluate
from reconcheck.model.operator import Operator, Scope
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Kind

NUMBERS = (0, 1, 2, 3)
"""What `any` tries on an unbounded integer during a walk."""

RARELY = 0.15
"""How often a disturbance or a fault is taken where a calm step is possible."""


def walk(operator: Operator, scope: Scope, seed: int, steps: int, calm: bool = False) -> Trace:
    """A walk of at most so many steps; it ends early, as "quiet", where nothing can happen any more."""
    chance = random.Random(seed)
    interpreter = Interpreter(operator, scope, NUMBERS)
    state = chance.choice(list(interpreter.initial()))
    start = visible_start(operator, state)
    rows: list[TraceStep] = []
    end = "walk"
    for _ in range(steps):
        possible = list(interpreter.successors(state))
        quiet = [choice for choice in possible if choice[0].kind.calm]
        others = [choice for choice in possible if not choice[0].kind.calm]
        if calm or (quiet and (not others or chance.random() > RARELY)):
            possible = quiet
        elif others:
            possible = others
        if not possible:
            end = "quiet"
            break
        step, after = chance.choice(possible)
        rows.append(trace_step(interpreter, step, state, after))
        state = after
    if end == "walk" and not any(step.kind is Kind.FAIR for step, _ in interpreter.successors(state)):
        end = "quiet"
    goals = tuple((goal.name, bool(evaluate(goal.formula, state))) for goal in operator.goals)
    return Trace(start, tuple(rows), end, None, (), True, goals)
