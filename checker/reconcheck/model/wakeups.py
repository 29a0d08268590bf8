"""What can wake a controller, each with a name by which a scope can take it away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.model.operator import Controller, Operator, Scope

RULE_LEVELS = {"after": 2, "when": 3, "every": 4}
"""The lowest level at which a requeue rule of a kind is in force."""
RULE_KINDS = {"after": "wait", "when": "deadline", "every": "schedule"}
RETRYING = ("backoff", "retry", "requeue")
"""The error rules that wake the controller again."""


class WakeUp(Struct, frozen=True):
    """One cause for which a controller is woken.

    `scoped` is its name in `Scope.without`: that of a rule, `c.watch w`, `c.resync` or `c.on error`.
    """

    kind: str
    """watch, wait, deadline, schedule, resync or backoff."""
    controller: str
    name: str
    scoped: str
    level: int
    """The lowest level at which it is in force."""
    seconds: float | None
    """Its period or delay, where it has one."""
    span: Span


def wake_ups_of(controllers: Iterable[Controller]) -> Iterator[WakeUp]:
    """Everything that can wake the controllers: watches, requeue rules, resyncs and error rules."""
    for controller in controllers:
        owner = controller.name
        for watch in controller.watches:
            yield WakeUp("watch", owner, watch.name, f"{owner}.watch {watch.name}", 0, None, watch.span)
        if controller.error.policy in RETRYING:
            seconds = controller.error.seconds
            yield WakeUp("backoff", owner, "on error", f"{owner}.on error", 1, seconds, controller.span)
        for rule in controller.rules:
            kind, level = RULE_KINDS[rule.kind], RULE_LEVELS[rule.kind]
            yield WakeUp(kind, owner, rule.name, rule.name, level, rule.seconds, rule.span)
        if controller.resync is not None:
            yield WakeUp("resync", owner, "resync", f"{owner}.resync", 4, controller.resync, controller.span)


def resync_is_heard(operator: Operator, controller: Controller) -> bool:
    """Whether some watch may let a resync through, which is an update that changes nothing."""
    filters = (watch.filter for watch in controller.watches if watch.target in operator.objects)
    return any(one.parts is None and "update" in one.kinds for one in filters)


def named(controllers: Iterable[Controller], text: str) -> tuple[str, ...]:
    """The names in a scope of all wake-ups that a text means; empty where there is none.

    A text is the name of a requeue rule, or `watch w`, `resync` or `on error`, of one controller with its name and
    a dot before it.  A rule comes first.  A name without indices means those of all elements of an array, and of all
    rounds of a loop.
    """
    every = list(wake_ups_of(controllers))
    inside = {one.scoped: one.scoped.removeprefix(f"{one.controller}.") for one in every}
    whole = {name: name for name in inside}
    for spelled in (whole, inside, _plain(whole), _plain(inside)):
        if found := tuple(name for name, spelling in spelled.items() if spelling == text):
            return found
    return ()


def _plain(spelled: dict[str, str]) -> dict[str, str]:
    """Names spelled without indices."""
    return {name: re.sub(r"\[\d+\]", "", spelling) for name, spelling in spelled.items()}


def in_force(controllers: Iterable[Controller], scope: Scope) -> frozenset[str]:
    """The wake-ups that a scope leaves.  Scopes that leave the same wake-ups have the same transition system."""
    left = [one for one in wake_ups_of(controllers) if one.level <= scope.level]
    return frozenset(one.scoped for one in left if one.scoped not in scope.without)
