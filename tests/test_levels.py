"""At which level of wake-ups a goal converges, on models of which the truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosing import diagnosed, levels, loaded, verdicts
from reconcheck.certify.check import Checker
from reconcheck.explain.diagnosis import Shared
from reconcheck.explain.flows import one_hand
from reconcheck.explain.looks import Looks, Task, look
from reconcheck.explain.tally import LEVELS, NEEDS
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Operator, Scope
from reconcheck.model.wakeups import in_force, named, wake_ups_of
from reconcheck.proof.certificate import Checked, Proof
from reconcheck.semantics.compiler import compile_system
from support import GOLDEN, MODELS, read

NO_FAULTS = "faults { api off call off }"
SYNCED = "converges { synced: database.size == app.spec.size }"
WRITES = "reconcile { call database.size = app.spec.size await change }"
DRIFT = "disturbance drift { database.size = any }"
POLLED = loaded(f"watch app requeue poll every 10s on error backoff {WRITES}", SYNCED, DRIFT)
FAILING = loaded(f"watch app on error backoff {WRITES}", SYNCED)
WAITING = loaded(
    """watch app
    on error await change
    reconcile {
      let seen = live(database.up)
      when not seen { requeue again after 5s }
      call database.size = app.spec.size
      await change
    }""",
    SYNCED,
    "process comes_up when not database.up { database.up = true }",
    "up: bool = false",
    faults="api off call off",
)
NEVER = loaded(f"watch app requeue poll every 10s on error backoff {WRITES}", "converges { kept: not database.lost }",
               "disturbance gets_lost { database.lost = true }", "lost: bool = false")  # fmt: skip


@pytest.mark.parametrize(
    ("model", "goal", "expected"),
    [
        (POLLED, "synced", ["quiet", "quiet", "quiet", "quiet", "converges"]),
        (FAILING, "synced", ["quiet", "converges", "converges", "converges", "converges"]),
        (WAITING, "synced", ["quiet", "quiet", "converges", "converges", "converges"]),
    ],
    ids=["schedule", "errors", "waits"],
)
def test_the_lowest_level_is_that_of_the_wake_up_that_a_goal_needs(
    model: Loaded, goal: str, expected: list[str]
) -> None:
    found = diagnosed(model)
    assert verdicts(found, goal) == expected
    assert levels(found, goal).lowest == expected.index("converges")
    assert not levels(found, goal).beyond
    assert found.undecided == ()


def test_a_deadline_is_a_level_of_its_own() -> None:
    path = next(path for path in MODELS if path.stem == "time")
    found = Verifier(load(path))
    answers = [found.answer(found.operator.goal("renewed"), Scope(level)).verdict for level in range(5)]
    assert answers == ["quiet", "quiet", "quiet", "converges", "converges"]


def test_a_goal_that_nothing_can_mend_is_beyond_any_schedule() -> None:
    found = diagnosed(NEVER)
    assert verdicts(found, "kept")[3:] == ["quiet", "livelock"]
    assert levels(found, "kept").beyond
    assert levels(found, "kept").lowest is None
    assert found.sufficient == ()


def test_an_operator_without_a_schedule_is_not_beyond_any() -> None:
    """With a schedule added the error that it swallows would not matter: it only has none of its own."""
    fails = f"watch app on error await change {WRITES}"
    found = levels(diagnosed(loaded(fails, SYNCED)), "synced")
    assert [answer.verdict for answer in found.answers] == ["quiet"] * 5
    assert (found.fails, found.added, found.beyond) == (True, "converges", False)
    assert not levels(diagnosed(POLLED, Scope(without=("poll",))), "synced").beyond


def test_a_schedule_for_one_controller_may_help_where_one_for_each_does_not() -> None:
    """The second, once woken for ever, writes for ever what the first puts right."""
    second = """}
  controller vandal for app {
    watch app on create
    on error backoff
    reconcile {
      let seen = live(database)
      when seen.told { call database.size = 1 - app.spec.size }
      call database.told = true
      await change
    }"""
    model = loaded(f"watch app on create on error backoff {WRITES} {second}", SYNCED, fields="told: bool = false")
    found = levels(diagnosed(model), "synced")
    assert (found.fails, found.added) == (True, "converges")


def test_every_answer_of_a_level_is_verified_in_its_own_scope() -> None:
    for levels_ in diagnosed(POLLED).levels:
        for level, answer in enumerate(levels_.answers):
            assert answer.scope == Scope(level)
            assert (answer.proof is not None) != (answer.trace is not None)


def test_other_questions_have_levels_too() -> None:
    asked = f"{SYNCED} reachable written: database.size == 1  always small: database.size <= 1"
    found = diagnosed(loaded(f"watch app on error backoff {WRITES}", asked))
    assert verdicts(found, "written") == ["reachable"] * 5
    assert verdicts(found, "small") == ["holds"] * 5


def test_levels_are_without_what_the_scope_is_without() -> None:
    found = diagnosed(POLLED, Scope(without=("poll",)))
    assert verdicts(found, "synced") == ["quiet"] * 5
    assert all(answer.scope.without == ("poll",) for answer in levels(found, "synced").answers)


def test_without_time_everything_is_undecided_and_says_so() -> None:
    found = diagnosed(POLLED, seconds=0.0)
    assert verdicts(found, "synced") == ["unknown", "quiet", "quiet", "quiet", "unknown"]  # L1 to L3 are one system
    assert levels(found, "synced").lowest is None
    assert not levels(found, "synced").beyond
    assert all("were over" in reason for reason in found.undecided if reason.startswith("synced at L"))
    assert len([reason for reason in found.undecided if reason.startswith("synced at L")]) == 2


# ---- what is shared --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_scopes_that_leave_the_same_wake_ups_are_the_same_system(path: Path) -> None:
    operator = read(path)
    scheduled = tuple(sorted(one.scoped for one in wake_ups_of(operator.controllers) if one.level == 4))
    deadlines = tuple(sorted(one.scoped for one in wake_ups_of(operator.controllers) if one.level >= 3))
    for one, other in ((Scope(3), Scope(4, scheduled)), (Scope(2), Scope(4, deadlines))):
        assert in_force(operator.controllers, one) == in_force(operator.controllers, other)
        assert _parts(operator, one) == _parts(operator, other)


def _parts(operator: Operator, scope: Scope) -> tuple[object, ...]:
    system = compile_system(operator, scope)
    return system.variables, system.initial, system.commands


def test_equal_systems_are_looked_at_once() -> None:
    verifier = Verifier(FAILING)
    looks = Looks(verifier.operator, verifier.operator.goals, 60.0, lambda _text: None)
    hands = one_hand(verifier)
    hands([looks.gather(map(Scope, range(5)))], looks.left)
    assert looks.tally.shared() == (Shared(NEEDS, 5, 2),)
    hands([looks.gather((), levels=[Scope(level) for level in range(5)])], looks.left)
    assert looks.tally.shared() == (Shared(LEVELS, 5, 0), Shared(NEEDS, 5, 2))


def test_goals_that_converge_together_share_a_proof_that_proves_each() -> None:
    asked = "converges { synced: database.size == app.spec.size  small: database.size <= app.spec.size }"
    verifier = Verifier(loaded(f"watch app on error backoff {WRITES}", asked))
    answers = look(verifier, Task(Scope(), ("synced", "small")), 60.0).answers
    assert [answer.verdict for answer in answers] == ["converges", "converges"]
    proofs = [answer.certificate for answer in answers if isinstance(answer.certificate, Proof)]
    assert [proof.goal for proof in proofs] == [answer.goal.formula for answer in answers]
    assert proofs[0].parts == proofs[1].parts
    for proof in proofs:
        assert isinstance(Checker(compile_system(verifier.operator, Scope())).check(proof), Checked)


# ---- names -----------------------------------------------------------------------------------------------------------


def test_wake_ups_are_named_with_or_without_their_controller() -> None:
    controllers = POLLED.operator.controllers
    assert named(controllers, "poll") == ("poll",)
    assert named(controllers, "watch app") == named(controllers, "app.watch app") == ("app.watch app",)
    assert named(controllers, "on error") == ("app.on error",)
    assert named(controllers, "resync") == ()  # there is none
    assert named(controllers, "watch database") == ()
