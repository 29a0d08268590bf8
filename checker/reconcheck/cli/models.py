"""`reconcheck models`: the models that come along."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.options import LIBRARY
from reconcheck.resources import shipped

WIDTH = 100
INDENT = " " * 6


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the models that come along; `reconcheck models show NAME` prints one."""
    if context.invoked_subcommand is not None:
        return
    found = _models()
    for wanted, title in ((False, "models:"), (True, 'to import, as in `import "std/workloads"`:')):
        click.echo(title)
        for name, path in found.items():
            if name.startswith(f"{LIBRARY}/") == wanted:
                about = summary(path.read_text(encoding="utf-8"))
                click.echo(f"  {name}")
                click.echo(textwrap.fill(about, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the model NAME, as `reconcheck models` lists it; its last part is enough where that is one model's."""
    click.echo(_found(name).read_text(encoding="utf-8"), nl=False)


@command.command()
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Print where the model NAME is, or the folder with all of them."""
    click.echo(shipped("models") if name is None else _found(name))


def _models() -> dict[str, Path]:
    """Every model by name: its path in the folder without the ending."""
    folder = shipped("models")
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(folder.rglob("*.rdsl"))}


def _found(name: str) -> Path:
    """The model of a name, or of its last part.  Raises `ModelError` (RC107)."""
    models = _models()
    wanted = name.removesuffix(".rdsl")
    fitting = [wanted] if wanted in models else [known for known in models if known.rpartition("/")[2] == wanted]
    if len(fitting) == 1:
        return models[fitting[0]]
    if fitting:
        raise wrong_value(f"`{name}` is the name of several models", f"say which: {', '.join(fitting)}")
    import difflib

    near = difflib.get_close_matches(wanted, [*models, *(known.rpartition("/")[2] for known in models)], 1)
    instead = f"did you mean `{near[0]}`?" if near else "`reconcheck models` lists them"
    raise wrong_value(f"no model `{name}` comes along", instead)


def summary(text: str) -> str:
    """The first sentence of the first comment of a model."""
    lines: list[str] = []
    for line in text.splitlines():
        words = line.strip().removeprefix("///").removeprefix("//").strip()
        if line.strip().startswith("//") and words:
            lines.append(words)
        elif lines:
            break
    return " ".join(lines).partition(". ")[0].rstrip(".:")
