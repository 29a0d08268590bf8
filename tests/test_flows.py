"""The work on a diagnosis, shared: who is at what, and that nothing that is found depends on it."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain import repair_search
from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.diagnosis import Diagnosis
from reconcheck.explain.flows import Board, Flow, Hands, Seconds, one_hand
from reconcheck.explain.mending import NOT_DONE, Sets, Verified, mending
from reconcheck.explain.repair_search import Found, Search
from reconcheck.explain.repairs import repairs
from reconcheck.explain.tally import Tally
from reconcheck.explain.trial import Verdicts
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import assemble
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Loaded, Scope
from reconcheck.syntax.parser import parse_text

ROOT = Path(__file__).parent.parent
TWO_REPAIRS = ROOT / "models/minimal/swallowed-error.rdsl"
NO_RULE_LEFT = ROOT / "models/minimal/external-system.rdsl"


UNSCHEDULED = """rdsl 1

operator small {
  runtime controller-runtime 0.24 { resync = none }
  primary App as app { status.size: 0..1 = 0 }
  resource Secret as users { size: 0..1 = 0 }
  controller app for app { watch app reconcile { patch app.status.size = users.size  await change } }
  environment { disturbance rotated { users.size = any } }
  faults { api off  call off  crash off  relist off }
  converges { synced: app.status.size == users.size }
  expect synced quiet without schedule because unwatched_read
  expect synced quiet with schedule because unwatched_read
}
"""


class Step(Struct, frozen=True):
    """A piece of work that only has a name."""

    name: str

    def done(self, _verifier: Verifier, _seconds: float | None) -> str:
        return self.name.upper()


def flow(*batches: Sequence[str]) -> Flow:
    """What came of each batch."""
    found: list[Any] = []
    for batch in batches:
        found.append((yield tuple(map(Step, batch))))
    return found


def taken(board: Board) -> Iterator[str]:
    while (ticket := board.take()) is not None:
        yield str(ticket.piece.name)  # type: ignore[attr-defined]


# ---- who is at what --------------------------------------------------------------------------------------------------


def test_a_flow_that_nobody_is_at_comes_first() -> None:
    assert list(taken(Board([flow(["a", "b", "c"]), flow(["d", "e"]), flow(["f"])]))) == ["a", "d", "f", "b", "e", "c"]


def test_a_flow_goes_on_when_all_that_it_waits_for_is_done_in_whatever_order() -> None:
    board = Board([flow(["a", "b"], [], ["c"])])
    first, second = board.take(), board.take()
    assert first is not None
    assert second is not None
    board.put(second, "B")
    assert board.take() is None
    assert not board.waiting
    board.put(first, "A")
    third = board.take()
    assert third is not None
    assert not board.ended
    board.put(third, "C")
    assert board.ended
    assert board.results == ([["A", "B"], [], ["C"]],)


def test_what_is_given_up_is_not_done_nor_what_follows_it() -> None:
    board = Board([flow(["a"], ["b", "c"]), flow(["d"])])
    held = board.take()
    assert held is not None
    board.give_up()
    assert not board.ended
    board.put(held, "A")
    board.give_up()
    assert board.results == ([["A"], [None, None]], [[None]])


def test_flows_without_work_end_at_once() -> None:
    board = Board([flow(), flow([], [])])
    assert board.ended
    assert board.results == ([], [[], []])


def test_one_hand_does_nothing_when_the_time_is_up() -> None:
    times = iter([None, 0.0, 0.0])
    hands = one_hand(Verifier(load(NO_RULE_LEFT)))
    assert hands([flow(["a"], ["b"]), flow(["c"])], lambda: next(times)) == ([["A"], [None]], [[None]])


# ---- nothing depends on it -------------------------------------------------------------------------------------------


def strangers(path: Path) -> Hands:
    """Each piece is done by somebody else who knows nothing, the last that is open first; it is sent there and back."""

    def hands(flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
        board = Board(flows)
        while not board.ended:
            tickets = []
            while (ticket := board.take()) is not None:
                tickets.append(ticket)
            for one in reversed(tickets):
                piece = pickle.loads(pickle.dumps(one.piece))
                board.put(one, pickle.loads(pickle.dumps(piece.done(Verifier(load(path)), seconds()))))
        return board.results

    return hands


def told(found: Diagnosis) -> Diagnosis:
    """A diagnosis without times and proofs."""
    levels = tuple(
        replace(one, answers=tuple(Answer(a.goal, a.scope, a.verdict) for a in one.answers)) for one in found.levels
    )
    return replace(found, levels=levels, repairs=tuple(replace(one, seconds=0.0) for one in found.repairs))


@pytest.mark.parametrize("path", [TWO_REPAIRS, NO_RULE_LEFT], ids=lambda path: path.stem)
def test_a_diagnosis_is_the_same_whoever_works_on_it(path: Path) -> None:
    loaded = load(path)
    report = Verifier(loaded).report(Scope())
    alone = diagnose(report, one_hand(Verifier(loaded)), None, lambda _text: None)
    assert alone.repairs
    assert told(diagnose(report, strangers(path), None, lambda _text: None)) == told(alone)


def lost(kind: type[Any]) -> Hands:
    """Who does all but one kind of work."""

    def hands(flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
        board, verifier = Board(flows), Verifier(load(TWO_REPAIRS))
        while (ticket := board.take()) is not None:
            left_out = isinstance(ticket.piece, kind)
            board.put(ticket, None if left_out else ticket.piece.done(verifier, seconds()))
        return board.results

    return hands


@pytest.mark.parametrize(("kind", "says"), [(Sets, "repairs without schedule"), (Verified, "not verified, as")])
def test_repairs_that_were_not_looked_for_or_not_verified_are_told(kind: type[Any], says: str) -> None:
    report = Verifier(load(TWO_REPAIRS)).report(Scope())
    found = diagnose(report, lost(kind), None, lambda _text: None)
    assert all(not repair.edits for repair in found.repairs)
    assert any(one.startswith(says) and NOT_DONE in one for one in found.undecided)


def test_a_repair_that_had_a_short_time_only_gets_more_where_no_other_does_as_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = load(TWO_REPAIRS)
    answers = Verifier(loaded).report(Scope()).answers
    made, asked = [repair.title for repair in repairs(loaded, answers)[0]], list[bool]()
    assert len(made) == 2
    verified = Search.verified

    def short(search: Search, found: Found, another: bool) -> Any:
        asked.append(another)
        return verified(search, found, another) if len(asked) == 3 else None

    monkeypatch.setattr(Search, "verified", short)
    hands = one_hand(Verifier(loaded))
    ((found, _),) = hands([mending(answers, 3, None, Tally())], lambda: None)
    assert asked == [False, True, False]
    assert [repair.title for repair in found if repair.edits] == made[1:]


# ---- what is shared --------------------------------------------------------------------------------------------------


def test_a_repaired_model_is_verified_once_where_two_scopes_are_one_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is scheduled, so that with the schedule there is no more than without it."""
    loaded = assemble(parse_text(UNSCHEDULED, "small.rdsl"), UNSCHEDULED, Path("small.rdsl"), {})
    answers = Verifier(loaded).report(Scope()).answers
    scopes: list[Scope] = []

    class Counting(Verifier):
        def together(
            self, goals: Sequence[Goal], scope: Scope, narrow: Collection[str] = frozenset()
        ) -> tuple[Answer, ...]:
            scopes.append(scope)
            return super().together(goals, scope, narrow)

    monkeypatch.setattr(repair_search, "Verifier", Counting)
    found, _ = repairs(loaded, answers)
    assert found
    assert "+  expect synced converges with schedule" in found[0].patch
    assert scopes == [Scope(3), Scope(0)]  # as it is, and at the lowest level


def test_a_model_with_other_expectations_is_not_explored_again() -> None:
    loaded = load(NO_RULE_LEFT)
    other = Loaded(replace(loaded.operator, expectations=()), ())
    tally = Tally()
    verdicts = Verdicts(lambda: None, tally=tally)
    verdicts.expect_only(other, loaded)
    goal = loaded.operator.goals[0]
    assert verdicts(loaded, goal, Scope(3)) == verdicts(other, goal, Scope(3)) == "quiet"
    assert [(one.asked, one.looked) for one in tally.shared()] == [(2, 1)]
