"""Findings that need no counterexample: what can never happen, and questions that say nothing."""

from __future__ import annotations

from collections.abc import Sequence

from reconcheck.diagnostic import Diagnostic, Severity
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import predicate
from reconcheck.model.operator import Goal, Operator, Test


def findings_of(operator: Operator, graphs: Sequence[StateGraph], goals: Sequence[Goal]) -> tuple[Diagnostic, ...]:
    """What complete state graphs say about the model itself.  Without a complete graph, nothing is claimed."""
    if not graphs:
        return ()
    found: list[Diagnostic] = []
    for goal in goals:
        truths: set[bool] = set()
        for graph in graphs:
            truths |= set(map(predicate(graph.system, goal.formula), graph.states))
        if goal.kind == "converges" and truths == {True}:
            message = f"`{goal.name}` is true in every reachable state: nothing in the model can make it false"
            found.append(_finding("RC301", message, goal, "let the environment disturb it, or ask something else"))
        if goal.kind == "converges" and truths == {False}:
            message = f"`{goal.name}` is false in every reachable state: nothing in the model can make it true"
            found.append(_finding("RC302", message, goal, "check the formula, and what the controller writes"))
    taken: set[tuple[str, str]] = set()
    for graph in graphs:
        numbers = {command for row in graph.edges for command, _ in row}
        steps = [graph.system.commands[number].step for number in numbers]
        taken |= {(step.action, step.detail) for step in steps}
    actions = {action for action, _ in taken}
    for action in operator.actions:
        if f"{action.kind} {action.name}" not in actions:
            message = f"`{action.name}` never happens: its condition is never true, or it changes nothing"
            found.append(Diagnostic("RC305", message, action.span, "remove it, or correct it", None, Severity.WARNING))
    for controller in operator.controllers:
        lines = {
            int(d.rsplit("(L", 1)[1].rstrip(")")) for a, d in taken if a == f"reconcile {controller.name}" and "(L" in d
        }
        reported: set[int] = set()
        for instruction in controller.program.code:
            line = instruction.span.line
            is_step = instruction.__class__.__name__ in ("Write", "Call", "Read", "Remember", "Register", "End")
            if is_step and not isinstance(instruction, Test) and line not in lines and line not in reported:
                reported.add(line)
                message = f"this line of `{controller.name}` is never reached"
                found.append(
                    Diagnostic(
                        "RC305", message, instruction.span, "remove it, or correct the branch", None, Severity.WARNING
                    )
                )
    return tuple(found)


def _finding(code: str, message: str, goal: Goal, instead: str) -> Diagnostic:
    return Diagnostic(code, message, goal.span, instead, None, Severity.WARNING)
