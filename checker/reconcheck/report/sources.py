"""What models cite, as JSON; the schema is `spec/sources.schema.json`."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import asdict

from reconcheck import __version__
from reconcheck.diagnostic import Diagnostic
from reconcheck.explain.cited import Looked, ModelSources, SourcesReport

SCHEMA = 1
"""The version of the document's form; it grows when a reader could break."""


def rendered(report: SourcesReport) -> str:
    """The document, as JSON."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def document(report: SourcesReport) -> dict[str, Any]:
    """Every citation of every model, and the totals."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "reconcheck", "version": __version__},
        "checked": report.checked,
        "revision": report.revision,
        "models": [_model(one) for one in report.models],
        "totals": asdict(report.counted()),
    }


def _model(model: ModelSources) -> dict[str, Any]:
    return {
        "file": model.file,
        "repository": model.repository,
        "folder": model.folder,
        "problem": _problem(model.missing),
        "citations": [_citation(one) for one in model.citations],
    }


def _citation(one: Looked) -> dict[str, Any]:
    cite, place = one.citation.cite, one.citation.place
    first, last = place.lines if place is not None and place.lines is not None else (None, None)
    return {
        "line": cite.span.line,
        "column": cite.span.column,
        "location": cite.location,
        "commit": one.citation.commit,
        "path": None if place is None else place.path,
        "first_line": first,
        "last_line": last,
        "symbol": None if place is None else place.symbol or None,
        "state": one.state.value,
        "problem": _problem(one.problem),
    }


def _problem(problem: Diagnostic | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {"code": problem.code, "message": problem.message, "instead": problem.instead or None}
