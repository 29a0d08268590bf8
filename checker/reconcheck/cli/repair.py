"""`reconcheck repair`."""

from __future__ import annotations

import time
from pathlib import Path

import click
from msgspec.structs import replace

from reconcheck.cli.errors import INTERNAL, OK, UNKNOWN, wrong_value
from reconcheck.cli.fixing import Target, looked_for, target_options, write_repair
from reconcheck.cli.machine import peak_memory, working_folder
from reconcheck.cli.options import ScopeAsked, colours, parse_settings, settings_option, timeout_option
from reconcheck.cli.outputs import say
from reconcheck.cli.request import Request
from reconcheck.diagnostic import InternalError, ModelError
from reconcheck.explain.run import Failure, Outcome, Run
from reconcheck.report.formats import renderer

FORMATS = ("text", "json", "sarif", "markdown")


@click.command()
@click.argument("model")
@click.option("--number", "-n", type=click.IntRange(min=1), metavar="N", help="Write the model with the N-th repair.")
@target_options
@click.option(
    "--max-edits", type=click.IntRange(min=1), default=3, metavar="N", help="Edits of a repair; 3 by default."
)
@settings_option
@timeout_option
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="How to answer.")
def command(
    model: str,
    number: int | None,
    output: str | None,
    in_place: bool,
    force: bool,
    max_edits: int,
    settings: tuple[str, ...],
    timeout: float | None,
    format_: str,
) -> int:
    """Find the smallest changes to MODEL after which it converges without scheduled reconciliation.

    Each is verified again, and shown as a difference.  With `-n`, `--output` or `--in-place` one of them, by
    default the first, is written: to MODEL with the ending `.fixed.rdsl`, if nothing else is said.
    """
    started = time.monotonic()
    if Path(model).is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    writes = number is not None or output is not None or in_place
    if force and not writes:
        raise wrong_value("`--force` is about a repair that is written", "add `-n`, `--output` or `--in-place`")
    target = Target(number or 1, output, in_place, force)
    if writes:
        target.path(Path(model))  # before anything is looked for
    outcome = Request((), ScopeAsked(), parse_settings(settings), timeout).verify(Path(model))
    if isinstance(outcome, Failure):
        raise _error(outcome)
    found = looked_for(outcome, timeout, max_edits, all_that_time=True)
    report = replace(outcome, diagnosis=found)
    if format_ != "text":
        run = Run((Outcome(model, report),), time.monotonic() - started, peak_memory(), working_folder())
        say(renderer(format_, True)(run))
    else:
        from reconcheck.render.repairs import render_repaired
        from reconcheck.render.text import Paint

        click.echo(render_repaired(report, max_edits, Paint(colours())))
    if writes:
        click.echo(write_repair(report, found, target, timeout), err=True)
    mended = {name for repair in found.repairs for name in repair.goals}
    left = [answer for answer in report.answers if not answer.good and answer.goal.name not in mended]
    unknown = found.undecided or any(answer.verdict == "unknown" for answer in left)
    return OK if not left else UNKNOWN if unknown else 1


def _error(failure: Failure) -> Exception:
    problem = failure.diagnostics[0]
    if failure.exit_code == INTERNAL:
        return InternalError(problem.code, problem.message)
    return ModelError(failure.diagnostics, failure.sources)
