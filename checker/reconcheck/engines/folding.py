"""Program counters folded: places of a run that look alike from a slice are one region."""

from __future__ import annotations

from collections.abc import Sequence

from reconcheck.engines.blurring import Seen
from reconcheck.engines.measures import RESTING
from reconcheck.model import expr as e
from reconcheck.proof.certificate import Column
from reconcheck.semantics.system import Command


class Folding:
    """Puts regions for places."""

    def __init__(self, columns: Sequence[Column], regions: dict[str, tuple[tuple[str, str], ...]]) -> None:
        self.regions = {pc: dict(pairs) for pc, pairs in regions.items()}
        self.types = {column.name: column.type for column in columns}

    def formula(self, formula: e.Expr) -> e.Expr:
        """A formula in which folded program counters are compared with resting places only."""
        values = {name: e.Var(name, self.types[name]) for name in e.names(formula) if name in self.regions}
        return _retyped(formula, values) if values else formula

    def command(self, command: Command, seen: Seen) -> Command:
        """The command on the columns."""
        guard = seen.guard
        updates = dict(seen.updates)
        for pc, old, new in seen.moves:
            here = e.Var(pc, self.types[pc])
            if old is not None:
                guard = e.both(e.equal(here, e.Const(self.regions[pc][old], here.type)), guard)
            if new is not None and (old is None or self.regions[pc][new] != self.regions[pc][old]):
                updates[pc] = e.Const(self.regions[pc][new], here.type)
        for pc in self.regions:
            value = updates.get(pc)
            if isinstance(value, e.Const) and value.type != self.types[pc]:
                updates[pc] = e.Const(self.regions[pc][str(value.value)], self.types[pc])
        return Command(command.step, guard, tuple(updates.items()), seen.inputs, seen.hidden or not updates)

    def commands(
        self,
        commands: Sequence[Command],
        seen: Sequence[tuple[Seen, ...]],
        actions: frozenset[str] | None = None,
    ) -> tuple[tuple[Command, ...], tuple[tuple[int, ...], ...]]:
        """All commands on the columns, those that look alike as one, with the numbers of the originals.

        With `actions`, those of these actions are told apart, and kept even where the columns do not change.
        """
        found: dict[object, tuple[Command, list[int]]] = {}
        for number, several in enumerate(seen):
            watched = commands[number].step.action if actions and commands[number].step.action in actions else ""
            for one in several:
                places = tuple([self._between(move) for move in one.moves])
                if not watched and not one.updates and all(old == new for _, old, new in places):
                    continue
                key = one.look, places, watched
                if key not in found:
                    found[key] = self.command(commands[number], one), []
                found[key][1].append(number)
        kept = actions or frozenset()
        visible = [(c, tuple(n)) for c, n in found.values() if c.updates or c.step.action in kept]
        return tuple(c for c, _ in visible), tuple(n for _, n in visible)

    def _between(self, move: tuple[str, str | None, str | None]) -> tuple[str, str | None, str | None]:
        """A move between regions instead of places."""
        pc, old, new = move
        regions = self.regions[pc]
        here = None if old is None else regions[old]
        return pc, here, here if new is None else regions[new]


def _retyped(formula: e.Expr, values: dict[str, e.Var]) -> e.Expr:
    """A formula with constants of folded program counters in their new types."""
    if isinstance(formula, e.Equal) and isinstance(formula.left, e.Var) and formula.left.name in values:
        left = values[formula.left.name]
        if isinstance(formula.right, e.Const):
            return e.equal(left, e.Const(formula.right.value, left.type))
    if isinstance(formula, e.Var):
        return values.get(formula.name, formula)
    return e.rebuild(formula, tuple(_retyped(part, values) for part in e.parts(formula)))


def about_rest(formula: e.Expr, folded: Sequence[str]) -> bool:
    """Whether a formula tells resting places only from the others, which folding leaves apart."""
    match formula:
        case e.Equal(e.Var(name, _), e.Const(value, _)) if name in folded:
            return value in RESTING
        case e.Var(name, _):
            return name not in folded
        case _:
            return all(about_rest(part, folded) for part in e.parts(formula))
