"""Runs `reconcheck verify` as a process of its own, and keeps what it took and what it answered."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .machine import environment
from .measure import Limit, Run, run

Row = dict[str, Any]
"""What is recorded of one run, as it stands in results.json."""

GRACE = 15
"""Seconds that a run may take beyond the `--timeout` it was given, before it is stopped from outside."""

AS_ASKED = {"diverges": ("quiet", "livelock")}
"""Verdicts that meet an expectation which is spelled otherwise."""


def verify(model: Path, limit: Limit, settings: Mapping[str, int] | None = None) -> Row:
    """What a whole run over one model took, and its answers.

    The outcome is "answered" if all goals are answered, and as the model expects; "late" if that took longer than
    the limit; "unknown" if some goal is not; "wrong" if some verdict contradicts the model's `expect` lines;
    "stopped" if the run had to be stopped; "failed" if there is no answer for another reason.
    """
    row, _ = _verified(model, limit, "--no-diagnose", settings or {})
    return row


def again(model: Path, limit: Limit, cache: Path, times: int) -> Row:
    """What a run over one model takes where another one has filled the cache in a folder: the median of so many."""
    variables = {**environment(), "XDG_CACHE_HOME": str(cache), "RECONCHECK_CACHE": "on"}
    command = [sys.executable, "-m", "reconcheck", "verify", "--no-diagnose", "--format", "json", str(model)]
    runs = [run(command, limit, model.parent, variables) for _ in range(times + 1)][1:]
    reports = [_report(one) for one in runs]
    if any(one is None or not one["cached"] for one in reports):
        return {"seconds": None, "message": last_words(runs[-1])}
    return {"seconds": round(statistics.median_low(one.seconds(limit.clock) for one in runs), 3)}


def diagnose(model: Path, limit: Limit) -> Row:
    """The same of a run with the whole diagnosis, and what came of that; None in it where there is none.

    The diagnosis has the numbers of `repairs`, of parts `not_told`, and of questions `asked` and `looked_at`.
    """
    row, report = _verified(model, limit, "--diagnose", {})
    return {**row, "diagnosis": None if report is None else _diagnosis(report["diagnosis"])}


def _verified(model: Path, limit: Limit, how: str, settings: Mapping[str, int]) -> tuple[Row, Row | None]:
    """What a run took and answered, and the report of the model."""
    command = [sys.executable, "-m", "reconcheck", "verify", "--no-cache", how, "--format", "json"]
    command += ["--timeout", f"{limit.wall:g}"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    patient = Limit(limit.seconds + GRACE, limit.clock, limit.gigabytes)
    result = run([*command, str(model)], patient, model.parent, environment())
    row = taken(result, limit)
    report = _report(result)
    answers = None if report is None else _answers(report)
    if result.code is None:
        outcome = "stopped"
    elif answers is None:
        outcome = "failed"
    elif any(_contradicts(answer) for answer in answers):
        outcome = "wrong"
    elif any(answer["verdict"] == "unknown" for answer in answers):
        outcome = "unknown"
    else:
        outcome = "answered" if result.seconds(limit.clock) <= limit.seconds else "late"
    message = {"message": last_words(result)} if outcome == "failed" else {}
    return {"outcome": outcome, **row, **message, "answers": answers or []}, report


def _diagnosis(found: Mapping[str, Any] | None) -> Row | None:
    if found is None:
        return None
    return {
        "repairs": len(found["repairs"]),
        "not_told": len(found["undecided"]),
        "asked": sum(part["asked"] for part in found["shared"]),
        "looked_at": sum(part["looked_at"] for part in found["shared"]),
    }


def taken(result: Run, limit: Limit) -> Row:
    """The figures of a run; `seconds` are those of the clock that is looked at."""
    return {
        "seconds": round(result.seconds(limit.clock), 3),
        "wall": round(result.wall, 3),
        "processor": round(result.processor, 3),
        "megabytes": round(result.megabytes, 1),
    }


def last_words(result: Run) -> str:
    """What a run that failed said last."""
    lines = (result.errors.strip() or result.output.strip()).splitlines()
    return f"exit code {result.code}: {lines[-1][:200] if lines else 'no output'}"


def _report(result: Run) -> Row | None:
    """The report of a run over one model; None if there is none."""
    try:
        models = json.loads(result.output)["models"]
    except (ValueError, KeyError):
        return None
    return models[0] if models else None


def _answers(report: Row) -> list[Row]:
    """The answers of a report, each with what was expected."""
    expected = {(line["goal"], _scope(line["scope"])): line["expected"] for line in report.get("expectations", [])}
    found: dict[tuple[str, str], Row] = {}
    for answer in [*report.get("answers", []), *(line["answer"] for line in report.get("expectations", []))]:
        key = (answer["goal"], _scope(answer["scope"]))
        found[key] = {
            "goal": key[0],
            "scope": key[1],
            "verdict": answer["verdict"],
            "expected": expected.get(key),
            "engine": answer.get("engine"),
            "states": answer.get("states"),
            "obligations": (answer.get("proof") or {}).get("obligations"),
            "seconds": answer.get("seconds"),
            "reason": answer.get("reason"),
        }
    return list(found.values())


def _scope(scope: Mapping[str, Any]) -> str:
    words = ["with schedule" if scope["schedule"] else "without schedule"]
    return ", ".join([*words, *(f"without {rule}" for rule in scope["without"])])


def _contradicts(answer: Row) -> bool:
    expected, verdict = answer["expected"], answer["verdict"]
    if expected is None or verdict in ("unknown", expected):
        return False
    return verdict not in AS_ASKED.get(expected, ())
