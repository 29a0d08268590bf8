"""Commands as a diagram sees them: what they do to its columns, and nothing else.

What the columns do not mention may be anything, the same condition the same thing.  That only adds steps, so
an obligation that holds of the projected command holds of the command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from reconcheck.certify.context import Context
from reconcheck.certify.queries import Discharged, names_in
from reconcheck.certify.taken import Taken
from reconcheck.model import expr as e
from reconcheck.model.likeness import Key, Pattern
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Column
from reconcheck.semantics import smtlib


class Projected(Struct, frozen=True):
    """A command on some variables; `inputs` stand for values chosen by nobody and for what was left out.

    `before` and `after` are without program counters: where a run stands is in `moves`, for each counter the
    place before and after, so that commands that differ in that only share the rest.
    """

    guard: e.Expr
    before: tuple[tuple[str, e.Expr], ...]
    after: tuple[tuple[str, e.Expr], ...]
    inputs: tuple[Variable, ...]


CONTROL = ("pc(", "queued(", "timer(")
"""How the names of the variables begin that say where controllers stand."""
Shown = tuple[tuple[int, str], ...]
"""Which variables a look shows, and where."""
Move = tuple[str, str | None, str | None]
"""A program counter, the place before, and after, by name."""
Moved = tuple[Move, ...]
Moves = tuple[tuple[str, e.Const | None, e.Const | None], ...]
Group = tuple[int, Shown, dict[Moved, list[int]]]
"""Commands that look the same but for the moves of runs, by these."""
SHARED = 16
"""A variable that more than one in so many commands touch is one that many slices share."""


class Blur(Struct):
    """Replaces conditions and values that depend on other variables by inputs, equal ones by the same input."""

    kept: frozenset[str]
    chosen: dict[e.Expr, e.Expr] = field(default_factory=dict)
    inputs: list[Variable] = field(default_factory=list)
    given: dict[str, e.Expr] = field(default_factory=dict)
    """The other variables for which an input stands wherever they occur."""

    def give(self, value: e.Expr) -> None:
        """Puts inputs for the other variables one of which a value is, so that what compares them is kept."""
        match value:
            case e.Choice(_, yes, no):
                self.give(yes)
                self.give(no)
            case e.Var(name, _) if name not in self.kept:
                self.given[name] = self._chosen(value)

    def __call__(self, expr: e.Expr) -> e.Expr:
        """The expression with what depends on other variables replaced."""
        return self._blurred(expr)

    def _blurred(self, expr: e.Expr) -> e.Expr:
        names = e.names(expr)
        if names <= self.kept:
            return expr
        if names <= self.kept | self.given.keys():
            return e.substitute(expr, self.given)
        if isinstance(expr, e.Var | e.Equal | e.AtMost | e.Arithmetic):
            return self._chosen(expr)
        return e.rebuild(expr, tuple(self._blurred(part) for part in e.parts(expr)))

    def _chosen(self, expr: e.Expr) -> e.Expr:
        if expr not in self.chosen:
            type_ = e.type_of(expr)
            self.inputs.append(Variable(f"other{len(self.inputs)}", type_, None))
            self.chosen[expr] = e.Var(self.inputs[-1].name, type_)
        return self.chosen[expr]


class Projections:
    """The projected commands of a system, each made once for each set of variables that it and a diagram share."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._footprints = [taken.reads | taken.writes for taken in context.taken]
        self._touching: dict[str, list[int]] = {}
        for number, footprint in enumerate(self._footprints):
            for name in footprint:
                self._touching.setdefault(name, []).append(number)
        self._popular = frozenset(
            n for n, numbers in self._touching.items() if len(numbers) * SHARED > len(context.taken)
        )
        self._common: dict[frozenset[str], list[Group]] = {}
        self._made: dict[tuple[int, frozenset[str]], tuple[Projected, Moves]] = {}
        self._same: dict[Projected, Projected] = {}
        self._looks: dict[tuple[int, tuple[int, ...]], tuple[int, tuple[tuple[int, int], ...]]] = {}
        self.like: dict[Key, tuple[Discharged, Discharged, list[int]]] = {}
        """For parts that were accepted: the obligations of their steps, with which steps these are, and the last."""

    def project(self, number: int, variables: frozenset[str]) -> tuple[Projected, Moves]:
        """The command on those of the variables that it reads or changes."""
        kept = variables & self._footprints[number]
        key = (number, kept)
        found = self._made.get(key)
        if found is None:
            made, moves = projected(self.context.taken[number], kept, self.context.taken[number].guard)
            found = self._made[key] = self._same.setdefault(made, made), moves
        return found

    def looks_of(
        self, variables: frozenset[str], still: Callable[[Moved], bool]
    ) -> Iterator[tuple[int, Shown, Moved, int]]:
        """How the commands that may change the variables look, each look with one command.

        Those that show nothing but moves that are `still` are left out.  Most commands touch none of the variables but
        the control state and what many others touch, and look the same from all slices that share these.
        """
        common = frozenset(name for name in variables if name.startswith(CONTROL) or name in self._popular)
        if common not in self._common:
            self._common[common] = self._grouped(self.context.writing(common), common)
        special = {n for name in variables - common for n in self._touching.get(name, ())}
        writing = sorted(special.intersection(self.context.writing(variables)))
        for look, shown, moved in self._common[common]:
            for moves, numbers in moved.items():
                if shown or not still(moves):
                    number = next((number for number in numbers if number not in special), None)
                    if number is not None:
                        yield look, shown, moves, number
        for look, shown, moved in self._grouped(writing, variables):
            for moves, numbers in moved.items():
                if shown or not still(moves):
                    yield look, shown, moves, numbers[0]

    def _grouped(self, numbers: Iterable[int], variables: frozenset[str]) -> list[Group]:
        found: dict[tuple[int, Shown], dict[Moved, list[int]]] = {}
        for number in numbers:
            look, shown = self.look(number, variables)
            moves = tuple([(name, _at(old), _at(new)) for name, old, new in self.context.taken[number].moves])
            if not all(move[0] in variables for move in moves):
                moves = tuple(move for move in moves if move[0] in variables)
            found.setdefault((look, shown), {}).setdefault(moves, []).append(number)
        return [(look, shown, moved) for (look, shown), moved in found.items()]

    def look(self, number: int, variables: frozenset[str]) -> tuple[int, Shown]:
        """What a command does to the variables, but for the places of runs: a number, and where which are in it.

        Commands of one shape that share the same of their variables look the same.
        """
        whole, names = self.context.command(number)
        shared = tuple([place for place, name in enumerate(names) if name in variables])
        if (whole, shared) not in self._looks:
            command, _ = self.project(number, variables)
            shapes = self.context.shapes
            pattern = Pattern(shapes)
            pattern.add(shapes.of(command.guard))
            for values in (command.before, command.after):
                pattern.content.append("values")
                for name, value in values:
                    pattern.add((-1, (name,)))
                    pattern.add(shapes.of(value))
            at = {name: place for place, name in enumerate(names)}
            shown = tuple((i, at[name]) for i, name in enumerate(pattern.places) if name in variables)
            own = {variable.name for variable in self.context.taken[number].command.inputs}
            inputs = tuple(name in own for name in pattern.places)  # what is left out may be `none`, they may not
            self._looks[whole, shared] = shapes.number((*pattern.key(command.inputs), inputs)), shown
        look, shown = self._looks[whole, shared]
        return look, tuple([(i, names[place]) for i, place in shown])


