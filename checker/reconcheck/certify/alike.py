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
        for number in context.writing(variables):
            look, names = projections.look(number, variables)
            shown = tuple([(i, self.places[name]) for i, name in names])
            moves = [(self.places[m[0]], *self._looks(*m)) for m in context.taken[number].moves if m[0] in variables]
            self.commands.setdefault((look, shown, *moves), number)

    def key(self, formulas: Sequence[e.Expr], places: Mapping[str, e.Var]) -> Key | None:
        """Equal where formulas in the states of a diagram, and its steps, are alike; None where that is not told."""
        if self.folded.keys() != places.keys():
            return None
        context, pattern = self.context, self.pattern
        begin = dict(context.system.initial.updates)
        for name in self.places:
            value = begin[name]
            if name in self.folded:
                pattern.content += ("begin", *self._looks(name, None, value if isinstance(value, e.Const) else None))
                if not isinstance(value, e.Const):
                    return None
            else:
                pattern.add(context.shapes.of(value))
        pattern.content += (*self.commands, self.diagram.nodes, self.diagram.root)
        for formula in formulas:
            pattern.add(context.shapes.of(formula))
        regions = [Variable(region.name, region.type, None) for region in places.values()]
        return pattern.key([*context.system.initial.inputs, *regions])

    def _looks(self, name: str, old: e.Const | None, new: e.Const | None) -> tuple[object, object]:
        """Where a run stands before and after, as far as the columns show it."""
        tables = self.folded.get(name)
        if tables is None:
            return old, new
        before = None if old is None else tuple(table[str(old.value)] for table in tables)
        return before, None if new is None else tuple(table[str(new.value)] for table in tables)
