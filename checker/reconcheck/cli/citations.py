"""What a model cites, and whether a repository has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

from reconcheck.cli.repository import Repository
from reconcheck.diagnostic import Diagnostic
from reconcheck.syntax import tree

FORM = re.compile(r"(?P<path>[^#\s][^#]*?)(#L(?P<first>\d+)(-L?(?P<last>\d+))?(\s+(?P<symbol>\S.*))?)?")
SHORTEST = 3
"""Letters and digits of a line that can be looked for elsewhere; shorter ones, such as `}`, are everywhere."""


@dataclass(frozen=True)
class Citation:
    """A citation: lines of a file at a commit, and a name that has to stand there.

    `path` is empty where the citation has another form; `lines` are the first and the last one, None for a whole file.
    """

    cite: tree.Cite
    commit: str | None
    path: str = ""
    lines: tuple[int, int] | None = None
    symbol: str = ""


def citations(file: tree.File) -> tuple[Citation, ...]:
    """Every citation of a model, in the order of its text."""
    source = next((one for one in _nodes(file) if isinstance(one, tree.Source)), None)
    commit = source.commit if source is not None else None
    found = sorted({one for one in _nodes(file) if isinstance(one, tree.Cite)}, key=lambda cite: cite.span)
    return tuple(_citation(cite, cite.commit or commit) for cite in found)


def _nodes(node: object) -> Iterator[object]:
    """A part of the tree, and all below it."""
    if isinstance(node, tuple):
        for one in node:
            yield from _nodes(one)
    elif is_dataclass(node):
        yield node
        for field in fields(node):
            yield from _nodes(getattr(node, field.name))


def _citation(cite: tree.Cite, commit: str | None) -> Citation:
    form = FORM.fullmatch(cite.location)
    if form is None:
        return Citation(cite, commit)
    lines = None if form["first"] is None else (int(form["first"]), int(form["last"] or form["first"]))
    return Citation(cite, commit, form["path"], lines, form["symbol"] or "")


def problem(citation: Citation, repository: Repository, revision: str | None) -> Diagnostic | None:
    """What is wrong with a citation: at its commit, or else at a revision in which it should still be so."""
    if not citation.path:
        return _wrong("RC601", citation, f"`{citation.cite.location}` is not PATH#LFROM-LTO")
    commit = citation.commit
    if commit is None:
        return _wrong("RC602", citation, "no commit is given, neither here nor in `source`")
    full = repository.commit(commit)
    if full is None:
        return _wrong("RC602", citation, f"{repository.folder} has no commit {commit}")
    lines = repository.lines(full, citation.path)
    if lines is None:
        return _wrong("RC603", citation, f"there is no file {citation.path} at {commit[:12]}")
    return _in_lines(citation, lines) or (_changed(citation, lines, repository, revision) if revision else None)


def _in_lines(citation: Citation, lines: Sequence[str]) -> Diagnostic | None:
    """Whether the cited lines are there, and hold what is named."""
    where = f"{citation.path} at {(citation.commit or '')[:12]}"
    if citation.lines is None:
        return None
    first, last = citation.lines
    if last < first or first < 1:
        return _wrong("RC604", citation, f"L{first}-L{last} are no lines")
    if last > len(lines):
        return _wrong("RC604", citation, f"{where} has {len(lines):,} lines only")
    cited = lines[first - 1 : last]
    if not any(line.strip() for line in cited):
        return _wrong("RC604", citation, f"there is nothing in these lines of {where}")
    if citation.symbol and not _holds(citation.symbol, cited):
        others = [number for number, line in enumerate(lines, 1) if _holds(citation.symbol, [line])]
        nearest = min(others, key=lambda number: abs(number - first), default=None)
        instead = "" if nearest is None else f"the nearest is in line {nearest}"
        return _wrong("RC605", citation, f"`{citation.symbol}` is not in these lines of {where}", instead)
    return None


def _holds(symbol: str, lines: Sequence[str]) -> bool:
    return re.search(rf"(?<!\w){re.escape(symbol)}(?!\w)", "\n".join(lines)) is not None


def _changed(citation: Citation, old: Sequence[str], repository: Repository, revision: str) -> Diagnostic | None:
    """Whether the cited lines are not where they were at a revision."""
    commit = repository.commit(revision)
    assert commit is not None, "the command has looked it up"
    new = repository.lines(commit, citation.path)
    if new is None:
        return _wrong("RC606", citation, f"{citation.path} is gone at {revision}")
    if citation.lines is None:
        return None
    first, last = citation.lines[0] - 1, citation.lines[1]
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
    return _wrong("RC606", citation, f"these lines are not the same at {revision}")


def _wrong(code: str, citation: Citation, message: str, instead: str = "") -> Diagnostic:
    return Diagnostic(code, message, citation.cite.span, instead)
