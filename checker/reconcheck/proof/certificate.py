"""What a proof consists of.

A proof of convergence is built from the bottom: clauses that always hold, quantities that calm steps never
raise, formulas that settle one after the other.  Each part may use those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import EnumType, Type, Value
from reconcheck.proof.diagram import Diagram, smallest


class Places(Struct, frozen=True, dict=True):
    """A number for each value of a program counter: how far the run is from its end."""

    variable: Variable
    amounts: tuple[tuple[str, int], ...]

    @cached_property
    def table(self) -> dict[str, int]:
        """The same, to look up."""
        return dict(self.amounts)

    def at(self, place: str) -> int:
        """The number at a place; 0 where none is given."""
        return self.table.get(place, 0)

    @cached_property
    def resting(self) -> e.Expr:
        """The condition that the run stands at a place whose amount is 0."""
        here = e.Var(self.variable.name, self.variable.type)
        assert isinstance(here.type, EnumType)
        none = (place for place in here.type.values if not self.at(place))
        return e.either(*(e.equal(here, e.Const(place, here.type)) for place in none))


class Measure(Struct, frozen=True, dict=True):
    """A natural number, `amount` where the condition holds and 0 elsewhere, that no calm step raises any more.

    So it is constant from some time on.  With an `action`, a fair one that is possible and lowers the number
    wherever it is not 0, it is 0 from some time on: "a quantity that falls infinitely often must rise
    infinitely often".  From then on only calm steps that keep it are left.
    """

    condition: e.Expr
    amount: e.Expr | Places
    action: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables that it depends on."""
        amount = self.amount
        return e.names(self.condition) | ({amount.variable.name} if isinstance(amount, Places) else e.names(amount))

    @cached_property
    def zero(self) -> e.Expr:
        """The condition that the measure is 0."""
        none = self.amount.resting if isinstance(self.amount, Places) else e.equal(self.amount, e.integer(0))
        return e.either(e.negate(self.condition), none)

    def __str__(self) -> str:
        if isinstance(self.amount, Places):
            text = f"the way to the end of `{self.amount.variable.name}`"
            text += "" if self.condition == e.TRUE else f" while {e.show(self.condition)}"
        elif self.amount == e.integer(1):
            text = e.show(self.condition)
        else:
            text = e.show(self.amount)
            text += "" if self.condition == e.TRUE else f" while {e.show(self.condition)}"
        return f"{text}, ended by {self.action}" if self.action else text


class Column(Struct, frozen=True):
    """What a diagram tests at one level: a variable, a predicate, or the region in which a program counter is."""

    name: str
    type: Type
    term: e.Expr
    regions: tuple[tuple[str, str], ...] = ()
    """For a program counter, (place, region) for each place."""

    @property
    def variable(self) -> Variable:
        """The column as a variable of the diagram."""
        return Variable(self.name, self.type, None)


def columns_of(variables: tuple[Variable, ...]) -> tuple[Column, ...]:
    """Plain columns, one a variable."""
    return tuple(Column(v.name, v.type, e.Var(v.name, v.type)) for v in variables)


def arranged(
    columns: Sequence[Column], rows: Sequence[tuple[Sequence[Value], int]]
) -> tuple[tuple[Column, ...], Diagram]:
    """The columns in the order that makes the diagram small, and the diagram."""
    diagram = smallest(tuple(column.variable for column in columns), rows)
    by_name = {column.name: column for column in columns}
    return tuple(by_name[variable.name] for variable in diagram.variables), diagram


class Settles(Struct, frozen=True):
    """From some time on the goal always holds (Manna and Pnueli's rule for response under justice).

    The diagram is invariant and rank in one: where it has a rank, the invariant holds.  Obligations:

    - begin: every initial state has a rank;
    - kept: every step, disturbances and faults too, leads from a state with a rank to one with a rank;
    - falling: no calm step leads to a higher rank;
    - helpful: at a rank with a helpful action, that action is possible and lowers the rank whenever taken; a step
      of a reconcile may instead keep the rank and lower the way to the end of the run (`ways`), which no other
      step at that rank raises;
    - goal: at every other rank the goal holds.
    """

    goal: e.Expr
    columns: tuple[Column, ...]
    diagram: Diagram
    helpful: tuple[str | None, ...]
    ways: tuple[Places, ...] = ()


class Rests(Struct, frozen=True):
    """Where no fair action is possible, the goal holds; for systems in which every calm run ends.

    Obligations: begin and kept, as for `Settles`; rest: where the diagram has a rank and no fair action is
    possible, the goal holds; and once for all parts, every calm step lowers one of the measures before.
    """

    goal: e.Expr
    columns: tuple[Column, ...]
    diagram: Diagram


Part = Measure | Settles | Rests


class Proof(Struct, frozen=True):
    """A proof that `<>[] goal` holds.  The clauses hold in every reachable state, by induction all together."""

    goal: e.Expr
    clauses: tuple[e.Expr, ...]
    parts: tuple[Part, ...]


class Invariant(Struct, frozen=True):
    """A proof that a formula holds in every reachable state: the diagram's ranks are all 0."""

    formula: e.Expr
    columns: tuple[Column, ...]
    diagram: Diagram


class Flaw(Struct, frozen=True):
    """What is wrong with a proof before its obligations are looked at; `place` names the part as a document does."""

    place: str
    code: str
    message: str


class Refused(Struct, frozen=True):
    """A proof that does not hold, with the obligation that fails and why."""

    obligation: str
    reason: str
    command: int | None = None
    """The number of the command with which it fails, where it is one command's doing."""

    @property
    def gave_up(self) -> bool:
        """Whether the solver had no answer, so that it may hold all the same."""
        return "gave up" in self.reason


class Checked(Struct, frozen=True):
    """A proof that holds, with how many obligations a solver discharged."""

    obligations: int


def region_type(regions: tuple[tuple[str, str], ...]) -> EnumType:
    """The type of a column of regions."""
    return EnumType(tuple(dict.fromkeys(region for _, region in regions)))
