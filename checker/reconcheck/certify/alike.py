"""Which parts of a proof are alike: the same diagram over other variables that the same kinds of steps change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconcheck.certify.projection import Folded, Move, Moved, Projections
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
            told = folded.keys().isdisjoint(e.names(column.term))  # of a counter that another column shows as it is
            self.pattern.content += (column.type, column.regions if told else bool(column.regions))
            self.pattern.add(context.shapes.of(column.term))
        self.places = dict(self.pattern.places)
        variables = frozenset(self.places)
        self.tables = {name: _table(shown) for name, shown in folded.items()}
        self.commands: dict[Key, int] = {}
        self.spoken: set[str] = set()
        """The folded counters of which a step asks or tells more than a move: all of the table matters to it."""
        for look, shown, moves, number in projections.looks_of(variables, self._still):
            self.spoken.update(name for _, name in shown if name in folded)
            places = [(i, self.places[name]) for i, name in shown]
            self.commands.setdefault((look, *places, *map(self._seen, moves)), number)

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
                pattern.content += ("begin", self.tables[name][str(value.value)])
            else:
                pattern.add(context.shapes.of(value))
        pattern.content += (*self.commands, self.diagram.nodes, self.diagram.root)
        for name in self.places:
            if name in places:
                pattern.add((-1, (name, places[name].name)))
            if name in self.spoken:
                pattern.content.append(tuple(tuple(table.items()) for table in self.folded[name]))
        for formula in formulas:
            pattern.add(context.shapes.of(formula))
        regions = [Variable(region.name, region.type, None) for region in places.values()]
        return pattern.key([*context.system.initial.inputs, *regions])

    def _seen(self, move: Move) -> tuple[int, object, object]:
        """What the columns show of a move, and of which variable."""
        name, old, new = move
        table = self.tables.get(name)
        return (self.places[name], old, new) if table is None else (self.places[name], table[old], table[new])

    def _still(self, moves: Moved) -> bool:
        """Whether the columns show nothing of some moves."""
        for name, old, new in moves:
            table = self.tables.get(name)
            if table is None or old is None or (new is not None and table[old] != table[new]):
                return False
        return True


def _table(shown: tuple[dict[str, str], ...]) -> dict[str | None, object]:
    """For each place of a run, and for none, what the columns show of it."""
    found: dict[str | None, object] = {None: None}
    found.update(shown[0] if len(shown) == 1 else {at: tuple(table[at] for table in shown) for at in shown[0]})
    return found
