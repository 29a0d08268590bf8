"""Models that once got a wrong answer, or an internal error in place of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from contestants import Contest
from judge import objection
from reconcheck.engines import lasso
from reconcheck.engines.python_code import canonical, choices, initial_states
from reconcheck.explain import reachability
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Scope
from reconcheck.render.text import Paint, render_answer
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Kind, Step

HEAD = "  runtime controller-runtime 0.24\n"
QUIET_CONTROLLER = "  controller app for app { watch app reconcile { await change } }\n"
CHOOSING = f"""
  primary App as app
  external db {{ n: nat = 0  up: bool = false }}
{QUIET_CONTROLLER}
  environment {{ process choose {{ db.n = any }}  noise flip {{ db.up = not db.up }} }}
  converges {{ up: db.up }}
"""
"""A process can choose another number at any time."""


def model(tmp_path: Path, members: str, prelude: str = "") -> Loaded:
    """An operator with these members."""
    path = tmp_path / "model.rdsl"
    path.write_text(f"rdsl 1\n{prelude}\noperator o {{\n{HEAD}{members}\n}}\n")
    return load(path)


def answers(tmp_path: Path, members: str, prelude: str = "") -> dict[str, Answer]:
    """The answer to each question of an operator with these members."""
    loaded = model(tmp_path, members, prelude)
    return {answer.goal.name: answer for answer in Verifier(loaded).report(Scope()).answers}


def test_enums_with_the_same_names_in_another_order(tmp_path: Path) -> None:
    """Equality of such values was asked of Z3 by their places in two different lists."""
    found = answers(
        tmp_path,
        """
  primary App as app { spec.c: A = any }
  external db { c: B = red }
  controller app for app { watch app reconcile { call db.c = app.spec.c await change } }
  environment { disturbance edit { app.spec.c = any } }
  converges { same: db.c == app.spec.c  other: db.c != app.spec.c }
  always eq: db.c == app.spec.c
""",
        "type A = red | green | blue\ntype B = blue | green | red",
    )
    assert {name: answer.verdict for name, answer in found.items()} == {
        "same": "converges",
        "other": "quiet",
        "eq": "fails",
    }


def test_a_conditional_between_a_wide_and_a_narrow_enum(tmp_path: Path) -> None:
    """Its two branches were numbered by their own types when it was written for Z3."""
    found = answers(
        tmp_path,
        """
  primary App as app { spec.c: Narrow = any  spec.on: bool = true  spec.w: Wide = any }
  external db { w: Wide = a }
  controller app for app {
    watch app
    reconcile { call db.w = if app.spec.on then app.spec.c else app.spec.w  await change }
  }
  environment { disturbance edit { app.spec.c = any }  disturbance turn { app.spec.on = not app.spec.on } }
  converges { set: db.w == (if app.spec.on then app.spec.c else app.spec.w) }
  always turned: (if app.spec.on then app.spec.c else db.w) == (if not app.spec.on then db.w else app.spec.c)
""",
        "type Wide = a | b | c\ntype Narrow = c | b",
    )
    assert found["set"].verdict == "converges"
    assert found["turned"].verdict == "holds"


def test_a_slice_that_does_not_know_why_a_cut_variable_stays_in_its_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refused invariant of a slice was an internal error; the whole graph has the answer."""
    monkeypatch.setattr(reachability, "WORTH_SLICING", 0)
    found = answers(
        tmp_path,
        f"""
  primary App as app {{ spec.c: 0..1 = any }}
  external db {{ left: bool = true  used: 0..1 = 0 }}
{QUIET_CONTROLLER}
  environment {{ noise use when db.left {{ db.used += 1  db.left = false }} }}
  always small: app.spec.c <= 1
""",
    )
    assert (found["small"].verdict, found["small"].engine) == ("holds", "whole state graph")


def test_a_cut_opaque_variable_may_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice left out the states in which it was, and its proof was refused."""
    monkeypatch.setattr(reachability, "WORTH_SLICING", 0)
    found = answers(
        tmp_path,
        """
  primary App as app { spec.c: opaque = none }
  external db { c: opaque = none  up: bool = false }
  controller app for app { watch app reconcile { call db.c = app.spec.c await change } }
  environment { disturbance edit { app.spec.c = any } }
  always down: db.up implies db.c != none
