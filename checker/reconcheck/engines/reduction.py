"""Which steps a directed search branches on, seen from the few variables that a goal depends on.

Every reduction leaves steps out and adds none, so a run of the reduced system is a run of the whole system.
"""

from __future__ import annotations

from msgspec import Struct

from reconcheck.semantics.layout import event_name, registered_name
from reconcheck.semantics.system import Command, System

CONTROL = ("queued(", "timer(", "retries(")
"""Variables that a delivery may touch whatever it delivers."""
RUN = ("pc(", "held(")
"""Variables of a running reconcile, like its locals `c/v`."""
ORDER = ("reconcile", "sync", "process", "retry", "fire", "resync", "start")
"""What the scheduler prefers among fair steps: running reconciles, caches, the environment, timers, new runs."""
SLOW = ("reconcile", "sync", "start", "retry", "fire", "resync", "process")
"""The same where the environment takes its time."""


class Reduction(Struct, frozen=True):
    """What becomes of each command."""

    core: frozenset[str]
    """The variables that matter, without those of control and of running reconciles."""
    at_once: tuple[bool, ...]
    """Whether the step is taken as soon as it is possible, before anything else."""
    left_out: tuple[bool, ...]
    rank: tuple[int, ...]
    """Among possible fair commands the one of the lowest rank is the one to take."""


def near(system: System, keep: frozenset[str], order: tuple[str, ...] = ORDER) -> Reduction:
    """Branches on what the kept variables see: fair steps that they do not see come at once, other steps not at all.

    Steps of a reconcile are branched on whatever they touch.
    """
    core = core_of(system, keep)
    at_once: list[bool] = []
    left_out: list[bool] = []
    for command in system.commands:
        writes = {name for name, _ in command.updates}
        seen = bool((command.reads | writes) & core)
        fair = command.step.kind == "fair"
        runs = any(name.startswith("pc(") for name in writes)
        delivers = any(not name.startswith(CONTROL) for name in writes)
        at_once.append(fair and not seen and not runs and delivers)
        left_out.append(not fair and not seen)
    return Reduction(core, tuple(at_once), tuple(left_out), tuple(rank(one, order) for one in system.commands))


def everything(system: System, keep: frozenset[str]) -> Reduction:
    """Branches on every step."""
    core = core_of(system, keep)
    no = tuple(False for _ in system.commands)
    return Reduction(core, no, no, tuple(map(rank, system.commands)))


def core_of(system: System, keep: frozenset[str]) -> frozenset[str]:
    """The kept variables without those of control and of running reconciles."""
    return frozenset(v.name for v in system.variables if v.name in keep and not _is_control(v.name))


def with_examples(system: System, keep: frozenset[str]) -> frozenset[str]:
    """The kept variables, and all those of each single object or external and of one element of each array."""
    holder = holders(system)
    examples: dict[str, str] = {}
    for name in sorted(set(holder.values()), key=lambda one: (one not in {holder.get(k) for k in keep}, one)):
        examples.setdefault(name.split("[", 1)[0], name)
    chosen = set(examples.values())
    return keep | {name for name, of in holder.items() if of in chosen}


def holders(system: System) -> dict[str, str]:
    """For each variable, the object, external, clock or memory that it belongs to; controllers' are left out."""
    layout, operator = system.layout, system.operator
    found: dict[str, str] = {variable.name: "memory" for variable in operator.memory}
    found |= {variable.name: variable.name.split(".", 1)[0] for variable in operator.clocks}
    for target in (*operator.objects, *operator.externals):
        live = [variable.name for variable in layout.fields(target)] + [f"{target}.exists", f"{target}.deleting"]
        own = list(live)
        for manager in operator.managers:
            own += [*map(manager.view, live), manager.stale(target), manager.recreated(target)]
        for _, watch in layout.watches(target):
            own += [event_name(watch), registered_name(watch)]
        own += [f"held({controller.name}: {target})" for controller in operator.controllers]
        found |= dict.fromkeys(own, target)
    return {variable.name: found[variable.name] for variable in system.variables if variable.name in found}


def _is_control(name: str) -> bool:
    return name.startswith((*CONTROL, *RUN)) or "/" in name.split(".", 1)[0]


def rank(command: Command, order: tuple[str, ...] = ORDER) -> int:
    """The place of a command in the order in which a scheduler takes fair steps."""
    verb = command.step.action.split(" ", 1)[0]
    return order.index(verb) if verb in order else len(order)
