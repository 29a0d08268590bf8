"""`reconcheck fix`."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from reconcheck.cli.errors import WRONG, wrong_value
from reconcheck.cli.files import replace_text
from reconcheck.diagnostic import Diagnostic, ModelError

MOST_ROUNDS = 50
"""A syntax error can hide others, so the fixed text is read again; each round applies at least one fix."""


@click.command()
@click.argument("model")
@click.option("--write", is_flag=True, help="Write the file; otherwise only the difference is shown.")
def command(model: str, write: bool) -> int:
    """Apply the fixes that the diagnostics of MODEL offer, such as `and` for `&&`."""
    from reconcheck.render.diagnostics import render_diagnostics
    from reconcheck.syntax.source import read_source

    path = Path(model)
    if path.is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    old = read_source(path)
    new, count, left = _fixed(path, old)
    shown = difflib.unified_diff(old.splitlines(True), new.splitlines(True), model, f"{model} (fixed)")
    click.echo("".join(line if line.endswith("\n") else line + "\n" for line in shown), nl=False)
    if write and new != old:
        replace_text(path, new)
    click.echo(
        f"{count} fix{'es' * (count != 1)} {'written' if write else 'found'}, {len(left)} problems left", err=True
    )
    if left:
        click.echo(render_diagnostics(left, {str(path): new}), err=True)
    return WRONG if left else 0


def _fixed(path: Path, text: str) -> tuple[str, int, list[Diagnostic]]:
    """The text after all fixes, their number, and the problems that are left."""
    from reconcheck.fixes import apply_fixes
    from reconcheck.model.assemble import assemble
    from reconcheck.syntax.parser import parse_text

    total = 0
    for _ in range(MOST_ROUNDS):
        try:
            assemble(parse_text(text, str(path)), text, path, {})
            return text, total, []
        except ModelError as error:
            left = list(error.diagnostics)
        text, count = apply_fixes(text, str(path), left)
        total += count
        if count == 0:
            break
    return text, total, left
