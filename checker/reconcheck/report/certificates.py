"""Judgements on certificates as JSON; the schema is `spec/certify.schema.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconcheck import __version__
from reconcheck.certify.certificates import Judgement
from reconcheck.diagnostic import Diagnostic
from reconcheck.proof.document import scope_document

SCHEMA = 1
"""The version of the document's form; it grows when a reader could break."""


def document(judgements: Sequence[Judgement], model: str) -> dict[str, Any]:
    """All judgements of a run."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "reconcheck", "version": __version__},
        "model": model,
        "certificates": [_judgement(one) for one in judgements],
    }


def _judgement(item: Judgement) -> dict[str, Any]:
    about = item.about
    return {
        "file": item.file,
        "goal": None if about is None else about.goal,
        "question": None if about is None else about.question,
        "scope": None if about is None else scope_document(about.scope),
        "settings": None if about is None else dict(about.settings),
        "verdict": item.verdict,
        "code": item.code or None,
        "obligation": item.obligation or None,
        "reason": item.reason or None,
        "obligations": item.obligations,
        "solver": item.solver,
        "seconds": round(item.seconds, 3),
        "problems": [_diagnostic(one) for one in item.problems],
        "changes": [_diagnostic(one) for one in item.changes],
    }


def _diagnostic(item: Diagnostic) -> dict[str, Any]:
    return {"code": item.code, "message": item.message, "instead": item.instead or None}
