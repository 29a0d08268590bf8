"""Commands seen by a few variables: what is surely so, and what may be so, whatever the others are."""

from __future__ import annotations

from msgspec import Struct, field

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BOOL, BoolType, OpaqueType, Type, zero
from reconcheck.semantics.system import Command


class Projected(Struct, frozen=True):
    """A command on the visible variables.  `guard` may hold where the whole command's does not, never less."""

    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...]
    hidden: bool
    """Whether the whole command changes other variables too."""


def bounds(expr: e.Expr, visible: frozenset[str]) -> tuple[e.Expr, e.Expr]:
    """A condition that holds wherever `expr` may hold, and one that holds only where it surely does.

    Both are over the visible variables; where `expr` is, they are `expr` itself.
    """
    match expr:
        case e.Const():
            return expr, expr
        case e.Not(operand):
            may, surely = bounds(operand, visible)
            return (expr, expr) if may is operand else (e.negate(surely), e.negate(may))
        case e.And(operands) | e.Or(operands):
            pairs = [bounds(operand, visible) for operand in operands]
            if all(may is operand for (may, _), operand in zip(pairs, operands, strict=True)):
                return expr, expr
            join = e.both if isinstance(expr, e.And) else e.either
            return join(*(may for may, _ in pairs)), join(*(surely for _, surely in pairs))
        case e.Choice(condition, yes, no) if isinstance(e.type_of(yes), BoolType) and not _sees(expr, visible):
            may_be, surely_is = bounds(condition, visible)
            may_yes, surely_yes = bounds(yes, visible)
            may_no, surely_no = bounds(no, visible)
            may = e.either(e.both(may_be, may_yes), e.both(e.negate(surely_is), may_no))
            surely = e.either(e.both(surely_is, surely_yes), e.both(e.negate(may_be), surely_no))
            return may, surely
        case _:
            return (expr, expr) if _sees(expr, visible) else (e.TRUE, e.FALSE)


def _sees(expr: e.Expr, visible: frozenset[str]) -> bool:
    return e.names(expr) <= visible


class _Cut(Struct):
    """Expressions with their invisible parts replaced by inputs that nobody chooses: equal parts by the same input."""

    visible: frozenset[str]
    chosen: dict[e.Expr, e.Expr] = field(default_factory=dict)
    inputs: list[Variable] = field(default_factory=list)

    def value(self, expr: e.Expr, type_: Type) -> e.Expr:
        """The expression as a value of the type."""
        if _sees(expr, self.visible):
            return expr
        match expr:
            case e.Not(operand):
                return e.negate(self.value(operand, BOOL))
            case e.And(operands) | e.Or(operands):
                join = e.both if isinstance(expr, e.And) else e.either
                cut = [one for one in operands if not self._shows(one)]
                seen = [self.value(one, BOOL) for one in operands if self._shows(one)]
                return join(*seen, self._anything(join(*cut), BOOL)) if cut else join(*seen)
            case e.Choice(condition, yes, no):
                return e.choose(self.value(condition, BOOL), self.value(yes, type_), self.value(no, type_))
            case _:
                return self._anything(expr, type_)

    def known(self, expr: e.Expr) -> e.Expr:
        """The expression with those parts replaced that have been replaced before."""
        if expr in self.chosen and isinstance(self.chosen[expr], e.Var):
            return self.chosen[expr]
        return e.rebuild(expr, tuple(map(self.known, e.parts(expr))))

    def _shows(self, expr: e.Expr) -> bool:
        return not e.names(expr).isdisjoint(self.visible)

    def _anything(self, expr: e.Expr, type_: Type) -> e.Expr:
        if expr not in self.chosen:
            chosen: e.Expr = self._input(type_)
            if isinstance(type_, OpaqueType):  # an input is never `none`, which a variable may be
                chosen = e.choose(self._input(BOOL), e.Const(zero(type_), type_), chosen)
            self.chosen[expr] = chosen
        return self.chosen[expr]

    def _input(self, type_: Type) -> e.Var:
        self.inputs.append(Variable(f"cut{len(self.inputs)}", type_, None))
        return e.Var(self.inputs[-1].name, type_)


def project(command: Command, visible: dict[str, Type]) -> Projected:
    """A command on the visible variables, given with their types."""
    own = [variable.name for variable in command.inputs]
    cut = _Cut(frozenset(visible).union(own))
    updates = tuple((name, cut.value(value, visible[name])) for name, value in command.updates if name in visible)
    guard, _ = bounds(cut.known(command.guard), cut.visible.union(v.name for v in cut.inputs))
    used = e.names(guard).union(*(e.names(value) for _, value in updates))
    inputs = tuple(v for v in (*command.inputs, *cut.inputs) if v.name in used)
    return Projected(guard, updates, inputs, any(name not in visible for name, _ in command.updates))
