"""Looks for disagreements between the engines and a judge that lists every state, on random small models.

    python tests/campaign.py --count 20000 --first 0 --jobs 2
    python tests/campaign.py --show 17               print one model, with what everybody says about it

For each goal of each model, in each scope, the judge (`judge.py`) says what is true.  The proof engine, the bounded
search and the whole program answer each by itself (`contestants.py`), and must not contradict it:

- who proves what the judge refutes, or refutes what the judge proves, is wrong;
- a trace must be a run of the reference interpreter that ends as it says, and if it claims to be shortest, it must
  have the length that the judge found;
- the whole program must have an answer where the judge has one; an engine alone may say "unknown".

Exit code 1 if anybody was wrong.  Run it with the `checker` folder on `PYTHONPATH`, or with reconcheck installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import random_models
from contestants import Contest
from judge import Judge, Judgement, objection
from reconcheck.diagnostic import ModelError
from reconcheck.explain.verdict import Answer
from reconcheck.model.assemble import Loaded
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.semantics.steps import LeftRange

MOST_STATES = 300
"""States beyond which a model is skipped."""
TINY = 40
"""States up to which every contestant is asked every question."""
DEEPEST = 12
"""Steps beyond which the bounded search is not asked: it is sure to be slow, and so are many such runs."""
BATCH = 50
"""Models that a worker takes at a time."""
T = TypeVar("T")
PROVED = frozenset({"converges", "holds", "unreachable"})


@dataclass
class Tally:
    """What came of some models: how often what was said, seconds by who spent them, and the disagreements."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Takes the figures of other models in."""
        self.counts += other.counts
        for who, seconds in other.seconds.items():
            self.seconds[who] += seconds
        self.disagreements += other.disagreements


def scopes_of(operator: Operator, seed: int) -> tuple[Scope, ...]:
    """The scopes that differ: without schedule; with it, if there is one; without some rule."""
    scheduled = any(rule.kind == "every" for rule in operator.rules())
    scheduled = scheduled or any(controller.resync is not None for controller in operator.controllers)
    found = [Scope(), *([Scope(schedule=True)] if scheduled else [])]
    if rules := operator.rules():
        rule = rules[seed % len(rules)]
        found.append(Scope(schedule=rule.kind == "every", without=(rule.name,)))
    return tuple(found)


# ---- one model ---------------------------------------------------------------------------------------------------