def _at(place: e.Const | None) -> str | None:
    return None if place is None else str(place.value)


def projected(taken: Taken, kept: frozenset[str], guard: e.Expr) -> tuple[Projected, Moves]:
    """A command on the kept variables, with another guard."""
    own = frozenset(variable.name for variable in taken.command.inputs)
    blur = Blur(kept | own)
    for name in sorted(kept & taken.after.keys()):
        blur.give(taken.after[name])
    condition = blur(guard)
    moves: list[tuple[str, e.Const | None, e.Const | None]] = []
    for name in sorted(kept):
        if name.startswith("pc(") and name in taken.after:
            old, new = taken.before.get(name), taken.after[name]
            if isinstance(new, e.Const) and (old is None or isinstance(old, e.Const)):
                moves.append((name, old, new))
    moved = {name for name, _, _ in moves}
    after = tuple((n, blur(value)) for n, value in sorted(taken.after.items()) if n in kept and n not in moved)
    before = tuple((n, value) for n, value in sorted(taken.before.items()) if n in kept and n not in moved)
    others = frozenset(variable.name for variable in blur.inputs)
    condition = _that_matters(condition, others, names_in(*(value for _, value in after)))
    used = names_in(condition, *(value for _, value in after))
    inputs = tuple(v for v in (*taken.command.inputs, *blur.inputs) if v.name in used)
    return Projected(condition, before, after, inputs), tuple(moves)


