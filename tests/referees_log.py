"""What other model checkers said about exports, as it is kept in a file: a line of JSON for each thing.

An `Entry` is about one model in one scope, a `Campaign` about many random models, a `Run` about when, how long and
with what was asked.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AGREED, DISAGREED, WRONG = "agreed", "disagreed", "agreed: a value leaves its range (RC310)"
TOO_LARGE, LATE, UNFIT = "skipped: too many states", "out of time", "cannot be written"
"""What can become of a model in a scope."""
OUTCOMES = (AGREED, WRONG, DISAGREED, TOO_LARGE, LATE, UNFIT)
TITLES = {"spin": "Spin", "nusmv": "NuSMV", "tlc": "TLC"}
COMMENT = re.compile(r"/\*.*?\*/|(--|\\\*).*?$", re.DOTALL | re.MULTILINE)
"""Comments of Promela, SMV and TLA+."""


def mark(files: Mapping[str, str]) -> str:
    """A short text that is another one if an export is another one, comments and lines aside."""
    words = (word for name, text in files.items() for word in (name, *COMMENT.sub("", text).split()))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


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
    export: str = ""
    """The mark of the export that was judged."""
    on: str = ""
    """The day."""
    earlier: bool = False
    """Whether the export of the model is another one by now."""

    @property
    def seed(self) -> int | None:
        """The number of a random model."""
        return int(self.case.removeprefix("seed ")) if self.case.startswith("seed ") else None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about, and whom."""
        return (self.case, self.scope, self.peer)


@dataclass(frozen=True)
class Campaign:
    """What a peer said about random models, all together."""

    peer: str
    first: int
    last: int
    """The seeds."""
    outcomes: dict[str, int]
    goals: int
    states: int
    seconds: float
    on: str
    earlier: bool = False
    """Whether the models of these seeds are others by now."""


@dataclass(frozen=True)
class Run:
    """When it was asked, of what, with what, and how long that took."""

    on: str
    peers: tuple[str, ...]
    what: str
    wall: float
    """Seconds from the beginning to the end, and those of all processors."""
    processors: float
    jobs: int
    tools: dict[str, str]
    """The machine, and the versions of the programs."""


@dataclass
class Log:
    """All that is known."""

    entries: list[Entry] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Puts an entry in the place of an earlier one about the same."""
        self.entries = [one for one in self.entries if one.key != entry.key] + [entry]

    def gathered(self) -> Log:
        """The same, with the random models on which there is nothing to be said put together by peer."""
        seeds = [one for one in self.entries if one.seed is not None and one.outcome in (AGREED, WRONG, TOO_LARGE)]
        found = {one.peer: one for one in self.campaigns}
        for peer in dict.fromkeys(one.peer for one in seeds):
            found[peer] = campaign(peer, [one for one in seeds if one.peer == peer])
        return Log([one for one in self.entries if one not in seeds], [*found.values()], self.runs)


def campaign(peer: str, entries: Sequence[Entry]) -> Campaign:
    """What a peer said about some random models."""
    seeds = [entry.seed for entry in entries if entry.seed is not None]
    agreed = [entry for entry in entries if entry.outcome == AGREED]
    return Campaign(
        peer,
        min(seeds),
        max(seeds),
        dict(Counter(entry.outcome for entry in entries)),
        sum(len(entry.holds) for entry in agreed),
        sum(entry.states or 0 for entry in agreed),
        round(sum(entry.seconds for entry in entries), 1),
        max(entry.on for entry in entries),
    )


# ---- the file ----------------------------------------------------------------------------------------------------

KINDS = {"entry": Entry, "campaign": Campaign, "run": Run}


def line(one: Entry | Campaign | Run) -> str:
    """A thing as a line, without what is as it is mostly."""
    values = dataclasses.asdict(one)
    for known in dataclasses.fields(one):
        usual = known.default_factory() if callable(known.default_factory) else known.default
        if values[known.name] == usual:
            del values[known.name]
    (kind,) = (name for name, class_ in KINDS.items() if isinstance(one, class_))
    return json.dumps({kind: values}) + "\n"


def read(path: Path) -> Log:
    """What a file holds; of entries about the same the last one.  A file that is not there holds nothing."""
    log, entries = Log(), dict[tuple[str, str, str], Entry]()
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        ((kind, values),) = json.loads(text).items()
        one = _thing(kind, values)
        if isinstance(one, Entry):
            entries[one.key] = one
        elif isinstance(one, Campaign):
            log.campaigns.append(one)
        else:
            log.runs.append(one)
    log.entries = list(entries.values())
    return log


def _thing(kind: str, values: dict[str, Any]) -> Entry | Campaign | Run:
    if kind == "run":
        return Run(**{**values, "peers": tuple(values["peers"])})
    return Entry(**values) if kind == "entry" else Campaign(**values)


def write(log: Log, path: Path) -> None:
    """Writes a file anew, in an order that does not depend on which answer came first."""
    entries = sorted(log.entries, key=lambda entry: (entry.seed or 0, entry.key))
    campaigns = sorted(log.campaigns, key=lambda one: one.peer)
    things: Iterable[Entry | Campaign | Run] = (*log.runs, *campaigns, *entries)
    path.write_text("".join(map(line, things)), encoding="utf-8")
