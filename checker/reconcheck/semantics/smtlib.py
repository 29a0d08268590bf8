"""Types and expressions as SMT-LIB 2 text, the one form in which formulas go to solvers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value


def symbol(name: str) -> str:
    """A variable name as an SMT-LIB symbol."""
    return f"|{name}|"


def sort(type_: Type) -> str:
    """The SMT-LIB sort of a type: enums and opaque values are numbered."""
    return "Bool" if isinstance(type_, BoolType) else "Int"


def number(value: int) -> str:
    """An integer numeral."""
    return str(value) if value >= 0 else f"(- {-value})"


def constant(value: Value, type_: Type) -> str:
    """A value of a type."""
    if isinstance(type_, BoolType):
        return "true" if value else "false"
    if isinstance(type_, EnumType):
        return number(enum_number(value, type_))
    return number(int(value))


def enum_number(value: Value, type_: EnumType) -> int:
    """The number of an enum value: its place in the type."""
    return type_.values.index(str(value))


def term(expr: e.Expr) -> str:
    """An expression over variables as an SMT-LIB term."""
    match expr:
        case e.Const(value, type_):
            return constant(value, type_)
        case e.Var(name, _):
            return symbol(name)
        case e.Not(operand):
            return f"(not {term(operand)})"
        case e.And(operands):
            return f"(and {' '.join(term(operand) for operand in operands)})"
        case e.Or(operands):
            return f"(or {' '.join(term(operand) for operand in operands)})"
        case e.Equal(left, right):
            wider = e.union(e.type_of(left), e.type_of(right))
            return f"(= {converted(left, wider)} {converted(right, wider)})"
        case e.AtMost(left, right):
            return f"(<= {term(left)} {term(right)})"
        case e.Arithmetic(operator, left, right):
            return f"({operator} {term(left)} {term(right)})"
        case e.Choice(condition, yes, no):
            type_ = e.type_of(expr)
            return f"(ite {term(condition)} {converted(yes, type_)} {converted(no, type_)})"
        case _:
            assert_never(expr)


def converted(expr: e.Expr, type_: Type) -> str:
    """A value as a variable of another type holds it: enum values are numbered anew."""
    mine = e.type_of(expr)
    if not isinstance(mine, EnumType) or not isinstance(type_, EnumType) or mine == type_:
        return term(expr)
    if isinstance(expr, e.Const):
        return constant(expr.value, type_)
    if isinstance(expr, e.Choice):
        return f"(ite {term(expr.condition)} {converted(expr.yes, type_)} {converted(expr.no, type_)})"
    text = number(-1)
    inner = term(expr)
    for value in mine.values:
        if value in type_.values:
            text = f"(ite (= {inner} {enum_number(value, mine)}) {enum_number(value, type_)} {text})"
    return text


def belongs(name: str, type_: Type) -> str:
    """The condition that a term is a value of a type."""
    match type_:
        case BoolType() | IntType(natural=False):
            return "true"
        case EnumType(values):
            return f"(and (<= 0 {name}) (<= {name} {len(values) - 1}))"
        case RangeType(low, high):
            return f"(and (<= {number(low)} {name}) (<= {name} {number(high)}))"
        case IntType() | OpaqueType():
            return f"(<= 0 {name})"


def declare(variables: Iterable[Variable]) -> list[str]:
    """Declarations of state variables or inputs."""
    return [f"(declare-const {symbol(v.name)} {sort(v.type)})" for v in variables]
