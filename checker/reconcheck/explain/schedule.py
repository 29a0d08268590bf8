"""The last resort: the schedule, for goals that nothing else mends."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from reconcheck.explain.broken import Broken, reconcile
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.cause import Place
from reconcheck.explain.trial import Verdicts
from reconcheck.explain.verdict import GOOD
from reconcheck.explain.verify import Verifier
from reconcheck.explain.walk import statements
from reconcheck.model.operator import Goal, Loaded, Rule, Scope
from reconcheck.syntax import tree

PERIOD = "5m"
"""Of a schedule where there is none."""


def helped_by(
    loaded: Loaded, goals: Sequence[Goal], scope: Scope, verdicts: Verdicts
) -> tuple[list[Goal], list[Goal], tuple[str, ...]]:
    """The goals that converge in a scope with the schedule; those that fail there too; and what is not known."""
    helped: list[Goal] = []
    failing: list[Goal] = []
    unknown: list[str] = []
    verifier = Verifier(loaded, verdicts.left())
    for goal in goals:
        verdict, reason = verdicts.known(loaded, goal, scope), "the time was up"
        if verdict is None and verdicts.left() != 0.0:
            answer = verifier.answer(goal, scope, verdicts.left(), why=False)
            verdict, reason = answer.verdict, answer.reason
        if verdict in GOOD:
            helped.append(goal)
        elif verdict is None or verdict == "unknown":
            unknown.append(f"whether the schedule helps {goal.name}: {reason}")
        else:
            failing.append(goal)
    return helped, failing, tuple(unknown)


def needed_rules(loaded: Loaded, goals: Sequence[Goal], scope: Scope, verdicts: Verdicts) -> list[Rule]:
    """The scheduled rules that goals need; of two that do the same, the more frequent is not needed."""
    rules = [rule for rule in loaded.operator.rules() if rule.kind == "every" and rule.name not in scope.without]
    away = scope.without
    for rule in sorted(rules, key=lambda rule: rule.seconds or 0.0):
        less = replace(scope, without=tuple(sorted((*away, rule.name))))
        if all(verdicts(loaded, goal, less) == "converges" for goal in goals):
            away = less.without
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