def _that_matters(guard: e.Expr, others: frozenset[str], used: set[str]) -> e.Expr:
    """A guard without the parts that only say what was left out; to leave a part out adds steps, and loses none."""
    parts = guard.operands if isinstance(guard, e.And) else (guard,)
    matter = used.union(*(e.names(part) for part in parts if not e.names(part) <= others))
    silent = [part for part in parts if e.names(part) and e.names(part) <= others]
    while more := [part for part in silent if not matter.isdisjoint(e.names(part))]:
        matter = matter.union(*map(e.names, more))
        silent = [part for part in silent if part not in more]
    return e.both(*(part for part in parts if part not in silent))


def values(command: Projected, moves: Moves) -> tuple[dict[str, e.Expr], dict[str, e.Expr]]:
    """What a command fixes before, and what it makes after."""
    before, after = dict(command.before), dict(command.after)
    for name, old, new in moves:
        if old is not None:
            before[name] = old
        if new is not None:
            after[name] = new
    return before, after


Folded = dict[str, tuple[dict[str, str], ...]]


def folded(columns: Sequence[Column]) -> Folded:
    """For each program counter that no column shows as it is, the region of each place, in each column of it."""
    tables: Folded = {}
    for column in columns:
        if column.regions:
            for name in names_in(column.term):
                tables[name] = (*tables.get(name, ()), dict(column.regions))
    plain = variables_of([column for column in columns if not column.regions])
    return {name: regions for name, regions in tables.items() if name not in plain}


def looks(shown: Folded, moves: Moves) -> tuple[object, ...]:
    """What columns show of where a run stands before and after."""

    def look(name: str, place: e.Const | None) -> object:
        if place is None or name not in shown:
            return place
        return tuple(regions[str(place.value)] for regions in shown[name])

    return tuple((name, look(name, old), look(name, new)) for name, old, new in moves)


def arguments(columns: Sequence[Column], given: Mapping[str, e.Expr]) -> str:
    """The columns as arguments of a diagram's functions, with some variables replaced."""
    return " ".join(_argument(level, column, given) for level, column in enumerate(columns))


def _argument(level: int, column: Column, given: Mapping[str, e.Expr]) -> str:
    value = e.substitute(column.term, given)
    if not column.regions:
        return smtlib.converted(value, column.type)
    if value == region_of(column):
        return smtlib.converted(value, column.type)
    if isinstance(value, e.Const):
        return smtlib.constant(dict(column.regions)[str(value.value)], column.type)
    return f"(region_{level} {smtlib.converted(value, e.type_of(column.term))})"


def region_of(column: Column) -> e.Var:
    """What stands for the region of a run where the place is not told; no variable of a model is called so."""
    return e.Var(f"region of {e.show(column.term)}", column.type)


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
