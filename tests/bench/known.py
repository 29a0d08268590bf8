"""The models of real operators that come with reconcheck: their verdicts, and their whole diagnosis."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .machine import ROOT
from .measure import Limit
from .verification import Row, again, diagnose, verify

RUNS = 3
QUICK_MODELS = 2


def models() -> list[Path]:
    """The files with an operator in them; libraries have none."""
    return [
        path
        for path in sorted((ROOT / "models").rglob("*.rdsl"))
        if any(line.startswith(("operator ", "system ")) for line in path.read_text(encoding="utf-8").splitlines())
    ]


def known(limit: Limit, quick: bool) -> Iterator[Row]:
    """One row a model: the run with the median time of three; with `quick` one run of each of a few models.

    `again` is a run of the same model with nothing changed, after one that filled a new cache.
    """
    times = 1 if quick else RUNS
    with tempfile.TemporaryDirectory() as folder:
        for path in models()[:QUICK_MODELS] if quick else models():
            runs = [verify(path, limit) for _ in range(times)]
            median = statistics.median_low(row["seconds"] for row in runs)
            chosen = next(row for row in runs if row["seconds"] == median)
            yield {
                "model": str(path.relative_to(ROOT / "models")),
                **chosen,
                "again": again(path, limit, Path(folder), times),
            }


def diagnosed(limit: Limit, quick: bool) -> Iterator[Row]:
    """One row a model: a run with levels, necessity and repairs; with `quick` those of a few models."""
    for path in models()[:QUICK_MODELS] if quick else models():
        yield {"model": str(path.relative_to(ROOT / "models")), **diagnose(path, limit)}
