"""Identifiers for names: readable, unique, and read back from a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

ODD = re.compile(r"[^A-Za-z0-9]+")


def identifiers(names: Iterable[str], taken: Collection[str] = (), prefix: str = "") -> dict[str, str]:
    """An identifier for each name: `view(sts.ready)` becomes `view_sts_ready`.

    What is no letter and no digit becomes `_`.  A name that is `taken`, that differs from one only in the case of its
    letters, or that another name has already, gets a number.  Two calls for one file must know of each other: give
    what the first one found as `taken` to the second.  The table is one to one, so that `originals` turns it around.
    """
    found: dict[str, str] = {}
    used = {one.lower() for one in taken}
    for name in names:
        if name in found:
            continue
        stem = prefix + ODD.sub("_", name).strip("_")
        if not stem[:1].isalpha():
            stem = f"x{stem}" if stem.startswith("_") else f"x_{stem}"
        identifier, number = stem, 2
        while identifier.lower() in used:
            identifier, number = f"{stem}_{number}", number + 1
        used.add(identifier.lower())
        found[name] = identifier
    return found


def originals(table: dict[str, str]) -> dict[str, str]:
    """The names by their identifiers, to read a trace back."""
    return {identifier: name for name, identifier in table.items()}
