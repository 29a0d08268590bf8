"""Managers: the processes of a model, and how the variables and steps of each one's cache are called.

A manager (controller-runtime's word) is one process: the `operator` of a model, or one of the operators of a
`system`.  It has a cache and a memory of its own, which its controllers share.  Where a model has one process only,
that has no name: `view(sts.ready)` is the cached copy of `sts.ready`, and in the operator `hpa` of a system it is
`view(hpa: sts.ready)`.
"""

from __future__ import annotations

from msgspec import Struct

from reconcheck.model.runtimes import Profile

VIEW = "view("
"""How the name of a cached copy begins."""


class Manager(Struct, frozen=True):
    """One process."""

    name: str
    """Empty where it is the only one."""
    profile: Profile
    """Its runtime."""

    def of(self, name: str) -> str:
        """A name as this process knows it: with its own before it, where it has one."""
        return f"{self.name}: {name}" if self.name else name

    @property
    def memory(self) -> str:
        """What the variables of its memory are fields of; its own reconciles write `memory` for it."""
        return f"memory.{self.name}" if self.name else "memory"

    def view(self, name: str) -> str:
        """The cached copy of a live variable."""
        return f"{VIEW}{self.of(name)})"

    def stale(self, target: str) -> str:
        """Whether an object changed since the cache last took it over."""
        return f"stale({self.of(target)})"

    def recreated(self, target: str) -> str:
        """Whether an object went away since the cache last took it over."""
        return f"recreated({self.of(target)})"

    def sync(self, target: str) -> str:
        """The step in which the cache takes over an object, or is told of an external."""
        return f"sync {self.of(target)}"

    def relist(self, target: str) -> str:
        """The step in which the cache lists an object anew."""
        return f"relist {self.of(target)}"

    def relist_page(self, target: str) -> str:
        """The step in which a page of a list triggers before the cache has it."""
        return f"relist page {self.of(target)}"

    @property
    def crash(self) -> str:
        """The step in which the process ends and starts anew."""
        return f"crash {self.name}" if self.name else "crash"


def is_view(variable: str) -> bool:
    """Whether a variable is a cached copy."""
    return variable.startswith(VIEW)


def live_name(variable: str) -> str:
    """The live variable of a cached copy; any other name as it is."""
    return variable[len(VIEW) : -1].rpartition(": ")[2] if is_view(variable) else variable


def subject(action: str) -> tuple[str, str]:
    """The manager, empty where there is one only, and the object or external of a step `sync` or `relist`."""
    manager, _, target = action.partition(" ")[2].removeprefix("page ").rpartition(": ")
    return manager, target
