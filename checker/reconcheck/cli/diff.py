"""`reconcheck diff`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconcheck.cli.crowd import outcomes_of
from reconcheck.cli.errors import INTERNAL, wrong_value
from reconcheck.cli.machine import usable_cores
from reconcheck.cli.options import ScopeAsked, colours, parse_settings, settings_option, timeout_option
from reconcheck.cli.outputs import outputs, say
from reconcheck.cli.request import Request, failure
from reconcheck.explain.run import WORST_FIRST, Failure
from reconcheck.report.formats import format_of
from reconcheck.syntax.source import read_stream

if TYPE_CHECKING:
    from reconcheck.explain.difference import Difference

FORMATS = ("text", "json", "markdown")
STANDARD_INPUT = "(standard input)"


@click.command()
@click.argument("old")
@click.argument("new")
@settings_option
@timeout_option
@click.option("--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Work on N questions at a time.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How to answer; text by default.")
@click.option(
    "--output",
    "-o",
    "written",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write FILE as well, in that format or in that of its ending (.txt .json .md); several times.",
)
@click.option(
    "--diagnose/--no-diagnose", default=True, help="Compare levels, needs and repairs as well; by default they are."
)
def command(
    old: str,
    new: str,
    settings: tuple[str, ...],
    timeout: float | None,
    jobs: int | None,
    format_: str | None,
    written: tuple[str, ...],
    diagnose: bool,
) -> int:
    """Say what changed between two versions of a model: verdicts, levels, wake-ups and what they rest on.

    OLD or NEW may be `-`, standard input; its imports are searched beside the other model:

        git show HEAD~1:model.rdsl | reconcheck diff - model.rdsl

    Every goal is asked about with and without the schedule.  The exit code is 0 when nothing got worse, 1 when an
    answer or a level did, 2 when a model is wrong, 3 when it cannot be told.
    """
    into = outputs(format_, written, FORMATS, _format_of)
    files, texts = _models(old, new)
    into.spare(file for file in files if file not in texts)
    request = Request((), ScopeAsked(), parse_settings(settings), timeout, also_with_schedule=True, texts=texts)
    wrong = [failure for file in files if (failure := _wrong(request, file)) is not None]
    if wrong:
        return _failed(wrong)
    with outcomes_of(files, request, jobs or usable_cores()) as (outcomes, crew):
        before, after = outcomes
        if isinstance(before, Failure) or isinstance(after, Failure):
            return _failed([one for one in (before, after) if isinstance(one, Failure)])
        if diagnose:
            before = replace(before, diagnosis=request.diagnose(before, crew))
            after = replace(after, diagnosis=request.diagnose(after, crew))
    from reconcheck.explain.difference import difference
    from reconcheck.render.text import Paint

    found = difference(before, after)
    if into.standard == "text":
        from reconcheck.render.difference import render_difference

        click.echo(render_difference(found, Paint(colours())))
    else:
        say(_rendered(found, into.standard))
    into.write(lambda name: _rendered(found, name))
    return found.exit_code


def _format_of(file: str) -> str | None:
    known = format_of(file)
    return known if known in FORMATS else None


def _models(old: str, new: str) -> tuple[list[Path], dict[Path, str]]:
    """Both models; what comes from standard input counts as a file beside the other.  Raises `ModelError`."""
    if old == new == "-":
        raise wrong_value("both models are `-`", "read one of them from a file")
    for text in (old, new):
        if Path(text).is_dir():
            raise wrong_value(f"{text} is a folder", "give one model")
    files = [
        Path(new if old == "-" else old).parent / STANDARD_INPUT if text == "-" else Path(text) for text in (old, new)
    ]
    texts = {
        file: read_stream(sys.stdin.buffer, STANDARD_INPUT)
        for file, text in zip(files, (old, new), strict=True)
        if text == "-"
    }
    return files, texts


def _wrong(request: Request, file: Path) -> Failure | None:
    """Why a model cannot be verified, so that nobody waits for the other one."""
    try:
        request.load(file)
    except Exception as error:
        return failure(error)
    return None


def _failed(failures: list[Failure]) -> int:
    """Says why there is no comparison; the exit code."""
    from reconcheck.render.diagnostics import render_diagnostics

    for one in failures:
        if one.exit_code == INTERNAL:
            for problem in one.diagnostics:
                click.echo(f"internal error[{problem.code}]: {problem.message}", err=True)
        else:
            click.echo(render_diagnostics(one.diagnostics, one.sources, sys.stderr.isatty()), err=True)
    return next(code for code in WORST_FIRST if code in {one.exit_code for one in failures})


def _rendered(found: Difference, name: str) -> str:
    match name:
        case "json":
            from reconcheck.report.difference import rendered

            return rendered(found)
        case "markdown":
            from reconcheck.render.difference_markdown import difference_markdown

            return difference_markdown(found)
        case _:
            from reconcheck.render.difference import render_difference
            from reconcheck.render.text import Paint

            return render_difference(found, Paint(False)) + "\n"
