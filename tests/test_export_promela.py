"""Exports to Promela are judged by Spin: it must find the states that there are, and the same answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import referees
from reconcheck.export import promela
from reconcheck.export.system import build
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Scope
from referees import Task, Truth, judge, size_of, truth_of
from referees_log import AGREED, DISAGREED, WRONG
from spin import Spin, SpinError
from support import GOLDEN, MODELS, read

SEEDS = (4, 26, 30, 33, 43)
"""Random models, some with opaque values, some with numbers without bounds."""
SHIPPED = tuple(path for path in MODELS if path.parent.name == "minimal")
FEW_STATES = 100
"""States up to which the interpreter lists the other models that come along; for the record it lists them all."""
MANY_STATES = 10_000
"""States from which on a model that comes along is in the record only, for time."""
SECONDS = 100.0

COUNTING = """rdsl 1
operator counting {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: nat = 0 }
  controller app for app { watch app reconcile { await change } }
  environment { disturbance more { db.n = db.n + 1 } }
  always few: db.n <= 2
  always bounded: db.n <= 5
}
"""

LEAVING = """rdsl 1
operator leaving {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: 0..2 = 0 }
  controller app for app { watch app reconcile { await change } }
  environment { process more { db.n = db.n + 1 } }
  always few: db.n <= 2
}
"""


def operator_of(text: str, folder: Path) -> Operator:
    """The operator of a text."""
    path = folder / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    return load(path).operator


def agreed(operator: Operator, scope: Scope, name: str) -> None:
    """Lets Spin judge a model, and says what is wrong if it disagrees."""
    truth = truth_of(operator, scope, 5_000, anyhow=False)
    entry = judge(Spin(), name, operator, scope, truth, SECONDS)
    assert entry.outcome in (AGREED, WRONG), entry.text


def test_spin_is_installed() -> None:
    assert Spin().missing() is None, Spin().missing()


@pytest.mark.parametrize("path", [*GOLDEN, *SHIPPED], ids=lambda path: path.stem)
def test_spin_agrees_on_models(path: Path) -> None:
    agreed(read(path), Scope(), path.stem)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_spin_agrees_on_every_model_in_every_scope_that_is_not_large(path: Path) -> None:
    task = Task(str(path), None)
    operator = task.operator()
    for scope in task.scopes(operator):
        size = size_of(operator, scope, MANY_STATES)
        if size is not None and size > MANY_STATES:
            continue
        truth = truth_of(operator, scope, FEW_STATES, anyhow=True, size=size)
        entry = judge(Spin(), task.case, operator, scope, truth, SECONDS)
        assert entry.outcome == AGREED, entry.text


@pytest.mark.parametrize("seed", SEEDS)
def test_spin_agrees_on_random_models(seed: int) -> None:
    task = Task("", seed)
    operator = task.operator()
    agreed(operator, task.scopes(operator)[0], task.case)


def test_numbers_stay_within_the_bound_that_the_export_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = operator_of(COUNTING, tmp_path)
    (text,) = promela.files(build(operator, Scope(), operator.goals, 4)).values()
    assert "BOUNDED: numbers that the model leaves without bounds stay within 4" in text
    monkeypatch.setattr(referees, "BOUND", 4)
    truth = truth_of(operator, Scope(), 1_000, anyhow=False)
    assert isinstance(truth, Truth)
    assert truth.holds == {"few": False, "bounded": True}
    assert judge(Spin(), "counting", operator, Scope(), truth, SECONDS).outcome == AGREED


def test_a_value_that_leaves_its_range_is_an_error_for_spin_too(tmp_path: Path) -> None:
    operator = operator_of(LEAVING, tmp_path)
    truth = truth_of(operator, Scope(), 1_000, anyhow=False)
    assert judge(Spin(), "leaving", operator, Scope(), truth, SECONDS).outcome == WRONG == truth


def test_who_expects_something_else_disagrees() -> None:
    operator = read(next(path for path in GOLDEN if path.stem == "blue-green"))
    truth = truth_of(operator, Scope(), 1_000, anyhow=False)
    assert isinstance(truth, Truth)
    for goal, holds in truth.holds.items():
        lie = Truth(truth.states, {**truth.holds, goal: not holds}, truth.by)
        entry = judge(Spin(), "blue-green", operator, Scope(), lie, SECONDS)
        assert entry.outcome == DISAGREED
        assert entry.text == f"{goal}: it says {holds}, and the interpreter {not holds}"
    entry = judge(Spin(), "blue-green", operator, Scope(), Truth(truth.states[1:], truth.holds, truth.by), SECONDS)
    assert entry.text == f"it has {2 * len(truth.states) + 1} states, and must have {2 * len(truth.states) - 1}"


def test_a_search_that_was_cut_is_no_answer() -> None:
    for told in ("", "errors: 0\nerror: max search depth too small", "errors: 1\npan: invalid end state"):
        with pytest.raises(SpinError):
            Spin()._is_unbroken(told)


@pytest.mark.parametrize("name", ["two-fight", "operators-fight"])
def test_spin_does_not_repeat_doing_nothing_down_to_its_depth_limit(name: str, tmp_path: Path) -> None:
    operator = read(GOLDEN[0].with_name(f"{name}.rdsl"))
    seen = Spin().look(build(operator, Scope(), operator.goals), tmp_path, 0, SECONDS)
    assert not all(seen.holds.values())
    assert not seen.deep


def test_the_header_says_how_to_run_it() -> None:
    """Its commands are those that the referee uses."""
    operator = read(next(path for path in GOLDEN if path.stem == "two-fight"))
    system = build(operator, Scope(), operator.goals)
    ((name, text),) = promela.files(system).items()
    assert f"spin -a -o2 {name}" in text
    assert f"./pan -m100000 -N {promela.EVERY_STATE} " in text
    assert "search that was not cut: where pan says `max search depth too small`" in " ".join(text.split()).replace(
        " * ", " "
    )
    assert f"-DNFAIR={promela.fair_words(system)}" in text
    for question in system.questions:
        fair = " -f" if question.kind == "converges" else ""
        claim = promela.claims(system)[question.name]
        assert f"./pan -a{fair} -m100000 -N {claim}" in text
        assert re.search(rf"^ltl {claim} \{{ ", text, re.MULTILINE)
