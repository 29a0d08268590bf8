"""Walks over syntax trees."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


def nodes(node: object) -> Iterator[Struct]:
    """A part of a syntax tree, and every part below it, in the order of the fields."""
    if isinstance(node, tuple):
        for part in node:
            yield from nodes(part)
    elif isinstance(node, Struct):
        yield node
        for name in node.__struct_fields__:
            yield from nodes(getattr(node, name))
