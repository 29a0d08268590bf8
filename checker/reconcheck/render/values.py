"""Steps and values in words."""

from __future__ import annotations

from reconcheck.model.managers import subject
from reconcheck.model.operator import External, Object, Operator
from reconcheck.model.types import OpaqueType, Type, Value
from reconcheck.semantics.steps import Step


def step_text(step: Step) -> str:
    """What a step is, in words."""
    verb, _, rest = step.action.partition(" ")
    match verb:
        case "reconcile":
            return f"{rest}: {step.detail}"
        case "start":
            return f"start of a reconcile of {rest}"
        case "sync":
            manager, target = subject(step.action)
            return f"{f'the cache of {manager}' if manager else 'the cache'} sees {target}"
        case "fire":
            return f"timer {rest} fires"
        case "retry":
            return f"{rest} is retried after an error"
        case "crash":
            return f"crash and restart of {rest}" if rest else "crash and restart"
        case "process" | "noise" | "disturbance":
            return rest
        case _:
            return step.action


def types_of(operator: Operator) -> dict[str, Type]:
    """The types of the variables that a person sees."""
    holders: list[Object | External] = [*operator.objects.values(), *operator.externals.values()]
    fields = [variable for holder in holders for variable in holder.fields]
    return {variable.name: variable.type for variable in (*fields, *operator.memory, *operator.clocks)}


def value_text(name: str, value: Value, types: dict[str, Type]) -> str:
    """A value as one reads it: yes and no, and letters for opaque values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(types.get(name), OpaqueType):
        return "none" if value == 0 else _letters(int(value))
    return str(value)


def _letters(number: int) -> str:
    return chr(ord("A") + number - 1) if number <= 26 else f"V{number}"
