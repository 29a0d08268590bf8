"""The way to the repairs of a model, in pieces of work: sets of edits are searched, then each that helps is verified.

A piece carries all that it needs as values, so that any process that has the model can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.candidates import broken_model
from reconcheck.explain.clock import Clock
from reconcheck.explain.diagnosis import Repair
from reconcheck.explain.flows import Flow
from reconcheck.explain.repair_search import Found, Search
from reconcheck.explain.schedule import helped_by, needed_rules, schedules
from reconcheck.explain.tally import SETS, Tally
from reconcheck.explain.trial import Asked, Verdicts, with_schedule
from reconcheck.explain.verdict import GOOD, Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model.operator import Goal, Loaded, Scope
from reconcheck.syntax.parser import parse_text

NOT_DONE = "there was no time, or no memory, for it"


class Wanted(Struct, frozen=True):
    """What is to be mended, and all that a search for it depends on."""

    answers: tuple[Answer, ...]
    """Verdicts that are known, those in the scope at hand first."""
    most_edits: int
    most_work: int | None
    rests: bool = True
    """Whether the model comes to rest, as far as that is known, and so must a repaired one."""
    wider: tuple[str, ...] = ()
    """Goals that no edit mends without a schedule: another may be added for them.  Empty in the first search."""
    causes: frozenset[str] = frozenset()
    """The kinds of causes of those that fail."""
    work: int = 0
    """What the search before this one has counted."""

    @property
    def scope(self) -> Scope:
        """Where it is to be mended."""
        return self.answers[0].scope

    @property
    def asked(self) -> Asked:
        """What has to become good in that scope, and what has to stay so."""
        here = {answer.goal.name: answer for answer in self.answers if answer.scope == self.scope}
        good = frozenset(name for name, answer in here.items() if answer.good)
        return Asked(self.scope, frozenset(goal.name for goal in self.goals), good, self.rests)

    @property
    def goals(self) -> list[Goal]:
        """The goals that are to be mended."""
        here = {answer.goal.name: answer for answer in self.answers if answer.scope == self.scope}
        return [answer.goal for answer in here.values() if answer.fails]

    def knowing(self, verdicts: Verdicts) -> Wanted:
        """The same, with what state graphs have shown of the model in other scopes."""
        shown = (answer for answer in verdicts.of_the_model() if answer.scope != self.scope)
        return replace(self, answers=tuple(dict.fromkeys([*self.answers, *shown])))

    def search(self, loaded: Loaded, clock: Clock, tell: Callable[[str], None], tally: Tally) -> Search:
        """The search for it, at its beginning."""
        operator, path = loaded.operator, loaded.operator.file
        verdicts = Verdicts(clock.left, loaded, self.answers, tally)
        file = parse_text(operator.sources[path], path)
        if not self.wider:
            broken = broken_model(operator, file, self.goals, self.causes)
            return Search(loaded, broken, self.asked, verdicts, clock, tell, most_work=self.most_work)
        scheduled = with_schedule(self.scope)
        broken = broken_model(operator, file, [operator.goal(name) for name in self.wider])
        also = frozenset(goal.name for goal in operator.goals if verdicts(loaded, goal, scheduled) in GOOD)
        asked = Asked(scheduled, frozenset(self.wider), also, False)
        more, before = schedules(broken), replace(self.asked, rests=True)
        return Search(loaded, broken, asked, verdicts, clock, tell, more, before, self.work, self.most_work)


class Searched(Struct, frozen=True):
    """What came of a search: the sets that help, each with what it changes in words, and what was not told."""

    wanted: Wanted
    """The same, with what has become known."""
    found: tuple[tuple[Found, str], ...]
    undecided: tuple[str, ...]
    tally: Tally


class Sets(Struct, frozen=True):
    """A piece of work: the search for sets of edits that help."""

    wanted: Wanted

    def done(self, verifier: Verifier, seconds: float | None) -> Searched:
        """What comes of it, within so many seconds."""
        tally = Tally()
        search = self.wanted.search(verifier.loaded, Clock(seconds), verifier.budget.report, tally)
        search.run(self.wanted.most_edits)
        tally.count(SETS, search.considered, search.tried)
        wanted = replace(self.wanted.knowing(search.verdicts), rests=search.asked.rests, work=search.work)
        found = tuple((one, search.title(one.chosen)) for one in search.best())
        return Searched(wanted, found, tuple(search.undecided), tally)


class Verified(Struct, frozen=True):
    """A piece of work: a set that helps, verified by the real engines; shortly, where `another` does as much."""

    wanted: Wanted
    found: Found
    another: bool

    def done(self, verifier: Verifier, seconds: float | None) -> tuple[Repair | None, tuple[str, ...], Tally]:
        """The repair, if it is one, what was not told, and what was asked."""
        tally = Tally()
        search = self.wanted.search(verifier.loaded, Clock(seconds), verifier.budget.report, tally)
        repair = search.verified(self.found, self.another)
        return repair, tuple(search.undecided), tally


class Helped(Struct, frozen=True):
    """Which goals the schedule as it is helps, which not, of which that is unknown, and why; and what is kept."""

    wanted: Wanted
    goals: tuple[str, ...]
    without: tuple[str, ...]
    unknown: tuple[str, ...]
    kept: Repair | None
    tally: Tally


class Help(Struct, frozen=True):
    """A piece of work: whether the schedule helps goals that no edit mends."""

    wanted: Wanted
    goals: tuple[str, ...]

    def done(self, verifier: Verifier, seconds: float | None) -> Helped:
        """What comes of it, within so many seconds."""
        tally, loaded = Tally(), verifier.loaded
        search = self.wanted.search(loaded, Clock(seconds), verifier.budget.report, tally)
        goals, scheduled = [loaded.operator.goal(name) for name in self.goals], with_schedule(self.wanted.scope)
        helped, without, unknown = helped_by(loaded, goals, scheduled, search.verdicts)
        kept = None
        if helped:
            kept = search.keep(helped, needed_rules(loaded, helped, scheduled, search.verdicts))
        return Helped(self.wanted.knowing(search.verdicts), _names(helped), _names(without), unknown, kept, tally)


def mending(answers: Sequence[Answer], most_edits: int, most_work: int | None, tally: Tally) -> Flow:
    """The flow that finds the repairs, smallest first, and what could not be told."""
    known = tuple(dict.fromkeys(Answer(one.goal, one.scope, one.verdict) for one in answers))
    causes = frozenset(name for one in answers for name in one.because)
    wanted = Wanted(known, most_edits, most_work, causes=causes)
    if not known or not wanted.goals:
        return (), ()
    wanted, found, undecided = yield from _searched(wanted, tally)
    mended = {name for repair in found for name in repair.goals}
    rest = tuple(goal.name for goal in wanted.goals if goal.name not in mended and goal.kind == "converges")
    if wanted.scope.schedule or not rest:
        return found, undecided
    (helped,) = yield (Help(wanted, rest),)
    if helped is None:
        return found, (*undecided, f"whether the schedule helps {', '.join(rest)}: {NOT_DONE}")
    tally.add(helped.tally)
    undecided = (*undecided, *helped.unknown)
    if helped.kept is not None:
        found = (*found, helped.kept)
    if helped.without:
        wider = replace(helped.wanted, wider=helped.without)
        _, others, unknown = yield from _searched(wider, tally)
        found, undecided = (*found, *others), (*undecided, *unknown)
    return found, tuple(dict.fromkeys(undecided))


def _searched(wanted: Wanted, tally: Tally) -> Flow:
    """The flow of one search, to its verified repairs: what is wanted with what is known then, they, what is not."""
    (searched,) = yield (Sets(wanted),)
    if searched is None:
        return wanted, (), (f"repairs {wanted.scope}: {NOT_DONE}",)
    tally.add(searched.tally)
    wanted, sets = searched.wanted, [one for one, _ in searched.found]
    pieces = tuple(
        Verified(wanted, one, any(one.mended <= other.mended for other in sets[:number]))
        for number, one in enumerate(sets)
    )
    made: list[Repair] = []
    undecided = [*searched.undecided]
    results = yield pieces
    for piece, result, (_, title) in zip(pieces, results, searched.found, strict=True):
        alone = not any(piece.found.mended <= {*other.goals} for other in made)
        if piece.another and alone and (result is None or result[0] is None):
            (result,) = yield (replace(piece, another=False),)
        if result is None:
            undecided.append(f"not verified, as {NOT_DONE}: {title}")
            continue
        repair, reasons, counted = result
        tally.add(counted)
        undecided += reasons
        if repair is not None:
            made.append(repair)
    return wanted, tuple(made), tuple(undecided)


def _names(goals: Sequence[Goal]) -> tuple[str, ...]:
    return tuple(goal.name for goal in goals)
