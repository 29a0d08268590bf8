"""What models cite, as text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconcheck.explain.cited import Counted, ModelSources, SourcesReport
from reconcheck.render.diagnostics import render_diagnostics
from reconcheck.render.markup import code, table
from reconcheck.syntax.citation import Citation

MISSING = "RC607"
HASH = re.compile("[0-9a-f]{7,64}")
SHORT = 12
"""Digits of a commit that tell it from all others of a repository."""


def render_sources(report: SourcesReport, colour: bool = False) -> str:
    """The citations one a line; once they were looked up, what is wrong with some, and how many are there."""
    if not report.checked:
        return "".join(
            f"{model.file}:{one.citation.cite.span.line}: {one.citation.cite.location}"
            f" at {one.citation.commit or 'no commit'}\n"
            for model in report.models
            for one in model.citations
        )
    wrong: list[str] = []
    unknown: set[str] = set()
    for model in report.models:
        # One clone that is missing is said once, however many models need it.
        told = [one for one in model.problems if one.code != MISSING or one.message not in unknown]
        unknown |= {one.message for one in told if one.code == MISSING}
        if told:
            wrong.append(render_diagnostics(told, {model.file: model.text}, colour) + "\n\n")
    return "".join(wrong) + headline(report) + "\n"


def headline(report: SourcesReport) -> str:
    """How many citations are there."""
    found = report.counted()
    at = f", and at {report.revision}" if report.revision is not None else ""
    missing = f"; {found.not_looked_up:,} could not be looked up" if found.not_looked_up else ""
    named = f"{found.named:,} name what has to stand there" if found.named != 1 else "1 names what has to stand there"
    of = f"{found.there:,} of {found.citations:,}" if report.checked else f"{found.citations:,}"
    where = f" (models: {found.models:,}, repositories: {found.repositories:,}, commits: {found.commits:,})"
    state = f" are there{at}" if report.checked else ""
    return f"{of} citations{state}{missing}; {named}{where if len(report.models) > 1 else ''}"


def sources_markdown(report: SourcesReport) -> str:
    """A table with a row for each repository and commit, then what is wrong."""
    rows: list[tuple[str, ...]] = []
    pairs = {(model.repository, one.citation.commit) for model in report.models for one in model.citations}
    for repository, commit in sorted(pairs, key=lambda pair: (pair[0] or "", pair[1] or "")):
        numbers = _numbers(report.counted(_of(repository, commit)), report.checked)
        rows.append((_bare(repository), code(_short(commit) if commit else "no commit"), *numbers))
    rows.append(("all", "", *_numbers(report.counted(), report.checked)))
    heads = ("repository", "commit", "models", "citations", "with a name", *(("there",) if report.checked else ()))
    parts = [table(heads, rows)]
    if report.problems:
        parts.append("\n".join(f"- {code(f'{one.code} {one.span}: {one.message}')}" for one in report.problems))
    return "\n\n".join([*parts, headline(report) + "."]) + "\n"


def _of(repository: str | None, commit: str | None) -> Callable[[ModelSources, Citation], bool]:
    return lambda model, citation: (model.repository, citation.commit) == (repository, commit)


def _short(commit: str) -> str:
    """A hash cut short; branches, tags and pull requests are names."""
    return commit[:SHORT] if HASH.fullmatch(commit) else commit


def _bare(repository: str | None) -> str:
    return code(repository.partition("://")[2] or repository) if repository is not None else "none"


def _numbers(found: Counted, checked: bool) -> tuple[str, ...]:
    numbers = (found.models, found.citations, found.named, *((found.there,) if checked else ()))
    return tuple(f"{number:,}" for number in numbers)
