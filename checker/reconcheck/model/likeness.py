"""Formulas that differ in the names of their variables only have one shape.

What holds of some formulas holds of all others of the same shapes over the same pattern of variables, so that
an obligation about one of many like objects need not be written down, let alone solved, for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable

Shape = tuple[int, tuple[str, ...]]
"""A number for the expression without its names, and the names in the order of their first occurrence."""
Key = tuple[object, ...]
"""Equal for what is alike."""


class Numbers(Struct):
    """The numbers of shapes, which several systems can share."""

    numbers: dict[object, int] = field(default_factory=dict)
    of: dict[e.Expr, Shape] = field(default_factory=dict)


class Shapes(Struct):
    """Numbers shapes.  Two expressions get one number where a renaming, one to one, makes them equal."""

    types: Mapping[str, Variable]
    """The variables of the state."""
    shared: Numbers = field(default_factory=Numbers)
    _kinds: dict[str, int] = field(default_factory=dict)

    def of(self, expr: e.Expr) -> Shape:
        """The shape of an expression."""
        found = self.shared.of.get(expr)
        if found is None:
            found = self.shared.of[expr] = self._made(expr)
        return found

    def _made(self, expr: e.Expr) -> Shape:
        match expr:
            case e.Var(name, type_):
                return self.number(("variable", type_)), (name,)
            case e.Const(value, type_):
                return self.number(("value", value, type_)), ()
            case e.Arithmetic(operator, _, _):
                content: list[object] = ["Arithmetic", operator]
            case _:
                content = [type(expr).__name__]
        places: dict[str, int] = {}
        for part in e.parts(expr):
            number, names = self.of(part)
            content += (number, *[places.setdefault(name, len(places)) for name in names], None)
        return self.number(tuple(content)), tuple(places)

    def kind(self, name: str, inputs: Iterable[Variable]) -> int:
        """A number for the type of a variable, and for whether it is part of the state or an input."""
        if name in self.types:
            if name not in self._kinds:
                self._kinds[name] = self.number(("state", self.types[name].type))
            return self._kinds[name]
        return self.number(("input", next(variable.type for variable in inputs if variable.name == name)))

    def number(self, content: object) -> int:
        """A number for anything, the same for what is equal."""
        return self.shared.numbers.setdefault(content, len(self.shared.numbers))


class Pattern:
    """Several shapes, and which of their variables are the same."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.places: dict[str, int] = {}
        self.content: list[object] = []

    def add(self, shape: Shape) -> None:
        """One more."""
        places = self.places
        self.content += (shape[0], *[places.setdefault(name, len(places)) for name in shape[1]])

    def key(self, inputs: Sequence[Variable]) -> Key:
        """Equal for what is alike."""
        return (*self.content, None, *[self.shapes.kind(name, inputs) for name in self.places])
