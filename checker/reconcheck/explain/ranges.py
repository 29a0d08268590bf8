"""Names of neighbouring elements of an array as one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ELEMENT = re.compile(r"(.*)\[(\d+)\]([^\[\]]*)")
"""A name with the index of an element of an array in it."""


def ranges(names: Iterable[str]) -> tuple[str, ...]:
    """The names, in their order, those of neighbouring elements as one: `ready[0]` and `ready[1]` are `ready[0..1]`.

    Only the last index of a name is folded.  Each range stands where its first name stood.
    """
    runs: list[tuple[str, str, int, int]] = []
    """For each one shown: what is before and after the index, and the first and last index; -1 for no index."""
    open_: dict[tuple[str, str], int] = {}
    """For each array, the place of its last range."""
    for name in names:
        found = _ELEMENT.fullmatch(name)
        if found is None:
            runs.append((name, "", -1, -1))
            continue
        before, after, index = found[1], found[3], int(found[2])
        place = open_.get((before, after))
        if place is not None and runs[place][3] == index - 1:
            runs[place] = (before, after, runs[place][2], index)
            continue
        open_[before, after] = len(runs)
        runs.append((before, after, index, index))
    return tuple(_shown(*run) for run in runs)


def _shown(before: str, after: str, first: int, last: int) -> str:
    if first < 0:
        return before
    return f"{before}[{first if first == last else f'{first}..{last}'}]{after}"
