"""What comes of a set of candidates: which goals it mends, what it breaks, and the runs that show where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.diagnostic import ModelError
from reconcheck.explain.candidate import Happened
from reconcheck.explain.probe import (
    NotProbed,
    Probed,
    Wrong,
    is_failure,
    is_outcome,
    line_of,
    probe,
    probe_like,
    probes,
)
from reconcheck.explain.reenacting import Script
from reconcheck.explain.tally import REPAIRED, Tally
from reconcheck.explain.trace import Trace
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.operator import SCHEDULED, Goal, Loaded, Operator, Scope
from reconcheck.model.types import BOOL, EnumType
from reconcheck.model.wakeups import in_force
from reconcheck.semantics.layout import layout

SIZES = (1_000, 5_000, 20_000, 100_000)
"""States of a changed model that are listed in turn: most sets of candidates are seen to fail in the first ones.

Before the last, a few slices may do; after it, it is left to the engines.
"""
REST = " rest"
"""What is asked of every repair beside the goals: that it comes to rest, if the model did."""
WAITING = " waiting"
"""That a new rule is not armed for ever."""


class Asked(Struct, frozen=True):
    """What a repair has to do."""

    scope: Scope
    failing: frozenset[str]
    """Goals of which it is to mend one at least."""
    good: frozenset[str]
    """Goals that it must not break."""
    rests: bool
    """Whether the model comes to rest as it is, and so must the repaired one."""


class Tried(Struct, frozen=True):
    """What came of a set of candidates."""

    mended: frozenset[str]
    wrong: dict[str, tuple[Happened, ...]]
    """The goals that fail, and `REST` and `WAITING`, with runs that show it."""
    open: str = ""
    """Why it could not be told."""
    states: int = 0
    """States that were listed to find that out."""
    by: Script | None = None
    """The known run that showed it."""

    def allowed(self, asked: Asked) -> bool:
        """Whether nothing is broken."""
        return not self.open and not any(name not in asked.failing for name in self.wrong)


def try_out(
    loaded: Loaded,
    asked: Asked,
    rules: tuple[str, ...],
    lines: Callable[[int], int],
    left: Callable[[], float | None],
    known: Sequence[Script] = (),
    enough: Callable[[frozenset[str]], bool] = bool,
) -> Tried:
    """What a changed model does; `lines` gives the lines of the model as it stood.

    Runs that are `known` to fail elsewhere are followed first: mostly one of them settles it.  Where it would not be
    `enough` to mend the goals that may still be mended, it mends nothing.
    """
    rules = _waits(loaded.operator, asked, rules)
    states, wrong = 0, dict[str, tuple[Happened, ...]]()
    for script, found in probe_like(loaded.operator, asked.scope, left(), rules, known, lines):
        states += found.states
        tried = _shown(found, asked, lines, states)
        wrong |= tried.wrong
        tried = Tried(asked.failing - wrong.keys(), wrong, states=states)
        if not enough(tried.mended) or not tried.allowed(asked):
            return replace(tried, mended=frozenset(), by=script)
    with suppress(NotProbed):
        listed = 0
        for found in probes(loaded.operator, asked.scope, left, rules, SIZES):
            states, listed = states + found.states - listed, found.states
            tried = _shown(found, asked, lines, states)
            if not enough(tried.mended):
                return replace(tried, mended=frozenset())
            if found.whole or not tried.allowed(asked):
                return tried
            if SIZES[-2] < listed < SIZES[-1] and _on_few_slices(loaded, asked, rules, left):
                return replace(tried, mended=asked.failing)
    return replace(_by_engines(loaded, asked, rules, lines, left), states=states)


def _shown(found: Probed, asked: Asked, lines: Callable[[int], int], states: int) -> Tried:
    """What a state graph shows of a set of candidates."""
    wrong = {name: one for name, one in found.wrong.items() if name in asked.failing | asked.good}
    if asked.rests and found.restless is not None:
        wrong[REST] = found.restless
    if found.waiting is not None:
        wrong[WAITING] = found.waiting
    shown = {name: tuple(placed(run, lines) for run in one.runs) for name, one in wrong.items()}
    return Tried(asked.failing - shown.keys(), shown, states=states)


def placed(run: Happened, lines: Callable[[int], int]) -> Happened:
    """The same run with other lines."""
    begun = None if run.script is None else run.script.moved(lines)
    outcomes, failures = frozenset(map(lines, run.outcomes)), frozenset(map(lines, run.failures))
    return replace(run, outcomes=outcomes, failures=failures, script=begun)


# ---- where the state graph is too large ------------------------------------------------------------------------

SHARE = 0.25
"""Of the time that is left, what one set of candidates may take."""


def _on_few_slices(loaded: Loaded, asked: Asked, rules: tuple[str, ...], left: Callable[[], float | None]) -> bool:
    """Whether a few slices show all that is asked of a set of candidates."""
    goals = requirements(loaded.operator, asked, rules)
    return len(Verifier(loaded, left()).on_few_slices(goals, asked.scope)) == len(goals)


def _by_engines(
    loaded: Loaded,
    asked: Asked,
    rules: tuple[str, ...],
    lines: Callable[[int], int],
    left: Callable[[], float | None],
) -> Tried:
    time_left = left()
    until = None if time_left is None else time.monotonic() + SHARE * time_left
    wrong: dict[str, tuple[Happened, ...]] = {}
    reason = ""
    verifier = Verifier(loaded)
    for goal in requirements(loaded.operator, asked, rules):
        verifier.limit(None if until is None else max(0.1, until - time.monotonic()))
        try:
            answer = verifier.answer(goal, asked.scope, why=False)
        except ModelError as error:
            return Tried(frozenset(), {}, str(error))
        if answer.trace is not None and not answer.good:
            wrong[goal.name] = (placed(happened(answer.trace), lines),)
        elif not answer.good:
            reason = reason or f"{goal.name.strip()}: {answer.reason or answer.verdict}"
    return Tried(asked.failing - wrong.keys() if not reason else frozenset(), wrong, reason)


def _waits(operator: Operator, asked: Asked, rules: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that must not be armed for ever.

    A deadline may be: it stays until its moment comes.  One that comes for ever does not let the operator rest.
    """
    deadlines = {rule.name for rule in operator.rules() if rule.kind == "when"} if asked.rests else set()
    return tuple(rule for rule in rules if rule not in deadlines)


