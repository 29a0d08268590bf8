"""What several commands take: models, parameters, scopes, colours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from reconcheck.cli.errors import wrong_value
from reconcheck.diagnostic import Diagnostic, ModelError

if TYPE_CHECKING:
    from reconcheck.model.operator import Operator, Scope


class ScopeAsked(Struct, frozen=True):
    """The scope as the command line says it: `--with`, `--without` and `--level`."""

    with_: str | None = None
    without: tuple[str, ...] = ()
    level: str | None = None

    @property
    def given(self) -> bool:
        """Whether any of these options was given."""
        return bool(self.with_ or self.without or self.level)


F = TypeVar("F", bound=Callable[..., Any])

LEAST_SECONDS, MOST_SECONDS = 0.1, 1_000_000.0
"""The time limits that can be set; solvers count milliseconds, and not for ever."""
LEVELS = ("L0", "L1", "L2", "L3", "L4")
"""The levels by the names that one asks for."""
LIBRARY = "std"
"""The folder with kinds that models import; its files have no operator and are not verified."""


def settings_option(function: F) -> F:
    """`--set NAME=VALUE`."""
    option = click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give a parameter of the model a value."
    )
    return option(function)


def time_limit(seconds: float) -> float:
    """The seconds, if they are a time limit.  Raises `ValueError`."""
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:  # which no "nan" is
        raise ValueError(f"{seconds:g} is no time limit: that is {LEAST_SECONDS:g} to {MOST_SECONDS:,.0f} seconds")
    return seconds


def _time_limit(_context: click.Context, _option: click.Parameter, seconds: float | None) -> float | None:
    try:
        return None if seconds is None else time_limit(seconds)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def timeout_option(function: F) -> F:
    """`--timeout SECONDS`."""
    option = click.option(
        "--timeout", type=float, callback=_time_limit, metavar="SECONDS", help="Give up on a model after this time."
    )
    return option(function)


def scope_options(function: F) -> F:
    """`--with schedule`, `--level L2` and `--without RULE`."""
    with_ = click.option(
        "--with", "with_", type=click.Choice(["schedule"]), help="Keep the scheduled wake-ups (rules `every`, resync)."
    )
    without = click.option(
        "--without",
        multiple=True,
        metavar="WAKE-UP",
        help="Take away a requeue rule, `watch NAME`, `resync` or `on error`; `schedule` is away by default.",
    )
    level = click.option(
        "--level",
        type=click.Choice(LEVELS, case_sensitive=False),
        help="L0: events only; L1: and retries after errors; L2: and waits; L3: and deadlines; L4: and the schedule.",
    )
    return with_(without(level(function)))


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


def scope_of(operator: Operator, asked: ScopeAsked) -> Scope:
    """The scope asked for.  Raises `ModelError` (RC107) for an unknown wake-up."""
    from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Scope
    from reconcheck.model.wakeups import named, wake_ups_of

    level = SCHEDULED if asked.with_ == "schedule" else UNSCHEDULED
    if asked.with_ == "schedule" and "schedule" in asked.without:
        raise wrong_value("`--with schedule` and `--without schedule` at once", "keep one of the two")
    if asked.level is not None:
        if asked.level not in LEVELS:
            raise wrong_value(f"there is no level `{asked.level}`", f"the levels are: {', '.join(LEVELS)}")
        level = LEVELS.index(asked.level)
        if level != SCHEDULED and asked.with_ == "schedule":
            raise wrong_value(f"`--with schedule` and `--level {asked.level}` at once", "keep one of the two")
        if level == SCHEDULED and "schedule" in asked.without:
            raise wrong_value("`--level L4` and `--without schedule` at once", "keep one of the two")
    away: set[str] = set()
    for name in asked.without:
        found = named(operator.controllers, name)
        if not found and name != "schedule":
            known = ", ".join(dict.fromkeys(one.scoped for one in wake_ups_of(operator.controllers))) or "none"
            message = f"`{operator.name}` has no requeue rule `{name}`, nor another wake-up of that name"
            raise wrong_value(message, f"its wake-ups are: {known}")
        away.update(found)
    return Scope(level, tuple(sorted(away)))


def model_files(paths: tuple[str, ...]) -> list[Path]:
    """The model files that paths stand for; folders are searched.  Raises `ModelError` (RC101, RC106)."""
    files: list[Path] = []
    problems: list[Diagnostic] = []
    for text in paths:
        path = Path(text)
        if not text:
            message = "an empty path is no model"
            problems.append(Diagnostic("RC101", message, None, "give the path of a .rdsl file or of a folder"))
        elif path.is_dir():
            inside = sorted(file for file in path.rglob("*.rdsl") if not file.is_dir())
            found = [file for file in inside if LIBRARY not in file.relative_to(path).parts[:-1]]
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
