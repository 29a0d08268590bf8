"""`reconcheck import-trace`."""

from __future__ import annotations

from pathlib import Path

import click

from reconcheck.cli.errors import OK
from reconcheck.cli.options import ScopeAsked, colours, parse_settings, scope_of, scope_options, settings_option
from reconcheck.diagnostic import Diagnostic, ModelError

DIVERGES = 1


@click.command("import-trace")
@click.argument("trace")
@click.option("--model", required=True, metavar="MODEL", help="The model that was exported.")
@click.option("--from", "tool", type=click.Choice(("spin", "nusmv", "tlc")), help="Who wrote it, if it does not show.")
@click.option(
    "--goal", "goals", multiple=True, metavar="NAME", help="The question that was asked, if it does not show."
)
@scope_options
@settings_option
@click.option("--bound", type=click.IntRange(min=1), metavar="N", help="The bound of the export, if it had one.")
def command(
    trace: str,
    model: str,
    tool: str | None,
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
    bound: int | None,
) -> int:
    """Show a counterexample that Spin, NuSMV or TLC found on an export of a model, in the model's own terms.

    TRACE is what the checker printed (`-`: standard input): `spin -t -p` for Spin, text or XML of NuSMV or nuXmv, the
    output of TLC.  It is replayed step by step on the reference interpreter.  The scope has to be that of the export.

    Exit codes: 1 the counterexample holds, 0 it is a witness of what shall be reachable, 2 it does not replay.
    """
    from reconcheck.cli.export import goals_of
    from reconcheck.export.replay import imported
    from reconcheck.model.load import load
    from reconcheck.render.text import Paint, render_imported

    operator = load(Path(model), parse_settings(settings)).operator
    scope = scope_of(operator, ScopeAsked(with_, without, level))
    found = imported(_text(trace), tool, operator, scope, goals_of(operator, goals), bound)
    for number, one in enumerate(found):
        if number:
            click.echo()
        click.echo(render_imported(operator, scope, one, Paint(colours())))
    return OK if all(one.verdict == "reachable" for one in found) else DIVERGES


def _text(path: str) -> str:
    """Raises `ModelError` (RC701)."""
    try:
        with click.open_file(path, encoding="utf-8", errors="replace") as file:
            return str(file.read())
    except OSError as error:
        raise ModelError(
            [Diagnostic("RC701", f"cannot read {path}: {error.strerror}", None, "give the output of the checker")]
        ) from error