def requirements(operator: Operator, asked: Asked, rules: tuple[str, ...]) -> list[Goal]:
    """Everything a repaired model is asked, as goals."""
    rules = _waits(operator, asked, rules)
    goals = [goal for goal in operator.goals if goal.name in asked.failing | asked.good]
    span = operator.span
    if asked.rests:
        goals.append(Goal(REST, "converges", rest(operator), "", (), span))
    if rules:
        goals.append(Goal(WAITING, "converges", _idle(operator, asked.scope, rules), "", (), span))
    return goals


def rest(operator: Operator) -> e.Expr:
    """That no key is queued."""
    return e.both(*(e.negate(e.Var(f"queued({controller.name})", BOOL)) for controller in operator.controllers))


def _idle(operator: Operator, scope: Scope, rules: tuple[str, ...]) -> e.Expr:
    """That no timer of the rules runs."""
    timers = [v for v in layout(operator, scope).variables if v.name.startswith("timer(") and v.name.endswith(")")]
    return e.both(
        *(
            e.negate(e.equal(e.Var(timer.name, timer.type), e.Const(rule, timer.type)))
            for timer in timers
            for rule in rules
            if isinstance(timer.type, EnumType) and rule in timer.type.values
        )
    )


def happened(trace: Trace) -> Happened:
    """What happened in a replayed run."""
    steps = trace.steps
    taken = [step.step for step in steps if step.step.action.startswith("reconcile ")]
    ends = frozenset(line for one in taken if (line := line_of(one)) and is_outcome(one))
    failed = frozenset(line for one in taken if (line := line_of(one)) and is_failure(one))
    names = {change.variable for step in steps for change in step.changes if "(" not in change.variable}
    return Happened(
        frozenset(name.partition(".")[0] for name in names),
        ends,
        failed,
        any(is_failure(one) or (is_outcome(one) and one.detail.startswith("fail")) for one in taken),
        any(step.step.action.startswith(("crash", "relist")) for step in steps),
    )


