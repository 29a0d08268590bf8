"""Proofs for every number, and for several controllers: small operators, each with one more reason to be hard."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.families import FAMILIES
from reconcheck.certify.check import Checker
from reconcheck.engines.budget import Budget
from reconcheck.engines.settling import plainly, settle
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Scope
from reconcheck.proof.certificate import Checked, Proof, Rests
from reconcheck.semantics.compiler import compile_system

SCALED = """rdsl 1
operator scaled {{
  runtime controller-runtime 0.24
  primary App as app {{ spec.size: {type} = {first} }}
  resource StatefulSet as sts owned by app {{ spec.replicas: {type} = 0  status.replicas: {type} = 0 }}
  controller app for app {{
    watch app on spec
    watch sts via owner
    on error backoff
    reconcile {{
      when sts.spec.replicas != app.spec.size {{ update sts.spec.replicas = app.spec.size }}
      await change
    }}
  }}
  environment {{
    process up when sts.status.replicas < sts.spec.replicas {{ sts.status.replicas += 1 }}
    process down when sts.status.replicas > sts.spec.replicas {{ sts.status.replicas -= 1 }}
    disturbance edit {{ app.spec.size = any }}
  }}
  converges {{ copied: sts.spec.replicas == app.spec.size  scaled: sts.status.replicas == app.spec.size }}
}}
"""
NESTED = """rdsl 1
operator nested {
  runtime controller-runtime 0.24
  primary App as app { spec.on: bool = true }
  external work { outer: nat = any  inner: nat = 0 }
  controller app for app { watch app on spec  on error backoff  reconcile { await change } }
  environment {
    process next when work.outer > 0 and work.inner == 0 { work.outer -= 1  work.inner = any }
    process step when work.inner > 0 { work.inner -= 1 }
  }
  converges { done: work.outer == 0 and work.inner == 0 }
}
"""
DRAINED = """rdsl 1
operator drained {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { spec.on: bool = true }
  resource Node as node { beat: bool = false }
  external work { left: nat = any }
  external y { beat: bool = false }
  controller app for app { watch app  on error backoff  reconcile { await change } }
  environment {
    process drain when COND work.left > 0 { work.left -= 1 }
    ACTIONS
  }
  converges { drained: work.left == 0 }
}
"""
"""Something comes to an end while something else goes on."""
TOGGLES = "process on when not y.beat { y.beat = true }  process off when y.beat { y.beat = false }"
ROW = """rdsl 1
operator row {
  runtime controller-runtime 0.24
  primary App as s0 { spec.size: 0..2 = 0 }
  primary Stage as s1 owned by s0 initially absent { spec.size: 0..2 = 0 }
  resource Stage as s2 owned by s1 initially absent { spec.size: 0..2 = 0 }
  controller s0 for s0 {
    watch s0
    watch s1 via owner
    on error backoff
    reconcile {
      when not s1.exists { create s1 { spec.size = s0.spec.size } }
      else when s1.spec.size != s0.spec.size { update s1.spec.size = s0.spec.size }
      await change
    }
  }
  controller s1 for s1 {
    watch s1
    watch s2 via owner
    on error backoff
    reconcile {
      when not s1.exists { await change }
      when not s2.exists { create s2 { spec.size = s1.spec.size } }
      else when s2.spec.size != s1.spec.size { update s2.spec.size = s1.spec.size }
      await change
    }
  }
  environment { disturbance edit { s0.spec.size = any } }
  converges { copied: s2.exists and s2.spec.size == s0.spec.size }
}
"""
TWO = """rdsl 1
system two {
  primary App as app { spec.version: 0..2 = any }
  primary Net as net { spec.ports: 0..2 = any }
  resource Deployment as deployment[2] owned by app { spec.version: 0..2 = 0  spec.ports: 0..2 = 0 }
  operator apps {
    runtime controller-runtime 0.24
    controller app for app {
      watch app on spec
      watch deployment via owner
      on error backoff
      reconcile {
        for d in deployment { when d.spec.version != app.spec.version { update d.spec.version = app.spec.version } }
        await change
      }
    }
  }
  operator nets {
    runtime controller-runtime 0.24
    controller net for net {
      watch net on spec
      watch deployment via (true)
      on error backoff
      reconcile {
        for d in deployment { when d.spec.ports != net.spec.ports { patch d.spec.ports = net.spec.ports } }
        await change
      }
    }
  }
  environment {
    disturbance release { app.spec.version = any }
    disturbance reroute { net.spec.ports = any }
    for d in deployment { disturbance drift { d.spec.version = any  d.spec.ports = any } }
  }
  converges {
    released: all(d in deployment: d.spec.version == app.spec.version)
    routed: all(d in deployment: d.spec.ports == net.spec.ports)
  }
}
"""
STEPPED = """rdsl 1
operator stepping {
  runtime controller-runtime 0.24
  primary App as app { spec.size: nat = any }
  resource StatefulSet as sts owned by app { spec.replicas: nat = 0 }
  controller app for app {
    watch app on spec
    watch sts via owner
    on error backoff
    reconcile {
      when sts.spec.replicas < app.spec.size { update sts.spec.replicas += 1 }
      else when sts.spec.replicas > app.spec.size { update sts.spec.replicas -= 1 }
      await change
    }
  }
  environment { disturbance edit { app.spec.size = any } }
  converges { copied: sts.spec.replicas == app.spec.size }
}
"""
OBSERVED = """rdsl 1
operator observed {
  runtime controller-runtime 0.24
  primary App as app { spec.version: nat = 0  status.observed: nat = 0 }
  controller app for app {
    watch app on spec
    on error backoff
    reconcile {
      when app.status.observed < app.spec.version { update app.status.observed = app.spec.version }
      await change
    }
  }
  environment { disturbance edit { app.spec.version += 1 } }
  converges { observed: app.status.observed == app.spec.version }
}
"""
COUNTED = """rdsl 1
operator counted {
  runtime controller-runtime 0.24
  primary App as app { spec.on: bool = true }
  resource Pod as pod[6] owned by app initially absent { status.ready: bool = false }
  controller app for app {
    watch app on spec
    watch pod via owner
    on error backoff
    reconcile {
      for p in pod { when not p.exists { create p } }
      await change
    }
  }
  environment {
    for p in pod {
      process ready when p.exists { p.status.ready = true }
      disturbance deleted when p.exists { delete p }
    }
  }
  converges {
    all_ready: count(p in pod: p.status.ready) == 6
    enough: count(p in pod: p.status.ready) >= 5
  }
}
"""


def proved(loaded: Loaded) -> None:
    """Every goal is proved in parts, and a checker that has seen nothing of the search accepts it again."""
    for goal in loaded.operator.goals:
        answer = Verifier(loaded, seconds=120, engines=frozenset({"proof"})).answer(goal, Scope())
        assert answer.verdict == "converges", (goal.name, answer.reason)
        assert isinstance(answer.certificate, Proof)
        again = Checker(compile_system(loaded.operator, Scope())).check(answer.certificate)
        assert isinstance(again, Checked), goal.name


@pytest.mark.parametrize(("type_", "first"), [("nat", "0"), ("nat", "any"), ("int", "any")])
def test_any_number_is_copied_and_scaled_to(type_: str, first: str) -> None:
    proved(load(Path("scaled.rdsl"), text=SCALED.format(type=type_, first=first)))


APART = [
    ("", "noise beats { y.beat = any }"),
    ("", "noise beats { node.beat = any }"),
    ("", TOGGLES),
]
"""What goes on changes nothing that anything else depends on."""
IN_THE_WAY = [
    ("y.beat and", "noise beats { y.beat = any }"),
    ("node.beat and", "noise beats { node.beat = any }"),
    ("y.beat and", TOGGLES),
    ("", "noise more { work.left += 1 }"),
]
"""What goes on can keep the rest from coming to its end, although each step of that uses something up."""


def drained(condition: str, actions: str) -> Loaded:
    return load(Path("drained.rdsl"), text=DRAINED.replace("COND", condition).replace("ACTIONS", actions))


@pytest.mark.parametrize(("condition", "actions"), APART)
def test_what_goes_on_beside_it_does_not_matter(condition: str, actions: str) -> None:
    proved(drained(condition, actions))


def test_noise_beside_an_operator_does_not_matter() -> None:
    text = SCALED.format(type="nat", first="any").replace(
        "environment {", "environment {\n    noise beats { node.beat = any }"
    )
    proved(
        load(
            Path("scaled.rdsl"),
            text=text.replace("  controller", "  resource Node as node { beat: bool = false }\n  controller", 1),
        )
    )


@pytest.mark.parametrize(("condition", "actions"), IN_THE_WAY)
def test_what_goes_on_in_its_way_does_matter(condition: str, actions: str) -> None:
    loaded = drained(condition, actions)
    (goal,) = loaded.operator.goals
    assert Verifier(loaded, seconds=60).answer(goal, Scope()).verdict in ("quiet", "livelock")


@pytest.mark.parametrize(
    ("condition", "actions", "holds"), [*((*one, True) for one in APART), *((*one, False) for one in IN_THE_WAY)]
)
def test_the_checker_tells_whether_it_is_in_the_way(condition: str, actions: str, holds: bool) -> None:
    loaded = drained(condition, actions)
    (goal,) = loaded.operator.goals
    system = compile_system(loaded.operator, Scope())
    checker = Checker(system)
    settle(system, checker, Budget())
    refused = checker.add(Rests(goal.formula, (), plainly(goal.formula).diagram))
    assert (refused is None) == holds
    if refused is not None:
        assert refused.obligation == "the goal holds at rest"


def test_a_counter_that_another_one_begins_again_ends() -> None:
    proved(load(Path("nested.rdsl"), text=NESTED))


@pytest.mark.parametrize("text", [STEPPED, OBSERVED, COUNTED], ids=["stepped", "observed", "counted"])
def test_numbers_are_compared_and_counted(text: str) -> None:
    proved(load(Path("numbers.rdsl"), text=text))


def test_an_observed_generation_that_can_be_ahead_is_not_proved() -> None:
    ahead = OBSERVED.replace("disturbance edit", "disturbance ahead { app.status.observed += 1 }  disturbance edit")
    loaded = load(Path("ahead.rdsl"), text=ahead)
    answer = Verifier(loaded, seconds=60).answer(loaded.operator.goals[0], Scope())
    assert answer.verdict == "quiet"


def test_what_is_stepped_but_not_watched_is_not_proved() -> None:
    loaded = load(Path("stepped.rdsl"), text=STEPPED.replace("    watch sts via owner\n", ""))
    answer = Verifier(loaded, seconds=60).answer(loaded.operator.goals[0], Scope())
    assert answer.verdict == "quiet"


@pytest.mark.parametrize("unbounded", [False, True], ids=["bounded", "unbounded"])
def test_readiness_comes_up_a_row_of_controllers(unbounded: bool) -> None:
    (family,) = [one for one in FAMILIES if one.name == "controllers" and one.unbounded == unbounded]
    proved(load(family.path, family.settings(3)))


@pytest.mark.parametrize(
    "text", [ROW, TWO, TWO.replace("[2]", "[4]")], ids=["in a row", "two operators", "of four objects"]
)
def test_several_controllers_are_proved_together(text: str) -> None:
    proved(load(Path("several.rdsl"), text=text))


def test_a_copy_of_a_copy_that_nobody_watches_is_not_proved() -> None:
    loaded = load(Path("row.rdsl"), text=ROW.replace("    watch s1\n    watch s2", "    watch s2"))
    answer = Verifier(loaded, seconds=30, engines=frozenset({"proof"})).answer(loaded.operator.goals[0], Scope())
    assert answer.verdict == "unknown"


def test_each_of_three_begins_when_the_one_before_is_scaled() -> None:
    proved(load(Path(__file__).parent / "bench/models/chain-unbounded.rdsl", {"N": 3}))
