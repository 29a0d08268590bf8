"""Looks for disagreements between the engines and a judge that lists every state, on random small models.

    python tests/campaign.py --count 20000 --first 0 --jobs 2
    python tests/campaign.py --count 20000 --first 0 --jobs 2 --record spec/agreement.md
    python tests/campaign.py --count 20000 --jobs 2 --totals totals.json --record spec/agreement.md
    python tests/campaign.py --count 1000 --several       only models of several operators

It goes from seed to seed until so many models are judged: models with too many states for the judge do not count.
With `--totals` the figures are kept in a file after every few models, and the same command goes on from there when it
was interrupted; a smaller `--count` at first, and larger ones later, make the record in parts.

For each goal of each model, in each scope, the judge (`judge.py`) says what is true.  The proof engine, the bounded
search, the guided search and the whole program answer each by itself (`contestants.py`), and must not contradict it:

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
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

import random_models
from campaign_record import IN_PART, JUDGED, TOO_LARGE, WRONG, Run, Tally, figures, page, resumed, save
from contestants import NO_RUN, NONE_LEFT, Contest
from judge import Judge, Judgement, objection
from reconcheck.diagnostic import ModelError
from reconcheck.explain.verdict import Answer
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Loaded, Operator, Scope
from reconcheck.model.wakeups import wake_ups_of
from reconcheck.semantics.steps import LeftRange
from referees_record import summary_of

MOST_STATES = 200
"""States beyond which a model is skipped."""
SMALL = 60
"""States up to which proofs of what is false are tried."""
DEEP, DEEPEST = 2, 10
"""Steps that bounded search goes where there is nothing to be found, and beyond which it is not asked at all."""
BATCH = 50
"""Models that a worker takes at a time."""
Done = TypeVar("Done")
PROVED = frozenset({"converges", "holds", "unreachable"})


def scopes_of(operator: Operator, seed: int) -> tuple[Scope, ...]:
    """Without schedule, and by turns with it (if there is one), without some rule or watch, or a lower level."""
    found, rules = [Scope()], operator.rules()
    scheduled = any(rule.kind == "every" for rule in rules)
    scheduled = scheduled or any(controller.resync is not None for controller in operator.controllers)
    match seed % 3:
        case 1 if scheduled:
            found.append(Scope(level=4))
        case 2 if rules:
            rule = rules[seed // 3 % len(rules)]
            found.append(Scope(level=4 if rule.kind == "every" else 3, without=(rule.name,)))
        case 0 if seed % 2:
            found.append(Scope(level=seed // 6 % 3))
        case 0:
            names = [one.scoped for one in wake_ups_of(operator.controllers)]
            found += [Scope(level=4, without=(name,)) for name in names[seed // 6 % max(1, len(names)) :][:1]]
    return tuple(found)


# ---- one model ---------------------------------------------------------------------------------------------------


class Case(Struct, frozen=True):
    """A goal in a scope with what is true of it, and how many states the judge listed."""

    contest: Contest
    judgement: Judgement
    states: int


class Match:
    """The comparison of everybody's answers about one model."""

    def __init__(self, seed: int, loaded: Loaded, most_states: int) -> None:
        self.seed, self.loaded, self.most_states, self.tally = seed, loaded, most_states, Tally()
        self.decided: set[str] = set()
        """Who gave a verdict on a goal of which the judge knows the truth."""

    def run(self) -> Tally:
        """Compares all goals in all scopes; the slower engines are asked about one that holds and one that does not."""
        cases: list[Case] = []
        for scope in scopes_of(self.loaded.operator, self.seed):
            cases += self._cases(Contest(self.loaded, scope))
        for case in cases:
            if case.judgement.complete:
                self._ask("program", case, case.contest.by_program)
        turn = self.seed % 2 == 0
        for case in self._chosen([case for case in cases if not case.judgement.found]):
            self._ask("proof", case, case.contest.by_proof)
            if turn:
                self._ask("search", case, partial(case.contest.by_search, depth=DEEP))
        for case in self._chosen([case for case in cases if case.judgement.found]):
            if (depth := case.judgement.run or DEEP) <= DEEPEST:
                self._ask("search", case, partial(case.contest.by_search, depth=depth))
            if turn and case.states <= SMALL:
                self._ask("proof", case, case.contest.by_proof)
        plain = [case for case in cases if case.judgement.goal.kind == "converges"]
        for diverging in (True, False):
            for case in self._chosen([case for case in plain if bool(case.judgement.found) == diverging]):
                self._ask("guided", case, case.contest.by_guided)
        if self.tally.counts[JUDGED]:
            self.tally.decided.update([JUDGED, *self.decided])
        return self.tally

    def _chosen(self, cases: list[Case]) -> list[Case]:
        """One of them, if there are any: the slower engines cannot be asked about each."""
        return [cases[self.seed % len(cases)]] if cases else []

    def _cases(self, contest: Contest) -> list[Case]:
        """What the judge says of each goal in a scope; nothing where it does not know."""
        operator, scope = self.loaded.operator, contest.scope
        judge = self._timed("judge", partial(Judge, operator, scope, self.most_states))
        if judge.states.wrong:
            self._count(WRONG)
            self._wrong_model(contest, operator.goals[self.seed % len(operator.goals)], judge.states.exact)
            return []
        if judge.states.exact and not judge.states.complete:
            self._count(TOO_LARGE)
            return []
        self._count(JUDGED if judge.states.complete else IN_PART)
        judged = [self._timed("judge", partial(judge.judge, goal)) for goal in operator.goals]
        return [Case(contest, one, len(judge.states.keys)) for one in judged]

    def _ask(self, who: str, case: Case, answering: Callable[[Goal], Answer]) -> None:
        contest, judgement = case.contest, case.judgement
        verdict, wrong = "crashed", ""
        try:
            answer = self._timed(who, partial(answering, judgement.goal))
            verdict = answer.verdict
            wrong = self._timed("judge", partial(fault, who, contest, judgement, answer))
            if answer.trace is not None:
                self._count("traces followed")
        except (LeftRange, ModelError) as error:  # the judge does not get there where it does not list all states
            verdict, wrong = "RC310", f"{error}" if judgement.complete else ""
        except Exception:  # a crash is a finding like any other, and the models after it shall be tried
            wrong = traceback.format_exc(limit=-3)
        self.tally.answers[who, " and ".join(sorted(judgement.found)) or judgement.verdict, verdict] += 1
        if judgement.complete and not wrong and verdict not in ("unknown", "RC310"):
            self.decided.add(who)
        if wrong:
            self._disagree(judgement.goal, contest.scope, who, f"{verdict}: {wrong}", str(judgement))

    def _wrong_model(self, contest: Contest, goal: Goal, exact: bool) -> None:
        """Some step gives a variable a value outside of its type: nothing can be proved, and the program says why.

        It need not find that out where numbers are chosen without bounds, so that it cannot list the states.
        """
        said = self._timed("proof", partial(contest.by_proof, goal)).verdict
        self.tally.answers["proof", "RC310", said] += 1
        if said != "unknown":
            self._disagree(goal, contest.scope, "proof", said, "RC310")
        if not exact:
            return
        try:
            said = self._timed("program", partial(contest.by_program, goal)).verdict
        except ModelError as error:
            said = error.diagnostics[0].code
        self.tally.answers["program", "RC310", said] += 1
        if said != "RC310":
            self._disagree(goal, contest.scope, "program", said, "RC310")

    def _timed(self, who: str, work: Callable[[], Done]) -> Done:
        started = time.process_time()
        try:
            return work()
        finally:
            self.tally.spent(who, time.process_time() - started)

    def _count(self, what: str) -> None:
        self.tally.counts[what] += 1

    def _disagree(self, goal: Goal, scope: Scope, who: str, said: str, true: str) -> None:
        self.tally.disagreements.append(
            f"seed {self.seed}, {goal.kind} {goal.name}, {scope}:\n  {who} says {said}\n  the judge says {true}"
        )


