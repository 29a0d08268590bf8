"""A report as a text that changes only when an answer does: to be kept beside the model, and compared."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import Operator
from reconcheck.render.text import changed, happens, rows_of
from reconcheck.render.values import types_of, value_text

ENDING = ".report.txt"
"""What the name of a snapshot has behind that of its model."""


def snapshot_of(model: Path) -> Path:
    """Where the snapshot of a model is, if there is one."""
    return model.with_name(model.name + ENDING)


def snapshot_text(report: Report) -> str:
    """Verdicts, runs, causes and findings: nothing that depends on time, on the machine, or on how they were found."""
    operator = report.operator
    answers = {
        (answer.goal.name, answer.scope): answer
        for answer in [*report.answers, *(checked.answer for checked in report.expectations)]
    }
    lines = [f"# {operator.name}: written by `pytest --rdsl-update`"]
    for answer in answers.values():
        lines += ["", f"{answer.goal.name} {answer.verdict} {answer.scope}", *_run(operator, answer), *causes(answer)]
    if report.findings:
        lines.append("")
    for finding in report.findings:
        place = f"{Path(finding.span.file).name}:{finding.span.line}: " if finding.span is not None else ""
        lines.append(f"{finding.severity} {finding.code}: {place}{finding.message}")
    return "\n".join(lines) + "\n"


def undecided(report: Report) -> tuple[Answer, ...]:
    """The answers that are unknown, other than a model expects: no snapshot is to be made of them."""
    expected = {
        (checked.expectation.goal, checked.expectation.scope)
        for checked in report.expectations
        if checked.expectation.verdict == "unknown"
    }
    answers = [*report.answers, *(checked.answer for checked in report.expectations)]
    unknown = [answer for answer in answers if answer.verdict == "unknown"]
    return tuple(answer for answer in unknown if (answer.goal.name, answer.scope) not in expected)


def _run(operator: Operator, answer: Answer) -> Iterator[str]:
    trace, types = answer.trace, types_of(operator)
    if trace is None:
        return
    if trace.start:
        yield "  at first: " + ", ".join(f"{name} = {value_text(name, value, types)}" for name, value in trace.start)
    for number, row in enumerate(rows_of(trace), 1):
        mark = "|" if trace.loop is not None and row.index >= trace.loop else " "
        change = changed(row.step, types)
        parts = [f"{number}. {row.step.who}: {happens(row, types)}", change, row.step.woke]
        yield f"{mark} " + "; ".join(part for part in parts if part)
    final = ", ".join(f"{name} is {value_text(name, value, types)}" for name, value in trace.final)
    yield f"  {trace.end}{': ' if final else ''}{final}"


def causes(answer: Answer) -> Iterator[str]:
    """Why a goal fails, a line for each cause."""
    for cause in answer.causes:
        accepted = f" (accepted: {cause.accepted})" if cause.accepted else ""
        yield f"  because {cause.code} {cause.title}{accepted}: {cause.message}"


def differences(old: str, new: str, file: Path) -> str:
    """What changed, as a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), str(file), "now", lineterm="")
    return "\n".join(lines)