""",
    )
    assert (found["down"].verdict, found["down"].engine) == ("holds", "slices")


def test_a_choice_that_is_read_and_written_over(tmp_path: Path) -> None:
    """The action is always possible, but what it changes depends on a choice that no variable keeps."""
    found = answers(
        tmp_path,
        f"""
  primary App as app
  external db {{ c: 0..2 = 0  d: 0..2 = 0 }}
{QUIET_CONTROLLER}
  environment {{ process p when db.d == 0 {{ db.c = any  db.d = (if db.c == 0 then 2 else 1)  db.c = 0 }} }}
  converges {{ moved: db.d != 0 }}
""",
    )
    assert found["moved"].verdict == "converges"


def test_a_livelock_too_wide_for_the_shortest_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search for the shortest loop gave up, there was no loop at all."""
    monkeypatch.setattr(lasso, "MOST_NODES", 5)
    found = answers(
        tmp_path,
        f"""
  primary App as app
  external db {{ a: bool = false  b: bool = false  c: bool = false }}
{QUIET_CONTROLLER}
  environment {{
    process flip_a {{ db.a = not db.a }}
    process flip_b {{ db.b = not db.b }}
    process flip_c {{ db.c = not db.c }}
  }}
  converges {{ steady: db.a }}
""",
    )
    trace = found["steady"].trace
    assert found["steady"].verdict == "livelock"
    assert trace is not None
    assert trace.loop is not None
    assert not trace.shortest
    shown = render_answer(load(tmp_path / "model.rdsl").operator, found["steady"], Paint(False))
    assert "(the search for a shorter loop was cut short)" in shown


def test_a_refused_certificate_is_no_verdict_and_stops_no_other_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proof that its check does not confirm ends with exit code 4; models that need no proof are answered."""
    from reconcheck.certify.check import Checker
    from reconcheck.cli.main import main
    from reconcheck.proof.certificate import Refused

    models = Path(__file__).parent.parent / "models" / "minimal"
    monkeypatch.setattr(Checker, "check", lambda *_: Refused("falling", "Z3 found a state in which it fails"))
    proved, refuted = models / "external-with-notifies.rdsl", models / "swallowed-error.rdsl"
    assert main(["verify", "--jobs", "1", str(proved), str(refuted)]) == 4
    printed = capsys.readouterr()
    assert "internal error[RC902]" in printed.err
    assert "converges" not in printed.out
    assert "ok " in printed.out


def test_a_loop_that_closes_up_to_renaming_says_so(tmp_path: Path) -> None:
    """It was said to repeat, and showed other letters at its end than at its beginning."""
    members = f"""
  primary App as app
  external db {{ p: opaque = none  q: opaque = none  up: bool = false }}
{QUIET_CONTROLLER}
  environment {{ process rotate {{ db.q = db.p  db.p = any }}  process flip {{ db.up = not db.up }} }}
  converges {{ same: db.p == db.q }}
"""
    found = answers(tmp_path, members)
    operator = load(tmp_path / "model.rdsl").operator
    shown = " ".join(render_answer(operator, found["same"], Paint(False)).split())
    assert found["same"].verdict == "livelock"
    assert "repeat for ever, with other opaque values each time" in shown
    found = answers(tmp_path, members.replace("same: db.p == db.q", "same: db.up").replace("db.p = any", ""))
    assert found["same"].verdict == "livelock"
    assert "other opaque values" not in render_answer(operator, found["same"], Paint(False))


def test_a_choice_among_all_numbers_that_only_calm_steps_make(tmp_path: Path) -> None:
    """The states of a slice could be listed, its calm steps could not: that ended the program."""
    path = tmp_path / "model.rdsl"
    path.write_text("""rdsl 1
type Color = red | green
operator o {
  runtime controller-runtime 0.24 { timer_merge = earliest period = none }
  primary App as app read live { status.b: Color = any  finalizer cleanup }
  resource Secret as sts owned by app (plain) initially absent { status.b: int = (0 - 1) }
  external database { up: int = 0  secret: Color }
  controller first for app {
    watch app on create where ((old.status.b != green or new.status.b != new.status.b))
    watch sts on update where ((not old.deleting or old.status.b == new.status.b)), status
    on error backoff
    reconcile { call database.up = sts.status.b  fail terminal }
  }
  environment {
    noise act1 { sts.status.b = any }
    disturbance gone2 { delete sts }
    process act3 when (not app.deleting implies app.status.b != red) {
      sts.status.b = any  sts.status.b = (if sts.status.b == 0 then (0 - 1) else 1)  sts.status.b = 1
    }
  }
  faults { api off call on crash on relist off lost_event off }
  converges { settled: sts.exists implies database.up == sts.status.b }
}
""")
    loaded = load(path)
    (goal,) = loaded.operator.goals
    alone = Verifier(loaded, 10.0, engines=frozenset({"proof"})).answer(goal, Scope())
    assert alone.verdict in ("unknown", "converges")
    assert Verifier(loaded).answer(goal, Scope()).verdict == "converges"


def test_a_number_chosen_where_the_run_shows_none(tmp_path: Path) -> None:
    """Looking for causes took 0 for `False`, so there was no number to choose: that ended the program."""
    found = answers(
        tmp_path,
        """
  primary App as app initially absent { status.n: nat = 0 }
  controller app for app {
    watch app on create
    reconcile { apply app { status.n = app.status.n } on error continue  apply app { status.n = any }  await change }
  }
  converges { grown: app.status.n > app.status.n }