class Match:
    """The comparison of everybody's answers about one model."""

    def __init__(self, seed: int, loaded: Loaded) -> None:
        self.seed, self.loaded, self.tally = seed, loaded, Tally()

    def run(self) -> Tally:
        """Compares all goals in all scopes."""
        for scope in scopes_of(self.loaded.operator, self.seed):
            contest = Contest(self.loaded, scope)
            try:
                judge = self._timed("judge", lambda scope=scope: Judge(self.loaded.operator, scope, MOST_STATES))
            except LeftRange:
                self._wrong_model(contest)
                continue
            if not judge.states.complete:
                self._count("scopes", "too large" if judge.states.exact else "unbounded")
            else:
                self._count("scopes", "judged")
            for number, goal in enumerate(self.loaded.operator.goals):
                self._goal(contest, goal, judge, chosen=number == self.seed % len(self.loaded.operator.goals))
        return self.tally

    def _goal(self, contest: Contest, goal: Goal, judge: Judge, chosen: bool) -> None:
        """Asks about one goal whom it is worth asking; the slow ones about tiny models, or where it is their turn."""
        judgement = self._timed("judge", lambda: judge.judge(goal))
        self._count("judge", " or ".join(sorted(judgement.verdicts)) or "unknown")
        small = judgement.complete and len(judge.states.keys) <= TINY
        if judgement.complete:
            self._ask("program", contest, goal, judgement, contest.by_program)
        if small or chosen or (judgement.complete and not judgement.found):
            self._ask("proof", contest, goal, judgement, contest.by_proof)
        lengths = [length for verdict, length in judgement.found.items() if length is not None and verdict != "livelock"]
        depth = min(lengths, default=2)
        if (small or chosen) and depth <= DEEPEST:
            self._ask("search", contest, goal, judgement, lambda goal: contest.by_search(goal, depth))

    def _ask(
        self, who: str, contest: Contest, goal: Goal, judgement: Judgement, answering: Callable[[Goal], Answer]
    ) -> None:
        try:
            answer = self._timed(who, lambda: answering(goal))
            wrong = self._timed("judge", lambda: fault(who, contest, judgement, answer))
        except Exception:  # a crash is a finding like any other, and the models after it shall be tried
            wrong, answer = traceback.format_exc(limit=-3), None
        verdict = answer.verdict if answer is not None else "crashed"
        self._count(who, verdict)
        if answer is not None and answer.trace is not None:
            self._count(who, "traces followed")
        if wrong is not None:
            self._disagree(f"{goal.kind} {goal.name}", contest.scope, who, f"{verdict}: {wrong}", str(judgement))

    def _wrong_model(self, contest: Contest) -> None:
        """Some step gives a variable a value outside of its type: the program says so, and nothing can be proved."""
        self._count("scopes", "left range")
        for goal in self.loaded.operator.goals[:1]:
            try:
                said = self._timed("program", lambda goal=goal: contest.by_program(goal)).verdict
            except ModelError as error:
                said = error.diagnostics[0].code
            if said != "RC310":
                self._disagree(goal.name, contest.scope, "program", said, "RC310")
            answer = self._timed("proof", lambda goal=goal: contest.by_proof(goal))
            self._count("proof", answer.verdict)
            if answer.verdict != "unknown":
                self._disagree(goal.name, contest.scope, "proof", answer.verdict, "RC310")

    def _timed(self, who: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.tally.seconds[who] += time.perf_counter() - started

    def _count(self, what: str, which: str) -> None:
        self.tally.counts[what, which] += 1

    def _disagree(self, goal: str, scope: Scope, who: str, said: str, true: str) -> None:
        self.tally.disagreements.append(
            f"seed {self.seed}, {goal}, {scope}:\n  {who} says {said}\n  the judge says {true}"
        )


def fault(who: str, contest: Contest, judgement: Judgement, answer: Answer) -> str | None:
    """What is wrong with an answer, or None."""
    goal, verdict = answer.goal, answer.verdict
    if verdict == "unknown":
        return f"it must know: {answer.reason}" if who == "program" and judgement.verdicts else None
    if verdict in PROVED:
        return "the goal is refuted" if judgement.found else None
    allowed = judgement.verdicts if who == "program" else set(judgement.found)
    if judgement.complete and verdict not in allowed:
        return "not the right verdict"
    if answer.trace is None:
        return "there is no trace"
    wrong = objection(contest.loaded.operator, contest.scope, goal, answer.trace)
    if wrong is not None:
        return f"the trace is wrong: {wrong}"
    shortest = judgement.found.get(verdict)
    if answer.trace.shortest and shortest is not None and len(answer.trace.steps) != shortest:
        return f"the trace has {len(answer.trace.steps)} steps and claims to be shortest"
    return None


def compare(seed: int, folder: Path) -> Tally:
    """Compares everybody's answers about the model of a seed."""
    path = folder / f"campaign{seed}.rdsl"
    path.write_text(random_models.model_text(seed), encoding="utf-8")
    tally = Tally(Counter({("models", "all"): 1}))
    started = time.perf_counter()
    try:
        loaded = load(path)
    except ModelError as error:
        problems = "\n".join(f"{d.code} at {d.span}: {d.message}; {d.instead}" for d in error.diagnostics)
        tally.disagreements.append(f"seed {seed}: the model is refused: {problems}")
        return tally
    finally:
        path.unlink()
        tally.seconds["reading"] += time.perf_counter() - started
    tally.add(Match(seed, loaded).run())
    return tally


def compare_all(seeds: Iterable[int]) -> Tally:
    """Compares everybody's answers about the models of some seeds."""
    total = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            total.add(compare(seed, Path(folder)))
    return total


# ---- many models -----------------------------------------------------------------------------------------------------


def batches(first: int, count: int) -> Iterator[range]:
    """The seeds in portions."""
    for start in range(first, first + count, BATCH):
        yield range(start, min(start + BATCH, first + count))


def main() -> int:
    """Runs the campaign and prints what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, help="how many models")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    arguments = parser.parse_args()
    started, total = time.monotonic(), Tally()
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for tally in workers.map(compare_all, batches(arguments.first, arguments.count)):
            total.add(tally)
            for text in tally.disagreements:
                print(text, flush=True)
    elapsed = time.monotonic() - started
    for (what, which), count in sorted(total.counts.items()):
        print(f"{what:10} {which:24} {count:8,}")
    for who, seconds in sorted(total.seconds.items()):
        print(f"{who:10} {seconds:10.1f} s")
    print(f"{arguments.count} models in {elapsed:.0f} s: {elapsed / arguments.count * 1000:.0f} ms each")
    print(f"{len(total.disagreements)} disagreements")
    return 1 if total.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
