"""The languages that a model can be exported to."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from msgspec import Struct

from reconcheck.diagnostic import Diagnostic, ModelError
from reconcheck.export.system import System, TooTight, build
from reconcheck.model.operator import Goal, Operator, Scope

Writer = Callable[[System], dict[str, str]]


class Target(Struct, frozen=True):
    """A language.  `module` has a function `files` from a system to texts by file name."""

    name: str
    title: str
    module: str
    endless: bool
    """Whether it has numbers without bounds."""

    @property
    def files(self) -> Writer:
        """Writes a system as texts by file name, the most important file first.  Raises `Unfit`."""
        writer: Writer = importlib.import_module(self.module).files
        return writer


class Unfit(Exception):
    """The target cannot express the system; says why."""


TARGETS = {
    target.name: target
    for target in (
        Target("tla", "TLA+", "reconcheck.export.tla", endless=True),
        Target("smv", "SMV", "reconcheck.export.smv", endless=True),
        Target("promela", "Promela", "reconcheck.export.promela", endless=False),
        Target("smt2", "SMT-LIB 2", "reconcheck.export.smt2", endless=True),
        Target("vmt", "VMT", "reconcheck.export.vmt", endless=True),
    )
}


def export(
    operator: Operator, scope: Scope, goals: tuple[Goal, ...], target: Target, bound: int | None = None
) -> dict[str, str]:
    """The files of an export by name.  Raises `ModelError` (RC107) where the target cannot hold the model as asked."""
    try:
        system = build(operator, scope, goals, bound)
    except TooTight as tight:
        message = f"`{operator.name}` begins with larger numbers than {bound}: nothing could ever happen"
        raise ModelError([Diagnostic("RC107", message, None, "give a larger `--bound`")]) from tight
    if system.endless and not target.endless:
        message = f"`{operator.name}` has numbers without bounds, and {target.title} has none"
        raise ModelError([Diagnostic("RC107", message, None, "give them a bound, for example `--bound 8`")])
    try:
        return target.files(system)
    except Unfit as unfit:
        message = f"`{operator.name}` cannot be written in {target.title}: {unfit}"
        raise ModelError([Diagnostic("RC107", message, None, "export it to another language")]) from unfit
