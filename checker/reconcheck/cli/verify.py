"""`reconcheck verify`."""

from __future__ import annotations

import time
from pathlib import Path

import click
from msgspec.structs import replace

from reconcheck.cache.results import Results
from reconcheck.cli.certificates import Certificates
from reconcheck.cli.crowd import outcomes_of
from reconcheck.cli.errors import INTERNAL, wrong_value
from reconcheck.cli.fixing import FixCommand, Target, looked_for, overwrite_options, write_repair
from reconcheck.cli.machine import peak_memory, usable_cores, working_folder
from reconcheck.cli.options import (
    ScopeAsked,
    affected_files,
    colours,
    model_files,
    parse_settings,
    scope_options,
    settings_option,
    timeout_option,
)
from reconcheck.cli.outputs import outputs, say
from reconcheck.cli.remembering import remembering
from reconcheck.cli.request import Request
from reconcheck.explain.run import Failure, Outcome, Run
from reconcheck.report.formats import ENDINGS, format_of, renderer


@click.command(cls=FixCommand)
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--within",
    multiple=True,
    metavar="PATH",
    help="MODELS are files that changed: verify what is or imports one of them, of this file or folder.",
)
@click.option("--goal", "goals", multiple=True, metavar="NAME", help="Only this question; may be given several times.")
@scope_options
@settings_option
@timeout_option
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="N",
    help="Work on N models or questions at a time; as many as there are cores by default.",
)
@click.option(
    "--format", "format_", type=click.Choice(list(ENDINGS)), help="How to answer on standard output; text by default."
)
@click.option(
    "--output",
    "-o",
    "written",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write FILE as well, in that format or in that of its ending (.txt .json .sarif .xml .md); several times.",
)
@click.option(
    "--certificate", "folder", metavar="DIR", help="Write a certificate of everything that is proved into DIR."
)
@click.option("--no-cache", is_flag=True, help="Verify anew what was verified before and has not changed.")
@click.option(
    "--diagnose/--no-diagnose",
    default=None,
    help="Find out what the goals need, what it costs and what to change; by default for a single model.",
)
@click.option("--strict", is_flag=True, help="Findings about a model count as failures (exit code 1).")
@click.option(
    "--fix",
    type=click.IntRange(min=1),
    metavar="[=N]",
    help="Write the model with its first repair, or the N-th, to MODEL with the ending .fixed.rdsl.",
)
@overwrite_options
@click.option("--verbose", "-v", is_flag=True, help="Whole reports also when there are several models.")
def command(
    models: tuple[str, ...],
    within: tuple[str, ...],
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
    timeout: float | None,
    jobs: int | None,
    format_: str | None,
    written: tuple[str, ...],
    folder: str | None,
    no_cache: bool,
    diagnose: bool | None,
    strict: bool,
    fix: int | None,
    in_place: bool,
    force: bool,
    verbose: bool,
) -> int:
    """Prove that each model converges without scheduled reconciliation, or show why not.

    MODELS are .rdsl files, or folders with some.  For several, one line each is printed, then the totals.
    For one, the diagnosis follows the verdicts: what converges at which level, which wake-ups are needed, and what
    to change.
    Lines `expect ...` in a model decide the exit code; without them, everything must converge.
    """
    started = time.monotonic()
    request = Request(goals, ScopeAsked(with_, without, level), parse_settings(settings), timeout)
    into = outputs(format_, written, ENDINGS, format_of)
    files = affected_files(models, within) if within else model_files(models)
    into.spare(files)
    target = _target(files, fix, in_place, force)
    certificates = Certificates(folder, files) if folder is not None else None
    colour, text, several = colours(), into.standard == "text", len(files) > 1
    width = max((len(str(file)) for file in files), default=0)
    done: list[Outcome] = []
    results, cores = Results(not no_cache), jobs or usable_cores()
    more = diagnose or (diagnose is None and not several)
    with remembering(files, request, results, lambda new: outcomes_of(new, request, cores, more)) as (outcomes, crew):
        for file, result in zip(files, outcomes, strict=True):
            if certificates is not None and not isinstance(result, Failure):
                result = certificates.written(result)
            if isinstance(result, Failure):
                _tell_failure(file, result, text, several, colour)
            else:
                if text:
                    from reconcheck.render.run import render_outcome  # not needed for what is wrong
                    from reconcheck.render.text import Paint

                    click.echo(render_outcome(Outcome(str(file), result), not several or verbose, width, Paint(colour)))
                if more:
                    lookup = results.find(file, {**request.options, "diagnosis": True})
                    known = None if lookup.report is None else lookup.report.diagnosis
                    known = known or request.diagnose(result, crew)
                    result = replace(result, diagnosis=known)
                    results.keep(lookup, result)
                    if text and (not several or verbose):
                        from reconcheck.render.run import render_diagnosed

                        click.echo("\n" + render_diagnosed(result, Paint(colour)))
            done.append(Outcome(str(file), result))
        rendered = renderer(into.standard, verbose)  # imports it while the workers end
    run = Run(tuple(done), time.monotonic() - started, peak_memory(), working_folder(), strict)
    if not text:
        say(rendered(run))
    else:
        from reconcheck.render.run import render_end
        from reconcheck.render.text import Paint

        for line in render_end(run, Paint(colour)):
            click.echo(line)
    into.write(lambda name: renderer(name, verbose)(run))
    if target is not None:
        for report in run.reports:
            found = report.diagnosis or looked_for(report, timeout)
            click.echo(write_repair(report, found, target, timeout), err=True)
    return run.exit_code


def _target(files: list[Path], fix: int | None, in_place: bool, force: bool) -> Target | None:
    """Which repair to write, and where, if any.  Raises `ModelError` (RC107)."""
    if fix is None:
        if in_place or force:
            raise wrong_value("`--in-place` and `--force` are about a repair", "add `--fix`")
        return None
    if len(files) != 1:
        raise wrong_value("`--fix` with several models", "give one model")
    target = Target(fix, None, in_place, force, "use `reconcheck repair --output FILE`")
    target.path(files[0])  # before anything is looked for
    return target


def _tell_failure(file: Path, failure: Failure, text: bool, several: bool, colour: bool) -> None:
    """Says why a model has no report; formats for programs say so themselves, unless reconcheck is broken."""
    if failure.exit_code == INTERNAL:
        for problem in failure.diagnostics:
            click.echo(f"internal error[{problem.code}]: {file}: {problem.message}", err=True)
    elif text:
        from reconcheck.render.diagnostics import render_diagnostics

        click.echo(render_diagnostics(failure.diagnostics, failure.sources, colour), err=True)
    if text and several:
        from reconcheck.render.run import render_status

        click.echo(render_status(str(file), failure))
