"""Expressions and types as JSON, in the model's own names; reading back gives equal expressions.

A variable is its name.  `true`, `false`, numbers and `null` (an opaque `none`) are constants; every other
constant says which variable's type it has, or the type itself.  All else is an array: an operator, then its
operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BOOL, INT, NAT, OPAQUE, BoolType, EnumType, IntType, OpaqueType, RangeType, Type
from reconcheck.proof.json_reading import JsonReading

NAMED: dict[str, Type] = {str(type_): type_ for type_ in (BOOL, INT, NAT, OPAQUE)}
"""The types that have a name."""
DEEPEST = 1_000
"""How deep a formula may be; those of the largest models have some ten levels."""
OPERANDS = {"not": 1, "if": 3, "and": 2, "or": 2, "==": 2, "<=": 2, "+": 2, "-": 2, "*": 2}
"""The operators with how many operands they have; `and` and `or` may have more."""
WORDS = {e.And: "and", e.Or: "or", e.Not: "not", e.Equal: "==", e.AtMost: "<=", e.Choice: "if"}
"""The operators, but for those of arithmetic."""


class Writer:
    """Writes expressions of a system with these variables."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self._examples: dict[Type, str] = {}
        for variable in variables:
            self._examples.setdefault(variable.type, variable.name)

    def __call__(self, expr: e.Expr) -> Any:
        """An expression."""
        match expr:
            case e.Const():
                return self._constant(expr)
            case e.Var(name, _):
                return name
            case e.Arithmetic(operator, left, right):
                return [operator, self(left), self(right)]
            case e.And() | e.Or() | e.Not() | e.Equal() | e.AtMost() | e.Choice():
                return [WORDS[type(expr)], *map(self, e.parts(expr))]
            case _:
                assert_never(expr)

    def _constant(self, constant: e.Const) -> Any:
        value, type_ = constant.value, constant.type
        if type_ == BOOL:
            return value
        if type_ == OPAQUE and value == 0:
            return None
        if isinstance(type_, RangeType) and type_.low == type_.high:
            return value
        if type_ in self._examples:
            return {"value": value, "of": self._examples[type_]}
        return {"value": value, "type": written_type(type_)}


def written_type(type_: Type) -> Any:
    """A type."""
    match type_:
        case BoolType() | IntType() | OpaqueType():
            return str(type_)
        case RangeType(low, high):
            return {"from": low, "to": high}
        case EnumType(values):
            return {"values": list(values)}
        case _:
            assert_never(type_)


class Reader(JsonReading):
    """Reads expressions of a system with these variables; their types are for the checker to look at."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        super().__init__()
        self.variables = {variable.name: variable for variable in variables}

    def expression(self, content: Any, place: str, depth: int = 0) -> e.Expr:
        """A formula or a number."""
        if depth > DEEPEST:
            raise self.wrong(place, f"a formula is more than {DEEPEST:,} levels deep")
        match content:
            case bool():
                return e.Const(content, BOOL)
            case int():
                return e.integer(content)
            case None:
                return e.Const(0, OPAQUE)
            case str():
                if content not in self.variables:
                    raise self.wrong(place, f"this model has no variable `{content}`", "RC504")
                return e.Var(content, self.variables[content].type)
            case dict():
                return self._constant(content, place)
            case [str(word), *operands] if word in OPERANDS:
                return self._node_of(word, operands, place, depth)
            case _:
                raise self.wrong(place, "a variable, a constant, or an operator with its operands is needed here")

    def _node_of(self, word: str, operands: list[Any], place: str, depth: int) -> e.Expr:
        wanted = OPERANDS[word]
        if len(operands) < wanted or (len(operands) > wanted and word not in ("and", "or")):
            raise self.wrong(place, f"`{word}` has {len(operands)} operands, needed are {wanted}")
        parts = self.each(operands, place, lambda content, where: self.expression(content, where, depth + 1))
        match word:
            case "and":
                return e.And(parts)
            case "or":
                return e.Or(parts)
            case "not":
                return e.Not(*parts)
            case "if":
                return e.Choice(*parts)
            case "==":
                return e.Equal(*parts)
            case "<=":
                return e.AtMost(*parts)
            case _:
                return e.Arithmetic(word, *parts)

    def _constant(self, content: Any, place: str) -> e.Const:
        self.record(content, place, ("value",), ("of", "type"))
        if ("of" in content) == ("type" in content):
            raise self.wrong(place, "a constant has `of`, a variable with its type, or `type`")
        value = content["value"]
        if type(value) not in (bool, int, str):
            raise self.wrong(f"{place}.value", "a truth value, an integer or a name is needed here")
        if "type" in content:
            type_ = self.type(content["type"], f"{place}.type")
        else:
            variable = self.variables.get(self.text(content["of"], f"{place}.of"))
            if variable is None:
                raise self.wrong(f"{place}.of", f"this model has no variable `{content['of']}`", "RC504")
            type_ = variable.type
        if isinstance(value, bool) != isinstance(type_, BoolType):  # Python takes 1 and `true` for the same
            raise self.wrong(f"{place}.value", f"{value!r} is not a value of `{type_}`", "RC505")
        return e.Const(value, type_)

    def type(self, content: Any, place: str) -> Type:
        """A type."""
        if isinstance(content, str) and content in NAMED:
            return NAMED[content]
        if not isinstance(content, dict):
            raise self.wrong(place, f"a type is one of {', '.join(NAMED)}, a range or a list of values")
        if "values" in content:
            self.record(content, place, ("values",))
            values = self.each(content["values"], f"{place}.values", self.text)
            if not values or len(set(values)) < len(values):
                raise self.wrong(place, "a type has different values, at least one")
            return EnumType(values)
        self.record(content, place, ("from", "to"))
        low, high = self.all(content, place, {"from": self.number, "to": self.number})
        if low > high:
            raise self.wrong(place, f"there is nothing from {low} to {high}")
        return RangeType(low, high)
