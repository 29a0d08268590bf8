"""Whether a proof is one about this system at all: names, types, values, the order of the nodes of a diagram.

The obligations mean what they should only for proofs of which this holds, so it comes before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import (
    BOOL,
    OPAQUE,
    BoolType,
    EnumType,
    IntType,
    OpaqueType,
    RangeType,
    Type,
    is_number,
)
from reconcheck.proof.certificate import (
    Column,
    Flaw,
    Invariant,
    Measure,
    Part,
    Places,
    Proof,
    Rests,
    Settles,
    region_type,
)
from reconcheck.proof.diagram import NOTHING, Diagram, leaf_rank
from reconcheck.semantics.system import System


class Form:
    """The form of proofs about a system; a formula is looked at once."""

    def __init__(self, system: System) -> None:
        self.types = {variable.name: variable.type for variable in system.variables}
        self.actions = frozenset(system.actions())
        self._formulas: dict[e.Expr, Flaw | None] = {}

    def of_proof(self, proof: Proof | Invariant) -> Iterator[Flaw]:
        """Everything that is wrong with a proof."""
        if isinstance(proof, Invariant):
            yield from self.of_part(proof, "proof")
            return
        yield from self._formula(proof.goal, "goal")
        for number, clause in enumerate(proof.clauses):
            yield from self._formula(clause, f"proof.clauses[{number}]")
        for number, part in enumerate(proof.parts):
            yield from self.of_part(part, f"proof.parts[{number}]")

    def of_part(self, part: Part | Invariant, place: str) -> Iterator[Flaw]:
        """Everything that is wrong with one part."""
        match part:
            case Measure():
                yield from self._measure(part, place)
            case Invariant():
                yield from self._formula(part.formula, f"{place}.formula")
                yield from self._ranked(part.columns, part.diagram, 1, place)
            case Rests():
                yield from self._formula(part.goal, f"{place}.goal")
                yield from self._ranked(part.columns, part.diagram, 1, place)
            case Settles():
                yield from self._formula(part.goal, f"{place}.goal")
                yield from self._ranked(part.columns, part.diagram, len(part.helpful), place)
                for rank, action in enumerate(part.helpful):
                    if action is not None:
                        yield from self._fair(action, f"{place}.helpful[{rank}]")
                for number, way in enumerate(part.ways):
                    yield from self._places(way, f"{place}.ways[{number}]")

    # ---- measures --------------------------------------------------------------------------------------------

    def _measure(self, measure: Measure, place: str) -> Iterator[Flaw]:
        yield from self._formula(measure.condition, f"{place}.condition")
        if isinstance(measure.amount, Places):
            yield from self._places(measure.amount, f"{place}.amount")
        else:
            flaw = self._term(measure.amount)
            if flaw is not None:
                yield Flaw(f"{place}.amount", flaw.code, flaw.message)
            elif not is_number(e.type_of(measure.amount)):
                yield Flaw(f"{place}.amount", "RC505", f"an amount is a number, `{e.show(measure.amount)}` is none")
        if measure.action is not None:
            yield from self._fair(measure.action, f"{place}.action")

    def _fair(self, action: str, place: str) -> Iterator[Flaw]:
        if action not in self.actions:
            yield Flaw(place, "RC504", f"there is no fair action `{action}`")

    def _places(self, places: Places, place: str) -> Iterator[Flaw]:
        name, type_ = places.variable.name, places.variable.type
        if self.types.get(name) != type_ or not isinstance(type_, EnumType) or not name.startswith("pc("):
            yield Flaw(place, "RC504", f"`{name}` is no program counter of this model")
            return
        if len(places.table) < len(places.amounts):
            yield Flaw(place, "RC505", "a place is listed twice")
        for at, amount in places.amounts:
            if at not in type_.values:
                yield Flaw(place, "RC505", f"`{at}` is no place of `{name}`")
            if type(amount) is not int or amount < 0:
                yield Flaw(place, "RC505", f"the way from `{at}` is {amount}, which is no natural number")

    # ---- diagrams --------------------------------------------------------------------------------------------

    def _ranked(self, columns: Sequence[Column], diagram: Diagram, ranks: int, place: str) -> Iterator[Flaw]:
        names = [column.name for column in columns]
        for number, column in enumerate(columns):
            if column.name in names[:number]:
                yield Flaw(f"{place}.columns[{number}]", "RC505", f"there is another column `{column.name}`")
            yield from self._column(column, f"{place}.columns[{number}]")
        if diagram.variables != tuple(column.variable for column in columns):
            yield Flaw(f"{place}.diagram", "RC506", "it does not test the columns")
            return
        for number in range(len(diagram.nodes)):
            yield from _node(diagram, number, ranks, f"{place}.diagram.nodes[{number}]")
        yield from _target(diagram, diagram.root, -1, len(diagram.nodes), ranks, f"{place}.diagram.root")

    def _column(self, column: Column, place: str) -> Iterator[Flaw]:
        flaw = self._term(column.term)
        if flaw is not None:
            yield Flaw(f"{place}.term", flaw.code, flaw.message)
            return
        type_ = e.type_of(column.term)
        if column.regions:
            name = column.term.name if isinstance(column.term, e.Var) else ""
            if not isinstance(type_, EnumType) or not name.startswith("pc("):
                yield Flaw(place, "RC505", "only a program counter has regions")
            elif tuple(at for at, _ in column.regions) != type_.values:
                yield Flaw(f"{place}.regions", "RC505", f"not each place of `{name}`, in their order")
            elif not all(type(region) is str for _, region in column.regions):
                yield Flaw(f"{place}.regions", "RC505", "a region has no name")
            elif column.type != region_type(column.regions):
                yield Flaw(place, "RC505", "its type is not that of its regions")
        elif column.type != type_ and (column.type != OPAQUE or not is_number(type_)):
            yield Flaw(place, "RC505", f"it is `{column.type}`, but `{e.show(column.term)}` is `{type_}`")

    # ---- formulas --------------------------------------------------------------------------------------------

    def _formula(self, formula: e.Expr, place: str) -> Iterator[Flaw]:
        flaw = self._term(formula)
        if flaw is not None:
            yield Flaw(place, flaw.code, flaw.message)
        elif e.type_of(formula) != BOOL:
            yield Flaw(place, "RC505", f"`{e.show(formula)}` is not true or false")

    def _term(self, expr: e.Expr) -> Flaw | None:
        """The first thing that is wrong with an expression, if any."""
        if expr not in self._formulas:
            inner = (self._term(part) for part in e.parts(expr))
            self._formulas[expr] = next((flaw for flaw in inner if flaw is not None), None) or self._own(expr)
        return self._formulas[expr]

    def _own(self, expr: e.Expr) -> Flaw | None:
        """What is wrong with an expression whose parts are as they should be."""
        match expr:
            case e.Const(value, type_):
                wrong = None if is_value(value, type_) else f"{value!r} is not a value of `{type_}`"
            case e.Var(name, type_):
                if name not in self.types:
                    return Flaw("", "RC504", f"this model has no variable `{name}`")
                wrong = None if self.types[name] == type_ else f"`{name}` is `{self.types[name]}`, not `{type_}`"
            case e.Not(operand):
                wrong = _not_boolean((operand,))
            case e.And(operands) | e.Or(operands):
                wrong = "`and` and `or` join two formulas or more" if len(operands) < 2 else _not_boolean(operands)
            case e.Equal(left, right):
                wrong = None if e.compatible(e.type_of(left), e.type_of(right)) else "unlike things are compared"
            case e.AtMost(left, right):
                wrong = _not_numbers((left, right))
            case e.Arithmetic(operator, left, right):
                wrong = _not_numbers((left, right)) if operator in ("+", "-", "*") else f"unknown `{operator}`"
            case e.Choice(condition, yes, no):
                sides = e.type_of(yes), e.type_of(no)
                like = e.compatible(*sides) or all(isinstance(side, EnumType) for side in sides)
                wrong = _not_boolean((condition,)) if like else "the two sides of a choice are unlike"
            case _:
                assert_never(expr)
        return None if wrong is None else Flaw("", "RC505", f"{wrong}, in `{e.show(expr)}`")


def _not_boolean(operands: Sequence[e.Expr]) -> str | None:
    wrong = next((one for one in operands if e.type_of(one) != BOOL), None)
    return None if wrong is None else f"`{e.show(wrong)}` is not true or false"


def _not_numbers(operands: Sequence[e.Expr]) -> str | None:
    wrong = next((one for one in operands if not is_number(e.type_of(one))), None)
    return None if wrong is None else f"`{e.show(wrong)}` is not a number"


def is_value(value: object, type_: Type) -> bool:
    """Whether something is a value of a type; of the opaque ones, only `none` has a name."""
    match type_:
        case BoolType():
            return type(value) is bool
        case EnumType(values):
            return type(value) is str and value in values
        case RangeType(low, high):
            return type(value) is int and low <= value <= high
        case IntType(natural):
            return type(value) is int and (value >= 0 or not natural)
        case OpaqueType():
            return type(value) is int and value == 0


def _node(diagram: Diagram, number: int, ranks: int, place: str) -> Iterator[Flaw]:
    node = diagram.nodes[number]
    if not 0 <= node.level < len(diagram.variables):
        yield Flaw(place, "RC506", f"there is no column {node.level}")
        return
    values = [value for value, _ in node.branches]
    if len(set(values)) < len(values):
        yield Flaw(place, "RC506", "two branches have the same value")
    for value, child in node.branches:
        if not _is_branch(value, node.level, diagram.variables):
            yield Flaw(place, "RC505", f"{value!r} is no value of `{diagram.variables[node.level].name}`")
        yield from _target(diagram, child, node.level, number, ranks, place)


def _is_branch(value: object, level: int, variables: Sequence[Variable]) -> bool:
    if not isinstance(variables[level].type, OpaqueType):
        return is_value(value, variables[level].type)
    if type(value) is not int or not NOTHING <= value <= level:
        return False
    return value == NOTHING or isinstance(variables[value].type, OpaqueType)


def _target(diagram: Diagram, child: int, level: int, before: int, ranks: int, place: str) -> Iterator[Flaw]:
    """What is wrong with where a branch of a level leads: to a node listed before, of a higher level, or a rank."""
    if child < 0:
        if leaf_rank(child) >= ranks:
            yield Flaw(place, "RC506", f"there is no rank {leaf_rank(child)}")
    elif child >= before:
        yield Flaw(place, "RC506", f"node {child} is not listed before it")
    elif diagram.nodes[child].level <= level:
        yield Flaw(place, "RC506", f"node {child} tests a column that was tested before")
