"""The questions of one model: which are open, who is at which, and how long each of them may take.

A question is a goal in a scope.  Several hands may work on the questions of a model at a time; an answer never
depends on what was asked before, so neither does the report.  Only a time limit makes hands matter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.asked import Asked, questions
from reconcheck.explain.findings import Seen, findings_of
from reconcheck.explain.verdict import Answer, Checked, Report
from reconcheck.model.operator import Goal, Loaded, Operator, Scope
from reconcheck.model.wakeups import resync_is_heard

DAY = 86_400.0
USED_UP = 0.95
"""An answer that took more than this part of its time is taken to have ended because of it."""


class Turn(Struct, frozen=True):
    """A question that a hand is to answer, within so many seconds if there is a limit."""

    number: int
    goal: str
    scope: Scope
    seconds: float | None


class _Held(Struct, frozen=True):
    """Somebody is at a question: with so many seconds for it, since that many seconds after the start."""

    share: float | None
    since: float


class Agenda:
    """The questions of one model with the answers so far.  `seconds` limits them all together.

    A hand (any name for who answers) takes a question, and puts the answer back or loses it.
    """

    def __init__(self, loaded: Loaded, asked: Asked, seconds: float | None = None) -> None:
        self.loaded, self.asked, self.seconds = loaded, asked, seconds
        self.questions = questions(loaded.operator, asked)
        self.answers: dict[int, Answer] = {}
        self.seen: dict[Hashable, Seen] = {}
        self.started = time.monotonic()
        self.end = len(self.questions)
        """Questions from this number on are not asked any more: the one before them has no answer."""
        self._taken: dict[int, dict[Hashable, _Held]] = {number: {} for number in range(self.end)}
        self._known: dict[Hashable, set[Scope]] = {}
        """The scopes that each hand has been at: what it found out about their states it need not find out again."""
        self._new: set[int] = set()
        """Questions in a scope that was new to the hand that took them."""
        self._again: dict[int, tuple[Answer, float]] = {}
        """Questions that used up their share of the time, with the answer and the share."""

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self.seconds is None else max(0.0, self.seconds - self.spent)

    @property
    def done(self) -> bool:
        """Whether nothing is open any more."""
        return all(number in self.answers for number in range(self.end))

    def open(self) -> list[int]:
        """The questions without an answer."""
        return [number for number in range(self.end) if number not in self.answers]

    def free(self) -> list[int]:
        """The open questions that nobody is at."""
        return [number for number in self.open() if not self._taken[number]]

    # ---- who does what ---------------------------------------------------------------------------------------

    def take(self, hand: Hashable, hands: int = 1, again: bool = False) -> Turn | None:
        """The next question for a hand, where up to `hands` work at a time; None where there is none for it.

        With `again`, it may be one that another hand is at who had to begin with the states of a scope that
        this hand knows already: the first answer counts.
        """
        self.settle()
        known = self._known.setdefault(hand, set())
        number = self._next(hand, known)
        if number is None and again:
            number = next((n for n in self.open() if n in self._new and self._scope(n) in known), None)
        if number is None:
            return None
        seconds = self._share(number, hands)
        goal, scope = self.questions[number]
        if scope in known:
            self._new.discard(number)
        else:
            self._new.add(number)
        known.add(scope)
        self._taken[number][hand] = _Held(seconds, self.spent)
        return Turn(number, goal, scope, seconds)

    def _next(self, hand: Hashable, known: set[Scope]) -> int | None:
        """A question that nobody is at, if possible not in a scope that only others know."""
        others = {scope for other, scopes in self._known.items() if other != hand for scope in scopes} - known
        return min(self.free(), key=lambda n: (n in self._again, self._scope(n) in others, n), default=None)

    def _scope(self, number: int) -> Scope:
        return self.questions[number][1]

    def leave(self, hand: Hashable) -> None:
        """A hand is gone with all it knew; what it was at is free again."""
        self._known.pop(hand, None)
        for taken in self._taken.values():
            taken.pop(hand, None)

    # ---- answers ---------------------------------------------------------------------------------------------

    def put(self, hand: Hashable, number: int, answer: Answer, seen: Mapping[Hashable, Seen]) -> None:
        """An answer, and what was seen of the model on the way.  Raises `KeyError` where the hand is not at it."""
        self.seen.update(seen)
        share = self._taken[number].pop(hand).share
        if number in self.answers:
            return
        if share is not None and answer.verdict == "unknown" and answer.seconds >= USED_UP * share:
            answer = self._noted(answer, share)
            if number not in self._again and not self._taken[number]:
                self._again[number] = answer, share  # what others leave over may be enough
                return
        self.answers[number] = answer

    def lose(self, hand: Hashable, number: int, reason: str) -> None:
        """A hand ended without an answer to what it was at; the question is unknown unless another is at it."""
        held = self._taken[number].pop(hand, None)
        if number not in self.answers and not self._taken[number]:
            answer = self._unknown(number, reason)
            self.answers[number] = replace(answer, seconds=0.0 if held is None else self.spent - held.since)

    def fail(self, number: int) -> None:
        """A question ended with an error: those after it are not asked any more, and there will be no report."""
        self.end = min(self.end, number)

    def _unknown(self, number: int, reason: str) -> Answer:
        goal, scope = self.questions[number]
        return Answer(self.loaded.operator.goal(goal), scope, "unknown", reason, "RC406")

    # ---- time ------------------------------------------------------------------------------------------------

    def _share(self, number: int, hands: int) -> float | None:
        """The seconds for a question: the more are to come after it, the less; what it leaves over is theirs.

        The first of a scope has to look at all states, so of two the first gets two thirds, of three a half.
        """
        left = self.left
        if left is None or number in self._again:
            return left
        rounds = math.ceil(len([n for n in self.open() if n not in self._again]) / hands)
        return left * 2 / (rounds + 1)

    def _noted(self, answer: Answer, share: float) -> Answer:
        if self.seconds is None or share > USED_UP * self.seconds:
            return answer
        return replace(answer, reason=f"{answer.reason}; its share of the time was {share:.1f} s")

    def settle(self) -> None:
        """Gives up what nobody is at and what there is no time for any more."""
        left = self.left
        if left is None:
            return
        for number in self.free():
            if number in self._again:
                answer, share = self._again[number]
                if left <= share:
                    self.answers[number] = answer
            elif left == 0.0:
                reason = (
                    f"the time limit of {round(self.seconds or 0.0, 2):g} s was reached before this question was begun"
                )
                self.answers[number] = self._unknown(number, reason)

    # ---- the report ------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """The report, once everything is answered."""
        operator, asked = self.loaded.operator, self.asked
        answers = {question: self.answers[number] for number, question in enumerate(self.questions)}
        checked = tuple(
            Checked(expectation, answers[expectation.goal, expectation.scope])
            for expectation in operator.expectations
            if (expectation.goal, expectation.scope) in answers
        )
        goals: list[Goal] = [goal for goal in operator.goals if asked.wants(goal.name)]
        return Report(
            operator,
            asked.scope,
            tuple(answers[goal.name, scope] for scope in asked.scopes for goal in goals),
            checked,
            (*self.loaded.findings, *findings_of(operator, list(self.seen.values()), goals)),
            self.spent,
            wake_ups(operator),
        )


def wake_ups(operator: Operator) -> tuple[tuple[str, str, float], ...]:
    """The periodic causes of each controller with the wake-ups a day they make for one idle object.

    A resync that no watch lets through makes none.
    """
    found: list[tuple[str, str, float]] = []
    for controller in operator.controllers:
        rules = [rule for rule in controller.rules if rule.kind == "every" and rule.seconds]
        found += [(controller.name, rule.name, DAY / (rule.seconds or DAY)) for rule in rules]
        if controller.resync is not None:
            heard = resync_is_heard(operator, controller)
            found.append((controller.name, "resync", DAY / controller.resync if heard else 0.0))
    return tuple(found)
