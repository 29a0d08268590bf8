"""`reconcheck verify`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.certificates import Certificates
from reconcheck.cli.errors import INTERNAL, UNKNOWN, WRONG
from reconcheck.cli.machine import peak_memory, usable_cores
from reconcheck.cli.options import ScopeAsked, colours, model_files, parse_settings, scope_options, settings_option
from reconcheck.cli.request import Failure, Request

if TYPE_CHECKING:
    from reconcheck.cli.jobs import Crew
    from reconcheck.explain.verdict import Report
    from reconcheck.render.text import Paint

WORST_FIRST = (INTERNAL, WRONG, 1, UNKNOWN, 0)
"""Exit codes of a run over several models: the first of these that some model has."""
STATUS = {INTERNAL: "broken", WRONG: "wrong", UNKNOWN: "unknown"}
"""How the line of a model without a report begins, by exit code."""


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--goal", "goals", multiple=True, metavar="NAME", help="Only this question; may be given several times.")
@scope_options
@settings_option
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Give up on a model after this time."
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="N",
    help="Work on N models or questions at a time; as many as there are cores by default.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to answer.")
@click.option(
    "--certificate", "folder", metavar="DIR", help="Write a certificate of everything that is proved into DIR."
)
@click.option(
    "--diagnose/--no-diagnose",
    default=None,
    help="Find out which wake-ups the goals need, and what they cost; by default for a single model.",
)
@click.option("--strict", is_flag=True, help="Findings about a model count as failures (exit code 1).")
@click.option("--verbose", "-v", is_flag=True, help="Whole reports also when there are several models.")
def command(
    models: tuple[str, ...],
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
    timeout: float | None,
    jobs: int | None,
    format_: str,
    folder: str | None,
    diagnose: bool | None,
    strict: bool,
    verbose: bool,
) -> int:
    """Prove that each model converges without scheduled reconciliation, or show why not.

    MODELS are .rdsl files, or folders with some.  For several, one line each is printed, then the totals.
    For one, the diagnosis follows the verdicts: what converges at which level, and which wake-ups are needed.
    Lines `expect ...` in a model decide the exit code; without them, everything must converge.
    """
    started = time.monotonic()
    request = Request(goals, ScopeAsked(with_, without, level), parse_settings(settings), timeout)
    files = model_files(models)
    certificates = Certificates(folder, files) if folder is not None else None
    colour = colours()
    reports: list[Report] = []
    failures: list[tuple[str, Failure]] = []
    width = max(len(str(file)) for file in files)
    with _outcomes(files, request, jobs or usable_cores()) as (outcomes, crew):
        for file, outcome in zip(files, outcomes, strict=True):
            if certificates is not None and not isinstance(outcome, Failure):
                outcome = certificates.written(outcome)
            if isinstance(outcome, Failure):
                failures.append((str(file), outcome))
                _tell_failure(file, outcome, format_, len(files) > 1, colour)
                continue
            from reconcheck.render.text import Paint, render_line, render_report  # not needed for what is wrong

            whole, paint = len(files) == 1 or verbose, Paint(colour)
            if format_ == "text":
                click.echo(render_report(outcome, paint) if whole else render_line(outcome, width, paint))
            if len(files) == 1 and diagnose is not False:
                outcome = _diagnosed(outcome, request, crew, format_, paint)
            reports.append(outcome)
    if diagnose and len(files) > 1:
        reports = [_diagnosed(report, request, None, format_ if verbose else "", paint) for report in reports]
    seconds, memory = time.monotonic() - started, peak_memory()
    if format_ == "json":
        import json

        from reconcheck.report.document import document

        found = [(file, list(failure.diagnostics)) for file, failure in failures]
        click.echo(json.dumps(document(reports, found, seconds, memory), indent=2, ensure_ascii=False))
    elif reports or len(files) > 1:
        from reconcheck.render.text import Paint, render_cost, render_totals

        if len(files) > 1:
            click.echo(render_totals(reports, len(failures), Paint(colour)))
        click.echo(render_cost(seconds, memory))
    codes = {1} if strict and any(report.findings for report in reports) else set[int]()
    codes |= {report.exit_code for report in reports} | {failure.exit_code for _, failure in failures}
    return next(code for code in WORST_FIRST if code in codes)


@contextmanager
def _outcomes(
    files: list[Path], request: Request, jobs: int
) -> Iterator[tuple[Iterator[Report | Failure], Crew | None]]:
    """What comes of each model, in order: found in this process, or by a crew of so many others."""
    if jobs == 1:
        yield (request.verify(file) for file in files), None
        return
    from reconcheck.cli.jobs import Crew

    with Crew(files, request, jobs) as crew:
        yield crew.outcomes(), crew


def _diagnosed(report: Report, request: Request, crew: Crew | None, format_: str, paint: Paint) -> Report:
    """The report with its diagnosis, which follows the verdicts where they are printed as text."""
    from reconcheck.render.diagnosis import render_diagnosis

    found = replace(report, diagnosis=request.diagnose(report, crew))
    if format_ == "text":
        click.echo("\n" + render_diagnosis(found, paint))
    return found


def _tell_failure(file: Path, failure: Failure, format_: str, several: bool, colour: bool) -> None:
    from reconcheck.render.diagnostics import render_diagnostics

    if failure.exit_code == INTERNAL:
        for problem in failure.diagnostics:
            click.echo(f"internal error[{problem.code}]: {file}: {problem.message}", err=True)
    elif format_ == "text":
        click.echo(render_diagnostics(failure.diagnostics, failure.sources, colour), err=True)
    if format_ == "text" and several:
        click.echo(f"{STATUS[failure.exit_code]:<7} {file}")
