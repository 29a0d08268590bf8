"""Lets other model checkers judge exports, and compares what they say with the reference interpreter.

    python tests/referees.py --peer spin --models tests/golden models --jobs 2 --record
    python tests/referees.py --peer spin --random 2000 --jobs 2 --record
    python tests/referees.py --peer nusmv --nusmv PROGRAM --models tests/golden models --record
    python tests/referees.py --peer tlc --tlc-jar tla2tools.jar --models tests/golden models --record
    python tests/referees.py --record

Of each model in each scope the reference interpreter lists the states, and decides the goals (`reference.py`).  The
peer gets the export alone.  It must find as many states, and the same answers.

With `--record`, what was found is kept in `tests/data/referees.jsonl`, and the pages `spec/referees.md` and
`spec/agreement.md` are written from it; the last command does only that.  A model whose export is still the one that
a peer has judged is not asked again, but with `--again`: so after some models have changed, the same command asks
about those.  What has changed while a peer is not at hand is marked as judged earlier.  `--log FILE` keeps it
elsewhere.  Either can be stopped, and goes on from there.

Exit code 1 if there is a disagreement, 2 if a peer or a model is missing or nobody is asked.  Run it with the
`checker` folder on `PYTHONPATH`, or with reconcheck installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import random_models
from bench.machine import machine, own_versions
from judge import Key
from nusmv import NuSMV
from reconcheck.diagnostic import ModelError
from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import explore
from reconcheck.export.system import System, build
from reconcheck.export.targets import Unfit
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.types import IntType
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, LeftRange
from referees_log import AGREED, DISAGREED, LATE, TOO_LARGE, UNFIT, WRONG, Entry, Log, Run, line, mark, read, write
from referees_record import page, summary, with_summary
from reference import reference
from spin import OutOfTimeError, Seen, Spin
from support import TESTS, search
from tlc import TLC

MOST_STATES = 400_000
"""States beyond which the interpreter does not list a model; see `truth_of`.  So many take it some 2 GB."""
MOST_RANDOM_STATES = 5_000
"""States beyond which a random model is skipped."""
BOUND = 3
"""What numbers without bounds are kept within."""
SECONDS = 300.0
"""What one run of a peer may take."""
ROOT = TESTS.parent
RECORD = TESTS / "data" / "referees.jsonl"
PAGE, AGREEMENT = ROOT / "spec" / "referees.md", ROOT / "spec" / "agreement.md"


class Peer(Protocol):
    """A checker that judges exports."""

    @property
    def name(self) -> str:
        """As `--peer` calls it."""

    @property
    def title(self) -> str:
        """As it calls itself."""

    def missing(self) -> str | None:
        """How to get it, if it is not here."""

    def version(self) -> str:
        """Its name and version, with those of what it needs."""

    def files(self, system: System) -> dict[str, str]:
        """The export, as it gets it.  Raises `Unfit`."""

    def stored(self, system: System, states: list[Key]) -> int:
        """How many states it must find in an export with these reachable states, which are up to renaming."""

    def look(self, system: System, folder: Path, states: int, seconds: float) -> Seen:
        """What it says of an export.  Raises `OutOfTimeError`, `Unfit`, and anything else if it fails."""


@dataclass(frozen=True)
class Truth:
    """What is so, and who says so."""

    states: list[Key]
    holds: dict[str, bool]
    by: str


def size_of(operator: Operator, scope: Scope, most: int) -> int | None:
    """How many states there are, or some number above `most`; None where that is not known beforehand.

    The compiled system lists them, which takes a twentieth of the interpreter's time.
    """
    system = compile_system(operator, scope)
    inputs = (one for command in (system.initial, *system.commands) for one in command.inputs)
    if any(isinstance(variable.type, IntType) for variable in (*system.variables, *inputs)):
        return None
    try:
        return len(explore(system, Budget(states=2 * most + 1_000), most).states)
    except (LeftRange, Endless):
        return None


def truth_of(operator: Operator, scope: Scope, most: int, anyhow: bool, size: int | None = None) -> Truth | str:
    """The states and answers of an operator, or why there are none; `size` is how many states there are, if known.

    A model that has to be looked at `anyhow` and has more than `most` states is listed by the compiled system; that
    the two agree is tested elsewhere.
    """
    if size is None or size <= most:
        known = reference(operator, scope, BOUND, most)
        if known.wrong:
            return WRONG
        if known.complete:
            return Truth(known.keys, {goal.name: known.holds(goal) for goal in operator.goals}, "interpreter")
    if not anyhow:
        return TOO_LARGE
    found = search(operator, scope, 2_000_000)
    good = ("converges", "holds", "reachable")
    answers = {goal.name: found.verdict(goal) in good for goal in operator.goals}
    return Truth(found.graph.states, answers, "compiled system")


def judge(peer: Peer, case: str, operator: Operator, scope: Scope, truth: Truth | str, seconds: float) -> Entry:
    """What a peer says about a model in a scope."""
    started = time.monotonic()
    system = build(operator, scope, operator.goals, BOUND)
    states, by = (len(truth.states), truth.by) if isinstance(truth, Truth) else (None, "interpreter")
    holds = truth.holds if isinstance(truth, Truth) else {}
    entry = Entry(case, str(scope), peer.name, "", states, by, holds, system.bound)

    def ended(outcome: str, text: str = "", seen: Seen | None = None) -> Entry:
        took = time.monotonic() - started if seen is None else seen.seconds
        return dataclasses.replace(entry, outcome=outcome, text=text, seconds=round(took, 2))

    if truth == TOO_LARGE:
        return ended(TOO_LARGE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            seen = peer.look(system, Path(folder), states or 0, seconds)
    except OutOfTimeError as error:
        return ended(LATE, str(error))
    except Unfit as error:
        return ended(UNFIT, str(error))
    except Exception:  # that a peer fails is a finding like any other, and the models after it shall be tried
        return ended(DISAGREED, traceback.format_exc(limit=-2))
    if not isinstance(truth, Truth):
        return ended(WRONG if seen.states is None else DISAGREED, "" if seen.states is None else "RC310 not seen", seen)
    wanted = peer.stored(system, truth.states)
    wrong = [f"it has {seen.states} states, and must have {wanted}"] if seen.states != wanted else []
    for goal, answer in truth.holds.items():
        if seen.holds.get(goal) != answer:
            wrong.append(f"{goal}: it says {seen.holds.get(goal)}, and the {truth.by} {answer}")
    return ended(DISAGREED if wrong else AGREED, "; ".join(wrong), seen)


# ---- which models ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A model to be looked at: a file, or the seed of a random one."""

    model: str
    seed: int | None

    @property
    def case(self) -> str:
        """As the log calls it: of a file in this checkout its path there."""
        if self.seed is not None:
            return f"seed {self.seed}"
        path = Path(self.model).resolve()
        return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else self.model

    def operator(self) -> Operator:
        """The operator.  Raises `ModelError`."""
        if self.seed is None:
            return load(Path(self.model)).operator
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"seed{self.seed}.rdsl"
            path.write_text(random_models.model_text(self.seed, small=True), encoding="utf-8")
            return load(path).operator

    def scopes(self, operator: Operator) -> tuple[Scope, ...]:
        """Of a file those without and with schedule and those of its `expect` lines; of a random model one."""
        if self.seed is not None:
            return (random_models.scope_of(operator, self.seed),)
        asked = (expectation.scope for expectation in operator.expectations)
        return tuple(dict.fromkeys([Scope(level=3), Scope(level=4), *asked]))


