"""The search for repairs: sets of candidates by size, and what is found verified by the real engines.

A set is worth trying only if, for some goal, it makes a difference to every run by which that goal is known to
fail; each set that fails adds such runs.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.diagnostic import ModelError
from reconcheck.explain.broken import Broken
from reconcheck.explain.candidate import Candidate, Happened
from reconcheck.explain.candidates import candidates
from reconcheck.explain.cause import Place
from reconcheck.explain.clock import Clock
from reconcheck.explain.diagnosis import Edit, Repair
from reconcheck.explain.edits import Overlap, difference, original_line, original_lines
from reconcheck.explain.patch import (
    NoPatch,
    patched,
    read_text,
    trimmed,
    with_true_causes,
    written_schedule,
)
from reconcheck.explain.probe import NotProbed, probe
from reconcheck.explain.ranges import ranges
from reconcheck.explain.reenacting import Script
from reconcheck.explain.trial import REST, WAITING, Asked, Verdicts, placed, requirements, try_out, with_schedule
from reconcheck.explain.verdict import GOOD, Answer
from reconcheck.explain.verify import Verifier
from reconcheck.explain.workbench import ENGINES
from reconcheck.model.operator import SCHEDULED, Goal, Loaded, Rule, Scope
from reconcheck.model.wakeups import in_force

SEARCHED = 0.6
"""The part of the time after which no more sets are tried: what was found is to be verified."""
MOST_WORK = 300_000
"""States of changed models that are listed, after which no more sets are tried: the same on every machine."""
BEFORE = 200_000
"""How much of that an earlier search of the same model counts at most: some is left for the next."""
MOST_RUNS = 6
"""Known runs that are tried with a set before all its states are listed."""
MORE_RUNS = 4
"""How many such runs are taken from one set."""
WORK_OF_A_SET = 1_500
"""What a set counts in addition: its text is read and compiled."""
ONE_MORE = 2.0
"""Seconds to verify a repair of too many states for its whole graph, once there is another for the same goals."""
GRAPH = frozenset({"graph", "search"})
"""What verifies a repair whose whole state graph is at hand: looking for a proof in parts would take longer."""

CALLED = {REST: "that it comes to rest", WAITING: "that no new wait is armed for ever"}
"""What is asked beside the goals, as a sentence calls it."""

_Wish = tuple[Goal, str | None]
"""A goal of a repaired model, with the verdict that is expected; None for a good one."""
Set = frozenset[int]
"""Candidates by number."""


class Found(Struct, frozen=True):
    """A set that mends something, and breaks nothing."""

    chosen: Set
    mended: frozenset[str]
    gone: frozenset[str]
    """Scheduled wake-ups that nothing needs any more."""
    guarded: bool
    """Whether a whole state graph shows that nothing goes wrong with what is left of the schedule."""
    seconds: float


class Search:
    """The search for the repairs of one model."""

    def __init__(
        self,
        loaded: Loaded,
        broken: Broken,
        asked: Asked,
        verdicts: Verdicts,
        clock: Clock,
        tell: Callable[[str], None],
        more: tuple[Candidate, ...] = (),
        before: Asked | None = None,
        work: int = 0,
        most_work: int | None = MOST_WORK,
    ) -> None:
        self.loaded, self.broken, self.asked = loaded, broken, asked
        self.verdicts, self.clock, self.tell = verdicts, clock, tell
        self.before = before
        """What was good in another scope, and must stay so."""
        self.read: dict[str, Loaded] = {}
        """The models of texts that were read."""
        self.candidates: tuple[Candidate, ...] = (*candidates(broken), *more)
        self.runs: dict[str, list[tuple[Set, Set]]] = {}
        """For each goal, the sets with which it fails, each with the candidates that a run of it is touched by."""
        self.scheduled: dict[str, list[tuple[Set, Set]]] = {}
        """The same with the schedule, where a repair takes away all of it that stands in the model."""
        self.scripts: list[Script] = []
        """How known runs begin that fail, the most useful first."""
        self.found: list[Found] = []
        self.undecided: list[str] = []
        self.impossible: set[Set] = set()
        """Sets that give no model, or change the same words."""
        self.considered = self.tried = 0
        """Sets that came up, and those that no run known from others had shown to fail."""
        self.most_work = most_work
        self.work = min(work, BEFORE)

    # ---- the search ----------------------------------------------------------------------------------------

    def run(self, most_edits: int) -> None:
        """Finds the sets that mend something."""
        as_it_is = try_out(self.loaded, self.asked, (), lambda line: line, self.clock.left)
        if REST in as_it_is.wrong:
            self.asked = replace(self.asked, rests=False)
        self._learn(self.runs, frozenset(), as_it_is.wrong)
        for size in range(1, most_edits + 1):
            together = [n for n, candidate in enumerate(self.candidates) if size == 1 or not candidate.alone]
            for numbers in itertools.combinations(together, size):
                chosen = frozenset(numbers)
                self.considered += 1
                if not self._worth_trying(chosen):
                    continue
                which = "single changes" if size == 1 else f"sets of {size} changes"
                where = self.asked.scope
                if self.clock.past(SEARCHED):
                    self.undecided.append(f"not all {which} were tried {where}: the time was up after {self.tried}")
                    return
                if self.most_work is not None and self.work > self.most_work:
                    self.undecided.append(f"not all {which} were tried {where}: {self.tried} sets were")
                    return
                self._try(chosen)

    def _worth_trying(self, chosen: Set) -> bool:
        """Whether no known run shows that the set fails, and no smaller one does as much."""
        possible = {name for name in self.asked.failing if not _fails(self.runs, name, chosen)}
        if not possible or any(_fails(self.runs, name, chosen) for name in self.runs if name not in self.asked.failing):
            return False
        if not self._relying(frozenset()):
            possible = {name for name in possible if not _fails(self.scheduled, name, chosen)}
            others = self.scheduled.keys() - self.asked.failing
            if not possible or any(_fails(self.scheduled, name, chosen) for name in others):
                return False
        if any(pair <= chosen for pair in self.impossible):
            return False
        covered = self._covered(chosen)
        return self._is_enough(possible) and not any(
            found.chosen <= covered and found.mended >= possible for found in self.found
        )

    def _is_enough(self, mended: frozenset[str] | set[str]) -> bool:
        """Whether some goal is mended, and no set is known that mends these and more."""
        return bool(mended) and not any(found.mended > mended for found in self.found)

    def _covered(self, chosen: Set) -> Set:
        """The candidates of a set, and those that do the same with less."""
        keys = {key for number in chosen for key in self.candidates[number].covers}
        return chosen | {number for number, candidate in enumerate(self.candidates) if candidate.key in keys}

    def _try(self, chosen: Set) -> None:
        started = time.monotonic()
        self.tried += 1
        self.tell(f"trying repairs: {self.title(chosen)}")
        edits = tuple(edit for number in sorted(chosen) for edit in self.candidates[number].edits)
        try:
            _, loaded = read_text(self.broken, edits, self.read)
        except (Overlap, ModelError):
            self.impossible.add(chosen)
            return
        changes = original_lines(edits)
        rules = tuple(dict.fromkeys(rule for number in sorted(chosen) for rule in self.candidates[number].rules))
        lines = partial(original_line, changes)
        tried = try_out(loaded, self.asked, rules, lines, self.clock.left, self.scripts[:MOST_RUNS], self._is_enough)
        if tried.by is not None:  # it may well be of use again
            self.scripts.remove(tried.by)
            self.scripts.insert(0, tried.by)
        self.work += WORK_OF_A_SET + tried.states
        self._learn(self.runs, chosen, tried.wrong)
        if tried.open:
            self.undecided.append(f"{self.title(chosen)}: {tried.open}")
        elif tried.mended and tried.allowed(self.asked):
            found = self._also_with_schedule(chosen, edits, loaded, tried.mended)
            if found.mended:
                self.found.append(replace(found, seconds=time.monotonic() - started))

    def _learn(
        self, runs_of: dict[str, list[tuple[Set, Set]]], chosen: Set, wrong: Mapping[str, Iterable[Happened]]
    ) -> None:
        """Keeps the runs of a failure, those that few candidates touch."""
        for name, runs in wrong.items():
            masks = {
                frozenset(n for n, candidate in enumerate(self.candidates) if run.touched_by(candidate))
                for run in runs
            }  # fmt: skip
            least = [mask for mask in masks if not any(other < mask for other in masks)]
            known = runs_of.setdefault(name, [])
            known[:0] = [(chosen, mask) for mask in sorted(least, key=sorted)]
        if runs_of is self.runs:
            begun = [run.script for name in sorted(wrong) for run in wrong[name] if run.script is not None]
            self.scripts += [one for one in dict.fromkeys(begun) if one not in self.scripts][:MORE_RUNS]

    # ---- with the schedule ---------------------------------------------------------------------------------

    def _also_with_schedule(
        self, chosen: Set, edits: tuple[Edit, ...], loaded: Loaded, mended: frozenset[str]
    ) -> Found:
        """What a set mends and does not break with what stays of the schedule either, which the operator runs with."""
        while True:
            gone = self._gone(loaded, mended)
            wrong, guarded = self._wrong_with_schedule(chosen, edits, gone, mended)
            if wrong - mended:
                return Found(chosen, frozenset(), gone, guarded, 0.0)
            if not wrong or wrong == mended:
                return Found(chosen, mended - wrong, gone, guarded, 0.0)
            mended -= wrong

    @cached_property
    def _good_with_schedule(self) -> frozenset[str]:
        """The goals that are met with the schedule as it is, and must be with what is left of it."""
        scheduled = with_schedule(self.asked.scope)
        goals = [goal for goal in self.loaded.operator.goals if goal.kind != "reachable"]
        return frozenset(goal.name for goal in goals if self.verdicts(self.loaded, goal, scheduled) in GOOD)

    def _relying(self, mended: frozenset[str]) -> list[Goal]:
        """The goals that converge with the schedule only, or may, once others are mended."""
        if self.asked.scope.schedule:
            return [goal for goal in self.loaded.operator.goals if goal.name in mended | self.asked.good]
        scheduled = with_schedule(self.asked.scope)
        return [
            goal
            for goal in self.loaded.operator.goals
            if goal.kind == "converges"
            and goal.name not in mended | self.asked.good
            and self.verdicts(self.loaded, goal, scheduled) in ("converges", None)
        ]

    def _gone(self, loaded: Loaded, mended: frozenset[str]) -> frozenset[str]:
        """The scheduled wake-ups in the model that no goal needs once these are mended; of two, the more frequent."""
        scope, away = with_schedule(self.asked.scope), frozenset[str]()
        relying = self._relying(mended)
        for names in written_schedule(self.broken):
            less = replace(scope, without=tuple(sorted({*scope.without, *away, *names})))
            if all(self.verdicts(loaded, goal, less) in GOOD for goal in relying):
                away |= {*names}
        return away

    def _wrong_with_schedule(
        self, chosen: Set, edits: tuple[Edit, ...], gone: frozenset[str], mended: frozenset[str]
    ) -> tuple[frozenset[str], bool]:
        """The goals that fail with what is left of the schedule; and whether all states were looked at."""
        scope = with_schedule(self.asked.scope)
        if scope == self.asked.scope and not gone:
            return frozenset(), True
        try:
            edits, _ = trimmed(self.broken, edits, gone)
            _, loaded = read_text(self.broken, edits, self.read)
        except (Overlap, ModelError):
            return frozenset(), False  # there is no such text to offer, which is told when it is to be verified
        controllers = loaded.operator.controllers
        if not self.asked.scope.schedule and in_force(controllers, scope) == in_force(controllers, self.asked.scope):
            return frozenset(), True
        try:
            found = probe(loaded.operator, scope, self.clock.left())
        except NotProbed:
            return frozenset(), False
        self.work += WORK_OF_A_SET + found.states
        wrong = {name: one.runs for name, one in found.wrong.items() if name in mended | self._good_with_schedule}
        if not self._relying(frozenset()):
            changes = original_lines(edits)
            self._learn(
                self.scheduled,
                chosen,
                {
                    name: [placed(run, lambda line: original_line(changes, line)) for run in runs]
                    for name, runs in wrong.items()
                },
            )
        return frozenset(wrong), found.whole

    def title(self, chosen: Set) -> str:
        """What a set changes, in a sentence."""
        return "; ".join(self.candidates[number].title for number in sorted(chosen))

    # ---- what was found ------------------------------------------------------------------------------------

    def best(self) -> list[Found]:
        """The minimal sets that mend as many goals as can be mended at once, smallest first."""
        found = [one for one in self.found if not any(self._better(other, one) for other in self.found)]
        most = [one for one in found if not any(other.mended > one.mended for other in found)]
        return sorted(most, key=lambda one: (len(one.chosen), sorted(one.chosen)))

    def _better(self, other: Found, one: Found) -> bool:
        """Whether another set does as much with less."""
        if other is one or not other.mended >= one.mended:
            return False
        return other.chosen != one.chosen and other.chosen <= self._covered(one.chosen)

    def verified(self, found: Found, another: bool) -> Repair | None:
        """A found set as a repair, if the real engines say so of the text that it gives; `another` does as much."""
        started = time.monotonic()
        title = self.title(found.chosen)
        self.tell(f"verifying the repair: {title}")
        edits = tuple(edit for number in sorted(found.chosen) for edit in self.candidates[number].edits)
        try:
            whole = patched(self.broken, edits, found.gone, self.verdicts, partial(self._is_mended, found))
        except NoPatch as reason:
            self.undecided.append(f"{title}: not offered, as {reason}")
            return None
        verifier = self._verifier(whole.loaded, another)
        refused = self._refused(whole.loaded, found, verifier)
        if refused:
            self.undecided.append(f"{title}: {refused}")
            return None
        whole = with_true_causes(self.broken, whole, partial(self._answered, verifier))
        notes = (*whole.notes, *self._staying(found.gone, self._relying(found.mended)))
        places = [place for number in sorted(found.chosen) for place in self.candidates[number].places]
        mended = [goal for goal in self.loaded.operator.goals if goal.name in found.mended]
        return Repair(
            title=title,
            edits=whole.edits,
            patch=difference(self.broken.source, whole.text),
            goals=tuple(goal.name for goal in mended),
            level=self._lowest_level(whole.loaded, found.mended),
            places=_distinct(places),
            seconds=found.seconds + time.monotonic() - started,
            notes=notes,
            always=tuple(goal.name for goal in mended if goal.kind == "always"),
        )

    def _staying(self, gone: Collection[str], goals: Sequence[Goal]) -> Iterator[str]:
        """What stays of the schedule that stands in the model, and for whom, in a sentence."""
        stays = [name for names in written_schedule(self.broken) for name in names if name not in gone]
        names = [goal.name for goal in goals]
        if stays and names and not self.asked.scope.schedule:
            yield f"{', '.join(ranges(stays))} {'stay' if len(stays) > 1 else 'stays'} for {', '.join(names)}"

    def keep(self, goals: Sequence[Goal], rules: Sequence[Rule]) -> Repair:
        """The schedule kept for goals that converge with it, and that need these rules; what nobody needs goes."""
        started = time.monotonic()
        names = tuple(goal.name for goal in goals)
        title = f"keep {', '.join(ranges(rule.name for rule in rules)) or 'the resync'} for {', '.join(names)}"
        places = tuple(dict.fromkeys(Place(rule.span, rule.cites) for rule in rules))
        kept = Repair(title, (), "", names, SCHEDULED, places, 0.0)
        gone = self._gone(self.loaded, frozenset())
        if gone:
            self.tell(f"verifying the repair: {title}")
            found = Found(frozenset(), frozenset(names), gone, True, 0.0)
            try:
                whole = patched(self.broken, (), gone, self.verdicts)
            except NoPatch:
                whole = None
            verifier = None if whole is None else self._verifier(whole.loaded, False)
            if whole is not None and verifier is not None and not self._refused(whole.loaded, found, verifier):
                whole = with_true_causes(self.broken, whole, partial(self._answered, verifier))
                taken = (name for names in written_schedule(self.broken) for name in names if name in gone)
                without = ", ".join(ranges(taken))
                patch = difference(self.broken.source, whole.text)
                title = f"{title}, without {without}"
                kept = replace(kept, title=title, edits=whole.edits, patch=patch, notes=whole.notes)
        return replace(kept, seconds=time.monotonic() - started)

    def _is_mended(self, found: Found, goal: str, scope: Scope) -> bool:
        """Whether a set is meant to mend a goal in a scope, which the engines have yet to prove."""
        controllers = self.loaded.operator.controllers
        here = in_force(controllers, scope) == in_force(controllers, self.asked.scope)
        return bool(found.chosen) and goal in found.mended and here

    def _answered(self, verifier: Verifier, goal: Goal, scope: Scope) -> Answer:
        return verifier.answer(goal, scope, self.clock.left())

    def _verifier(self, loaded: Loaded, another: bool) -> Verifier:
        """What verifies a repaired model; with less time where `another` repair does as much and this one is large."""
        small = self.verdicts(loaded, loaded.operator.goals[0], self.asked.scope) is not None
        if small:
            return Verifier(loaded, self.clock.left(), self.tell, GRAPH)
        return Verifier(loaded, self._time(another), self.tell, ENGINES)

    def _time(self, another: bool) -> float | None:
        left = self.clock.left()
        if another:
            return ONE_MORE if left is None else min(ONE_MORE, left)
        return left

    def _refused(self, loaded: Loaded, found: Found, verifier: Verifier) -> str:
        """Why the engines do not accept a repaired model; empty where they do."""
        rules = tuple(rule for number in sorted(found.chosen) for rule in self.candidates[number].rules)
        for scope, wanted in self._by_system(loaded, self._wanted(loaded, found, rules)):
            goals = list({goal.name: goal for goal, _ in wanted}.values())
            answers = {answer.goal.name: answer for answer in verifier.together(goals, scope)}
            for goal, verdict in wanted:
                answer = answers[goal.name]
                if not (answer.good if verdict is None else answer.meets(verdict)):
                    reason = f": {answer.reason}" if answer.reason else ""
                    return f"{CALLED.get(goal.name, goal.name)} is {answer.verdict} {scope} then{reason}"
        return ""

    @staticmethod
    def _by_system(loaded: Loaded, wanted: dict[Scope, list[_Wish]]) -> Iterator[tuple[Scope, list[_Wish]]]:
        """The same by the first of the scopes that leave the same wake-ups: these are one system."""
        first: dict[frozenset[str], Scope] = {}
        found: dict[Scope, list[_Wish]] = {}
        for scope, wishes in wanted.items():
            one = first.setdefault(in_force(loaded.operator.controllers, scope), scope)
            found.setdefault(one, []).extend(wish for wish in wishes if wish not in found.get(one, ()))
        yield from found.items()

    def _wanted(self, loaded: Loaded, found: Found, rules: tuple[str, ...]) -> dict[Scope, list[_Wish]]:
        """Everything that has to be so of a repaired model: goals with the verdict expected, None for a good one."""
        operator = loaded.operator
        scheduled = with_schedule(self.asked.scope)
        wanted: dict[Scope, list[_Wish]] = {}
        if found.chosen:
            asked = replace(self.asked, failing=found.mended)
            wanted[asked.scope] = [(goal, None) for goal in requirements(operator, asked, rules)]
        if not found.chosen or not found.guarded:
            names = found.mended | self._good_with_schedule
            goals = [(goal, None) for goal in operator.goals if goal.name in names]
            wanted.setdefault(scheduled, []).extend(goals)
        if self.before is not None:
            before = [(operator.goal(name), None) for name in sorted(self.before.good)]
            wanted.setdefault(self.before.scope, []).extend(before)
        for line in operator.expectations:
            wanted.setdefault(line.scope, []).append((operator.goal(line.goal), line.verdict))
        return wanted

    def _lowest_level(self, loaded: Loaded, mended: Iterable[str]) -> int:
        """The lowest level at which the mended goals surely converge, up to the one at which they were verified."""
        top, operator = self.asked.scope, loaded.operator
        goals = [operator.goal(name) for name in sorted(mended)]
        for level in range(top.level):
            scope = Scope(level, top.without)
            if in_force(operator.controllers, scope) == in_force(operator.controllers, top):
                return level
            if all(self.verdicts(loaded, goal, scope) in GOOD for goal in goals):
                verifier = Verifier(loaded, self.clock.left(), self.tell, GRAPH)
                if all(answer.good for answer in verifier.together(goals, scope)):
                    return level
        return top.level


def _fails(runs: Mapping[str, list[tuple[Set, Set]]], name: str, chosen: Set) -> bool:
    """Whether a known run, by which a goal fails, is one of the model with this set as well."""
    return any(not ((chosen ^ with_) & touched) for with_, touched in runs.get(name, ()))


def _distinct(places: Iterable[Place]) -> tuple[Place, ...]:
    """The places, those with the same citations once."""
    return tuple({place.cites or place.span: place for place in places}.values())
