"""All models of real operators in one run: with the cache off, and once more with nothing changed."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .known import QUICK_MODELS, models
from .machine import ROOT, environment
from .measure import Limit, Run, run
from .verification import Row, last_words, taken

RUNS = 3
JOBS = 2
COLD, WARM = "with the cache off", "again, with nothing changed"
TARGETS = {COLD: 60, WARM: 3}
"""Seconds that each run is to take at most."""

OUTCOMES = {0: "answered", 1: "wrong", 3: "unknown"}
"""What exit codes say of the models together; all that they expect is met, or something is not, or not known."""


def corpus(limit: Limit, quick: bool) -> Iterator[Row]:
    """A row for each of the two runs, the one with the median time of three; with `quick`, once, and on few models.

    The cache is a new one, and filled before anything is measured: with the reports, for the second run, and with the
    compiled grammar, which both need and every user has from the first run on.
    """
    with tempfile.TemporaryDirectory() as folder:
        where = ROOT / "models"
        if quick:
            where = Path(folder) / "models"
            where.mkdir()
            for path in models()[:QUICK_MODELS]:
                shutil.copy(path, where)
        variables = {**environment(), "XDG_CACHE_HOME": f"{folder}/cache", "RECONCHECK_CACHE": "on"}

        def verify(*options: str) -> Run:
            command = [sys.executable, "-m", "reconcheck", "verify", str(where), "--jobs", str(JOBS), "--format=json"]
            return run([*command, *options], limit, ROOT, variables)

        verify()
        for what, options in ((COLD, ["--no-cache"]), (WARM, [])):
            yield row(what, [verify(*options) for _ in range(1 if quick else RUNS)], limit)


def row(what: str, runs: Sequence[Run], limit: Limit) -> Row:
    """What the run with the median time took, and of how many models it computed the answers.

    The outcome is "answered" if every model is as it expects, "wrong" or "unknown" if some is not, "stopped" if the
    limit was reached, and "failed" if there is no report.  A second run that computes anything has failed, too.
    """
    median = statistics.median_low(one.seconds(limit.clock) for one in runs)
    chosen = next(one for one in runs if one.seconds(limit.clock) == median)
    found = {"run": what, "target": TARGETS[what], **taken(chosen, limit)}
    reports = _reports(chosen)
    if chosen.code is None or reports is None:
        why = {} if chosen.code is None else {"message": last_words(chosen)}
        return {**found, "outcome": "stopped" if chosen.code is None else "failed", "models": 0, "computed": 0, **why}
    computed = sum(1 for report in reports if not report["cached"])
    outcome = OUTCOMES.get(chosen.code, "failed")
    if outcome == "answered" and what == WARM and computed:
        outcome = "failed"
    return {**found, "outcome": outcome, "models": len(reports), "computed": computed}


def _reports(result: Run) -> list[Row] | None:
    """The reports on the models; None where there are none."""
    try:
        reports: list[Row] = json.loads(result.output)["models"]
    except (ValueError, KeyError):
        return None
    return reports or None
