"""What actions, enums and filters mean: models that once got a wrong answer, or an internal error."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from judge import Judge
from reconcheck.diagnostic import ModelError
from reconcheck.engines.consistent import Consistency
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import Scope, Variable
from reconcheck.model.types import BOOL, INT, NAT, EnumType, RangeType, Type, contains, domain, is_finite
from test_regressions import QUIET_CONTROLLER, answers, model

UNLIKE = "type Wide = red | green | blue\ntype Color = red | green\ntype Other = red | blue"


def test_a_choice_between_enums_of_which_neither_has_all_values_of_the_other(tmp_path: Path) -> None:
    """Such a choice was taken for one of the second type, so that equality with what only the first has was "false":
    a wrong "converges", which the checker confirmed, since it simplifies in the same way.
    """
    found = answers(
        tmp_path,
        f"""
  primary App as app {{ spec.on: bool = true }}
  external x {{ a: Color = green  w: Wide = red  v: Wide = red  o: Other = red  met: bool = false }}
{QUIET_CONTROLLER}
  environment {{
    process set {{ x.w = x.a  x.v = green  x.met = (if app.spec.on then x.w else x.o) == x.v }}
  }}
  converges {{ never: not x.met }}
  always unmet: not x.met
""",
        UNLIKE,
    )
    assert {name: answer.verdict for name, answer in found.items()} == {"never": "quiet", "unmet": "fails"}


def test_a_union_has_the_values_of_both_types() -> None:
    types: list[Type] = [
        EnumType(("a", "b")),
        EnumType(("b", "c")),
        EnumType(("a", "b", "c")),
        EnumType(("d",)),
        RangeType(0, 2),
    ]
    types += [RangeType(-1, 1), NAT, INT]
    for left, right in itertools.product(types, repeat=2):
        if isinstance(left, EnumType) == isinstance(right, EnumType):
            for type_ in (left, right):
                values = domain(type_) if is_finite(type_) else (-7, 7) if type_ == INT else (7,)
                assert all(contains(e.union(left, right), value) for value in values)


@pytest.mark.parametrize("goal", ["x.w == {choice}", "{choice} == x.w"])
def test_a_goal_with_a_choice_between_such_enums(goal: str, tmp_path: Path) -> None:
    """The proof was refused as not well formed (RC902); with the choice first, the model was (RC203)."""
    found = answers(
        tmp_path,
        f"""
  primary App as app {{ spec.on: bool = true }}
  external x {{ a: Color = green  w: Wide = red  o: Other = red }}
{QUIET_CONTROLLER}
  environment {{
    process set {{ x.w = (if app.spec.on then x.a else x.o) }}
    disturbance others {{ x.a = any  x.o = any  app.spec.on = any }}
  }}
  converges {{ same: {goal.format(choice="(if app.spec.on then x.a else x.o)")} }}
""",
        UNLIKE,
    )
    assert found["same"].verdict == "converges"


@pytest.mark.parametrize(
    ("field", "condition", "verdict"),
    [
        ("c: 0..2 = 0", "x.c == 1", "converges"),
        ("c: opaque = none", "x.c == none", "converges"),
        ("c: opaque = none", "x.c != none", "quiet"),
        ("c: 0..2 = 0", "x.c >= 0", "quiet"),
        ("c: opaque = none", "x.c == none or x.c != none", "quiet"),
        ("c: nat = 0", "x.c > 3", "unknown"),
    ],
)
def test_a_choice_that_decides_whether_the_action_is_possible(
    field: str, condition: str, verdict: str, tmp_path: Path
) -> None:
    """A finalizer cannot be set while its object is being deleted: with that, `any` is in the guard (RC903)."""
    loaded = model(
        tmp_path,
        f"""
  primary App as app {{ finalizer a = true  finalizer hold = false }}
  external x {{ {field}  done: bool = false }}
{QUIET_CONTROLLER}
  environment {{
    process set when not x.done {{ x.c = any  app.finalizers.hold = {condition}  x.done = true }}
    disturbance gone {{ delete app }}
  }}
  converges {{ done: x.done }}
