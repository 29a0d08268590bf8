"""Types and expressions as Promela text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from reconcheck.export.targets import Unfit
from reconcheck.model import expr as e
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value

_WORDS = """
    active always assert atomic auto begun bit bool break byte c_code c_decl c_expr c_state c_track case chan char
    const continue d_step D_proctype default do double else empty enabled enum equivalent eval eventually extern
    false fi float for full get_priority goto hidden if implies in init inline int len local long ltl M mtype nempty
    never next nfull notrace now np_ od of pc_value pid print printf printm priority proctype provided register
    release return run select set_priority short show signed sizeof skip static STDIN stronguntil struct switch
    timeout trace true typedef U uchar union unless unsigned until V void volatile W weakuntil while X xr xs
"""
RESERVED = frozenset(_WORDS.split())
"""Words of Promela and of C, into which Spin translates it, and the names that the export itself gives."""

PRECEDENCE = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<=": 4, ">": 4, "+": 5, "-": 5, "*": 6}
MOST = 2**31 - 1
"""The largest `int`."""


def declared(type_: Type, opaque_values: int) -> str:
    """The smallest Promela type that holds a type's values.  Raises `Unfit`."""
    match type_:
        case BoolType():
            return "bool"
        case EnumType():
            return "mtype"
        case RangeType(low, high):
            return _number_type(low, high)
        case OpaqueType():
            return _number_type(0, opaque_values)
        case IntType():
            raise Unfit("numbers without bounds")
        case _:
            assert_never(type_)


def _number_type(low: int, high: int) -> str:
    if low >= 0 and high <= 255:
        return "byte"
    if low >= -(2**15) and high < 2**15:
        return "short"
    return "int" if low >= -MOST and high <= MOST else _too_large(low, high)


def _too_large(low: int, high: int) -> str:
    raise Unfit(f"numbers from {low} to {high} do not fit 32 bits")


def constant(value: Value, words: Mapping[str, str]) -> str:
    """A value; enum values are the words of a table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return words[value] if isinstance(value, str) else str(value)


class Writer:
    """Writes expressions, with the identifiers of variables and of enum values.

    Within a claim (LTL) an arrow means "implies", and there is no conditional expression; there a choice is a sum of
    products.
    """

    def __init__(self, names: Mapping[str, str], words: Mapping[str, str], within_claim: bool = False) -> None:
        self.names, self.words, self.within_claim = names, words, within_claim

    def text(self, expr: e.Expr, outer: int = 0) -> str:
        """An expression, in brackets where what is around it binds at least as strongly.  Raises `Unfit`."""
        match expr:
            case e.Const(value, _):
                return f"({value})" if type(value) is int and value < 0 else constant(value, self.words)
            case e.Var(name, _):
                return self.names[name]
            case e.Not(e.Equal(left, right)):
                return self._binary("!=", (left, right), outer)
            case e.Not(e.AtMost(left, right)):
                return self._binary(">", (left, right), outer)
            case e.Not(operand):
                return f"!{self.text(operand, 9)}"
            case e.And(operands):
                return self._binary("&&", operands, outer)
            case e.Or(operands):
                return self._binary("||", operands, outer)
            case e.Equal(left, right):
                return self._binary("==", (left, right), outer)
            case e.AtMost(left, right):
                return self._binary("<=", (left, right), outer)
            case e.Arithmetic(operator, left, right):
                self._check(expr)
                return self._binary(operator, (left, right), outer)
            case e.Choice(condition, yes, no) if self.within_claim:
                products = f"{self.text(condition, 9)} * {self.text(yes, 9)} + !{self.text(condition, 9)} * "
                return f"({products}{self.text(no, 9)})"
            case e.Choice(condition, yes, no):
                return f"({self.text(condition)} -> {self.text(yes)} : {self.text(no)})"
            case _:
                assert_never(expr)

    def _binary(self, operator: str, operands: tuple[e.Expr, ...], outer: int) -> str:
        own = PRECEDENCE[operator]
        text = f" {operator} ".join(self.text(operand, own) for operand in operands)
        return f"({text})" if own <= outer else text

    def _check(self, expr: e.Arithmetic) -> None:
        type_ = e.type_of(expr)
        if isinstance(type_, RangeType):
            _number_type(type_.low, type_.high)
