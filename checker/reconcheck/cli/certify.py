"""`reconcheck certify`: checks certificates without anything that looked for the proofs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.errors import OK, UNKNOWN, WRONG, wrong_value
from reconcheck.cli.options import colours, parse_settings, settings_option
from reconcheck.cli.progress import Progress
from reconcheck.diagnostic import Diagnostic, ModelError

if TYPE_CHECKING:
    from reconcheck.certify.solvers import Backend

CODES = {"wrong": WRONG, "refused": 1, "unknown": UNKNOWN, "holds": OK}
"""Exit codes by verdict; of several certificates the first of these that one has."""


@click.command()
@click.argument("certificates", nargs=-1, required=True)
@click.argument("model")
@click.option(
    "--solver", "solver_name", type=click.Choice(["z3", "cvc5"]), default="z3", show_default=True, help="Who checks."
)
@settings_option
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to answer.")
def command(
    certificates: tuple[str, ...], model: str, solver_name: str, settings: tuple[str, ...], format_: str
) -> int:
    """Check CERTIFICATES of what was proved about MODEL, from nothing but the two and a solver.

    CERTIFICATES are files that `reconcheck verify --certificate DIR` wrote, or the folder.  Each is checked with
    the parameters that it names, unless they are set here.  Exit codes: 0 all hold, 1 one is refused, 2 one
    cannot be read, 3 the solver gave up.
    """
    from reconcheck.certify.certificates import Judge
    from reconcheck.render.certificates import render_count, render_judgement

    if Path(model).is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    values = parse_settings(settings)
    files = _files(certificates)
    judgements = []
    with Progress(model) as progress:
        judge = Judge(Path(model), values, _backend(solver_name), progress)
        for file in files:
            judgements.append(judge.judge(file))
            if format_ == "text":
                click.echo(render_judgement(judgements[-1], colours()))
    if format_ == "json":
        import json

        from reconcheck.report.certificates import document

        click.echo(json.dumps(document(judgements, model), indent=2, ensure_ascii=False))
    else:
        click.echo(f"\n{render_count(judgements, model)}")
    verdicts = {judgement.verdict for judgement in judgements}
    return next(code for verdict, code in CODES.items() if verdict in verdicts)


def _files(paths: tuple[str, ...]) -> list[Path]:
    """The certificates that paths stand for.  Raises `ModelError` (RC501)."""
    files: list[Path] = []
    for path in map(Path, paths):
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found:
            message, instead = f"there is no certificate (.json) in {path}", "`reconcheck verify --certificate DIR`"
            raise ModelError([Diagnostic("RC501", message, None, instead)])
        files += found
    return list(dict.fromkeys(files))


def _backend(name: str) -> Backend:
    """The solver.  Raises `ModelError` (RC509) where it is not installed."""
    from reconcheck.certify.solvers import SOLVERS, Missing

    try:
        return SOLVERS[name]()
    except Missing as missing:
        instead = f"install it: `pip install {name}`, or `pip install 'reconcheck[{name}]'`"
        raise ModelError([Diagnostic("RC509", str(missing), None, instead)]) from missing
