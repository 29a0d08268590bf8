"""The obligations of the parts of a proof that have a diagram, as SMT-LIB 2 text over the whole system.

Each is the negation of what must hold, so a part stands when every one of them is unsatisfiable.  Ranks are
spoken of through the functions `at_most_k`, the states whose rank is at most k: plain truth values are much
easier on a solver than numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconcheck.certify.context import Context
from reconcheck.certify.projection import (
    Projected,
    Projections,
    arguments,
    folded,
    legend,
    looks,
    projected,
    region_functions,
    values,
    variables_of,
)
from reconcheck.certify.queries import Name, Query, declarations, names_in
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Column, Invariant, Places, Refused, Rests, Settles
from reconcheck.proof.diagram import Diagram, at_most, membership
from reconcheck.semantics import smtlib


class Obligations:
    """The obligations of one diagram."""

    def __init__(
        self, context: Context, projections: Projections, columns: Sequence[Column], diagram: Diagram, ranks: int
    ) -> None:
        self.context, self.projections = context, projections
        self.columns, self.ranks = columns, ranks
        self.variables, self.folded = variables_of(columns), folded(columns)
        self.predicates = frozenset(
            name
            for column in columns
            if column.term != e.Var(column.name, column.type) and not column.regions
            for name in names_in(column.term)
        )
        self.functions = [*legend(columns), *region_functions(columns)]
        for rank in range(ranks):
            self.functions += membership(at_most(diagram, rank), f"at_most_{rank}")
        self.declared: dict[str, Variable] = {}

    # ---- the parts -------------------------------------------------------------------------------------------

    def settles(self, part: Settles) -> Refused | None:
        """What refuses a part that ranks its states; None where it stands."""
        queries = [self._begin(), *self._kept(), *self._falling()]
        for action in sorted({action for action in part.helpful if action is not None}):
            ranks = [rank for rank, helper in enumerate(part.helpful) if helper == action]
            queries += self._helpful(action, ranks, part.ways)
        resting = [self._is(rank, self._here()) for rank, helper in enumerate(part.helpful) if helper is None]
        queries.append(
            self._state(Name("the goal holds where nothing helps"), f"(or false {' '.join(resting)})", part.goal)
        )
        return self._refute(queries)

    def rests(self, part: Rests) -> Refused | None:
        """What refuses a part about the states in which no fair action is possible."""
        context = self.context
        names = self.context.near({*self.variables, *names_in(part.goal)})
        stuck: list[e.Expr] = []
        for action in context.system.actions():
            ways = context.enabled(action)
            if names & set(names_in(ways)):
                stuck.append(e.negate(ways))
        known = [formula for formula in context.resting if names & set(names_in(formula))]
        last = self._state(Name("the goal holds at rest"), self._inside(self._here()), part.goal, [*stuck, *known])
        return self._refute([self._begin(), *self._kept(), last])

    def invariant(self, part: Invariant) -> Refused | None:
        """What refuses a proof that a formula always holds."""
        last = self._state(Name("the property holds"), self._inside(self._here()), part.formula, settled=False)
        return self._refute([self._begin(), *self._kept(), last])

    def types(self, numbers: Sequence[int]) -> list[int]:
        """Those of the commands that may, as far as the diagram tells, give a variable a value outside its type."""
        wrong: list[int] = []
        for number in numbers:
            taken = self.context.taken[number]
            self.declared = {}
            command, moves = projected(taken, frozenset(self.context.types), taken.guard)
            outside = e.either(*self.context.outside(taken.updates))
            self._declare([outside], ())
            text = f"{self._inside(arguments(self.columns, values(command, moves)[0]))} {smtlib.term(outside)}"
            query = self._taken(Name("types", (taken.command.step,)), command, number, text)
            if self._refute([query]) is not None:
                wrong.append(number)
        return wrong

    # ---- single obligations ----------------------------------------------------------------------------------

    def _refute(self, queries: list[Query]) -> Refused | None:
        if not queries:
            return None
        lines = smtlib.declare(self.declared.values())
        found = self.context.solver.refute([*lines, *self.functions], queries)
        return found if isinstance(found, Refused) else None

    def _here(self) -> str:
        return arguments(self.columns, {})

    def _at_most(self, rank: int, values: str) -> str:
        if rank < 0:
            return "false"
        return f"(at_most_{rank} {values})" if values else f"at_most_{rank}"

    def _is(self, rank: int, values: str) -> str:
        return f"(and {self._at_most(rank, values)} (not {self._at_most(rank - 1, values)}))"

    def _inside(self, values: str) -> str:
        """The invariant: some rank."""
        return self._at_most(self.ranks - 1, values)

    def _declare(self, formulas: Sequence[e.Expr], inputs: Sequence[Variable]) -> None:
        """Declares what the columns and the formulas mention."""
        types = self.context.types
        for name in sorted({*self.variables, *names_in(*formulas)}):
            if name in types:
                self.declared.setdefault(name, types[name])
        self.declared.update({variable.name: variable for variable in inputs})

    def _typed(self, formulas: Sequence[e.Expr]) -> str:
        """The condition that the state is of the right types, as far as it is spoken of."""
        types = self.context.types
        names = sorted({*self.variables, *names_in(*formulas)})
        conditions = [smtlib.belongs(smtlib.symbol(n), types[n].type) for n in names if n in types]
        return f"(and true {' '.join(condition for condition in conditions if condition != 'true')})"

    def _state(self, name: Name, where: str, goal: e.Expr, more: Sequence[e.Expr] = (), settled: bool = True) -> Query:
        """That a formula holds in all states of a kind, with all that is known about its variables.

        Unless it is asked of the states from some time on, only what always holds is known.
        """
        names = {*self.variables, *names_in(goal, *more)}
        known_here = self.context.assumed(self.context.near(names)) if settled else self.context.always(names)
        formulas = [*more, *known_here]
        self._declare([goal, *formulas], ())
        known = " ".join(smtlib.term(formula) for formula in formulas)
        text = f"(and {self._typed([goal, *formulas])} {where} {known} (not {smtlib.term(goal)}))"
        return Query(name, text)

    def _begin(self) -> Query:
        command = self.context.system.initial
        renamed = _fresh(command.inputs, "begin")
        named: dict[str, e.Expr] = {old: e.Var(new.name, new.type) for old, new in renamed.items()}
        after = {name: e.substitute(value, named) for name, value in command.updates}
        text = arguments(self.columns, after)
        inputs = [variable for variable in renamed.values() if smtlib.symbol(variable.name) in text]
        self._declare([], inputs)
        _, typed = declarations([], inputs)
        return Query(Name("every initial state is inside"), f"(and {typed} (not {self._inside(text)}))")

    def _kept(self) -> Iterator[Query]:
        """Every step leads from inside to inside.  Steps that look alike from here are asked about once."""
        seen: set[object] = set()
        for number in self.context.writing(self.variables):
            taken = self.context.taken[number]
            if taken.writes & self.predicates:
                names = {*taken.reads, *taken.writes, *self.predicates}
                known = (e.substitute(clause, taken.before) for clause in self.context.always(names))
                command, moves = projected(taken, frozenset(self.context.types), e.both(taken.guard, *known))
            else:
                command, moves = self.projections.project(number, self.variables)
                look = (id(command), looks(self.folded, moves))
                if look in seen:
                    continue
                seen.add(look)
            old, new = values(command, moves)
            before, after = arguments(self.columns, old), arguments(self.columns, new)
            if before != after:
                text = f"{self._inside(before)} (not {self._inside(after)})"
                yield self._taken(Name("kept", (taken.command.step,)), command, number, text)

    def _taken(self, name: Name, command: Projected, number: int, claim: str) -> Query:
        """That something holds of each way to take a projected command."""
        renamed = _fresh(command.inputs, str(number))
        named: dict[str, e.Expr] = {old: e.Var(new.name, new.type) for old, new in renamed.items()}
        for old, new in renamed.items():
            claim = claim.replace(smtlib.symbol(old), smtlib.symbol(new.name))
        guard = e.substitute(command.guard, named)
        own = {variable.name for variable in self.context.taken[number].command.inputs}
        chosen = [new for old, new in renamed.items() if old in own]
        others = [new for old, new in renamed.items() if old not in own]
        _, typed = declarations(others, chosen)
        mentioned = [guard, *(value for _, value in command.after)]
        self._declare(mentioned, list(renamed.values()))
        return Query(name, f"(and {self._typed(mentioned)} {typed} {smtlib.term(guard)} {claim})")

    def _left(self, number: int) -> tuple[Projected, str, str]:
        """A calm command as it is once everything known has settled, as far as the columns show it."""
        taken = self.context.taken[number]
        own = frozenset(variable.name for variable in taken.command.inputs)
        known = [f for f in self.context.left(number, set(self.variables)) if set(names_in(f)) <= self.variables | own]
        command, moves = projected(taken, self.variables, e.both(taken.guard, *known))
        before, after = values(command, moves)
        return command, arguments(self.columns, before), arguments(self.columns, after)

    def _falling(self) -> Iterator[Query]:
        seen: set[tuple[str, str, e.Expr, tuple[Variable, ...]]] = set()
        for number in self.context.writing(self.variables):
            taken = self.context.taken[number]
            if not taken.command.step.kind.calm or self.context.is_dead(number):
                continue
            command, before, after = self._left(number)
            key = (before, after, command.guard, command.inputs)
            if before == after or key in seen:
                continue
            seen.add(key)
            rising = (f"(and {self._at_most(k, before)} (not {self._at_most(k, after)}))" for k in range(self.ranks))
            yield self._taken(Name("falling", (taken.command.step,)), command, number, f"(or {' '.join(rising)})")

    def _helpful(self, action: str, ranks: list[int], ways: Sequence[Places]) -> Iterator[Query]:
        way = next((one for one in ways if action == f"reconcile {one.variable.name[3:-1]}"), None)
        for number, original in enumerate(self.context.system.commands):
            if not original.step.kind.calm or self.context.is_dead(number):
                continue
            nearer = way is not None and self._nearer(number, way)
            own = original.step.action == action and original.step.kind == "fair"
            if nearer if own else way is None or nearer or way.variable.name not in self.context.taken[number].writes:
                continue  # it brings the run nearer to its end, or has nothing to do with it
            command, before, after = self._left(number)
            stays = " ".join(f"(and {self._is(k, before)} (not {self._at_most(k - 1, after)}))" for k in ranks)
            yield self._taken(Name(f"helpful: {original.step} lowers the rank"), command, number, f"(or {stays})")
        at = " ".join(self._is(rank, self._here()) for rank in ranks)
        yield self._state(Name(f"helpful: {action} is possible"), f"(or {at})", self.context.enabled(action))

    def _nearer(self, number: int, way: Places) -> bool:
        """Whether a command surely lowers the way to the end of a run."""
        taken = self.context.taken[number]
        old, new = taken.before.get(way.variable.name), taken.after.get(way.variable.name)
        if not isinstance(old, e.Const) or not isinstance(new, e.Const):
            return False
        return 0 <= way.at(str(new.value)) < way.at(str(old.value))


def _fresh(inputs: Sequence[Variable], tag: str) -> dict[str, Variable]:
    """Inputs with names of their own: a command may be projected in several ways, with inputs of other sorts."""
    return {v.name: Variable(f"{v.name} {smtlib.sort(v.type)} of {tag}", v.type, None) for v in inputs}
