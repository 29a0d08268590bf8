"""The step after which no wake-up helps any more, or after which nothing happens by itself that would."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.history import History
from reconcheck.explain.kinds import cause
from reconcheck.semantics.world import State


def past_cure(history: History) -> Iterator[Cause]:
    """Why no wake-up helps: what the last step did after which none does; at the least, that it is the logic."""
    names, rehearsal = [controller.name for controller in history.operator.controllers], history.rehearsal

    def curable(state: State) -> bool:
        return rehearsal.possibly(state) or rehearsal.helps(state, names)

    found = list(acted_on_old_news(history, curable))
    if found:
        yield from found
        return
    number = _last(history, curable)
    goal = rehearsal.goal
    places = [Place(goal.span, goal.cites)]
    if number is None:
        message = "woken again and again, with fresh caches and no failure, no controller ever reaches the goal"
        yield cause("logic", message, [*_busy(history), *places], None)
        return
    yield from turning(history, number, places, "no wake-up helps any more")


def went_wrong(history: History) -> Iterator[Cause]:
    """The last step without which nothing would have been missing."""
    number = _last(history, history.rehearsal.possibly)
    if number is not None:
        goal = history.rehearsal.goal
        yield from turning(history, number, [Place(goal.span, goal.cites)], "nothing leads to the goal any more")


def _last(history: History, good: Callable[[State], bool]) -> int | None:
    """The number of the last step before which the state is good, and after which no state is."""
    for number in reversed(range(len(history.steps))):
        if good(history.states[number]):
            return number
    return None


def turning(history: History, number: int, places: list[Place], since: str) -> Iterator[Cause]:
    """What a step did that cannot be made good."""
    step = history.steps[number]
    here = history.place(number)
    places = [here, *places] if here is not None else places
    verb, _, name = step.step.action.partition(" ")
    detail = history.outcome(number)
    match verb:
        case "crash":
            yield from _restart(history, number, places, since)
        case "lose":
            yield cause("lost_event", f"the event is lost; {since}", places, number, "errors and delays")
        case "relist":
            message = f"a gap in the watch of {name.removeprefix('page ')}: {since}"
            yield cause("lost_event", message, places, number, "errors and delays")
        case "reconcile" if " fails" in detail and not _is_retried(history, name, number):
            yield cause("swallowed_error", f"after `{detail}` {since}", places, number)
        case "reconcile":
            yield cause("logic", f"after `{detail}` of {name} {since}", places, number)
        case "start":
            yield cause("logic", f"after a reconcile of {name} has begun {since}", places, number)
        case _:
            what = name if verb in ("process", "disturbance", "noise") else step.step.action
            yield cause("logic", f"after {what} {since}", [*places, *_busy(history)], number)


def _is_retried(history: History, name: str, number: int) -> bool:
    """Whether a failure ends the run of a controller, whose error rule tries again."""
    controller = history.rehearsal.controller(name)
    return history.rehearsal.layout.retries_errors(controller) and history.ends_with_error(controller, number)


def _restart(history: History, number: int, places: list[Place], since: str) -> Iterator[Cause]:
    """What a restart took away: memory, timers, events, or the rest of a reconcile."""
    names = [change.variable for change in history.steps[number].changes if change.old not in (False, "none", "idle")]
    memory = [name for name in names if name.startswith("memory.")]
    timers = [name for name in names if name.startswith("timer(") and name.endswith(")")]
    cured = since.startswith("nothing")
    lost = memory
    if cured:  # by a wake-up: then what would have woken the controller is lost as well
        lost = memory or timers or [name for name in names if name.startswith("event(")]
    running = [name[3:-1] for name in names if name.startswith("pc(")]
    if lost:
        message = f"the restart forgets {', '.join(lost)}; {since}"
    else:
        message = f"the restart interrupts {', '.join(running) or 'what was under way'}; {since}"
    kind = "lost_at_restart" if lost or cured else "logic"
    yield cause(kind, message, [*places, *_busy(history)], number)


def _outdated(history: History, number: int) -> list[str]:
    """What the reconcile that a step belongs to read from its cache, and what is not so when the step is taken."""
    controller = history.rehearsal.controller(history.steps[number].step.action.split(" ", 1)[1])
    run = history.run_at(controller, number)
    own = {change.variable for one in run.steps if one < number for change in history.steps[one].changes}
    live, seen = history.states[number], history.seen(controller, run)
    return sorted(
        name
        for name, (value, since) in seen.items()
        if value != live[name] and name not in own and history.is_cached(since, controller, name)
    )


def _busy(history: History) -> list[Place]:
    """The outcome with which the last reconcile of each controller ends."""
    found: list[Place] = []
    for controller in history.operator.controllers:
        run = history.last_run(controller)
        place = history.place(run.steps[-1]) if run is not None else Place(controller.span, controller.cites)
        found += [place] if place is not None else []
    return found


def acted_on_old_news(history: History, good: Callable[[State], bool]) -> Iterator[Cause]:
    """A write that spoils everything, by a reconcile that had read what was not so any more when it wrote.

    The goal would still have been reached, had this write been left out.
    """
    for number in reversed(range(len(history.steps))):
        step, after = history.steps[number], history.states[number + 1]
        written = {change.variable: change.old for change in step.changes if history.holder(change.variable)}
        if not written or not step.step.action.startswith("reconcile "):
            continue
        if (outdated := _outdated(history, number)) and good(after | written) and not good(after):
            here = history.place(number)
            what = f"`{history.outcome(number)}` of {step.who}"
            message = f"{what} rests on what {', '.join(outdated)} was before; without that write all would be well"
            yield cause("stale_read", message, [here] if here is not None else [], number)
            return
