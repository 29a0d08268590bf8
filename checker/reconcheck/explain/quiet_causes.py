"""Why an operator came to rest without its goal: which wake-up was missing, and why it did not come.

A cause is what makes the difference in a rehearsal: the change that nobody was told of, without which a wake-up
would not have helped; the request that would have been enough, had it gone well; the timer that would have fired.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.history import Changed, History
from reconcheck.explain.kinds import cause
from reconcheck.explain.rehearsal import touched_by
from reconcheck.explain.turning_point import acted_on_old_news, turning
from reconcheck.explain.unheard import unheard, unheard_at_start
from reconcheck.model import expr as e
from reconcheck.model.operator import Controller
from reconcheck.semantics.layout import ERROR_TIMER, IDLE, NO_TIMER, STOPPED
from reconcheck.semantics.world import State


def missing_wake_ups(history: History) -> list[Cause]:
    """The causes for each controller that a wake-up at the end would help; none where no wake-up helps."""
    found: list[Cause] = []
    for controller in helped(history):
        of_controller = [*_failed(history, controller), *_without_timer(history, controller)]
        of_controller += _untold(history, controller)
        found += of_controller or [*_cut_short(history, controller)] or unheard_at_start(history, controller)
    found += acted_on_old_news(history, history.rehearsal.surely)
    known = {one.step for one in found}
    return found + [one for one in _lost_on_the_way(history) if one.step not in known]


def helped(history: History) -> list[Controller]:
    """The controllers of which one wake-up is enough, or all of them, if only all together are."""
    controllers = history.operator.controllers
    alone = [one for one in controllers if history.rehearsal.helps(history.end, [one.name])]
    if alone:
        return alone
    together = len(controllers) > 1 and history.rehearsal.helps(history.end, [one.name for one in controllers])
    return list(controllers) if together else []


# ---- errors ------------------------------------------------------------------------------------------------


def _failed(history: History, controller: Controller) -> Iterator[Cause]:
    """The last run ended with an error that is not retried, or went on as if there had been none."""
    run = history.last_run(controller)
    if run is None or not run.ended:
        return
    last = run.steps[-1]
    failed = [number for number in run.steps if " fails" in history.steps[number].step.detail]
    decisive = [number for number in failed if _would_have_done(history, controller, number)]
    places = [place for number in (*decisive, last) if (place := history.place(number)) is not None]
    if history.outcome(last) == "fail terminal":
        yield cause("terminal_error", "the last reconcile ends with an error that is never retried", places, last)
    elif history.ends_with_error(controller, last):
        yield from _given_up(history, controller, last, places)
    elif decisive:
        message = f"`{history.outcome(decisive[-1])}`, and the reconcile ends as if it had not; nothing retries it"
        yield cause("swallowed_error", message, places, decisive[-1])


def _cut_short(history: History, controller: Controller) -> Iterator[Cause]:
    """A request that failed and was forgotten: had it gone well, what it changes would have woken the controller."""
    run = history.last_run(controller)
    if run is None or not run.ended or history.ends_with_error(controller, run.steps[-1]):
        return
    for number in reversed(run.steps):
        before, after, rehearsal = history.states[number], history.states[number + 1], history.rehearsal
        if " fails" not in history.steps[number].step.detail or rehearsal.wakes(after, controller.name):
            continue
        well = _without_failure(history, controller, number, before)
        if well is not None and rehearsal.wakes(well, controller.name):
            what = f"`{history.outcome(number)}`, and the reconcile ends as if it had not"
            message = f"{what}; had it gone well, what it changes would have woken {controller.name}"
            places = [place for one in (number, run.steps[-1]) if (place := history.place(one)) is not None]
            yield cause("swallowed_error", message, places, number)
            return


def _given_up(history: History, controller: Controller, last: int, places: list[Place]) -> Iterator[Cause]:
    """What the error rule made of a reconcile that failed."""
    error = controller.error
    places = [*places, Place(controller.span, error.cites or controller.cites)]
    match error.policy:
        case "retry":
            message = f"the last of {error.retries} retries fails, and nothing tries again"
            yield cause("retries_exhausted", message, places, last, "errors and delays")
        case "await":
            message = f"the reconcile fails, and the error rule of {controller.name} forgets it until the next event"
            yield cause("swallowed_error", message, places, last)
        case "stop":
            message = f"the reconcile fails, and the error rule stops {controller.name} for ever"
            yield cause("terminal_error", message, places, last)
        case _:
            return  # a backoff was armed: where it went is the timer's story


def stopped(history: History) -> Iterator[Cause]:
    """Controllers that an error rule has stopped, and that would do it if they ran again."""
    for controller in history.operator.controllers:
        pc = f"pc({controller.name})"
        number = max((n for n, s in enumerate(history.states[1:]) if s[pc] == STOPPED), default=None)
        if history.end[pc] != STOPPED or number is None:
            continue
        while number > 0 and history.states[number][pc] == STOPPED:
            number -= 1
        if history.rehearsal.helps(history.end | {pc: "idle"}, [controller.name]):
            place = history.place(number)
            yield from _given_up(history, controller, number, [place] if place is not None else [])


def _would_have_done(history: History, controller: Controller, number: int) -> bool:
    """Whether the goal would have been reached, without a further wake-up, had this effect not failed."""
    rehearsal, before = history.rehearsal, history.states[number]
    if rehearsal.surely(history.states[number + 1]):
        return False
    after = _without_failure(history, controller, number, before)
    return after is not None and rehearsal.surely(after)


def _without_failure(history: History, controller: Controller, number: int, before: State) -> State | None:
    """The state after an effect that failed, had it gone well."""
    rehearsal = history.rehearsal
    if "(conflict)" in history.steps[number].step.detail:
        before = _with_newest(rehearsal.fresh(before), controller)
    return rehearsal.advance(before, f"reconcile {controller.name}")


def _with_newest(state: State, controller: Controller) -> State:
    """The state in which a running reconcile has the newest version of everything."""
    held = [name for name in state if name.startswith(f"held({controller.name}:")]
    return state | {name: "newest" for name in held if state[name] == "outdated"}


# ---- timers ------------------------------------------------------------------------------------------------


def _without_timer(history: History, controller: Controller) -> Iterator[Cause]:
    """A timer that went without firing, or was not armed since an event had queued the key."""
    slot = f"timer({controller.name})"
    if slot not in history.end or history.end[slot] != NO_TIMER:
        return
    for number in reversed(range(len(history.steps))):
        lost = _lost(history, controller, number)
        if lost is None:
            continue
        after, rehearsal = history.states[number + 1], history.rehearsal
        if rehearsal.surely(after) or not rehearsal.surely(after | lost):
            continue
        timer, action = str(lost[slot]), history.steps[number].step.action
        rule = None if timer == ERROR_TIMER else history.rehearsal.layout.rule(timer)
        here = history.place(number)
        places = [Place(controller.span, controller.error.cites) if rule is None else Place(rule.span, rule.cites)]
        places += [here] if here is not None else []
        called = "the retry after an error" if rule is None else f"the timer {timer}"
        if action.startswith("crash"):
            yield cause("lost_at_restart", f"a restart takes {called} away, and nothing arms it again", places, number)
        elif action.startswith("reconcile "):
            message = f"{called} is not kept, since an event has queued the key; the run for it asks for none"
            yield cause("timer_consumed", message, places, number)
        else:
            message = f"an event takes the place of {called}; the run for it asks for none"
            yield cause("timer_consumed", message, places, number)
        return


def _lost(history: History, controller: Controller, number: int) -> State | None:
    """The timer and what it captured, if a step made it go without firing or did not arm what was asked for."""
    slot, step = f"timer({controller.name})", history.steps[number].step
    before, after = history.states[number], history.states[number + 1]
    if step.action.startswith(("fire ", "retry ")):
        return None
    captured = [variable.name for rule in controller.rules for variable, _ in rule.captures if variable.name in before]
    if before[slot] != NO_TIMER and after[slot] == NO_TIMER:
        return {name: before[name] for name in (slot, *captured)}
    asked = step.detail.rpartition(" (L")[0].removeprefix("requeue ")
    rules = {rule.name: rule for rule in controller.rules if history.rehearsal.layout.enabled(rule)}
    if step.action != f"reconcile {controller.name}" or asked not in rules or not step.detail.startswith("requeue "):
        return None
    if after[slot] != NO_TIMER:
        return None
    return {slot: asked} | {variable.name: e.evaluate(value, before) for variable, value in rules[asked].captures}


# ---- events and restarts ------------------------------------------------------------------------------------


def _lost_on_the_way(history: History) -> Iterator[Cause]:
    """A fault of the cache, or a restart, before which the goal would still have been reached by itself."""
    rehearsal = history.rehearsal
    for number in reversed(range(len(history.steps))):
        action = history.steps[number].step.action
        if not action.startswith(("crash", "lose ", "relist ")):
            continue
        if action.startswith("crash") and not _takes_away(history, number):
            continue
        if rehearsal.surely(history.states[number]) and not rehearsal.surely(history.states[number + 1]):
            yield from turning(history, number, [], "nothing leads to the goal any more")
            return


def _takes_away(history: History, number: int) -> bool:
    """Whether a restart takes memory, a timer or an event away, or the rest of a run that would have done something."""
    before, after = history.states[number], history.states[number + 1]
    for name, old in before.items():
        if name.startswith("pc(") and old not in (IDLE, STOPPED) and _would_go_on(history, before, name[3:-1]):
            return True
        if name.startswith(("memory.", "timer(", "event(")) and old != after[name]:
            return True
    return False


def _would_go_on(history: History, state: State, controller: str) -> bool:
    """Whether what is left of a run does more than end: it writes, calls, remembers, or arms a timer."""
    then: State | None = state
    while then is not None and then[f"pc({controller})"] not in (IDLE, STOPPED):
        then = history.rehearsal.advance(then, f"reconcile {controller}")
    run = (f"pc({controller})", f"held({controller}:", f"{controller}/")
    return then is None or any(then[name] != old for name, old in state.items() if not name.startswith(run))


# ---- changes ------------------------------------------------------------------------------------------------


def _untold(history: History, controller: Controller) -> Iterator[Cause]:
    """Changes of which the controller was not told, and for which it would have had to run.

    What it neither reads nor writes, and another one watches, is that one's business, if anything else is left.
    """
    names = {variable.name for variable in e.variables(history.rehearsal.goal.formula)}
    names |= history.rehearsal.woken(history.end, [controller.name]).read
    names = {name for name in names if name in history.end and history.holder(name)}
    others = {watch.target for one in history.operator.controllers if one != controller for watch in one.watches}
    others -= {history.holder(name) for name in touched_by(controller)}
    own_business = frozenset(name for name in names if history.holder(name) not in others)
    for among in dict.fromkeys((own_business, frozenset(names))):
        for own in (False, True):
            found = list(_untold_of(history, controller, among, own))
            if found:
                yield from found
                return


def _untold_of(history: History, controller: Controller, names: frozenset[str], own: bool) -> Iterator[Cause]:
    groups: dict[str, list[Changed]] = {}
    for change in history.changed(controller, history.last_run(controller), names, own):
        groups.setdefault(history.holder(change.name), []).append(change)
    decisive = [holder for holder, changes in groups.items() if _matters(history, controller, changes)]
    for holder in decisive or _latest(groups):
        yield from unheard(history, controller, holder, groups[holder])


def _matters(history: History, controller: Controller, changes: list[Changed]) -> bool:
    """Whether without these changes the goal would hold, or a wake-up would be of no use."""
    rehearsal, state = history.rehearsal, dict(history.end)
    for change in changes:
        state[change.name] = change.before
        view = controller.manager.view(change.name)
        if view in state:
            state[view] = change.before
    pinned = {change.name for change in changes}
    return rehearsal.holds(state) or not rehearsal.helps(state, [controller.name], pinned)


def _latest(groups: dict[str, list[Changed]]) -> list[str]:
    """Where no change alone makes the difference: what changed last."""
    latest = max((change.steps[-1] for changes in groups.values() for change in changes), default=None)
    return [holder for holder, changes in groups.items() if any(latest in change.steps for change in changes)]