""",
    )
    assert found["grown"].verdict == "quiet"


@pytest.mark.parametrize("numbers", [(), (-1,)])
def test_zero_is_among_the_numbers_to_choose(numbers: tuple[int, ...], tmp_path: Path) -> None:
    """Where the numbers to be tried were all negative, a `nat` had none."""
    operator = model(tmp_path, CHOOSING).operator
    interpreter = Interpreter(operator, Scope(), numbers)
    chosen = next(interpreter.initial()) | {"db.n": 5}
    assert [after["db.n"] for step, after in interpreter.successors(chosen, "process choose")] == [0]


def test_a_loop_in_which_another_number_can_be_chosen_all_the_time_is_refused(tmp_path: Path) -> None:
    """A replay tried the numbers that its loop shows, so what could only choose another one was not possible in it."""
    loaded = model(tmp_path, CHOOSING)
    goal = loaded.operator.goal("up")
    interpreter = Interpreter(loaded.operator, Scope(), (0,))
    states, steps = [next(interpreter.initial())], list[Step | None]([None])

    def go(*kinds: Kind) -> bool:
        found = next((one for one in interpreter.successors(states[-1]) if one[0].kind in kinds), None)
        if found is not None:
            steps.append(found[0])
            states.append(found[1])
        return found is not None

    while go(Kind.FAIR):
        pass
    loop = len(states) - 1
    assert go(Kind.NOISE)
    assert go(Kind.NOISE)
    claim = Claim(list(zip(steps, map(interpreter.key, states), strict=True)), loop, "livelock", False)
    replayer = Replayer(loaded.operator, Scope(), lambda state: state)
    with pytest.raises(DoesNotReplay, match="not fair to process choose"):
        replayer.replay(claim, lambda state: bool(e.evaluate(goal.formula, state)), ())


def test_a_number_that_is_chosen_and_makes_no_difference(tmp_path: Path) -> None:
    """The process can change nothing, whatever number it chooses: a loop without it is fair."""
    found = answers(
        tmp_path,
        f"""
  primary App as app
  external db {{ n: int = 0  up: bool = false }}
{QUIET_CONTROLLER}
  environment {{ process choose {{ db.n = any  db.n = 0 }}  process flip {{ db.up = not db.up }} }}
  converges {{ up: db.up }}
""",
    )
    assert found["up"].verdict == "livelock"
    trace = found["up"].trace
    assert trace is not None
    loaded = load(tmp_path / "model.rdsl")
    assert not objection(loaded.operator, Scope(), found["up"].goal, trace)


def test_a_calm_step_that_only_the_calm_commands_of_a_slice_show(tmp_path: Path) -> None:
    """It led to a state that the slice does not reach; that ended the program."""
    loaded = model(
        tmp_path,
        """
  primary App as app { spec.a: 0..2 = 0 }
  resource StatefulSet as sts owned by app (plain) initially present { spec.a: 0..2 = 0 }
  controller app for app {
    watch app
    reconcile {
      when not sts.exists { create sts { spec.a = app.spec.a } on exists continue }
      when sts.spec.a != app.spec.a { patch sts.spec.a = app.spec.a }
      update app.spec.a = sts.spec.a on conflict continue
      requeue wait after 5s
    }
  }
  environment { disturbance gone { delete sts } }
  converges { absent: not sts.exists }
""",
    )
    (goal,) = loaded.operator.goals
    assert Verifier(loaded, engines=frozenset({"proof"})).answer(goal, Scope()).verdict == "unknown"


def test_a_cycle_whose_states_come_back_with_other_opaque_values(tmp_path: Path) -> None:
    """Guided search went round it once more with the values that it had chosen under their old names."""
    loaded = model(
        tmp_path,
        """
  primary App as app initially present { status.b: opaque = any }
  external db { up: opaque = none  secret: opaque }
  controller app for app { reconcile { fail } }
  environment { process renew { db.secret = any } }
  converges { same: db.up == app.status.b and db.up != db.secret }
