"""Updates that happen all at once, as assignments one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from reconcheck.model import expr as e

Assignment = tuple[str, e.Expr]


def in_order(updates: Sequence[Assignment]) -> tuple[list[str], list[Assignment]]:
    """The variables whose old value has to be saved first, and the assignments in an order that then is right.

    A variable is assigned after everything that reads it.  Where variables read each other in a circle, one of them
    is saved; what still reads it reads `saved(name)` instead.
    """
    waiting = dict(updates)
    saved: list[str] = []
    done: list[Assignment] = []
    while waiting:
        free = [name for name in waiting if not any(name in e.names(v) for n, v in waiting.items() if n != name)]
        for name in free:
            done.append((name, waiting.pop(name)))
        if waiting and not free:
            name = next(iter(waiting))
            saved.append(name)
            for other, value in waiting.items():
                for variable in e.variables(value):
                    if variable.name == name and other != name:
                        waiting[other] = e.substitute(value, {name: e.Var(saved_name(name), variable.type)})
                        break
    return saved, done


def saved_name(name: str) -> str:
    """Where the old value of a variable is."""
    return f"old {name}"
