"""Whether a repository has what a citation says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconcheck.cli.repository import Repository
from reconcheck.diagnostic import Diagnostic
from reconcheck.syntax.citation import Citation, Location

SHORTEST = 3
"""Letters and digits of a line that can be looked for elsewhere; shorter ones, such as `}`, are everywhere."""


def unclear(citation: Citation) -> Diagnostic | None:
    """What is wrong with a citation by itself, whatever the repository has."""
    if citation.place is None:
        return _wrong("RC601", citation, f"`{citation.cite.location}` is not PATH#LFROM-LTO")
    if citation.commit is None:
        return _wrong("RC602", citation, "no commit is given, neither here nor in `source`")
    return None


def problem(citation: Citation, repository: Repository, revision: str | None) -> Diagnostic | None:
    """What is wrong with a citation: at its commit, or else at a revision in which it should still be so."""
    place, commit = citation.place, citation.commit
    if place is None or commit is None:
        return unclear(citation)
    full = repository.commit(commit)
    if full is None:
        return _wrong("RC602", citation, f"{repository.folder} has no commit {commit}")
    lines = repository.lines(full, place.path)
    if lines is None:
        return _wrong("RC603", citation, f"there is no file {place.path} at {commit[:12]}")
    found = _in_lines(citation, place, lines, f"{place.path} at {commit[:12]}")
    return found or (_changed(citation, place, lines, repository, revision) if revision else None)


def _in_lines(citation: Citation, place: Location, lines: Sequence[str], where: str) -> Diagnostic | None:
    """Whether the cited lines are there, and hold what is named."""
    if place.lines is None:
        return None
    first, last = place.lines
    if last < first or first < 1:
        return _wrong("RC604", citation, f"L{first}-L{last} are no lines")
    if last > len(lines):
        return _wrong("RC604", citation, f"{where} has {len(lines):,} lines only")
    cited = lines[first - 1 : last]
    if not any(line.strip() for line in cited):
        return _wrong("RC604", citation, f"there is nothing in these lines of {where}")
    if place.symbol and not _holds(place.symbol, cited):
        nearest = _nearest(place.symbol, lines, first)
        instead = "" if nearest is None else f"the nearest is in line {nearest}"
        return _wrong("RC605", citation, f"`{place.symbol}` is not in these lines of {where}", instead)
    return None


def _holds(symbol: str, lines: Sequence[str]) -> bool:
    return re.search(rf"(?<!\w){re.escape(symbol)}(?!\w)", "\n".join(lines)) is not None


def _nearest(symbol: str, lines: Sequence[str], line: int) -> int | None:
    """The line with a name that is nearest to another one; both count from 1."""
    found = [number for number, text in enumerate(lines, 1) if _holds(symbol, [text])]
    return min(found, key=lambda number: abs(number - line), default=None)


def _changed(
    citation: Citation, place: Location, old: Sequence[str], repository: Repository, revision: str
) -> Diagnostic | None:
    """Whether the cited lines are not where they were at a revision."""
    commit = repository.commit(revision)
    assert commit is not None, "the command has looked it up"
    new = repository.lines(commit, place.path)
    if new is None:
        return _wrong("RC606", citation, f"{place.path} is gone at {revision}")
    if place.lines is None:
        return None
    first, last = place.lines[0] - 1, place.lines[1]
    cited = [line.strip() for line in old[first:last]]
    there = [line.strip() for line in new]
    if there[first:last] == cited:
        return None
    size = last - first
    same = [start for start in range(len(there) - size + 1) if there[start : start + size] == cited]
    telling = sum(char.isalnum() for line in cited for char in line) >= SHORTEST
    if same and telling:
        start = min(same, key=lambda found: abs(found - first))
        lines = f"L{start + 1}" if size == 1 else f"L{start + 1}-L{start + size}"
        return _wrong("RC606", citation, f"these lines are elsewhere at {revision}", f"there they are {lines}")
    instead = ""
    if place.symbol:
        nearest = _nearest(place.symbol, new, first + 1)
        instead = (
            f"`{place.symbol}` is in {place.path} no more"
            if nearest is None
            else f"`{place.symbol}` is in line {nearest} there"
        )
    return _wrong("RC606", citation, f"these lines are not the same at {revision}", instead)


def _wrong(code: str, citation: Citation, message: str, instead: str = "") -> Diagnostic:
    return Diagnostic(code, message, citation.cite.span, instead)
