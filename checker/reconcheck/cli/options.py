"""What several commands take: models, parameters, scopes, colours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.diagnostic import Diagnostic, ModelError

if TYPE_CHECKING:
    from reconcheck.model.operator import Operator, Scope

F = TypeVar("F", bound=Callable[..., Any])

LIBRARY = "std"
"""The folder with kinds that models import; its files have no operator and are not verified."""


def settings_option(function: F) -> F:
    """`--set NAME=VALUE`."""
    option = click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give a parameter of the model a value."
    )
    return option(function)


def scope_options(function: F) -> F:
    """`--with schedule` and `--without RULE`."""
    with_ = click.option(
        "--with", "with_", type=click.Choice(["schedule"]), help="Keep the scheduled wake-ups (rules `every`, resync)."
    )
    without = click.option(
        "--without", multiple=True, metavar="RULE", help="Take a requeue rule away; `schedule` is away by default."
    )
    return with_(without(function))


def parse_settings(pairs: tuple[str, ...]) -> dict[str, int]:
    """The parameters given with `--set`.  Raises `ModelError` (RC107)."""
    settings: dict[str, int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        try:
            settings[name.strip()] = int(value)
        except ValueError:
            raise wrong_value(f"`--set {pair}` is not NAME=NUMBER", "write for example `--set N=64`") from None
        if not equals or not name.strip().isidentifier():
            raise wrong_value(f"`--set {pair}` is not NAME=NUMBER", "write for example `--set N=64`")
    return settings


def scope_of(operator: Operator, with_: str | None, without: tuple[str, ...]) -> Scope:
    """The scope asked for.  Raises `ModelError` (RC107) for an unknown rule."""
    from reconcheck.model.operator import Scope

    rules = {rule.name for rule in operator.rules()}
    names = [name for name in without if name != "schedule"]
    if with_ == "schedule" and "schedule" in without:
        raise wrong_value("`--with schedule` and `--without schedule` at once", "keep one of the two")
    for name in names:
        if name not in rules:
            known = ", ".join(sorted(rules)) or "none"
            raise wrong_value(f"`{operator.name}` has no requeue rule `{name}`", f"its rules are: {known}")
    return Scope(with_ == "schedule", tuple(sorted(set(names))))


def model_files(paths: tuple[str, ...]) -> list[Path]:
    """The model files that paths stand for; folders are searched.  Raises `ModelError` (RC101, RC106)."""
    files: list[Path] = []
    problems: list[Diagnostic] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*.rdsl")) if LIBRARY not in file.relative_to(path).parts[:-1]]
            if not found:
                message = f"there is no .rdsl file with an operator in {path}"
                problems.append(Diagnostic("RC106", message, None, "give a model, or a folder with models"))
            files += found
        elif path.exists():
            files.append(path)
        else:
            message, instead = f"cannot read {path}: no such file", "give the path of a .rdsl file or of a folder"
            problems.append(Diagnostic("RC101", message, None, instead))
    if problems:
        raise ModelError(problems)
    return list(dict.fromkeys(files))


def affected_files(changed: tuple[str, ...], within: tuple[str, ...]) -> list[Path]:
    """The models in `within` that are, or import, a changed file.  Raises `ModelError` (RC101, RC106)."""
    from reconcheck.model.imports import affected

    return affected(model_files(within), [Path(text) for text in changed])


def colours() -> bool:
    """Whether standard output is a terminal that shows colours (https://no-color.org)."""
    import os

    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
