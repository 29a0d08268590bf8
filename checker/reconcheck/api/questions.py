"""The questions that a model asks itself, one by one: what its `expect` lines say, and the goals without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from reconcheck.api.snapshot import causes
from reconcheck.api.verification import Verification, recursion
from reconcheck.cache.results import Results
from reconcheck.explain.agenda import Agenda
from reconcheck.explain.asked import Asked
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import assemble
from reconcheck.model.operator import Loaded, Scope
from reconcheck.render.text import Paint, render_report
from reconcheck.syntax.parser import parse_file

HOPED = {"converges": "converges", "always": "holds", "reachable": "reachable"}
"""The verdict that is expected of a goal, by its kind, where the model does not say."""


class Question(Struct, frozen=True):
    """A goal in a scope with the verdict expected of it; `line` is where the model says so."""

    goal: str
    expected: str
    scope: Scope
    line: int
    because: tuple[str, ...] = ()
    """The causes that have to be among those found."""

    @property
    def name(self) -> str:
        """The question in the words of the language."""
        return f"{self.goal} {self.expected} {self.scope}"


def is_library(path: Path) -> bool:
    """Whether a file has kinds and types only.  Raises `ModelError` where it is no model at all."""
    with recursion():
        return parse_file(path)[0].operator is None


class ModelQuestions:
    """The questions about one model.

    What was found out about its states is kept between two questions in a row, and only for one model at a time: it
    may be much.
    """

    _latest: ModelQuestions | None = None

    def __init__(self, path: Path, loaded: Loaded, timeout: float | None = None, cache: bool = True) -> None:
        self.path, self.loaded, self.timeout, self.cache = path, loaded, timeout, cache
        self._verifier: Verifier | None = None

    @classmethod
    def read(cls, path: Path, timeout: float | None = None, cache: bool = True) -> ModelQuestions | None:
        """The questions about a model; None about a library.  Raises `ModelError`."""
        with recursion():
            file, text = parse_file(path)
            return None if file.operator is None else cls(path, assemble(file, text, path, {}), timeout, cache)

    def all(self) -> Iterator[Question]:
        """Every question, in the order of the model: the `expect` lines, then the goals without one."""
        operator = self.loaded.operator
        for expectation in operator.expectations:
            line = expectation.span.line
            yield Question(expectation.goal, expectation.verdict, expectation.scope, line, expectation.because)
        said = {expectation.goal for expectation in operator.expectations}
        for goal in operator.goals:
            if goal.name not in said:
                yield Question(goal.name, HOPED[goal.kind], Scope(), goal.span.line)

    def ask(self, question: Question) -> Verification:
        """The answer to one question."""
        results = Results(self.cache)
        lookup = results.find(self.path, {"goal": question.goal, "scope": question.scope})
        report = lookup.report
        if report is None or report.operator.sources != self.loaded.operator.sources:
            report = self._found(question)
            results.keep(lookup, report)
        return Verification(report)

    def _found(self, question: Question) -> Report:
        if ModelQuestions._latest is not self:
            if ModelQuestions._latest is not None:
                ModelQuestions._latest._verifier = None
            ModelQuestions._latest = self
        asked = Asked(question.scope, frozenset({question.goal}), every_scope=False)
        with recursion():
            if self._verifier is None:
                self._verifier = Verifier(self.loaded, self.timeout)
            agenda = Agenda(self.loaded, asked, self.timeout)
            self._verifier.work(agenda)
        return agenda.report()


def complaint(question: Question, done: Verification) -> str:
    """What to say where a question has another answer than expected: which, why, and the report that shows it."""
    answer = done.report.answers[0]
    wanted = f" because {', '.join(question.because)}" if question.because else ""
    lines = [f"expected: {question.name}{wanted}", f"but it is: {answer.verdict}", *causes(answer)]
    if answer.reason and answer.trace is None:
        lines.append(f"  {answer.reason}")
    return "\n".join([*lines, "", render_report(done.report, Paint(False))])
