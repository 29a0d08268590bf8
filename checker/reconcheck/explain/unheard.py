"""Why a change woke nobody: which watches a controller has on it, and what became of the event."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.history import Changed, History
from reconcheck.explain.kinds import cause
from reconcheck.model.operator import Controller, Watch
from reconcheck.semantics.layout import event_name


def unheard(history: History, controller: Controller, holder: str, changes: list[Changed]) -> Iterator[Cause]:
    """The causes for which a controller was not told of changes of one object, external, clock or memory."""
    number = max(change.steps[-1] for change in changes)
    names = [change.name for change in changes if number in change.steps]
    stale = any(change.stale for change in changes)
    operator = history.operator
    reading = [place for change in changes for place in history.reading(controller, change.name)]
    places = [place for place in (history.place(number), *reading) if place is not None]
    in_force = history.rehearsal.whole.layout.watches(holder)
    watches = [watch for owner, watch in in_force if owner.name == controller.name]
    after = "after the cache was read" if stale else f"after {controller.name} last looked"
    if history.last_run(controller) is None:
        after = f"and {controller.name} never ran"
    what = f"{', '.join(names)} change{'s' * (len(names) == 1)} {after}"
    if holder not in operator.objects and holder not in operator.externals:
        if holder == "memory" and history.steps[number].step.action.startswith("crash"):
            yield cause(
                "lost_at_restart", f"the restart forgets {', '.join(names)}, and nothing tells it anew", places, number
            )
        elif holder == "memory":
            yield cause("unwatched_read", f"{what}; memory wakes nobody", places, number)
        else:
            yield cause("time_based_duty", f"{what}; time is no event", places, number, "time")
        return
    declared = history.declared(holder)
    if holder in operator.externals and not operator.externals[holder].notifies:
        places += [declared] if declared is not None else []
        yield cause("external_without_events", f"{what}; {holder} sends no events", places, number, "external")
        return
    if not watches:
        places += [declared] if declared is not None else []
        away = any(watch.target == holder for watch in controller.watches)
        message = f"{what}; {controller.name} does not watch {holder}{' with that watch taken away' if away else ''}"
        yield cause("unwatched_read", message, places, number)
        return
    before, then = history.states[number], history.states[number + 1]
    for watch in watches:
        heard = history.rehearsal.whole.hears(watch, before, then)
        here = [Place(watch.span, watch.cites), *places]
        match heard:
            case "unregistered":
                message = f"{what}; its watch {watch.name} is not registered then"
                yield cause("late_registration", message, here, number)
            case "unmapped":
                message = f"{what}; the mapping of watch {watch.name} leads to nobody"
                yield cause("wrong_mapping", message, here, number)
            case "own":
                message = f"{what}; the runtime tells {controller.name} nothing of what it writes itself"
                yield cause("dropped_by_predicate", message, here, number)
            case "filtered":
                yield _filtered(history, controller, watch, what, here, number)
            case _:
                yield from _gone(history, controller, watch, what, here, number)


def _filtered(
    history: History, controller: Controller, watch: Watch, what: str, places: list[Place], number: int
) -> Cause:
    """A predicate that drops the event; of a primary's deletion, it may be the runtime that does not tell."""
    exists = f"{watch.target}.exists"
    deleted = history.states[number].get(exists) and not history.states[number + 1].get(exists)
    silent = controller.profile["deleted_primary"] == "silent"
    if deleted and silent and watch.target == controller.primary:
        message = f"{watch.target} is deleted, and the runtime does not tell of a deleted primary"
        return cause("missed_delete", message, places, number)
    return cause("dropped_by_predicate", f"{what}; watch {watch.name} does not let that through", places, number)


def _gone(
    history: History, controller: Controller, watch: Watch, what: str, places: list[Place], number: int
) -> Iterator[Cause]:
    """What became of an event that was pending."""
    event, queued = event_name(watch), f"queued({controller.name})"
    for later in range(number + 1, len(history.steps)):
        before, then = history.states[later], history.states[later + 1]
        if not before[event] or then[event]:
            continue
        action = history.steps[later].step.action
        gone = not then.get(f"{watch.target}.exists", True)
        match action.split(" ", 1)[0]:
            case "lose":
                message = f"{what}; the event for watch {watch.name} is lost"
                yield cause("lost_event", message, places, later, "errors and delays")
            case "relist" if action.startswith("relist page"):
                message = f"a relist wakes {controller.name} before the cache has what changed in {watch.target}"
                yield cause("stale_read", message, places, later)
            case "relist" | "crash" if gone:
                message = f"{watch.target} is gone when it is listed anew, and the list tells nobody of it"
                yield cause("missed_delete", message, places, later, "errors and delays")
            case "relist":
                gap = f"the two ends look alike to watch {watch.name}"
                if controller.profile["relist"] == "loses_deletes":
                    gap = f"what is listed counts as created, which watch {watch.name} does not let through"
                message = f"{what}; in the gap the event is lost: {gap}"
                yield cause("lost_event", message, places, later, "errors and delays")
            case "crash":
                message = f"{what}; the restart forgets the event, and its listing wakes nobody"
                yield cause("lost_at_restart", message, places, later)
            case _ if not then[queued]:
                message = f"{what}; when the event is delivered, the mapping of watch {watch.name} leads to nobody"
                yield cause("wrong_mapping", message, places, later)
        return


def unheard_at_start(history: History, controller: Controller) -> Iterator[Cause]:
    """Why a controller that never ran was not even woken by the list of what is there when the process starts."""
    if history.last_run(controller) is not None:
        return
    whole = history.rehearsal.whole
    for watch in whole.layout.watching(controller):
        what, places = f"{watch.target} is listed at the start, as created", [Place(watch.span, watch.cites)]
        match whole.listed(watch, history.states[0]):
            case "unregistered":
                message = f"{what}; watch {watch.name} is not registered then"
                yield cause("late_registration", message, places, None)
            case "filtered":
                message = f"{what}; watch {watch.name} does not let that through"
                yield cause("dropped_by_predicate", message, places, None)
            case "unmapped":
                message = f"{what}; the mapping of watch {watch.name} leads to nobody"
                yield cause("wrong_mapping", message, places, None)
