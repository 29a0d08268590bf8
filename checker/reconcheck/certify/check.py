"""The checker of proofs: hands every obligation to a solver, trusts nobody who found the proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.certify.context import Context, Known, Memory
from reconcheck.certify.obligations import Obligations
from reconcheck.certify.projection import Projections
from reconcheck.certify.queries import Name, Shown, Solver, names_in
from reconcheck.certify.solvers import Z3, Backend
from reconcheck.certify.taken import Taken, falls, rises
from reconcheck.certify.wellformed import Form
from reconcheck.model import expr as e
from reconcheck.model.types import IntType, RangeType
from reconcheck.proof.certificate import Checked, Invariant, Measure, Part, Proof, Refused, Rests, Settles
from reconcheck.semantics.system import System


class Mark(Struct, frozen=True):
    """A point in the life of a checker."""

    context: Known
    accepted: tuple[Part, ...]
    untyped: list[int] | None
    held: int


class Checker:
    """Checks a proof about one system, part by part; what was accepted can be relied on by the next part."""

    def __init__(
        self,
        system: System,
        left: Callable[[], float | None] = lambda: None,
        report: Callable[[str], None] = lambda _text: None,
        backend: Backend | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.system = system
        memory = memory or Memory()
        self.solver = Solver(left, report, backend or Z3(), known=memory.texts)
        self.context = Context(system, self.solver, memory)
        self.projections = Projections(self.context)
        self.form = Form(system)
        self.accepted: list[Part] = []
        self.untyped: list[int] | None = None
        """Commands that are not yet known to keep the types; None before anybody looked."""

    # ---- whole proofs ----------------------------------------------------------------------------------------

    def check(self, proof: Proof | Invariant) -> Checked | Refused:
        """Whether a proof holds of the whole system.  A checker checks one proof."""
        flaw = next(self.form.of_proof(proof), None)
        if flaw is not None:
            return Refused(f"well formed: {flaw.place}", flaw.message)
        clauses = proof.clauses if isinstance(proof, Proof) else ()
        failing = self.add_clauses(clauses)
        if failing:
            return Refused(f"always: {e.show(failing[0])}", "the clause is not kept by every step")
        parts: Sequence[Part | Invariant] = proof.parts if isinstance(proof, Proof) else (proof,)
        for part in parts:
            refused = self.add(part)
            if refused is not None:
                return refused
        return self.conclude(proof.goal if isinstance(proof, Proof) else None)

    def conclude(self, goal: e.Expr | None) -> Checked | Refused:
        """Whether the parts accepted so far prove the goal."""
        begin = self.system.initial
        outside = e.either(*self.context.outside(begin.updates))
        if self.context.refuted(Name("types: begin"), [outside], begin.inputs) is not None:
            return Refused("types: begin", "a variable may begin with a value outside of its type")
        if self.untyped:
            step = self.system.commands[self.untyped[0]].step
            return Refused(f"types: {step}", "it may give a variable a value outside of its type")
        if goal is not None:
            known = self.context.settled + self.context.resting
            names = set(names_in(goal))
            relevant = [formula for formula in known if names & set(names_in(formula))]
            refused = self.context.refuted(Name("the parts give the goal"), [*relevant, e.negate(goal)])
            if refused is not None:
                return refused
        return Checked(self.solver.held)

    def mark(self) -> Mark:
        """What has been accepted so far, to come back to."""
        return Mark(self.context.mark(), tuple(self.accepted), self.untyped, self.solver.held)

    def back_to(self, mark: Mark) -> None:
        """Forgets what was accepted after a mark."""
        self.context.back_to(mark.context)
        self.accepted, self.untyped = list(mark.accepted), mark.untyped
        self.solver.held = mark.held

    # ---- parts -----------------------------------------------------------------------------------------------

    def add_clauses(self, clauses: Sequence[e.Expr]) -> list[e.Expr]:
        """Takes the clauses if all of them hold by induction together; else gives those that fail, and takes none."""
        context = self.context
        before = context.mark()
        for clause in clauses:
            context.add_clause(clause)
        failing = [clause for clause in clauses if not _inductive(context, clause)]
        if failing:
            context.back_to(before)
        else:
            self.untyped = [number for number in range(len(self.system.commands)) if not self._typed(number)]
        return failing

    def _typed(self, number: int) -> bool:
        """Whether a command surely gives every variable a value of its type."""
        context = self.context
        outside = context.outside(context.taken[number].updates)
        if not outside:
            return True
        taken = context.taken[number]
        names = {*taken.reads, *taken.writes}
        known = [e.substitute(clause, taken.before) for clause in context.always(names)]
        formulas = [taken.guard, *known, e.either(*outside)]
        return context.refuted(Name("types", (taken.command.step,)), formulas, taken.command.inputs) is None

    def add(self, part: Part | Invariant) -> Refused | None:
        """Takes a part, and None; or why it does not hold, and nothing is taken."""
        refused = self._added(part)
        if refused is None and not isinstance(part, Invariant):
            self.accepted.append(part)
        return refused

    def _added(self, part: Part | Invariant) -> Refused | None:
        flaw = next(self.form.of_part(part, "part"), None)
        if flaw is not None:
            return Refused(f"well formed: {flaw.place}", flaw.message)
        if self.untyped is None:
            self.add_clauses(())
        assert self.untyped is not None
        if isinstance(part, Measure):
            refused = self._measure(part)
            if refused is None:
                self.context.add_measure(part)
            return refused
        ranks = len(part.helpful) if isinstance(part, Settles) else 1
        obligations = Obligations(self.context, self.projections, part.columns, part.diagram, ranks)
        if isinstance(part, Settles):
            refused = obligations.settles(part)
        elif isinstance(part, Rests):
            refused = obligations.rests(part)
        else:
            refused = obligations.invariant(part)
        if refused is not None:
            return refused
        if self.untyped:
            self.untyped = obligations.types(self.untyped)
        if isinstance(part, Settles):
            self.context.add_settled(part.goal)
        elif isinstance(part, Rests):
            self.context.resting += part.goal.operands if isinstance(part.goal, e.And) else (part.goal,)
        return None

    def is_dead(self, number: int) -> bool:
        """Whether a calm command cannot be taken any more, once what was accepted has settled."""
        return self.context.is_dead(number)

    def left(self, number: int) -> list[e.Expr] | None:
        """What holds when a calm command is taken after all that was accepted has settled; None where it cannot."""
        return None if self.context.is_dead(number) else self.context.left(number, set())

    def _measure(self, measure: Measure) -> Refused | None:
        context = self.context
        names = set(measure.names)
        if isinstance(measure.amount, e.Expr) and not _natural(measure.amount):
            known = context.assumed(names)
            below = e.both(measure.condition, e.negate(e.at_most(e.integer(0), measure.amount)))
            refused = context.refuted(Name("a natural number", (measure,)), [*known, below])
            if refused is not None:
                return refused
        for number in context.writing(names):
            taken = context.taken[number]
            step = taken.command.step
            if not step.kind.calm or number in context.dead:
                continue
            name = Name("not raised", (measure, step))
            refused = context.taken_refuted(name, number, names, measure, partial(_raised, measure, taken))
            if refused is not None:
                return replace(refused, command=number)
        return self._ended(measure, names) if measure.action is not None else None

    def _ended(self, measure: Measure, names: set[str]) -> Refused | None:
        """Whether the measure's action is possible and lowers it wherever it is not 0."""
        context = self.context
        assert measure.action is not None
        if measure.action not in self.system.fair:
            return Refused(f"ended: {measure}", "there is no such fair action")
        positive = e.negate(measure.zero)
        ways = context.enabled(measure.action)
        known = context.assumed({*names, *names_in(ways)})
        refused = context.refuted(Name("possible", (measure,)), [positive, e.negate(ways), *known])
        if refused is not None:
            return refused
        for number in self.system.fair[measure.action]:
            if number in context.dead:
                continue
            name = Name("lowered", (measure, self.system.commands[number].step))
            not_lowered = partial(_not_lowered, measure, context.taken[number])
            refused = context.taken_refuted(name, number, names, measure, not_lowered)
            if refused is not None:
                return replace(refused, command=number)
        return None


def _raised(measure: Measure, taken: Taken) -> list[e.Expr]:
    """What holds where a command raises a measure."""
    return [rises(measure, taken)]


def _not_lowered(measure: Measure, taken: Taken) -> list[e.Expr]:
    """What holds where a command does not lower a measure that is not 0."""
    return [e.negate(falls(measure, taken)), e.substitute(e.negate(measure.zero), taken.before)]


def _inductive(context: Context, clause: e.Expr) -> bool:
    """Whether a clause holds at first and is kept by every step, given all clauses of the context."""
    begin = context.system.initial
    first = e.substitute(clause, dict(begin.updates))
    about = Shown(clause)
    if context.refuted(Name("always", (about, "begin")), [e.negate(first)], begin.inputs) is not None:
        return False
    for number in context.writing(e.names(clause)):
        if context.kept(Name("always", (about, context.taken[number].command.step)), number, clause) is not None:
            return False
    return True


def _natural(amount: e.Expr) -> bool:
    """Whether an amount is plainly never below 0."""
    match e.type_of(amount):
        case RangeType(low, _):
            return low >= 0
        case IntType(natural):
            return natural and isinstance(amount, e.Var)
        case _:
            return False
