"""Program positions between which some variables see no difference."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from msgspec import Struct


class Edge(Struct, frozen=True):
    """A command that leads from one position to another; `label` is None where nothing else is seen of it."""

    source: str
    label: Hashable | None
    target: str


def classes(positions: Iterable[str], apart: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The number of each position's class.  Those `apart` are classes of their own, with the first numbers.

    Two positions are in one class if the same labels lead to the same classes, from them or from where unseen
    steps within the class lead.  Any classes would do for an abstraction; these lose little.
    """
    names = list(positions)
    alone = {name: number for number, name in enumerate(apart)}
    number = {name: alone.get(name, len(alone)) for name in names}
    outgoing: dict[str, list[Edge]] = {name: [] for name in names}
    for edge in dict.fromkeys(edges):
        outgoing[edge.source].append(edge)
    while True:
        signatures = _signatures(names, outgoing, number)
        order: dict[Hashable, int] = {(number[name], frozenset()): number[name] for name in alone}
        finer: dict[str, int] = {}
        for name in names:
            key = (number[name], signatures[name] if name not in alone else frozenset())
            finer[name] = order.setdefault(key, len(order))
        if len(order) == len(set(number.values()) | set(alone.values())):
            return finer
        number = finer


def _signatures(
    names: list[str], outgoing: dict[str, list[Edge]], number: dict[str, int]
) -> dict[str, frozenset[Hashable]]:
    """For each position, the labels and classes that are seen next."""
    found: dict[str, set[Hashable]] = {name: set() for name in names}
    inside: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for edge in outgoing[name]:
            if edge.label is None and number[edge.target] == number[name]:
                inside[edge.target].append(name)
            else:
                found[name].add((edge.label, number[edge.target]))
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        for before in inside[name]:
            if not found[name] <= found[before]:
                found[before] |= found[name]
                waiting.append(before)
    return {name: frozenset(labels) for name, labels in found.items()}
