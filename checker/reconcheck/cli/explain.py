"""`reconcheck explain`."""

from __future__ import annotations

import click

from reconcheck.cli.errors import wrong_value


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a diagnostic CODE such as RC203, 203 for short, or a cause by its name; without one, list them all."""
    from reconcheck.cause_kinds import KINDS
    from reconcheck.codes import CODES
    from reconcheck.render.diagnostics import render_lesson

    if code is None:
        for known in CODES.values():
            click.echo(f"{known.code}  {known.title}")
        return
    names = {name: kind.code for name, kind in KINDS.items()}
    wanted = CODES.get(code.upper()) or CODES.get(f"RC{code}") or CODES.get(names.get(code.lower(), ""))
    if wanted is None:
        raise wrong_value(f"there is no code `{code}`", "`reconcheck explain` lists them all")
    click.echo(render_lesson(wanted))
