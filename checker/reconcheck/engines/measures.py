"""Guesses at quantities that calm steps never raise, read off the commands.

A guess costs little: the checker decides.  What a command writes tells what it uses up: a flag that it clears,
a difference that it closes, a counter that it moves towards a bound, the rest of a running reconcile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from reconcheck.engines.clauses import same
from reconcheck.model import expr as e
from reconcheck.model.managers import is_view, live_name
from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, EnumType, is_number
from reconcheck.proof.certificate import Measure, Places
from reconcheck.semantics.system import Command, System, fixed

MOST_NODES = 20_000
"""Size of a formula past which it is no guess any more."""
MOST_BINDINGS = 4
"""Values of a local that are put in its place."""
RESTING = ("idle", "stopped")


class Guess(Struct, frozen=True):
    """A measure without an action, the fair actions that may end it, and the commands that may lower it."""

    measure: Measure
    actions: tuple[str, ...]
    sources: frozenset[int]


def guesses(system: System) -> list[Guess]:
    """Everything worth a try, in the order of the commands."""
    types = {variable.name: variable for variable in system.variables}
    enders = _enders(system)
    found: dict[Measure, tuple[dict[str, None], set[int]]] = {}
    for measure, likely, source in (*_of_steps(system, types), *_of_runs(system, types)):
        if measure.condition == e.FALSE or _size(measure.condition) > MOST_NODES:
            continue
        actions, sources = found.setdefault(measure, ({}, set()))
        actions.update(dict.fromkeys(likely))
        for name in sorted(e.names(measure.condition)):
            actions.update(dict.fromkeys(enders.get(name, ())))
        sources.update(source)
    return [Guess(measure, tuple(actions), frozenset(sources)) for measure, (actions, sources) in found.items()]


def _enders(system: System) -> dict[str, tuple[str, ...]]:
    """For each variable, the fair actions that write it, but for reconciles: those end what is theirs only."""
    writers: dict[str, dict[str, None]] = {}
    for command in system.commands:
        if command.step.kind == "fair" and not command.step.action.startswith("reconcile "):
            for name, _ in command.updates:
                writers.setdefault(name, {})[command.step.action] = None
    return {name: tuple(actions) for name, actions in writers.items() if len(actions) <= 4}


def _size(formula: e.Expr) -> int:
    return 1 + sum(_size(part) for part in e.parts(formula))


def flag(condition: e.Expr) -> Measure:
    """1 where a condition holds, else 0."""
    return Measure(condition, e.integer(1))


# ---- what single steps use up --------------------------------------------------------------------------------


Found = tuple[Measure, tuple[str, ...], Iterable[int]]


def _of_steps(system: System, types: dict[str, Variable]) -> Iterator[Found]:
    bound = _bindings(system, types)
    for number, command in enumerate(system.commands):
        if not command.step.kind.calm:
            continue
        action = command.step.action if command.step.kind == "fair" else ""
        likely = (action,) if action and not action.startswith("reconcile ") else ()
        known = fixed(command.guard, types)
        guard = e.substitute(command.guard, known)
        here = e.both(guard, *(same(e.Var(name, types[name].type), value) for name, value in known.items()))
        for name, update in command.updates:
            if name.startswith("pc(") or is_local(name):
                continue
            variable, new = e.Var(name, types[name].type), e.substitute(update, known)
            for value in (new, *_unbound(new, bound)):
                for measure in _closed_by(variable, value, command):
                    yield measure, likely, (number,)
            if name.startswith(("stale(", "event(")):
                continue
            if action.startswith("process "):
                yield flag(e.both(here, e.negate(same(known.get(name, variable), new)))), likely, (number,)
            elif action.startswith("reconcile ") and isinstance(new, e.Const):
                decision = e.both(*(part for part in e.conjuncts(guard) if all(map(_is_read, e.names(part)))))
                for formula in (decision, *_unbound(decision, bound)):
                    if formula != e.TRUE and all(map(is_view, e.names(formula))):
                        yield flag(e.both(formula, e.negate(same(variable, new)))), likely, (number,)


def _is_read(name: str) -> bool:
    """Whether a variable is what a run reads, or has read."""
    return is_view(name) or "/" in name


def _bindings(system: System, types: dict[str, Variable]) -> dict[str, list[e.Expr]]:
    """For each local of a reconcile, the values that it is given."""
    bound: dict[str, dict[e.Expr, None]] = {}
    for command in system.commands:
        if command.step.kind == "fair":
            for name, value in command.updates:
                if "/" in name and not isinstance(value, e.Const):
                    bound.setdefault(name, {})[e.substitute(value, fixed(command.guard, types))] = None
    return {name: list(values)[:MOST_BINDINGS] for name, values in bound.items()}


def _unbound(value: e.Expr, bound: dict[str, list[e.Expr]]) -> Iterator[e.Expr]:
    """The value with a local replaced by what it was given."""
    for name in sorted(e.names(value)):
        for given in bound.get(name, ()):
            yield e.substitute(value, {name: given})


def _closed_by(here: e.Var, value: e.Expr, command: Command) -> Iterator[Measure]:
    """What an assignment may bring down."""
    inputs = {variable.name for variable in command.inputs}
    read = {variable.name for variable in e.variables(value)}
    if read & inputs:
        return
    if isinstance(here.type, BoolType):
        if not isinstance(value, e.Const) and here.name not in read:
            yield flag(e.negate(same(here, value)))
        if value != e.TRUE:
            yield flag(here)
        if value != e.FALSE:
            yield flag(e.negate(here))
    elif is_number(here.type) and here.name in map(live_name, read):
        yield from _counted(here, command)
    elif isinstance(value, e.Choice):
        for leaf in _leaves(value):
            if here.name not in {variable.name for variable in e.variables(leaf)}:
                yield flag(e.negate(e.equal(here, leaf)))
    if not isinstance(here.type, BoolType) and here.name not in read:
        yield flag(e.negate(e.equal(here, value)))
    if isinstance(here.type, EnumType):
        for constant in here.type.values:
            yield flag(e.equal(here, e.Const(constant, here.type)))


def _leaves(value: e.Expr) -> Iterator[e.Expr]:
    if isinstance(value, e.Choice):
        yield from _leaves(value.yes)
        yield from _leaves(value.no)
    else:
        yield value


def _counted(here: e.Var, command: Command) -> Iterator[Measure]:
    """The way of a counter, or of the counter that a cached copy shows, to the bound that the guard puts to it."""
    copies: dict[str, e.Expr] = {name: here for name in e.names(command.guard) if live_name(name) == here.name}
    guard = e.substitute(command.guard, copies)
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        inner = part.operand if isinstance(part, e.Not) else part
        if isinstance(inner, e.AtMost) or (isinstance(inner, e.Equal) and is_number(e.type_of(inner.left))):
            low, high = inner.left, inner.right
        else:
            continue
        if here not in (low, high):
            continue
        for less, more in ((low, high), (high, low)):
            yield Measure(e.negate(e.at_most(more, less)), e.arithmetic("-", more, less))
            if isinstance(inner, e.AtMost) and isinstance(more, e.Const):
                past = e.integer(int(more.value) + 1)
                yield Measure(e.at_most(less, more), e.arithmetic("-", past, less))
    low_bound = e.integer(0)
    yield Measure(e.negate(e.at_most(here, low_bound)), here)


# ---- what a run uses up --------------------------------------------------------------------------------------


def _of_runs(system: System, types: dict[str, Variable]) -> Iterator[Found]:
    for variable in system.variables:
        if not variable.name.startswith("pc("):
            continue
        controller = variable.name[3:-1]
        moves = _moves(system, variable, types)
        left = _left(moves)
        if left is None:
            continue
        action = f"reconcile {controller}"
        own = system.fair.get(action, ())
        yield Measure(e.TRUE, Places(variable, tuple(sorted(left.items())))), (action,), own
        for condition, places in _decided(moves, types):
            amounts = tuple((place, left[place]) for place in sorted(places) if place in left)
            yield Measure(condition, Places(variable, amounts)), (action,), own
        for name, type_ in types.items():
            if is_local(name, controller):
                for condition, outlived in _outlived(moves, types, e.Var(name, type_.type)):
                    amounts = tuple((place, left[place]) for place in sorted(outlived) if place in left)
                    yield Measure(condition, Places(variable, amounts)), (action,), own


def ways(system: System) -> tuple[Places, ...]:
    """For each controller whose runs cannot go in circles, how far each place is from the end."""
    types = {variable.name: variable for variable in system.variables}
    found: list[Places] = []
    for variable in system.variables:
        if variable.name.startswith("pc("):
            left = _left(_moves(system, variable, types))
            if left:
                found.append(Places(variable, tuple(sorted(left.items()))))
    return tuple(found)


def ending(system: System, ways: Iterable[Places]) -> frozenset[str]:
    """The reconcile actions of which every step brings the run nearer to its end."""
    types = {variable.name: variable for variable in system.variables}
    found: set[str] = set()
    for way in ways:
        action = f"reconcile {way.variable.name[3:-1]}"
        steps = [command for command in system.commands if command.step.action == action and command.step.kind.calm]
        if all(_nearer(command, way, types) for command in steps):
            found.add(action)
    return frozenset(found)


def _nearer(command: Command, way: Places, types: dict[str, Variable]) -> bool:
    old, new = fixed(command.guard, types).get(way.variable.name), dict(command.updates).get(way.variable.name)
    if not isinstance(old, e.Const) or not isinstance(new, e.Const):
        return False
    return way.at(str(new.value)) < way.at(str(old.value))


def is_local(name: str, controller: str | None = None) -> bool:
    """Whether a variable belongs to a running reconcile only: a local, or the version that it has of an object."""
    if controller is None:
        return "/" in name or name.startswith("held(")
    return name.startswith((f"{controller}/", f"held({controller}: "))


def _moves(system: System, pc: Variable, types: dict[str, Variable]) -> list[tuple[str, str, Command]]:
    """The calm moves of a program counter within a run and to its end."""
    moves: list[tuple[str, str, Command]] = []
    for command in system.commands:
        if not command.step.kind.calm:
            continue
        new = dict(command.updates).get(pc.name)
        old = fixed(command.guard, types).get(pc.name)
        if isinstance(old, e.Const) and isinstance(new, e.Const) and str(old.value) not in RESTING:
            moves.append((str(old.value), str(new.value), command))
    return moves


def _left(moves: list[tuple[str, str, Command]]) -> dict[str, int] | None:
    """For each place, the most steps to the end of the run; None where a run can go in circles."""
    onward: dict[str, set[str]] = {}
    for old, new, _ in moves:
        onward.setdefault(old, set()).add(new)
    left: dict[str, int] = dict.fromkeys(RESTING, 0)
    for start in onward:
        work = [start]
        while work:
            place = work[-1]
            missing = [new for new in onward.get(place, ()) if new not in left]
            if place in left:
                work.pop()
            elif not missing:
                left[place] = 1 + max((left[new] for new in onward.get(place, ())), default=0)
                work.pop()
            elif len(work) > len(onward) + 1:
                return None
            else:
                work.append(missing[0])
    return {place: count for place, count in left.items() if count}


def _decided(
    moves: list[tuple[str, str, Command]], types: dict[str, Variable]
) -> Iterator[tuple[e.Expr, frozenset[str]]]:
    """Conditions under which a running reconcile would not decide again as it did, and where it stands then.

    It stands at a place to which only that decision leads.
    """
    before: dict[str, set[str]] = {}
    onward: dict[str, set[str]] = {}
    for old, new, _ in moves:
        before.setdefault(new, set()).add(old)
        onward.setdefault(old, set()).add(new)
    found: dict[tuple[str, str], dict[e.Expr, None]] = {}
    for old, new, command in moves:
        if new not in RESTING and command.step.detail.startswith("decide "):
            known = {name: value for name, value in fixed(command.guard, types).items() if name.startswith("pc(")}
            found.setdefault((old, new), {})[e.substitute(command.guard, known)] = None
    for (old, new), guards in found.items():
        if before[new] != {old}:
            continue
        places, work = {new}, [new]
        while work:
            for place in sorted(onward.get(work.pop(), ())):
                if place not in RESTING and place not in places and before[place] <= places:
                    places.add(place)
                    work.append(place)
        yield e.negate(e.either(*guards)), frozenset(places)


def _outlived(
    moves: list[tuple[str, str, Command]], types: dict[str, Variable], local: e.Var
) -> Iterator[tuple[e.Expr, set[str]]]:
    """Conditions under which a running reconcile works with a value of before, and where it stands then."""
    bound: dict[e.Expr, set[str]] = {}
    onward: dict[str, list[str]] = {}
    for old, new, command in moves:
        if new in RESTING:
            continue
        value = next((value for name, value in command.updates if name == local.name), None)
        if value is None:
            onward.setdefault(old, []).append(new)
        else:
            for leaf in _leaves(e.substitute(value, fixed(command.guard, types))):
                if leaf != local and not any(v.name == local.name for v in e.variables(leaf)):
                    bound.setdefault(leaf, set()).add(new)
    for value, starts in bound.items():
        places, work = set(starts), list(starts)
        while work:
            for new in onward.get(work.pop(), ()):
                if new not in places:
                    places.add(new)
                    work.append(new)
        yield e.negate(e.equal(local, value)), places
        if isinstance(local.type, EnumType) and isinstance(value, e.Const):
            yield e.equal(local, value), places
