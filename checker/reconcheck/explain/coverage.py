"""Fields that a reconcile reads, that others change, and of which no watch of its controller tells."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.diagnostic import Diagnostic, Severity
from reconcheck.explain.rehearsal import read_in
from reconcheck.model.operator import Controller, Operator, Watch, Write


def uncovered(operator: Operator) -> Iterator[Diagnostic]:
    """One finding for each watched object of which a field that matters is not covered by the predicates."""
    for controller in operator.controllers:
        read = {name for instruction in controller.program.code for name in read_in(instruction)}
        targets = dict.fromkeys(watch.target for watch in controller.watches if watch.target in operator.objects)
        for target in targets:
            watches = [watch for watch in controller.watches if watch.target == target]
            changed = _changed_by_others(operator, controller, target)
            fields = [v.name for v in operator.objects[target].fields if v.name in read & changed]
            missed = [name for name in fields if not any(_may_pass(watch, name) for watch in watches)]
            if missed:
                names = ", ".join(f"`{name}`" for name in missed)
                message = f"`{controller.name}` reads {names}, and no watch of `{target}` lets a change of it through"
                instead = "name what is read in the watch, or leave the predicate out"
                yield Diagnostic("RC306", message, watches[0].span, instead, None, Severity.WARNING)


def _may_pass(watch: Watch, name: str) -> bool:
    """Whether an update that changes this field alone can pass a watch."""
    parts = watch.filter.parts
    return "update" in watch.filter.kinds and (parts is None or name[len(watch.target) + 1 :] in parts)


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
    return set(assigned)
