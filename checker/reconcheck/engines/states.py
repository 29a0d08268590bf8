"""Many states of a large system in little memory: of most of them only what differs from the state before is kept.

A system with a thousand objects has ten thousand variables, and a search reaches tens of thousands of its states.
Each step changes a few variables, so the whole state is kept only now and then along a way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from reconcheck.engines.python_code import StateTuple
from reconcheck.model.types import Value

WHOLE_AFTER = 32
"""Steps after which a state is kept whole again."""


class _Change(Struct, frozen=True):
    """A state as another one, by its number, with some of its values replaced."""

    before: int
    steps: int
    """How many changes there are between this state and one that is kept whole."""
    places: tuple[int, ...]
    values: tuple[Value, ...]


class States:
    """The states that a search has reached, by number, each once; `name` makes those equal that count as one."""

    def __init__(self, name: Callable[[StateTuple], StateTuple]) -> None:
        self._name = name
        self._kept: list[StateTuple | _Change] = []
        self._by_hash: dict[int, list[int]] = {}
        self._latest: tuple[int, StateTuple] = (-1, ())
        """The state that was put together or added last: what is asked for is mostly that one."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def __getitem__(self, number: int) -> StateTuple:
        """The state with this number."""
        if self._latest[0] != number:
            self._latest = number, self._put_together(number)
        return self._latest[1]

    def _put_together(self, number: int) -> StateTuple:
        """The state with all changes since it was kept whole."""
        changes: list[_Change] = []
        kept = self._kept[number]
        while isinstance(kept, _Change):
            changes.append(kept)
            kept = self._kept[kept.before]
        if not changes:
            return kept
        values = list(kept)
        for change in reversed(changes):
            for place, value in zip(change.places, change.values, strict=True):
                values[place] = value
        return tuple(values)

    def add(self, state: StateTuple, before: int | None, places: Sequence[int]) -> tuple[int, bool]:
        """The number of a state, and whether it is a new one; it differs from `before` in some of these places only."""
        name = self._name(state)
        alike = self._by_hash.setdefault(hash(name), [])
        for number in alike:
            if self._name(self[number]) == name:
                return number, False
        alike.append(len(self._kept))
        self._kept.append(self._change(state, before, places) or state)
        self._latest = len(self._kept) - 1, state
        return self._latest[0], True

    def _change(self, state: StateTuple, before: int | None, places: Sequence[int]) -> _Change | None:
        """A state as a change of another; None where it is time to keep one whole."""
        if before is None:
            return None
        earlier = self._kept[before]
        steps = earlier.steps + 1 if isinstance(earlier, _Change) else 1
        if steps > WHOLE_AFTER:
            return None
        return _Change(before, steps, tuple(places), tuple(state[place] for place in places))
