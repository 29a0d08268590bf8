"""What a campaign found, as text: for the terminal, and as the page `spec/agreement.md`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

JUDGED, IN_PART, WRONG, TOO_LARGE = "judged", "judged in part", "wrong", "too large"
"""What can become of a model in a scope."""
CONTESTANTS = ("program", "proof", "search")
TITLES = {
    "program": "the program",
    "proof": "proofs on slices alone",
    "search": "bounded search alone",
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
    seconds: dict[str, float] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Takes the figures of other models in."""
        self.answers += other.answers
        self.counts += other.counts
        for who, seconds in other.seconds.items():
            self.spent(who, seconds)
        self.disagreements += other.disagreements

    def spent(self, who: str, seconds: float) -> None:
        """Notes how long somebody took."""
        self.seconds[who] = self.seconds.get(who, 0.0) + seconds


@dataclass(frozen=True)
class Run:
    """Which models were looked at, and how long that took."""

    first: int
    count: int
    jobs: int
    states: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count:,} models, seeds {self.first:,} to {self.first + self.count - 1:,}"


def table(tally: Tally) -> list[str]:
    """What each contestant said, by what is true: a table in Markdown."""
    lines = ["| what is true | " + " | ".join(TITLES[who] for who in CONTESTANTS) + " |", "| --- | --- | --- | --- |"]
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
    return "\n".join(
        [
            str(run),
            f"models in a scope: {scopes}",
            *table(tally),
            f"{tally.counts['traces followed']:,} traces followed step by step",
            f"{run.seconds:,.0f} s with {run.jobs} processes, {run.seconds / run.count * 1000:.0f} ms a model; of the "
            f"processors' time: {spent}",
            f"disagreements: {len(tally.disagreements)}",
        ]
    )


def page(tally: Tally, run: Run) -> str:
    """The page that records a campaign."""
    command = (
        f"python tests/campaign.py --count {run.count} --first {run.first} --jobs {run.jobs} --record spec/agreement.md"
    )
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
| **disagreements** | **{len(tally.disagreements)}** |
| states listed of a model | at most about {run.states:,} |
| traces followed step by step | {tally.counts["traces followed"]:,} |
| time | {run.seconds / 60:.0f} minutes with {run.jobs} processes |

What became of each model in each scope:

| | models in a scope |
| --- | --- |
{scopes}

How often who said what. Each goal in each scope is asked of the program; of an engine alone one goal that holds and
one that does not are, and of bounded search only runs of few steps. \"Unknown\" is no disagreement, except for the
program where the judge knows.

{chr(10).join(table(tally))}
"""
