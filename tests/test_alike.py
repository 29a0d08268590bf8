"""Likeness in the checker: parts and steps that look alike are asked about once, and nothing else is."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count, islice
from pathlib import Path

import pytest
from msgspec.structs import replace

import random_models
from random_operators import WITH_COPIES, WITH_LOOPS, WITH_MORE
from reconcheck.certify.check import Checker
from reconcheck.certify.obligations import Obligations
from reconcheck.certify.queries import Discharged, Name
from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.explicit import explore
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import Scope, Variable
from reconcheck.model.types import BOOL, EnumType, OpaqueType, RangeType, Value, domain, is_finite
from reconcheck.proof.certificate import Column, Invariant, Part, Proof, Refused, Rests, region_type
from reconcheck.proof.diagram import Diagram, Node, build, leaf
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System

HEAD = """rdsl 1
operator forged {
  runtime RUNTIME
  primary App as app PRESENT { spec.size: 1..3 = 1 }
"""
QUIET = """
  controller app for app { watch app on spec  on error backoff  reconcile { await change } }
"""
INSIDE = leaf(0)
MOST_COLUMNS = 6
MODELS, PARTS = 25, 30
"""Random models from each seed on, and parts about each."""


def system(tmp_path: Path, body: str, runtime: str = "controller-runtime 0.24", present: str = "") -> System:
    path = tmp_path / "model.rdsl"
    head = HEAD.replace("RUNTIME", runtime).replace("PRESENT", present)
    path.write_text(f"{head}{body}}}\n", encoding="utf-8")
    return compile_system(load(path).operator, Scope())


def plain(system: System, name: str) -> Column:
    """A column that shows a variable as it is."""
    type_ = next(variable.type for variable in system.variables if variable.name == name)
    return Column(name, type_, e.Var(name, type_))


def in_regions(column: Column, *places: str) -> Column:
    """The column with two regions: these places, and all others."""
    assert isinstance(column.type, EnumType)
    regions = tuple((place, "here" if place in places else "elsewhere") for place in column.type.values)
    return Column(column.name, region_type(regions), column.term, regions)


def is_not(column: Column, value: Value) -> e.Expr:
    return e.negate(e.equal(column.term, e.Const(value, column.type)))


# ---- certificates that were forged -------------------------------------------------------------------------------


def refused(system: System, goal: e.Expr, *parts: Part) -> str:
    """The obligation that a proof of some parts fails with; and so does the last part alone, where nothing is alike."""
    found = Checker(system).check(Proof(goal, (), parts))
    assert isinstance(found, Refused), "a wrong proof is accepted"
    return found.obligation


def test_another_step_that_changes_a_predicate(tmp_path: Path) -> None:
    """Steps that look alike to a predicate column were taken for one, whose whole guard was then relied on."""
    made = system(
        tmp_path,
        f"""
  external db {{ x: int = 0  z: int = 0  w: bool = true }}
{QUIET}
  environment {{
    process a when db.z == db.x and db.z <= 0 {{ db.x = db.x + 1 }}
    process b when db.w {{ db.x = db.x + 1  db.w = false }}
  }}
  converges {{ small: db.x <= 1 }}
""",
    )
    small = e.at_most(plain(made, "db.x").term, e.integer(1))
    column = Column("P", BOOL, small)
    diagram = Diagram((column.variable,), (Node(0, ((True, INSIDE),)),), 0)
    assert refused(made, small, Rests(small, (column,), diagram)) == "kept: process b"


def test_what_is_chosen_and_what_is_left_out(tmp_path: Path) -> None:
    """`x = any` is never `none`, but `x = y` may be, of which a diagram sees no more."""
    made = system(
        tmp_path,
        f"""
  external db {{ x: opaque  y: opaque = none }}
{QUIET}
  environment {{ process a {{ db.x = any }}  process b {{ db.x = db.y }} }}
  converges {{ some: db.x != none }}
""",
    )
    column = plain(made, "db.x")
    some = is_not(column, 0)
    diagram = Diagram((column.variable,), (Node(0, ((0, INSIDE),)),), 0)
    assert refused(made, some, Rests(some, (column,), diagram)) == "kept: process b"


@pytest.mark.parametrize("values", ["b | a | c", "c | a | b"])
def test_regions_of_what_is_no_program_counter(values: str, tmp_path: Path) -> None:
    """Two tables were taken for one, and a value that is called like a region for that region."""
    made = system(
        tmp_path,
        f"""
  external db {{ g: a | b = a  f: {values} = c }}
{QUIET}
  environment {{ process go {{ db.f = db.g }} }}
  converges {{ never: db.f == c }}
""",
    )
    column = plain(made, "db.f")
    assert isinstance(column.type, EnumType)
    regions = tuple((value, "a" if value == "c" else "b") for value in column.type.values)
    folded = Column("F", region_type(regions), column.term, regions)
    diagram = Diagram((folded.variable,), (Node(0, (("a", INSIDE),)),), 0)
    never = e.equal(column.term, e.Const("c", column.type))
    found = Checker(made).check(Invariant(never, (folded,), diagram))
    assert isinstance(found, Refused)
    assert found.reason == "only a program counter has regions"


TWO = """
  external db { flag: bool = false  busy: bool = false  u: bool = false }
  controller one for app {
    watch app on spec
    on error backoff
    reconcile {
      let d = live(db)
      when d.flag { call db.u = true }
      await change
    }
  }
  controller two for app {
    watch app on spec
    on error backoff
    reconcile { call db.busy = true  call db.busy = false  requeue again after 5s }
  }
  faults { call off  crash off  api off }
  converges { calm: not db.busy }
"""


def test_the_region_of_one_counter_is_none_of_another(tmp_path: Path) -> None:
    """A part about one run was taken for like a part about another one that the same diagram shows."""
    made = system(tmp_path, TWO)
    one, two = plain(made, "pc(one)"), plain(made, "pc(two)")
    assert isinstance(one.type, EnumType)
    assert isinstance(two.type, EnumType)
    never_one, never_two = one.type.values[-1], two.type.values[-2]
    first, second = in_regions(one, never_one), in_regions(two, never_two)
    flag, read = plain(made, "db.flag"), plain(made, "one/d.flag")
    columns = (flag, read, first, second)
    off = ((False, 0),)
    nodes = (Node(2, (("elsewhere", INSIDE),)), Node(1, off), Node(0, ((False, 1),)))
    diagram = Diagram(tuple(column.variable for column in columns), nodes, 2)
    checker = Checker(made)
    queued = [plain(made, f"queued({name})").term for name in ("one", "two")]
    parts = [
        Rests(e.Or((is_not(counter, never), e.And((waits, e.Not(waits))))), columns, diagram)  # known of the first only
        for counter, never, waits in zip((one, two), (never_one, never_two), queued, strict=True)
    ]
    assert checker.add(parts[0]) is None
    assert checker.add(parts[1]) is not None


FOLDED = """
  external db { busy: bool = false  u: bool = false }
  controller one for app {
    watch app
    on error backoff
    reconcile {
      let d = live(db)
      when 1 == 2 { call db.u = d.u  await change }
      call db.busy = true
      call db.busy = false
      requeue again after 5s
    }
  }
  environment { process made when not app.exists { create app } }
  faults { call off  crash off  api off  relist off }
  converges { calm: not db.busy }
"""


def test_a_step_that_asks_before_it_moves(tmp_path: Path) -> None:
    """kube-rs begins a run if the object is there: what comes of that is the whole table, which was left out."""
    made = system(tmp_path, FOLDED, "kube-rs 4.2", "initially any")
    counter = plain(made, "pc(one)")
    assert isinstance(counter.type, EnumType)
    place_of = [variable.name for variable in made.variables].index("pc(one)")
    reached = {state[place_of] for state in states_of(made)}
    unreached = [place for place in counter.type.values if place not in reached]
    assert unreached
    checker = Checker(made)
    for place in (*unreached, *counter.type.values):
        column = in_regions(counter, place)
        diagram = Diagram((column.variable,), (Node(0, (("elsewhere", INSIDE),)),), 0)
        found = checker.add(Rests(is_not(counter, place), (column,), diagram))
        assert found is not None or place in unreached, place


def test_a_counter_that_is_shown_as_it_is_and_in_regions(tmp_path: Path) -> None:
    """The table of the regions was left out: they are those of a counter that another column shows whole."""
    made = system(tmp_path, FOLDED.replace("process made when not app.exists { create app }", ""))
    counter = plain(made, "pc(one)")
    assert isinstance(counter.type, EnumType)
    place_of = [variable.name for variable in made.variables].index("pc(one)")
    reached = {state[place_of] for state in states_of(made)}
    checker = Checker(made)
    never = next(place for place in counter.type.values[2:] if place not in reached)
    often = counter.type.values[counter.type.values.index(never) + 1]
    for name, place in (("db.u", never), ("db.busy", often)):  # different variables: what is known differs otherwise
        told = plain(made, name).term
        columns = (counter, replace(in_regions(counter, place), name="R"))
        diagram = Diagram(tuple(column.variable for column in columns), (Node(1, (("elsewhere", INSIDE),)),), 0)
        found = checker.add(Rests(e.Or((told, e.Not(told))), columns, diagram))
        assert (found is None) == (place not in reached), place


# ---- random diagrams ---------------------------------------------------------------------------------------------


def states_of(system: System, most: int = 2_000) -> list[Sequence[Value]]:
    """The reachable states.  Raises `Exhausted` where there are more."""
    return list(explore(system, Budget(states=most)).states)


def candidates(
    system: System, states: list[Sequence[Value]], dice: random.Random, number: int
) -> Iterator[Part | Invariant]:
    """Parts of random columns, with the projected states inside, or all but some: about half of them are true."""
    names = [variable.name for variable in system.variables]
    for _ in range(number):
        chosen = dice.sample(system.variables, min(len(names), dice.choice((1, 1, 2, 2, 3))))
        if dice.random() < 0.5:
            chosen = with_sources(system, chosen[0])
        columns = []
        for variable in chosen:
            column = plain(system, variable.name)
            if variable.name.startswith("pc(") and isinstance(variable.type, EnumType) and dice.random() < 0.7:
                places = dice.sample(variable.type.values, dice.randint(1, len(variable.type.values) - 1))
                if dice.random() < 0.3:  # and as it is
                    columns.append(column)
                column = replace(in_regions(column, *places), name=f"R {variable.name}")
            elif isinstance(variable.type, RangeType) and dice.random() < 0.4:
                bound = e.integer(dice.randint(variable.type.low, variable.type.high))
                column = Column("P " + variable.name, BOOL, e.at_most(column.term, bound))
            columns.append(column)
        rows = dict.fromkeys(
            tuple(shown(column, dict(zip(names, state, strict=True))) for column in columns) for state in states
        )
        kept = list(rows)
        if len(kept) > 1 and dice.random() < 0.5:
            kept.remove(dice.choice(kept))
        about = dice.choice(chosen)
        formula: e.Expr = e.TRUE
        if is_finite(about.type) and not isinstance(about.type, OpaqueType):
            formula = is_not(plain(system, about.name), dice.choice(tuple(domain(about.type))))
        diagram = build(tuple(column.variable for column in columns), ((row, 0) for row in kept))
        kind = dice.choice((Invariant, Rests))
        yield kind(formula, tuple(columns), diagram)


def with_sources(system: System, variable: Variable) -> list[Variable]:
    """The variable with some of those that what changes it depends on: their diagrams are true more often."""
    found = {variable.name}
    for _ in range(2):
        for command in system.commands:
            if not found.isdisjoint(name for name, _ in command.updates) and len(found | command.reads) <= MOST_COLUMNS:
                found |= command.reads
    return [one for one in system.variables if one.name in found]


def shown(column: Column, state: dict[str, Value]) -> Value:
    value = e.evaluate(column.term, state)
    return dict(column.regions)[str(value)] if column.regions else value


def each_apart(self: Obligations, name: Name, goal: e.Expr, more: Sequence[e.Expr], settled: bool) -> Refused | None:
    """The obligations of a part with one rank, each written down, in the order in which they are asked."""
    found: Refused | Discharged = self._refute([self._begin()])
    for number in self.context.writing(self.variables):
        for _, query in self._kept([number]):
            self.declared = {}
            (query,) = (one for _, one in self._kept([number]))
            found = found if isinstance(found, Refused) else self._refute([query])
    if isinstance(found, Refused):
        return found
    self.declared = {}
    formulas = [goal, *more, *self._known_here([goal, *more], settled)]
    last = self._refute([self._in_state(name, self._inside(self._here()), formulas, {})])
    return last if isinstance(last, Refused) else None


def few_states(first: int) -> Iterator[tuple[System, list[Sequence[Value]]]]:
    """The systems of random models from a seed on, with their states, but for those that have too many."""
    for seed in count(first):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.rdsl")
            path.write_text(random_models.model_text(seed, small=True), encoding="utf-8")
            made = compile_system(load(path).operator, Scope())
        with suppress(Exhausted, Endless, LeftRange):
            yield made, states_of(made)


@pytest.mark.parametrize("first", [0, WITH_LOOPS, WITH_MORE, WITH_COPIES])
def test_random_parts_are_accepted_as_when_nothing_is_alike(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = list(islice(few_states(first), MODELS))
    parts = [list(candidates(*case, random.Random(first + n), PARTS)) for n, case in enumerate(cases)]

    def outcomes() -> list[str]:
        checkers = [Checker(made) for made, _ in cases]
        return [outcome(checker, part) for checker, some in zip(checkers, parts, strict=True) for part in some]

    alike = outcomes()
    monkeypatch.setattr(Obligations, "_inside_only", each_apart)
    assert outcomes() == alike
    assert min(Counter(alike)[one] for one in ("accepted", "refused")) > MODELS * PARTS // 20


def outcome(checker: Checker, part: Part | Invariant) -> str:
    """What a checker says to a part, which it does not take."""
    mark = checker.mark()
    found = checker.add(part)
    checker.back_to(mark)
    return "accepted" if found is None else "refused"