""",
    )
    (goal,) = loaded.operator.goals
    answer = Contest(loaded, Scope()).by_guided(goal)
    assert answer.verdict == "livelock"
    assert answer.trace is not None
    assert not objection(loaded.operator, Scope(), goal, answer.trace)


MANY_CHOICES = """
  primary App as app { FIELDS }
  external db { up: bool = false }
  controller app for app { watch app reconcile { call db.up = true  await change } }
  converges { up: db.up }
"""


def with_fields(*types: str) -> str:
    """A model that begins with any values of these types."""
    return MANY_CHOICES.replace("FIELDS", "  ".join(f"spec.f{i}: {type_} = any" for i, type_ in enumerate(types)))


@pytest.mark.parametrize("type_", ["bool", "opaque"])
def test_more_choices_in_a_step_than_can_be_tried(
    type_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty-one ended the program, and of opaque values, twelve took hours."""
    from reconcheck.cli.main import main

    found = answers(tmp_path, with_fields(*[type_] * 22))
    assert (found["up"].verdict, found["up"].engine) == ("converges", "slices")
    assert main(["graph", str(tmp_path / "model.rdsl")]) == 2
    assert "`begin` has more than 500,000 choices" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("types", [("bool", "0..2"), ("opaque",) * 4, ("opaque", "bool", "opaque"), ("0..0",) * 21])
def test_choices_are_counted(types: tuple[str, ...], tmp_path: Path) -> None:
    """They are as many as there are initial states, where each shows its own; a single value needs no loop."""
    system = compile_system(model(tmp_path, with_fields(*types)).operator, Scope())
    assert choices(system.initial.inputs) == len(initial_states(system))


ANY_NUMBER = f"""
  primary App as app
  external db {{ n: int = any  up: bool = false }}
{QUIET_CONTROLLER}
  environment {{ process flip {{ db.up = not db.up }} }}
  converges {{ small: db.n <= 7 or db.up  any: db.n <= 7 or db.n > 7 }}
"""


def test_a_number_that_only_the_goal_names(tmp_path: Path) -> None:
    """Of all numbers, guided search tried those near 0 only, and no other engine finds a loop."""
    found = answers(tmp_path, ANY_NUMBER)
    assert (found["small"].verdict, found["small"].engine) == ("livelock", "guided search")


def test_a_search_that_cannot_try_all_numbers_does_not_say_that_nothing_is_left(tmp_path: Path) -> None:
    """It came to its end, and that was taken for knowledge."""
    loaded = model(tmp_path, ANY_NUMBER)
    answer = Contest(loaded, Scope()).by_guided(loaded.operator.goal("any"))
    assert (answer.verdict, answer.reason) == ("unknown", "no counterexample was found, but not all choices were tried")


@pytest.mark.parametrize(
    ("type_", "condition"), [("bool", "not app.spec.f0"), ("opaque", "app.spec.f0 == app.spec.f1")]
)
def test_the_first_state_of_a_trace_is_not_looked_for_among_all(type_: str, condition: str, tmp_path: Path) -> None:
    """A replay went through the millions of states to begin in."""
    members = with_fields(*[type_] * 22).replace("call db.up = true", f"when {condition} {{ call db.up = true }}")
    loaded = model(tmp_path, members.replace("App as app {", "App as app initially present {"))
    answer = Verifier(loaded).answer(loaded.operator.goal("up"), Scope(), why=False)
    assert answer.verdict == "quiet"
    assert answer.trace is not None
    opaque = [value for name, value in answer.trace.start if not isinstance(value, bool)]
    assert sorted(set(opaque)) == list(range(1, len(set(opaque)) + 1)), "named in the order in which they come"


@pytest.mark.parametrize("exists", ["initially present", "initially any"])
def test_a_state_is_among_those_that_begin_like_it(exists: str, tmp_path: Path) -> None:
    members = with_fields("bool", "opaque", "0..2", "opaque").replace("App as app", f"App as app {exists}")
    interpreter = Interpreter(model(tmp_path, members).operator, Scope())
    rename = canonical(compile_system(interpreter.operator, Scope()))
    for state in interpreter.initial():
        (like,) = {rename(interpreter.key(one)) for one in interpreter.initial_like(state)}
        assert like == rename(interpreter.key(state))
