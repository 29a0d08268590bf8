"""Which parts of a proof are alike: the same diagram over other variables that the same kinds of steps change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconcheck.certify.projection import Folded, Projections
from reconcheck.model import expr as e
from reconcheck.model.likeness import Key, Pattern
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Column
from reconcheck.proof.diagram import Diagram


class Alike:
    """All that the obligations of a diagram depend on, but for names.

    `commands` has one command for each way in which some command that may change the columns looks from them.
    """

    def __init__(self, projections: Projections, columns: Sequence[Column], diagram: Diagram, folded: Folded) -> None:
        context = projections.context
        self.context, self.columns, self.diagram, self.folded = context, columns, diagram, folded
        self.pattern = Pattern(context.shapes)
        for column in columns:
            self.pattern.content += (column.type, bool(column.regions))
            self.pattern.add(context.shapes.of(column.term))
        self.places = dict(self.pattern.places)
        variables = frozenset(self.places)
        self.commands: dict[Key, int] = {}
        for look, shown, moved in projections.looks_of(variables):
            places = tuple([(i, self.places[name]) for i, name in shown])
            names = [name for name, _, _ in next(iter(moved))]
            tables = [(self.places[name], self._table(name)) for name in names]
            for moves, number in moved.items():
                seen = [(at, table[old], table[new]) for (at, table), (_, old, new) in zip(tables, moves, strict=True)]
                self.commands.setdefault((look, places, *seen), number)

    def key(self, formulas: Sequence[e.Expr], places: Mapping[str, e.Var]) -> Key | None:
        """Equal where formulas in the states of a diagram, and its steps, are alike; None where that is not told."""
        if self.folded.keys() != places.keys():
            return None
        context, pattern = self.context, self.pattern
        begin = dict(context.system.initial.updates)
        for name in self.places:
            value = begin[name]
            if name in self.folded:
                if not isinstance(value, e.Const):
                    return None
                pattern.content += ("begin", self._table(name)[str(value.value)])
            else:
                pattern.add(context.shapes.of(value))
        pattern.content += (*self.commands, self.diagram.nodes, self.diagram.root)
        for formula in formulas:
            pattern.add(context.shapes.of(formula))
        regions = [Variable(region.name, region.type, None) for region in places.values()]
        return pattern.key([*context.system.initial.inputs, *regions])

    def _table(self, name: str) -> Mapping[str | None, object]:
        """For each place of a run, and for none, what the columns show of it."""
        tables = self.folded.get(name)
        if tables is None:
            return _Itself()
        return {None: None} | {place: tuple(table[place] for table in tables) for place in tables[0]}


class _Itself(dict[str | None, object]):
    """Each place for itself."""

    def __missing__(self, place: str | None) -> object:
        return place
