"""Reports as JSON; the schema is `spec/report.schema.json`."""

from __future__ import annotations

import json
from typing import Any

from reconcheck import __version__
from reconcheck.cause_kinds import BY_CODE
from reconcheck.diagnostic import Diagnostic, Span
from reconcheck.explain.assumptions import Assumption, assumptions_of
from reconcheck.explain.cause import Cause
from reconcheck.explain.run import Run
from reconcheck.explain.trace import Trace, TraceStep
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import Operator, Scope
from reconcheck.report.diagnosis import diagnosis
from reconcheck.report.missing import missing
from reconcheck.syntax.cite import Cite

SCHEMA = 1
"""The version of the document's form; it grows when a reader could break."""


def rendered(run: Run) -> str:
    """The document of a run, as JSON."""
    return json.dumps(document(run), indent=2, ensure_ascii=False) + "\n"


def document(run: Run) -> dict[str, Any]:
    """All reports of a run, the models that could not be verified with why, and what the run took."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "reconcheck", "version": __version__},
        "models": [model(report) for report in run.reports],
        "errors": [
            {"file": file, "diagnostics": [diagnostic(item) for item in failure.diagnostics]}
            for file, failure in run.failures
        ],
        "run": {"seconds": round(run.seconds, 3), "peak_memory": run.memory},
    }


def model(report: Report) -> dict[str, Any]:
    """One model."""
    operator = report.operator
    return {
        "operator": operator.name,
        "file": operator.file,
        "source": {"url": operator.source[0], "commit": operator.source[1]} if operator.source else None,
        "runtime": operator.runtimes(),
        **({"operators": operators(operator)} if operator.managers[0].name else {}),
        "parameters": dict(operator.parameters),
        "faults": sorted(operator.faults),
        "assumptions": [assumption(item) for item in assumptions_of(report)],
        "scope": scope(report.scope),
        "answers": [answer(item) for item in report.answers],
        "expectations": [
            {
                "line": checked.expectation.span.line,
                "goal": checked.expectation.goal,
                "expected": checked.expectation.verdict,
                "because": list(checked.expectation.because),
                "scope": scope(checked.expectation.scope),
                "answer": answer(checked.answer),
                "met": checked.met,
            }
            for checked in report.expectations
        ],
        "wake_ups": [
            {"controller": controller, "rule": rule, "per_day": round(count, 3)}
            for controller, rule, count in report.wake_ups
        ],
        "findings": [diagnostic(item) for item in report.findings],
        "diagnosis": None if report.diagnosis is None else diagnosis(report.diagnosis, answer, place),
        "exit_code": report.exit_code,
        "seconds": round(report.seconds, 3),
        "cached": report.cached,
    }


def operators(operator: Operator) -> list[dict[str, Any]]:
    """The operators of a system: each a process of its own."""
    return [
        {
            "name": manager.name,
            "runtime": manager.profile.name,
            "controllers": [controller.name for controller in operator.controllers_of(manager)],
        }
        for manager in operator.managers
    ]


def assumption(item: Assumption) -> dict[str, Any]:
    """What verdicts rest on."""
    return {
        "kind": item.kind,
        "name": item.name,
        "on": item.on,
        "used": list(item.used),
        "unused": list(item.unused),
    }


def scope(item: Scope) -> dict[str, Any]:
    """Which causes are there."""
    return {"schedule": item.schedule, "level": item.level, "without": list(item.without)}


def answer(item: Answer) -> dict[str, Any]:
    """One verdict with what it rests on."""
    proof = item.proof
    return {
        "goal": item.goal.name,
        "question": item.goal.kind,
        "line": item.goal.span.line,
        "scope": scope(item.scope),
        "verdict": item.verdict,
        "code": item.code or None,
        "reason": item.reason or None,
        "engine": item.engine or None,
        "states": item.states,
        "seconds": round(item.seconds, 3),
        "proof": None
        if proof is None
        else {
            "parts": list(proof.parts),
            "slices": proof.slices,
            "variables": proof.variables,
            "states": proof.states,
            "obligations": proof.obligations,
        },
        "trace": None if item.trace is None else trace(item.trace),
        "causes": [cause(one) for one in item.causes],
        "unexplained": item.unexplained or None,
        "faultless": None if item.faultless is None else trace(item.faultless),
        "missing": None if item.missing is None else missing(item.missing),
    }


def cause(item: Cause) -> dict[str, Any]:
    """Why a goal fails."""
    return {
        "code": item.code,
        "name": BY_CODE[item.code].name,
        "title": item.title,
        "accepted": item.accepted or None,
        "message": item.message,
        "step": item.step,
        "places": [{"place": place(one.span), "cites": [cite(each) for each in one.cites]} for one in item.places],
    }


def cite(item: Cite) -> dict[str, Any]:
    """A place in the operator's source."""
    return {"location": item.location, "commit": item.commit}


def trace(item: Trace) -> dict[str, Any]:
    """A replayed run."""
    return {
        "end": item.end,
        "start": dict(item.start),
        "steps": [step(one) for one in item.steps],
        "loop": item.loop,
        "fair": list(item.fair),
        "shortest": item.shortest,
        "final": dict(item.final),
    }


def step(item: TraceStep) -> dict[str, Any]:
    """One step."""
    return {
        "action": item.step.action,
        "kind": str(item.step.kind),
        "detail": item.step.detail or None,
        "who": item.who,
        "changes": [{"variable": c.variable, "old": c.old, "new": c.new} for c in item.changes],
        "woke": item.woke or None,
        "sees": [{"variable": c.variable, "cached": c.old, "live": c.new} for c in item.sees],
        "line": item.line,
    }


def diagnostic(item: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its place and fix."""
    return {
        "code": item.code,
        "severity": str(item.severity),
        "message": item.message,
        "instead": item.instead or None,
        "place": place(item.span),
        "fix": None if item.fix is None else {"place": place(item.fix.span), "replacement": item.fix.replacement},
    }


def place(span: Span | None) -> dict[str, Any] | None:
    """A span, from 1, the end exclusive."""
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
