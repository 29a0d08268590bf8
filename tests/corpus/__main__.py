"""`python -m tests.corpus`: brings models/results.json up to date, and writes the page and the plot anew."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import click

from reconcheck.cli.files import replace_file
from reconcheck.diagnostic import InternalError, ModelError

from .diagnosing import LIMIT, MODELS, diagnosed, digest, names, read
from .page import page
from .plot import plot
from .results import ModelResult, written
from .results import read as read_results
from .totals import totals_of

RESULTS, PAGE, PLOT = MODELS / "results.json", MODELS / "README.md", MODELS / "why.svg"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="All models, also those that have not changed.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="How many at a time.")
@click.option("--limit", type=click.FloatRange(min=1), default=LIMIT, show_default=True, help="Seconds a diagnosis.")
def main(models: tuple[str, ...], everything: bool, jobs: int, limit: float) -> None:
    """Diagnose the models that have changed, and MODELs such as grafana/dashboard-drift; write the page and the plot.

    What is done is kept when it is interrupted, and the next run without --all goes on from there.  The exit code is
    1 if a model could not be diagnosed.
    """
    known = names()
    if unknown := set(models) - set(known):
        raise click.UsageError(f"there is no model {', '.join(sorted(unknown))}")
    before = {} if everything else read_results(RESULTS)
    kept = {name: result for name, result in before.items() if name in known}
    open_ = [name for name in known if name in models or not current(kept.get(name), name)]
    failed = False
    for number, (name, done) in enumerate(_in_turn(open_, partial(diagnosed, limit=limit), jobs), 1):
        try:
            kept[name] = done.result()
        except (ModelError, InternalError) as error:
            failed = True
            kept.pop(name, None)
            click.echo(f"{number} of {len(open_)}: {name}: {error}", err=True)
            continue
        replace_file(RESULTS, written(kept.values()).encode())
        given_up = kept[name].given_up_after
        click.echo(f"{number} of {len(open_)}: {name}{f', given up after {given_up:g} s' if given_up else ''}")
    for file, text in rendered(kept.values()).items():
        replace_file(file, text.encode())
    sys.exit(1 if failed else 0)


def rendered(results: Collection[ModelResult]) -> dict[Path, str]:
    """The texts of the three files."""
    return {
        RESULTS: written(results),
        PAGE: page(results),
        PLOT: plot(totals_of(results).causes),
    }


def current(result: ModelResult | None, name: str) -> bool:
    """Whether a result is about the model as it is now; nothing is about one that cannot be read."""
    try:
        return result is not None and result.digest == digest(read(name))
    except ModelError:
        return False


def _in_turn(
    models: Iterable[str], work: Callable[[str], ModelResult], jobs: int
) -> Iterator[tuple[str, Future[ModelResult]]]:
    """The results as they come, from processes of their own: no model leaves anything behind for another."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh, max_tasks_per_child=1) as workers:
        begun = {workers.submit(work, name): name for name in models}
        try:
            for done in as_completed(begun):
                yield begun[done], done
        except GeneratorExit:
            workers.shutdown(wait=False, cancel_futures=True)
            raise


if __name__ == "__main__":
    main()
