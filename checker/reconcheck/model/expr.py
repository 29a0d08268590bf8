"""Typed expressions over named variables, with their plain meaning.

The constructors in lower case (`both`, `either`, `negate`, ...) simplify as they build, so that what is
impossible disappears before any engine sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from msgspec import Struct

from reconcheck.model.types import (
    BOOL,
    INT,
    BoolType,
    EnumType,
    IntType,
    OpaqueType,
    RangeType,
    Type,
    Value,
    contains,
    is_number,
    number_text,
)


class _Node:
    """Remembers what is asked of every expression again and again: the variables in it."""

    __slots__ = ("_names",)

    _names: frozenset[str]


_remember: Callable[[_Node, frozenset[str]], None] = vars(_Node)["_names"].__set__
"""Expressions are frozen, but what is derived from one may be kept in it."""


class Const(_Node, Struct, frozen=True, cache_hash=True):
    """A value of a type."""

    value: Value
    type: Type


class Var(_Node, Struct, frozen=True, cache_hash=True):
    """The variable of that name, in whatever state the expression is evaluated."""

    name: str
    type: Type


class Not(_Node, Struct, frozen=True, cache_hash=True):
    """Negation."""

    operand: Expr


class And(_Node, Struct, frozen=True, cache_hash=True):
    """Conjunction of two or more."""

    operands: tuple[Expr, ...]


class Or(_Node, Struct, frozen=True, cache_hash=True):
    """Disjunction of two or more."""

    operands: tuple[Expr, ...]


class Equal(_Node, Struct, frozen=True, cache_hash=True):
    """Both sides have the same value."""

    left: Expr
    right: Expr


class AtMost(_Node, Struct, frozen=True, cache_hash=True):
    """`left <= right`, on numbers."""

    left: Expr
    right: Expr


class Arithmetic(_Node, Struct, frozen=True, cache_hash=True):
    """`left + right`, `left - right` or `left * right`."""

    operator: str
    left: Expr
    right: Expr


class Choice(_Node, Struct, frozen=True, cache_hash=True):
    """`yes` where the condition holds, else `no`."""

    condition: Expr
    yes: Expr
    no: Expr


Expr = Const | Var | Not | And | Or | Equal | AtMost | Arithmetic | Choice

TRUE = Const(True, BOOL)
FALSE = Const(False, BOOL)


def type_of(expr: Expr) -> Type:
    """The type of an expression: of numbers, the smallest range that surely holds it, else `int`."""
    match expr:
        case Const(_, type_) | Var(_, type_):
            return type_
        case Not() | And() | Or() | Equal() | AtMost():
            return BOOL
        case Arithmetic(operator, left, right):
            return _result_type(operator, type_of(left), type_of(right))
        case Choice(_, yes, no):
            return union(type_of(yes), type_of(no))
        case _:
            assert_never(expr)


def _result_type(operator: str, left: Type, right: Type) -> Type:
    if not isinstance(left, RangeType) or not isinstance(right, RangeType):
        return INT
    ends = [_OPERATORS[operator](a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return RangeType(min(ends), max(ends))


def union(left: Type, right: Type) -> Type:
    """A type with all values of both: what is simplified by types relies on nothing being left out."""
    if left == right:
        return left
    if isinstance(left, RangeType) and isinstance(right, RangeType):
        return RangeType(min(left.low, right.low), max(left.high, right.high))
    if isinstance(left, EnumType) and isinstance(right, EnumType):
        if set(left.values) <= set(right.values):
            return right
        return EnumType(tuple(dict.fromkeys((*left.values, *right.values))))
    return INT


def integer(value: int) -> Const:
    """A number as an expression."""
    return Const(value, RangeType(value, value))


def negate(operand: Expr) -> Expr:
    """`not operand`, simplified."""
    match operand:
        case Const(value, _):
            return FALSE if value else TRUE
        case Not(inner):
            return inner
        case _:
            return Not(operand)


def _join(operands: Iterable[Expr], neutral: Const, node: type[And] | type[Or]) -> Expr:
    given: list[Expr] = []
    for operand in operands:
        if isinstance(operand, Const):
            if operand.value != neutral.value:
                return operand
        elif isinstance(operand, node):
            given += operand.operands
        else:
            given.append(operand)
    if len(given) <= 1:
        return given[0] if given else neutral
    flat: dict[Expr, None] = {}
    denied: set[Expr] = set()
    for part in given:
        if isinstance(part, Not):
            denied.add(part.operand)
            if part.operand in flat:
                return FALSE if neutral is TRUE else TRUE
        if part in denied:
            return FALSE if neutral is TRUE else TRUE
        flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else node(tuple(flat))


def both(*operands: Expr) -> Expr:
    """The conjunction, simplified."""
    return _join(operands, TRUE, And)


def either(*operands: Expr) -> Expr:
    """The disjunction, simplified."""
    return _join(operands, FALSE, Or)


def plainly_implies(premise: Expr, alternatives: Expr) -> bool:
    """Whether a formula says one of some alternatives in each of its own, as its form shows."""
    others = set(alternatives.operands) if isinstance(alternatives, Or) else {alternatives}

    def says(formula: Expr) -> bool:
        match formula:
            case Or(operands):
                return all(map(says, operands))
            case And(operands):
                return any(map(says, operands))
            case _:
                return formula in others or formula == FALSE

    return says(premise)


def implies(premise: Expr, conclusion: Expr) -> Expr:
    """`premise implies conclusion`."""
    return either(negate(premise), conclusion)


def equal(left: Expr, right: Expr) -> Expr:
    """`left == right`, simplified."""
    if left == right:
        return TRUE
    if isinstance(left, Const) and isinstance(right, Const):
        return TRUE if left.value == right.value else FALSE
    if isinstance(type_of(left), BoolType):
        if isinstance(right, Const):
            return left if right.value else negate(left)
        if isinstance(left, Const):
            return right if left.value else negate(right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and not contains(type_of(other), one.value):
            return FALSE
    if isinstance(left, Choice) and isinstance(right, Const):
        return choose(left.condition, equal(left.yes, right), equal(left.no, right))
    return Equal(left, right)


def conjuncts(formula: Expr) -> tuple[Expr, ...]:
    """The parts of a goal that can be proved one by one: `<>[]` distributes over `and`."""
    return formula.operands if isinstance(formula, And) else (formula,)


def at_most(left: Expr, right: Expr) -> Expr:
    """`left <= right`, simplified."""
    if left == right:
        return TRUE
    if isinstance(left, Const) and isinstance(right, Const):
        return TRUE if left.value <= right.value else FALSE  # type: ignore[operator]
    return AtMost(left, right)


def arithmetic(operator: str, left: Expr, right: Expr) -> Expr:
    """`left operator right`, simplified."""
    if isinstance(left, Const) and isinstance(right, Const):
        return integer(_OPERATORS[operator](int(left.value), int(right.value)))
    if operator in "+-" and isinstance(right, Const) and right.value == 0:
        return left
    return Arithmetic(operator, left, right)


def total(terms: Sequence[Expr]) -> Expr:
    """The sum of the terms, halved again and again so that it is not deep."""
    if len(terms) <= 1:
        return terms[0] if terms else integer(0)
    middle = len(terms) // 2
    return arithmetic("+", total(terms[:middle]), total(terms[middle:]))


def choose(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """`if condition then yes else no`, simplified."""
    if isinstance(condition, Const):
        return yes if condition.value else no
    if isinstance(yes, Choice) and yes.condition == condition:
        yes = yes.yes
    if isinstance(no, Choice) and no.condition == condition:
        no = no.no
    if yes == no:
        return yes
    if isinstance(type_of(yes), BoolType) and isinstance(type_of(no), BoolType):
        if isinstance(yes, Const):
            return either(condition, no) if yes.value else both(negate(condition), no)
        if isinstance(no, Const):
            return either(negate(condition), yes) if no.value else both(condition, yes)
    return Choice(condition, yes, no)


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def evaluate(expr: Expr, state: Mapping[str, Value]) -> Value:
    """The value of an expression in a state.  This is the meaning that all encodings must agree with."""
    match expr:
        case Const(value, _):
            return value
        case Var(name, _):
            return state[name]
        case Not(operand):
            return not evaluate(operand, state)
        case And(operands):
            return all(evaluate(operand, state) for operand in operands)
        case Or(operands):
            return any(evaluate(operand, state) for operand in operands)
        case Equal(left, right):
            return evaluate(left, state) == evaluate(right, state)
        case AtMost(left, right):
            return int(evaluate(left, state)) <= int(evaluate(right, state))
        case Arithmetic(operator, left, right):
            return _OPERATORS[operator](int(evaluate(left, state)), int(evaluate(right, state)))
        case Choice(condition, yes, no):
            return evaluate(yes if evaluate(condition, state) else no, state)
        case _:
            assert_never(expr)


def names(expr: Expr) -> frozenset[str]:
    """The names of the variables in an expression."""
    try:
        return expr._names
    except AttributeError:
        found = frozenset((expr.name,)) if isinstance(expr, Var) else frozenset().union(*map(names, parts(expr)))
        _remember(expr, found)
        return found


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with variables replaced, simplified again."""
    if isinstance(expr, Var):
        return values.get(expr.name, expr)
    if values.keys().isdisjoint(names(expr)):
        return expr
    return rebuild(expr, tuple([substitute(part, values) for part in parts(expr)]))


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions."""
    match expr:
        case Const() | Var():
            return ()
        case Not(operand):
            return (operand,)
        case And(operands) | Or(operands):
            return operands
        case Equal(left, right) | AtMost(left, right) | Arithmetic(_, left, right):
            return (left, right)
        case Choice(condition, yes, no):
            return (condition, yes, no)
        case _:
            assert_never(expr)


def rebuild(expr: Expr, new: tuple[Expr, ...]) -> Expr:
    """The same expression over other sub-expressions, simplified."""
    match expr:
        case Const() | Var():
            return expr
        case Not():
            return negate(new[0])
        case And():
            return both(*new)
        case Or():
            return either(*new)
        case Equal():
            return equal(new[0], new[1])
        case AtMost():
            return at_most(new[0], new[1])
        case Arithmetic(operator, _, _):
            return arithmetic(operator, new[0], new[1])
        case Choice():
            return choose(new[0], new[1], new[2])
        case _:
            assert_never(expr)


def variables(expr: Expr) -> Iterator[Var]:
    """Every occurrence of a variable, from left to right."""
    if isinstance(expr, Var):
        yield expr
    for part in parts(expr):
        yield from variables(part)


def compatible(left: Type, right: Type) -> bool:
    """Whether values of the two types can be compared and assigned."""
    if is_number(left) and is_number(right):
        return True
    if isinstance(left, EnumType) and isinstance(right, EnumType):
        return set(left.values) <= set(right.values) or set(right.values) <= set(left.values)
    return left == right or (isinstance(left, OpaqueType) and isinstance(right, OpaqueType))


def surely_in(value: Expr, type_: Type) -> bool:
    """Whether a value is in the type whatever the state is, as far as the shape of the expression tells."""
    given = type_of(value)
    if isinstance(value, Const):
        return contains(type_, value.value)  # what an action adds up can leave the type
    if isinstance(value, Choice) and given != type_:
        return surely_in(value.yes, type_) and surely_in(value.no, type_)
    match type_, given:
        case RangeType(low, high), RangeType(least, most):
            return low <= least and most <= high
        case RangeType(), _:
            return False
        case IntType(natural=True), RangeType(least, _):
            return least >= 0
        case IntType(natural=True), IntType(natural=natural):
            return natural
        case EnumType(values), EnumType(others):
            return set(others) <= set(values)
        case _:
            return True


_LOOSE = {Or: 1, And: 2, Not: 3, Equal: 4, AtMost: 4}


def show(expr: Expr) -> str:
    """The expression in the language's own notation."""
    match expr:
        case Const(value, type_):
            if isinstance(type_, BoolType):
                return "true" if value else "false"
            if isinstance(type_, OpaqueType) and value == 0:
                return "none"
            return number_text(value) if isinstance(value, int) else value
        case Var(name, _):
            return name
        case Not(Equal(left, right)):
            return f"{_inner(left, 4)} != {_inner(right, 4)}"
        case Not(AtMost(left, right)):
            return f"{_inner(left, 4)} > {_inner(right, 4)}"
        case Not(operand):
            return f"not {_inner(operand, 3)}"
        case And(operands):
            return " and ".join(_inner(operand, 2) for operand in operands)
        case Or(operands):
            return " or ".join(_inner(operand, 1) for operand in operands)
        case Equal(left, right):
            return f"{_inner(left, 4)} == {_inner(right, 4)}"
        case AtMost(left, right):
            return f"{_inner(left, 4)} <= {_inner(right, 4)}"
        case Arithmetic(operator, left, right):
            return f"{_inner(left, 5)} {operator} {_inner(right, 6)}"
        case Choice(condition, yes, no):
            return f"if {show(condition)} then {show(yes)} else {show(no)}"
        case _:
            assert_never(expr)


def _inner(expr: Expr, outer: int) -> str:
    text = show(expr)
    level = 0 if isinstance(expr, Choice) else 5 if isinstance(expr, Arithmetic) else _LOOSE.get(type(expr), 9)
    return f"({text})" if level < outer else text
