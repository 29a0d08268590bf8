"""Why an operator is busy for ever: who writes what in the loop, and whom that wakes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.history import History
from reconcheck.explain.kinds import cause
from reconcheck.model.managers import is_view
from reconcheck.model.operator import Controller
from reconcheck.model.types import Value
from reconcheck.model.wakeups import RETRYING
from reconcheck.semantics.layout import IDLE, STOPPED, event_name


class _Write(Struct, frozen=True):
    """A change of a field in the loop."""

    number: int
    writer: str
    """The action that wrote."""
    variable: str
    value: Value


def busy(history: History) -> tuple[Cause, ...]:
    """What keeps the loop going: a fight, a write that triggers its own reconcile, an error that comes back."""
    loop = history.trace.loop
    assert loop is not None
    writes = list(_writes(history, loop))
    return (
        tuple(_fights(history, writes))
        or tuple(_self_triggers(history, writes))
        or tuple(_errors(history, loop))
        or tuple(_noise(history, loop))
    )


def one_way_round(history: History) -> Cause:
    """A loop that others leave by themselves, who take the same steps in another order: no wake-up is missing."""
    loop = history.trace.loop
    assert loop is not None
    goal = history.rehearsal.goal
    places = [place for n in range(loop, len(history.steps)) if (place := history.place(n)) is not None]
    message = "in another order the steps of the loop lead to the goal, with nobody woken: none has to take that order"
    return cause("logic", message, [*places, Place(goal.span, goal.cites)], None)


def _writes(history: History, loop: int) -> Iterator[_Write]:
    for number in range(loop, len(history.steps)):
        step = history.steps[number]
        if step.step.action.split(" ", 1)[0] not in ("reconcile", "process", "noise"):
            continue
        appears = {change.variable.removesuffix(".exists") for change in step.changes if _is_existence(change.variable)}
        for change in step.changes:
            holder = history.holder(change.variable)
            if holder in ("", "memory") or (holder in appears and not _is_existence(change.variable)):
                continue
            yield _Write(number, step.step.action, change.variable, change.new)


def _is_existence(variable: str) -> bool:
    return variable.endswith(".exists") and not is_view(variable)


def _fights(history: History, writes: list[_Write]) -> Iterator[Cause]:
    """Fields that several writers give different values; one of them is a controller."""
    for variable in sorted({write.variable for write in writes}):
        mine = [write for write in writes if write.variable == variable]
        values: dict[str, set[Value]] = {}
        for write in mine:
            values.setdefault(write.writer, set()).add(write.value)
        ours = [writer for writer in values if writer.startswith("reconcile ")]
        others = [writer for writer in values if ours and not values[writer] & values[ours[0]]]
        if not others:
            continue
        who = " and ".join(writer.split(" ", 1)[1] for writer in (ours[0], *others))
        places = [place for write in mine if (place := history.place(write.number)) is not None]
        yield cause("fight_between_writers", f"{who} undo each other's {variable}", places, mine[0].number)


def _self_triggers(history: History, writes: list[_Write]) -> Iterator[Cause]:
    """Writes of a controller that pass one of its own watches, and so start the next reconcile."""
    met: set[tuple[str, str]] = set()
    for write in writes:
        controller = _writer(history, write)
        if controller is None:
            continue
        before, after = history.states[write.number], history.states[write.number + 1]
        for watch in controller.watches:
            if history.holder(write.variable) != watch.target or (watch.name, write.variable) in met:
                continue
            if not after.get(event_name(watch)) or before[event_name(watch)]:  # one taken away has no events
                continue
            met.add((watch.name, write.variable))
            place = history.place(write.number)
            places = [place] if place is not None else []
            message = f"{controller.name} writes {write.variable}, and its own watch {watch.name} wakes it for that"
            places.append(Place(watch.span, watch.cites))
            yield cause("self_triggering_write", message, places, write.number)


def _writer(history: History, write: _Write) -> Controller | None:
    verb, _, name = write.writer.partition(" ")
    return history.rehearsal.controller(name) if verb == "reconcile" else None


def _errors(history: History, loop: int) -> Iterator[Cause]:
    """Reconciles that are retried after an error, again and again, or woken by something else before their retry."""
    for number in range(loop, len(history.steps)):
        verb, _, name = history.steps[number].step.action.partition(" ")
        if verb != "retry":
            continue
        controller = history.rehearsal.controller(name)
        run = history.last_run(controller)
        places = [history.place(n) for n in run.steps] if run is not None else []
        shown = [place for place in places[-1:] if place is not None]
        shown.append(Place(controller.span, controller.error.cites))
        yield cause("error_loop", f"{name} fails, is retried, and fails again", shown, number)
        return
    for controller in history.operator.controllers:
        failed = _failures(history, controller, loop)
        if failed and controller.error.policy in RETRYING:
            where = history.place(failed[-1])
            lines = [] if where is None else [where]
            lines.append(Place(controller.span, controller.error.cites))
            message = f"{controller.name} fails, is woken before it is retried, and fails again"
            yield cause("error_loop", message, lines, failed[-1])
            return


def _failures(history: History, controller: Controller, loop: int) -> list[int]:
    """The last steps of the reconciles that end in the loop, where all of them end with an error."""
    action, pc = f"reconcile {controller.name}", f"pc({controller.name})"
    ends = [
        number
        for number in range(loop, len(history.steps))
        if history.steps[number].step.action == action and history.states[number + 1][pc] in (IDLE, STOPPED)
    ]
    return ends if all(history.ends_with_error(controller, number) for number in ends) else []


def _noise(history: History, loop: int) -> Iterator[Cause]:
    """Something that may go on for ever makes the goal false, again and again."""
    holds = history.rehearsal.holds
    for number in range(loop, len(history.steps)):
        verb, _, name = history.steps[number].step.action.partition(" ")
        if verb == "noise" and holds(history.states[number]) and not holds(history.states[number + 1]):
            place = history.place(number)
            message = f"{name} may go on for ever, and makes the goal false again and again"
            yield cause("logic", message, [place] if place is not None else [], number)
            return