def fault(who: str, contest: Contest, judgement: Judgement, answer: Answer) -> str:
    """What is wrong with an answer; empty if nothing is."""
    verdict, trace = answer.verdict, answer.trace
    if verdict == "unknown":
        missed = who == "search" and answer.reason == NO_RUN and judgement.run is not None
        missed = missed or (who == "guided" and answer.reason == NONE_LEFT and bool(judgement.found))
        return f"it must know: {answer.reason}" if who == "program" or missed else ""
    if verdict in PROVED:
        return "what is refuted cannot be proved" if judgement.found else ""
    allowed = judgement.verdicts if who == "program" else set(judgement.found)
    if judgement.complete and verdict not in allowed:
        return "this is not so"
    if trace is None:
        return "there is no trace"
    if wrong := objection(contest.loaded.operator, contest.scope, answer.goal, trace):
        return f"the trace is wrong: {wrong}"
    shortest = judgement.found.get(verdict)
    if trace.shortest and shortest is not None and len(trace.steps) != shortest:
        return f"the trace has {len(trace.steps)} steps and claims to be shortest"
    return ""


def compare(seed: int, folder: Path, most_states: int, several: bool) -> Tally:
    """Compares everybody's answers about the model of a seed."""
    path = folder / f"campaign{seed}.rdsl"
    text = random_models.model_text(seed, small=True, several=several)
    path.write_text(text, encoding="utf-8")
    tally = Tally(counts=Counter(models=1))
    started = time.process_time()
    try:
        loaded = load(path)
    except ModelError as error:
        problems = "\n".join(f"{d.code} at {d.span}: {d.message}; {d.instead}" for d in error.diagnostics)
        tally.disagreements.append(f"seed {seed}: the model is refused: {problems}\n{text}")
        return tally
    finally:
        path.unlink()
        tally.spent("reading", time.process_time() - started)
    tally.add(Match(seed, loaded, most_states).run())
    if tally.disagreements:
        tally.disagreements[-1] += f"\n\n{text}"
    return tally


