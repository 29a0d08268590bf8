"""What is exported has the steps of the reference interpreter, before any language comes in."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from judge import Key
from reconcheck.export.assignments import in_order, saved_name
from reconcheck.export.names import identifiers, originals
from reconcheck.export.simplify import change, tidied, under
from reconcheck.export.system import CALM, System, build
from reconcheck.model import expr as e
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.types import BOOL, RangeType, Value
from reconcheck.semantics.steps import Kind
from referees import Task
from reference import Bounded
from support import GOLDEN, read

BOUND = 3
MOST_STATES = 150
SEEDS = range(40)

Edge = tuple[str, Kind, Key]


def successors(system: System, state: dict[str, Value]) -> set[tuple[str, Kind, tuple[Value, ...]]]:
    """The steps that the guards let happen, with the state after without `calm`."""
    found: set[tuple[str, Kind, tuple[Value, ...]]] = set()
    for action in system.actions:
        for _, instance in system.instances(action):
            if action.unit != CALM and e.evaluate(instance.guard, state):
                assert not e.evaluate(instance.leaves, state)
                after = state | {name: e.evaluate(value, state) for name, value in instance.updates}
                found.add((action.name, action.kind, tuple(v for name, v in after.items() if name != CALM)))
    return found


def difference(operator: Operator, scope: Scope) -> str | None:
    """Where the export and the interpreter differ, among the first states."""
    system, listing = build(operator, scope, operator.goals, BOUND), Bounded(operator, scope, BOUND)
    names = listing.names
    assert names == tuple(variable.name for variable in system.variables)[:-1]

    def canonical(values: tuple[Value, ...]) -> Key:
        return listing.canonical(dict(zip(names, values, strict=True)))

    begun = {listing.canonical(state) for state in listing.initial()}
    first = set()
    for _, instance in system.instances(system.initial):
        values = {name: e.evaluate(value, {}) for name, value in instance.updates}
        assert values.pop(CALM) is False
        first.add(canonical(tuple(values[name] for name in names)))
    if first != begun:
        return f"first states: {first ^ begun}"
    todo, seen = sorted(begun, key=repr), set(begun)
    for state in todo:
        if len(seen) > MOST_STATES:
            break
        here = dict(zip(names, state, strict=True))
        wanted: set[Edge] = {(str(step), step.kind, listing.canonical(after)) for step, after in listing.look(here)[0]}
        exported = {(name, kind, canonical(after)) for name, kind, after in successors(system, here | {CALM: False})}
        if exported != wanted:
            return f"{here}: {exported ^ wanted}"
        calm = {(name, kind, canonical(after)) for name, kind, after in successors(system, here | {CALM: True})}
        assert calm == {edge for edge in wanted if edge[1].calm}
        for _, _, after in sorted(wanted, key=repr):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return None


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_models_have_the_same_steps(path: Path) -> None:
    for level in (3, 4):
        assert difference(read(path), Scope(level=level)) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_random_models_have_the_same_steps(seed: int) -> None:
    task = Task("", seed)
    operator = task.operator()
    system = build(operator, Scope(), operator.goals, BOUND)
    if any(action.leaves != e.FALSE for action in system.actions):
        return  # such steps are the referees' business
    assert difference(operator, task.scopes(operator)[0]) is None


def test_each_guard_says_that_something_changes() -> None:
    """Over all values, not only those that are reached."""
    for path in GOLDEN[:12]:
        operator = read(path)
        system = build(operator, Scope(), operator.goals, BOUND)
        for action in system.actions:
            for _, instance in system.instances(action):
                still = e.both(instance.guard, *(e.equal(e.Var(n, system.types[n]), v) for n, v in instance.updates))
                read_ = sorted(e.names(still))
                values = [system.values(next(v for v in system.variables if v.name == name)) for name in read_]
                if all(values) and len(read_) <= 8:
                    for chosen in product(*values):
                        assert not e.evaluate(still, dict(zip(read_, chosen, strict=True))), (path, action.name)


# ---- the parts ---------------------------------------------------------------------------------------------------


A, B, C = (e.Var(name, BOOL) for name in "abc")
N = e.Var("n", RangeType(0, 3))


def test_guards_are_simplified_by_what_they_say_already() -> None:
    assert change("a", BOOL, e.either(A, B)) == e.both(e.negate(A), B)
    assert change("a", BOOL, e.both(A, B)) == e.both(A, e.negate(B))
    assert change("n", N.type, e.choose(A, e.integer(2), N)) == e.both(A, e.negate(e.equal(N, e.integer(2))))
    assert under(e.either(e.both(A, B), C), e.both(A, e.negate(C))) == B
    assert under(N, e.equal(N, e.integer(2))) == e.Const(2, N.type)
    assert tidied(e.both(e.either(A, B), e.either(B, C, A))) == e.either(A, B)
    assert tidied(e.both(A, e.either(e.both(A, B), B, C))) == e.both(A, e.either(B, C))


def test_updates_are_put_in_order() -> None:
    saved, ordered = in_order([("a", B), ("b", C), ("c", e.TRUE)])
    assert (saved, [name for name, _ in ordered]) == ([], ["a", "b", "c"])
    saved, ordered = in_order([("c", e.TRUE), ("b", C), ("a", B)])
    assert (saved, [name for name, _ in ordered]) == ([], ["a", "b", "c"])
    saved, ordered = in_order([("a", B), ("b", A)])
    assert saved == ["a"]
    assert ordered == [("a", B), ("b", e.Var(saved_name("a"), BOOL))]
    saved, ordered = in_order([("a", e.negate(A))])
    assert (saved, ordered) == ([], [("a", e.negate(A))])


@pytest.mark.parametrize("seed", range(30))
def test_ordered_updates_do_what_updates_at_once_do(seed: int) -> None:
    from random import Random

    dice = Random(seed)
    names = "abcd"
    variables = [e.Var(name, BOOL) for name in names]
    updates = [
        (name, e.either(*dice.sample(variables, dice.randint(1, 3)))) for name in dice.sample(names, dice.randint(1, 4))
    ]
    saved, ordered = in_order(updates)
    for values in product((False, True), repeat=4):
        state: dict[str, Value] = dict(zip(names, values, strict=True))
        at_once = state | {name: e.evaluate(value, state) for name, value in updates}
        stepwise = state | {saved_name(name): state[name] for name in saved}
        for name, value in ordered:
            stepwise[name] = e.evaluate(value, stepwise)
        assert {name: stepwise[name] for name in names} == at_once


def test_identifiers_are_readable_unique_and_read_back() -> None:
    names = ["view(sts.ready)", "view.sts.ready", "pc(app)", "View(sts ready)", "if", "1st", "..."]
    table = identifiers(names, taken={"if"})
    assert list(table.values()) == [
        "view_sts_ready",
        "view_sts_ready_2",
        "pc_app",
        "View_sts_ready_3",
        "if_2",
        "x_1st",
        "x_",
    ]
    assert {originals(table)[identifier] for identifier in table.values()} == set(names)


def test_opaque_values_are_enough_for_every_variable_and_choice() -> None:
    operator = read(next(path for path in GOLDEN if path.stem == "missing-watch"))
    system = build(operator, Scope(), operator.goals)
    opaque = [v for v in system.variables if str(v.type) == "opaque"]
    assert system.opaque_values == len(opaque) + 1
    assert not system.endless
    assert system.bound is None


def test_whether_an_action_is_possible_is_told_without_its_choices() -> None:
    operator = read(next(path for path in GOLDEN if path.stem == "missing-watch"))
    system = build(operator, Scope(), operator.goals)
    (rotate,) = (action for action in system.actions if action.name == "disturbance rotate")
    assert "any0" in e.names(rotate.guard)
    enabled = system.enabled(rotate)
    assert "any0" not in e.names(enabled)
    zero: dict[str, Value] = {variable.name: 0 for variable in system.variables}
    assert e.evaluate(enabled, zero | {CALM: False})
    assert not e.evaluate(enabled, zero | {CALM: True})
