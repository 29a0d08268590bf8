"""Verification from Python: `reconcheck.verify(path).goal("secret").converges`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import Struct

from reconcheck.cache.results import Results
from reconcheck.cli.errors import wrong_value
from reconcheck.cli.options import ScopeAsked, time_limit
from reconcheck.cli.request import Request
from reconcheck.diagnostic import Diagnostic
from reconcheck.explain.verdict import GOOD, Answer, Checked, Report
from reconcheck.model.assemble import VERDICTS

if TYPE_CHECKING:
    import os

    from reconcheck.explain.cause import Cause
    from reconcheck.explain.trace import Trace
    from reconcheck.model.operator import Goal, Loaded, Operator, Scope
    from reconcheck.proof import certificate as proofs

DEEPEST = 20_000
"""Python's limit of recursion meanwhile: expressions of a model may be nested deeper than it is by default."""
DIVERGES = frozenset({"quiet", "livelock"})


def verify(
    path: str | os.PathLike[str],
    *,
    goals: Iterable[str] = (),
    schedule: bool = False,
    without: Iterable[str] = (),
    level: str | None = None,
    settings: Mapping[str, int] | None = None,
    timeout: float | None = None,
    cache: bool = True,
) -> Verification:
    """Verifies the model in a file, as `reconcheck verify` does with the same options.

    `goals` are the questions asked, by default all; `schedule` keeps scheduled wake-ups; `without` takes wake-ups away,
    and `level` all above one of L0 to L4; `settings` are values of parameters; `timeout` is in seconds, and what has
    no answer by then is unknown; `cache` is whether an answer found before may be used.  Raises `ModelError` where the
    model or an option is wrong, and `InternalError` where a result does not pass its check.
    """
    only = None if level is None else str(level).upper()
    scope = ScopeAsked("schedule" if schedule else None, _names(without), only)
    request = Request(_names(goals), scope, _values(settings), _limit(timeout))
    with recursion():
        results = Results(cache)
        lookup = results.find(Path(path), request.options)
        if lookup.report is not None:
            return Verification(lookup.report)
        loaded, asked = request.load(Path(path))
        from reconcheck.explain.agenda import Agenda

        agenda = Agenda(loaded, asked, timeout)
        request.verifier(loaded, lambda _doing: None).work(agenda)
        report = agenda.report()
        results.keep(lookup, report)
        return Verification(report)


def load(path: str | os.PathLike[str], settings: Mapping[str, int] | None = None) -> Loaded:
    """Reads and checks a model without verifying it: its `operator` and `findings`.  Raises `ModelError`."""
    from reconcheck.model.load import load as load_model

    with recursion():
        return load_model(Path(path), _values(settings))


class Verification(Struct, frozen=True):
    """What came of a model.  Ask it for a goal; it is neither true nor false itself."""

    report: Report

    def goal(self, name: str) -> Verdict:
        """The verdict on a goal, in the scope that was asked about.  Raises `KeyError` where it was not asked."""
        for verdict in self.verdicts:
            if verdict.goal == name:
                return verdict
        known = ", ".join(verdict.goal for verdict in self.verdicts)
        raise KeyError(f"`{name}` was not asked about; these were: {known}")

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on all goals asked about, in the model's order."""
        return tuple(Verdict(self.report, answer) for answer in self.report.answers)

    @property
    def expectations(self) -> tuple[Checked, ...]:
        """The `expect` lines that were asked about, each with `answer` and whether it is `met`."""
        return self.report.expectations

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """What is odd about the model itself."""
        return self.report.findings

    @property
    def as_asked(self) -> bool:
        """Whether all `expect` lines are met and every goal without one has a good answer: exit code 0."""
        return self.report.exit_code == 0

    @property
    def exit_code(self) -> int:
        """The exit code that `reconcheck verify` would have."""
        return self.report.exit_code

    @property
    def cached(self) -> bool:
        """Whether it was found on an earlier run, and nothing has changed since."""
        return self.report.cached

    def text(self) -> str:
        """The report as `reconcheck verify` prints it, without colours."""
        from reconcheck.render.text import Paint, render_report

        return render_report(self.report, Paint(False))

    def document(self) -> dict[str, Any]:
        """The report as in `--format json`: one of its `models`."""
        from reconcheck.report.document import model

        return model(self.report)

    def __bool__(self) -> NoReturn:
        raise TypeError("a verification is neither true nor false: ask for a goal, or for `.as_asked`")


