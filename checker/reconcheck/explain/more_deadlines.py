"""Candidates by which a reconcile is woken at a moment in time: one that it compares with a clock, or waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from msgspec import Struct

from reconcheck.explain.broken import Broken, place, reconcile
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.more_timers import IdleOutcome, at_outcomes, idle_outcomes, instead
from reconcheck.explain.walk import Sight, paths, statements
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}

Locals = Mapping[str, tree.Expr]


class _Moment(Struct, frozen=True):
    """A condition on clocks, with the requeue rule that waits for it: one of the model, or a new one."""

    text: str
    rule: str


def more_deadlines(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would make a controller look again when a moment has come."""
    outcomes = idle_outcomes(controller)
    if not broken.clocks or not outcomes:
        return
    moments = _moments(broken, controller)
    for outcome in outcomes:
        for moment in [*moments, *_later(broken, controller, outcome.sight)]:
            edit = instead(broken, outcome, f"requeue {moment.rule} when {moment.text}")
            title = f"look again when {moment.text} (L{outcome.node.span.line})"
            key = f"{controller.name}: {moment.text} at {outcome.key}"
            yield at_outcomes(key, title, [outcome], [edit], controller, (moment.rule,))
    yield from _otherwise(broken, controller, outcomes, moments)


def _otherwise(
    broken: Broken, controller: tree.Controller, outcomes: list[IdleOutcome], moments: list[_Moment]
) -> Iterator[Candidate]:
    """A timer for the moment of a `when`, armed where it has not come: reading the time once more would be too late."""
    awaits = [outcome for outcome in outcomes if isinstance(outcome.node, tree.Await)]
    for node, sight in statements(reconcile(controller).block):
        if not isinstance(node, tree.When) or node.otherwise is not None or not awaits:
            continue
        text = _about_clocks(broken, node.condition, dict(sight.values))
        moment = next((one for one in moments if one.text == text), None)
        if moment is None:
            continue
        end = broken.source.end(node.block.span)
        edit = broken.source.replace(end, end, f" else {{ requeue {moment.rule} when {moment.text} }}")
        yield Candidate(
            key=f"{controller.name}: {moment.text} at {node.span.line}:{node.span.column}",
            title=f"look again when {moment.text} (L{node.span.line})",
            edits=(edit,),
            places=(place(node, controller),),
            outcomes=frozenset(outcome.node.span.line for outcome in awaits),
            rules=(moment.rule,),
        )


# ---- moments ---------------------------------------------------------------------------------------------------


def _later(broken: Broken, controller: tree.Controller, sight: Sight) -> Iterator[_Moment]:
    """A later time than one that was read."""
    for local, value in sight.values:
        if isinstance(value, tree.Path) and value.parts[0].name in broken.clocks:
            yield _Moment(f"{value.text} > {local}", broken.rule_name("later", controller))


def _moments(broken: Broken, controller: tree.Controller) -> list[_Moment]:
    """The moments that the rules of the controller wait for, then what else its reconcile asks of a clock.

    Of the latter nobody says whether they, or their opposites, are worth waiting for.
    """
    found: list[_Moment] = []
    known: set[str] = set()
    for node, _ in statements(reconcile(controller).block):
        if isinstance(node, tree.Requeue) and node.condition is not None:
            text = _about_clocks(broken, node.condition, {})
            if text is not None and _Moment(text, node.name.text) not in found:
                found.append(_Moment(text, node.name.text))
                known.add(_turned(broken, node.condition, {}))
    number = 0
    for asked, locals_ in _asked(controller):
        text = _about_clocks(broken, asked, locals_)
        if text is None or {_same(broken, asked, locals_), _turned(broken, asked, locals_)} & known:
            continue
        known.add(_same(broken, asked, locals_))
        for one in (text, f"not ({text})"):
            number += 1
            found.append(_Moment(one, broken.rule_name("due" if number == 1 else f"due_{number}", controller)))
    return found


def _asked(controller: tree.Controller) -> Iterator[tuple[tree.Expr, Locals]]:
    """Everything that is either so or not in a reconcile, each with the locals in sight."""
    for node, sight in statements(reconcile(controller).block):
        locals_ = dict(sight.values)
        match node:
            case tree.When(condition=condition):
                yield from ((one, locals_) for one in _parts(condition, locals_))
            case tree.Let(value=written) | tree.Effect(assignments=written):
                yield from ((one, locals_) for one in nodes(written) if _compares(one))


def _parts(condition: tree.Expr, locals_: Locals) -> Iterator[tree.Expr]:
    """The comparisons and the truth values that a condition is made of."""
    match condition:
        case tree.Connective(operands=operands):
            for operand in operands:
                yield from _parts(operand, locals_)
        case tree.Unary(operand=operand):
            yield from _parts(operand, locals_)
        case tree.Path() if (value := _value(condition, locals_)) is not None:
            yield from _parts(value, locals_)
        case tree.Path():
            yield condition
        case _:
            yield from (node for node in nodes(condition) if _compares(node))


def _compares(node: object) -> TypeGuard[tree.Binary]:
    return isinstance(node, tree.Binary) and node.operator in COMPARISONS


def _about_clocks(broken: Broken, node: tree.Expr, locals_: Locals) -> str | None:
    """The text of a condition on a clock and what a timer can keep; None where it is no such condition."""
    roots = set(_roots(node, locals_))
    kept = set(broken.operator.objects) | {name for name, _ in broken.operator.parameters} | {"memory"}
    text = _same(broken, node, locals_)
    return text if roots & broken.clocks and roots <= broken.clocks | kept and "//" not in text else None


def _roots(node: tree.Expr, locals_: Locals) -> Iterator[str]:
    """The names that an expression begins its paths with, once locals are what they name."""
    for path in paths(node):
        value = _value(path, locals_)
        yield from [path.parts[0].name] if value is None else _roots(value, locals_)


def _same(broken: Broken, node: tree.Expr, locals_: Locals) -> str:
    """The text of an expression, in which each local is what it names: the time, and not when it was read."""
    if isinstance(node, tree.Path) and (named := _value(node, locals_)) is not None:
        return _same(broken, named, locals_)
    source, begin, end = broken.source, broken.source.begin(node.span), broken.source.end(node.span)
    text, position = "", begin
    for path in sorted(paths(node), key=lambda path: source.begin(path.span)):
        value = _value(path, locals_)
        if value is None:
            continue
        meant = _same(broken, value, locals_)
        text += source.text[position : source.begin(path.span)]
        text += meant if isinstance(value, tree.Path | tree.Literal) else f"({meant})"
        position = source.end(path.span)
    return re.sub(r"\s+", " ", text + source.text[position:end])


def _turned(broken: Broken, node: tree.Expr, locals_: Locals) -> str:
    """The same comparison read from the right."""
    if not isinstance(node, tree.Binary) or node.operator not in TURNED:
        return _same(broken, node, locals_)
    left, right = _same(broken, node.left, locals_), _same(broken, node.right, locals_)
    return f"{right} {TURNED[node.operator]} {left}"


def _value(path: tree.Path, locals_: Locals) -> tree.Expr | None:
    """What a path stands for, where it is a local that names a value."""
    return locals_.get(path.parts[0].name) if len(path.parts) == 1 and path.parts[0].index is None else None
