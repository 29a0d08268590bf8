"""Runs as SARIF 2.1.0, for code scanning and editors.

The form is that of the OASIS standard (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).  Nothing in a log depends
on the clock or on the machine.
"""

from __future__ import annotations

import json
from typing import Any

from reconcheck import __version__
from reconcheck.diagnostic import Diagnostic
from reconcheck.explain.assumptions import assumptions_of
from reconcheck.explain.diagnosis import Diagnosis
from reconcheck.explain.run import DIVERGES, INTERNAL, OK, UNKNOWN, WRONG, Failure, Run
from reconcheck.report.diagnosis import need
from reconcheck.report.document import assumption
from reconcheck.report.sarif_places import Places, text
from reconcheck.report.sarif_results import Results
from reconcheck.report.sarif_rules import Rules

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
EXIT_CODES = {
    OK: "as asked",
    DIVERGES: "something diverges, or an expectation is not met",
    WRONG: "a model is wrong",
    UNKNOWN: "something is unknown",
    INTERNAL: "internal error",
}


def sarif(run: Run) -> str:
    """The log of a run, as JSON."""
    return json.dumps(log(run), indent=2, ensure_ascii=False) + "\n"


def log(run: Run) -> dict[str, Any]:
    """The log of a run."""
    results = Results(run.folder)
    told: list[tuple[str, Diagnostic]] = []
    for outcome in run.outcomes:
        if isinstance(outcome.result, Failure):
            told += [(outcome.file, item) for item in results.failure(outcome.file, outcome.result)]
        else:
            results.report(outcome.result)
    notices = Rules()
    execution = [_notification(file, item, results.places, notices) for file, item in told if _broken(item)]
    configuration = [_notification(file, item, results.places, notices) for file, item in told if not _broken(item)]
    invocation: dict[str, Any] = {
        "executionSuccessful": run.exit_code not in (WRONG, INTERNAL) and not told,
        "exitCode": run.exit_code,
        "exitCodeDescription": EXIT_CODES[run.exit_code],
    }
    if execution:
        invocation["toolExecutionNotifications"] = execution
    if configuration:
        invocation["toolConfigurationNotifications"] = configuration
    driver: dict[str, Any] = {
        "name": "reconcheck",
        "version": __version__,
        "semanticVersion": __version__,
        "shortDescription": text("Which wake-ups a Kubernetes operator needs, with proof."),
        "language": "en",
        "rules": results.rules.all(),
    }
    if notices.all():
        driver["notifications"] = notices.all()
    repositories = results.places.repositories()
    one: dict[str, Any] = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "defaultEncoding": "utf-8",
        "originalUriBaseIds": results.places.bases(),
        **({"versionControlProvenance": repositories} if repositories else {}),
        "artifacts": results.places.artifacts(),
        "results": results.found,
        **_about(run),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [one]}


def _about(run: Run) -> dict[str, Any]:
    """What is no result: the assumptions of each model, and what its wake-ups are good for, as properties."""
    models = [
        {
            "operator": report.operator.name,
            "file": report.operator.file,
            "assumptions": [assumption(one) for one in assumptions_of(report)],
            **({} if report.diagnosis is None else _diagnosis(report.diagnosis)),
        }
        for report in run.reports
    ]
    return {"properties": {"models": models}} if models else {}


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "levels": [{"goal": one.goal, "lowest": one.lowest, "beyondAnySchedule": one.beyond} for one in found.levels],
        "wakeUps": [need(one) for one in found.needs],
        "sufficient": [list(names) for names in found.sufficient],
        "mostReconciles": [{"controller": name, "most": most} for name, most in found.most_reconciles],
        "notTold": list(found.undecided),
    }


def _broken(item: Diagnostic) -> bool:
    """Whether a diagnostic is about reconcheck or the machine, not about what it was given."""
    return item.code.startswith("RC9") or item.code == "RC406"


def _notification(file: str, item: Diagnostic, places: Places, rules: Rules) -> dict[str, Any]:
    """What is not about a place in a model: an unreadable file, a bad value, an error of reconcheck."""
    index = rules.index(item.code)
    return {
        "descriptor": {"id": item.code, "index": index},
        "level": "error",
        "message": text(f"{item.message}; {item.instead}" if item.instead else item.message),
        "locations": [places.whole(file)],
    }
