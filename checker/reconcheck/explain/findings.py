"""Findings that need no counterexample: what can never happen or matter, and questions that say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, field

from reconcheck.diagnostic import Diagnostic, Severity, Span
from reconcheck.engines.fairness import CalmGraph
from reconcheck.engines.python_code import predicate
from reconcheck.explain.branches import Way, next_effects, ways_taken
from reconcheck.explain.coverage import uncovered
from reconcheck.explain.idle import idle_wake_ups
from reconcheck.explain.influence import without_influence
from reconcheck.explain.polls import Polls, polls_of
from reconcheck.explain.ranges import ranges
from reconcheck.model.expr import FALSE
from reconcheck.model.operator import (
    SCHEDULED,
    Action,
    Bind,
    Change,
    Controller,
    End,
    Goal,
    Jump,
    Operator,
    Register,
    Scope,
    Test,
)
from reconcheck.model.wakeups import WakeUp, in_force, wake_ups_of

Written = TypeVar("Written", Action, Controller, WakeUp)
"""What has a name and a place in the text."""


class Seen(Struct, frozen=True):
    """What the complete state graph of one scope says about the model."""

    scope: Scope
    steps: frozenset[tuple[str, str]]
    """Action and detail of every step that some reachable state can take."""
    truths: Mapping[str, frozenset[bool]]
    """The values that the formula of each convergence goal has in reachable states."""
    polls: Polls = field(default_factory=lambda: Polls({}))
    """Waits that fire again and again in states where every convergence goal holds that runs settle on."""
    idle: frozenset[str] = frozenset()
    """Wake-ups in force that make no difference, as `WakeUp.scoped` calls them."""
    ways: frozenset[Way] | None = None
    """How each test of a reconcile comes out; None where that was not looked at."""


def seen_in(graph: CalmGraph, operator: Operator, scope: Scope) -> Seen:
    """What a complete graph says; small, where the graph is large."""
    states = graph.graph
    numbers = {command for row in states.edges for command, _ in row}
    steps = [states.system.commands[number].step for number in numbers]
    truths = {goal.name: _truths(graph, goal) for goal in operator.goals if goal.kind == "converges"}
    idle = frozenset[str]() if scope.without else idle_wake_ups(states)
    taken = frozenset((step.action, step.detail) for step in steps)
    return Seen(scope, taken, truths, polls_of(graph, operator), idle, ways_taken(states))


def _truths(graph: CalmGraph, goal: Goal) -> frozenset[bool]:
    truths: set[bool] = set()
    holds = predicate(graph.graph.system, goal.formula)
    for state in graph.graph.states:
        truths.add(holds(state))
        if len(truths) == 2:
            break
    return frozenset(truths)


def findings_of(operator: Operator, seen: Sequence[Seen], goals: Sequence[Goal]) -> tuple[Diagnostic, ...]:
    """What the text of a model says, and what complete state graphs do: without one, nothing is claimed of states."""
    found = [*uncovered(operator), *_vain_actions(operator)]
    if not seen:
        return tuple(found)
    where = _where(operator, seen)
    taken = frozenset[tuple[str, str]]().union(*(one.steps for one in seen))
    found += _empty_goals(seen, goals, where)
    found += _idle_actions(operator, {action for action, _ in taken}, where)
    found += _periodic_waits(operator, [one.polls for one in seen])
    reached: dict[Span, set[int]] = {}
    for span, rounds in _by_span(operator.controllers).items():
        actions = {f"reconcile {one.name}" for one in rounds}
        details = {detail for action, detail in taken if action in actions}
        reached[span] = {int(detail.rsplit("(L", 1)[1].rstrip(")")) for detail in details}
        found += _unreached_lines(rounds, reached[span], where)
        found += _settled_conditions(rounds, seen, reached[span], where)
    found += _idle_wake_ups(operator, seen, reached, where)
    return tuple(found)


def _by_span(things: Iterable[Written]) -> dict[Span, list[Written]]:
    """What is written in one place, together: a line in a loop is of no use only if it is in no round."""
    found: dict[Span, list[Written]] = {}
    for one in things:
        found.setdefault(one.span, []).append(one)
    return found


def _called(things: Iterable[Written]) -> str:
    """The names of what is written in one place."""
    return ", ".join(f"`{name}`" for name in ranges(one.name for one in things))


def _where(operator: Operator, seen: Sequence[Seen]) -> str:
    """Which scope findings about states are for; nothing where the whole operator was looked at."""
    whole = in_force(operator.controllers, Scope(SCHEDULED))
    if any(in_force(operator.controllers, one.scope) == whole for one in seen):
        return ""
    widest = max((one.scope for one in seen), key=lambda scope: len(in_force(operator.controllers, scope)))
    return f" {widest}"


# ---- goals and actions -------------------------------------------------------------------------------------------


def _empty_goals(seen: Sequence[Seen], goals: Sequence[Goal], where: str) -> Iterator[Diagnostic]:
    """Goals that are the same in every reachable state."""
    for goal in goals:
        if goal.kind != "converges":
            continue
        truths = frozenset[bool]().union(*(one.truths[goal.name] for one in seen))
        if truths == {True}:
            message = f"`{goal.name}` is true in every reachable state{where}: nothing in the model can make it false"
            yield _finding("RC301", message, goal.span, "let the environment disturb it, or ask something else")
        elif truths == {False}:
            message = f"`{goal.name}` is false in every reachable state{where}: nothing in the model can make it true"
            yield _finding("RC302", message, goal.span, "check the formula, and what the controller writes")


def _idle_actions(operator: Operator, taken: set[str], where: str) -> Iterator[Diagnostic]:
    """Actions that never happen; what an imported kind brings along need not matter to every model."""
    for span, actions in _by_span(operator.actions).items():
        if taken.isdisjoint(f"{one.kind} {one.name}" for one in actions) and span.file == operator.file:
            message = f"{_called(actions)} never happens{where}: its condition is never true, or it changes nothing"
            yield _finding("RC305", message, span, "remove it, or correct it")


def _vain_actions(operator: Operator) -> Iterator[Diagnostic]:
    """Actions that may happen, and that no goal can depend on."""
    all_, vain = _by_span(operator.actions), _by_span(without_influence(operator))
    for span, actions in vain.items():
        if span.file == operator.file and len(actions) == len(all_[span]):
            changed = dict.fromkeys(name for one in actions for change in one.changes for name in _named(change))
            names = ", ".join(f"`{name}`" for name in ranges(changed))
            message = f"{_called(actions)} can never matter: no goal depends on {names}, however indirectly"
            yield _finding("RC309", message, span, "leave it out, or ask about what it changes")


def _named(change: Change) -> tuple[str, ...]:
    """What a change of an action changes, as one writes it."""
    return tuple(one.variable.name for one in change.assignments) if change.verb == "set" else (change.target,)


# ---- reconciles --------------------------------------------------------------------------------------------------


def _unreached_lines(rounds: Sequence[Controller], reached: set[int], where: str) -> Iterator[Diagnostic]:
    """Lines with an effect or an outcome that no reachable step carries out."""
    told = set(reached)
    for instruction in (instruction for controller in rounds for instruction in controller.program.code):
        line = instruction.span.line
        if not isinstance(instruction, Test | Bind | Jump) and line not in told:
            told.add(line)  # reported once
            message = f"this line of {_called(rounds)} is never reached{where}"
            yield _finding("RC305", message, instruction.span, "remove it, or correct the branch")


def _settled_conditions(
    rounds: Sequence[Controller], seen: Sequence[Seen], reached: set[int], where: str
) -> Iterator[Diagnostic]:
    """Conditions that always hold, if no line says so that is not reached for it."""
    ways = [one.ways for one in seen if one.ways is not None]
    if len(ways) < len(seen):
        return
    taken = frozenset[Way]().union(*ways)
    outcomes: dict[Span, set[bool]] = {}
    lines: dict[Span, set[int]] = {}
    for controller in rounds:  # a loop is written out, also inside one of them
        code = controller.program.code
        for number, test in enumerate(code):
            if isinstance(test, Test):
                ways_out = {way for way in (True, False) if (controller.name, number, way) in taken}
                outcomes.setdefault(test.span, set()).update(ways_out)
                after = {code[n].span.line for n in next_effects(controller.program, test.otherwise)}
                lines.setdefault(test.span, set()).update(after)
    for span, ways_out in outcomes.items():
        if ways_out == {True} and lines[span] <= reached:
            message = f"this condition of {_called(rounds)} always holds{where} when it is looked at"
            yield _finding("RC305", message, span, "leave it out, or let the environment make it false")


# ---- wake-ups ----------------------------------------------------------------------------------------------------


def _periodic_waits(operator: Operator, seen: Sequence[Polls]) -> Iterator[Diagnostic]:
    """Waits that go on for ever when there is nothing to wait for."""
    for rule in operator.rules():
        missing = [set(one.missing) for one in seen if rule.name in one.waits]
        if missing:
            least = [f"`{goal.name}`" for goal in operator.goals if all(goal.name in names for names in missing)]
            but = f" but {', '.join(least)}, which no run settles on" if least else ""
            lines = frozenset[int]().union(*(one.waits.get(rule.name, ()) for one in seen))
            outcomes = _asking(operator.controller(rule.controller), rule.name)
            asked = [outcome.span for outcome in outcomes if outcome.span.line in lines]
            message = f"`{rule.name}` goes on for ever while every goal holds{but}: it is periodic in fact"
            where = asked[0] if asked else rule.span
            yield _finding("RC307", message, where, "ask for it only while something is missing, or write `every`")


def _asking(controller: Controller, rule: str) -> Iterator[End]:
    """The outcomes of a reconcile that ask for a rule."""
    for instruction in controller.program.code:
        if isinstance(instruction, End) and instruction.rule == rule:
            yield instruction


def _idle_wake_ups(
    operator: Operator, seen: Sequence[Seen], reached: Mapping[Span, set[int]], where: str
) -> Iterator[Diagnostic]:
    """Watches and rules that make no difference in any scope in which they are in force."""
    whole = [one for one in seen if not one.scope.without]
    written: dict[tuple[str, Span], list[WakeUp]] = {}
    for one in wake_ups_of(operator.controllers):
        written.setdefault((one.kind, one.span), []).append(one)
    for (kind, span), same in written.items():
        if span.file != operator.file or not all(_is_idle(operator, one, whole) for one in same):
            continue
        named, owners = _called(same), ", ".join(ranges(dict.fromkeys(one.controller for one in same)))
        if kind == "watch" and not all(_surely_deaf(operator, one) for one in same):
            what = f"it never wakes `{owners}` when nothing else does"
            message = f"watch {named} makes no difference{where}: {what}"
            yield _finding("RC308", message, span, "leave it out; no verdict depends on it")
        elif kind in ("wait", "deadline", "schedule") and any(_asked_for(operator, one, reached) for one in same):
            what = f"it never fires before `{owners}` is queued anyhow, if it fires at all"
            message = f"{named} makes no difference{where}: {what}"
            yield _finding("RC308", message, span, "leave it out")


def _is_idle(operator: Operator, one: WakeUp, whole: Sequence[Seen]) -> bool:
    """Whether a wake-up makes no difference in any scope that was looked at and in which it is in force."""
    looked = [some for some in whole if one.scoped in in_force(operator.controllers, some.scope)]
    return bool(looked) and all(one.scoped in some.idle for some in looked)


def _surely_deaf(operator: Operator, one: WakeUp) -> bool:
    """Whether the text alone says that a watch wakes nobody (RC303)."""
    controller = operator.controller(one.controller)
    watch = next(watch for watch in controller.watches if watch.name == one.name)
    registered = {step.watch for step in controller.program.code if isinstance(step, Register)}
    return (watch.via == "owner" and watch.mapping == FALSE) or (watch.late and watch.name not in registered)


def _asked_for(operator: Operator, one: WakeUp, reached: Mapping[Span, set[int]]) -> bool:
    """Whether a rule is declared, or a line is reached that asks for it; where none is, that is said of the line."""
    controller = operator.controller(one.controller)
    lines = {outcome.span.line for outcome in _asking(controller, one.name)}
    return not lines or bool(lines & reached[controller.span])


def _finding(code: str, message: str, span: Span, instead: str) -> Diagnostic:
    return Diagnostic(code, message, span, instead, None, Severity.WARNING)
