"""Runs as Markdown for a comment on a pull request: a short table, and everything else to open."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from reconcheck.explain.cases import Case, Status, cases
from reconcheck.explain.cause import Cause
from reconcheck.explain.run import INTERNAL, Failure, Outcome, Run
from reconcheck.explain.verdict import Report
from reconcheck.model.operator import Expectation
from reconcheck.render.diagnosis_markdown import assumptions_markdown, diagnosis_markdown
from reconcheck.render.diagnostics import render_diagnostics
from reconcheck.render.markup import LIMIT, block, code, folded, size, table, within
from reconcheck.render.run import NOTHING, STATUS, render_failure
from reconcheck.render.text import Paint, render_answer

MARK = "<!-- reconcheck -->"
"""The first line: whoever writes the comment finds an earlier one by it."""
WORDS = {Status.PASSED: "ok", Status.FAILED: "**FAILED**", Status.UNKNOWN: "**unknown**", Status.OPEN: "not judged"}
HEADS = ("", "model", "goal", "scope", "verdict", "expected")
ROWS = LIMIT // 3
"""Characters for the table of what is not as asked; the rest is for what explains it."""
WHERE = "`reconcheck verify` prints everything."


def markdown(run: Run) -> str:
    """The comment about a run, of at most 65,536 characters."""
    rows, good = _rows(run)
    head = [MARK, f"### {_headline(run)}"]
    if rows:
        kept = _that_fit(rows)
        head.append(table(HEADS, kept))
        if len(kept) < len(rows):
            head.append(f"_and {len(rows) - len(kept):,} more rows like these_")
    parts = [part for outcome in run.outcomes for part in _details(outcome)]
    if good:
        kept = _that_fit(good)
        more = f"\n\n_and {len(good) - len(kept):,} more_" if len(kept) < len(good) else ""
        answers = f"{len(good):,} answer{'s' * (len(good) != 1)} as asked"
        parts.append((Weight.TOLD, folded(answers, table(HEADS, kept) + more)))
    blocks = [shown for _, shown in sorted(parts, key=lambda part: part[0])]
    return within(LIMIT, "\n\n".join(head), blocks, WHERE)


def _headline(run: Run) -> str:
    if not run.outcomes:
        return f"reconcheck: {NOTHING}"
    ok = sum(1 for outcome in run.outcomes if outcome.result.exit_code == 0)
    total = len(run.outcomes)
    what = "the model is" if total == 1 else f"all {total} models are"
    if ok == total:
        return f"reconcheck: {what} as asked"
    if total == 1:
        status = {1: "the model is not as asked", 3: "unknown"}
        code_ = run.outcomes[0].result.exit_code
        return f"reconcheck: {status.get(code_, 'internal error' if code_ == INTERNAL else 'the model is wrong')}"
    return f"reconcheck: {ok} of {total} models as asked"


def _rows(run: Run) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The rows of what is not as asked, and of the rest."""
    bad: list[tuple[str, ...]] = []
    good: list[tuple[str, ...]] = []
    for outcome in run.outcomes:
        if isinstance(outcome.result, Failure):
            first = outcome.result.diagnostics[0]
            status = f"**{STATUS[outcome.result.exit_code]}**"
            bad.append((status, code(outcome.file), "", "", f"{first.code}: {code(first.message)}", ""))
            continue
        for case in cases(outcome.result):
            expected = "" if case.expectation is None else _expected(case.expectation)
            verdict = case.answer.verdict + (f" [{case.answer.code}]" if case.answer.code else "")
            row = (
                WORDS[case.status],
                code(outcome.file),
                code(case.goal.name),
                code(str(case.scope)),
                verdict,
                expected,
            )
            (good if case.status in (Status.PASSED, Status.OPEN) else bad).append(row)
    return bad, good


def _expected(line: Expectation) -> str:
    causes = ", ".join(code(name) for name in line.because)
    return f"{line.verdict} because {causes}" if causes else line.verdict


def _that_fit(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first rows, as many as there is room for."""
    kept: list[tuple[str, ...]] = []
    room = ROWS
    for row in rows:
        room -= size(table((), [row]))
        if room < 0:
            break
        kept.append(row)
    return kept


# ---- what explains it -----------------------------------------------------------------------------------------


class Weight(IntEnum):
    """What comes first, and is left out last where there is too much."""

    WRONG = 0
    ADVICE = 1
    TOLD = 2
    EXPECTED = 3


def _details(outcome: Outcome) -> Iterator[tuple[Weight, str]]:
    """Why a model is not as asked, and what to do."""
    file, result = outcome.file, outcome.result
    if isinstance(result, Failure):
        shown = block(render_failure(file, result, False))
        yield Weight.WRONG, folded(f"{file}: {STATUS[result.exit_code]}", shown)
        return
    for case in cases(result):
        wrong = case.status in (Status.FAILED, Status.UNKNOWN)
        if wrong or case.answer.trace is not None:
            yield Weight.WRONG if wrong else Weight.EXPECTED, _run_of(file, result, case)
    if result.diagnosis is not None:
        yield from ((Weight.ADVICE, one) for one in diagnosis_markdown(file, result, result.diagnosis))
    if result.findings:
        found = render_diagnostics(result.findings, result.operator.sources)
        count = len(result.findings)
        yield Weight.TOLD, folded(f"{file}: {count} finding{'s' * (count != 1)}", block(found))
    yield Weight.EXPECTED, assumptions_markdown(file, result)
    if result.wake_ups:
        wakes = [(code(controller), code(rule), f"{count:,.1f}") for controller, rule, count in result.wake_ups]
        heads = ("controller", "rule", "a day for each object")
        yield Weight.EXPECTED, folded(f"{file}: scheduled wake-ups", table(heads, wakes))


def _run_of(file: str, report: Report, case: Case) -> str:
    """The run of an answer, or why it is unknown, and its causes."""
    shown = block(render_answer(report.operator, case.answer, Paint(False)))
    causes = "\n".join(f"- {_cause(cause)}" for cause in case.answer.causes)
    return folded(f"{file}: {case.name}: {case.answer.verdict}", f"{causes}\n\n{shown}" if causes else shown)


def _cause(cause: Cause) -> str:
    accepted = f" (polling is accepted here: {cause.accepted})" if cause.accepted else ""
    return f"**{cause.title}** [{cause.code}]{accepted}: {code(cause.message)}"