""",
    )
    (goal,) = loaded.operator.goals
    assert Verifier(loaded).answer(goal, Scope()).verdict == verdict
    assert verdict in ("unknown", Judge(loaded.operator, Scope(), 10_000).judge(goal).verdict)


def test_what_the_environment_creates_is_counted_up_as_in_a_reconcile(tmp_path: Path) -> None:
    """`+=` was taken for `=` there."""
    members = f"""
  primary App as app
  resource Job as job initially absent {{ n: 1..5 = 1 }}
{QUIET_CONTROLLER}
  environment {{ process made when not job.exists {{ create job {{ n += 2 }} }} }}
  converges {{ three: job.n == 3 }}
"""
    assert answers(tmp_path, members)["three"].verdict == "converges"
    by_controller = members.replace(
        "reconcile { await", "reconcile { when not job.exists { create job { n += 2 } } await"
    )
    by_controller = by_controller.replace(
        "process made when not job.exists { create job { n += 2 } }", "noise beat { app.spec.beat = any }"
    )
    by_controller = by_controller.replace("primary App as app", "primary App as app { spec.beat: bool = false }")
    assert answers(tmp_path, by_controller)["three"].verdict == "converges"


@pytest.mark.parametrize(
    ("statement", "code"),
    [("create job { n = 2  n = 3 }", "RC202"), ("job.n += any", "RC206"), ("create job { n -= any }", "RC206")],
)
def test_what_an_action_cannot_mean_is_refused(statement: str, code: str, tmp_path: Path) -> None:
    """The last of two values counted, and `+= any` was taken for `= any`."""
    members = f"""
  primary App as app
  resource Job as job initially absent {{ n: 1..5 = 1 }}
{QUIET_CONTROLLER}
  environment {{ process made when not job.exists {{ {statement} }} }}
  converges {{ three: job.n == 3 }}
"""
    with pytest.raises(ModelError) as wrong:
        model(tmp_path, members)
    assert [diagnostic.code for diagnostic in wrong.value.diagnostics] == [code]
    by_controller = members.replace("await change", f"{statement.replace('job.n', 'patch job.n')} await change", 1)
    by_controller = by_controller.replace("{ process made when not job.exists { " + statement + " } }", "{}")
    with pytest.raises(ModelError) as wrong:
        model(tmp_path, by_controller)
    assert [diagnostic.code for diagnostic in wrong.value.diagnostics] == [code]


def test_a_fair_step_that_chooses_a_number_for_an_object(tmp_path: Path) -> None:
    """All searches were left out, since whether its event is new depends on the number."""
    found = answers(
        tmp_path,
        """
  primary App as app
  resource Job as job { n: nat = 0  done: bool = false }
  external x { n: nat = 0 }
  controller app for app { watch app  on error backoff  reconcile { call x.n = job.n  await change } }
  environment { process p when not job.done { job.n = any  job.done = true } }
  converges { same: x.n == job.n }
""",
    )
    assert found["same"].verdict == "quiet"


def test_conditions_are_told_from_what_is_known_of_them() -> None:
    """The same formulas, some of them known to hold, and all of them asked about, had one answer (RC903)."""
    types = {name: Variable(name, BOOL, None) for name in ("p", "q")}
    p, q = (e.Var(name, BOOL) for name in types)
    for clauses in ([], [p, q]):
        consistency = Consistency(types, clauses)
        every = consistency._ask([p, q], [])
        assert every == tuple(itertools.product((False, True), repeat=2))
        assert consistency._ask([q], [p]) == ((False,), (True,))
        assert consistency._ask([p, q], []) == every


@pytest.mark.parametrize("runtime", ["kopf", "java-operator-sdk", "ansible"])
def test_a_primary_without_a_generation_is_not_filtered(runtime: str, tmp_path: Path) -> None:
    """Such a runtime compares generations, where there are any: a Secret's changes were all dropped."""
    path = tmp_path / "model.rdsl"
    path.write_text(f"""rdsl 1
operator o {{
  runtime {runtime}
  primary Secret as secret {{ data: opaque }}
  external db {{ data: opaque = none }}
  controller secret for secret {{
    watch secret
    on error backoff
    reconcile {{ let s = live(secret)  call db.data = s.data  await change }}
  }}
  environment {{ disturbance edit {{ secret.data = any }} }}
  converges {{ copied: db.data == secret.data }}
}}
""")
    loaded = load(path)
    assert Verifier(loaded).answer(loaded.operator.goals[0], Scope()).verdict == "converges"
    assert not loaded.findings