def model_files(paths: Iterable[Path]) -> Iterator[str]:
    """The models in some folders, but for libraries of kinds."""
    for path in paths:
        for file in sorted(path.rglob("*.rdsl")) if path.is_dir() else [path]:
            if "operator" in file.read_text(encoding="utf-8").split():
                yield str(file)


@dataclass(frozen=True)
class Place:
    """A model in a scope, with what has to be known before it is looked at."""

    task: Task
    scope: Scope | None = None
    """None of a random model, which is not looked at beforehand."""
    size: int | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    """Of its exports, by peer."""
    asked: tuple[Peer, ...] = ()
    problem: str = ""
    """Why it cannot be read."""


def survey(
    task: Task, asked: Sequence[Peer], known: Sequence[Peer], done: frozenset[tuple[str, str, str, str]], most: int
) -> list[Place]:
    """The scopes of a model, with what each peer gets of it; who has judged that already is not asked again."""
    try:
        operator = task.operator()
    except ModelError as error:
        return [Place(task, asked=tuple(asked), problem=str(error))]
    found: list[Place] = []
    for scope in task.scopes(operator):
        system = build(operator, scope, operator.goals, BOUND)
        marks = {peer.name: _mark(peer, system) for peer in known}
        left = tuple(peer for peer in asked if (task.case, str(scope), peer.name, marks[peer.name]) not in done)
        found.append(Place(task, scope, size_of(operator, scope, most) if left else None, marks, left))
    return found


