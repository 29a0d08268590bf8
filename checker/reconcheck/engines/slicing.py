"""Slices: a system projected onto some of its variables.

What is cut may be anything, at any time.  Each condition on cut variables becomes a choice made by nobody,
so a slice can do all that the whole system can: what is proved of it holds of the whole.  A fair action counts
as possible only where it is possible whatever the cut variables are, so fairness is not overstated either.

A slice also may keep *predicates*: the truth of a formula over variables that are cut.  And it may *fold* the
program counters: places of a run that look alike from the slice become one region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.engines.blurring import Blur, Seen, inputs_seen, simpler, tells
from reconcheck.engines.consistent import Consistency
from reconcheck.engines.first_slices import CONTROL
from reconcheck.engines.folding import Folding, about_rest
from reconcheck.engines.measures import RESTING
from reconcheck.engines.predicates import Predicate, recognise, with_predicates
from reconcheck.engines.python_code import StateTuple, predicate, source
from reconcheck.engines.settling import value_of
from reconcheck.model import expr as e
from reconcheck.model.likeness import Pattern, Shapes
from reconcheck.model.types import BOOL, BoolType, EnumType, IntType
from reconcheck.proof.certificate import Column, region_type
from reconcheck.semantics.system import Command, System, changes, fixed, possible

MOST_CASES = 4000
"""Case distinctions spent on one "whatever the cut variables are"; past it an action counts as not possible."""
MOST_CONDITIONS = 10
"""Conditions on cut variables of a command that are looked at together, where a predicate depends on them."""
SHARED = 16
"""A variable that more than one in so many commands touch is one that many slices share."""


class _Bare(Struct, frozen=True):
    """A command without what it says about the places of runs; its shape, and the names in it, in order."""

    guard: e.Expr
    updates: tuple[tuple[str, e.Expr], ...]
    moves: tuple[tuple[str, str | None, str | None], ...]
    fixed: dict[str, e.Expr]
    shape: int
    names: tuple[str, ...]


class _AllSeen(Struct, frozen=True):
    """How all commands look from a slice; the special ones touch more of it than the common variables."""

    commands: list[tuple[Seen, ...]]
    common: frozenset[str]
    special: set[int]


_Leads = tuple[frozenset[tuple[object, str]], frozenset[str]]
"""From a place of a run: what may happen there, with the place after it, and the places to which it leads unseen."""
_NOWHERE: _Leads = (frozenset(), frozenset())


class Slice(Struct, frozen=True, dict=True):
    """A projected system, and for each fair action where it is surely possible."""

    system: System
    columns: tuple[Column, ...]
    sure: tuple[tuple[str, Callable[[StateTuple], bool]], ...]
    origins: tuple[tuple[int, ...], ...]
    """For each command of the slice, the commands of the whole system that look like it."""
    keep: frozenset[str]
    predicates: tuple[Predicate, ...]
    folding: Folding

    @cached_property
    def source(self) -> tuple[str, ...]:
        """The same text for slices that differ in names only."""
        return source(self.system)


class Slicer:
    """Slices of one system.  How a command looks from a slice is worked out once for all slices that share it."""

    def __init__(
        self,
        system: System,
        clauses: Sequence[e.Expr] = (),
        left: Callable[[int], list[e.Expr] | None] = lambda _number: [],
    ) -> None:
        self.system, self.left = system, left
        self.types = {variable.name: variable for variable in system.variables}
        self.footprints = [c.reads | frozenset(name for name, _ in c.updates) for c in system.commands]
        self.writes = [frozenset(changes(command, self.types)[1]) for command in system.commands]
        self.consistency = Consistency(self.types, clauses)
        self.enabled = {action: self._enabled(action) for action in system.actions()}
        self.touching: dict[str, list[int]] = {}
        for number, footprint in enumerate(self.footprints):
            for name in footprint:
                self.touching.setdefault(name, []).append(number)
        self.common = frozenset(
            name
            for name, numbers in self.touching.items()
            if name.startswith(CONTROL) or len(numbers) * SHARED > len(system.commands)
        )
        """The variables that many slices share."""
        self.shapes = Shapes(self.types)
        self._bare: dict[tuple[int, tuple[str, ...]], _Bare] = {}
        self._alike: dict[object, tuple[Seen, tuple[str, ...]]] = {}
        self._seen: dict[object, tuple[Seen, ...]] = {}
        self._plain: dict[frozenset[str], list[tuple[Seen, ...]]] = {}
        """How the commands look from nothing but common variables."""
        self._common_leads: dict[tuple[str, frozenset[str]], tuple[dict[str, list[int]], dict[str, _Leads]]] = {}
        self._looks: dict[object, int] = {}
        self._sure: dict[tuple[str, frozenset[str], tuple[Predicate, ...]], e.Expr] = {}

    def _enabled(self, action: str) -> e.Expr:
        """When a fair action is possible.  A run can always go on: the checker proves that."""
        pc = self.types.get(f"pc({action.removeprefix('reconcile ')})") if action.startswith("reconcile ") else None
        if pc is not None:
            here = e.Var(pc.name, pc.type)
            return e.both(*(e.negate(e.equal(here, e.Const(place, pc.type))) for place in RESTING))
        ways = self.system.fair[action]
        return e.either(*(possible(self.system.commands[number], self.types) for number in ways))

    def slice(self, keep: frozenset[str], predicates: Sequence[Predicate] = ()) -> Slice:
        """The projection onto some variables and predicates."""
        folded = tuple(sorted(name for name in keep if name.startswith("pc(")))
        seen = self._all_seen(keep, predicates, folded)
        regions = {pc: self._regions(pc, seen) for pc in folded}
        columns = self._columns(keep, predicates, regions)
        shape = Folding(columns, regions)
        variables = tuple(column.variable for column in columns)
        commands, origins = shape.commands(self.system.commands, seen.commands)
        begin = shape.command(self.system.initial, self._begin(keep, predicates))
        system, layout, scope = self.system, self.system.layout, self.system.scope
        projected = System(system.operator, scope, layout, variables, begin, commands)
        sure: list[tuple[str, Callable[[StateTuple], bool]]] = []
        for action, ways in self.enabled.items():
            names = e.names(ways)
            condition = e.FALSE if names and names.isdisjoint(keep) else self._surely(action, keep, predicates)
            if condition != e.FALSE:
                sure.append((action, predicate(projected, shape.formula(condition))))
        return Slice(projected, columns, tuple(sure), origins, keep, tuple(predicates), shape)

    def known(self, part: Slice, formulas: Sequence[e.Expr]) -> list[Callable[[StateTuple], bool]]:
        """Those of some formulas that a slice shows, as tests of its states."""
        folded = tuple(part.folding.regions)
        shown = (self._shown(formula, part.keep, part.predicates) for formula in formulas)
        facts = [fact for fact in shown if fact != e.TRUE and about_rest(fact, folded) and tells(fact)]
        facts += [e.Var(one.name, BOOL) for one in part.predicates if one.term in formulas]
        known = set(formulas)
        facts += [
            e.Var(one.name, BOOL)
            for one in part.predicates
            if isinstance(one.term, e.And) and set(one.term.operands) <= known
        ]
        return [predicate(part.system, part.folding.formula(fact)) for fact in dict.fromkeys(facts)]

    def calm(self, part: Slice) -> System:
        """The calm commands of a slice, as they are once everything known has settled."""
        commands, folded = self.system.commands, tuple(part.folding.regions)
        seen = [
            self._left(number, part, folded) if command.step.kind.calm else ()
            for number, command in enumerate(commands)
        ]
        actions = frozenset(action for action, _ in part.sure)
        return replace(part.system, commands=part.folding.commands(commands, seen, actions)[0])

    def _left(self, number: int, part: Slice, folded: tuple[str, ...]) -> tuple[Seen, ...]:
        left = self.left(number)
        if left is None:
            return ()
        footprint = self.footprints[number]
        touched = tuple(p for p in part.predicates if not e.names(p.term).isdisjoint(footprint))
        return self._project(number, part.keep, touched, folded, left)

    def _shown(self, formula: e.Expr, keep: frozenset[str], predicates: Sequence[Predicate]) -> e.Expr:
        for one in predicates:
            if formula == one.term:
                return e.Var(one.name, BOOL)
            if formula == e.negate(one.term):
                return e.negate(e.Var(one.name, BOOL))
        return formula if e.names(formula) <= keep else e.TRUE

    def _columns(
        self, keep: frozenset[str], predicates: Sequence[Predicate], regions: dict[str, tuple[tuple[str, str], ...]]
    ) -> tuple[Column, ...]:
        columns = [Column(one.name, BOOL, one.term) for one in predicates]
        for variable in self.system.variables:
            if variable.name in keep:
                own = regions.get(variable.name, ())
                column = value_of(variable)
                columns.append(replace(column, type=region_type(own), regions=own) if own else column)
        return tuple(columns)

    # ---- how a command looks -----------------------------------------------------------------------------------

    def _all_seen(self, keep: frozenset[str], predicates: Sequence[Predicate], folded: tuple[str, ...]) -> _AllSeen:
        """All commands on the kept variables and predicates; most touch no more of them than what many slices share."""
        common = keep & self.common
        if common not in self._plain:
            numbers = range(len(self.system.commands))
            self._plain[common] = [self._see(number, common, (), folded) for number in numbers]
        seen = list(self._plain[common])
        names = (keep - common).union(*(e.names(one.term) for one in predicates))
        special = {number for name in names for number in self.touching.get(name, ())}
        for number in special:
            seen[number] = self._see(number, keep, predicates, folded)
        return _AllSeen(seen, common, special)

    def _see(
        self, number: int, keep: frozenset[str], predicates: Sequence[Predicate], folded: tuple[str, ...]
    ) -> tuple[Seen, ...]:
        """A command on the kept variables and predicates: one way to see it, or several, or none."""
        footprint = self.footprints[number]
        touched = tuple(p for p in predicates if not e.names(p.term).isdisjoint(footprint)) if predicates else ()
        shared = keep & footprint.union(*(e.names(one.term) for one in touched))
        key = (number, shared, touched)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._project(number, keep, touched, folded, [])
        return found

    def _project(
        self,
        number: int,
        keep: frozenset[str],
        predicates: Sequence[Predicate],
        folded: tuple[str, ...],
        left: list[e.Expr],
    ) -> tuple[Seen, ...]:
        command, bare = self.system.commands[number], self._without_places(number, folded)
        if not predicates and not left:
            return self._like(command, bare, keep)
        inputs, numbers = inputs_seen(command.inputs)
        kept_updates = {name: value for name, value in bare.updates if name in keep}
        hidden = any(name not in keep for name, _ in command.updates)
        guard, fixed_values, moves = bare.guard, bare.fixed, bare.moves
        guard, kept_updates = with_predicates(
            self.system.commands[number], self.writes[number], guard, kept_updates, predicates
        )
        guard = e.both(
            guard, *(one for one in left if e.names(one) <= keep | inputs | numbers and about_rest(one, folded))
        )
        blur = Blur(keep | inputs | {p.name for p in predicates}, numbers)
        blur.give(kept_updates.values())
        guard = blur.replaced(guard)
        shown = tuple((name, self._new_value(name, value, blur)) for name, value in kept_updates.items())
        guard = e.both(guard, *blur.apart)
        moved = any(not self.writes[number].isdisjoint(e.names(one.term)) for one in predicates)
        found: dict[Seen, None] = {}
        for choice in self._cases(blur, fixed_values) if moved else ({},):
            chosen = tuple((name, e.substitute(value, choice)) for name, value in shown)
            one = simpler(e.substitute(guard, choice), chosen, (*command.inputs, *blur.inputs), moves, hidden)
            if one.guard != e.FALSE:
                found[one] = None
        return tuple(replace(one, look=self._look(one)) for one in found)

    def _without_places(self, number: int, folded: tuple[str, ...]) -> _Bare:
        """A command with the places of folded program counters apart."""
        if (number, folded) not in self._bare:
            command = self.system.commands[number]
            values, updates = fixed(command.guard, self.types), dict(command.updates)
            moves = tuple(
                (pc, _place(values.get(pc)), _place(updates.get(pc))) for pc in folded if pc in values or pc in updates
            )
            guard = _without(command.guard, {pc for pc, old, _ in moves if old is not None})
            rest = tuple((name, value) for name, value in command.updates if name not in folded)
            pattern = Pattern(self.shapes)
            pattern.add(self.shapes.of(guard))
            for name, value in rest:
                pattern.add((-1, (name,)))
                pattern.add(self.shapes.of(value))
            shape = self.shapes.number(pattern.key(command.inputs))
            self._bare[number, folded] = _Bare(guard, rest, moves, values, shape, tuple(pattern.places))
        return self._bare[number, folded]

    def _like(self, command: Command, bare: _Bare, keep: frozenset[str]) -> tuple[Seen, ...]:
        """How a command looks without predicates: commands of one shape look alike, and are worked out once."""
        inputs, numbers = inputs_seen(command.inputs)
        names = bare.names
        key = bare.shape, tuple([name in keep or name in inputs for name in names])
        if key not in self._alike:
            blur = Blur(keep | inputs, numbers)
            blur.give(value for name, value in bare.updates if name in keep)
            shown = blur.replaced(bare.guard)
            values = tuple((name, self._new_value(name, value, blur)) for name, value in bare.updates if name in keep)
            shown = e.both(shown, *blur.apart)
            self._alike[key] = simpler(shown, values, (*command.inputs, *blur.inputs), (), False), names
        seen, others = self._alike[key]
        if seen.guard == e.FALSE:
            return ()
        if others != names:
            place = dict(zip(others, names, strict=True))
            renamed: dict[str, e.Expr] = {
                old: e.Var(new, self.types[new].type) for old, new in place.items() if old != new and new in self.types
            }
            updates = tuple((place[name], e.substitute(value, renamed)) for name, value in seen.updates)
            seen = replace(seen, guard=e.substitute(seen.guard, renamed), updates=updates)
        hidden = any(name not in keep for name, _ in command.updates)
        return (replace(seen, moves=bare.moves, hidden=hidden, look=self._look(seen)),)

    def _look(self, seen: Seen) -> int:
        return self._looks.setdefault((seen.guard, seen.updates, seen.inputs), len(self._looks))

    def _cases(self, blur: Blur, known: dict[str, e.Expr]) -> Sequence[Mapping[str, e.Expr]]:
        """Values for the conditions that a blur replaced, as far as they can hold together."""
        conditions = {c: v for c, v in blur.choices.items() if isinstance(v, e.Var) and isinstance(v.type, BoolType)}
        if len(conditions) > MOST_CONDITIONS:
            return ({},)
        names = [variable.name for variable in conditions.values()]
        return [
            {name: e.TRUE if value else e.FALSE for name, value in zip(names, values, strict=True)}
            for values in self.consistency.cases(list(conditions), known)
        ]

    def _new_value(self, name: str, value: e.Expr, blur: Blur) -> e.Expr:
        endless = name in self.types and isinstance(self.types[name].type, IntType)
        return blur.datum(value) if endless else blur.replaced(value)

    def _begin(self, keep: frozenset[str], predicates: Sequence[Predicate]) -> Seen:
        initial = self.system.initial
        updates = dict(initial.updates)
        inputs_kept, numbers = inputs_seen(initial.inputs)
        blur = Blur(keep | inputs_kept, numbers)
        shown = [(name, self._new_value(name, value, blur)) for name, value in updates.items() if name in keep]
        shown += [(one.name, blur.replaced(e.substitute(one.term, updates))) for one in predicates]
        used = {name for _, value in shown for name in e.names(value)}
        inputs = tuple(v for v in (*initial.inputs, *blur.inputs) if v.name in used)
        return Seen(e.TRUE, tuple(shown), inputs, (), False)

    # ---- fairness ------------------------------------------------------------------------------------------------

    def _surely(self, action: str, keep: frozenset[str], predicates: Sequence[Predicate]) -> e.Expr:
        """The condition on kept variables and predicates under which an action is possible whatever the others are."""
        ways = self.enabled[action]
        names = e.names(ways)
        touched = tuple(one for one in predicates if not names.isdisjoint(e.names(one.term)))
        key = action, names & keep, touched
        if key not in self._sure:
            for one in touched:
                ways = recognise(ways, one, e.Var(one.name, BOOL))
            blur = Blur(keep | {one.name for one in touched})
            cases = blur.replaced(ways)
            self._sure[key] = _always(cases, {choice.name for choice in blur.inputs}, [MOST_CASES])
        return self._sure[key]

    # ---- regions -----------------------------------------------------------------------------------------------

    def _leads(self, pc: str, seen: _AllSeen) -> dict[str, _Leads]:
        """Where a run goes from each place; at most places as if only common variables were kept."""
        common = self._common_leads.get((pc, seen.common))
        if common is None:
            by_place: dict[str, list[int]] = {}
            for number, several in enumerate(self._plain[seen.common]):
                for place in {move[1] for one in several for move in one.moves if move[0] == pc}:
                    if place is not None:
                        by_place.setdefault(place, []).append(number)
            leads = {place: _leads(pc, place, self._plain[seen.common], at) for place, at in by_place.items()}
            common = self._common_leads[pc, seen.common] = by_place, leads
        by_place, leads = common
        special: dict[str, list[int]] = {}
        for number in seen.special:
            for several in (seen.commands[number], self._plain[seen.common][number]):
                for place in {move[1] for one in several for move in one.moves if move[0] == pc}:
                    if place is not None:
                        special.setdefault(place, []).append(number)
        own = {
            place: _leads(pc, place, seen.commands, {*numbers, *by_place.get(place, ())})
            for place, numbers in special.items()
        }
        return {**leads, **own}

    def _regions(self, pc: str, seen: _AllSeen) -> tuple[tuple[str, str], ...]:
        """Places that look alike: (place, region) for each place.  Any answer is sound; this one splits enough.

        Runs go forward, so the places are looked at from the last to the first.  One that leads unseen into a
        region, and where nothing else can happen that cannot in that region, is part of it.
        """
        type_ = self.types[pc].type
        assert isinstance(type_, EnumType)
        leads = self._leads(pc, seen)
        region = {place: place for place in RESTING}
        signs: dict[str, frozenset[object]] = {}
        names: dict[frozenset[object], str] = {}
        for place in reversed(type_.values):
            if place in RESTING:
                continue
            moves, silent = leads.get(place, _NOWHERE)
            onward = {region.get(target, target) for target in silent if target != place}
            if not moves and len(onward) == 1 and not onward.isdisjoint(signs):
                region[place] = onward.pop()
                continue
            sign: set[object] = {(label, region.get(target, target)) for label, target in moves}
            sign |= onward
            like = next((one for one in sorted(onward & signs.keys()) if sign - {one} <= signs[one]), None)
            if like is None:
                like = names.setdefault(frozenset(sign), f"part {len(names) + 1}")
                signs[like] = frozenset(sign)
            region[place] = like
        return tuple((place, region[place]) for place in type_.values)


def _leads(pc: str, place: str, seen: Sequence[tuple[Seen, ...]], numbers: Iterable[int]) -> _Leads:
    """Where some commands lead from a place of a run."""
    moves: set[tuple[object, str]] = set()
    silent: set[str] = set()
    for number in numbers:
        for one in seen[number]:
            here = next((move for move in one.moves if move[0] == pc), None)
            if here is None or here[1] != place:
                continue
            target = here[2] or place
            alone = len(one.moves) == 1
            if alone and not one.updates and one.guard == e.TRUE:
                silent.add(target)
            else:
                others = () if alone else tuple(move for move in one.moves if move is not here)
                moves.add(((one.look, others), target))
    return frozenset(moves), frozenset(silent)


def _control(names: frozenset[str]) -> frozenset[str]:
    """Those of the variables with which a slice begins whatever the goal is."""
    return frozenset(name for name in names if name.startswith(CONTROL))


def _place(value: e.Expr | None) -> str | None:
    return str(value.value) if isinstance(value, e.Const) else None


def _without(guard: e.Expr, pcs: set[str]) -> e.Expr:
    """A guard without the tests of some program counters."""
    parts = guard.operands if isinstance(guard, e.And) else (guard,)
    return e.both(
        *(p for p in parts if not (isinstance(p, e.Equal) and isinstance(p.left, e.Var) and p.left.name in pcs))
    )


def _always(formula: e.Expr, choices: set[str], budget: list[int]) -> e.Expr:
    """The formula for all values of the Boolean choices in it; false where the budget does not suffice."""
    choice = next((variable for variable in e.variables(formula) if variable.name in choices), None)
    if choice is None:
        return formula
    budget[0] -= 1
    if budget[0] < 0 or choice.type != BOOL:
        return e.FALSE
    yes = _always(e.substitute(formula, {choice.name: e.TRUE}), choices, budget)
    if yes == e.FALSE:
        return e.FALSE
    return e.both(yes, _always(e.substitute(formula, {choice.name: e.FALSE}), choices, budget))
