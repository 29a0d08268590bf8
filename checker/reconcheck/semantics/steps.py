"""The names and kinds of steps, shared by everything that takes, proves or shows them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """Whether a step must happen, may go on for ever, or stops at some time."""

    FAIR = "fair"
    NOISE = "noise"
    DISTURBANCE = "disturbance"
    FAULT = "fault"

    @property
    def calm(self) -> bool:
        """Whether the step belongs to the calm system, in which disturbances and faults have stopped."""
        return self in (Kind.FAIR, Kind.NOISE)


class Step(Struct, frozen=True, order=True):
    """A step by name.  `action` is the unit of fairness: `sync sts`, `reconcile app`, `process pods_start`."""

    action: str
    kind: Kind
    detail: str = ""
    """What the action did this time: the effect with its line, and how it failed."""

    def __str__(self) -> str:
        return f"{self.action}: {self.detail}" if self.detail else self.action


class LeftRange(Exception):
    """A step gives a variable a value that its type does not have: the model is wrong there."""

    def __init__(self, step: Step, variable: str, value: object, type_: object) -> None:
        self.step, self.variable, self.value, self.type = step, variable, value, type_
        super().__init__(f"{step} sets {variable} to {value}, which is not a {type_}")


class Endless(Exception):
    """A step chooses among infinitely many numbers, which cannot be listed."""

    def __init__(self, step: Step, variable: str) -> None:
        self.step, self.variable = step, variable
        super().__init__(f"{step} chooses {variable} among all integers")
