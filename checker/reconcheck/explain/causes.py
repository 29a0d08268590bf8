"""Why a goal fails: the causes that the trace of an answer and the model show.

Nothing is guessed from names.  What is missing is found by rehearsals on the reference interpreter: would a
wake-up have helped, would the goal have been reached had this request gone well, had this field stayed as it was?
"""

from __future__ import annotations

from msgspec.structs import replace

from reconcheck.explain.cause import Cause
from reconcheck.explain.history import History
from reconcheck.explain.loop_causes import busy, one_way_round
from reconcheck.explain.quiet_causes import helped, missing_wake_ups, stopped
from reconcheck.explain.rehearsal import Check, rehearsal
from reconcheck.explain.trace import Trace
from reconcheck.explain.turning_point import acted_on_old_news, past_cure, went_wrong
from reconcheck.explain.verdict import Answer
from reconcheck.model import expr as e
from reconcheck.model.operator import Operator


def causes_of(operator: Operator, answer: Answer, check: Check = lambda _text: None) -> tuple[Cause, ...]:
    """The causes of a goal that does not converge, the most telling first; none without a trace.

    Where the trace needs a fault and another run does not, what is behind that one is a cause as well.
    Raises `Exhausted` where rehearsing takes too long.
    """
    found = list(_causes(operator, answer, answer.trace, check))
    known = {one.code for one in found}
    for one in _causes(operator, answer, answer.faultless, check):
        if one.code not in known:
            found.append(replace(one, message=f"also without any fault: {one.message}", step=None))
    first: dict[tuple[str, int | None, str], Cause] = {}
    for one in found:
        first.setdefault((one.code, one.step, one.message if one.step is None else ""), one)
    return tuple(first.values())


def _causes(operator: Operator, answer: Answer, trace: Trace | None, check: Check) -> tuple[Cause, ...]:
    if trace is None or trace.end not in ("quiet", "livelock", "violation"):
        return ()
    history = History(rehearsal(operator, answer.scope, answer.goal, trace, check), trace)
    if trace.end == "violation":  # the last step did it
        return tuple(acted_on_old_news(history, lambda state: e.evaluate(answer.goal.formula, state) is True))
    found = busy(history) if trace.end == "livelock" else ()
    found = found or tuple(stopped(history))
    if found:
        return found
    if trace.end == "livelock" and history.rehearsal.possibly(history.end):
        return (one_way_round(history),)
    if helped(history):  # so it is not past cure, even where nothing is found
        return tuple(missing_wake_ups(history)) or tuple(went_wrong(history))
    return tuple(past_cure(history))
