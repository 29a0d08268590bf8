"""`python -m tests.bench`: measures, records and reports."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from . import comparison, families
from .corpus import corpus
from .known import diagnosed, known
from .machine import FLOOR_RUNS, compile_sources, own_versions
from .measure import Clock, Limit
from .peers import TLC, NuSMV, Peer, Spin
from .record import CORPUS, DIAGNOSIS, FAMILY, KNOWN, PEER
from .session import Session

HERE = Path(__file__).resolve().parent
PARTS = ("known", "corpus", "diagnosis", "families", "peers")
FAMILIES = tuple(dict.fromkeys(family.name for family in families.FAMILIES))
CHECKERS = ("Spin", "NuSMV", "TLC", comparison.RECONCHECK)
CLOCK_HELP = "What seconds are; `processor` is for a machine that is busy with other things."


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Only this part; may be given several times.")
@click.option("--family", "family_names", type=click.Choice(FAMILIES), multiple=True, help="Only this family.")
@click.option("--data", type=click.Choice(["bounded", "unbounded"]), help="Only families with such data.")
@click.option("--peer", "peer_names", type=click.Choice(CHECKERS), multiple=True, help="Only this checker.")
@click.option("--limit", type=click.FloatRange(min=1), default=120, show_default=True, help="Seconds a run may take.")
@click.option("--memory", type=click.FloatRange(min=0.5), default=8, show_default=True, help="Gigabytes it may use.")
@click.option("--clock", type=click.Choice(["wall", "processor"]), default="wall", show_default=True, help=CLOCK_HELP)
@click.option("--nusmv", default="NuSMV", show_default=True, metavar="PROGRAM", help="Where NuSMV is.")
@click.option("--tlc-jar", type=click.Path(path_type=Path), help="Where `tla2tools.jar` is; without it no TLC.")
@click.option("--quick", is_flag=True, help="N = 1, 2 and few models: whether the benchmark works. Needs --output.")
@click.option("--report-only", is_flag=True, help="Measure nothing; write results.md anew.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="The folder for the results.")
def main(
    only: tuple[str, ...],
    family_names: tuple[str, ...],
    data: str | None,
    peer_names: tuple[str, ...],
    limit: float,
    memory: float,
    clock: Clock,
    nusmv: str,
    tlc_jar: Path | None,
    quick: bool,
    report_only: bool,
    output: Path | None,
) -> None:
    """Measure how far reconcheck gets, and how fast; record it in results.json and results.md.

    What is not measured this time keeps what was recorded before.  The exit code is 1 if an answer is wrong.
    """
    if quick and output is None:
        raise click.UsageError("--quick measures nothing worth recording: give it an --output of its own")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else what is being measured would go on running
    allowed = Limit(limit, clock, memory)
    session = Session(output or HERE, allowed, floor_runs=1 if quick else FLOOR_RUNS)
    asked = [*only]
    if not asked:
        asked += ["families"] if family_names or data else []
        asked += ["peers"] if peer_names else []
    parts = [] if report_only else asked or PARTS
    if parts:
        compile_sources()
    if "known" in parts:
        session.measure(KNOWN, "models", own_versions(), known(allowed, quick))
    if "corpus" in parts:
        session.measure(CORPUS, "models", own_versions(), corpus(allowed, quick))
    if "diagnosis" in parts:
        session.measure(DIAGNOSIS, "diagnosis", own_versions(), diagnosed(allowed, quick))
    if "families" in parts:
        for family in families.FAMILIES:
            if family_names and family.name not in family_names:
                continue
            if data is None or family.unbounded == (data == "unbounded"):
                sizes = families.QUICK_SIZES if quick else family.sizes
                session.measure(FAMILY, family.title, own_versions(), families.grow(family, sizes, allowed))
    if "peers" in parts:
        sizes = comparison.QUICK_SIZES if quick else comparison.SIZES
        peers: list[Peer] = [Spin(), NuSMV(nusmv), TLC(tlc_jar.resolve() if tlc_jar else None)]
        for peer in peers:
            if not peer_names or peer.name in peer_names:
                session.compare(peer, sizes)
        if not peer_names or comparison.RECONCHECK in peer_names:
            rows = comparison.compare_reconcheck(sizes, allowed)
            session.measure(PEER, comparison.RECONCHECK, own_versions(), rows)
    session.write()
    sys.exit(session.finish())


if __name__ == "__main__":
    main()
