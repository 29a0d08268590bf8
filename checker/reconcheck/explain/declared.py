"""What a model declares about wake-ups and about the world, as it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.explain.agenda import DAY
from reconcheck.model.operator import FAULTS, Operator

KINDS = {"after": "wait", "when": "deadline", "every": "schedule"}
"""The class of a requeue rule, by its kind."""
NOT_MEANT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*', re.DOTALL)
CITE = re.compile(r'@\s*"(?:[^"\\]|\\.)*"(?:\s*at\s*"(?:[^"\\]|\\.)*")?')


class WakeUp(Struct, frozen=True):
    """Something that wakes a controller."""

    kind: str
    """watch, wait, deadline, schedule, resync or backoff."""
    controller: str
    name: str
    text: str
    """How it is declared, without comments and citations; empty for what a runtime does by itself."""
    seconds: float | None
    """Its period or delay, where it has one."""
    per_day: float | None
    """How often a day a periodic one wakes the controller for each idle object."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same in another model; a rule may be of another class there."""
        return ("watch" if self.kind == "watch" else "rule", self.controller, self.name)


class Assumption(Struct, frozen=True):
    """Something that verdicts rest on, before and after; None where it is not there."""

    what: str
    before: str | None
    after: str | None


def wake_ups(operator: Operator) -> Iterator[WakeUp]:
    """Every watch, requeue rule, resync and error rule of an operator."""
    for controller in operator.controllers:
        owner = controller.name
        for watch in controller.watches:
            yield WakeUp("watch", owner, watch.name, declared(operator, watch.span), None, None)
        for rule in controller.rules:
            day = DAY / rule.seconds if rule.kind == "every" and rule.seconds else None
            yield WakeUp(KINDS[rule.kind], owner, rule.name, declared(operator, rule.span), rule.seconds, day)
        if controller.resync is not None:
            yield WakeUp("resync", owner, "resync", "", controller.resync, DAY / controller.resync)
        error = controller.error
        retries = f" {error.retries} times" if error.policy == "retry" else ""
        yield WakeUp("backoff", owner, "on error", f"{error.policy}{retries}", error.seconds, None)


def assumptions(operator: Operator) -> Iterator[tuple[str, str]]:
    """What the verdicts of a model rest on, besides its controllers: a name and what it is."""
    for manager in operator.managers:
        profile = manager.profile
        since = f", as it is since {'.'.join(str(part) for part in profile.since)}" if profile.since else ""
        yield f"runtime of {manager.name}" if manager.name else "runtime", f"{profile.name}{since}"
    yield "faults", ", ".join(fault for fault in FAULTS if fault in operator.faults) or "none"
    for name, value in operator.parameters:
        yield f"parameter {name}", str(value)
    for action in operator.actions:
        yield f"{action.kind} {action.name}", declared(operator, action.span)


def declared(operator: Operator, span: Span) -> str:
    """The text of a declaration, without comments and citations, with single blanks."""
    lines = operator.sources.get(span.file, "").split("\n")[span.line - 1 : span.end_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.end_column - 1] if span.end_line >= span.line else lines[-1]
    lines[0] = lines[0][span.column - 1 :]
    meant = NOT_MEANT.sub(lambda found: found[1] or "", "\n".join(lines))
    return " ".join(CITE.sub(" ", meant).split())
