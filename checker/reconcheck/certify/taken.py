"""Commands with what their guards fix put in, and what they do to measures."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Measure, Places
from reconcheck.semantics.system import Command, changes


class Taken(Struct, frozen=True):
    """A command with what its guard fixes put in: values before it, and after it."""

    command: Command
    guard: e.Expr
    before: dict[str, e.Expr]
    after: dict[str, e.Expr]
    changed: e.Expr
    reads: frozenset[str]
    writes: frozenset[str]
    moves: tuple[tuple[str, e.Const | None, e.Const | None], ...]
    """For each program counter that it fixes or sets, the place before and after."""

    @property
    def updates(self) -> list[tuple[str, e.Expr]]:
        """The variables that it may change with their new values."""
        return [(name, self.after[name]) for name in sorted(self.writes)]


def taken_of(command: Command, types: dict[str, Variable]) -> Taken:
    """The command in a system with these variables."""
    known, updates = changes(command, types)
    changed = e.either(
        *(e.negate(e.equal(known.get(name, e.Var(name, types[name].type)), value)) for name, value in updates.items())
    )
    moves: list[tuple[str, e.Const | None, e.Const | None]] = []
    for name in sorted({*known, *updates}):
        old, new = known.get(name), updates.get(name)
        if name.startswith("pc(") and (new is None or isinstance(new, e.Const)):
            moves.append((name, old if isinstance(old, e.Const) else None, new))
    after = {**known, **updates}
    guard = e.substitute(command.guard, known)
    return Taken(command, guard, known, after, changed, command.reads, frozenset(updates), tuple(moves))


# ---- measures ----------------------------------------------------------------------------------------------


def way_of(amount: Places, taken: Taken) -> tuple[object, ...]:
    """All that a command lets the way to the end of a run matter for."""
    move = next((move for move in taken.moves if move[0] == amount.variable.name), None)
    if move is None or move[1] is None:
        return "any place", amount.amounts, move is not None
    old, new = amount.at(str(move[1].value)), amount.at(str((move[2] or move[1]).value))
    return "move", move[2] is None, old > 0, new > 0, old >= new, new >= old


Ends = tuple[e.Expr, e.Expr, e.Expr, e.Expr]


def _ends(measure: Measure, taken: Taken) -> Ends | None:
    """Condition and amount before and after a command; None where the command does not tell its places."""
    before, after = e.substitute(measure.condition, taken.before), e.substitute(measure.condition, taken.after)
    amount = measure.amount
    if not isinstance(amount, Places):
        return before, e.substitute(amount, taken.before), after, e.substitute(amount, taken.after)
    old, new = taken.before.get(amount.variable.name), taken.after.get(amount.variable.name)
    if new is None:  # wherever the run stands, it stays there
        there = e.negate(amount.resting)
        return e.both(before, there), e.integer(1), e.both(after, there), e.integer(1)
    if not isinstance(old, e.Const) or not isinstance(new, e.Const):
        return None
    return before, e.integer(amount.at(str(old.value))), after, e.integer(amount.at(str(new.value)))


def rises(measure: Measure, taken: Taken) -> e.Expr:
    """A condition that holds wherever a command raises the measure."""
    ends = _ends(measure, taken)
    return e.TRUE if ends is None else _greater(ends[2], ends[3], ends[0], ends[1])


def falls(measure: Measure, taken: Taken) -> e.Expr:
    """A condition under which a command surely lowers the measure."""
    ends = _ends(measure, taken)
    return e.FALSE if ends is None else _greater(*ends)


def kept(measure: Measure, taken: Taken) -> e.Expr:
    """A condition that holds wherever a command leaves the measure as it is."""
    ends = _ends(measure, taken)
    if ends is None:
        return e.TRUE
    return e.both(e.negate(_greater(*ends)), e.negate(_greater(ends[2], ends[3], ends[0], ends[1])))


def _greater(condition: e.Expr, amount: e.Expr, than: e.Expr, other: e.Expr) -> e.Expr:
    """`(condition ? amount : 0) > (than ? other : 0)`, for natural amounts."""
    positive = e.negate(e.at_most(amount, e.integer(0)))
    return e.both(condition, positive, e.either(e.negate(than), e.negate(e.at_most(amount, other))))
