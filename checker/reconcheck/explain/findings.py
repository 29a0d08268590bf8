"""Findings that need no counterexample: what can never happen, and questions that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconcheck.diagnostic import Diagnostic, Severity, Span
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import predicate
from reconcheck.model.operator import Bind, Controller, Goal, Jump, Operator, Test


def findings_of(operator: Operator, graphs: Sequence[StateGraph], goals: Sequence[Goal]) -> tuple[Diagnostic, ...]:
    """What complete state graphs say about the model itself.  Without a complete graph, nothing is claimed."""
    if not graphs:
        return ()
    taken: set[tuple[str, str]] = set()
    for graph in graphs:
        numbers = {command for row in graph.edges for command, _ in row}
        steps = [graph.system.commands[number].step for number in numbers]
        taken |= {(step.action, step.detail) for step in steps}
    found = [*_empty_goals(graphs, goals), *_idle_actions(operator, {action for action, _ in taken})]
    for controller in operator.controllers:
        details = {detail for action, detail in taken if action == f"reconcile {controller.name}"}
        found += _unreached_lines(controller, details)
    return tuple(found)


def _empty_goals(graphs: Sequence[StateGraph], goals: Sequence[Goal]) -> Iterator[Diagnostic]:
    """Goals that are the same in every reachable state."""
    for goal in goals:
        truths: set[bool] = set()
        for graph in graphs:
            truths |= set(map(predicate(graph.system, goal.formula), graph.states))
        if goal.kind != "converges" or len(truths) != 1:
            continue
        if True in truths:
            message = f"`{goal.name}` is true in every reachable state: nothing in the model can make it false"
            yield _finding("RC301", message, goal.span, "let the environment disturb it, or ask something else")
        else:
            message = f"`{goal.name}` is false in every reachable state: nothing in the model can make it true"
            yield _finding("RC302", message, goal.span, "check the formula, and what the controller writes")


def _idle_actions(operator: Operator, taken: set[str]) -> Iterator[Diagnostic]:
    """Actions that never happen; what an imported kind brings along need not matter to every model."""
    for action in operator.actions:
        if f"{action.kind} {action.name}" not in taken and action.span.file == operator.file:
            message = f"`{action.name}` never happens: its condition is never true, or it changes nothing"
            yield _finding("RC305", message, action.span, "remove it, or correct it")


def _unreached_lines(controller: Controller, details: set[str]) -> Iterator[Diagnostic]:
    """Lines with an effect or an outcome that no reachable step carries out."""
    reached = {int(detail.rsplit("(L", 1)[1].rstrip(")")) for detail in details}
    for instruction in controller.program.code:
        line = instruction.span.line
        if not isinstance(instruction, Test | Bind | Jump) and line not in reached:
            reached.add(line)  # reported once
            message = f"this line of `{controller.name}` is never reached"
            yield _finding("RC305", message, instruction.span, "remove it, or correct the branch")


def _finding(code: str, message: str, span: Span, instead: str) -> Diagnostic:
    return Diagnostic(code, message, span, instead, None, Severity.WARNING)
