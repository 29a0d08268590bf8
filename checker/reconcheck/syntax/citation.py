"""What a model cites: lines of a file of the operator at a commit, and a name that stands there."""

from __future__ import annotations

import re

from msgspec import Struct

from reconcheck.syntax import tree
from reconcheck.syntax.cite import Cite
from reconcheck.syntax.nodes import nodes

FORM = re.compile(r"(?P<path>[^#\s][^#]*?)(#L(?P<first>\d+)(-L?(?P<last>\d+))?(\s+(?P<symbol>\S.*))?)?")


class Location(Struct, frozen=True):
    """What stands between the quotes of a citation: `path#L12-L20 name`."""

    path: str
    """From the top of the repository, or a whole address."""
    lines: tuple[int, int] | None
    """The first and the last one, as they are written; None for a whole file."""
    symbol: str
    """What is to be found in these lines; empty where that is not said."""


class Citation(Struct, frozen=True):
    """A citation of a model.  `place` is None where it is written in another form."""

    cite: Cite
    commit: str | None
    """Its own, else that of the model."""
    place: Location | None


def location_of(text: str) -> Location | None:
    """What a citation such as `pkg/users.go#L66-L68 reconcileUsers` points at; None for another form."""
    form = FORM.fullmatch(text)
    if form is None:
        return None
    lines = None if form["first"] is None else (int(form["first"]), int(form["last"] or form["first"]))
    return Location(form["path"], lines, form["symbol"] or "")


def source_of(file: tree.File) -> tree.Source | None:
    """The repository that a model names, with the commit."""
    return next((one for one in nodes(file) if isinstance(one, tree.Source)), None)


def citations(file: tree.File) -> tuple[Citation, ...]:
    """Every citation of a model, in the order of its text."""
    source = source_of(file)
    commit = source.commit if source is not None else None
    found = sorted({one for one in nodes(file) if isinstance(one, Cite)}, key=lambda cite: cite.span)
    return tuple(Citation(cite, cite.commit or commit, location_of(cite.location)) for cite in found)
