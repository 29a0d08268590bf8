"""`let p = app`: an object that a reconcile reads once, as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcheck.diagnostic import ModelError
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Operator, Scope
from reconcheck.semantics.compiler import compile_system
from support import disagreement

TORN = """
  primary App as app { spec.a: bool = false  spec.b: bool = false }
  external db { torn: bool = false }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      BODY { call db.torn = true }
      await change
    }
  }
  controller other for app {
    watch app
    on error backoff
    reconcile { await change }
  }
  environment { disturbance both { app.spec.a = not app.spec.a  app.spec.b = not app.spec.b } }
  always whole: not db.torn
"""
FAN = """
  primary App as app { spec.a: bool = true }
  resource Pod as pods[2] owned by app initially absent { spec.a: bool = false  status.b: 0..9 = 0 }
  controller app for app {
    watch app  watch pods via owner
    on error backoff
    reconcile {
      LINE
      for pod in pods {
        let had = pod
        when not had.exists { create pod { spec.a = p.spec.a } on exists continue }
        else when had.spec.a != p.spec.a and not had.deleting { update pod.spec.a = p.spec.a }
      }
      await change
    }
  }
  environment { disturbance edit { app.spec.a = any } }
  converges { copied: all(pod in pods: pod.exists and pod.spec.a == app.spec.a) }
"""


OWN = """
  primary App as app { spec.a: bool = false }
  external db { same: bool = false }
  faults { api off  crash off }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      let p = app
      patch app.spec.a = not p.spec.a
      let now = live(app)
      when WHAT.spec.a == now.spec.a { call db.same = true }
      await change
    }
  }
  always differs: not db.same
"""


def operator(tmp_path: Path, body: str, runtime: str = "controller-runtime 0.24 { resync = none }") -> Operator:
    path = tmp_path / "model.rdsl"
    path.write_text(f"rdsl 1\noperator copies {{\n  runtime {runtime}\n{body}}}\n", encoding="utf-8")
    return load(path).operator


def verdict(operator: Operator) -> str:
    """The answer to the only question, where the interpreter and the compiled system agree on every step."""
    assert disagreement(operator, Scope(), 2_000) is None
    return Verifier(Loaded(operator, ())).answer(operator.goals[0], Scope()).verdict


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("let a = app.spec.a  let b = app.spec.b  when a != b", "fails"),
        ("when app.spec.a { when not app.spec.b { call db.torn = true } } else when app.spec.b", "fails"),
        ("let p = app  when p.spec.a != p.spec.b", "holds"),
        ("let p = app  when p.spec.a { when not p.spec.b { call db.torn = true } } else when p.spec.b", "holds"),
    ],
)
def test_a_copy_is_of_one_version(tmp_path: Path, body: str, expected: str) -> None:
    """With two controllers, two reads may see two versions, but not two looks at a copy."""
    assert verdict(operator(tmp_path, TORN.replace("BODY", body))) == expected


@pytest.mark.parametrize(("what", "expected"), [("p", "holds"), ("app", "fails")])
def test_a_copy_stays_what_it_is(tmp_path: Path, what: str, expected: str) -> None:
    """What the run writes itself, and what the cache learns of it, is not in it."""
    assert verdict(operator(tmp_path, OWN.replace("WHAT", what))) == expected


def test_elements_of_arrays_are_copied_in_a_loop(tmp_path: Path) -> None:
    assert verdict(operator(tmp_path, FAN.replace("LINE", "let p = app"))) == "converges"


def test_only_what_is_used_is_copied(tmp_path: Path) -> None:
    """Each field more would multiply the states."""
    variables = compile_system(operator(tmp_path, FAN.replace("LINE", "let p = app")), Scope()).variables
    assert not any(variable.name.startswith("view(") and "status.b" in variable.name for variable in variables)


@pytest.mark.parametrize(
    ("line", "runtime", "code"),
    [
        ("let p = pods", "controller-runtime 0.24", "RC220"),
        ("let p = pods[2]", "controller-runtime 0.24", "RC220"),
        ("let p = pods[0]", "kube-rs 4.2", "RC207"),
        ("let p = app on error continue", "controller-runtime 0.24", "RC206"),
        ("let p = app  let r = p", "controller-runtime 0.24", "RC203"),
        ("let p = app  when p { fail }", "controller-runtime 0.24", "RC203"),
        ("let p = app  when p.spec.z { fail }", "controller-runtime 0.24", "RC205"),
    ],
)
def test_what_cannot_be_copied(tmp_path: Path, line: str, runtime: str, code: str) -> None:
    with pytest.raises(ModelError) as error:
        operator(tmp_path, FAN.replace("LINE", line), runtime)
    assert code in {problem.code for problem in error.value.diagnostics}
