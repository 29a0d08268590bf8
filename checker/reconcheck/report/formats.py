"""The formats of a run's output by name, each with the endings of files that stand for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconcheck.explain.run import Run

ENDINGS = {
    "text": (".txt", ".text", ".log"),
    "json": (".json",),
    "sarif": (".sarif", ".sarif.json"),
    "junit": (".xml",),
    "markdown": (".md", ".markdown"),
}
"""Every format with its endings; where two fit, the longer one counts."""


def format_of(file: str) -> str | None:
    """The format that the ending of a file's name stands for."""
    fitting = [(len(end), name) for name, ends in ENDINGS.items() for end in ends if file.lower().endswith(end)]
    return max(fitting)[1] if fitting else None


def renderer(name: str, verbose: bool) -> Callable[[Run], str]:
    """What makes a format of a run; `verbose` is for text: whole reports also when there are several models."""
    match name:
        case "text":
            from reconcheck.render.run import render_run

            return lambda run: render_run(run, verbose)
        case "json":
            from reconcheck.report.document import rendered

            return rendered
        case "sarif":
            from reconcheck.report.sarif import sarif

            return sarif
        case "junit":
            from reconcheck.report.junit import junit

            return junit
        case "markdown":
            from reconcheck.render.markdown import markdown

            return markdown
        case _:
            raise ValueError(name)
