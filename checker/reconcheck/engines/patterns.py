"""Abstractions that say how far a state is from trouble: the system on few variables, with few program positions.

A pattern keeps some variables and lets the others be anything, as a slice does, and takes program positions for
one where the kept variables see no difference.  What the whole system can do, the pattern can do, so a distance
in the pattern is never more than the distance in the whole system.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import calm, livelocks
from reconcheck.engines.positions import Edge, classes
from reconcheck.engines.projection import Projected, bounds, project
from reconcheck.engines.python_code import StateTuple, canonical, predicate
from reconcheck.engines.stepping import position
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import EnumType, Type, Value
from reconcheck.semantics.layout import IDLE, STOPPED
from reconcheck.semantics.steps import Endless, Kind, LeftRange, Step
from reconcheck.semantics.system import Command, System, possible

OTHER = Step("other", Kind.NOISE)
"""What commands count as that are neither fair for sure nor a disturbance or a fault."""
Distances = dict[StateTuple, int]

MOST_STATES = 30_000
"""States of a pattern past which it is given up."""


class Pattern(Struct, frozen=True):
    """The states of an abstraction, and those in which there may be trouble."""

    graph: StateGraph
    key: Callable[[StateTuple], StateTuple]
    """The abstract state of a state of the whole system."""
    origins: tuple[tuple[int, ...], ...]
    """For each command of the abstraction, the commands of the whole system that it stands for."""
    quiet: tuple[int, ...]
    """The states that may be quiet without the goal."""
    restless: tuple[int, ...]
    """The states that may be on a livelock."""

    def distances(self, targets: tuple[int, ...], counts: Callable[[int], bool] = lambda _: True) -> Distances:
        """For each state from which a target can be reached, how many steps of commands that count are needed."""
        graph = self.graph
        costs = [int(all(map(counts, numbers))) for numbers in self.origins]
        before: list[list[tuple[int, int]]] = [[] for _ in graph.states]
        for state, row in enumerate(graph.edges):
            for command, target in row:
                if target != state:
                    before[target].append((state, costs[command]))
        distance = dict.fromkeys(targets, 0)
        queue = deque((target, 0) for target in targets)
        while queue:
            state, steps = queue.popleft()
            if steps > distance[state]:
                continue
            for earlier, cost in before[state]:
                if steps + cost < distance.get(earlier, steps + 2):
                    distance[earlier] = steps + cost
                    if cost:
                        queue.append((earlier, steps + cost))
                    else:
                        queue.appendleft((earlier, steps))
        return {graph.states[state]: steps for state, steps in distance.items()}


class Guide:
    """How near a state of the whole system is to trouble, as one pattern sees it."""

    def __init__(self, seen: Pattern) -> None:
        self.key = seen.key
        self.quiet = seen.distances(seen.quiet)
        """Steps to a state that may be quiet without the goal; missing where there is no way to one."""
        self.restless = seen.distances(seen.restless)
        """Steps to a state that may be on a livelock."""


def pattern(
    system: System, keep: frozenset[str], goal: e.Expr, budget: Budget, most: int = MOST_STATES
) -> Pattern | None:
    """The pattern on the variables in `keep` and the program positions; None where it is too large or has no end."""
    part = _Part(system, keep)
    try:
        graph = explore(part.system, budget.at_most(most))
    except (Exhausted, Endless, LeftRange):
        if budget.left == 0.0:
            raise
        return None
    return part.pattern(graph, goal, budget)


class _Abstract(Struct, frozen=True):
    """A command of the whole system without its position: from where it leads where, and what else is seen of it."""

    sources: dict[str, Value]
    targets: dict[str, Value]
    command: Command
    origin: int


class _Part:
    """The abstract system of a pattern."""

    def __init__(self, whole: System, keep: frozenset[str]) -> None:
        self.whole = whole
        self.kept = [v for v in whole.variables if v.name in keep and not v.name.startswith("pc(")]
        self.types: dict[str, Type] = {v.name: v.type for v in self.kept}
        self.counters = [v for v in whole.variables if v.name.startswith("pc(")]
        self.surely = self._surely()
        abstract = [one for number in range(len(whole.commands)) for one in self._abstract(number)]
        self.classes = {v.name: self._classes(v, abstract) for v in self.counters}
        self.origins: tuple[tuple[int, ...], ...] = ()
        self.system = self._system(abstract)

    def _abstract(self, number: int) -> Iterator[_Abstract]:
        """The command as the kept variables see it, once for each position it can lead to."""
        command = self.whole.commands[number]
        here = position(command.guard)
        sources = {here[0]: here[1]} if here is not None else {}
        if self.types.keys().isdisjoint(command.reads) and not any(name in self.types for name, _ in command.updates):
            seen = Projected(e.TRUE, (), (), True)
        else:
            operands = command.guard.operands if isinstance(command.guard, e.And) else (command.guard,)
            rest = e.both(*(part for part in operands if here is None or not _is_position(part, here)))
            seen = project(replace(command, guard=rest), self.types)
        if seen.guard == e.FALSE:
            return
        step = self._step(command.step)
        for targets in _targets(command):
            yield _Abstract(sources, targets, Command(step, seen.guard, seen.updates, seen.inputs, True), number)

    def _step(self, step: Step) -> Step:
        if step.kind == "fair" and step.action in self.surely:
            return Step(step.action, step.kind)
        return Step(OTHER.action, Kind.NOISE if step.kind.calm else step.kind)

    def _surely(self) -> dict[str, e.Expr]:
        """For each fair action, when it is possible whatever the other variables are; a running reconcile goes on."""
        found: dict[str, e.Expr] = {}
        visible = frozenset(self.types)
        types = {variable.name: variable for variable in self.whole.variables}
        for command in self.whole.commands:
            if command.step.kind != "fair":
                continue
            here = position(command.guard)
            if here is not None and here[1] != IDLE:
                continue
            seen = visible | {here[0]} if here is not None else visible
            _, surely = bounds(possible(command, types), seen)
            found[command.step.action] = e.either(found.get(command.step.action, e.FALSE), surely)
        for variable in self.counters:
            at_rest = (e.equal(e.Var(variable.name, variable.type), e.Const(p, variable.type)) for p in (IDLE, STOPPED))
            found[f"reconcile {variable.name[3:-1]}"] = e.negate(e.either(*at_rest))
        return {action: condition for action, condition in found.items() if condition != e.FALSE}

    def _classes(self, counter: Variable, abstract: list[_Abstract]) -> dict[Value, int]:
        assert isinstance(counter.type, EnumType)
        labels: dict[object, int] = {}
        edges: list[Edge] = []
        for one in abstract:
            source, target = one.sources.get(counter.name), one.targets.get(counter.name)
            if source is None or target is None:
                continue
            plain = one.command.guard == e.TRUE and not one.command.updates and one.command.step.kind.calm
            seen = (one.command.guard, one.command.updates, one.command.step.kind)
            label = None if plain else labels.setdefault(seen, len(labels))
            edges.append(Edge(str(source), label, str(target)))
        found: dict[Value, int] = {}
        found.update(classes(counter.type.values, (IDLE, STOPPED), edges))
        return found

    def _system(self, abstract: list[_Abstract]) -> System:
        names = {v.name: _class_type(set(self.classes[v.name].values())) for v in self.counters}
        counters = tuple(Variable(v.name, names[v.name], str(self.classes[v.name][IDLE])) for v in self.counters)
        commands: dict[object, tuple[Command, list[int]]] = {}
        for one in abstract:
            guard = one.command.guard
            for name, at in one.sources.items():
                here = e.Const(str(self.classes[name][at]), names[name])
                guard = e.both(e.equal(e.Var(name, names[name]), here), guard)
            moves = tuple((n, e.Const(str(self.classes[n][at]), names[n])) for n, at in one.targets.items())
            command = replace(one.command, guard=guard, updates=(*moves, *one.command.updates))
            key = (command.step, guard, command.updates)
            commands.setdefault(key, (command, []))[1].append(one.origin)
        begin = project(self.whole.initial, self.types)
        idle = tuple((v.name, e.Const(str(self.classes[v.name][IDLE]), names[v.name])) for v in self.counters)
        initial = Command(self.whole.initial.step, e.TRUE, (*idle, *begin.updates), begin.inputs)
        variables = (*counters, *self.kept)
        whole = self.whole
        self.origins = tuple(tuple(origins) for _, origins in commands.values())
        kept = tuple(command for command, _ in commands.values())
        return System(whole.operator, whole.scope, whole.layout, variables, initial, kept)

    def pattern(self, graph: StateGraph, goal: e.Expr, budget: Budget) -> Pattern:
        """The states in which there may be trouble."""
        system = self.system
        may_fail = predicate(system, bounds(e.negate(goal), frozenset(self.types))[0])
        surely = [(action, predicate(system, self._here(condition))) for action, condition in self.surely.items()]
        calm_graph = calm(graph, budget)
        bit = {action: 1 << index for index, action in enumerate(calm_graph.actions)}
        enabled = [sum(bit.get(action, 0) for action, holds in surely if holds(state)) for state in graph.states]
        failing = list(map(may_fail, graph.states))
        unsure = replace(calm_graph, enabled=enabled)
        quiet = tuple(n for n, bits in enumerate(enabled) if not bits and failing[n])
        restless = tuple(n for members in livelocks(unsure, [not fails for fails in failing]) for n in members)
        return Pattern(graph, self._key(), self.origins, quiet, restless)

    def _here(self, condition: e.Expr) -> e.Expr:
        """A condition with the positions that stand for their own classes."""
        for variable in self.counters:
            type_ = next(v.type for v in self.system.variables if v.name == variable.name)
            for at in (IDLE, STOPPED):
                old = e.Equal(e.Var(variable.name, variable.type), e.Const(at, variable.type))
                new = e.equal(e.Var(variable.name, type_), e.Const(str(self.classes[variable.name][at]), type_))
                condition = _replaced(condition, old, new)
        return condition

    def _key(self) -> Callable[[StateTuple], StateTuple]:
        places = {variable.name: index for index, variable in enumerate(self.whole.variables)}
        counters = [(places[v.name], {at: str(c) for at, c in self.classes[v.name].items()}) for v in self.counters]
        others = [places[variable.name] for variable in self.kept]
        rename = canonical(self.system)

        def key(state: StateTuple) -> StateTuple:
            return rename((*(names[state[i]] for i, names in counters), *(state[i] for i in others)))

        return key


def _is_position(part: e.Expr, here: tuple[str, Value]) -> bool:
    return isinstance(part, e.Equal) and isinstance(part.left, e.Var) and part.left.name == here[0]


def _targets(command: Command) -> Iterator[dict[str, Value]]:
    """The positions to which a command can lead; those of controllers that it leaves alone are left out."""
    found: list[dict[str, Value]] = [{}]
    for name, value in command.updates:
        if name.startswith("pc("):
            places = list(dict.fromkeys(_places(name, value)))
            found = [before if at is None else {**before, name: at} for before in found for at in places]
    yield from found


def _places(name: str, value: e.Expr) -> Iterator[Value | None]:
    """The positions that a command may give a program counter; None where it stays."""
    match value:
        case e.Const(constant, _):
            yield constant
        case e.Choice(_, yes, no):
            yield from _places(name, yes)
            yield from _places(name, no)
        case e.Var(same, _) if same == name:
            yield None
        case _:
            raise AssertionError(f"a program position that is not known: {e.show(value)}")


def _replaced(expr: e.Expr, old: e.Expr, new: e.Expr) -> e.Expr:
    return new if expr == old else e.rebuild(expr, tuple(_replaced(part, old, new) for part in e.parts(expr)))


def _class_type(numbers: set[int]) -> EnumType:
    return EnumType(tuple(str(number) for number in sorted(numbers)))
