"""Fields that a reconcile reads, that others change, and of which no watch of its controller tells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from reconcheck.diagnostic import Diagnostic, Severity
from reconcheck.explain.rehearsal import read_in
from reconcheck.model import expr as e
from reconcheck.model.operator import Controller, Operator, Watch, Write
from reconcheck.model.types import OpaqueType, Type, Value, domain, is_finite

MOST_CASES = 20_000
"""Combinations of values that are tried to see whether a condition lets a change through."""


def uncovered(operator: Operator) -> Iterator[Diagnostic]:
    """One finding for each watched object of which something that matters is not covered by the predicates."""
    for controller in operator.controllers:
        read = {name for instruction in controller.program.code for name in read_in(instruction)}
        targets = dict.fromkeys(watch.target for watch in controller.watches if watch.target in operator.objects)
        for target in targets:
            watches = [watch for watch in controller.watches if watch.target == target]
            changed = _changed_by_others(operator, controller, target)
            known = [v.name for v in operator.objects[target].fields]
            fields = [name for name in [*known, f"{target}.deleting"] if name in read & changed]
            missed = [f"`{name}`" for name in fields if not any(_may_pass(watch, name) for watch in watches)]
            if f"{target}.exists" in read:
                missed += _unheard_of(operator, controller, target, watches)
            if missed:
                names = ", ".join(missed)
                message = f"`{controller.name}` reads {names}, and no watch of `{target}` lets a change of it through"
                instead = "name what is read in the watch, or leave the predicate out"
                yield Diagnostic("RC306", message, watches[0].span, instead, None, Severity.WARNING)


def _unheard_of(operator: Operator, controller: Controller, target: str, watches: list[Watch]) -> Iterator[str]:
    """The ways in which others make an object come or go, of which no watch tells."""
    silent = target == controller.primary and controller.profile["deleted_primary"] == "silent"
    for kind, how in (("create", "when it is created"), ("delete", "when it is deleted")):
        if not any(kind in watch.filter.kinds for watch in watches) and not (silent and kind == "delete"):
            if kind in _verbs_of_others(operator, controller, target):
                yield f"`{target}.exists` ({how})"


def _may_pass(watch: Watch, name: str) -> bool:
    """Whether an update that changes this field alone can pass a watch."""
    filter_, field = watch.filter, name[len(watch.target) + 1 :]
    if "update" not in filter_.kinds:
        return False
    if field == "deleting":
        return filter_.parts is None or filter_.on_deletion_mark
    if filter_.parts is not None and field not in filter_.parts:
        return False
    return _possible(e.both(*(condition for kind, condition in filter_.conditions if kind == "update")), field)


def _possible(condition: e.Expr, field: str) -> bool:
    """Whether a condition holds of some two versions of an object that exists and differs in this field alone.

    Where there are too many values to try, it may.
    """
    known: dict[str, e.Expr] = {}
    for variable in e.variables(condition):
        side, _, part = variable.name.partition(".")
        if side == "new" and part != field:
            known[variable.name] = e.Var(f"old.{part}", variable.type)
    condition = e.substitute(condition, known)
    condition = e.substitute(condition, {"old.exists": e.TRUE, "old.deleting": e.FALSE})
    free = list({variable.name: variable.type for variable in e.variables(condition)}.items())
    choices: list[tuple[Value, ...]] = []
    cases = 1
    for _, type_ in free:
        values = _values(type_, len(free))
        if not values or (cases := cases * len(values)) > MOST_CASES:
            return True
        choices.append(values)
    both = {f"old.{field}", f"new.{field}"}
    for combination in itertools.product(*choices):
        state = {name: value for (name, _), value in zip(free, combination, strict=True)}
        if both <= state.keys() and state[f"old.{field}"] == state[f"new.{field}"]:
            continue
        if e.evaluate(condition, state):
            return True
    return False


def _values(type_: Type, variables: int) -> tuple[Value, ...]:
    """The values to try; none where there is no end of them."""
    if isinstance(type_, OpaqueType):
        return tuple(range(variables + 1))  # up to renaming these are all
    return tuple(domain(type_)) if is_finite(type_) else ()


def _changed_by_others(operator: Operator, controller: Controller, target: str) -> set[str]:
    """The fields of an object that the environment or another controller assigns while it exists."""
    assigned = [
        one.variable.name
        for action in operator.actions
        for change in action.changes
        if change.target == target and change.verb == "set"
        for one in change.assignments
    ]
    for other in operator.controllers:
        if other.name != controller.name:
            writes = [one for one in other.program.code if isinstance(one, Write) and one.target == target]
            assigned += [one.variable.name for write in writes for one in write.assignments]
    found = set(assigned)
    object_ = operator.objects[target]
    if object_.can_be_deleting and "delete" in _verbs_of_others(operator, controller, target):
        found.add(f"{target}.deleting")
    return found


def _verbs_of_others(operator: Operator, controller: Controller, target: str) -> set[str]:
    """Whether the environment or another controller creates or deletes an object."""
    verbs = {change.verb for action in operator.actions for change in action.changes if change.target == target}
    for other in operator.controllers:
        if other.name != controller.name:
            verbs |= {one.verb for one in other.program.code if isinstance(one, Write) and one.target == target}
    return verbs | ({"create"} if "apply" in verbs else set())
