"""What a slice may be missing: the variables and the conditions that it can be widened by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import Ranking
from reconcheck.engines.first_slices import keeps
from reconcheck.engines.measures import RESTING, is_local
from reconcheck.engines.predicates import Predicate
from reconcheck.engines.slicing import Slice, Slicer
from reconcheck.model import expr as e
from reconcheck.model.managers import is_view, live_name
from reconcheck.model.types import BoolType, Value
from reconcheck.proof.certificate import Places
from reconcheck.semantics.system import Command, System, fixed

SAMPLE = 5
"""States of the trouble whose way there is looked at."""


class Attempt(Struct, frozen=True):
    """One slice with the states of it in which a run could stay without the goal."""

    part: Slice
    graph: StateGraph
    bad: list[int]
    ranking: Ranking | None
    at_rest: bool
    """Whether the first of them is at rest."""

    @property
    def keep(self) -> frozenset[str]:
        """The variables kept."""
        return self.part.keep

    @property
    def trouble(self) -> float:
        """The share of the states in which a run could stay without the goal."""
        return len(self.bad) / len(self.graph.states)

    def rules_out(self, before: Attempt) -> bool:
        """Whether less goes wrong than on a narrower slice, as far as both show the same."""
        names = {column.name for column in before.part.columns} & {column.name for column in self.part.columns}
        shared = {name for name in names if not name.startswith("pc(")}
        return len(self._wrong(shared)) < len(before._wrong(shared))

    def _wrong(self, shared: set[str]) -> set[tuple[Value, ...]]:
        """The trouble as some of the columns show it."""
        places = [place for place, column in enumerate(self.part.columns) if column.name in shared]
        return {tuple([self.graph.states[number][place] for place in places]) for number in self.bad}


class Widening:
    """Ideas for the slices of one system; `ways` are those to the ends of its runs."""

    def __init__(self, system: System, slicer: Slicer, ways: Sequence[Places]) -> None:
        self.system, self.slicer, self.ways = system, slicer, ways

    def votes(self, attempt: Attempt) -> Counter[str]:
        """The cut variables that decide the way into the trouble, and whether something must happen there."""
        keep = attempt.keep
        votes: Counter[str] = Counter()
        for state in attempt.bad[:SAMPLE]:
            for number, _ in attempt.graph.path(state)[1:]:
                for origin in attempt.part.origins[number][:SAMPLE]:
                    votes.update(_deciding(self.system.commands[origin], keep) - keep)
        for possible in self.slicer.enabled.values():
            if not e.names(possible).isdisjoint(keep):
                votes.update(e.names(possible) - keep)
        for number, command in enumerate(self.system.commands):
            if command.step.kind == "fair" and not self.slicer.writes[number].isdisjoint(keep - control(keep)):
                votes.update(_deciding(command, keep) - keep)
        return Counter({name: number for name, number in votes.items() if name in self.slicer.types})

    def given(self, value: e.Expr) -> list[e.Expr]:
        """A value with what the locals of a run are given in the place of these, if there are several only one each."""
        locals_ = sorted(filter(is_local, e.names(value)))
        if not locals_:
            return [value]
        given: dict[str, dict[e.Expr, None]] = {name: {} for name in locals_}
        for command in self.system.commands:
            for name, new in command.updates:
                if name in given and not isinstance(new, e.Const):
                    given[name][new] = None
        if all(len(values) == 1 for values in given.values()):
            return [e.substitute(value, {name: new for name, (new,) in given.items()})]
        return [e.substitute(value, {locals_[0]: new}) for new in given[locals_[0]]]

    def written(self, world: Iterable[str], keep: frozenset[str]) -> list[e.Expr]:
        """The values that runs which a slice follows write into some variables, as far as they depend on locals."""
        return [
            value
            for command in self.system.commands
            if command.step.action.startswith("reconcile ")
            and f"pc({command.step.action.removeprefix('reconcile ')})" in keep
            for name, value in command.updates
            if name in world and any(map(is_local, e.names(value) - keep))
        ]

    def written_from(self, world: Iterable[str], keep: frozenset[str]) -> frozenset[str]:
        """The locals of runs that a slice follows whose values are written into some variables."""
        values = self.written(world, keep)
        return frozenset(name for value in values for name in e.names(value) - keep if is_local(name))

    def read(self, world: Iterable[str], keep: frozenset[str]) -> tuple[frozenset[str], tuple[Predicate, ...]]:
        """What to add to a slice so that it shows what is written: locals, or what several of them say together."""
        locals_: set[str] = set()
        terms: dict[e.Expr, None] = {}
        for value in self.written(world, keep):
            names = {name for name in e.names(value) - keep if is_local(name)}
            if len(names) > 1 and isinstance(e.type_of(value), BoolType):
                terms[value] = None
            else:
                locals_ |= names
        return frozenset(locals_), tuple(Predicate(f"written {n}", term) for n, term in enumerate(terms, 1))

    def rivals(self, keep: frozenset[str]) -> frozenset[str]:
        """What decides what the controllers that a slice does not follow write into it, and where their runs are."""
        world, more = keep - control(keep), set[str]()
        given: dict[str, set[str]] = {}
        for number, command in enumerate(self.system.commands):
            pc = f"pc({command.step.action.removeprefix('reconcile ')})"
            if not command.step.action.startswith("reconcile ") or pc in keep:
                continue
            for name, value in command.updates:
                if "/" in name:
                    given.setdefault(name, set()).update(e.names(value))
            if not self.slicer.writes[number].isdisjoint(world):
                more |= {pc} | _deciding(command, keep)
        more |= {source for name in more for source in given.get(name, ())}
        open_ = (name for name in more - keep if name in self.slicer.types)
        return frozenset(name for name in open_ if not name.startswith(("held(", "stale(")))

    def conditions(self, goal: e.Expr, attempt: Attempt) -> list[e.Expr]:
        """When a process does what the goal wants, what a reconcile writes, when, and when it ends before that.

        All of it on cut variables.
        """
        keep = attempt.keep
        world = keep - control(keep)
        written: dict[e.Expr, None] = {}
        found: dict[e.Expr, None] = {}
        for number, command in enumerate(self.system.commands):
            writes = self.slicer.writes[number]
            if command.step.kind != "fair" or writes.isdisjoint(keep):
                continue
            if command.step.action.startswith("process "):
                if any(name in e.names(goal) and not keeps(name, value) for name, value in command.updates):
                    written[_cut_part(command.guard, keep)] = None
            if not command.step.action.startswith("reconcile "):
                continue
            for name, value in command.updates:
                if name in world and e.names(value) and e.names(value).isdisjoint(keep):
                    for given in self.given(value):
                        written.update(dict.fromkeys(_truths(given)))
            cut = _cut_part(command.guard, keep)
            if cut == e.TRUE:
                continue
            if not writes.isdisjoint(world):
                found[cut] = None
        stays = [self._stays(keep, e.names(goal) & world), self._stays(keep, world)]
        conditions = [*written, *stays, *sorted(found, key=lambda term: len(e.names(term)))]
        return [
            term
            for term in dict.fromkeys(conditions)
            if not isinstance(term, e.Const) and e.names(term) <= self.slicer.types.keys()  # not of what is chosen
        ]

    def _stays(self, keep: frozenset[str], world: frozenset[str]) -> e.Expr:
        """The condition, on what is cut, under which no run leaves the way to where it writes some of what is kept."""
        parts: dict[e.Expr, None] = {}
        for way in self.ways:
            moves = self._moves(way.variable.name)
            onward = {old for number, old, _ in moves if not self.slicer.writes[number].isdisjoint(world)}
            for place in sorted({old for _, old, _ in moves}, key=way.at):  # those near the end first
                if any(old == place and new in onward for _, old, new in moves):
                    onward.add(place)
            for number, old, new in moves:
                command = self.system.commands[number]
                seen = not world.isdisjoint(map(live_name, self.slicer.writes[number] | e.names(command.guard)))
                if old in onward and new not in onward and not seen and " fails" not in command.step.detail:
                    decided = _decided(command.guard, keep)
                    if decided is not None:
                        parts[e.negate(decided)] = None
        return e.both(*parts)

    def _moves(self, pc: str) -> list[tuple[int, str, str]]:
        """The fair steps of a run: command, place before and after."""
        found: list[tuple[int, str, str]] = []
        for number, command in enumerate(self.system.commands):
            old, new = fixed(command.guard, self.slicer.types).get(pc), dict(command.updates).get(pc)
            if command.step.kind == "fair" and isinstance(old, e.Const) and isinstance(new, e.Const):
                if old.value not in RESTING:
                    found.append((number, str(old.value), str(new.value)))
        return found


def _deciding(command: Command, keep: frozenset[str]) -> frozenset[str]:
    """What decides whether a command is taken, and what it gives the kept variables."""
    return e.names(command.guard).union(*(e.names(value) for name, value in command.updates if name in keep))


def _cut_part(guard: e.Expr, keep: frozenset[str]) -> e.Expr:
    """The part of a guard that reads cut variables only."""
    parts = guard.operands if isinstance(guard, e.And) else (guard,)
    return e.both(*(part for part in parts if e.names(part) and e.names(part).isdisjoint(keep)))


def _truths(value: e.Expr) -> list[e.Expr]:
    """The conditions that decide what a value is."""
    if isinstance(e.type_of(value), BoolType):
        return [value]
    return [value.condition, *_truths(value.yes), *_truths(value.no)] if isinstance(value, e.Choice) else []


def control(names: frozenset[str]) -> frozenset[str]:
    """Those of the variables that belong to the controllers themselves."""
    return frozenset(name for name in names if name.startswith(("pc(", "queued(", "timer(", "held(")))


def _decided(guard: e.Expr, keep: frozenset[str]) -> e.Expr | None:
    """The last decision of a reconcile in a guard: what was read, not what the API server answers."""
    parts = guard.operands if isinstance(guard, e.And) else (guard,)
    for part in reversed(parts):
        names = e.names(part)
        if names and names.isdisjoint(keep) and any(is_view(name) or "/" in name for name in names):
            return part
    return None
