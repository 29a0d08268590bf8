"""`reconcheck new`: a model to begin with."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.template import Outline, Template, identifier
from reconcheck.model import runtimes

DEFAULT_RUNTIME = "controller-runtime"


@click.command()
@click.argument("file", required=False)
@click.option("--name", help="The operator's name.")
@click.option("--kind", help="The kind that it reconciles, such as App.")
@click.option("--owns", multiple=True, metavar="KIND", help="A kind that it creates and keeps; several times.")
@click.option("--reads", multiple=True, metavar="KIND", help="A kind that it reads and does not watch; several times.")
@click.option("--external", "externals", multiple=True, metavar="NAME", help="A system outside that it writes to.")
@click.option("--poll", metavar="DURATION", help="How often it wakes itself, such as 5s.")
@click.option("--runtime", type=click.Choice(list(runtimes.names())), help="What it is built on.")
@click.option("--ask/--no-ask", default=None, help="Ask for what is not given; by default on a terminal.")
def command(
    file: str | None,
    name: str | None,
    kind: str | None,
    owns: tuple[str, ...],
    reads: tuple[str, ...],
    externals: tuple[str, ...],
    poll: str | None,
    runtime: str | None,
    ask: bool | None,
) -> None:
    """Write a model to begin with into FILE, which must not exist, by default NAME.rdsl; `-` prints it.

    It can be verified as it is, and says where to go on.
    """
    if ask if ask is not None else sys.stdin.isatty():
        name = name or _asked("name of the operator", "app")
        kind = kind or _asked("kind that it reconciles", "App")
        owns = owns or _several("kinds that it creates and keeps (with commas)", "Deployment")
        reads = reads or _several("kinds that it reads and does not watch", "")
        externals = externals or _several("systems outside of Kubernetes that it writes to", "")
        poll = _asked("how often it wakes itself, such as 5s", "") if poll is None else poll
        runtime = runtime or click.prompt(
            "runtime", default=DEFAULT_RUNTIME, type=click.Choice(list(runtimes.names())), err=True
        )
    elif not owns and not externals:
        owns = ("Deployment",)
    if not owns and not externals:
        raise wrong_value("the operator writes nothing", "give what it keeps: `--owns KIND` or `--external NAME`")
    outline = Outline(
        name or "app", kind or "App", runtime or DEFAULT_RUNTIME, owns, reads, externals, (poll or "").strip()
    )
    path = Path(file) if file is not None else Path(f"{identifier(outline.name)}.rdsl")
    text = _checked(Template(outline).text(), path)
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        with path.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise wrong_value(f"{path} exists, and is left as it is", "give another file") from None
    except OSError as error:
        raise wrong_value(f"cannot write {path}: {error.strerror}", "give a file in a folder you can write") from error
    click.echo(f"wrote {path}; see what it says: reconcheck verify {path}")


def _asked(question: str, default: str) -> str:
    answer: str = click.prompt(question, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _several(question: str, default: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _asked(question, default).split(",") if part.strip())


def _checked(text: str, path: Path) -> str:
    """The text, if it is a model.  Raises `ModelError` where what was given makes none."""
    from reconcheck.model.assemble import assemble
    from reconcheck.syntax.parser import parse_text

    assemble(parse_text(text, str(path)), text, path, {})
    return text
