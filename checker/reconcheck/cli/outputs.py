"""Where the answers go: to standard output, and to any number of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import click
from msgspec import Struct

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.files import replace_text, unwritable
from reconcheck.diagnostic import Diagnostic, ModelError


class Outputs(Struct, frozen=True):
    """A format for standard output, and files with theirs."""

    standard: str
    files: tuple[tuple[str, str], ...]
    """Format and path."""

    def spare(self, models: Iterable[Path]) -> None:
        """Sees that no model would be replaced by what is said of it.  Raises `ModelError` (RC107)."""
        kept = {os.path.realpath(model) for model in models}
        for _, path in self.files:
            if os.path.realpath(path) in kept:
                raise wrong_value(f"{path} is a model: the output would replace it", "give another file")

    def write(self, render: Callable[[str], str]) -> None:
        """Writes every file.  Raises `ModelError` (RC108) about those that could not be, once all were tried."""
        problems: list[Diagnostic] = []
        for name, path in self.files:
            try:
                replace_text(Path(path), render(name))
            except ModelError as error:
                problems += error.diagnostics
        if problems:
            raise ModelError(problems)


def outputs(
    standard: str | None, given: tuple[str, ...], formats: Collection[str], by_ending: Callable[[str], str | None]
) -> Outputs:
    """What `--format` and `--output` ask for.  Raises `ModelError`: RC107, or RC108 for what cannot be written.

    An output is `FORMAT=FILE`, or a `FILE` whose ending tells the format; the file `-` is standard output.
    """
    found: list[tuple[str, str]] = []
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or name not in formats:
            known = by_ending(text)
            if known is None:
                names = ", ".join(f"{one}=FILE" for one in formats)
                raise wrong_value(f"`--output {text}` does not tell the format", f"write one of {names}")
            name, path = known, text
        if path == "-" and standard is not None:
            raise wrong_value(f"`--output {text}` and `--format {standard}` are both for standard output", "keep one")
        if path == "-":
            standard = name
            continue
        if not path:
            raise wrong_value(f"`--output {text}` names no file", f"write `--output {name}=FILE`")
        if any(os.path.abspath(path) == os.path.abspath(other) for _, other in found):
            raise wrong_value(f"two outputs go to {path}", "give each a file of its own")
        found.append((name, path))
    problems = [problem for _, path in found if (problem := unwritable(Path(path))) is not None]
    if problems:
        raise ModelError(problems)
    return Outputs(standard or "text", tuple(found))


def say(text: str) -> None:
    """Prints what ends with its own line break."""
    click.echo(text, nl=False)
