"""Whether a schedule would help a goal that fails with every wake-up that there is: the operator may have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.broken import Broken, reconcile
from reconcheck.explain.candidates import broken_model
from reconcheck.explain.clock import Clock
from reconcheck.explain.diagnosis import Edit, Levels
from reconcheck.explain.flows import Flow
from reconcheck.explain.patch import read_text
from reconcheck.explain.schedule import PERIOD
from reconcheck.explain.verdict import GOOD
from reconcheck.explain.verify import Verifier
from reconcheck.model.operator import SCHEDULED, Loaded, Scope
from reconcheck.syntax import tree
from reconcheck.syntax.parser import parse_text

SECONDS = 10.0
"""For each model with a schedule added, at most."""


class AddedSchedules(Struct, frozen=True):
    """A piece of work: the verdict under a schedule of its own for each of some goals that fail at every level.

    The schedule is added to each controller that lacks some; where there are several, then to each of them alone: two
    that are woken for ever can keep each other from the goal.
    """

    goals: tuple[str, ...]
    without: tuple[str, ...]

    def done(self, verifier: Verifier, seconds: float | None) -> dict[str, str]:
        """The verdicts, within so many seconds."""
        operator, clock = verifier.operator, Clock(seconds)
        failing = [operator.goal(name) for name in self.goals]
        file = parse_text(operator.sources[operator.file], operator.file)
        added: dict[str, str] = {}
        for loaded in _added(broken_model(operator, file, failing), self.without):
            open_ = [loaded.operator.goal(goal.name) for goal in failing if added.get(goal.name) not in GOOD]
            if not open_:
                break
            verifier.budget.report("adding a schedule")
            left = clock.left()
            changed = Verifier(loaded, SECONDS if left is None else min(left, SECONDS))
            for answer in changed.nearest_first(open_, Scope(SCHEDULED, self.without)):
                if answer.good or added.get(answer.goal.name) != "unknown":
                    added[answer.goal.name] = answer.verdict
        return added


def with_added_schedules(levels: Sequence[Levels], without: tuple[str, ...]) -> Flow:
    """The flow that finds the levels, with the verdict under a schedule of its own for each goal that fails at all."""
    failing = tuple(one.goal for one in levels if one.fails)
    if not failing:
        return tuple(levels)
    (found,) = yield (AddedSchedules(failing, without),)
    added = dict.fromkeys(failing, "unknown") if found is None else found
    return tuple(replace(one, added=added.get(one.goal, "")) for one in levels)


def _added(broken: Broken, without: Sequence[str]) -> Iterator[Loaded]:
    """The model with a schedule for each controller that lacks some, then for one of them alone.

    It is a rule that is declared, and a resync, which does not depend on how the last reconcile ended.
    """
    found = [edits for controller in broken.controllers if (edits := _edits(broken, controller, without))]
    every = [edit for edits in found for edit in edits]
    for chosen in [every, *(found if len(found) > 1 else [])]:
        if chosen:
            yield read_text(broken, chosen)[1]


def _edits(broken: Broken, controller: tree.Controller, without: Sequence[str]) -> list[Edit]:
    rules = [member.name.text for member in controller.members if isinstance(member, tree.Requeue)]
    added: list[str] = []
    if all(name in without for name in rules):
        added.append(f"requeue {broken.rule_name('poll', controller)} every {PERIOD}")
    if broken.rounds(controller)[0].resync is None:
        added.append(f"resync every {PERIOD}")
    return [broken.source.before(reconcile(controller).span, line) for line in added]
