"""Expressions as text with infix signs, for languages that differ in the signs and in what needs brackets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import assert_never

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.types import Type, Value


class Level(IntEnum):
    """How tight a text binds."""

    CHOICE = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    SUM = 5
    ATOM = 6


class Syntax(Struct, frozen=True):
    """The signs of a language."""

    constant: Callable[[Value, Type], str]
    negation: str
    both: str
    either: str
    equal: str
    unequal: str
    at_most: str
    above: str
    choice: tuple[str, str, str]
    """What stands before the condition, before the one value, and before the other."""
    inside_or: Level = Level.AND
    """What needs no brackets between signs of disjunction."""
    negated: Level = Level.ATOM
    """How tight a negation binds."""


class Printer:
    """Writes expressions; `names` are the identifiers of variables."""

    def __init__(self, syntax: Syntax, names: Mapping[str, str]) -> None:
        self.syntax, self.names = syntax, names

    def text(self, expr: e.Expr, around: Level = Level.CHOICE) -> str:
        """An expression, in brackets unless it binds at least as tight as what is around it."""
        text, level = self._text(expr)
        return f"({text})" if level < around else text

    def _text(self, expr: e.Expr) -> tuple[str, Level]:
        syntax = self.syntax
        match expr:
            case e.Const(value, type_):
                return syntax.constant(value, type_), Level.ATOM
            case e.Var(name, _):
                return self.names[name], Level.ATOM
            case e.Not(e.Equal(left, right)):
                return self._compared(syntax.unequal, left, right)
            case e.Not(e.AtMost(left, right)):
                return self._compared(syntax.above, left, right)
            case e.Not(operand):
                return f"{syntax.negation}{self.text(operand, Level.ATOM)}", syntax.negated
            case e.And(operands):
                return syntax.both.join(self.text(operand, Level.NOT) for operand in operands), Level.AND
            case e.Or(operands):
                return syntax.either.join(self.text(operand, syntax.inside_or) for operand in operands), Level.OR
            case e.Equal(left, right):
                return self._compared(syntax.equal, left, right)
            case e.AtMost(left, right):
                return self._compared(syntax.at_most, left, right)
            case e.Arithmetic(operator, left, right):
                return f"{self.text(left, Level.SUM)} {operator} {self.text(right, Level.ATOM)}", Level.SUM
            case e.Choice(condition, yes, no):
                parts = (self.text(part, Level.OR) for part in (condition, yes, no))
                return "".join(f"{sign}{part}" for sign, part in zip(syntax.choice, parts, strict=True)), Level.CHOICE
            case _:
                assert_never(expr)

    def _compared(self, sign: str, left: e.Expr, right: e.Expr) -> tuple[str, Level]:
        return f"{self.text(left, Level.SUM)} {sign} {self.text(right, Level.SUM)}", Level.COMPARISON
