"""What may stand in for a wake-up that is not needed: without both, a goal fails."""

from __future__ import annotations

from reconcheck.explain.diagnosis import Diagnosis, Need


def scoped(need: Need) -> str:
    """The name of a wake-up in a scope, and in the sets that suffice."""
    match need.kind:
        case "watch":
            return f"{need.controller}.watch {need.name}"
        case "resync" | "backoff":
            return f"{need.controller}.{need.name}"
        case _:
            return need.name


def alternatives(found: Diagnosis, need: Need) -> tuple[tuple[str, ...], ...]:
    """The wake-ups as long as which are there, a wake-up is not needed; none where it is of no use to anything.

    Each is what a smallest set that suffices without it has beyond what all of them have.
    """
    name = scoped(need)
    if need.needed or not any(name in names for names in found.sufficient):
        return ()
    core = set(found.sufficient[0]).intersection(*found.sufficient)
    others = [tuple(one for one in names if one not in core) for names in found.sufficient if name not in names]
    return tuple(dict.fromkeys(names for names in others if names))
