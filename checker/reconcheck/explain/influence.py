"""What a goal can depend on: the variables that lead to it, over every reconcile, watch and action.

It is found from the text of a model alone, and on the safe side: a variable that is left out surely changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconcheck.explain.rehearsal import read_in
from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.operator import (
    Action,
    Call,
    Change,
    Controller,
    Operator,
    Read,
    Remember,
    Target,
    Watch,
    Write,
)


def without_influence(operator: Operator) -> tuple[Action, ...]:
    """The actions that change nothing on which any goal can depend."""
    relevant = influences(operator)
    return tuple(one for one in operator.actions if not relevant & _changed(operator, one.changes))


def influences(operator: Operator) -> frozenset[str]:
    """The live variables, `x.exists` and `x.deleting` among them, on which some goal can depend."""
    relevant = {variable.name for goal in operator.goals for variable in e.variables(goal.formula)}
    size = -1
    while len(relevant) != size:
        size = len(relevant)
        for target in operator.objects:
            whole = _whole(operator, target)
            if relevant & whole:  # an absent object has no content, and finalizers decide when it goes
                relevant |= _life(operator, target)
        for controller in operator.controllers:
            if relevant & _written(operator, controller):
                relevant |= _read(operator, controller)
        for action in operator.actions:
            if relevant & _changed(operator, action.changes):
                relevant |= _conditions(operator, action)
    return frozenset(relevant)


def _whole(operator: Operator, target: str) -> set[str]:
    """All there is of an object or external."""
    holder = operator.objects.get(target) or operator.externals[target]
    return {variable.name for variable in holder.fields} | _life(operator, target)


def _life(operator: Operator, target: str) -> set[str]:
    """What decides whether something exists."""
    object_ = operator.objects.get(target)
    if object_ is None:
        return set()
    return {f"{target}.exists", f"{target}.deleting", *(variable.name for variable in object_.finalizers)}


# ---- controllers -------------------------------------------------------------------------------------------------


def _written(operator: Operator, controller: Controller) -> set[str]:
    found: set[str] = set()
    for instruction in controller.program.code:
        match instruction:
            case Write(verb=verb, target=target) if verb in ("create", "delete", "apply"):
                found |= _whole(operator, target)
            case Write(assignments=assignments) | Call(assignments=assignments) | Remember(assignments=assignments):
                found |= {one.variable.name for one in assignments}
            case _:
                continue
    return found


def _read(operator: Operator, controller: Controller) -> set[str]:
    """What the reconciles of a controller depend on: what they read, and what wakes them."""
    found = {f"{controller.primary}.exists"}
    for instruction in controller.program.code:
        found |= read_in(instruction)
        match instruction:
            case Write(verb="update", target=target):  # any change of it makes a conflict
                found |= _whole(operator, target)
            case Write(target=target) | Read(target=target):
                found |= _life(operator, target)
            case _:
                continue
    for rule in controller.rules:
        found |= _names(value for _, value in rule.captures)
        found |= _names([rule.condition] if rule.condition is not None else [])
    for watch in controller.watches:
        found |= _waking(operator, watch)
    return found


def _waking(operator: Operator, watch: Watch) -> set[str]:
    """What decides whether a watch wakes its controller."""
    parts, target = watch.filter.parts, watch.target
    found = _whole(operator, target) if parts is None else {f"{target}.{part}" for part in parts}
    found |= _life(operator, target)
    for expression in (watch.mapping, *(condition for _, condition in watch.filter.conditions)):
        for name in _names([expression]):
            side, _, field = name.partition(".")
            found.add(f"{target}.{field}" if side in ("old", "new") else name)
    return found


# ---- actions -----------------------------------------------------------------------------------------------------


def _changed(operator: Operator, changes: Iterable[Change]) -> set[str]:
    """What some changes of an action assign, create or delete."""
    found: set[str] = set()
    for change in changes:
        found |= {one.variable.name for one in change.assignments}
        if change.verb != "set":
            found |= _whole(operator, change.target)
    return found


def _conditions(operator: Operator, action: Action) -> set[str]:
    """What decides whether an action is possible, and what it does."""
    found = _names([action.guard])
    for change in action.changes:
        found |= _names(_values(change.assignments)) | _life(operator, change.target)
    return found


def _values(assignments: Iterable[Target]) -> Iterator[e.Expr]:
    return (one.value for one in assignments if one.value is not None)


def _names(expressions: Iterable[e.Expr]) -> set[str]:
    return {live_name(variable.name) for one in expressions for variable in e.variables(one)}
