"""Findings that need no counterexample: what can never happen, and questions that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconcheck.diagnostic import Diagnostic, Severity, Span
from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import strongly_connected
from reconcheck.engines.python_code import predicate
from reconcheck.explain.coverage import uncovered
from reconcheck.model.operator import Bind, Controller, Goal, Jump, Operator, Test


@dataclass(frozen=True)
class Seen:
    """What the complete state graph of one scope says about the model."""

    steps: frozenset[tuple[str, str]]
    """Action and detail of every step that some reachable state can take."""
    truths: Mapping[str, frozenset[bool]]
    """The values that the formula of each convergence goal has in reachable states."""
    polls: frozenset[str] = frozenset()
    """Waits that fire again and again in states where every convergence goal holds."""


def seen_in(graph: StateGraph, operator: Operator) -> Seen:
    """What a complete graph says; small, where the graph is large."""
    numbers = {command for row in graph.edges for command, _ in row}
    steps = [graph.system.commands[number].step for number in numbers]
    truths = {goal.name: _truths(graph, goal) for goal in operator.goals if goal.kind == "converges"}
    return Seen(frozenset((step.action, step.detail) for step in steps), truths, _polls(graph, operator))


def _polls(graph: StateGraph, operator: Operator) -> frozenset[str]:
    """The waits that fire on a cycle of calm steps around which every convergence goal holds."""
    waits = {f"fire {rule.name}": rule.name for rule in operator.rules() if rule.kind == "after"}
    goals = [predicate(graph.system, goal.formula) for goal in operator.goals if goal.kind == "converges"]
    commands = [command.step for command in graph.system.commands]
    if not goals or not any(step.action in waits for step in commands):
        return frozenset()
    good = [all(holds(state) for holds in goals) for state in graph.states]
    edges = [
        [(c, after) for c, after in row if good[number] and good[after] and commands[c].kind.calm]
        for number, row in enumerate(graph.edges)
    ]
    component, _ = strongly_connected(edges, Budget())
    return frozenset(
        waits[commands[c].action]
        for number, row in enumerate(edges)
        for c, after in row
        if commands[c].action in waits and component[number] == component[after]
    )


def _truths(graph: StateGraph, goal: Goal) -> frozenset[bool]:
    truths: set[bool] = set()
    holds = predicate(graph.system, goal.formula)
    for state in graph.states:
        truths.add(holds(state))
        if len(truths) == 2:
            break
    return frozenset(truths)


def findings_of(operator: Operator, seen: Sequence[Seen], goals: Sequence[Goal]) -> tuple[Diagnostic, ...]:
    """What the text of a model says, and what complete state graphs do: without one, nothing is claimed of states."""
    always = tuple(uncovered(operator))
    if not seen:
        return always
    taken = frozenset[tuple[str, str]]().union(*(one.steps for one in seen))
    found = [*always, *_empty_goals(seen, goals), *_idle_actions(operator, {action for action, _ in taken})]
    found += _periodic_waits(operator, frozenset[str]().union(*(one.polls for one in seen)))
    for controller in operator.controllers:
        details = {detail for action, detail in taken if action == f"reconcile {controller.name}"}
        found += _unreached_lines(controller, details)
    return tuple(found)


def _empty_goals(seen: Sequence[Seen], goals: Sequence[Goal]) -> Iterator[Diagnostic]:
    """Goals that are the same in every reachable state."""
    for goal in goals:
        if goal.kind != "converges":
            continue
        truths = frozenset[bool]().union(*(one.truths[goal.name] for one in seen))
        if truths == {True}:
            message = f"`{goal.name}` is true in every reachable state: nothing in the model can make it false"
            yield _finding("RC301", message, goal.span, "let the environment disturb it, or ask something else")
        elif truths == {False}:
            message = f"`{goal.name}` is false in every reachable state: nothing in the model can make it true"
            yield _finding("RC302", message, goal.span, "check the formula, and what the controller writes")


def _idle_actions(operator: Operator, taken: set[str]) -> Iterator[Diagnostic]:
    """Actions that never happen; what an imported kind brings along need not matter to every model."""
    for action in operator.actions:
        if f"{action.kind} {action.name}" not in taken and action.span.file == operator.file:
            message = f"`{action.name}` never happens: its condition is never true, or it changes nothing"
            yield _finding("RC305", message, action.span, "remove it, or correct it")


def _periodic_waits(operator: Operator, polls: frozenset[str]) -> Iterator[Diagnostic]:
    """Waits that go on for ever when there is nothing to wait for."""
    for rule in operator.rules():
        if rule.name in polls:
            message = f"`{rule.name}` goes on for ever while every goal holds: it is periodic in fact"
            yield _finding("RC307", message, rule.span, "ask for it only while something is missing, or write `every`")


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
