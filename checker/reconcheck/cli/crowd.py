"""Verifies models in this process, or in several others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconcheck.cli.request import Request
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.cli.jobs import Crew
    from reconcheck.explain.verdict import Report


@contextmanager
def outcomes_of(
    files: list[Path], request: Request, jobs: int, stay: bool = True
) -> Iterator[tuple[Iterator[Report | Failure], Crew | None]]:
    """What comes of each model, in order: found in this process, or by a crew of so many others, which may stay."""
    if jobs == 1:
        yield (request.verify(file) for file in files), None
        return
    from reconcheck.cli.reading import begin_reading  # not needed for what is remembered

    reader = begin_reading(files, request)
    try:
        from reconcheck.cli.jobs import Crew  # takes as long as much of the reading

        with Crew(files, request, jobs, stay, reader) as crew:
            yield crew.outcomes(), crew
    finally:
        if reader is not None:
            reader.end()
