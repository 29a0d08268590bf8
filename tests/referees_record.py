"""What other model checkers said about exports, as text: for the terminal, and as the page `spec/referees.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

AGREED, DISAGREED, WRONG = "agreed", "disagreed", "agreed: a value leaves its range (RC310)"
TOO_LARGE, LATE, UNFIT = "skipped: too many states", "out of time", "cannot be written"
"""What can become of a model in a scope."""
OUTCOMES = (AGREED, WRONG, DISAGREED, TOO_LARGE, LATE, UNFIT)
TITLES = {"spin": "Spin", "nusmv": "NuSMV", "tlc": "TLC"}


@dataclass(frozen=True)
class Entry:
    """What a peer said about a model in a scope."""

    case: str
    """The path of a model, or `seed 17`."""
    scope: str
    peer: str
    outcome: str
    states: int | None = None
    """Reachable states up to renaming of opaque values, if they were all listed."""
    by: str = "interpreter"
    """Who listed them."""
    holds: dict[str, bool] = field(default_factory=dict)
    """The true answer to each goal."""
    bound: int | None = None
    """What numbers without bounds were kept within, where there are any."""
    seconds: float = 0.0
    text: str = ""

    @property
    def is_random(self) -> bool:
        """Whether it is about a random model."""
        return self.case.startswith("seed ")


def counts(entries: Iterable[Entry]) -> str:
    """How often each outcome came."""
    found = Counter(entry.outcome for entry in entries)
    return ", ".join(f"{outcome} {found[outcome]:,}" for outcome in OUTCOMES if found[outcome]) or "nothing"


def summary(entries: Sequence[Entry]) -> str:
    """The figures in a few lines."""
    lines: list[str] = []
    for peer in dict.fromkeys(entry.peer for entry in entries):
        for is_random, what in ((False, "models"), (True, "random models")):
            some = [entry for entry in entries if entry.peer == peer and entry.is_random == is_random]
            if some:
                goals = sum(len(entry.holds) for entry in some if entry.outcome == AGREED)
                states = sum(entry.states or 0 for entry in some if entry.outcome == AGREED)
                spent = sum(entry.seconds for entry in some)
                lines.append(
                    f"{TITLES[peer]}, {what} in a scope: {counts(some)}; {goals:,} goals, {states:,} states, "
                    f"{spent:,.0f} s in the peer"
                )
    return "\n".join(lines)


def page(entries: Sequence[Entry]) -> str:
    """The page that records all of it."""
    peers = list(dict.fromkeys(entry.peer for entry in entries))
    shipped = [entry for entry in entries if not entry.is_random]
    parts = [INTRODUCTION, *_campaign(entries, peers)]
    if shipped:
        parts += ["\n## Models that come along\n", *_models(shipped, peers)]
    return "\n".join(parts) + "\n"


INTRODUCTION = """# Referees

Written by `python tests/referees.py --log FILE --record spec/referees.md`; do not edit.

Models are [exported](export.md) to other model checkers, which judge them. The reference interpreter lists all states
of a model in a scope, and decides the goals by [what a model means](semantics.md#verdicts) alone
([`tests/reference.py`](../tests/reference.py)). A peer gets the export, and must find as many reachable states and give
the same answer to every question ([`tests/referees.py`](../tests/referees.py)); else it disagrees. Numbers without
bounds are kept within the same bound on both sides.
"""


def _campaign(entries: Sequence[Entry], peers: Sequence[str]) -> Iterable[str]:
    yield "| peer | what | in a scope | goals | states | **disagreements** |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for peer in peers:
        for is_random in (False, True):
            some = [entry for entry in entries if entry.peer == peer and entry.is_random == is_random]
            if not some:
                continue
            agreed = [entry for entry in some if entry.outcome == AGREED]
            goals = sum(len(entry.holds) for entry in agreed)
            states = sum(entry.states or 0 for entry in agreed)
            against = sum(entry.outcome == DISAGREED for entry in some)
            yield f"| {TITLES[peer]} | {_what(some)} | {counts(some)} | {goals:,} | {states:,} | **{against}** |"


def _what(entries: Sequence[Entry]) -> str:
    if not entries[0].is_random:
        return f"{len({entry.case for entry in entries})} models"
    seeds = sorted(int(entry.case.split()[1]) for entry in entries)
    return f"{len(set(seeds)):,} random models, seeds {seeds[0]:,} to {seeds[-1]:,}"


def _models(entries: Sequence[Entry], peers: Sequence[str]) -> Iterable[str]:
    yield "Seconds are those of the peer, all questions together; Spin's are mostly those of the C compiler."
    yield "Where the states are in brackets, the compiled system listed them, for speed."
    yield ""
    yield f"| model | scope | states | goals | {' | '.join(TITLES[peer] for peer in peers)} |"
    yield f"| --- | --- | --- | --- |{' --- |' * len(peers)}"
    said = {(entry.case, entry.scope, entry.peer): entry for entry in entries}
    for case, scope in sorted({(entry.case, entry.scope) for entry in entries}):
        row = [said.get((case, scope, peer)) for peer in peers]
        first = next(entry for entry in row if entry is not None)
        goals = ", ".join(f"{goal} {'yes' if holds else 'no'}" for goal, holds in sorted(first.holds.items()))
        cells = ["-" if entry is None else f"{entry.outcome}, {entry.seconds:.1f} s" for entry in row]
        yield f"| {case.removeprefix('models/')} | {scope} | {_states(first)} | {goals} | {' | '.join(cells)} |"


def _states(entry: Entry) -> str:
    if entry.states is None:
        return "-"
    return f"{entry.states:,}" if entry.by == "interpreter" else f"({entry.states:,})"
