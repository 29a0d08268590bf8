"""`reconcheck export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.files import replace_text
from reconcheck.cli.options import ScopeAsked, parse_settings, scope_of, scope_options, settings_option

if TYPE_CHECKING:
    from reconcheck.model.operator import Goal, Operator

TARGETS = ("tla", "smv", "promela", "smt2", "vmt")
BEGINNING = 2_000
"""Characters at the beginning of a file in which to look for who wrote it."""


@click.command()
@click.argument("model")
@click.option("--to", "target_name", type=click.Choice(TARGETS), required=True, help="The language to write.")
@click.option("--goal", "goals", multiple=True, metavar="NAME", help="Only this question; may be given several times.")
@scope_options
@settings_option
@click.option(
    "--bound", type=click.IntRange(min=1), metavar="N", help="Keep numbers that have no bounds (`int`, `nat`) within N."
)
@click.option("-o", "output", default=".", metavar="DIR", help="The folder to write to, by default here; `-` prints.")
@click.option("--force", is_flag=True, help="Replace files that somebody else wrote, too.")
def command(
    model: str,
    target_name: str,
    goals: tuple[str, ...],
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
    bound: int | None,
    output: str,
    force: bool,
) -> None:
    """Write MODEL in the language of another model checker: TLA+, SMV, Promela, SMT-LIB 2 or VMT.

    The text says at its beginning how to run it, and what was abstracted; spec/export.md says what it means.
    Without `--with schedule` or another level the scheduled wake-ups are left out, as in `verify`.
    """
    from reconcheck.export.targets import TARGETS as KNOWN
    from reconcheck.export.targets import export
    from reconcheck.model.load import load

    if Path(model).is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    operator = load(Path(model), parse_settings(settings)).operator
    scope = scope_of(operator, ScopeAsked(with_, without, level))
    files = export(operator, scope, goals_of(operator, goals), KNOWN[target_name], bound)
    if output == "-":
        for text in files.values():
            click.echo(text, nl=False)
        return
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise wrong_value(f"cannot make the folder {output}: {error.strerror}", "give another folder") from error
    foreign = [folder / name for name in files if not force and not _ours(folder / name)]
    if foreign:
        message = f"{foreign[0]} is there already, and `reconcheck export` did not write it"
        raise wrong_value(message, "choose another folder with `-o`, or add `--force`")
    for name, text in files.items():
        replace_text(folder / name, text)
        click.echo(f"wrote {folder / name}")


def _ours(path: Path) -> bool:
    """Whether a file is not there, or was written by this command, so that it may be written again."""
    from reconcheck.export.header import MARK

    try:
        return not path.exists() or MARK in path.read_text(encoding="utf-8", errors="replace")[:BEGINNING]
    except OSError as error:
        raise wrong_value(f"cannot write {path}: {error.strerror}", "choose another folder with `-o`") from error


def goals_of(operator: Operator, names: tuple[str, ...]) -> tuple[Goal, ...]:
    """The goals asked about, by default all.  Raises `ModelError` (RC107)."""
    known = {goal.name: goal for goal in operator.goals}
    for name in names:
        if name not in known:
            raise wrong_value(f"`{operator.name}` has no goal `{name}`", f"its goals are: {', '.join(sorted(known))}")
    return tuple(goal for goal in operator.goals if not names or goal.name in names)
