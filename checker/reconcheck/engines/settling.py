"""Finds out what settles by itself: which clauses always hold, and which quantities calm steps stop raising.

The search proposes and a checker disposes: nothing is believed that it has not accepted.  A calm command is
*live* until what has settled leaves no way to take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.engines.budget import Budget
from reconcheck.engines.clauses import likely_clauses
from reconcheck.engines.measures import Guess, guesses
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import OPAQUE, IntType
from reconcheck.proof.certificate import Column, Invariant, Measure, Part, Refused, Settles
from reconcheck.proof.diagram import Diagram, leaf
from reconcheck.semantics.system import System, fixed

EVERYTHING = Diagram((), (), leaf(0))
"""The diagram of a part that needs none."""


class Oracle(Protocol):
    """Who says what holds: the checker of proofs."""

    def add_clauses(self, clauses: Sequence[e.Expr]) -> list[e.Expr]:
        """Takes clauses that hold together by induction, or gives those that fail."""

    def add(self, part: Part | Invariant) -> Refused | None:
        """Takes a part of a proof, or says why not."""

    def is_dead(self, number: int) -> bool:
        """Whether a calm command cannot be taken any more, once what was accepted has settled."""


class Settling(Struct):
    """What was found: clauses, measures, and the calm commands that are left."""

    clauses: tuple[e.Expr, ...] = ()
    measures: list[Measure] = field(default_factory=list)
    live: set[int] = field(default_factory=set)


def value_of(variable: Variable) -> Column:
    """The column of a variable; of a number without bounds it shows what it equals."""
    type_ = OPAQUE if isinstance(variable.type, IntType) else variable.type
    return Column(variable.name, type_, e.Var(variable.name, variable.type))


def plainly(goal: e.Expr, about: tuple[Column, ...] = ()) -> Settles:
    """That a formula follows from what has settled already, also about some columns."""
    return Settles(goal, about, replace(EVERYTHING, variables=tuple(one.variable for one in about)), (None,))


def settle(system: System, oracle: Oracle, budget: Budget) -> Settling:
    """Proposes clauses and measures until nothing more is accepted."""
    return _Search(system, oracle, budget).run()


class _Search:
    def __init__(self, system: System, oracle: Oracle, budget: Budget) -> None:
        self.system, self.oracle, self.budget = system, oracle, budget
        self.found = Settling(live={n for n, c in enumerate(system.commands) if c.step.kind.calm})
        self.footprints = [c.reads | {name for name, _ in c.updates} for c in system.commands]
        self.writers: dict[str, list[int]] = {}
        for number in sorted(self.found.live):
            for name, _ in system.commands[number].updates:
                self.writers.setdefault(name, []).append(number)
        self.types = {variable.name: variable for variable in system.variables}
        self.followed: set[e.Expr] = set()
        self.news: Counter[str] = Counter()
        """For each variable, how many accepted measures speak of it."""
        self.lively = Counter(name for number in self.found.live for name in self.footprints[number])
        """For each variable, how many live commands read or write it."""

    def run(self) -> Settling:
        """The whole search."""
        self._clauses()
        open_ = [_Try(guess) for guess in guesses(self.system)]
        unended: list[_Try] = []
        progress = True
        while progress and self.found.live:
            before = len(self.found.measures)
            still: list[_Try] = []
            for one in open_:
                if self._wanted(one):
                    (unended if self._accepted(one, one.guess.measure) else still).append(one)
            unended = [one for one in unended if self._matters(one) and not self._ended(one)]
            open_ = still
            progress = len(self.found.measures) > before or self._follow()
        return self.found

    def _clauses(self) -> None:
        clauses = likely_clauses(self.system)
        while failing := set(self.oracle.add_clauses(clauses)):
            self.budget.check("looking for what always holds")
            clauses = [clause for clause in clauses if clause not in failing]
        self.found.clauses = tuple(clauses)

    def _follow(self) -> bool:
        """Takes what always holds as it is where what came to an end has ended; whether there was anything new."""
        ended = (e.conjuncts(one.zero) for one in self.found.measures if one.action is not None)
        known = fixed(e.both(*(part for parts in ended for part in parts)), self.types)
        news = False
        for clause in self.found.clauses if self.found.live else ():
            formula = e.substitute(clause, known)
            if formula != clause and not isinstance(formula, e.Const) and formula not in self.followed:
                self.followed.add(formula)
                beside = sorted(e.names(clause) - e.names(formula))
                if self.oracle.add(plainly(formula, tuple(value_of(self.types[name]) for name in beside))) is None:
                    self._note(e.names(formula), self.found.live)
                    news = True
        return news

    def _note(self, names: frozenset[str], numbers: Collection[int]) -> None:
        """There is news about some variables: those of the commands that read or write them may be dead now."""
        self.news.update(names)
        for number in sorted(numbers):
            if not names.isdisjoint(self.footprints[number]) and self.oracle.is_dead(number):
                self.found.live.remove(number)
                self.lively.subtract(self.footprints[number])

    def _wanted(self, one: _Try) -> bool:
        """Whether a guess could still take the life of a command."""
        return not self.found.live.isdisjoint(one.guess.sources)

    def _matters(self, one: _Try) -> bool:
        """Whether a live command has to do with what a guess speaks of."""
        return any(self.lively[name] for name in one.guess.measure.names)

    def _accepted(self, one: _Try, measure: Measure) -> bool:
        self.budget.check(f"looking for what settles ({len(self.found.measures)} found)")
        if not self._news_since(one):
            return False
        refused = self.oracle.add(measure)
        if refused is not None:
            one.blocked = refused.command
            one.seen = self._news(one)
            return False
        one.seen = -1
        self.found.measures.append(measure)
        names = one.guess.measure.names
        self._note(names, {n for name in names for n in self.writers.get(name, ())} & self.found.live)
        return True

    def _ended(self, one: _Try) -> bool:
        return any(self._accepted(one, replace(one.guess.measure, action=action)) for action in one.guess.actions)

    def _news(self, one: _Try) -> int:
        names = (
            one.guess.measure.names if one.blocked is None else one.guess.measure.names | self.footprints[one.blocked]
        )
        return sum(self.news[name] for name in names) if one.blocked is not None else len(self.found.measures)

    def _news_since(self, one: _Try) -> bool:
        return one.seen < 0 or self._news(one) > one.seen


class _Try(Struct):
    """A guess, with the command that was in its way the last time and what was known then."""

    guess: Guess
    blocked: int | None = None
    seen: int = -1
