"""Any value made of frozen structs as JSON, and back, without code in it.

The JSON has a table of classes and a table of rows, one for each distinct compound value, those that it is made of
before it.  In a row, atoms stand for themselves and `[n]` is row n.  So what is shared stays shared, and a new
field, or a new struct, needs nothing here.  Only structs, named tuples and enums of `LAYERS` are made; those
of other layers can be written, which is enough for a key.
"""

from __future__ import annotations

import importlib
import json
from enum import Enum
from typing import Any

from msgspec import Struct

LAYERS = frozenset({"diagnostic", "syntax", "model", "semantics", "proof", "explain"})
"""The modules and folders of reconcheck whose classes are made."""
TUPLE, LIST, DICT, SET = -1, -2, -3, -4
"""Rows of built-in types; other rows begin with the number of a class."""


class Unstorable(Exception):
    """A value has a part that is no data, or no value of these classes is written there."""


def encode(value: object) -> str:
    """The value as JSON, the same text for equal values.  Raises `Unstorable`."""
    writer = _Writer()
    root = writer.written(value)
    content = {"classes": [list(known) for known in writer.classes], "rows": writer.rows, "root": root}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> Any:
    """The value that was encoded.  Raises `Unstorable`."""
    try:
        content = json.loads(text)
        classes = [_named(module, name) for module, name in content["classes"]]
        made: list[Any] = []
        for row in content["rows"]:
            made.append(_made(classes, row[0], [made[v[0]] if isinstance(v, list) else v for v in row[1:]]))
        root = content["root"]
        return made[root[0]] if isinstance(root, list) else root
    except Unstorable:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, ImportError, RecursionError) as error:
        raise Unstorable(f"{type(error).__name__}: {error}") from error


class _Writer:
    def __init__(self) -> None:
        self.classes: dict[tuple[str, str], int] = {}
        self.rows: list[list[Any]] = []
        self._known: dict[str, list[int]] = {}
        """The reference to a row, by its text."""
        self._seen: dict[int, tuple[object, list[int]]] = {}
        """The same by the identity of what was written, which is kept alive meanwhile."""

    def written(self, value: object) -> Any:
        """The atom itself, or the reference to the row of a compound value."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if id(value) in self._seen:
            return self._seen[id(value)][1]
        row = self._row(value)
        text = json.dumps(row, ensure_ascii=False)
        reference = self._known.get(text)
        if reference is None:
            reference = self._known[text] = [len(self.rows)]
            self.rows.append(row)
        self._seen[id(value)] = value, reference
        return reference

    def _row(self, value: object) -> list[Any]:
        kind = type(value)
        if isinstance(value, Enum):
            return [self._class(kind), value.value]
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return [self._class(kind), *map(self.written, value)]
        if kind is tuple or kind is list:
            return [TUPLE if kind is tuple else LIST, *map(self.written, value)]  # type: ignore[call-overload]
        if kind is frozenset:
            return [SET, *sorted(map(self.written, value), key=json.dumps)]  # type: ignore[call-overload]
        if isinstance(value, dict):
            return [DICT, *(self.written(part) for item in value.items() for part in item)]
        if issubclass(kind, Struct):
            return [self._class(kind), *(self.written(getattr(value, name)) for name in kind.__struct_fields__)]
        raise Unstorable(f"{kind.__module__}.{kind.__qualname__} is no data")

    def _class(self, kind: type) -> int:
        if not _layer(kind.__module__):
            raise Unstorable(f"{kind.__module__}.{kind.__qualname__} is none of reconcheck's classes")
        return self.classes.setdefault((kind.__module__, kind.__qualname__), len(self.classes))


def _layer(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "reconcheck" else ""


def _named(module: str, name: str) -> type:
    """The class of that name.  Raises `Unstorable` for what is none of those that are made."""
    if _layer(module) not in LAYERS:
        raise Unstorable(f"{module} is of no layer with data")
    found: object = getattr(importlib.import_module(module), name)
    if not isinstance(found, type) or not _is_data(found) or found.__module__ != module:
        raise Unstorable(f"{module}.{name} is no class of data")
    return found


def _is_data(kind: type) -> bool:
    return issubclass(kind, Struct | Enum | tuple)


def _made(classes: list[type], kind: int, values: list[Any]) -> Any:
    match kind:
        case -1:
            return tuple(values)
        case -2:
            return values
        case -3:
            return dict(zip(values[::2], values[1::2], strict=True))
        case -4:
            return frozenset(values)
        case _ if 0 <= kind < len(classes):
            return classes[kind](*values)
        case _:
            raise Unstorable(f"there is no kind of row {kind}")
