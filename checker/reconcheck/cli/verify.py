"""`reconcheck verify`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.certificates import Certificates
from reconcheck.cli.errors import INTERNAL, UNKNOWN, WRONG, wrong_value
from reconcheck.cli.options import colours, model_files, parse_settings, scope_of, scope_options, settings_option
from reconcheck.cli.progress import Progress
from reconcheck.diagnostic import Diagnostic, InternalError, ModelError

if TYPE_CHECKING:
    from reconcheck.explain.verdict import Report

WORST_FIRST = (INTERNAL, WRONG, 1, UNKNOWN, 0)
"""Exit codes of a run over several models: the first of these that some model has."""


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--goal", "goals", multiple=True, metavar="NAME", help="Only this question; may be given several times.")
@scope_options
@settings_option
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Give up on a model after this time."
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to answer.")
@click.option(
    "--certificate", "folder", metavar="DIR", help="Write a certificate of everything that is proved into DIR."
)
@click.option("--verbose", "-v", is_flag=True, help="Whole reports also when there are several models.")
def command(
    models: tuple[str, ...],
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    settings: tuple[str, ...],
    timeout: float | None,
    format_: str,
    folder: str | None,
    verbose: bool,
) -> int:
    """Prove that each model converges without scheduled reconciliation, or show why not.

    MODELS are .rdsl files, or folders with some.  For several, one line each is printed, then the totals.
    Lines `expect ...` in a model decide the exit code; without them, everything must converge.
    """
    from reconcheck.render.diagnostics import render_diagnostics

    started = time.monotonic()
    values = parse_settings(settings)
    files = model_files(models)
    certificates = Certificates(folder, files) if folder is not None else None
    colour = colours()
    reports: list[Report] = []
    failures: list[tuple[str, list[Diagnostic]]] = []
    codes: list[int] = []
    width = max(len(str(file)) for file in files)
    for file in files:
        try:
            report = _verify(file, goals, with_, without, values, timeout)
        except ModelError as error:
            failures.append((str(file), list(error.diagnostics)))
            codes.append(WRONG)
            if format_ == "text":
                click.echo(render_diagnostics(error.diagnostics, error.sources, colour), err=True)
                if len(files) > 1:
                    click.echo(f"wrong   {file}")
            continue
        except InternalError as error:  # the other models still get their answers
            failures.append((str(file), [Diagnostic(error.code, str(error))]))
            codes.append(INTERNAL)
            click.echo(f"internal error[{error.code}]: {file}: {error}", err=True)
            continue
        from reconcheck.render.text import Paint, render_line, render_report  # not needed for what is wrong

        paint = Paint(colour)
        reports.append(report)
        codes.append(report.exit_code)
        if format_ == "text" and (len(files) == 1 or verbose):
            click.echo(render_report(report, paint))
        elif format_ == "text":
            click.echo(render_line(report, width, paint))
        if certificates is not None:
            certificates.write(report)
    if format_ == "json":
        import json

        from reconcheck.report.document import document

        click.echo(json.dumps(document(reports, failures), indent=2, ensure_ascii=False))
    elif len(files) > 1:
        from reconcheck.render.text import Paint, render_totals

        click.echo(render_totals(reports, len(failures), time.monotonic() - started, Paint(colour)))
    return next(code for code in WORST_FIRST if code in codes)


def _verify(
    file: Path,
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    settings: dict[str, int],
    timeout: float | None,
) -> Report:
    from reconcheck.model.load import load

    loaded = load(file, settings)
    from reconcheck.explain.verify import Verifier  # not needed for what is wrong

    operator = loaded.operator
    known = {goal.name for goal in operator.goals}
    for goal in goals:
        if goal not in known:
            raise wrong_value(f"`{operator.name}` has no goal `{goal}`", f"its goals are: {', '.join(sorted(known))}")
    scope = scope_of(operator, with_, without)
    asked = with_ is not None or bool(without)
    with Progress(str(file)) as progress:
        return Verifier(loaded, timeout, progress).report(scope, goals or None, every_scope=not asked)
