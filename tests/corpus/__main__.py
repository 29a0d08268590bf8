"""`python -m tests.corpus`: brings models/results.json up to date, and writes the page and the plot anew."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import click

from .diagnosing import LIMIT, MODELS, diagnosed, digest, names, read
from .results import ModelResult, written
from .results import read as read_results

RESULTS = MODELS / "results.json"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="All models, also those that have not changed.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="How many at a time.")
@click.option("--limit", type=click.FloatRange(min=1), default=LIMIT, show_default=True, help="Seconds a diagnosis.")
def main(models: tuple[str, ...], everything: bool, jobs: int, limit: float) -> None:
    """Diagnose the models that have changed, and MODELs such as grafana/dashboard-drift; write the page and the plot.

    What is done is kept, also when it is interrupted.  The exit code is 1 if a diagnosis did not come to its end.
    """
    known = names()
    if unknown := set(models) - set(known):
        raise click.UsageError(f"there is no model {', '.join(sorted(unknown))}")
    kept = {name: result for name, result in read_results(RESULTS).items() if name in known}
    open_ = [name for name in known if everything or name in models or not _current(kept.get(name), name)]
    for number, result in enumerate(_in_turn(open_, partial(diagnosed, limit=limit), jobs), 1):
        kept[result.model] = result
        RESULTS.write_text(written(kept.values()), encoding="utf-8")
        click.echo(f"{number} of {len(open_)}: {result.model}{'' if result.finished else ', not finished'}")
    RESULTS.write_text(written(kept.values()), encoding="utf-8")
    unfinished = [result.model for result in kept.values() if not result.finished]
    if unfinished:
        sys.exit(1)


def _current(result: ModelResult | None, name: str) -> bool:
    """Whether a result is about the model as it is now."""
    return result is not None and result.digest == digest(read(name))


def _in_turn(
    models: Iterable[str], work: Callable[[str], ModelResult], jobs: int
) -> Iterator[ModelResult]:
    """The results as they come, from processes of their own: no model leaves anything behind for another."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh, max_tasks_per_child=1) as workers:
        for done in as_completed([workers.submit(work, name) for name in models]):
            yield done.result()


if __name__ == "__main__":
    main()