def compare_all(seeds: Iterable[int], most_states: int = MOST_STATES, several: bool = False) -> Tally:
    """Compares everybody's answers about the models of some seeds; with `several`, models of several operators."""
    total = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            total.add(compare(seed, Path(folder), most_states, several))
    return total


def compare_judged(first: int, wanted: int) -> Tally:
    """Compares everybody's answers about models from a seed on, until so many of them are judged."""
    total, seeds = Tally(), count(first)
    while total.decided[JUDGED] < wanted:
        total.add(compare_all([next(seeds)]))
    return total


# ---- many models -----------------------------------------------------------------------------------------------------


def ahead(work: Callable[[range], Tally], first: int, jobs: int) -> Generator[Tally]:
    """What comes of the seeds from one on, in portions of `BATCH`, in their order; a few portions are begun ahead."""
    with ProcessPoolExecutor(jobs) as workers:
        begun: deque[Future[Tally]] = deque()
        try:
            for start in count(first, BATCH):
                begun.append(workers.submit(work, range(start, start + BATCH)))
                if len(begun) > 2 * jobs:
                    yield begun.popleft().result()
        finally:
            workers.shutdown(wait=False, cancel_futures=True)


def campaign(asked: Run, totals: Path | None = None, told: Callable[[str], None] = print) -> tuple[Tally, Run]:
    """Compares models until as many are judged as was asked for; goes on with what `totals` holds, and keeps it there.

    Disagreements are told as they are found.  Raises `ValueError` where the file is about other models.
    """
    total, run = resumed(totals, asked)
    work = partial(compare_all, most_states=asked.states, several=asked.several)
    started, before = time.monotonic(), run.seconds
    portions = ahead(work, run.next, asked.jobs)
    while total.decided[JUDGED] < asked.count:
        tally = next(portions)
        total.add(tally)
        for text in tally.disagreements:
            told(text)
        run = replace(run, seconds=before + time.monotonic() - started, looked=run.looked + BATCH)
        if totals is not None:
            save(totals, total, run)
    portions.close()
    return total, run


def main() -> int:
    """Runs the campaign, prints what came of it, and records it where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, help="how many models are to be judged, at least")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--states", type=int, default=MOST_STATES, help="states beyond which a model is skipped")
    parser.add_argument("--several", action="store_true", help="only models of several operators")
    parser.add_argument("--totals", type=Path, help="keep the figures in this file, and go on with those in it")
    parser.add_argument("--record", type=Path, help="write the figures to this page")
    given = parser.parse_args()
    asked = Run(given.first, given.count, given.jobs, given.states, several=given.several)
    try:
        total, run = campaign(asked, given.totals, partial(print, flush=True))
    except ValueError as wrong:
        parser.error(str(wrong))
    except KeyboardInterrupt:
        print("interrupted" if given.totals is None else f"interrupted; the same command goes on from {given.totals}")
        return 130
    print(figures(total, run))
    if given.record is not None:
        before = given.record.read_text(encoding="utf-8") if given.record.exists() else ""
        given.record.write_text(page(total, run) + summary_of(before), encoding="utf-8")
    return 1 if total.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
