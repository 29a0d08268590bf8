"""Candidates by which a reconcile wakes itself: waits, and those that end with the goal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from reconcheck.explain.broken import Broken, place, reconcile, words_end
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.diagnosis import Edit
from reconcheck.explain.walk import Sight, paths, statements
from reconcheck.model.managers import Manager
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes

DEFAULT = "10s"
"""How long a new wait takes where the controller has no schedule to take the period of."""


class IdleOutcome(Struct, frozen=True):
    """An outcome that nothing but an event or a schedule follows."""

    node: tree.Await | tree.Requeue
    sight: Sight

    @property
    def key(self) -> str:
        """Where it stands."""
        return f"{self.node.span.line}:{self.node.span.column}"


def more_timers(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would make a controller look again as long as there is something to wait for."""
    found = idle_outcomes(controller)
    awaits = [outcome for outcome in found if isinstance(outcome.node, tree.Await)]
    for name in dict.fromkeys(o.node.name.text for o in found if isinstance(o.node, tree.Requeue)):
        yield from _turned(broken, controller, name, [o for o in found if _named(o.node, name)])
    for outcome in awaits:
        yield from _waits(broken, controller, outcome)
    if len(awaits) > 1:
        for goal in broken.failing:
            narrower = frozenset(
                k for o in awaits for k in (_until(controller, goal, o.key), _plain(controller, o.key))
            )
            yield from _until_goal(broken, controller, goal, awaits, "everywhere", narrower)


def idle_outcomes(controller: tree.Controller) -> list[IdleOutcome]:
    """The outcomes of a reconcile that wake nobody, if there is no schedule."""
    return [
        IdleOutcome(node, sight)
        for node, sight in statements(reconcile(controller).block)
        if isinstance(node, tree.Await) or (isinstance(node, tree.Requeue) and node.kind == "every")
    ]


def _named(node: tree.Await | tree.Requeue, name: str) -> bool:
    return isinstance(node, tree.Requeue) and node.name.text == name


def _plain(controller: tree.Controller, where: str) -> str:
    return f"{controller.name}: wait at {where}"


def _until(controller: tree.Controller, goal: tree.Goal, where: str) -> str:
    return f"{controller.name}: wait for {goal.name} at {where}"


# ---- waits -----------------------------------------------------------------------------------------------------


def _waits(broken: Broken, controller: tree.Controller, outcome: IdleOutcome) -> Iterator[Candidate]:
    """A wait instead of `await change` in a branch, and one as long as a goal does not hold."""
    plain = _plain(controller, outcome.key)
    if outcome.sight.branch:
        name, period = broken.rule_name("recheck", controller), _period(controller)
        line = outcome.node.span.line
        edit = instead(broken, outcome, f"requeue {name} after {period}")
        yield at_outcomes(plain, f"look again after {period} (L{line})", [outcome], [edit], controller, (name,))
    for goal in broken.failing:
        yield from _until_goal(broken, controller, goal, [outcome], outcome.key, frozenset({plain}))


def _until_goal(
    broken: Broken,
    controller: tree.Controller,
    goal: tree.Goal,
    outcomes: list[IdleOutcome],
    where: str,
    covers: frozenset[str],
) -> Iterator[Candidate]:
    """Before each of some outcomes, a wait as long as a goal does not hold."""
    name, period = broken.rule_name(f"until_{goal.name}", controller), _period(controller)
    edits: list[Edit] = []
    for outcome in outcomes:
        seen = _seen(broken, controller, goal.formula, outcome.sight)
        if seen is None:
            return
        reads, condition = seen
        newline = broken.source.newline + (broken.source.indent(outcome.node.span) or "")
        lines = [*reads, f"when not ({condition}) {{ requeue {name} after {period} }}"]
        own_line = broken.source.indent(outcome.node.span) is not None
        edits.append(broken.source.before(outcome.node.span, (newline if own_line else " ").join(lines)))
    place_ = "" if len(outcomes) > 1 else f" (L{outcomes[0].node.span.line})"
    title = f"look again after {period} as long as `{goal.name}` does not hold{place_}"
    key = _until(controller, goal, where)
    yield at_outcomes(key, title, outcomes, edits, controller, (name,), covers)


