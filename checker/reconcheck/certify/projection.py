"""Commands as a diagram sees them: what they do to its columns, and nothing else.

What the columns do not mention may be anything, the same condition the same thing.  That only adds steps, so
an obligation that holds of the projected command holds of the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconcheck.certify.context import Context, Taken
from reconcheck.certify.queries import names_in
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Column
from reconcheck.semantics import smtlib


@dataclass(frozen=True)
class Projected:
    """A command on some variables; `inputs` stand for values chosen by nobody and for what was left out."""

    guard: e.Expr
    before: tuple[tuple[str, e.Expr], ...]
    after: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...]


@dataclass
class Blur:
    """Replaces conditions and values that depend on other variables by inputs, equal ones by the same input."""

    kept: frozenset[str]
    chosen: dict[e.Expr, e.Expr] = field(default_factory=dict)
    inputs: list[Variable] = field(default_factory=list)

    def __call__(self, expr: e.Expr) -> e.Expr:
        """The expression with what depends on other variables replaced."""
        return self._blurred(expr)

    def _blurred(self, expr: e.Expr) -> e.Expr:
        if all(variable.name in self.kept for variable in e.variables(expr)):
            return expr
        if isinstance(expr, e.Var | e.Equal | e.AtMost | e.Arithmetic):
            if expr not in self.chosen:
                type_ = e.type_of(expr)
                self.inputs.append(Variable(f"other{len(self.inputs)}", type_, None))
                self.chosen[expr] = e.Var(self.inputs[-1].name, type_)
            return self.chosen[expr]
        return e.rebuild(expr, tuple(self._blurred(part) for part in e.parts(expr)))


class Projections:
    """The projected commands of a system, each made once for each set of variables that it and a diagram share."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._made: dict[tuple[int, frozenset[str]], Projected] = {}
        self._same: dict[Projected, Projected] = {}

    def project(self, number: int, variables: frozenset[str]) -> Projected:
        """The command on those of the variables that it reads or changes."""
        taken = self.context.taken[number]
        kept = variables & (taken.reads | taken.writes)
        key = (number, kept)
        if key not in self._made:
            made = projected(taken, kept, taken.guard)
            self._made[key] = self._same.setdefault(made, made)
        return self._made[key]


def projected(taken: Taken, kept: frozenset[str], guard: e.Expr) -> Projected:
    """A command on the kept variables, with another guard."""
    own = frozenset(variable.name for variable in taken.command.inputs)
    blur = Blur(kept | own)
    condition = blur(guard)
    after = tuple((name, blur(value)) for name, value in sorted(taken.after.items()) if name in kept)
    before = tuple((name, value) for name, value in sorted(taken.before.items()) if name in kept)
    used = names_in(condition, *(value for _, value in after))
    inputs = tuple(v for v in (*taken.command.inputs, *blur.inputs) if v.name in used)
    return Projected(condition, before, after, inputs)


def arguments(columns: Sequence[Column], values: dict[str, e.Expr]) -> str:
    """The columns as arguments of a diagram's functions, with some variables replaced."""
    return " ".join(_argument(level, column, values) for level, column in enumerate(columns))


def _argument(level: int, column: Column, values: dict[str, e.Expr]) -> str:
    value = e.substitute(column.term, values)
    if not column.regions:
        return smtlib.converted(value, column.type)
    if isinstance(value, e.Const):
        return smtlib.constant(dict(column.regions)[str(value.value)], column.type)
    return f"(region_{level} {smtlib.converted(value, e.type_of(column.term))})"


def legend(columns: Sequence[Column]) -> list[str]:
    """What the parameters of a diagram's functions stand for, as comments."""
    return [f"; v{level} is {_argument(level, column, {})}" for level, column in enumerate(columns)]


def region_functions(columns: Sequence[Column]) -> list[str]:
    """The regions of program counters as SMT-LIB functions."""
    lines: list[str] = []
    for level, column in enumerate(columns):
        if not column.regions:
            continue
        numbers = [smtlib.constant(region, column.type) for _, region in column.regions]
        text = numbers[-1]
        for place in range(len(numbers) - 2, -1, -1):
            if numbers[place] != numbers[place + 1]:
                text = f"(ite (<= x {place}) {numbers[place]} {text})"
        lines.append(f"(define-fun region_{level} ((x Int)) Int {text})")
    return lines


def variables_of(columns: Sequence[Column]) -> frozenset[str]:
    """The variables that the columns depend on."""
    return frozenset(names_in(*(column.term for column in columns)))
