"""Verifies what is not remembered, and remembers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from reconcheck.cache.results import Results
from reconcheck.cli.request import Request
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.cli.jobs import Crew
    from reconcheck.explain.verdict import Report

Outcomes = Iterator["Report | Failure"]
Found = tuple[Outcomes, "Crew | None"]
"""What comes of models, and who finds it if that is not this process."""


@contextmanager
def remembering(
    files: list[Path],
    request: Request,
    results: Results,
    verified: Callable[[list[Path]], AbstractContextManager[Found]],
) -> Iterator[Found]:
    """What comes of each model, in order; `verified` is asked for those that are not remembered."""
    lookups = [results.find(file, request.options) for file in files]
    missing = [file for file, lookup in zip(files, lookups, strict=True) if lookup.report is None]
    nothing: Found = iter(()), None
    with verified(missing) if missing else nullcontext(nothing) as (found, crew):

        def outcomes() -> Outcomes:
            for lookup in lookups:
                outcome = next(found) if lookup.report is None else lookup.report
                if lookup.report is None and not isinstance(outcome, Failure):
                    results.keep(lookup, outcome)
                yield outcome

        yield outcomes(), crew
