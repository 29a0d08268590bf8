"""Why a step happens, and what to call it in a picture."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconcheck.engines.python_code import StateTuple
from reconcheck.semantics.layout import event_name
from reconcheck.semantics.steps import Kind, Step
from reconcheck.semantics.system import System


class Cause(StrEnum):
    """What a step comes from; the value is the line of the legend."""

    EVENT = "an event wakes the controller"
    TIMER = "a requeue timer wakes it"
    ERROR = "an error, or the backoff after one"
    RECONCILE = "the controller's own step"
    ENVIRONMENT = "the environment (dashed: no watch sees it)"
    NOBODY = "wakes nobody"
    FAULT = "a fault"


COLOURS = {
    Cause.EVENT: "#1f6fd0",
    Cause.TIMER: "#d9730d",
    Cause.ERROR: "#c62828",
    Cause.RECONCILE: "#222222",
    Cause.ENVIRONMENT: "#2e7d32",
    Cause.NOBODY: "#888888",
    Cause.FAULT: "#8e44ad",
}
"""Readable on white; faults are dotted as well."""


class Label(Struct, frozen=True):
    """A step in a picture.  `unseen` says that the change raises no event."""

    cause: Cause
    text: str
    unseen: bool = False
    rare: bool = False
    """Whether it stops at some time: a disturbance or a fault."""

    @property
    def order(self) -> tuple[int, str]:
        """Sorts by cause, then by text."""
        return list(Cause).index(self.cause), self.text


def effect_of(step: Step) -> str:
    """The effect of a reconcile's step with its line in front, without how it went: `L19 create sts`."""
    text, _, line = step.detail.rpartition(" (L")
    return f"L{line.rstrip(')')} {text.split(' fails')[0]}"


class Labeller:
    """Names steps; built once for a system."""

    def __init__(self, system: System) -> None:
        operator, places = system.operator, {v.name: i for i, v in enumerate(system.variables)}
        self.commands = system.commands
        self.several = len(operator.controllers) > 1
        self.queued = [places[f"queued({c.name})"] for c in operator.controllers]
        holders = (*operator.objects, *operator.externals)
        self.live = {
            holder: [place for name, place in places.items() if name.startswith(f"{holder}.")] for holder in holders
        }
        self.events = {
            holder: [places[event_name(watch)] for _, watch in system.layout.watches(holder)] for holder in holders
        }

    def label(self, command: int, before: StateTuple, after: StateTuple) -> Label:
        """The label of a step."""
        step = self.commands[command].step
        verb, _, name = step.action.partition(" ")
        if verb == "reconcile":
            return self._reconcile(step, name)
        if step.kind is Kind.FAULT:
            return Label(Cause.FAULT, step.action, rare=True)
        woken = any(after[place] and not before[place] for place in self.queued)
        match verb:
            case "start":
                return Label(Cause.RECONCILE, step.action if self.several else "start")
            case "sync":
                return Label(Cause.EVENT if woken else Cause.NOBODY, step.action)
            case "resync" | "fire":
                return Label(Cause.TIMER, step.action)
            case "retry":
                return Label(Cause.ERROR, step.action)
            case _:
                return Label(Cause.ENVIRONMENT, name, self._unseen(before, after), step.kind is Kind.DISTURBANCE)

    def _reconcile(self, step: Step, controller: str) -> Label:
        prefix = f"{controller}: " if self.several else ""
        failure = "fails" + step.detail.rpartition(" (L")[0].partition(" fails")[2] if " fails" in step.detail else ""
        if failure:
            fault = step.kind is Kind.FAULT
            return Label(Cause.FAULT if fault else Cause.ERROR, f"{prefix}{effect_of(step)} {failure}", rare=fault)
        return Label(Cause.RECONCILE, f"{prefix}{effect_of(step)}")

    def _unseen(self, before: StateTuple, after: StateTuple) -> bool:
        """Whether an object or external changed, and no watch has an event about it."""
        touched = [holder for holder, live in self.live.items() if any(before[i] != after[i] for i in live)]
        return bool(touched) and not any(after[place] for holder in touched for place in self.events[holder])
