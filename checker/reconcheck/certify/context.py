"""What a part of a proof may assume: clauses that always hold, and what the parts before it have settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.certify.queries import Discharged, Name, Query, Solver, declarations, names_in
from reconcheck.certify.solvers import Failure
from reconcheck.certify.taken import Taken, kept, taken_of, way_of
from reconcheck.model import expr as e
from reconcheck.model.likeness import Key, Numbers, Pattern, Shape, Shapes
from reconcheck.model.operator import Variable
from reconcheck.model.types import EnumType, RangeType, Type, Value
from reconcheck.proof.certificate import Measure, Places, Refused
from reconcheck.semantics import smtlib
from reconcheck.semantics.layout import event_name
from reconcheck.semantics.system import System, possible

RESTING = ("idle", "stopped")
TIES = 3
"""How many steps away a fact still is of interest to a formula."""
TIED = 4
"""Most variables of a fact that ties them together."""


class Known(Struct, frozen=True):
    """What a context knew at some point: how many clauses, measures and formulas, and the commands that were dead."""

    clauses: int
    measures: int
    settled: int
    resting: int
    dead: frozenset[int]


class Memory(Struct):
    """The answers to questions, which checkers of like systems can share: equal keys are equal questions."""

    shapes: Numbers = field(default_factory=Numbers)
    answers: dict[Key, Refused | Discharged | None] = field(default_factory=dict)
    texts: dict[str, Failure | Discharged] = field(default_factory=dict)
    """The answers to questions that were written down."""
    plain: dict[Key, bool] = field(default_factory=dict)
    """Whether a claim about a command is plainly impossible, whatever is known."""


class Context:
    """A system with what is known about it so far."""

    def __init__(self, system: System, solver: Solver, memory: Memory) -> None:
        self.system, self.solver, self.memory = system, solver, memory
        self.clauses: list[e.Expr] = []
        self.measures: list[Measure] = []
        self.settled: list[e.Expr] = []
        """Formulas that always hold from some time on, and wherever no fair action is possible."""
        self.resting: list[e.Expr] = []
        """Formulas that hold wherever no fair action is possible."""
        self.dead: set[int] = set()
        """Commands that cannot be taken any more from some time on."""
        self.types = {variable.name: variable for variable in self.system.variables}
        self.taken = [taken_of(command, self.types) for command in self.system.commands]
        self._touching: dict[str, list[int]] = {}
        for number, taken in enumerate(self.taken):
            for name in taken.writes:
                self._touching.setdefault(name, []).append(number)
        self._of_variable: dict[str, dict[str, list[int]]] = {"clauses": {}, "measures": {}, "settled": {}}
        self._ordering: list[e.AtMost] = []
        self._holders = _holders(self.system)
        self._enabled: dict[str, e.Expr] = {}
        self._at_rest: tuple[tuple[int, int, int], bool, list[str]] | None = None
        """How much was known when it was last asked what is at rest, whether all is, and the actions that are."""
        self._known: dict[tuple[int, str, int], e.Expr] = {}
        self._texts: dict[e.Expr, str] = {}
        self.shapes = Shapes(self.types, self.memory.shapes)
        self._commands: dict[int, Shape] = {}
        self._measured: dict[tuple[int, object, object], tuple[Measure, Shape]] = {}
        self._listed: dict[tuple[e.Expr, str], tuple[frozenset[Value], e.Expr]] = {}
        self._places: dict[tuple[e.Expr, object], e.Expr] = {}

    def mark(self) -> Known:
        """What is known by now."""
        clauses, measures, settled = len(self.clauses), len(self.measures), len(self.settled)
        return Known(clauses, measures, settled, len(self.resting), frozenset(self.dead))

    def back_to(self, mark: Known) -> None:
        """Forgets what was learnt after a mark."""
        kept = {"clauses": mark.clauses, "measures": mark.measures, "settled": mark.settled}
        del self.clauses[mark.clauses :], self.measures[mark.measures :]
        self._ordering = [clause for clause in self.clauses if isinstance(clause, e.AtMost)]
        del self.settled[mark.settled :], self.resting[mark.resting :]
        for what, index in self._of_variable.items():
            for name in index:
                index[name] = [number for number in index[name] if number < kept[what]]
        self.dead, self._at_rest = set(mark.dead), None
        kept["after"] = mark.settled
        self._known = {key: formula for key, formula in self._known.items() if key[2] < kept[key[1]]}

    # ---- what is known ---------------------------------------------------------------------------------------

    def add_clause(self, clause: e.Expr) -> None:
        """Takes a clause as known; whoever calls has proved it, or proves all of them together."""
        self._note("clauses", len(self.clauses), clause)
        self.clauses.append(clause)
        if isinstance(clause, e.AtMost):
            self._ordering.append(clause)

    def add_measure(self, measure: Measure) -> None:
        """Takes a measure as constant from some time on, or as 0 where an action ends it."""
        for name in sorted(measure.names):
            self._of_variable["measures"].setdefault(name, []).append(len(self.measures))
        self.measures.append(measure)
        if measure.action is not None:
            self.add_settled(measure.zero)

    def add_settled(self, formula: e.Expr) -> None:
        """Takes a formula as true from some time on."""
        for part in formula.operands if isinstance(formula, e.And) else (formula,):
            self._note("settled", len(self.settled), part)
            self.settled.append(part)

    def _note(self, what: str, number: int, formula: e.Expr) -> None:
        for name in names_in(formula):
            self._of_variable[what].setdefault(name, []).append(number)

    def about(self, what: str, names: frozenset[str] | set[str]) -> list[int]:
        """The numbers of the clauses, measures or settled formulas that read one of the variables."""
        index = self._of_variable[what]
        return sorted({number for name in names for number in index.get(name, ())})

    def writing(self, names: frozenset[str] | set[str]) -> list[int]:
        """The commands that may change one of the variables."""
        return sorted({number for name in names for number in self._touching.get(name, ())})

    # ---- formulas --------------------------------------------------------------------------------------------

    def always(self, names: set[str]) -> list[e.Expr]:
        """The clauses that read one of the variables: they hold in every reachable state."""
        return [self.clauses[number] for number in self.about("clauses", names)]

    def orders(self, number: int) -> list[e.Expr]:
        """The clauses that say which of two numbers is never above the other, where a command's guard compares them."""
        if not self._ordering:
            return []
        compared = {frozenset((one.left, one.right)) for one in _comparisons(self.taken[number].guard)}
        return [one for one in self._ordering if frozenset((one.left, one.right)) in compared]

    def assumed(self, names: set[str]) -> list[e.Expr]:
        """The clauses and settled formulas that read one of the variables: they hold from some time on."""
        return self.always(names) + [self.settled[number] for number in self.about("settled", names)]

    def resting_about(self, names: set[str]) -> list[e.Expr]:
        """The formulas over some variables that hold wherever no fair action is possible."""
        return [formula for formula in self.resting if e.names(formula) <= names]

    def near(self, names: set[str]) -> set[str]:
        """The variables with those of the same objects that something settled ties to them, over a few steps.

        Only what an obligation may assume depends on it, so that any answer is sound.
        """
        found = set(names)
        holders = {self._holders.get(name) for name in names}
        for _ in range(TIES):
            tied = (self.settled[number] for number in self.about("settled", found))
            more = {name for formula in tied if len(e.names(formula)) <= TIED for name in e.names(formula)}
            more = {name for name in more if self._holders.get(name) in holders}
            if more <= found:
                break
            found |= more
        return found

    def shared(self, formula: e.Expr, names: set[str]) -> bool:
        """Whether a formula speaks of an object or external that some of the variables tell of."""
        return any(name in self._holders for name in e.names(formula) & names)

    def left(self, number: int, more: set[str]) -> list[e.Expr]:
        """What holds when a calm command is taken at a time when everything known has settled.

        `more` are variables of the claim at hand: what is known about them is of interest too.
        """
        taken = self.taken[number]
        return [taken.guard, taken.changed, *(self._about(number, *fact) for fact in self._facts(number, more))]

    def _facts(self, number: int, more: set[str]) -> list[tuple[str, int]]:
        """What of the known has to do with a calm command: of which kind, and its number there."""
        taken = self.taken[number]
        names = {*taken.reads, *taken.writes, *more}
        found = [("measures", index) for index in self.about("measures", taken.writes)]
        for what in ("clauses", "settled"):
            found += [(what, index) for index in self._about_taken(what, taken, names)]
        return found + [("after", index) for index in self._about_taken("settled", taken, set(taken.writes))]

    def _about_taken(self, what: str, taken: Taken, names: set[str]) -> list[int]:
        """The clauses or settled formulas of interest to a command.

        Where the command fixes the place of a run, what ties that place to variables of no interest is left out.
        """
        fixed = {name for name, old, _ in taken.moves if old is not None and name in names}
        if not fixed:
            return self.about(what, names)
        index = self._of_variable[what]
        known = self.clauses if what == "clauses" else self.settled
        alone = {number for name in fixed for number in index.get(name, ()) if len(e.names(known[number])) == 1}
        return sorted(alone.union(self.about(what, names - fixed)))

    def _about(self, number: int, what: str, index: int) -> e.Expr:
        """What one piece of knowledge says about a command being taken."""
        key = (number, what, index)
        if key not in self._known:
            taken = self.taken[number]
            match what:
                case "measures":
                    self._known[key] = kept(self.measures[index], taken)
                case "clauses":
                    self._known[key] = e.substitute(self.clauses[index], taken.before)
                case "settled":
                    self._known[key] = e.substitute(self.settled[index], taken.before)
                case _:
                    self._known[key] = e.substitute(self.settled[index], taken.after)
        return self._known[key]

    def enabled(self, action: str) -> e.Expr:
        """The condition under which a fair action is possible.

        A running reconcile always can go on, if the solver agrees: then its condition is that it runs.
        """
        if action not in self._enabled:
            numbers = self.system.fair.get(action, ())
            self._enabled[action] = self._always_running(action, numbers) or self._some(numbers)
        return self._enabled[action]

    def _some(self, numbers: Sequence[int]) -> e.Expr:
        return e.either(*(possible(self.system.commands[number], self.types) for number in numbers))

    def _always_running(self, action: str, numbers: Sequence[int]) -> e.Expr | None:
        """The condition that a controller runs, if that is when the action is possible."""
        if not action.startswith("reconcile "):
            return None
        pc = self.types.get(f"pc({action.removeprefix('reconcile ')})")
        if pc is None:
            return None
        at: dict[object, list[int]] = {}
        for number in numbers:
            here = self.taken[number].before.get(pc.name)
            if not isinstance(here, e.Const):
                return None
            at.setdefault(here.value, []).append(number)
        assert isinstance(pc.type, EnumType)
        for place in pc.type.values:
            if place in RESTING:
                continue
            ways = e.substitute(self._some(at.get(place, [])), {pc.name: e.Const(place, pc.type)})
            if self.refuted(Name("a run can go on"), [e.negate(ways)]) is not None:
                return None
        variable = e.Var(pc.name, pc.type)
        return e.both(*(e.negate(e.equal(variable, e.Const(place, pc.type))) for place in RESTING))

    def refuted(self, name: Name, formulas: list[e.Expr], inputs: tuple[Variable, ...] = ()) -> Refused | None:
        """None where the formulas cannot hold together, in any state of the right types."""
        if e.FALSE in formulas:
            return None
        parts = [formula for formula in dict.fromkeys(formulas) if formula != e.TRUE]
        pattern = Pattern(self.shapes)
        for part in parts:
            pattern.add(self.shapes.of(part))
        return self._asked(pattern.key(inputs), name, lambda: parts, inputs)

    def taken_refuted(
        self, name: Name, number: int, more: set[str], claim: Measure | None, formulas: Callable[[], list[e.Expr]]
    ) -> Refused | None:
        """None where formulas cannot hold together with what is left of a calm command.

        The formulas depend on the kind of obligation, the command and the claim about it only: where all three,
        and what is known, are like before, so is the answer.
        """
        inputs = self.taken[number].command.inputs
        pattern = Pattern(self.shapes)
        pattern.content.append(name.kind)
        pattern.add(self.command(number))
        if claim is not None:
            pattern.add(self._measure(number, claim))
            alone = pattern.key(inputs)
            if alone not in self.memory.plain:
                self.memory.plain[alone] = e.FALSE in formulas()
            if self.memory.plain[alone]:
                return None
        for what, index in self._facts(number, more):
            pattern.content.append(what)
            pattern.add(self._fact(number, what, index))
        return self._asked(pattern.key(inputs), name, lambda: [*formulas(), *self.left(number, more)], inputs)

    def kept(self, name: Name, number: int, clause: e.Expr) -> Refused | None:
        """None where a command cannot break a clause, given all clauses."""
        taken = self.taken[number]
        moved = self._moved(clause, taken, after=True)
        broken = e.negate(e.substitute(moved, taken.after))
        if broken == e.FALSE:
            return None
        names = {*e.names(clause), *e.names(broken), *e.names(taken.guard)}
        known = (self._about(number, "clauses", index) for index in self._about_taken("clauses", taken, names))
        return self.refuted(name, [taken.guard, *known, broken], taken.command.inputs)

    def _asked(
        self, key: Key, name: Name, formulas: Callable[[], list[e.Expr]], inputs: tuple[Variable, ...]
    ) -> Refused | None:
        """The answer to a question, from what it is alike to if that was asked before."""
        answers = self.memory.answers
        if key not in answers:
            found = self._solved(name, formulas(), inputs)
            if not isinstance(found, Refused) or not found.gave_up:  # with more time there may be an answer
                answers[key] = found
        else:
            found = answers[key]
            if isinstance(found, Discharged):
                self.solver.again(found, [name])
        return replace(found, obligation=str(name)) if isinstance(found, Refused) else None

    def _solved(
        self, name: Name, formulas: Sequence[e.Expr], inputs: tuple[Variable, ...]
    ) -> Refused | Discharged | None:
        """The solver's answer; None where the formulas plainly contradict each other."""
        if e.FALSE in formulas:
            return None
        parts = [formula for formula in dict.fromkeys(formulas) if formula != e.TRUE]
        free = {variable.name: variable for variable in inputs}
        names = dict.fromkeys(one for part in parts for one in sorted(e.names(part)))
        used = [self.types[one] for one in names if one in self.types]
        lines, typed = declarations(used, (free[one] for one in names if one in free))
        text = " ".join(map(self._text, parts))
        return self.solver.refute(lines, [Query(name, f"(and true {typed} {text})")])

    # ---- likeness --------------------------------------------------------------------------------------------

    def command(self, number: int) -> Shape:
        """The shape of a command but for where runs stand before and after it."""
        if number not in self._commands:
            taken = self.taken[number]
            moved = {name for name, _, _ in taken.moves}
            pattern = Pattern(self.shapes)
            pattern.add(self.shapes.of(taken.guard))
            pattern.add(self.shapes.of(taken.changed))
            for values in (taken.before, taken.after):
                pattern.content.append("values")
                for name in sorted(values.keys() - moved):
                    pattern.add((-1, (name,)))
                    pattern.add(self.shapes.of(values[name]))
            content = (*pattern.content, *(self.shapes.kind(n, taken.command.inputs) for n in pattern.places))
            self._commands[number] = self.shapes.number(content), tuple(pattern.places)
        return self._commands[number]

    def _fact(self, number: int, what: str, index: int) -> Shape:
        """The shape of a piece of knowledge for a command, with the places of runs put in."""
        if what == "measures":
            return self._measure(number, self.measures[index])
        formula = self.clauses[index] if what == "clauses" else self.settled[index]
        return self.shapes.of(self._moved(formula, self.taken[number], after=what == "after"))

    def _measure(self, number: int, measure: Measure) -> Shape:
        """The shape of a measure for a command, with the places of runs put in."""
        taken, amount = self.taken[number], measure.amount
        formulas = (measure.condition,) if isinstance(amount, Places) else (measure.condition, amount)
        names = frozenset().union(*map(e.names, formulas))
        way = way_of(amount, taken) if isinstance(amount, Places) else ()
        key = id(measure), way, tuple(move for move in taken.moves if move[0] in names)
        if key not in self._measured:
            pattern = Pattern(self.shapes)
            for formula in formulas:
                pattern.add(self.shapes.of(self._moved(formula, taken, after=False)))
                pattern.add(self.shapes.of(self._moved(formula, taken, after=True)))
            if isinstance(amount, Places):
                pattern.add((self.shapes.number(way), (amount.variable.name,)))
            shape = self.shapes.number(("measure", *pattern.content)), tuple(pattern.places)
            self._measured[key] = measure, shape  # with the measure itself, so that no other gets its `id`
        return self._measured[key][1]

    def _moved(self, formula: e.Expr, taken: Taken, after: bool) -> e.Expr:
        """A formula with the places put in at which runs stand before or after a command."""
        names = e.names(formula)
        places: list[tuple[str, e.Const]] = []
        for name, old, new in taken.moves:
            place = (new or old) if after else old
            if place is not None and name in names:
                places.append((name, place))
        if not places:
            return formula
        key = formula, tuple(places)
        if key not in self._places:
            for name, place in places:
                formula = self._placed(formula, name, place)
            self._places[key] = formula
        return self._places[key]

    def _placed(self, formula: e.Expr, name: str, place: e.Const) -> e.Expr:
        """A formula with the place of a run put in.  One that lists many places is not gone through for each."""
        if isinstance(formula, e.Or):
            if (formula, name) not in self._listed:
                self._listed[formula, name] = _listed(formula, name)
            listed, formula = self._listed[formula, name]
            if place.value in listed:
                return e.TRUE
        return e.substitute(formula, {name: place})

    def _text(self, formula: e.Expr) -> str:
        """A formula as a term, written once."""
        if formula not in self._texts:
            self._texts[formula] = smtlib.term(formula)
        return self._texts[formula]

    def outside(self, updates: Iterable[tuple[str, e.Expr]]) -> list[e.Expr]:
        """The conditions under which one of some updates gives a variable a value that its type does not have."""
        wrong = (_outside(value, self.types[name].type) for name, value in updates)
        return [condition for condition in wrong if condition != e.FALSE]

    def is_dead(self, number: int) -> bool:
        """Whether a calm command cannot be taken any more once everything known has settled."""
        if number in self.dead:
            return True
        name = Name("no more", (self.system.commands[number].step,))
        if self.taken_refuted(name, number, set(), None, list) is not None:
            return False
        self.dead.add(number)
        return True

    def at_rest(self) -> list[str]:
        """The fair actions that are surely not possible any more, from some time on.

        These have no step left, and whether they are possible does not depend on what the steps that are left change:
        it stays as it is, and an action that stayed possible would be taken.  With no step left, that is all of them.
        """
        known = len(self.clauses), len(self.measures), len(self.settled)
        if self._at_rest is None or (self._at_rest[0] != known and not self._at_rest[1]):
            system = self.system
            left = [n for n, one in enumerate(system.commands) if one.step.kind.calm and not self.is_dead(n)]
            moving = frozenset[str]().union(*(self.taken[number].writes for number in left))
            going = {system.commands[number].step.action for number in left}
            still = [one for one in system.actions() if one not in going]
            found = [one for one in still if moving.isdisjoint(e.names(self.enabled(one)))]
            self._at_rest = known, not left, found
        return self._at_rest[2]


