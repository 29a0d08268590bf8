"""How a command looks from some of the variables: conditions on the others become choices made by nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import BOOL, OPAQUE, BoolType, IntType, OpaqueType, Type, zero


class Seen(Struct, frozen=True):
    """A command as a slice sees it: `moves` are those of folded program counters, place before and after."""

    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...]
    moves: tuple[tuple[str, str | None, str | None], ...]
    hidden: bool
    look: int = -1
    """A number for guard, updates and inputs."""


class Blur(Struct):
    """Replaces conditions on cut variables by free choices, the same condition by the same choice."""

    keep: frozenset[str]
    numbers: frozenset[str] = frozenset()
    """Inputs that are any number: each becomes a free choice of a datum, and is compared as one."""
    choices: dict[e.Expr, e.Expr] = field(default_factory=dict)
    inputs: list[Variable] = field(default_factory=list)
    given: frozenset[str] = frozenset()
    """The cut variables for which there are choices wherever they occur."""
    apart: dict[e.Expr, None] = field(default_factory=dict)
    """That a counter after a step is not what it was before."""

    def replaced(self, expr: e.Expr) -> e.Expr:
        """The expression over kept variables and choices."""
        if not _is_endless(expr) and e.names(expr) <= self.keep:
            return expr
        match expr:
            case e.Equal(left, right) if _endless_datum(left, right):
                if self._known(expr, self.numbers):
                    return e.equal(self.datum(left), self.datum(right))
                return self._chosen(expr, BOOL)
            case e.Equal(left, right) if self._known(expr):
                return e.equal(self.replaced(left), self.replaced(right))
            case e.Var() | e.Equal() | e.AtMost() | e.Arithmetic():
                return self._chosen(expr, e.type_of(expr))
            case _:
                return e.rebuild(expr, tuple(self.replaced(part) for part in e.parts(expr)))

    def give(self, values: Iterable[e.Expr]) -> None:
        """Makes choices for the cut variables that are written into what is kept, so that comparing them tells too."""
        for value in values:
            for leaf in written(value):
                if leaf.name not in self.keep and leaf.name not in self.numbers:
                    self._chosen(leaf, leaf.type)
                    self.given |= {leaf.name}

    def _known(self, expr: e.Expr, numbers: frozenset[str] = frozenset()) -> bool:
        """Whether an expression speaks of what is kept, or given, only."""
        return e.names(expr) <= self.keep | self.given | numbers

    def datum(self, value: e.Expr) -> e.Expr:
        """A number of an endless type, of which a slice sees only whether it equals others, and whether it is 0."""
        match value:
            case e.Var(name, IntType()) if name in self.keep:
                return value
            case e.Const(0, _):
                return value
            case e.Choice(condition, yes, no):
                return e.choose(self.replaced(condition), self.datum(yes), self.datum(no))
            case e.Arithmetic("+" | "-", e.Var(name, IntType()) as old, e.Const(amount, _)) if (
                name in self.keep and amount
            ):
                new = self._chosen(value, OPAQUE)
                self.apart[e.negate(e.equal(new, old))] = None
                return new
            case _:
                return self._chosen(value, OPAQUE)

    def _chosen(self, expr: e.Expr, type_: Type) -> e.Expr:
        if expr not in self.choices:
            self.choices[expr] = self.anything(OPAQUE if isinstance(type_, IntType) else type_)
        return self.choices[expr]

    def anything(self, type_: Type) -> e.Expr:
        """A new free choice; an opaque input is never `none`, which a variable may be."""
        if isinstance(type_, OpaqueType):
            return e.choose(self._input(BOOL), e.Const(zero(type_), type_), self._input(type_))
        return self._input(type_)

    def _input(self, type_: Type) -> e.Var:
        self.inputs.append(Variable(f"cut{len(self.inputs)}", type_, None))
        return e.Var(self.inputs[-1].name, type_)


def written(value: e.Expr) -> Iterator[e.Var]:
    """The variables one of which a value is, but for truth values."""
    match value:
        case e.Choice(_, yes, no):
            yield from written(yes)
            yield from written(no)
        case e.Var(_, type_) if not isinstance(type_, BoolType):
            yield value


def inputs_seen(inputs: Sequence[Variable]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the inputs that a slice keeps as they are, and of those that are any number."""
    numbers = frozenset(variable.name for variable in inputs if isinstance(variable.type, IntType))
    return frozenset(variable.name for variable in inputs) - numbers, numbers


def _is_endless(expr: e.Expr) -> bool:
    """Whether an expression compares or computes numbers of an endless type."""
    match expr:
        case e.Const():
            return False
        case e.Var(_, type_):
            return isinstance(type_, IntType)
        case _:
            return any(_is_endless(part) for part in e.parts(expr))


