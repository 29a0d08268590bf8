"""Why a goal fails: the causes that the trace of an answer and the model show.

Nothing is guessed from names.  What is missing is found by rehearsals on the reference interpreter: would a
wake-up have helped, would the goal have been reached had this request gone well, had this field stayed as it was?
"""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.cause import Cause
from reconcheck.explain.history import History
from reconcheck.explain.loop_causes import busy
from reconcheck.explain.quiet_causes import helped, missing_wake_ups, stopped
from reconcheck.explain.rehearsal import rehearsal
from reconcheck.explain.turning_point import past_cure, went_wrong
from reconcheck.explain.verdict import Answer
from reconcheck.model.operator import Operator


def causes_of(operator: Operator, answer: Answer) -> tuple[Cause, ...]:
    """The causes of a goal that does not converge, the most telling first; none without a trace."""
    trace = answer.trace
    if trace is None or trace.end not in ("quiet", "livelock"):
        return ()
    history = History(rehearsal(operator, answer.scope, answer.goal, trace), trace)
    found = list(_causes(history))
    first: dict[tuple[str, str], Cause] = {}
    for one in found:
        first.setdefault((one.code, one.message), one)
    return tuple(first.values())


def _causes(history: History) -> Iterator[Cause]:
    found = list(busy(history)) if history.trace.end == "livelock" else []
    if not found:
        found = list(stopped(history))
    if not found and helped(history):
        found = list(missing_wake_ups(history)) or list(went_wrong(history))
    if not found:
        found = list(past_cure(history))
    yield from found
