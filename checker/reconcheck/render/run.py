"""A whole run as text: a report for one model, a line each for several."""

from __future__ import annotations

from reconcheck.explain.run import INTERNAL, UNKNOWN, WRONG, Failure, Outcome, Run
from reconcheck.explain.verdict import Report
from reconcheck.render.diagnosis import render_diagnosis, render_work
from reconcheck.render.diagnostics import render_diagnostics
from reconcheck.render.repairs import render_repairs
from reconcheck.render.text import Paint, render_cost, render_line, render_report, render_totals

STATUS = {INTERNAL: "broken", WRONG: "wrong", UNKNOWN: "unknown"}
"""How the line of a model without a report begins, by exit code."""
NOTHING = "nothing to verify: no model is, or imports, a file that changed"


def render_outcome(outcome: Outcome, whole: bool, width: int, paint: Paint) -> str:
    """What is said of a model that has a report; `width` is that of the longest path."""
    assert not isinstance(outcome.result, Failure)
    if not whole:
        return render_line(outcome.result, width, paint)
    report = render_report(outcome.result, paint)
    return report if outcome.result.diagnosis is None else f"{report}\n\n{render_diagnosed(outcome.result, paint)}"


def render_diagnosed(report: Report, paint: Paint) -> str:
    """The diagnosis of a model with its repairs."""
    assert report.diagnosis is not None
    found = report.diagnosis
    blocks = [render_diagnosis(report, paint), render_repairs(found, paint), render_work(found)]
    return "\n\n".join(block for block in blocks if block)


def render_status(file: str, failure: Failure) -> str:
    """The line of a model among several that has no report."""
    return f"{STATUS[failure.exit_code]:<7} {file}"


def render_failure(file: str, failure: Failure, colour: bool) -> str:
    """Why a model has no report."""
    if failure.exit_code == INTERNAL:
        return "\n".join(f"internal error[{item.code}]: {file}: {item.message}" for item in failure.diagnostics)
    return render_diagnostics(failure.diagnostics, failure.sources, colour)


def render_end(run: Run, paint: Paint) -> list[str]:
    """The last lines: the totals of several models, and what the run took."""
    if not run.outcomes:
        return [NOTHING]
    several = len(run.outcomes) > 1
    totals = [render_totals(list(run.reports), len(run.failures), paint)] if several else []
    return [*totals, render_cost(run.seconds, run.memory)] if several or run.reports else []


def render_run(run: Run, verbose: bool) -> str:
    """Everything that is said of a run, without colours."""
    paint = Paint(False)
    several = len(run.outcomes) > 1
    width = max((len(outcome.file) for outcome in run.outcomes), default=0)
    lines: list[str] = []
    for outcome in run.outcomes:
        if isinstance(outcome.result, Failure):
            lines.append(render_failure(outcome.file, outcome.result, False))
            lines += [render_status(outcome.file, outcome.result)] * several
        else:
            lines.append(render_outcome(outcome, verbose or not several, width, paint))
    return "\n".join([*lines, *render_end(run, paint)]) + "\n"