def _endless_datum(left: e.Expr, right: e.Expr) -> bool:
    return isinstance(e.type_of(left), IntType) or isinstance(e.type_of(right), IntType)


def tells(formula: e.Expr) -> bool:
    """Whether a formula can be evaluated on a slice: endless numbers are compared with each other and 0 only."""
    match formula:
        case e.Equal(left, right) if _endless_datum(left, right):
            sides = [side for side in (left, right) if not (isinstance(side, e.Var) and isinstance(side.type, IntType))]
            return all(isinstance(side, e.Const) and side.value == 0 for side in sides)
        case e.AtMost() | e.Arithmetic():
            return not _is_endless(formula)
        case _:
            return all(tells(part) for part in e.parts(formula))


def simpler(
    guard: e.Expr,
    updates: tuple[tuple[str, e.Expr], ...],
    inputs: Sequence[Variable],
    moves: tuple[tuple[str, str | None, str | None], ...],
    hidden: bool,
) -> Seen:
    """A command without the choices that only decide whether it is possible."""
    used = {name for _, value in updates for name in e.names(value)}
    for choice in inputs:
        if choice.name not in used and isinstance(choice.type, BoolType) and choice.name in e.names(guard):
            guard = e.either(*(e.substitute(guard, {choice.name: value}) for value in (e.TRUE, e.FALSE)))
    guard, updates, inputs = _grouped(guard, updates, inputs)
    used = {name for formula in (guard, *(value for _, value in updates)) for name in e.names(formula)}
    return _numbered(Seen(guard, updates, tuple(v for v in inputs if v.name in used), moves, hidden))


def _grouped(
    guard: e.Expr, updates: tuple[tuple[str, e.Expr], ...], inputs: Sequence[Variable]
) -> tuple[e.Expr, tuple[tuple[str, e.Expr], ...], Sequence[Variable]]:
    """Choices that always occur together, as one choice."""
    free = frozenset(v.name for v in inputs if isinstance(v.type, BoolType) and v.name.startswith("cut"))
    if len(free) < 2:
        return guard, updates, inputs
    groups: dict[str, set[e.Expr]] = {}

    def look(formula: e.Expr) -> None:
        for group in _groups(formula, free):
            for name in e.names(group):
                groups.setdefault(name, set()).add(group)

    formulas = (guard, *(value for _, value in updates))
    for formula in formulas:
        look(formula)
    alone = {g for found in groups.values() for g in found if len(e.names(g)) > 1}
    alone = {g for g in alone if all(groups[name] == {g} for name in e.names(g))}
    if not alone:
        return guard, updates, inputs
    names = {group: e.Var(f"cut{min(e.names(group))}", BOOL) for group in alone}
    new = tuple((name, _regrouped(value, free, names)) for name, value in updates)
    more = [Variable(names[group].name, BOOL, None) for group in sorted(alone, key=e.show)]
    return _regrouped(guard, free, names), new, (*inputs, *more)


def _groups(formula: e.Expr, free: frozenset[str]) -> Iterator[e.Expr]:
    """The largest parts of a formula that are made of free choices only."""
    names = e.names(formula)
    if names.isdisjoint(free):
        return
    if names <= free:
        yield formula
    elif isinstance(formula, e.And | e.Or):
        own = [part for part in formula.operands if e.names(part) and e.names(part) <= free]
        if own:
            yield (e.both if isinstance(formula, e.And) else e.either)(*own)
        for part in formula.operands:
            if part not in own:
                yield from _groups(part, free)
    else:
        for part in e.parts(formula):
            yield from _groups(part, free)


def _regrouped(formula: e.Expr, free: frozenset[str], names: Mapping[e.Expr, e.Expr]) -> e.Expr:
    """The formula with groups of choices as single ones."""
    if e.names(formula).isdisjoint(free):
        return formula
    if formula in names:
        return names[formula]
    if isinstance(formula, e.And | e.Or):
        join = e.both if isinstance(formula, e.And) else e.either
        own = [part for part in formula.operands if e.names(part) and e.names(part) <= free]
        group = join(*own) if own else e.TRUE
        if own and group in names:
            rest = (_regrouped(part, free, names) for part in formula.operands if part not in own)
            return join(names[group], *rest)
    return e.rebuild(formula, tuple(_regrouped(part, free, names) for part in e.parts(formula)))


def _numbered(seen: Seen) -> Seen:
    """Inputs named by their order, so that commands that look alike are equal."""
    inputs = tuple(Variable(f"any{number}", v.type, None) for number, v in enumerate(seen.inputs))
    names: dict[str, e.Expr] = {
        old.name: e.Var(new.name, new.type) for old, new in zip(seen.inputs, inputs, strict=True)
    }
    updates = tuple((name, e.substitute(value, names)) for name, value in seen.updates)
    return Seen(e.substitute(seen.guard, names), updates, inputs, seen.moves, seen.hidden)
