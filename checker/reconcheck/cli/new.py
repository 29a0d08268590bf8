"""`reconcheck new`: a model to begin with."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.template import Outline, Template, identifier
from reconcheck.model import runtimes

T = TypeVar("T")

DEFAULT_RUNTIME = "controller-runtime"
KIND = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LENGTH = re.compile(r"(?:[0-9]+(?:ms|[smhd]))+")


def _kind(text: str) -> str:
    """A kind.  Raises `UsageError`."""
    if KIND.fullmatch(text.strip()) is None:
        raise click.UsageError(f"`{text}` is no kind: it is one word, such as Deployment")
    return text.strip()


def _kinds(text: str) -> tuple[str, ...]:
    """Kinds with commas between them.  Raises `UsageError`."""
    return tuple(_kind(part) for part in text.split(",") if part.strip())


def _system(text: str) -> str:
    """The name of a system outside.  Raises `UsageError`."""
    if not text.strip() or not text.isprintable() or '"' in text:
        raise click.UsageError(f"`{text}` is no name of a system: it has letters, and no quotes")
    return text.strip()


def _systems(text: str) -> tuple[str, ...]:
    """Names with commas between them.  Raises `UsageError`."""
    return tuple(_system(part) for part in text.split(",") if part.strip())


def _length(text: str) -> str:
    """A length of time, or nothing.  Raises `UsageError`."""
    text = text.strip()
    if text and (LENGTH.fullmatch(text) is None or re.search("[1-9]", text) is None):
        raise click.UsageError(f"`{text}` is no length of time: it is more than nothing, and has a unit, such as 5s")
    return text


def _each(check: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]:
    """What checks an option that may be given several times."""
    return lambda _context, _option, values: tuple(check(value) for value in values)


def _one(check: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """What checks an option that is given once, or not."""
    return lambda _context, _option, value: None if value is None else check(value)


@click.command()
@click.argument("file", required=False)
@click.option("--name", help="The operator's name.")
@click.option("--kind", callback=_one(_kind), help="The kind that it reconciles, such as App.")
@click.option(
    "--owns",
    multiple=True,
    callback=_each(_kind),
    metavar="KIND",
    help="A kind that it creates and keeps; several times.",
)
@click.option(
    "--reads",
    multiple=True,
    callback=_each(_kind),
    metavar="KIND",
    help="A kind that it reads and does not watch, and that what it writes depends on; several times.",
)
@click.option(
    "--external",
    "externals",
    multiple=True,
    callback=_each(_system),
    metavar="NAME",
    help="A system outside of Kubernetes that it writes to; several times.",
)
@click.option("--poll", callback=_one(_length), metavar="DURATION", help="How often it wakes itself, such as 5s.")
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
        name = name or _asked("name of the operator", "app", str.strip)
        kind = kind or _asked("kind that it reconciles", "App", _kind)
        owns = owns or _asked("kinds that it creates and keeps (with commas)", "Deployment", _kinds)
        reads = reads or _asked("kinds that it reads and does not watch", "", _kinds)
        externals = externals or _asked("systems outside of Kubernetes that it writes to", "", _systems)
        poll = _asked("how often it wakes itself, such as 5s", "", _length) if poll is None else poll
        runtime = runtime or click.prompt(
            "runtime", default=DEFAULT_RUNTIME, type=click.Choice(list(runtimes.names())), err=True
        )
    elif not owns and not externals:
        owns = ("Deployment",)
    if not owns and not externals:
        raise wrong_value("the operator writes nothing", "give what it keeps: `--owns KIND` or `--external NAME`")
    outline = Outline(name or "app", kind or "App", runtime or DEFAULT_RUNTIME, owns, reads, externals, poll or "")
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


def _asked(question: str, default: str, read: Callable[[str], T]) -> T:
    """The answer; what cannot be read is asked for again."""
    answer: T = click.prompt(question, default=default, value_proc=read, show_default=bool(default), err=True)
    return answer


def _checked(text: str, path: Path) -> str:
    """The text, if it is a model.  Raises `ModelError` where what was given makes none."""
    from reconcheck.model.assemble import assemble
    from reconcheck.syntax.parser import parse_text

    assemble(parse_text(text, str(path)), text, path, {})
    return text
