"""Proves convergence in parts: what settles by itself, then each part of the goal on the smallest slice that does.

Where nothing goes on for ever, a goal has to hold only where everything has come to rest; else it is ranked on
a slice, against the steps that are left.  A slice grows by what leaves the least trouble: a variable, or a
*predicate*, a condition on many cut variables at once.  Where the trouble is that such a condition stays false,
it is proved first, as a lemma.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType

from reconcheck.engines.attempts import Checking, Found, Shape, Slices
from reconcheck.engines.blurring import tells
from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.first_slices import roles, writers_slice
from reconcheck.engines.gaps import Gap, Kind, gap_on_slice
from reconcheck.engines.measures import is_local
from reconcheck.engines.numbers import differs, endless, forms, looks
from reconcheck.engines.orders import with_equalities
from reconcheck.engines.predicates import Predicate
from reconcheck.engines.settling import plainly, settle, value_of
from reconcheck.engines.widening import Attempt, Widening, control
from reconcheck.model import expr as e
from reconcheck.model.managers import is_view, live_name
from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, domain, is_finite
from reconcheck.proof.certificate import Column, Rests
from reconcheck.semantics.system import System, fixed

SLICE_STATES = 20_000
"""States of a slice past which it is given up."""
GROWTH = 25
"""How many times as many states as before a wider slice may have, beyond a first allowance."""
ALLOWANCE = 2_000
"""States that any slice may have."""
PATIENCE = 3
"""Wider slices in a row that may leave everything possible that went wrong before."""
MOST_SUSPECTS = 8
"""Variables tried one by one when a slice is too coarse."""
NO_HINTS: Mapping[e.Expr, Shape] = MappingProxyType({})


class Prover(Slices):
    """Looks for proofs about one system; what was proved for one goal serves the next."""

    def __init__(
        self, system: System, checker: Checking, budget: Budget, graphs: dict[object, StateGraph] | None = None
    ) -> None:
        """`graphs` are those of slices by their sources, which the provers of like systems can share."""
        settling = settle(system, checker, budget)
        super().__init__(with_equalities(system, settling.clauses), settling, checker, budget, graphs)
        self.widening = Widening(self.system, self.slicer, self.ways)
        self.roles = roles(self.system)
        self.proved: dict[e.Expr, bool] = {}
        self.stuck: dict[e.Expr, Attempt] = {}
        """For each formula that was looked at on slices, the last one on which it was not proved."""
        self.hints: Mapping[e.Expr, Shape] = {}
        self.start = checker.mark()
        self.settled: list[e.Expr] = [
            zero for measure in self.found.settling.measures if measure.action for zero in e.conjuncts(measure.zero)
        ]

    def prove(self, goal: e.Expr, slices: int | None = None, hints: Mapping[e.Expr, Shape] = NO_HINTS) -> bool:
        """Whether every part of the goal was proved, and accepted by the checker.

        Each goal is proved for itself, from what settles: what comes out depends on what was asked before only as far
        as there are `hints`, slices to begin with.  With `slices`, the search ends after so many: raises `Exhausted`.
        """
        self.most_slices, self.hints = slices, hints
        self.checker.back_to(self.start)
        self.found = Found(self.found.settling)
        self.proved, self.known, self.stuck = {}, list(self.settled), {}
        for level in self._levels():
            self._lemma(level)
        self._together(e.conjuncts(goal))
        self.found.open = next((part for part in e.conjuncts(goal) if not self._lemma(part)), None)
        return self.found.open is None

    def _first(self, formula: e.Expr) -> frozenset[str]:
        """What the first slice for a formula keeps."""
        return writers_slice(self.system, formula, self.roles)

    def _levels(self) -> list[e.Expr]:
        """That two numbers are equal in the end, where what one is more than the other by never rises."""
        amounts = [measure.amount for measure in self.found.settling.measures]
        found: dict[frozenset[e.Expr], e.Expr] = {}
        for one in amounts:
            if isinstance(one, e.Arithmetic) and one.operator == "-":
                found.setdefault(frozenset((one.left, one.right)), e.equal(one.left, one.right))
        return [formula for formula in found.values() if tells(formula)]

    def _lemma(self, formula: e.Expr) -> bool:
        """Proves a formula, with whatever it needs; one that is being proved does not serve itself."""
        if formula in self.proved:
            return self.proved[formula]
        self.proved[formula] = False
        if isinstance(formula, e.And):
            self._together(formula.operands)
            self.proved[formula] = all(self._lemma(part) for part in formula.operands)
        else:
            self.proved[formula] = self._on_slices(formula)
        return self.proved[formula]

    def _together(self, parts: Sequence[e.Expr]) -> None:
        """Proves parts along with one that begins with a larger slice, on that, where it is enough as it is."""
        begins = {part: self._first(part) for part in parts if part not in self.proved and tells(part)}
        about: dict[str, list[e.Expr]] = {}
        for part in begins:
            for name in e.names(part):
                about.setdefault(name, []).append(part)
        taken: set[e.Expr] = set()
        for largest in sorted(begins, key=lambda part: -len(begins[part])):
            near = dict.fromkeys(part for name in sorted(begins[largest]) for part in about.get(name, ()))
            others = [part for part in near if part not in taken and begins[part] < begins[largest]]
            if others and largest not in taken:
                taken |= {largest, *others}
                self._jointly((*others, largest), begins[largest])

    def _jointly(self, parts: tuple[e.Expr, ...], keep: frozenset[str]) -> None:
        """Proves several parts on one slice, or none of them."""
        goal = e.both(*parts)
        attempt = self._attempt(goal, (keep, ()), SLICE_STATES)
        if attempt is not None and not attempt.bad and self._accept(goal, attempt):
            self.proved |= dict.fromkeys(parts, True)
            self.known += parts

    def _on_slices(self, goal: e.Expr) -> bool:
        """Widens the slice until the goal is proved on it, or nothing helps."""
        if self._follows(goal) or self._as_settled(goal) or self._by_way_of(goal):
            return True
        if not tells(goal) and self._of_numbers(goal):
            return True
        if self._uncached(goal) or self._of_all(goal):
            return True
        if not tells(goal):
            return False
        attempt = self._widened(goal, self._hinted(goal) or self._with_sources(goal) or self._begun(goal))
        if attempt is not None and not attempt.bad and self._accept(goal, attempt):
            return True
        return bool(endless(goal)) and self._of_numbers(goal)

    def _of_numbers(self, goal: e.Expr) -> bool:
        """Whether a goal with conditions on numbers holds, or follows from another one that does."""
        begun: dict[e.Expr, tuple[e.Expr, Attempt]] = {}
        for form in (*forms(self.system, goal), *(() if tells(goal) else (goal,))):
            for shown, shape in looks(self.system, form, self._first(form)):
                attempt = self._attempt(shown, shape, SLICE_STATES)
                if attempt is None:
                    continue
                begun[form] = shown, attempt
                if not attempt.bad and self._accept(form, attempt):
                    if self._leads_to(goal, form):
                        return True
                    break
        for form, (shown, first) in begun.items():
            attempt = self._widened(shown, first) if first.bad else None
            if attempt is not None and not attempt.bad and self._accept(form, attempt) and self._leads_to(goal, form):
                return True
        return False

    def _leads_to(self, goal: e.Expr, form: e.Expr) -> bool:
        """Whether the goal follows from a form that was proved, since their numbers become equal."""
        if form == goal:
            return True
        types, own, others = self.slicer.types, endless(goal), {live_name(name) for name in endless(form)}
        if self._follows(goal, tuple(value_of(types[name]) for name in sorted(others - own))):
            return True
        links = self._links(own | others)
        about = tuple(value_of(types[name]) for name in sorted(others.union(*links) - own))
        equal = [self._lemma(e.equal(*(value_of(types[name]).term for name in sorted(link)))) for link in links]
        return any(equal) and self._follows(goal, about)

    def _links(self, names: frozenset[str]) -> list[frozenset[str]]:
        """The pairs of numbers whose difference is used up, as far as they tie some together."""
        differing = (differs(one) for one in self.found.settling.measures)
        pairs = [pair for pair in dict.fromkeys(differing) if pair is not None]
        found: list[frozenset[str]] = []
        for name in sorted(names):
            reached, tied = frozenset((name,)), list[frozenset[str]]()
            while more := [pair for pair in pairs if pair & reached and pair not in tied]:
                tied += more
                reached = reached.union(*more)
            found += [pair for pair in tied if pair not in found and len(reached & names) > 1]
        return found

    def _widened(self, goal: e.Expr, attempt: Attempt | None) -> Attempt | None:
        """The slice made wider until the goal is proved on it, or nothing helps."""
        in_vain, useful = 0, attempt
        while attempt is not None and attempt.bad and in_vain < PATIENCE:
            before = self.stuck[goal] = attempt
            most = min(SLICE_STATES, ALLOWANCE + GROWTH * len(attempt.graph.states))
            attempt = (
                self._with_rivals(goal, attempt)
                or self._with_predicate(goal, attempt, most)
                or self._with_variable(goal, attempt, most)
            )
            if attempt is None or attempt.rules_out(before):
                in_vain, useful = 0, attempt
                continue
            in_vain += 1
            if in_vain == PATIENCE and useful is not None:  # conditions were of no use: a variable in their place
                other = self._with_variable(goal, useful, most)
                if other is not None and other.rules_out(useful):
                    in_vain, attempt, useful = 0, other, other
        if attempt is not None:
            self.stuck[goal] = attempt
        return attempt

    def prove_others(self, goal: e.Expr) -> None:
        """Looks at the parts of the last goal behind its open one as well, for what is said about them."""
        for part in e.conjuncts(goal):
            self._lemma(part)

    def gap(self, goal: e.Expr) -> Gap:
        """What is missing for a proof of a formula that was looked for and not found."""
        if not tells(goal):
            return Gap(goal, Kind.NUMBERS)
        attempt = self.stuck.get(goal)
        if attempt is None:
            return Gap(goal, Kind.SIZE)
        return gap_on_slice(goal, attempt.part, attempt.graph, attempt.bad, attempt.at_rest)

    def _follows(self, goal: e.Expr, about: tuple[Column, ...] = ()) -> bool:
        """Whether the goal follows from what has settled, without any slice; what is known of some columns too."""
        plain = plainly(goal, about)
        if self.checker.add(Rests(goal, about, plain.diagram) if self.rests(goal) else plain) is not None:
            return False
        self.known.append(goal)
        return True

    def _hinted(self, goal: e.Expr) -> Attempt | None:
        """The slice that did elsewhere, if it does here too."""
        if goal not in self.hints:
            return None
        keep, predicates = self.hints[goal]
        known = tuple(one for one in predicates if e.names(one.term) <= self.slicer.types.keys())
        attempt = self._attempt(goal, (frozenset(keep & self.slicer.types.keys()), known), SLICE_STATES)
        return attempt if attempt is not None and not attempt.bad else None

    def _as_settled(self, goal: e.Expr) -> bool:
        """Whether what is left of the goal holds, once the values that have settled are put in."""
        left = e.substitute(goal, fixed(e.both(*self.known), self.slicer.types))
        return left != goal and not isinstance(left, e.Const) and self._lemma(left) and self._follows(goal)

    def _begun(self, goal: e.Expr) -> Attempt | None:
        """The first slice, with the locals that are written into what the goal reads where that leaves less trouble."""
        keep = self._first(goal)
        attempt = self._attempt(goal, (keep, ()), SLICE_STATES)
        if attempt is None or not attempt.bad:
            return attempt
        attempt = self._with_lemmas(goal, attempt)
        locals_, together = self.widening.read(e.names(goal), keep)
        if not attempt.bad or not (locals_ or together):
            return attempt
        wider = self._attempt(goal, (keep | locals_, together), SLICE_STATES)
        return wider if wider is not None and wider.trouble < attempt.trouble else attempt

    def _uncached(self, goal: e.Expr) -> bool:
        """Whether the same holds of the objects, and so of the cached copies, once those are up to date."""
        copies = [variable for variable in e.variables(goal) if is_view(variable.name)]
        objects: dict[str, e.Expr] = {copy.name: e.Var(live_name(copy.name), copy.type) for copy in copies}
        return bool(objects) and self._lemma(e.substitute(goal, objects)) and self._follows(goal)

    def _of_all(self, goal: e.Expr) -> bool:
        """Whether a count is large enough since everything that is counted holds."""
        counted = [one.condition for side in e.parts(goal) for one in _terms(side) if isinstance(one, e.Choice)]
        return len(counted) > 1 and self._lemma(e.both(*counted)) and self._follows(goal)

    def _by_way_of(self, goal: e.Expr) -> bool:
        """Whether two values are equal since both are equal to a third, of which one is a copy."""
        if not isinstance(goal, e.Equal) or not isinstance(goal.left, e.Var) or not isinstance(goal.right, e.Var):
            return False
        for copy, other in ((goal.left, goal.right), (goal.right, goal.left)):
            sources = self._sources(copy.name)
            if other.name in sources:
                return False
            for name in sources:
                source = e.Var(name, self.slicer.types[name].type)
                if self._lemma(e.equal(copy, source)) and self._lemma(e.equal(source, other)):
                    if self._follows(goal, (value_of(self.slicer.types[name]),)):
                        return True
        return False

    def _with_sources(self, goal: e.Expr) -> Attempt | None:
        """The slice with what a truth value is copied from by way of locals, where that is proved to come true."""
        if not isinstance(goal, e.Var) or not isinstance(goal.type, BoolType):
            return None
        keep = self._first(goal)
        locals_, together = self.widening.read({goal.name}, keep)
        read: list[e.Expr] = [e.Var(name, self.slicer.types[name].type) for name in sorted(locals_)]
        written = (*read, *(one.term for one in together))
        given = dict.fromkeys(one for value in written for one in self.widening.given(value))
        for source in given:
            if e.type_of(source) == goal.type and not e.names(source) <= keep and self._lemma(source):
                copied = Predicate(f"source of {goal.name}", source)
                attempt = self._attempt(goal, (keep | locals_, (copied, *together)), SLICE_STATES)
                if attempt is not None and not attempt.bad:
                    return attempt
        return None

    def _sources(self, name: str) -> list[str]:
        """The variables whose cached copies something is set to: that it differs from the copy never begins again."""
        pairs = (e.names(measure.condition) for measure in self.found.settling.measures)
        copies = (copy for pair in pairs if len(pair) == 2 and name in pair for copy in sorted(pair - {name}))
        found = dict.fromkeys(live_name(copy) for copy in copies if is_view(copy))
        return [source for source in found if source != name]

    def _with_rivals(self, goal: e.Expr, attempt: Attempt) -> Attempt | None:
        """The slice with what decides what other controllers write into it, where a run goes on for ever."""
        more = frozenset() if attempt.at_rest else self.widening.rivals(attempt.keep)
        if not more:
            return None
        wider = self._attempt(goal, (attempt.keep | more, attempt.part.predicates), SLICE_STATES)
        return wider if wider is not None and wider.rules_out(attempt) else None

    def _with_predicate(self, goal: e.Expr, attempt: Attempt, most: int) -> Attempt | None:
        """The slice with a condition on cut variables that makes the trouble less, proved first where it must hold."""
        keep, predicates = attempt.keep, attempt.part.predicates
        terms = {one.term for one in predicates}
        names = {one.name for one in predicates}
        name = next(f"condition {n}" for n in count(1) if f"condition {n}" not in names)
        best: Attempt | None = None
        for term in self.widening.conditions(goal, attempt):
            if term in terms or e.negate(term) in terms:
                continue
            more = Predicate(name, term)
            wider = self._attempt(goal, (keep, (*predicates, more)), most)
            if wider is None:
                continue
            wider = self._with_lemmas(goal, wider)
            if not wider.bad:
                return wider
            if wider.trouble < attempt.trouble and (best is None or wider.trouble < best.trouble):
                best = wider
        return best

    def _with_lemmas(self, goal: e.Expr, attempt: Attempt) -> Attempt:
        """The same slice once the predicates that are false throughout the trouble are proved to become true.

        Likewise the objects that are absent throughout it.
        """
        for place, column in enumerate(attempt.part.columns):
            if not attempt.bad:
                break
            exists = column.name.endswith(".exists") and not is_view(column.name) and column.term != goal
            if place >= len(attempt.part.predicates) and not exists:
                continue
            if any(attempt.graph.states[state][place] for state in attempt.bad):
                continue
            if any(map(is_local, e.names(column.term))):
                continue
            if self._lemma(column.term) if tells(column.term) else self._follows(column.term):
                attempt = self._judged(goal, attempt.part, attempt.graph)
        return attempt

    def _with_variable(self, goal: e.Expr, attempt: Attempt, most: int) -> Attempt | None:
        """The slice with one more variable, the one that leaves the least trouble."""
        keep, predicates = attempt.keep, attempt.part.predicates
        types = {variable.name: variable for variable in self.system.variables}
        votes, written = self.widening.votes(attempt), self.widening.written_from(keep - control(keep), keep)
        best: Attempt | None = None

        def order(name: str) -> tuple[bool, float, str]:
            return name not in written, -votes[name] / _weight(types[name]), name

        for name in sorted(votes, key=order)[:MOST_SUSPECTS]:
            more = frozenset({name, live_name(name)}) & frozenset(types)
            wider = self._attempt(goal, (keep | more, predicates), most)
            if wider is not None and (best is None or wider.trouble < best.trouble):
                best = wider
                if not best.bad:
                    break
        return best


def _terms(value: e.Expr) -> Iterator[e.Expr]:
    """The terms of a sum."""
    if isinstance(value, e.Arithmetic) and value.operator == "+":
        yield from _terms(value.left)
        yield from _terms(value.right)
    else:
        yield value


def _weight(variable: Variable) -> int:
    """How much a variable can multiply the states: the number of its values, many for an endless type."""
    return len(domain(variable.type)) if is_finite(variable.type) else 100
