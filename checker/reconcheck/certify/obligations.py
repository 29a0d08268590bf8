"""The obligations of the parts of a proof that have a diagram, as SMT-LIB 2 text over the whole system.

Each is the negation of what must hold, so a part stands when every one of them is unsatisfiable.  Ranks are
spoken of through functions that say of a state whether its rank is among some: any (`inside`), those at which an
action helps, those with a bit set (`bit_k`).  Plain truth values are much easier on a solver than numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from reconcheck.certify.alike import Alike
from reconcheck.certify.context import TIED, Context
from reconcheck.certify.projection import (
    Projected,
    Projections,
    arguments,
    folded,
    legend,
    looks,
    projected,
    region_functions,
    region_of,
    values,
    variables_of,
)
from reconcheck.certify.queries import Discharged, Name, Query, declarations, names_in
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.proof.certificate import Column, Invariant, Places, Refused, Rests, Settles
from reconcheck.proof.diagram import Diagram, among, membership
from reconcheck.semantics import smtlib

NOWHERE: Mapping[str, e.Var] = MappingProxyType({})
Claim = tuple[str, str]
"""Of which states something is claimed, and what is wrong if it does not hold."""
_BEGIN = Name("every initial state is inside")


class Obligations:
    """The obligations of one diagram."""

    def __init__(
        self, context: Context, projections: Projections, columns: Sequence[Column], diagram: Diagram, ranks: int
    ) -> None:
        self.context, self.projections = context, projections
        self.columns, self.diagram, self.ranks = columns, diagram, ranks
        self.variables, self.folded = variables_of(columns), folded(columns)
        self.predicates = frozenset(
            name
            for column in columns
            if column.term != e.Var(column.name, column.type) and not column.regions
            for name in names_in(column.term)
        )
        self.declared: dict[str, Variable] = {}
        self.functions: dict[str, Collection[int]] = {}
        """The ranks that each function speaks of, of those that the next obligations use."""
        self.loose: set[str] = set()
        """Those of them that are asked only of states inside."""
        self.calls: dict[str, str] = {}
        """What the next obligations ask of these functions, each with a name."""

    # ---- the parts -------------------------------------------------------------------------------------------

    def settles(self, part: Settles) -> Refused | None:
        """What refuses a part that ranks its states; None where it stands."""
        steps = self.context.writing(self.variables)
        queries = [self._begin(), *self._kept_and_falling(steps)]
        for place, action in enumerate(sorted({action for action in part.helpful if action is not None})):
            self.functions[f"helped_{place}"] = [rank for rank, one in enumerate(part.helpful) if one == action]
            queries += self._helpful(action, f"helped_{place}", part.ways)
        self.functions["unhelped"] = [rank for rank, helper in enumerate(part.helpful) if helper is None]
        unhelped = self._call("unhelped", self._here())
        queries.append(self._state(Name("the goal holds where nothing helps"), unhelped, part.goal))
        found = self._refute(queries)
        return found if isinstance(found, Refused) else None

    def rests(self, part: Rests) -> Refused | None:
        """What refuses a part about the states in which no fair action is possible any more that comes to an end."""
        context = self.context
        names = context.near({*self.variables, *names_in(part.goal)})
        ways = [context.enabled(action) for action in context.at_rest()]
        names |= {
            name for way in ways if len(e.names(way)) <= TIED and context.shared(way, names) for name in e.names(way)
        }
        stuck = [e.negate(way) for way in ways if e.names(way) <= names or context.shared(way, names)]
        known = context.resting_about(names.union(*map(e.names, stuck)))
        return self._inside_only(Name("the goal holds at rest"), part.goal, [*stuck, *known], True)

    def invariant(self, part: Invariant) -> Refused | None:
        """What refuses a proof that a formula always holds."""
        return self._inside_only(Name("the property holds"), part.formula, [], False)

    def _inside_only(self, name: Name, goal: e.Expr, more: Sequence[e.Expr], settled: bool) -> Refused | None:
        """What refuses that no step leads outside, and that a formula holds inside; that of a like part, if known."""
        formulas, places = self._without_places([goal, *more], self._known_here([goal, *more], settled))
        alike = Alike(self.projections, self.columns, self.diagram, self.folded)
        steps = self.context.writing(self.variables)
        whole = not self.predicates.isdisjoint(self._written()) or any(map(self._orders, steps))
        key = None if whole else alike.key(formulas, places)
        like = self.projections.like.get(key) if key is not None else None
        if like is not None:
            kept, last, order = like
            numbers = list(alike.commands.values())
            self.context.solver.again(kept, [_BEGIN, *(self._kept_name(numbers[place]) for place in order)])
            self.context.solver.again(last, [name])
            return None
        order, queries = [], [self._begin()]
        for place, query in self._kept(steps if whole else alike.commands.values()):
            order.append(place)
            queries.append(query)
        found = self._refute(queries)
        if isinstance(found, Refused):
            return found
        self.declared = {}
        proved = self._refute([self._in_state(name, self._inside(self._here(places)), formulas, places)])
        if isinstance(proved, Refused):
            return proved
        if key is not None:
            self.projections.like[key] = found, proved, order
        return None

    def types(self, numbers: Sequence[int]) -> list[int]:
        """Those of the commands that may, as far as the diagram tells, give a variable a value outside its type."""
        wrong: list[int] = []
        for number in numbers:
            taken = self.context.taken[number]
            self.declared = {}
            outside = e.either(*self.context.outside(taken.updates))
            command, moves = projected(taken, frozenset(self.context.types), e.both(taken.guard, outside))
            before = arguments(self.columns, values(command, moves)[0])
            name = Name("types", (taken.command.step,))
            query = self._taken(name, command, number, (before, ""), lambda here, _: (self._inside(here), "true"))
            if isinstance(self._refute([query]), Refused):
                wrong.append(number)
        return wrong

    # ---- single obligations ----------------------------------------------------------------------------------

    def _refute(self, queries: list[Query]) -> Refused | Discharged:
        lines = smtlib.declare(self.declared.values())
        functions = legend(self.columns)
        if any("(region_" in call for call in self.calls):
            functions += region_functions(self.columns)
        for name, ranks in self.functions.items():
            functions += membership(among(self.diagram, ranks, name not in self.loose), name)
        functions += [f"(define-fun {name} () Bool {call})" for call, name in self.calls.items()]
        self.functions, self.calls = {}, {}
        return self.context.solver.refute([*lines, *functions], queries)

    def _here(self, places: Mapping[str, e.Expr] = NOWHERE) -> str:
        return arguments(self.columns, places)

    def _call(self, function: str, values: str) -> str:
        """Whether a state's rank is among those of a function, by a name: a solver reads what is named once only."""
        return self.calls.setdefault(f"({function} {values})", f"at_{len(self.calls)}") if values else function

    def _inside(self, values: str) -> str:
        """The invariant: some rank."""
        self.functions["inside"] = range(self.ranks)
        return self._call("inside", values)

    def _higher(self, values: str, others: str) -> str:
        """Whether the rank of a state that is inside is higher than that of another one."""
        higher = "false"
        for bit in range((self.ranks - 1).bit_length()):
            self.functions[f"bit_{bit}"] = [rank for rank in range(self.ranks) if rank >> bit & 1]
            self.loose.add(f"bit_{bit}")
            here, there = self._call(f"bit_{bit}", values), self._call(f"bit_{bit}", others)
            higher = f"(or (and {here} (not {there})) (and (or {here} (not {there})) {higher}))"
        return higher

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

    def _state(self, name: Name, where: str, goal: e.Expr, more: Sequence[e.Expr] = ()) -> Query:
        """That a formula holds in all states of a kind, from some time on."""
        return self._in_state(name, where, [goal, *more, *self._known_here([goal, *more], True)], NOWHERE)

    def _known_here(self, formulas: Sequence[e.Expr], settled: bool) -> list[e.Expr]:
        """What is known about the variables of some formulas, and no others: always, or from some time on."""
        names = {*self.variables, *names_in(*formulas)}
        if settled:
            names = self.context.near(names)
        known = self.context.assumed(names) if settled else self.context.always(names)
        return [formula for formula in known if e.names(formula) <= names]

    def _in_state(self, name: Name, where: str, formulas: Sequence[e.Expr], places: Mapping[str, e.Var]) -> Query:
        """That the first formula holds in all states of a kind where the others do."""
        regions = [Variable(region.name, region.type, None) for region in places.values()]
        types = self.context.types
        names = sorted({*self.variables, *names_in(*formulas)} & types.keys() - places.keys())
        self.declared.update({v.name: v for v in (*(types[name] for name in names), *regions)})
        lines = (smtlib.belongs(smtlib.symbol(v.name), v.type) for v in (*(types[n] for n in names), *regions))
        typed = f"(and true {' '.join(line for line in lines if line != 'true')})"
        goal, *known = map(smtlib.term, formulas)
        return Query(name, f"(and {typed} {where} {' '.join(known)} (not {goal}))")

    def _without_places(self, formulas: list[e.Expr], known: Iterable[e.Expr]) -> tuple[list[e.Expr], dict[str, e.Var]]:
        """Formulas that speak of the regions of runs, not of places, with what stands for the region of each.

        What is known is left out where it asks for a place that shares its region with others.  Where one of the
        other formulas does, all are as they were.
        """
        places: dict[str, e.Var] = {}
        alone: dict[str, dict[str, str]] = {}
        for column in self.columns:
            (name, *others) = sorted(names_in(column.term)) if column.regions else ["", ""]
            if not others and len(self.folded.get(name, ())) == 1:
                places[name] = region_of(column)
                count = Counter(region for _, region in column.regions)
                alone[name] = {place: region for place, region in column.regions if count[region] == 1}
        shown = [_of_regions(formula, places, alone) for formula in formulas]
        if None in shown:
            return [*formulas, *known], {}
        shown += [_of_regions(formula, places, alone) for formula in known]
        return [formula for formula in shown if formula is not None], places

    def _begin(self) -> Query:
        command = self.context.system.initial
        renamed = _fresh(command.inputs, "begin")
        named: dict[str, e.Expr] = {old: e.Var(new.name, new.type) for old, new in renamed.items()}
        after = {name: e.substitute(value, named) for name, value in command.updates}
        text = arguments(self.columns, after)
        inputs = [variable for variable in renamed.values() if smtlib.symbol(variable.name) in text]
        self._declare([], inputs)
        _, typed = declarations([], inputs)
        return Query(_BEGIN, f"(and {typed} (not {self._inside(text)}))")

    def _written(self) -> frozenset[str]:
        """The variables that steps which matter to the columns may change."""
        taken = self.context.taken
        return frozenset().union(*(taken[number].writes for number in self.context.writing(self.variables)))

    def _kept_name(self, number: int) -> Name:
        return Name("kept", (self.context.taken[number].command.step,))

    def _kept(self, numbers: Iterable[int]) -> Iterator[tuple[int, Query]]:
        """Every step leads from inside to inside, with the place of the step among those given.

        Steps that look alike from here are asked about once.
        """
        seen: set[object] = set()
        for place, number in enumerate(numbers):
            taken = self.context.taken[number]
            if taken.writes & self.predicates:
                names = {*taken.reads, *taken.writes, *self.predicates}
                known = (e.substitute(clause, taken.before) for clause in self.context.always(names))
                command, moves = projected(taken, frozenset(self.context.types), e.both(taken.guard, *known))
            elif orders := self._orders(number):
                command, moves = projected(taken, self.variables, e.both(taken.guard, *orders))
            else:
                command, moves = self.projections.project(number, self.variables)
                look = (id(command), looks(self.folded, moves))
                if look in seen:
                    continue
                seen.add(look)
            old, new = values(command, moves)
            before, after = arguments(self.columns, old), arguments(self.columns, new)
            if before != after:
                yield place, self._taken(self._kept_name(number), command, number, (before, after), self._leaves)

    def _kept_and_falling(self, numbers: Sequence[int]) -> list[Query]:
        """Every step is kept, and no calm one leads to a higher rank: both at once where they have one premise.

        A solver finds most of its way to either answer twice otherwise.
        """
        kept = {numbers[place]: query for place, query in self._kept(numbers)}
        others: list[Query] = []
        for number, query in self._falling(numbers):
            if number in kept and kept[number].premise == query.premise:
                name, wrong = Name("kept and falling", query.name.about), f"(or {kept[number].wrong} {query.wrong})"
                kept[number] = Query(name, query.premise, wrong)
            else:
                others.append(query)
        return [*kept.values(), *others]

    def _orders(self, number: int) -> list[e.Expr]:
        """The orders between numbers that a command compares, as far as the columns show them."""
        return [clause for clause in self.context.orders(number) if e.names(clause) <= self.variables]

    def _taken(
        self, name: Name, command: Projected, number: int, at: tuple[str, str], claim: Callable[[str, str], Claim]
    ) -> Query:
        """That a claim about the columns before and after holds of each way to take a projected command."""
        renamed = _fresh(command.inputs, str(number))
        named: dict[str, e.Expr] = {old: e.Var(new.name, new.type) for old, new in renamed.items()}
        before, after = at
        for old, new in renamed.items():
            before = before.replace(smtlib.symbol(old), smtlib.symbol(new.name))
            after = after.replace(smtlib.symbol(old), smtlib.symbol(new.name))
        guard = e.substitute(command.guard, named)
        own = {variable.name for variable in self.context.taken[number].command.inputs}
        chosen = [new for old, new in renamed.items() if old in own]
        others = [new for old, new in renamed.items() if old not in own]
        _, typed = declarations(others, chosen)
        mentioned = [guard, *(value for _, value in command.after)]
        self._declare(mentioned, list(renamed.values()))
        here, wrong = claim(before, after)
        return Query(name, f"{self._typed(mentioned)} {typed} {smtlib.term(guard)} {here}", wrong)

    def _leaves(self, before: str, after: str) -> Claim:
        return self._inside(before), f"(not {self._inside(after)})"

    def _rises(self, before: str, after: str) -> Claim:
        return self._inside(before), self._higher(after, before)

    def _stays(self, helped: str, before: str, after: str) -> Claim:
        return self._call(helped, before), f"(not {self._higher(before, after)})"

    def _left(self, number: int) -> tuple[Projected, str, str]:
        """A calm command as it is once everything known has settled, as far as the columns show it."""
        taken = self.context.taken[number]
        own = frozenset(variable.name for variable in taken.command.inputs)
        known = [f for f in self.context.left(number, set(self.variables)) if set(names_in(f)) <= self.variables | own]
        command, moves = projected(taken, self.variables, e.both(taken.guard, *known))
        before, after = values(command, moves)
        return command, arguments(self.columns, before), arguments(self.columns, after)

    def _falling(self, numbers: Sequence[int]) -> Iterator[tuple[int, Query]]:
        """No calm step leads to a higher rank; that it leads to one at all is shown of every step."""
        if self.ranks == 1:
            return
        seen: set[tuple[str, str, e.Expr, tuple[Variable, ...]]] = set()
        for number in numbers:
            taken = self.context.taken[number]
            if not taken.command.step.kind.calm or self.context.is_dead(number):
                continue
            command, before, after = self._left(number)
            key = (before, after, command.guard, command.inputs)
            if before == after or key in seen:
                continue
            seen.add(key)
            name = Name("falling", (taken.command.step,))
            yield number, self._taken(name, command, number, (before, after), self._rises)

    def _helpful(self, action: str, helped: str, ways: Sequence[Places]) -> Iterator[Query]:
        """The action is possible where it is to help, and lowers the rank there."""
        way = next((one for one in ways if action == f"reconcile {one.variable.name[3:-1]}"), None)
        for number, original in enumerate(self.context.system.commands):
            if not original.step.kind.calm or self.context.is_dead(number):
                continue
            nearer = way is not None and self._nearer(number, way)
            own = original.step.action == action and original.step.kind == "fair"
            if nearer if own else way is None or nearer or way.variable.name not in self.context.taken[number].writes:
                continue  # it brings the run nearer to its end, or has nothing to do with it
            command, before, after = self._left(number)
            name = Name(f"helpful: {original.step} lowers the rank")
            yield self._taken(name, command, number, (before, after), partial(self._stays, helped))
        at = self._call(helped, self._here())
        yield self._state(Name(f"helpful: {action} is possible"), at, self.context.enabled(action))

    def _nearer(self, number: int, way: Places) -> bool:
        """Whether a command surely lowers the way to the end of a run."""
        taken = self.context.taken[number]
        old, new = taken.before.get(way.variable.name), taken.after.get(way.variable.name)
        if not isinstance(old, e.Const) or not isinstance(new, e.Const):
            return False
        return 0 <= way.at(str(new.value)) < way.at(str(old.value))


def _of_regions(formula: e.Expr, places: Mapping[str, e.Var], alone: Mapping[str, Mapping[str, str]]) -> e.Expr | None:
    """A formula with the region of a run for its place; None where the region does not tell the place."""
    if e.names(formula).isdisjoint(places):
        return formula
    match formula:
        case e.Equal(e.Var(name, _), e.Const(value, _)):
            region = alone[name].get(str(value))
            return None if region is None else e.Equal(places[name], e.Const(region, places[name].type))
        case e.Var():
            return None
        case _:
            parts = [_of_regions(part, places, alone) for part in e.parts(formula)]
            given = tuple(part for part in parts if part is not None)
            return e.rebuild(formula, given) if len(given) == len(parts) else None


def _fresh(inputs: Sequence[Variable], tag: str) -> dict[str, Variable]:
    """Inputs with names of their own: a command may be projected in several ways, with inputs of other sorts."""
    return {v.name: Variable(f"{v.name} {smtlib.sort(v.type)} of {tag}", v.type, None) for v in inputs}
