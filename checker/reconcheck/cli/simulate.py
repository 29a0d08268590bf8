"""`reconcheck simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.options import ScopeAsked, colours, parse_settings, scope_of, scope_options, settings_option


@click.command()
@click.argument("model")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed walks the same way.")
@click.option("--steps", type=click.IntRange(1, 100_000), default=40, show_default=True, help="How far to walk.")
@click.option("--calm", is_flag=True, help="No disturbances and no faults.")
@scope_options
@settings_option
def command(
    model: str,
    seed: int,
    steps: int,
    calm: bool,
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
) -> int:
    """Walk MODEL on the reference interpreter: who acted, what changed, and whether it woke the controller."""
    from reconcheck.explain.simulate import walk
    from reconcheck.model.load import load
    from reconcheck.render.text import Paint, render_walk

    if Path(model).is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    loaded = load(Path(model), parse_settings(settings))
    scope = scope_of(loaded.operator, ScopeAsked(with_, without, level))
    trace = walk(loaded.operator, scope, seed, steps, calm)
    click.echo(render_walk(loaded.operator, scope, trace, seed, Paint(colours())))
    return 0