class Verdict(Struct, frozen=True):
    """The verdict on one goal in one scope.  It is neither true nor false itself: say which verdict you mean.

    What is `unknown` neither converges nor diverges.  To ask a goal for the verdict of another kind of question raises
    `ValueError`, so that a misspelt test cannot pass.
    """

    report: Report
    answer: Answer

    @property
    def goal(self) -> str:
        """The name of the goal."""
        return self.answer.goal.name

    @property
    def scope(self) -> Scope:
        """Which wake-ups were there."""
        return self.answer.scope

    @property
    def verdict(self) -> str:
        """The verdict: converges, quiet, livelock; holds, fails; reachable, unreachable; or unknown."""
        return self.answer.verdict

    @property
    def converges(self) -> bool:
        """Whether it is proved that the goal is reached, and stays."""
        return self._is("converges")

    @property
    def diverges(self) -> bool:
        """Whether there is a run on which the goal is not reached, or does not stay."""
        self._is("converges")
        return self.verdict in DIVERGES

    @property
    def quiet(self) -> bool:
        """Whether there is a run that comes to rest without the goal."""
        return self._is("quiet")

    @property
    def livelock(self) -> bool:
        """Whether there is a run that stays busy for ever without settling on the goal."""
        return self._is("livelock")

    @property
    def holds(self) -> bool:
        """Of an `always`: whether it is proved in every reachable state."""
        return self._is("holds")

    @property
    def fails(self) -> bool:
        """Of an `always`: whether it is false in some reachable state."""
        return self._is("fails")

    @property
    def reachable(self) -> bool:
        """Of a `reachable`: whether a run gets there."""
        return self._is("reachable")

    @property
    def unreachable(self) -> bool:
        """Of a `reachable`: whether it is proved that no run gets there."""
        return self._is("unreachable")

    @property
    def unknown(self) -> bool:
        """Whether there is no answer; `reason` says why."""
        return self.verdict == "unknown"

    @property
    def good(self) -> bool:
        """Whether the answer is the one that an author hopes for: converges, holds or reachable."""
        return self.verdict in GOOD

    @property
    def reason(self) -> str:
        """Why it is unknown, or what else there is to say about it."""
        return self.answer.reason

    @property
    def seconds(self) -> float:
        """What the answer took when it was found."""
        return self.answer.seconds

    @property
    def trace(self) -> Trace | None:
        """The run that shows it, replayed on the reference interpreter."""
        return self.answer.trace

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why the goal fails."""
        return self.answer.causes

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the proof; None where nothing was proved."""
        proof = self.answer.certificate
        return None if proof is None else Certificate(self.report.operator, self.answer.goal, self.scope, proof)

    def text(self) -> str:
        """The answer with its trace, as `reconcheck verify` prints it, without colours."""
        from msgspec.structs import replace

        return Verification(replace(self.report, answers=(self.answer,), expectations=(), findings=())).text()

    def _is(self, verdict: str) -> bool:
        kind = self.answer.goal.kind
        if verdict not in VERDICTS[kind]:
            raise ValueError(f"`{self.goal}` is {verdict}? It asks `{kind}`: {', '.join(VERDICTS[kind])}")
        return self.verdict == verdict

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is neither true nor false: ask for `.converges`, `.diverges`, `.good` or the like")

    def __str__(self) -> str:
        return f"{self.goal} {self.verdict} {self.scope}"


class Certificate(Struct, frozen=True):
    """A proof that the independent checker has accepted, and that `reconcheck certify` can check again."""

    operator: Operator
    goal: Goal
    scope: Scope
    proof: proofs.Proof | proofs.Invariant

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Writes the proof (.json) and its obligations (.smt2) into a folder; gives both paths.

        It is checked anew before.  Raises `InternalError` where that fails, `ModelError` where it cannot be written.
        """
        from reconcheck.certify.certificates import issue, labels
        from reconcheck.cli.files import replace_text

        file = self.operator.file
        with recursion():
            issued = issue(self.operator, self.goal, self.scope, self.proof, labels([file])[file])
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot make the folder {folder}: {error.strerror}"
            raise wrong_value(message, "give another folder") from error
        proof, obligations = (Path(folder) / f"{issued.name}.{ending}" for ending in ("json", "smt2"))
        replace_text(obligations, issued.obligations)
        replace_text(proof, issued.proof)
        return proof, obligations


def _values(settings: Mapping[str, int] | None) -> dict[str, int]:
    """The parameters given.  Raises `ModelError` (RC107) for what is no whole number."""
    values: dict[str, int] = {}
    for name, value in (settings or {}).items():
        try:
            values[str(name)] = index(value)
        except TypeError:
            raise wrong_value(f"`{name}` is set to {value!r}", "a parameter is a whole number") from None
    return values


def _limit(timeout: float | None) -> float | None:
    """The time limit.  Raises `ModelError` (RC107) for what is none."""
    try:
        return None if timeout is None else time_limit(timeout)
    except ValueError as error:
        raise wrong_value(str(error), "give `timeout` in seconds, or leave it out") from None


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """The names as a tuple: one name is not taken for its letters."""
    return (names,) if isinstance(names, str) else tuple(names)


@contextmanager
def recursion() -> Iterator[None]:
    """Lets Python recurse as deep as models need it, and sets its limit back."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