def _seen(
    broken: Broken, controller: tree.Controller, formula: tree.Expr, sight: Sight
) -> tuple[list[str], str] | None:
    """A goal as a reconcile can see it: requests that are needed for it, and the condition; None if it cannot.

    Resources come from the cache; an external, or a resource that is not cached, from a local, or a new request.
    """
    source, manager = broken.source, broken.manager(controller)
    bound = {node.variable.text for node in nodes(formula) if isinstance(node, tree.Quantifier)}
    reads: dict[str, str] = {}
    pieces: list[tuple[int, int, str]] = []
    begin, end = source.begin(formula.span), source.end(formula.span)
    for path in paths(formula):
        root = path.parts[0]
        if root.name == "memory" and manager.name:
            return None  # how another operator's is called, and its own is called otherwise here
        if root.name in bound or not broken.elements(root.name) or _is_cached(broken, manager, root.name):
            continue
        if root.index is not None:
            return None
        known = next((local for local, target in reversed(sight.live) if target == root.name), None)
        if known is None:
            known = broken.free_name(f"{root.name}_now")
            reads[known] = f"let {known} = live({root.name})"
        at = source.begin(path.span)
        pieces.append((at, at + len(root.name), known))
    for node in nodes(formula):
        if isinstance(node, tree.Quantifier) and isinstance(node.collection, tree.Word):
            if not _is_cached(broken, manager, node.collection.text):
                return None
    text, position = "", begin
    for at, stop, new in sorted(pieces):
        text, position = text + source.text[position:at] + new, stop
    text += source.text[position:end]
    if "//" in text:
        return None
    return list(reads.values()), re.sub(r"\s+", " ", text)


def _is_cached(broken: Broken, manager: Manager, name: str) -> bool:
    objects = [broken.operator.objects.get(element) for element in broken.elements(name)]
    return all(object_ is not None and manager.name in object_.cached for object_ in objects)


def _period(controller: tree.Controller) -> str:
    """The shortest period of the controller's schedule."""
    rules = [node for node in nodes(controller) if isinstance(node, tree.Requeue) and node.kind == "every"]
    durations = [rule.duration for rule in rules if rule.duration is not None and rule.duration.seconds is not None]
    return min(durations, key=lambda duration: duration.seconds or 0.0).text if durations else DEFAULT


# ---- schedules that are there ----------------------------------------------------------------------------------


def _turned(broken: Broken, controller: tree.Controller, name: str, outcomes: list[IdleOutcome]) -> Iterator[Candidate]:
    """A schedule that is returned as an outcome, turned into a wait: always, or as long as a goal does not hold."""
    rules = [o.node for o in outcomes if isinstance(o.node, tree.Requeue) and o.node.duration is not None]
    if any(_named(member, name) for member in controller.members if isinstance(member, tree.Requeue)):
        return  # declared as well: it is no outcome only
    source = broken.source
    every = re.compile(r"every(?=\s)")
    edits: list[Edit] = []
    for rule in rules:
        found = every.search(source.text, source.end(rule.name.span))
        assert found is not None
        edits.append(source.replace(found.start(), found.end(), "after"))
    plain = f"{controller.name}: {name} as a wait"
    yield at_outcomes(plain, f"turn the schedule {name} into a wait (`after`)", outcomes, edits, controller, (name,))
    for goal in broken.failing:
        pieces: list[Edit] = []
        for outcome, rule in zip(outcomes, rules, strict=True):
            seen = _seen(broken, controller, goal.formula, outcome.sight)
            if seen is None:
                break
            reads, condition = seen
            period = rule.duration.text if rule.duration is not None else DEFAULT
            wait = f"when not ({condition}) {{ requeue {name} after {period} }}"
            pieces.append(instead(broken, outcome, " ".join([*reads, wait, "await change"])))
        else:
            title = f"turn the schedule {name} into a wait that ends when `{goal.name}` holds"
            key = f"{controller.name}: {name} as a wait for {goal.name}"
            yield at_outcomes(key, title, outcomes, pieces, controller, (name,), frozenset({plain}))


# ---- what they have in common ----------------------------------------------------------------------------------


def instead(broken: Broken, outcome: IdleOutcome, text: str) -> Edit:
    """Another outcome; the citation stays."""
    source, node = broken.source, outcome.node
    return source.replace(source.begin(node.span), words_end(source, node), text)


def at_outcomes(
    key: str,
    title: str,
    outcomes: list[IdleOutcome],
    edits: list[Edit],
    controller: tree.Controller,
    rules: tuple[str, ...],
    covers: frozenset[str] = frozenset(),
) -> Candidate:
    """A candidate about some outcomes of a reconcile."""
    return Candidate(
        key=key,
        title=title,
        edits=tuple(edits),
        places=tuple(dict.fromkeys(place(outcome.node, controller) for outcome in outcomes)),
        outcomes=frozenset(outcome.node.span.line for outcome in outcomes),
        covers=covers,
        rules=rules,
    )
