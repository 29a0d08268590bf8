"""The last resort: the schedule, for goals that nothing else mends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from reconcheck.explain.broken import Broken, reconcile
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.cause import Place
from reconcheck.explain.diagnosis import Repair
from reconcheck.explain.trial import Verdicts
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.explain.walk import statements
from reconcheck.model.assemble import Loaded
from reconcheck.model.operator import Goal, Rule, Scope
from reconcheck.syntax import tree

SCHEDULE = 4
"""The level, from 0, of the schedule."""
PERIOD = "5m"
"""Of a schedule where there is none."""


def kept_schedule(
    loaded: Loaded, goals: Sequence[Goal], scope: Scope, known: Sequence[Answer], verdicts: Verdicts
) -> tuple[tuple[Repair, ...], list[Goal], tuple[str, ...]]:
    """The schedule kept for just the goals that need it; the goals that fail with it too; and what is not known.

    `known` are the answers in the scope with the schedule that there are already.
    """
    started = time.monotonic()
    helped: list[Goal] = []
    failing: list[Goal] = []
    unknown: list[str] = []
    verifier = Verifier(loaded, verdicts.left())
    for goal in goals:
        answer = next((answer for answer in known if answer.goal.name == goal.name), None)
        if verdicts.left() == 0.0 and answer is None:
            unknown.append(f"whether the schedule helps {goal.name}: the time was up")
            continue
        answer = answer or verifier.answer(goal, scope, verdicts.left())
        if answer.good:
            helped.append(goal)
        elif answer.verdict == "unknown":
            unknown.append(f"whether the schedule helps {goal.name}: {answer.reason}")
        else:
            failing.append(goal)
    if not helped:
        return (), failing, tuple(unknown)
    rules = _needed(loaded, helped, scope, verdicts, verifier)
    names = tuple(goal.name for goal in helped)
    title = f"keep {', '.join(rule.name for rule in rules) or 'the resync'} for {', '.join(names)}"
    places = tuple(Place(rule.span, rule.cites) for rule in rules)
    kept = Repair(title, (), "", names, SCHEDULE, places, time.monotonic() - started)
    return (kept,), failing, tuple(unknown)


def _needed(loaded: Loaded, goals: Sequence[Goal], scope: Scope, verdicts: Verdicts, verifier: Verifier) -> list[Rule]:
    """The scheduled rules that goals need; of two that do the same, the first goes.  What is left is verified."""
    rules = [rule for rule in loaded.operator.rules() if rule.kind == "every" and rule.name not in scope.without]
    away = scope.without
    for rule in rules:
        less = replace(scope, without=tuple(sorted((*away, rule.name))))
        if all(verdicts(loaded, goal, less) == "converges" for goal in goals):
            away = less.without
    fewer = replace(scope, without=away)
    if fewer != scope and not all(verifier.answer(goal, fewer, verdicts.left()).good for goal in goals):
        return rules
    return [rule for rule in rules if rule.name not in away]


def schedules(broken: Broken) -> tuple[Candidate, ...]:
    """A new schedule for each controller that declares none."""
    found: list[Candidate] = []
    for controller in broken.controllers:
        if any(isinstance(member, tree.Requeue) for member in controller.members):
            continue
        name, body = broken.rule_name("poll", controller), reconcile(controller)
        ends = [node for node, _ in statements(body.block) if isinstance(node, tree.Await)]
        found.append(
            Candidate(
                key=f"{controller.name}: poll",
                title=f"look again every {PERIOD}, as nothing else tells",
                edits=(broken.source.before(body.span, f"requeue {name} every {PERIOD}"),),
                places=(Place(body.span, body.cites or controller.cites),),
                outcomes=frozenset(node.span.line for node in ends),
            )
        )
    return tuple(found)
