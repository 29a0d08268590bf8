"""Candidates for repairs: what could be changed in a model, from its syntax tree and the goals that fail."""

from __future__ import annotations

from collections.abc import Sequence

from reconcheck.explain.broken import Broken
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.edits import Source
from reconcheck.explain.fewer_events import fewer_events
from reconcheck.explain.more_deadlines import more_deadlines
from reconcheck.explain.more_events import more_events
from reconcheck.explain.more_live_reads import more_live_reads
from reconcheck.explain.more_retries import more_retries
from reconcheck.explain.more_timers import more_timers
from reconcheck.model.operator import Goal, Operator
from reconcheck.syntax import tree


def candidates(broken: Broken) -> tuple[Candidate, ...]:
    """Everything that could be changed, the most natural first."""
    found: list[Candidate] = []
    for controller in broken.controllers:
        found += more_events(broken, controller)
        found += more_retries(broken, controller)
        found += more_deadlines(broken, controller)
        found += more_timers(broken, controller)
        found += more_live_reads(broken, controller)
        found += fewer_events(broken, controller)
    return tuple({candidate.key: candidate for candidate in found}.values())


def broken_model(
    operator: Operator, file: tree.File, goals: Sequence[Goal], causes: frozenset[str] = frozenset()
) -> Broken:
    """A model with the goals that are to be mended, and the kinds of causes that are known of them."""
    assert file.operator is not None
    names = {goal.name for goal in goals}
    written = [member for member in file.operator.members if isinstance(member, tree.Goals)]
    failing = tuple(goal for group in written for goal in group.goals if goal.name.text in names)
    return Broken(Source.of(operator.file, operator.sources[operator.file]), file, operator, failing, causes)
