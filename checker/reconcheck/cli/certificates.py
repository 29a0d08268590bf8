"""Writes certificates of what `reconcheck verify` proved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.files import replace_text
from reconcheck.cli.progress import Progress
from reconcheck.cli.request import failure
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.explain.verdict import Report


class Certificates:
    """A folder for certificates, made before anything is proved.  Raises `ModelError` (RC107)."""

    def __init__(self, folder: str, models: list[Path]) -> None:
        from reconcheck.certify.certificates import labels

        if not folder:
            raise wrong_value("`--certificate` names no folder", "write `--certificate .` for this one")
        self.folder = Path(folder)
        self.labels = labels([str(model) for model in models])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot make the folder {folder}: {error.strerror}"
            raise wrong_value(message, "give another folder") from error

    def written(self, report: Report) -> Report | Failure:
        """The report, once there are two files for everything that was proved in it; or why there are not."""
        try:
            self._write(report)
        except Exception as error:  # the other models still get their answers
            return failure(error)
        return report

    def _write(self, report: Report) -> None:
        from reconcheck.certify.certificates import issue

        operator = report.operator
        answers = [*report.answers, *(checked.answer for checked in report.expectations)]
        proved = {(answer.goal.name, answer.scope): answer for answer in answers if answer.certificate is not None}
        for answer in proved.values():
            assert answer.certificate is not None
            label = self.labels[operator.file]
            with Progress(operator.file) as progress:
                issued = issue(operator, answer.goal, answer.scope, answer.certificate, label, progress)
            replace_text(self.folder / f"{issued.name}.smt2", issued.obligations)
            replace_text(self.folder / f"{issued.name}.json", issued.proof)
            click.echo(f"wrote {self.folder / issued.name}.json and .smt2: {issued.count:,} obligations", err=True)
        if not proved:
            click.echo(f"{operator.file}: nothing was proved, so no certificate was written", err=True)