def with_schedule(scope: Scope) -> Scope:
    """The same scope with the schedule."""
    return replace(scope, level=SCHEDULED)


class Verdicts:
    """Verdicts that state graphs show, of a model and of what becomes of it; each graph is explored once.

    `known` are answers to the questions of `model`, which are not looked for again.  `tally` counts the questions.
    """

    def __init__(
        self,
        left: Callable[[], float | None],
        model: Loaded | None = None,
        known: Iterable[Answer] = (),
        tally: Tally | None = None,
    ) -> None:
        self.left, self.model, self.tally = left, model, tally or Tally()
        self._known: dict[tuple[str, frozenset[str]], str] = {}
        for one in known:
            if model is not None and one.verdict != "unknown":
                self._known[one.goal.name, in_force(model.operator.controllers, one.scope)] = one.verdict
        self._probed: dict[tuple[int, frozenset[str]], tuple[Loaded, Scope, Probed | None]] = {}
        """By model and system: scopes that leave the same wake-ups are one."""
        self._alike: dict[int, tuple[Loaded, Loaded]] = {}

    def expect_only(self, loaded: Loaded, other: Loaded) -> None:
        """Takes note that a model differs from another one in what is expected of it only."""
        self._alike[id(loaded)] = loaded, self._meant(other)

    def _meant(self, loaded: Loaded) -> Loaded:
        return self._alike[id(loaded)][1] if id(loaded) in self._alike else loaded

    def of_the_model(self) -> tuple[Answer, ...]:
        """What state graphs have shown of the model itself, to be known elsewhere."""
        mine = [(scope, found) for loaded, scope, found in self._probed.values() if loaded is self.model]
        goals = () if self.model is None else self.model.operator.goals
        shown = [(goal, scope, found) for scope, found in mine if found is not None for goal in goals]
        return tuple(Answer(goal, scope, _verdict(found, goal)) for goal, scope, found in shown)

    def known(self, loaded: Loaded, goal: Goal, scope: Scope) -> str | None:
        """The verdict on a goal as far as it was known before."""
        if loaded is not self.model:
            return None
        return self._known.get((goal.name, in_force(loaded.operator.controllers, scope)))

    def __call__(self, loaded: Loaded, goal: Goal, scope: Scope) -> str | None:
        """The verdict on a goal; None where the graph is too large."""
        if (answered := self.known(loaded, goal, scope)) is not None:
            self.tally.count(REPAIRED, 1, 0)
            return answered
        loaded = self._meant(loaded)
        key = id(loaded), in_force(loaded.operator.controllers, scope)
        self.tally.count(REPAIRED, 1, int(key not in self._probed))
        if key not in self._probed:
            try:
                found = probe(loaded.operator, scope, self.left())
                self._probed[key] = loaded, scope, found if found.whole else None
            except NotProbed:
                self._probed[key] = loaded, scope, None
        shown = self._probed[key][2]
        return None if shown is None else _verdict(shown, goal)


def _verdict(found: Probed, goal: Goal) -> str:
    """What a whole state graph says of a goal."""
    wrong: Wrong | None = found.wrong.get(goal.name)
    if wrong is not None:
        return wrong.verdict
    return {"converges": "converges", "always": "holds"}.get(goal.kind, "reachable")
