"""Verifies and diagnoses a model for the page: what comes of it does not depend on the machine, unless it says so."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import reconcheck
from reconcheck.cause_kinds import BY_CODE
from reconcheck.explain.agenda import Agenda
from reconcheck.explain.asked import Asked
from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.diagnosis import Diagnosis
from reconcheck.explain.flows import one_hand
from reconcheck.explain.repair_search import SEARCHED
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Operator, Scope
from reconcheck.model.wakeups import wake_ups_of

from .results import Fix, GoalResult, ModelResult, Period, Reason

MODELS = Path(__file__).resolve().parent.parent.parent / "models"
LIMIT = 600.0
"""Seconds for one diagnosis: so many that only a search without a foreseeable end reaches it."""
ASIDE = re.compile(r'@"[^"]*"|//[^\n]*|("[^"]*")')
"""A citation or a comment in the text of a model, or another text in quotes, where neither can begin."""
AT_LINE = re.compile(r" \(L\d+\)")
"""Where in the model a change is made."""
DEEPEST = 20_000
"""Python's limit of recursion, as on the command line."""


def names() -> tuple[str, ...]:
    """The models by name; libraries, which have no operator, are none."""
    files = sorted(MODELS.rglob("*.rdsl"), key=lambda file: file.relative_to(MODELS).with_suffix("").parts)
    return tuple(
        file.relative_to(MODELS).with_suffix("").as_posix()
        for file in files
        if "operator" in file.read_text(encoding="utf-8").split()
    )


def read(name: str) -> Operator:
    """The operator of a model.  Raises `ModelError`."""
    return load(MODELS / f"{name}.rdsl").operator


def digest(operator: Operator) -> str:
    """What stands for a model, with what it imports: its text without citations, comments and layout, and its title."""
    texts = sorted((Path(file).name, _bare(text)) for file, text in operator.sources.items())
    parts = [*(part for named in texts for part in named), about(operator.doc)]
    return hashlib.sha256("".join(f"{part}\0" for part in parts).encode()).hexdigest()


def _bare(text: str) -> str:
    return " ".join(ASIDE.sub(lambda found: found[1] or " ", text).split())


def drawn(among: Iterable[str], count: int) -> tuple[str, ...]:
    """Some of the models: others with each change of the checker, and the same as long as there is none."""
    folder = Path(reconcheck.__file__).parent
    texts = sorted((file.relative_to(folder).as_posix(), file.read_bytes()) for file in folder.rglob("*.py"))
    checker = hashlib.sha256(b"".join(name.encode() + b"\0" + text + b"\0" for name, text in texts)).digest()
    order = sorted(among, key=lambda name: hashlib.sha256(checker + name.encode()).digest())
    return tuple(sorted(order[:count]))


def diagnosed(name: str, limit: float = LIMIT) -> ModelResult:
    """Verdicts, causes, levels and repairs of a model.  Raises `ModelError` and `InternalError`."""
    sys.setrecursionlimit(max(DEEPEST, sys.getrecursionlimit()))
    loaded = load(MODELS / f"{name}.rdsl")
    verifier = Verifier(loaded)
    agenda = Agenda(loaded, Asked(Scope(UNSCHEDULED), also=(Scope(SCHEDULED),)))
    verifier.work(agenda)
    report = agenda.report()
    started = time.monotonic()
    found = diagnose(report, one_hand(verifier), limit, lambda _doing: None)
    finished = time.monotonic() - started < SEARCHED * limit
    return _result(name, report, found, None if finished else limit)


def _result(name: str, report: Report, found: Diagnosis, given_up_after: float | None) -> ModelResult:
    operator = report.operator
    fixes = (Fix(without_lines(one.title), one.goals, one.level, len(one.edits)) for one in found.repairs)
    return ModelResult(
        name,
        digest(operator),
        about(operator.doc),
        operator.source[0] if operator.source is not None else "",
        _periods(operator, found),
        tuple(_goal(report, found, goal.name) for goal in operator.goals),
        tuple(fixes),
        given_up_after,
    )


def without_lines(title: str) -> str:
    """The changes of a repair, without their lines, which a citation or a line break would move.

    Changes that differ in nothing else are one, in so many places.
    """
    changes = AT_LINE.sub("", title).split("; ")
    counts = {change: changes.count(change) for change in changes}
    return "; ".join(f"{change}, in {count} places" if count > 1 else change for change, count in counts.items())


def about(doc: str) -> str:
    """The first sentence of a description."""
    first = " ".join(doc.split("\n\n")[0].split())
    end = first.find(". ")
    return first if end < 0 else first[: end + 1]


def _periods(operator: Operator, found: Diagnosis) -> tuple[Period, ...]:
    ends = {(need.kind, need.controller, need.name): need.wakes_converged for need in found.needs}
    periodic = [one for one in wake_ups_of(operator.controllers) if one.kind in ("schedule", "resync") and one.seconds]
    return tuple(
        Period(one.kind, one.controller, one.name, one.seconds or 0.0, ends.get((one.kind, one.controller, one.name)))
        for one in periodic
    )


def _goal(report: Report, found: Diagnosis, name: str) -> GoalResult:
    answers = {answer.scope.level: answer for answer in report.answers if answer.goal.name == name}
    levels = next((tuple(one.verdict for one in levels.answers) for levels in found.levels if levels.goal == name), ())
    kind = report.operator.goal(name).kind
    return GoalResult(name, kind, levels, _why(answers[UNSCHEDULED]), _why(answers[SCHEDULED]))


def _why(answer: Answer) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(Reason(BY_CODE[cause.code].name, cause.accepted) for cause in answer.causes))
