"""Writing a repair into a file, and never over another one by accident."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.files import replace_text, unwritable
from reconcheck.cli.progress import Progress
from reconcheck.diagnostic import InternalError, ModelError

if TYPE_CHECKING:
    from reconcheck.explain.diagnosis import Diagnosis
    from reconcheck.explain.verdict import Report

F = TypeVar("F", bound=Callable[..., Any])


class Target(Struct, frozen=True):
    """Which repair to write, from 1, and where."""

    number: int
    output: str | None
    in_place: bool
    force: bool
    elsewhere: str = "choose another file with `--output`"
    """How to write another file."""

    def path(self, model: Path) -> Path:
        """The file to write.  Raises `ModelError`: RC108 where it cannot be, RC107 where it may not be replaced."""
        if self.in_place and self.output is not None:
            raise wrong_value("`--in-place` and `--output` at once", "keep one of the two")
        if self.in_place:
            return self._writable(model)
        path = Path(self.output) if self.output is not None else model.with_suffix(f".fixed{model.suffix}")
        if self._writable(path).exists() and not self.force:
            raise wrong_value(f"{path} is there already", f"{self.elsewhere}, or add `--force`")
        return path

    def _writable(self, path: Path) -> Path:
        problem = unwritable(path)
        if problem is not None:
            raise ModelError([problem])
        return path


def target_options(function: F) -> F:
    """`--output`, `--in-place` and `--force`."""
    return click.option("--output", "-o", metavar="FILE", help="Write the repaired model there.")(
        overwrite_options(function)
    )


def overwrite_options(function: F) -> F:
    """`--in-place` and `--force`."""
    in_place = click.option("--in-place", is_flag=True, help="Write the repaired model over MODEL.")
    force = click.option("--force", is_flag=True, help="Replace the file if it is there already.")
    return in_place(force(function))


class FixCommand(click.Command):
    """A command whose `--fix` may stand alone, or with a number: `--fix=2`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with the number that `--fix` alone stands for."""
        return super().parse_args(ctx, ["--fix=1" if argument == "--fix" else argument for argument in args])


def looked_for(
    report: Report, seconds: float | None, most_edits: int | None = None, all_that_time: bool = False
) -> Diagnosis:
    """The repairs of a model that was verified, in what is left of its time; without limit, in that of a diagnosis.

    With `all_that_time`, the search goes on for as long as a limit that was given, however much work it is.
    """
    from reconcheck.explain.diagnose import default_limit
    from reconcheck.explain.diagnosis import MOST_EDITS, Diagnosis
    from reconcheck.explain.repair_search import MOST_WORK
    from reconcheck.explain.repairs import repairs, unrepaired
    from reconcheck.model.operator import Loaded

    answers = list(dict.fromkeys([*report.answers, *(checked.answer for checked in report.expectations)]))
    left = default_limit(report) if seconds is None else max(0.1, seconds - report.seconds)
    with Progress(report.operator.file) as progress:
        found, undecided = repairs(
            Loaded(report.operator, ()),
            answers,
            left,
            progress,
            most_edits or MOST_EDITS,
            None if all_that_time and seconds is not None else MOST_WORK,
        )
    return Diagnosis(repairs=found, undecided=undecided, unrepaired=unrepaired(report.answers, found))


def write_repair(report: Report, found: Diagnosis, target: Target, seconds: float | None) -> str:
    """Writes a repair of a verified model; what was done, in a sentence.

    The text is read and verified again before it is written.  Raises `ModelError` (RC107), and `InternalError`
    where that says something else than the repair.
    """
    from reconcheck.explain.repairs import objections, repaired_text

    operator = report.operator
    if not found.repairs:
        return "nothing was written: there is no repair"
    if target.number > len(found.repairs):
        raise wrong_value(f"there is no repair {target.number}", f"there are {len(found.repairs)}")
    repair = found.repairs[target.number - 1]
    if not repair.edits:
        return f"nothing was written: repair {target.number} leaves the model as it is ({repair.title})"
    path = target.path(Path(operator.file))
    with Progress(str(path)) as progress:
        against = objections(operator, repair, report.scope, path, seconds, progress)
    if any(" is unknown " in one for one in against):
        return f"nothing was written, as it could not be verified again: {'; '.join(against)}"
    if against:
        raise InternalError("RC904", f"repair {target.number} does not do what it says: {'; '.join(against)}")
    replace_text(path, repaired_text(operator, repair))
    notes = "".join(f"\nnote: {note}" for note in repair.notes)
    return f"wrote {path}: {repair.title}; read again and verified{notes}"
