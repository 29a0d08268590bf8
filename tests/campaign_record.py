"""What a campaign found, as text: for the terminal, and as the page `spec/agreement.md`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

JUDGED, IN_PART, WRONG, TOO_LARGE = "judged", "judged in part", "wrong", "too large"
"""What can become of a model in a scope."""
CONTESTANTS = ("program", "proof", "search", "guided")
TITLES = {
    "program": "the program",
    "proof": "proofs on slices alone",
    "search": "bounded search alone",
    "guided": "guided search alone",
}
MEANING = {
    JUDGED: "all states listed",
    IN_PART: "not all listed: a number is chosen without bounds",
    WRONG: "a value leaves its range (RC310)",
    TOO_LARGE: "skipped: more states than are listed",
}


@dataclass
class Tally:
    """What came of some models: who said what how often, processor seconds by who spent them, the disagreements."""

    answers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By contestant, what is true, and what it said."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many models there were, what became of them in each scope, and how many traces were followed."""
    decided: Counter[str] = field(default_factory=Counter)
    """Models of which the judge knew all states in some scope (`JUDGED`), and on how many of them each contestant
    gave a verdict on at least one goal."""
    seconds: dict[str, float] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Takes the figures of other models in."""
        self.answers += other.answers
        self.counts += other.counts
        self.decided += other.decided
        for who, seconds in other.seconds.items():
            self.spent(who, seconds)
        self.disagreements += other.disagreements

    def spent(self, who: str, seconds: float) -> None:
        """Notes how long somebody took."""
        self.seconds[who] = self.seconds.get(who, 0.0) + seconds

    def listed(self) -> dict[str, Any]:
        """The figures as JSON can hold them."""
        answers = [[*key, count] for key, count in sorted(self.answers.items())]
        return {**asdict(self), "answers": answers, "counts": dict(self.counts), "decided": dict(self.decided)}

    @classmethod
    def of(cls, listed: Mapping[str, Any]) -> Tally:
        """The figures that `listed` gave."""
        answers = Counter({(who, truth, said): count for who, truth, said, count in listed["answers"]})
        counts, decided = Counter(listed["counts"]), Counter(listed["decided"])
        return cls(answers, counts, decided, dict(listed["seconds"]), list(listed["disagreements"]))


@dataclass(frozen=True)
class Run:
    """Which models were looked at, and how long that took."""

    first: int
    count: int
    """How many models were to be judged."""
    jobs: int
    states: int
    seconds: float = 0.0
    several: bool = False
    looked: int = 0
    """How many seeds were looked at, from the first one on."""

    @property
    def next(self) -> int:
        """The seed with which the run goes on."""
        return self.first + self.looked

    def __str__(self) -> str:
        kind = "models of several operators" if self.several else "models"
        return f"{self.looked:,} {kind}, seeds {self.first:,} to {self.next - 1:,}"


def save(path: Path, tally: Tally, run: Run) -> None:
    """Keeps the figures of a run in a file; one that is there is replaced as a whole, or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps({"run": asdict(run), "tally": tally.listed()}, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)


def resumed(path: Path | None, asked: Run) -> tuple[Tally, Run]:
    """The figures of a run that was interrupted, and the run from there on; nothing where there is no file.

    Raises `ValueError` where the file is about other models.
    """
    if path is None or not path.exists():
        return Tally(), asked
    content = json.loads(path.read_text(encoding="utf-8"))
    before = Run(**content["run"])
    same = (before.first, before.states, before.several) == (asked.first, asked.states, asked.several)
    if not same:
        raise ValueError(f"{path} holds another run: {before}, of at most {before.states} states")
    run = replace(asked, seconds=before.seconds, looked=before.looked)
    return Tally.of(content["tally"]), run


def table(tally: Tally) -> list[str]:
    """What each contestant said, by what is true: a table in Markdown."""
    lines = [
        "| what is true | " + " | ".join(TITLES[who] for who in CONTESTANTS) + " |",
        "| --- " * (1 + len(CONTESTANTS)) + "|",
    ]
    for truth in sorted({truth for _, truth, _ in tally.answers}):
        cells: list[str] = []
        for who in CONTESTANTS:
            said = {verdict: n for (w, t, verdict), n in sorted(tally.answers.items()) if (w, t) == (who, truth)}
            cells.append(", ".join(f"{verdict} {n:,}" for verdict, n in said.items()) or "-")
        lines.append(f"| {truth} | {' | '.join(cells)} |")
    return lines


