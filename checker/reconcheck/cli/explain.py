"""`reconcheck explain`."""

from __future__ import annotations

import click

from reconcheck.cli.errors import wrong_value


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a diagnostic CODE such as RC203, or 203 for short; without one, list them all."""
    from reconcheck.codes import CODES
    from reconcheck.render.diagnostics import render_lesson

    if code is None:
        for known in CODES.values():
            click.echo(f"{known.code}  {known.title}")
        return
    wanted = CODES.get(code.upper()) or CODES.get(f"RC{code}")
    if wanted is None:
        raise wrong_value(f"there is no code `{code}`", "`reconcheck explain` lists them all")
    click.echo(render_lesson(wanted))
