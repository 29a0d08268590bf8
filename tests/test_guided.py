"""The search that is guided by a goal's variables: what it finds is real, as short as it says, and not missed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcheck.engines import suspects as engines_suspects
from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import livelocks, quiet_states
from reconcheck.engines.first_slices import first_slice
from reconcheck.engines.guided import Counterexample, search
from reconcheck.engines.lasso import shortest_lasso
from reconcheck.engines.patterns import pattern
from reconcheck.engines.positions import Edge, classes
from reconcheck.engines.projection import bounds
from reconcheck.engines.python_code import canonical, successors
from reconcheck.engines.stepping import Stepper
from reconcheck.engines.suspects import Suspect, suspects
from reconcheck.explain.trace import Claim, Replayer, Trace
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.model.types import BOOL
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.system import System
from support import GOLDEN, MODELS, read, scopes
from support import search as exhaustive

NO_SCHEDULE = Scope()
BENCH = Path(__file__).parent / "bench" / "models"

FAN_OUT = """rdsl 1
param N: 1..100 = 2
operator fan_out {
  runtime controller-runtime 0.24
  primary App as app { spec.version: 0..2 = any  status.ready: bool = false }
  resource Sub as sub[N] owned by app initially absent { spec.version: 0..2 = 0  status.ready: bool = false }
  resource Sub as odd owned by app initially absent { spec.version: 0..2 = 0  status.ready: bool = false }
  controller app for app {
    watch app on spec
    watch sub via owner
    WATCH
    on error backoff
    reconcile {
      for s in sub {
        when not s.exists { create s { spec.version = app.spec.version } }
        else when s.spec.version != app.spec.version { update s.spec.version = app.spec.version }
      }
      when not odd.exists { create odd { spec.version = app.spec.version } ON_ERROR }
      else when odd.spec.version != app.spec.version { update odd.spec.version = app.spec.version }
      when odd.status.ready and all(s in sub: s.status.ready) { update app.status.ready = true }
      await change
    }
  }
  environment {
    for s in sub {
      process ready when s.exists { s.status.ready = true }
      disturbance drift when s.exists { s.spec.version = any }
      disturbance deleted when s.exists { delete s }
    }
    process odd_ready when odd.exists { odd.status.ready = true }
    DRIFT
    disturbance odd_deleted when odd.exists { delete odd }
    disturbance edit { app.spec.version = any }
  }
  converges { copied: odd.exists and odd.spec.version == app.spec.version  ready: app.status.ready }
}
"""
WATCHED = "watch odd via owner"
DRIFTS = "disturbance odd_drift when odd.exists { odd.spec.version = any }"
PINNED = "process odd_pinned when odd.exists { odd.spec.version = 0 }"
CASES = {
    "missing watch": ("", "", DRIFTS, "copied", "quiet"),
    "late status": ("", "", DRIFTS, "ready", "quiet"),
    "dropped by the predicate": ("watch odd via owner on status.ready", "", DRIFTS, "copied", "quiet"),
    "swallowed error": (WATCHED, "on error continue", DRIFTS, "copied", "quiet"),
    "two that fight": (WATCHED, "", PINNED, "copied", "livelock"),
}
"""For each way not to converge: the watch, the handler, who changes the odd one, the goal, and how it ends."""


def fan_out(tmp_path: Path, size: int, watch: str, handler: str, drift: str) -> Operator:
    """A fan-out to `size` secondaries and one more, the odd one."""
    path = tmp_path / "fan-out.rdsl"
    path.write_text(FAN_OUT.replace("WATCH", watch).replace("ON_ERROR", handler).replace("DRIFT", drift))
    return load(path, {"N": size}).operator


def found(system: System, goal: Goal) -> Counterexample | None:
    return search(system, first_slice(system, goal.formula), goal.formula, Budget())


def replayed(system: System, goal: Goal, counterexample: Counterexample) -> Trace:
    """The counterexample on the reference interpreter.  Raises `DoesNotReplay`."""
    steps = [(system.commands[c].step if c >= 0 else None, state) for c, state in counterexample.path]
    end = "quiet" if counterexample.loop is None else "livelock"
    claim = Claim(steps, counterexample.loop, end, counterexample.shortest)
    replayer = Replayer(system.operator, system.scope, canonical(system))
    return replayer.replay(claim, lambda state: bool(e.evaluate(goal.formula, state)), ())


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_models_as_by_exhaustive_search(path: Path) -> None:
    """Found where there is one and nowhere else, of the same kind and length, and known to be the shortest."""
    operator = read(path)
    for scope in scopes(operator):
        known = exhaustive(operator, scope)
        for goal in operator.goals:
            if goal.kind != "converges":
                continue
            values = known.values(goal)
            quiet, loops = quiet_states(known.calm, values), livelocks(known.calm, values)
            counterexample = found(known.system, goal)
            assert (counterexample is not None) == bool(quiet or loops), f"{goal.name} {scope}"
            if counterexample is None:
                continue
            replayed(known.system, goal, counterexample)
            length = len(counterexample.path) - 1
            assert counterexample.shortest, f"{goal.name} {scope}"
            if counterexample.loop is None:
                assert length == known.graph.depth[quiet[0]]
            else:
                lasso = shortest_lasso(known.calm, loops, values, Budget())
                assert lasso is not None
                assert length == len(lasso.stem) - 1 + len(lasso.loop)


@pytest.mark.parametrize("size", [1, 3, 12])
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case).replace(" ", "-"))
def test_fan_out(case: str, size: int, tmp_path: Path) -> None:
    watch, handler, drift, name, end = CASES[case]
    operator = fan_out(tmp_path, size, watch, handler, drift)
    system = compile_system(operator, NO_SCHEDULE)
    goal = operator.goal(name)
    counterexample = found(system, goal)
    assert counterexample is not None
    assert replayed(system, goal, counterexample).end == end


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_missing_watch_is_shown_by_the_fewest_steps(size: int, tmp_path: Path) -> None:
    """Two steps for each watched secondary, and seven more: by hand, and by what the patterns add up to."""
    operator = fan_out(tmp_path, size, *CASES["missing watch"][:3])
    system = compile_system(operator, NO_SCHEDULE)
    counterexample = found(system, operator.goal("copied"))
    assert counterexample is not None
    assert counterexample.shortest
    assert len(counterexample.path) - 1 == 2 * size + 7


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_of_several_parts_the_shortest_run_without_any_of_them(path: Path) -> None:
    """Whichever part is looked at first, what is called the shortest is the shortest for all of them."""
    operator = read(path)
    parts = tuple(dict.fromkeys(goal.formula for goal in operator.goals if goal.kind == "converges"))
    known = exhaustive(operator, NO_SCHEDULE)
    whole = e.both(*parts)
    values = known.values(Goal("all", "converges", whole, operator.goals[0].doc, (), operator.goals[0].span))
    quiet, loops = quiet_states(known.calm, values), livelocks(known.calm, values)
    for part in parts:
        for thorough in (True, False):
            found_ = search(
                known.system, first_slice(known.system, part), part, Budget(), whole=parts, thorough=thorough
            )
            if found_ is None:
                continue
            assert quiet or loops
            length = len(found_.path) - 1
            if found_.loop is None:
                assert length >= known.graph.depth[quiet[0]]
                assert length == known.graph.depth[quiet[0]] or not found_.shortest
                assert found_.shortest or (not thorough and len(parts) > 1)
            elif found_.shortest:
                lasso = shortest_lasso(known.calm, loops, values, Budget())
                assert lasso is not None
                assert length == len(lasso.stem) - 1 + len(lasso.loop)


@pytest.mark.parametrize("goal", ["copied", "status"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_missing_watch_in_the_benchmark_is_shown_by_as_few_steps_as_by_exhaustive_search(
    goal: str, size: int
) -> None:
    """Six steps for one secondary, by its whole state graph; two more for each further one, and two for a restart."""
    operator = load(BENCH / "fanout-missing-watch.rdsl", {"N": size}).operator
    system = compile_system(operator, NO_SCHEDULE)
    parts = e.conjuncts(operator.goal(goal).formula)
    part = next(suspects(system, parts, Budget())).formula
    counterexample = search(system, first_slice(system, part), part, Budget(), whole=parts)
    assert counterexample is not None
    assert counterexample.shortest
    assert len(counterexample.path) - 1 == (6 if size == 1 else 2 * size + 6)
    if size == 1:
        known = exhaustive(operator, NO_SCHEDULE, 40_000)
        assert known.graph.depth[quiet_states(known.calm, known.values(operator.goal(goal)))[0]] == 6


def test_the_first_look_leaves_most_of_the_time_to_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float | None] = []

    def watched(_system: System, _parts: tuple[e.Expr, ...], budget: Budget) -> Iterator[Suspect]:
        left.append(budget.left)
        return iter(())

    monkeypatch.setattr(engines_suspects, "suspects", watched)
    loaded = load(BENCH / "fanout-missing-watch.rdsl", {"N": 4})
    for seconds in (10.0, None):
        verifier = Verifier(loaded, seconds, engines=frozenset({"search"}))
        monkeypatch.setattr(
            verifier.convergence, "_guided", lambda *_: Answer(loaded.operator.goals[0], NO_SCHEDULE, "quiet")
        )
        verifier.answer(loaded.operator.goals[0], NO_SCHEDULE, why=False)
    assert left[0] is not None
    assert left[0] <= 0.3 * 10
    assert left[1] == pytest.approx(60, abs=5)


def test_a_large_fan_out_needs_few_states(tmp_path: Path) -> None:
    """One run of the scheduler, and a few departures from it."""
    operator = fan_out(tmp_path, 32, *CASES["missing watch"][:3])
    system = compile_system(operator, NO_SCHEDULE)
    counterexample = found(system, operator.goal("copied"))
    assert counterexample is not None
    assert counterexample.explored < 2_000
    assert len(counterexample.path) - 1 < 100


def test_the_same_twice(tmp_path: Path) -> None:
    operator = fan_out(tmp_path, 4, *CASES["swallowed error"][:3])
    system = compile_system(operator, NO_SCHEDULE)
    goal = operator.goal("copied")
    assert found(system, goal) == found(system, goal)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_single_steps_are_those_of_the_whole_graph(path: Path) -> None:
    operator = read(path)
    for scope in scopes(operator)[:2]:
        known = exhaustive(operator, scope)
        stepper, rename, following = Stepper(known.system), canonical(known.system), successors(known.system)
        for state in known.graph.states[:200]:
            single = {
                (command, rename(after))
                for command in stepper.possible(state)
                for _, after in stepper.steps(command, state)
            }
            assert single == set(following(state))
            fair = {known.system.commands[c].step for c, _ in single if known.system.commands[c].step.kind == "fair"}
            assert stepper.fair_actions(state) == {step.action for step in fair}
            assert stepper.is_quiet(state) == (not fair)


def test_a_start_that_may_leave_the_controller_idle() -> None:
    """Where a key without a primary is dropped, the place that `start` leads to depends on the cache."""
    operator = read(next(path for path in MODELS if path.stem == "document"))
    system = compile_system(operator, NO_SCHEDULE)
    goal = next(goal for goal in operator.goals if goal.kind == "converges")
    seen = pattern(system, first_slice(system, goal.formula), goal.formula, Budget())
    assert seen is not None
    assert len(seen.graph.states) > 1


def test_bounds_of_a_condition() -> None:
    seen, cut = e.Var("seen", BOOL), e.Var("cut", BOOL)
    visible = frozenset({"seen"})
    assert bounds(e.both(seen, cut), visible) == (seen, e.FALSE)
    assert bounds(e.either(seen, cut), visible) == (e.TRUE, seen)
    assert bounds(e.negate(e.both(seen, cut)), visible) == (e.TRUE, e.negate(seen))
    assert bounds(seen, visible) == (seen, seen)


def test_positions_that_lead_to_the_same_are_one() -> None:
    edges = [
        Edge("idle", None, "a"),
        Edge("a", None, "b"),
        Edge("b", "write", "c"),
        Edge("c", None, "d"),
        Edge("d", None, "idle"),
    ]
    found_ = classes(["idle", "a", "b", "c", "d"], ["idle"], edges)
    assert found_["a"] == found_["b"] != found_["c"] == found_["d"]
    assert found_["idle"] == 0
