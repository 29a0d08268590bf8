"""The types of the language and their values.

A value is a `bool`, an `int` or, for an enum, its name as a `str`.  An opaque value is an `int` too, but only
equality has a meaning on it; 0 is `none`, "nothing there".
"""

from __future__ import annotations

from msgspec import Struct

Value = bool | int | str
MOST_SHOWN = 100
"""Digits of a number that are shown."""


def number_text(number: int) -> str:
    """A number for people; of one that fills the page, how large it is."""
    digits = number.bit_length() * 30103 // 100000
    return str(number) if digits < MOST_SHOWN else f"{'-' * (number < 0)}10^{digits:,}"


class BoolType(Struct, frozen=True):
    """True or false."""

    def __str__(self) -> str:
        return "bool"


class RangeType(Struct, frozen=True):
    """The integers from `low` to `high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{number_text(self.low)}..{number_text(self.high)}"


class EnumType(Struct, frozen=True):
    """One of a few names; the names are compared, never ordered."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(self.values)


class IntType(Struct, frozen=True):
    """Every integer, or every one from 0 up."""

    natural: bool = False

    def __str__(self) -> str:
        return "nat" if self.natural else "int"


class OpaqueType(Struct, frozen=True):
    """A password, an image, a hash: compared and copied only, any number of values."""

    def __str__(self) -> str:
        return "opaque"


Type = BoolType | RangeType | EnumType | IntType | OpaqueType

BOOL = BoolType()
INT = IntType()
NAT = IntType(natural=True)
OPAQUE = OpaqueType()


def is_number(type_: Type) -> bool:
    """Whether arithmetic and order have a meaning on the type."""
    return isinstance(type_, RangeType | IntType)


def is_finite(type_: Type) -> bool:
    """Whether the type has finitely many values."""
    return isinstance(type_, BoolType | RangeType | EnumType)


def domain(type_: Type) -> tuple[Value, ...]:
    """All values of a finite type, the smallest first."""
    match type_:
        case BoolType():
            return (False, True)
        case RangeType(low, high):
            return tuple(range(low, high + 1))
        case EnumType(values):
            return values
        case _:
            raise ValueError(f"{type_} has no finite list of values")


def zero(type_: Type) -> Value:
    """What a field holds while its object does not exist."""
    match type_:
        case BoolType():
            return False
        case RangeType(low, high):
            return max(low, min(0, high))
        case EnumType(values):
            return values[0]
        case IntType() | OpaqueType():
            return 0


def contains(type_: Type, value: Value) -> bool:
    """Whether `value` is one of the type's."""
    match type_:
        case BoolType():
            return isinstance(value, bool)
        case EnumType(values):
            return value in values
        case RangeType(low, high):
            return isinstance(value, int) and low <= value <= high
        case IntType(natural):
            return isinstance(value, int) and (value >= 0 or not natural)
        case OpaqueType():
            return isinstance(value, int) and value >= 0
