"""One run of the benchmark: measures sections, records each as soon as it is there, and tells how it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from . import comparison, record, report
from .machine import FLOOR_RUNS, floor, machine
from .measure import Limit
from .peers import Peer
from .record import Section
from .verification import Row


class Session:
    """Sections are read from a folder and written to it: results.json and results.md."""

    def __init__(self, folder: Path, limit: Limit, floor_runs: int = FLOOR_RUNS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.limit = limit
        self.floor_runs = floor_runs
        self.sections = record.load(folder / "results.json")
        self.missing: list[str] = []
        self.wrong = 0

    def measure(self, kind: str, name: str, versions: Mapping[str, str], rows: Iterable[Row]) -> None:
        """Measures one section, in place of what was recorded of it."""
        seconds = floor(self.limit.clock, self.floor_runs)
        click.echo(f"{name}: the floor is {seconds:.3f} s")
        found: list[Row] = []
        for row in rows:
            found.append(row)
            self.wrong += row["outcome"] == "wrong"
            words = [str(row[key]) for key in ("model", "run", "question", "variant", "size") if key in row]
            ratio = f"{row['seconds'] / seconds:.1f} x floor, {row['megabytes']:.0f} MB"
            click.echo(f"  {', '.join(words)}: {row['outcome']}, {row['seconds']:.2f} s, {ratio}")
        section = Section(kind, name, machine(versions), self.limit.seconds, self.limit.clock, seconds, found)
        self.sections = record.replaced(self.sections, section)
        self.write()

    def compare(self, peer: Peer, sizes: Iterable[int]) -> None:
        """Measures another checker, or notes that it is not here and how to get it."""
        how = peer.missing()
        if how is None:
            self.measure(record.PEER, peer.name, peer.versions(), comparison.compare(peer, sizes, self.limit))
        else:
            self.missing.append(f"{peer.name} is not here: {how}")
            click.echo(self.missing[-1])

    def write(self) -> None:
        """Writes what is there."""
        record.save(self.folder / "results.json", self.sections)
        (self.folder / "results.md").write_text(report.page(self.sections), encoding="utf-8")

    def finish(self) -> int:
        """Says what was written, what is missing and what is wrong; gives the exit code."""
        click.echo(f"written: {self.folder / 'results.md'}, {self.folder / 'results.json'}")
        for line in self.missing:
            click.echo(f"{line}; what was recorded of it before is kept")
        if self.wrong:
            click.echo(f"{self.wrong} runs gave a wrong answer", err=True)
        return 1 if self.wrong else 0
