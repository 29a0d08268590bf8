"""The step after which no wake-up helps any more, or after which nothing happens by itself that would."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.history import History
from reconcheck.explain.kinds import cause
from reconcheck.semantics.steps import Kind


def past_cure(history: History) -> Iterator[Cause]:
    """Why no wake-up helps: what the last step did after which none does; at the least, that it is the logic."""
    names = [controller.name for controller in history.operator.controllers]
    number = _last(history, lambda state: history.rehearsal.helps(state, names))
    goal = history.rehearsal.goal
    places = [Place(goal.span, goal.cites)]
    if number is None:
        message = "woken again and again, with fresh caches and no failure, no controller ever reaches the goal"
        yield cause("logic", message, [*_busy(history), *places], None)
        return
    yield from _turning(history, number, places, "no wake-up helps any more")


def went_wrong(history: History) -> Iterator[Cause]:
    """The last step without which nothing would have been missing."""
    number = _last(history, lambda state: history.rehearsal.settle(state).good)
    if number is not None:
        goal = history.rehearsal.goal
        yield from _turning(history, number, [Place(goal.span, goal.cites)], "nothing leads to the goal any more")


def _last(history: History, good: object) -> int | None:
    """The number of the last step before which the state is good, and after which no state is."""
    assert callable(good)
    for number in reversed(range(len(history.steps))):
        if good(history.states[number]):
            return number
    return None


def _turning(history: History, number: int, places: list[Place], since: str) -> Iterator[Cause]:
    """What a step did that cannot be made good."""
    step = history.steps[number]
    here = history.place(number)
    places = [here, *places] if here is not None else places
    verb, _, name = step.step.action.partition(" ")
    detail = step.step.detail.rpartition(" (L")[0]
    match verb:
        case "crash":
            lost = [change.variable for change in step.changes if change.variable.startswith("memory.")]
            what = f"forgets {', '.join(lost)}" if lost else "interrupts what was under way"
            places = [*places, *_busy(history)]
            yield cause("lost_at_restart", f"the restart {what}; {since}", places, number)
        case "lose":
            yield cause("lost_event", f"the event is lost; {since}", places, number, "errors and delays")
        case "relist":
            message = f"a gap in the watch of {name.removeprefix('page ')}: {since}"
            yield cause("lost_event", message, places, number, "errors and delays")
        case "reconcile" if step.sees:
            outdated = ", ".join(change.variable for change in step.sees)
            yield cause("stale_read", f"`{detail}` by an outdated copy of {outdated}; {since}", places, number)
        case "reconcile" if step.step.kind is Kind.FAULT or " fails" in detail:
            yield cause("swallowed_error", f"after `{detail}` {since}", places, number)
        case "reconcile":
            yield cause("logic", f"after `{detail}` of {name} {since}", places, number)
        case _:
            what = name if verb in ("process", "disturbance", "noise") else step.step.action
            yield cause("logic", f"after {what} {since}", [*places, *_busy(history)], number)


def _busy(history: History) -> list[Place]:
    """The outcome with which the last reconcile of each controller ends."""
    found: list[Place] = []
    for controller in history.operator.controllers:
        run = history.last_run(controller)
        place = history.place(run.steps[-1]) if run is not None else Place(controller.span, controller.cites)
        found += [place] if place is not None else []
    return found