def _holders(system: System) -> dict[str, str]:
    """For each variable that tells of an object or an external, which one that is."""
    found: dict[str, str] = {}
    for holder in (*system.operator.objects, *system.operator.externals):
        names = [f"{holder}.{part}" for part in system.layout.snapshot(holder)]
        found |= dict.fromkeys(names, holder)
        for manager in system.operator.managers:
            found |= dict.fromkeys([*map(manager.view, names), manager.stale(holder)], holder)
        found |= {event_name(watch): holder for _, watch in system.layout.watches(holder)}
    return found


def _listed(formula: e.Or, name: str) -> tuple[frozenset[Value], e.Expr]:
    """The values of a variable that alone make a disjunction true, and what is left for all others."""
    values: set[Value] = set()
    rest: list[e.Expr] = []
    for part in formula.operands:
        match part:
            case e.Equal(e.Var(variable, _), e.Const(value, _)) if variable == name:
                values.add(value)
            case _:
                rest.append(part)
    return frozenset(values), e.either(*rest)


def _outside(value: e.Expr, type_: Type) -> e.Expr:
    """The condition that a value is not of a type; plainly false where the shape of the expression tells."""
    if e.surely_in(value, type_):
        return e.FALSE
    match type_, e.type_of(value):
        case EnumType(values), EnumType(others) as given:
            return e.both(*(e.negate(e.equal(value, e.Const(v, given))) for v in values if v in others))
        case RangeType(low, high), _:
            return e.negate(e.both(e.at_most(e.integer(low), value), e.at_most(value, e.integer(high))))
        case _:
            return e.negate(e.at_most(e.integer(0), value))


def _comparisons(formula: e.Expr) -> Iterator[e.AtMost]:
    """Where a formula asks which of two numbers is above the other."""
    if isinstance(formula, e.AtMost):
        yield formula
    for part in e.parts(formula):
        yield from _comparisons(part)