def figures(tally: Tally, run: Run) -> str:
    """The figures in a few lines."""
    spent = ", ".join(f"{who} {seconds:,.0f} s" for who, seconds in sorted(tally.seconds.items()))
    scopes = ", ".join(f"{tally.counts[what]:,} {MEANING[what]}" for what in MEANING)
    verdicts = ", ".join(f"{TITLES[who]} {tally.decided[who]:,}" for who in CONTESTANTS)
    return "\n".join(
        [
            str(run),
            f"models in a scope: {scopes}",
            f"{tally.decided[JUDGED]:,} models judged; with a verdict of {verdicts}",
            *table(tally),
            f"{tally.counts['traces followed']:,} traces followed step by step",
            f"{run.seconds:,.0f} s with {run.jobs} processes, {run.seconds / max(1, run.looked) * 1000:.0f} ms a model"
            f"; of the processors' time: {spent}",
            f"disagreements: {len(tally.disagreements)}",
        ]
    )


def page(tally: Tally, run: Run) -> str:
    """The page that records a campaign."""
    command = f"python tests/campaign.py --count {run.count} --first {run.first} --jobs {run.jobs}"
    command += " --several" if run.several else ""
    verdicts = "\n".join(f"| with a verdict of {TITLES[who]} | {tally.decided[who]:,} |" for who in CONTESTANTS)
    scopes = "\n".join(f"| {MEANING[what]} | {tally.counts[what]:,} |" for what in MEANING)
    return f"""# Agreement

Written by `{command} --record spec/agreement.md`; do not edit.

On random small models, the engines are compared with a judge that shares no code with them: it lists every state
with the reference interpreter, and decides by [what a model means](semantics.md#verdicts) alone what is true
([`tests/judge.py`](../tests/judge.py), [`tests/campaign.py`](../tests/campaign.py)). Who proves what the judge
refutes, or refutes what it proves, disagrees; so does a trace that the judge cannot follow to the end that it claims,
and one that claims to be shortest and is not.

| | |
| --- | --- |
| what was looked at | {run} |
| **models judged** | **{tally.decided[JUDGED]:,}** |
{verdicts}
| **disagreements** | **{len(tally.disagreements)}** |
| states listed of a model | at most about {run.states:,} |
| traces followed step by step | {tally.counts["traces followed"]:,} |
| time | {run.seconds / 60:.0f} minutes with {run.jobs} processes |

A model counts as judged where the judge listed all its states in at least one scope; of those, the lines below it say
on how many each contestant gave a verdict that is not "unknown".  What became of each model in each scope:

| | models in a scope |
| --- | --- |
{scopes}

How often who said what. Each goal in each scope is asked of the program; of an engine alone one goal that holds and
one that does not are, of bounded search only runs of few steps, and of guided search only goals of convergence.
"Unknown" is no disagreement, except for the program where the judge knows.

{chr(10).join(table(tally))}
{_disagreements(tally)}"""


def _disagreements(tally: Tally) -> str:
    """The disagreements, each in a line, as a section of the page; nothing where there are none."""
    if not tally.disagreements:
        return ""
    lines: list[str] = []
    for text in tally.disagreements:
        told = text.splitlines()
        judge = next(
            (line.partition("the judge says ")[2] for line in told if line.startswith("  the judge says ")), ""
        )
        lines.append(f"| {told[0].rstrip(':')} | {told[1].strip() if judge else ''} | {judge} |")
    return f"""
## Disagreements

Each is a regression test once it is mended ([`test_regressions.py`](../tests/test_regressions.py), and whole models in
[`test_campaign.py`](../tests/test_campaign.py)); the figures above are from the runs in which they were found.

| where | who said what | the judge |
| --- | --- | --- |
{chr(10).join(lines)}
"""