def _mark(peer: Peer, system: System) -> str:
    try:
        return mark(peer.files(system))
    except Unfit:
        return "cannot be written"


def look_at(place: Place, most: int, seconds: float, on: str) -> list[Entry]:
    """What the peers say about a model in a scope."""
    case, problem = place.task.case, place.problem
    if not problem:
        try:
            operator = place.task.operator()
        except ModelError as error:
            problem = str(error)
    if problem:
        return [Entry(case, "", peer.name, DISAGREED, text=problem, on=on) for peer in place.asked]
    is_random = place.task.seed is not None
    scope = place.scope if place.scope is not None else place.task.scopes(operator)[0]
    size = size_of(operator, scope, most) if is_random else place.size
    truth = truth_of(operator, scope, most, anyhow=not is_random, size=size)
    judged = (judge(peer, case, operator, scope, truth, seconds) for peer in place.asked)
    return [dataclasses.replace(entry, export=place.marks.get(entry.peer, ""), on=on) for entry in judged]


# ---- the command -----------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """What is asked of whom in one run, and what came of it."""

    peers: tuple[Peer, ...]
    known: tuple[Peer, ...]
    """All that there are."""
    log: Log
    file: Path | None
    jobs: int
    seconds: float
    again: bool
    on: str = field(default_factory=lambda: datetime.datetime.now(tz=datetime.UTC).date().isoformat())
    found: list[Entry] = field(default_factory=list)

    def models(self, files: Sequence[str], most: int) -> None:
        """Asks about models."""
        tasks = [Task(file, None) for file in files]
        done = frozenset((*entry.key, entry.export) for entry in self.log.entries if entry.outcome != DISAGREED)
        work = partial(survey, asked=self.peers, known=self.known, done=frozenset() if self.again else done, most=most)
        with ProcessPoolExecutor(self.jobs) as workers:
            places = [place for found in workers.map(work, tasks) for place in found]
        self._forget({task.case for task in tasks}, places)
        left = [place for place in places if place.asked]
        left.sort(key=lambda place: -(place.size or most))  # the largest first, so that nobody waits for it at the end
        print(f"{len(tasks)} models, {len(places)} with their scopes, of which {len(left)} are asked about", flush=True)
        self._ask(left, most)

    def random(self, first: int, count: int, most: int) -> None:
        """Asks about random models."""
        done = {entry.key[::2] for entry in self.log.entries}
        tasks = [Task("", seed) for seed in range(first, first + count)]
        asked = {task: tuple(peer for peer in self.peers if (task.case, peer.name) not in done) for task in tasks}
        self._ask([Place(task, asked=peers) for task, peers in asked.items() if peers], most)

    def _ask(self, places: Sequence[Place], most: int) -> None:
        started = time.monotonic()
        work = partial(look_at, most=most, seconds=self.seconds, on=self.on)
        with ProcessPoolExecutor(self.jobs) as workers:
            asked = [workers.submit(work, place) for place in places]
            for number, one in enumerate(as_completed(asked), 1):
                for entry in one.result():
                    self._keep(entry)
                if number % 100 == 0 or number == len(asked):
                    print(f"{number} of {len(asked)}, {time.monotonic() - started:.0f} s", flush=True)

    def _keep(self, entry: Entry) -> None:
        self.found.append(entry)
        self.log.add(entry)
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(line(entry))
        if entry.outcome in (DISAGREED, LATE, UNFIT):
            print(f"{entry.case}, {entry.scope}: {entry.peer} {entry.outcome}: {entry.text}", flush=True)

    def _forget(self, cases: set[str], places: Sequence[Place]) -> None:
        """Leaves out what the log says of models and scopes that are no more, and marks what has changed."""
        marks = {(p.task.case, str(p.scope), name): text for p in places for name, text in p.marks.items()}
        kept: list[Entry] = []
        for entry in self.log.entries:
            if entry.case in cases and entry.key in marks:
                kept.append(dataclasses.replace(entry, earlier=entry.export != marks[entry.key]))
            elif entry.seed is not None or (entry.case not in cases and (ROOT / entry.case).exists()):
                kept.append(entry)
        self.log.entries = kept

    def ended(self, what: str, started: float, record: bool) -> None:
        """Keeps what came of it, with when and how."""
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        processors = sum(one.ru_utime + one.ru_stime for one in spent)
        if self.found:
            names = tuple(peer.name for peer in self.peers)
            tools = {"": "; ".join(peer.version() for peer in self.peers)}
            told = machine({**tools, **own_versions()})
            wall = round(time.monotonic() - started, 1)
            run = Run(self.on, names, what, wall, round(processors, 1), self.jobs, told)
            self.log.runs.append(run)
        if self.file is not None:
            write(self.log.gathered() if record else self.log, self.file)
        if record:
            write_pages(read(RECORD))


