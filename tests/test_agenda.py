"""Who is asked what, and for how long: on a model with six questions, and a clock that the tests set."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import Struct

from reconcheck.explain import agenda as module
from reconcheck.explain.agenda import Agenda, Turn
from reconcheck.explain.asked import Asked, questions
from reconcheck.explain.verdict import Answer
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Scope

WITHOUT, WITH = Scope(), Scope(level=4)
MODEL = """rdsl 1
operator three {
  runtime controller-runtime 0.24
  primary App as app
  external x "something" { a: bool = false  b: bool = false  c: bool = false }
  controller app for app { watch app reconcile { await change } }
  converges { a: x.a  b: x.b  c: x.c }
  expect a quiet with schedule
  expect b quiet without schedule
  expect b quiet with schedule
  expect c quiet with schedule
}
"""


class Clock(Struct):
    """Stands still."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    path = tmp_path / "three.rdsl"
    path.write_text(MODEL)
    return load(path)


def answer(agenda: Agenda, turn: Turn, verdict: str = "quiet", seconds: float = 0.0) -> Answer:
    return Answer(agenda.loaded.operator.goal(turn.goal), turn.scope, verdict, "too hard", seconds=seconds)


def take(agenda: Agenda, hand: str, hands: int = 1, again: bool = False) -> Turn:
    turn = agenda.take(hand, hands, again)
    assert turn is not None
    return turn


def test_each_question_is_asked_once_goals_first(loaded: Loaded) -> None:
    asked = questions(loaded.operator, Asked(WITHOUT))
    own, others = [("a", WITHOUT), ("b", WITHOUT), ("c", WITHOUT)], [("a", WITH), ("b", WITH), ("c", WITH)]
    assert list(asked) == own + others
    assert list(questions(loaded.operator, Asked(WITH, every_scope=False))) == others
    assert list(questions(loaded.operator, Asked(WITHOUT, frozenset("b")))) == [("b", WITHOUT), ("b", WITH)]


def test_the_report_has_the_answers_whoever_gave_them(loaded: Loaded) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT))
    hands = ["one", "two"]
    while not agenda.done:
        for hand, turn in [(hand, take(agenda, hand)) for hand in hands][::-1]:
            agenda.put(hand, turn.number, answer(agenda, turn), {})
    report = agenda.report()
    assert [(found.goal.name, found.scope) for found in report.answers] == [(g, WITHOUT) for g in "abc"]
    assert all(checked.met for checked in report.expectations)
    assert [checked.answer.goal.name for checked in report.expectations] == ["a", "b", "b", "c"]


def test_one_who_joins_begins_in_another_scope(loaded: Loaded) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT))
    first, second = take(agenda, "one"), take(agenda, "two")
    assert (first.number, second.number) == (0, 3)
    assert second.scope == WITH
    agenda.put("two", 3, answer(agenda, second), {})
    assert take(agenda, "two").number == 4
    agenda.leave("two")
    assert agenda.free() == [1, 2, 4, 5]


def test_who_knows_a_scope_may_overtake_one_who_is_new_to_it(loaded: Loaded) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT, frozenset("ab"), every_scope=False))
    first, second = take(agenda, "one"), take(agenda, "two")
    agenda.put("one", 0, answer(agenda, first), {})
    assert agenda.take("one") is None
    assert take(agenda, "one", again=True).number == second.number == 1
    assert agenda.take("three", again=True) is None
    agenda.put("one", 1, answer(agenda, second, "livelock"), {})
    assert agenda.done
    agenda.put("two", 1, answer(agenda, second, "unknown"), {})
    assert agenda.report().answers[1].verdict == "livelock"


def test_a_lost_question_is_unknown_unless_another_is_at_it(loaded: Loaded, clock: Clock) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT, frozenset("ab"), every_scope=False))
    first, second = take(agenda, "one"), take(agenda, "two")
    agenda.put("one", 0, answer(agenda, first), {})
    take(agenda, "one", again=True)
    agenda.lose("two", 1, "it was killed")
    assert not agenda.done
    clock.now += 7.0
    agenda.lose("one", 1, "it was killed")
    lost = agenda.report().answers[second.number]
    assert (lost.verdict, lost.reason, lost.code, lost.seconds) == ("unknown", "it was killed", "RC406", 7.0)


def test_after_an_error_only_what_comes_before_it_is_asked(loaded: Loaded) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT))
    turns = {hand: take(agenda, hand) for hand in ("one", "two", "three")}
    assert [turn.number for turn in turns.values()] == [0, 3, 1]
    agenda.fail(3)
    agenda.fail(1)
    agenda.fail(3)
    assert agenda.take("four") is None
    assert not agenda.done
    agenda.put("one", 0, answer(agenda, turns["one"]), {})
    assert agenda.done
    assert agenda.end == 1


def test_the_time_is_shared_and_what_is_left_over_is_used(loaded: Loaded, clock: Clock) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT, every_scope=False), 60.0)
    first = take(agenda, "one")
    assert first.seconds == pytest.approx(30.0)
    clock.now += 30.0
    agenda.put("one", 0, answer(agenda, first, "unknown", 30.0), {})
    assert not agenda.answers, "it is asked once more, if there is time"
    second = take(agenda, "one")
    assert second.number == 1
    assert second.seconds == pytest.approx(20.0)
    clock.now += 1.0
    agenda.put("one", 1, answer(agenda, second, seconds=1.0), {})
    third = take(agenda, "one")
    assert third.number == 2
    assert third.seconds == pytest.approx(29.0)
    agenda.put("one", 2, answer(agenda, third), {})
    assert agenda.take("one") is None, "29 s are less than it had"
    assert agenda.done
    assert agenda.report().answers[0].reason == "too hard; its share of the time was 30.0 s"


def test_a_question_is_asked_once_more_if_the_others_leave_it_more_time(loaded: Loaded, clock: Clock) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT), 60.0)
    first = take(agenda, "one")
    assert first.seconds == pytest.approx(60 * 2 / 7)
    clock.now += first.seconds or 0.0
    agenda.put("one", 0, answer(agenda, first, "unknown", first.seconds or 0.0), {})
    for _ in range(5):
        turn = take(agenda, "one")
        agenda.put("one", turn.number, answer(agenda, turn), {})
    once_more = take(agenda, "one")
    assert once_more.number == 0
    assert once_more.seconds == pytest.approx(60 * 5 / 7)
    agenda.put("one", 0, answer(agenda, once_more, "unknown", 60 * 5 / 7), {})
    assert agenda.done, "but not a third time"


def test_nobody_waits_where_there_are_hands_for_all(loaded: Loaded, clock: Clock) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT, every_scope=False), 60.0)
    assert take(agenda, "one", hands=3).seconds == pytest.approx(60.0)
    clock.now += 1.0
    assert take(agenda, "two", hands=3).seconds == pytest.approx(59.0)


def test_what_was_not_begun_when_the_time_is_up_says_so(loaded: Loaded, clock: Clock) -> None:
    agenda = Agenda(loaded, Asked(WITHOUT, every_scope=False), 60.0)
    first = take(agenda, "one")
    clock.now += 61.0
    agenda.put("one", 0, answer(agenda, first), {})
    assert agenda.take("one") is None
    assert agenda.done
    reasons = {found.reason for found in agenda.report().answers[1:]}
    assert reasons == {"the time limit of 60 s was reached before this question was begun"}
