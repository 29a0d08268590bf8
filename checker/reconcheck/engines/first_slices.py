"""Where the search for a proof begins: what a slice keeps at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.semantics.system import System

CONTROL = ("pc(", "queued(", "timer(")
"""How the names of the variables begin with which every slice begins."""


def first_slice(system: System, formula: e.Expr) -> frozenset[str]:
    """Where the search for a proof begins: what the goal reads, its cached copies, and the control state."""
    keep = closed(system, e.names(formula))
    return keep | {variable.name for variable in system.variables if variable.name.startswith(CONTROL)}


class Role(Struct, frozen=True):
    """What a controller changes, and what it knows: that, and what it reads, copies as what they are copies of."""

    changed: frozenset[str]
    known: frozenset[str]


def roles(system: System) -> dict[str, Role]:
    """The role of each controller, by its name."""
    changed: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for command in system.commands:
        if command.step.action.startswith("reconcile "):
            controller = command.step.action.removeprefix("reconcile ")
            own = (name for name, value in command.updates if not keeps(name, value))
            changed.setdefault(controller, set()).update(own)
            read.setdefault(controller, set()).update(command.reads)
    return {
        name: Role(frozenset(changed[name]), frozenset(changed[name].union(map(live_name, read[name]))))
        for name in changed
    }


def writers_slice(system: System, formula: e.Expr, of: Mapping[str, Role]) -> frozenset[str]:
    """Where the search for a proof begins: the first slice with one control state and cache, of who writes the formula.

    That is a controller that writes some of what the formula reads and knows all of it, or else any that writes some.
    `of` are the roles of the controllers.
    """
    names, operator = e.names(formula), system.operator
    writing = {controller for controller, role in of.items() if not role.changed.isdisjoint(names)}
    if not writing or len(of) == 1:
        return first_slice(system, formula)
    writing = {controller for controller in writing if names <= of[controller].known} or writing
    idle = [controller.name for controller in operator.controllers if controller.name not in writing]
    managers = {controller.manager.name for controller in operator.controllers if controller.name in writing}
    caches = [manager for manager in operator.managers if manager.name not in managers]
    own = frozenset(f"{kind}{name})" for name in idle for kind in CONTROL)
    others = [f"{kind}({name}: " for name in idle for kind in ("event", "held")]
    others += [of("").removesuffix(")") for one in caches for of in (one.view, one.stale, one.recreated)]
    return frozenset(name for name in first_slice(system, formula) - own if not name.startswith(tuple(others)))


def keeps(name: str, value: e.Expr) -> bool:
    """Whether a new value is the old one, as far as there is one: another field of the object is written."""
    match value:
        case e.Choice(_, e.Var(kept, _), e.Const()):
            return kept == name
        case _:
            return False


def closed(system: System, names: Iterable[str]) -> frozenset[str]:
    """The variables with those that move together with them: the cached copy, the lag, the pending events."""
    keep: set[str] = set()
    existing = {variable.name for variable in system.variables}
    holders, managers = {*system.operator.objects, *system.operator.externals}, system.operator.managers
    for name in names:
        live = live_name(name)
        keep |= {name, live, *(manager.view(live) for manager in managers)}
        holder = next((h for h in sorted(holders, key=len, reverse=True) if live.startswith(f"{h}.")), None)
        if holder is not None:
            keep |= {f"{holder}.exists", f"{holder}.deleting"}
            keep |= {name for one in managers for name in (one.view(f"{holder}.exists"), one.stale(holder))}
            keep |= {f"event({w.controller}: {w.name})" for _, w in system.layout.watches(holder)}
    return frozenset(keep & existing)