def write_pages(log: Log) -> None:
    """Writes the pages from what is known."""
    PAGE.write_text(page(log), encoding="utf-8")
    AGREEMENT.write_text(with_summary(AGREEMENT.read_text(encoding="utf-8"), log), encoding="utf-8")


def options() -> argparse.ArgumentParser:
    """What the command line can have."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peer", action="append", choices=["spin", "nusmv", "tlc"], default=[], help="whom to ask")
    parser.add_argument("--nusmv", default="NuSMV", metavar="PROGRAM", help="where NuSMV is")
    parser.add_argument("--tlc-jar", type=Path, metavar="FILE", help="a `tla2tools.jar`, for TLC")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="model files, or folders with models")
    parser.add_argument("--random", type=int, default=0, metavar="COUNT", help="how many random models")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--states", type=int, help="states that the interpreter lists of a model at most")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="what one run of a peer may take")
    parser.add_argument("--again", action="store_true", help="ask about models that are judged already, too")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--log", type=Path, help="keep what was found there, and go on from there")
    where.add_argument("--record", action="store_true", help="keep it in this checkout, and write the pages")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Asks the peers, prints what came of it, and records it where that is asked for."""
    arguments = options().parse_args(words)
    known: tuple[Peer, ...] = (Spin(), NuSMV(arguments.nusmv), TLC(arguments.tlc_jar))
    peers = tuple(peer for peer in known if peer.name in arguments.peer)
    asks = bool(arguments.models or arguments.random)
    problems = [f"{peer.title}: {how}" for peer in peers if (how := peer.missing()) is not None]
    problems += [f"{path}: there is no such file or folder" for path in arguments.models if not path.exists()]
    if asks != bool(peers) or not (asks or arguments.record):
        problems.append("say whom to ask, with `--peer`, and about what, with `--models` or `--random`")
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 2
    started = time.monotonic()
    file: Path | None = RECORD if arguments.record else arguments.log
    log = Log() if file is None else read(file)
    session = Session(peers, known, log, file, arguments.jobs, arguments.seconds, arguments.again)
    asked: list[str] = []
    if arguments.models:
        session.models(list(model_files(arguments.models)), arguments.states or MOST_STATES)
        asked.append(f"{len(session.found):,} answers on models in a scope")
    if arguments.random:
        session.random(arguments.first, arguments.random, arguments.states or MOST_RANDOM_STATES)
        asked.append(f"{arguments.random:,} random models")
    session.ended(", ".join(asked), started, arguments.record)
    print(summary(session.found) or "nobody was asked anything: all of it is known")
    return 1 if any(entry.outcome == DISAGREED for entry in session.found) else 0


if __name__ == "__main__":
    sys.exit(main())
