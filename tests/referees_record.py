"""What other model checkers said about exports, as text: for the terminal, and as pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from referees_log import AGREED, DISAGREED, OUTCOMES, TITLES, Campaign, Entry, Log, campaign

COMMAND = "python tests/referees.py --record"
HEADING = "## Other model checkers"
"""Begins the part of the page about agreement that is about them, which is its last."""
EARLIER = "¹"


def counts(found: Mapping[str, int]) -> str:
    """How often each outcome came."""
    return ", ".join(f"{outcome} {found[outcome]:,}" for outcome in OUTCOMES if found.get(outcome)) or "nothing"


def summary(entries: Sequence[Entry]) -> str:
    """The figures in a few lines."""
    lines: list[str] = []
    for peer in dict.fromkeys(entry.peer for entry in entries):
        for are_random, what in ((False, "models"), (True, "random models")):
            some = [entry for entry in entries if entry.peer == peer and (entry.seed is not None) == are_random]
            if some:
                agreed = [entry for entry in some if entry.outcome == AGREED]
                lines.append(
                    f"{TITLES[peer]}, {what} in a scope: {counts(Counter(entry.outcome for entry in some))}; "
                    f"{sum(len(entry.holds) for entry in agreed):,} goals, "
                    f"{sum(entry.states or 0 for entry in agreed):,} states, "
                    f"{sum(entry.seconds for entry in some):,.0f} s in the peer"
                )
    return "\n".join(lines)


def page(log: Log) -> str:
    """The page that records all of it."""
    peers = _peers(log)
    parts = [INTRODUCTION, *table(log), *_earlier(log), "", *_runs(log)]
    models = [entry for entry in log.entries if entry.seed is None]
    if models:
        parts += ["\n## Models that come along\n", *_models(models, peers)]
    return "\n".join(parts) + "\n"


def with_summary(text: str, log: Log) -> str:
    """The page about agreement, with the figures of the peers as its last part."""
    before, _, _ = text.partition(HEADING)
    return f"{before.rstrip()}\n\n{HEADING}\n\n{SUMMARY}\n" + "\n".join([*table(log), *_earlier(log)]) + "\n"


def summary_of(text: str) -> str:
    """That part of the page about agreement, for who writes the rest of it anew."""
    _, heading, after = text.partition(HEADING)
    return f"\n{heading}{after}" if heading else ""


INTRODUCTION = f"""# Referees

Written by `{COMMAND}`; do not edit.

Models are [exported](export.md) to other model checkers, which judge them. The reference interpreter lists all states
of a model in a scope, and decides the goals by [what a model means](semantics.md#verdicts) alone
([`tests/reference.py`](../tests/reference.py)). A peer gets the export, and must find as many reachable states and give
the same answer to every question ([`tests/referees.py`](../tests/referees.py)); else it disagrees. Numbers without
bounds are kept within the same bound on both sides.
"""
SUMMARY = """Models are exported to other model checkers as well. Each must find as many states as the
reference interpreter, and give the same answers. What it said about which model, how long that took, and on what
machine, is in [referees.md](referees.md); this is the sum of it:
"""


def _peers(log: Log) -> list[str]:
    known = {entry.peer for entry in log.entries} | {one.peer for one in log.campaigns}
    return [peer for peer in TITLES if peer in known]


def table(log: Log) -> Iterator[str]:
    """The figures, by peer."""
    yield "| peer | what | in a scope | goals | states | when | **disagreements** |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for peer in _peers(log):
        models = [entry for entry in log.entries if entry.peer == peer and entry.seed is None]
        if models:
            cases = _number(len({entry.case for entry in models}), "model")
            if any(entry.earlier for entry in models):
                cases += f", {len({entry.case for entry in models if entry.earlier})} of them{EARLIER}"
            days = sorted({entry.on for entry in models})
            agreed = [entry for entry in models if entry.outcome == AGREED]
            goals = sum(len(entry.holds) for entry in agreed)
            states = sum(entry.states or 0 for entry in agreed)
            yield _row(peer, cases, Counter(entry.outcome for entry in models), goals, states, days)
        for one in log.campaigns:
            if one.peer == peer:
                yield _campaign(one)
        odd = [entry for entry in log.entries if entry.peer == peer and entry.seed is not None]
        if odd:
            yield _campaign(campaign(peer, odd))


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _campaign(one: Campaign) -> str:
    asked = sum(one.outcomes.values())
    what = f"{_number(asked, 'random model')}, seeds {one.first:,} to {one.last:,}{EARLIER if one.earlier else ''}"
    return _row(one.peer, what, one.outcomes, one.goals, one.states, [one.on])


def _row(peer: str, what: str, found: Mapping[str, int], goals: int, states: int, days: Sequence[str]) -> str:
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    against = found.get(DISAGREED, 0)
    return f"| {TITLES[peer]} | {what} | {counts(found)} | {goals:,} | {states:,} | {when} | **{against}** |"


def _earlier(log: Log) -> Iterator[str]:
    """What the mark means, where it is used."""
    if any(one.earlier for one in log.entries) or any(one.earlier for one in log.campaigns):
        yield ""
        yield f"{EARLIER} is what was said of earlier exports: the model, or what makes random models, has changed"
        yield "since, and the peer was not at hand to be asked again."


def _runs(log: Log) -> Iterator[str]:
    """When it was asked, and with what."""
    if not log.runs:
        return
    yield "Seconds of a run are those of everything: reading and exporting the models, listing them with the reference"
    yield "interpreter, and the peers; first by the clock, which also tells what else the machine did, then of the"
    yield "processors."
    yield ""
    yield "| when | what | processes | time | processors | with |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for run in log.runs:
        tools = ", ".join(f"{name} {value}" if name else value for name, value in run.tools.items())
        asked = f"{', '.join(TITLES[peer] for peer in run.peers)}: {run.what}"
        yield f"| {run.on} | {asked} | {run.jobs} | {run.wall:,.0f} s | {run.processors:,.0f} s | {tools} |"


def _models(entries: Sequence[Entry], peers: Sequence[str]) -> Iterable[str]:
    yield "Seconds are those of the peer, all questions together, by the clock on a machine that does other things too."
    if any(entry.by != "interpreter" for entry in entries):
        yield "Where the states are in brackets, the compiled system listed them, for memory."
    yield ""
    yield f"| model | scope | states | goals | {' | '.join(TITLES[peer] for peer in peers)} |"
    yield f"| --- | --- | --- | --- |{' --- |' * len(peers)}"
    said = {entry.key: entry for entry in entries}
    for case, scope in sorted({(entry.case, entry.scope) for entry in entries}):
        row = [said.get((case, scope, peer)) for peer in peers]
        there = [entry for entry in row if entry is not None]
        first = next((entry for entry in there if not entry.earlier), there[0])
        goals = ", ".join(f"{goal} {'yes' if holds else 'no'}" for goal, holds in sorted(first.holds.items()))
        cells = ["-" if entry is None else _cell(entry) for entry in row]
        yield f"| {case.removeprefix('models/')} | {scope} | {_states(first)} | {goals} | {' | '.join(cells)} |"


def _cell(entry: Entry) -> str:
    return f"{entry.outcome}, {entry.seconds:.{1 if entry.seconds >= 1 else 2}f} s{EARLIER if entry.earlier else ''}"


def _states(entry: Entry) -> str:
    if entry.states is None:
        return "-"
    return f"{entry.states:,}" if entry.by == "interpreter" else f"({entry.states:,})"
