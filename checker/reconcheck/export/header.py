"""The comment at the top of every exported file: what it is, how to run it, what was abstracted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reconcheck import __version__
from reconcheck.export.system import System
from reconcheck.model.types import OpaqueType

MARK = "Written by reconcheck"
"""The first words of every exported file; `reconcheck export` replaces files that have them near their beginning."""
WIDTH = 100


def header(system: System, title: str, run: tuple[str, ...], notes: tuple[str, ...] = ()) -> list[str]:
    """The lines of the comment, without comment signs; `notes` are sentences that hold for the target only."""
    operator = system.operator
    asked = ", ".join(f"{one.name} ({one.kind})" for one in system.questions) or "none"
    lines = [f"{MARK} {__version__}: {operator.name} in {title}, {system.scope}.", f"From {operator.file}."]
    if operator.source is not None:
        lines.append(f"The operator: {' at '.join(part for part in operator.source if part)}.")
    lines += ["", f"Questions: {asked}.", "", "To run it:", *(f"  {line}" for line in run), ""]
    for note in (*_notes(system), *notes):
        lines += textwrap.wrap(note, WIDTH)
    return lines


def _notes(system: System) -> Iterator[str]:
    """What a reader of any export has to know."""
    faults = ", ".join(sorted(system.operator.faults)) or "none"
    yield (
        "Disturbances and faults are possible until the step `calm` is taken, which is fair: they happen finitely "
        f"often. Faults on: {faults}. Each action says in its guard also that it changes something."
    )
    if system.bound is not None:
        yield (
            f"BOUNDED: numbers that the model leaves without bounds stay within {system.bound} here, and steps that "
            f"would take them further are not possible. A verdict is one under this bound."
        )
    if any(isinstance(variable.type, OpaqueType) for variable in system.variables):
        yield (
            f"There are {system.opaque_values} opaque values besides `none`, which is 0 where they are numbers. That "
            f"is no bound: values are only compared and copied, and a step always finds one that is new."
        )
