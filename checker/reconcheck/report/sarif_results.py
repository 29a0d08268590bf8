"""What is wrong with a model as SARIF results: answers, their causes, expectations, findings, errors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconcheck.diagnostic import Diagnostic, Severity
from reconcheck.explain.cases import Case, Status, cases
from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.diagnosis import Edit, Levels, Need, Repair
from reconcheck.explain.run import Failure
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import Expectation, Operator
from reconcheck.render.repairs import outcome
from reconcheck.render.text import HEADLINES
from reconcheck.render.values import types_of, value_text
from reconcheck.report.missing import missing as document
from reconcheck.report.sarif_flows import Related, code_flow
from reconcheck.report.sarif_places import Places, region, text
from reconcheck.report.sarif_rules import Rules

FINGERPRINT = "reconcheckQuestion/v1"
"""The name of the fingerprint: what a result is about, without any line number."""


class Results:
    """The results of a run, with the rules and places that they refer to."""

    def __init__(self, folder: str) -> None:
        self.rules, self.places = Rules(), Places(folder)
        self.found: list[dict[str, Any]] = []
        self._fingerprints: dict[tuple[str, ...], int] = {}

    def report(self, report: Report) -> None:
        """What a report has to say."""
        self.places.file(report.operator.file)
        for case in cases(report):
            if not case.answer.good:
                self._answer(report, case)
            if case.expectation is not None and case.status is not Status.PASSED:
                self._unmet(report, case, case.expectation)
        for finding in report.findings:
            self._diagnostic(finding, report.operator.sources)

    def failure(self, file: str, failure: Failure) -> list[Diagnostic]:
        """Why a model has no report; returns what is not about a place in it."""
        self.places.file(file)
        placed = [item for item in failure.diagnostics if item.span is not None]
        for item in placed:
            self._diagnostic(item, failure.sources)
        return [item for item in failure.diagnostics if item.span is None]

    # ---- one result each ---------------------------------------------------------------------------------------

    def _answer(self, report: Report, case: Case) -> None:
        operator, answer = report.operator, case.answer
        related = Related(operator, self.places)
        place = Place(answer.goal.span, answer.goal.cites)
        related.cited(place, answer.goal.name)
        harmful = self._harmful(report, answer)
        for need in harmful:
            related.also(Place(need.span), f"without {name_of(need)}, {answer.goal.name} converges")
        missing = answer.missing
        for one in () if missing is None else missing.unbounded:
            if (span := operator.declared.get(one.field)) is not None:
                related.also(Place(span), f"{one.field} can become any number")
        levels = self._levels(report, answer)
        known = answer.verdict != "unknown"
        repairs = report.diagnosis.repairs if report.diagnosis is not None and known else ()
        mending = [repair for repair in repairs if answer.goal.name in repair.goals]
        self._add(
            answer.code or "RC406",
            "; ".join([sentence(operator, answer), *_remarks(levels, harmful)]),
            place,
            (operator.name, answer.goal.name, str(answer.scope)),
            **self._judged(case, "error"),
            codeFlows=[
                code_flow(operator, trace, place, related, what)
                for trace, what in ((answer.trace, ""), (answer.faultless, ", without any fault"))
                if trace is not None
            ],
            relatedLocations=related.all(),
            fixes=[self._fix(repair) for repair in mending if repair.edits],
            properties={
                "goal": answer.goal.name,
                "scope": str(answer.scope),
                "verdict": answer.verdict,
                **({"engine": answer.engine} if answer.engine else {}),
                **({"unexplained": answer.unexplained} if answer.unexplained else {}),
                **({"missing": document(missing)} if missing is not None else {}),
                **_about_levels(levels),
                **_as_it_is(mending),
            },
        )
        for cause in answer.causes:
            self._cause(report, case, cause)

    def _levels(self, report: Report, answer: Answer) -> Levels | None:
        """The answers to the goal level by level, where they are known."""
        levels = () if report.diagnosis is None else report.diagnosis.levels
        return next((one for one in levels if one.goal == answer.goal.name), None)

    def _harmful(self, report: Report, answer: Answer) -> list[Need]:
        """The wake-ups without which the goal converges."""
        needs = () if report.diagnosis is None else report.diagnosis.needs
        return [need for need in needs if answer.goal.name in need.harmful]

    def _judged(self, case: Case, level: str) -> dict[str, Any]:
        """Level, kind and suppression: what an `expect` line says is no news, and what is unknown is open."""
        if case.answer.verdict == "unknown":
            return {"kind": "open", "level": "none", "suppressions": []}
        if case.status is Status.PASSED and case.expectation is not None:
            line = case.expectation
            why = f"expected in line {line.span.line}: {line.goal} {line.verdict} {line.scope}"
            suppression = {"kind": "inSource", "justification": why, "location": self.places.at(line.span)}
            return {"level": "note", "suppressions": [suppression]}
        return {"level": "note" if case.status is Status.OPEN else level, "suppressions": []}

    def _cause(self, report: Report, case: Case, cause: Cause) -> None:
        operator, answer = report.operator, case.answer
        related = Related(operator, self.places)
        place, *others = cause.places or (Place(answer.goal.span, answer.goal.cites),)
        related.cited(place, cause.title)
        for other in others:
            related.also(other, cause.title)
        related.also(Place(answer.goal.span, answer.goal.cites), f"the goal {answer.goal.name}")
        accepted = f"; polling is accepted here: {cause.accepted}" if cause.accepted else ""
        step = {} if cause.step is None else {"step": cause.step}
        self._add(
            cause.code,
            f"{answer.goal.name} fails {answer.scope}: {cause.message}{accepted}",
            place,
            (operator.name, answer.goal.name, str(answer.scope), cause.message),
            cause.title,
            **self._judged(case, "note" if cause.accepted else "warning"),
            relatedLocations=related.all(),
            properties={"goal": answer.goal.name, "scope": str(answer.scope), "accepted": cause.accepted, **step},
        )

    def _unmet(self, report: Report, case: Case, line: Expectation) -> None:
        """An `expect` line that is not met; the run itself is with the answer."""
        operator = report.operator
        related = Related(operator, self.places)
        related.also(Place(case.goal.span, case.goal.cites), f"the goal {case.goal.name}")
        unknown = case.status is Status.UNKNOWN
        self._add(
            "RC405",
            f"expected: {line.goal} {line.verdict} {line.scope}; found: {case.answer.verdict}",
            Place(line.span),
            (operator.name, line.goal, str(line.scope), line.verdict),
            **({"kind": "open", "level": "none"} if unknown else {"level": "error"}),
            suppressions=[],
            relatedLocations=related.all(),
            properties={"goal": line.goal, "scope": str(line.scope), "verdict": case.answer.verdict},
        )

    def _diagnostic(self, item: Diagnostic, sources: dict[str, str]) -> None:
        """A finding, or a mistake in the model."""
        assert item.span is not None
        lines = sources.get(item.span.file, "").split("\n")
        about = lines[item.span.line - 1].strip() if 0 < item.span.line <= len(lines) else ""
        fix = (
            []
            if item.fix is None
            else [("Write what stands here instead", (Edit(item.fix.span, item.fix.replacement),))]
        )
        self._add(
            item.code,
            f"{item.message}. {item.instead[:1].upper()}{item.instead[1:]}." if item.instead else f"{item.message}.",
            Place(item.span),
            (item.message, about),
            level="error" if item.severity is Severity.ERROR else "warning",
            suppressions=[],
            fixes=[self._edits(title, edits) for title, edits in fix],
        )

    def _add(self, code: str, message: str, place: Place, about: Sequence[str], title: str = "", **more: Any) -> None:
        """A result; empty properties are left out, but for `suppressions`, which is on all or on none."""
        location = self.places.at(place.span)
        key = (code, location["physicalLocation"]["artifactLocation"]["uri"], *about)
        again = self._fingerprints[key] = self._fingerprints.get(key, -1) + 1
        digest = hashlib.sha256("\0".join([*key, str(again)]).encode()).hexdigest()[:32]
        self.found.append(
            {
                "ruleId": code,
                "ruleIndex": self.rules.index(code, title),
                "message": text(message),
                "locations": [location],
                "partialFingerprints": {FINGERPRINT: digest},
                **{name: value for name, value in more.items() if value or name == "suppressions"},
            }
        )

    # ---- fixes -------------------------------------------------------------------------------------------------

    def _fix(self, repair: Repair) -> dict[str, Any]:
        return self._edits(f"{repair.title}; then {outcome(repair)}", repair.edits)

    def _edits(self, title: str, edits: Iterable[Edit]) -> dict[str, Any]:
        """A fix; replacements of one file do not overlap and are in the order of the file."""
        files: dict[str, list[Edit]] = {}
        for edit in sorted(edits, key=lambda one: one.span):
            files.setdefault(edit.span.file, []).append(edit)
        return {
            "description": text(title),
            "artifactChanges": [
                {
                    "artifactLocation": self.places.file(file),
                    "replacements": [
                        {"deletedRegion": region(edit.span), "insertedContent": {"text": edit.text}} for edit in changes
                    ],
                }
                for file, changes in files.items()
            ],
        }


def _remarks(levels: Levels | None, harmful: Iterable[Need]) -> Iterator[str]:
    """What the diagnosis adds to a verdict."""
    if levels is not None and levels.beyond:
        yield "beyond any schedule: it fails at every level"
    names = ", ".join(name_of(need) for need in harmful)
    if names:
        yield f"harmful: without {names} it converges"


def _about_levels(levels: Levels | None) -> dict[str, Any]:
    """The verdicts at each level, as properties."""
    if levels is None:
        return {}
    answers = {f"L{number}": answer.verdict for number, answer in enumerate(levels.answers)}
    return {"levels": answers, "lowestLevel": levels.lowest, "beyondAnySchedule": levels.beyond}


def _as_it_is(repairs: Iterable[Repair]) -> dict[str, Any]:
    """Advice that leaves the model as it is, as a property: a fix has changes, by the rules of the format."""
    kept = [f"{repair.title}: {outcome(repair)}" for repair in repairs if not repair.edits]
    return {"withoutChanges": kept} if kept else {}


def name_of(need: Need) -> str:
    """A wake-up as a sentence names it."""
    return f"watch {need.name}" if need.kind == "watch" else need.name


def sentence(operator: Operator, answer: Answer) -> str:
    """An answer in one sentence, with the values that the goal is about."""
    head = f"{answer.goal.name}: {HEADLINES[answer.verdict]}, {answer.scope}"
    if answer.trace is None:
        parts = () if answer.missing is None else answer.missing.open
        open_ = f"; open: {', '.join(parts)}" if parts else ""
        return f"{head}: {answer.reason}{open_}" if answer.reason else head
    types = types_of(operator)
    values = [f"{name} is {value_text(name, value, types)}" for name, value in answer.trace.final]
    return f"{head}: at the end {', '.join(values)}" if values else head
