"""Reports as text of at most 100 columns, readable without colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.explain.assumptions import Assumption, assumptions_of, workers
from reconcheck.explain.cause import Place
from reconcheck.explain.ranges import ranges
from reconcheck.explain.trace import Change, Trace, TraceStep
from reconcheck.explain.verdict import Answer, Checked, Report
from reconcheck.model.operator import Operator, Scope
from reconcheck.model.types import Type, Value
from reconcheck.render.diagnostics import render_diagnostics
from reconcheck.render.missing import render_missing
from reconcheck.render.values import step_text, types_of, value_text

if TYPE_CHECKING:
    from reconcheck.export.replay import Imported

WIDTH = 100
GREEN, RED, YELLOW, BOLD, DIM, RESET = "\033[32m", "\033[31m", "\033[33m", "\033[1m", "\033[2m", "\033[0m"

HEADLINES = {
    "converges": "converges",
    "holds": "the property holds",
    "quiet": "quiet but not converged",
    "livelock": "runs for ever without converging (livelock)",
    "fails": "the property is violated",
    "reachable": "a run that gets there",
    "unreachable": "no run gets there",
    "unknown": "unknown",
}


class Paint(Struct, frozen=True):
    """Colours, or none."""

    on: bool

    def __call__(self, style: str, text: str) -> str:
        """The text in a style."""
        return f"{style}{text}{RESET}" if self.on else text


def render_report(report: Report, paint: Paint) -> str:
    """The whole report of one model."""
    operator = report.operator
    blocks = [_headline(report, paint), _table(report, paint)]
    blocks += [render_answer(operator, answer, paint) for answer in _shown(report) if _worth_a_block(answer)]
    blocks.append(_context(report))
    if report.findings:
        blocks.append(render_diagnostics(report.findings, operator.sources, paint.on))
    if report.expectations:
        blocks.append(_expectations(report.expectations, paint))
    if report.cached:
        blocks.append(f"from the cache: found before, in {report.seconds:.2f} s; `--no-cache` verifies anew")
    return "\n\n".join(block for block in blocks if block)


def _headline(report: Report, paint: Paint) -> str:
    operator, scope = report.operator, report.scope
    questions = [answer for answer in report.answers if answer.goal.kind == "converges"]
    how = "with scheduled reconciliation" if scope.schedule else "without scheduled reconciliation"
    how += "".join(f", without {name}" for name in scope.without)
    if not questions:
        text, style = "has no convergence goal in this run", ""
    elif all(answer.verdict == "converges" for answer in questions):
        text, style = f"converges {how}", GREEN
    elif any(answer.verdict in ("quiet", "livelock") for answer in questions):
        text, style = f"does not converge {how}", RED
    else:
        text, style = f"unknown whether it converges {how}", YELLOW
    shown = paint(BOLD, operator.name) + "  " + (paint(style, text) if style else text)
    return shown + _to_the_right(f"{operator.name}  {text}", operator.file)


def _to_the_right(left: str, right: str) -> str:
    """What to append to `left` so that `right` ends at the margin, on a line of its own if it must."""
    gap = WIDTH - len(left) - len(right)
    return " " * gap + right if gap >= 2 else "\n" + right.rjust(WIDTH)


def _shown(report: Report) -> tuple[Answer, ...]:
    """The answers in the scope asked for, and those of expectations that are not met."""
    extra = [checked.answer for checked in report.expectations if not checked.met]
    return tuple(dict.fromkeys([*report.answers, *extra]))


def _table(report: Report, paint: Paint) -> str:
    answers = list(dict.fromkeys([*report.answers, *(checked.answer for checked in report.expectations)]))
    names = max((len(answer.goal.name) for answer in answers), default=4)
    scopes = max((len(str(answer.scope)) for answer in answers), default=5)
    verdicts = max((len(answer.verdict) for answer in answers), default=7)
    lines = [f"  {'goal':<{names}}  {'scope':<{scopes}}  {'verdict':<{verdicts}}  {'time':>8}"]
    for answer in answers:
        style = GREEN if answer.good else YELLOW if answer.verdict == "unknown" else RED
        verdict = paint(style, answer.verdict) + " " * (verdicts - len(answer.verdict))
        head = f"  {answer.goal.name:<{names}}  {answer.scope!s:<{scopes}}  {verdict}  {answer.seconds:6.2f} s  "
        indent = names + scopes + verdicts + 18
        first, *more = textwrap.wrap(_why(answer), max(WIDTH - indent, 30)) or [""]
        lines += [head + first, *(" " * indent + line for line in more)]
    return "\n".join(line.rstrip() for line in lines)


def _why(answer: Answer) -> str:
    """What an answer rests on: the engine, and how much it had to look at."""
    if answer.proof is not None:
        proof = answer.proof
        size = f" of up to {proof.variables} variables" if proof.slices > 1 else f" of {proof.variables} variables"
        found = f"{_count(proof.slices, 'slice')}{size}" if proof.slices else answer.engine
        return f"{found}, {_count(proof.states, 'state')}, {_count(proof.obligations, 'Z3 obligation')}"
    if answer.trace is not None:
        looked = f", {_count(answer.states, 'state')}" if answer.states else ", which lists no states"
        length = _count(len(rows_of(answer.trace)), "step")
        return f"{length}{_fewest(answer, answer.trace)}, replayed; {answer.engine}{looked}"
    return answer.reason


def _fewest(answer: Answer, trace: Trace) -> str:
    """What is known of runs with fewer steps, where not all are excluded."""
    if trace.loop is not None:
        return ""
    if not trace.shortest:
        return " (perhaps not the fewest)"
    quiet_only = trace.end == "quiet" and answer.engine in ("guided search", "bounded search")
    return " (the fewest to a quiet state)" if quiet_only else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _worth_a_block(answer: Answer) -> bool:
    return answer.trace is not None or answer.verdict == "unknown"


def render_answer(operator: Operator, answer: Answer, paint: Paint) -> str:
    """A verdict with its run, or with why it is not known."""
    place = f"{operator.file}:{answer.goal.span.line}"
    code = f" [{answer.code}]" if answer.code else ""
    left = f"{answer.goal.name}: {HEADLINES[answer.verdict]}{code}, {answer.scope}"
    lines = [paint(BOLD, left) + _to_the_right(left, place)]
    if answer.trace is None:
        lines += textwrap.wrap(answer.reason, WIDTH - 4, initial_indent="  ", subsequent_indent="  ")
        if answer.missing is not None:
            lines += render_missing(answer.missing, types_of(operator), WIDTH - 2)
        return "\n".join(lines)
    lines += _trace(operator, answer.trace, paint)
    lines += _why_not(operator, answer)
    if answer.faultless is not None:
        lines += ["  it happens without any fault as well:", *_trace(operator, answer.faultless, paint)]
    return "\n".join(lines)


def _why_not(operator: Operator, answer: Answer) -> list[str]:
    """The causes: what kind, what happened in which row, whether polling is accepted there, and where it is."""
    lines: list[str] = []
    if answer.unexplained:
        return textwrap.wrap(
            f"not told: {answer.unexplained}", WIDTH - 2, initial_indent="  why     ", subsequent_indent=" " * 10
        )
    for cause in answer.causes:
        head = "  why     " if not lines else " " * 10
        accepted = f"accepted: {cause.accepted}" if cause.accepted else "avoidable"
        lines.append(f"{head}{cause.title} [{cause.code}], {accepted}")
        row = "" if cause.step is None else f"step {_row_of(answer, cause.step)}: "
        lines += _indented(f"{row}{cause.message}")
        lines += _indented(", ".join(_where(operator, place) for place in cause.places))
    return lines


def _row_of(answer: Answer, step: int) -> int:
    """The row in which a step of the trace, from 1, is shown."""
    assert answer.trace is not None
    return sum(1 for row in rows_of(answer.trace) if row.index < step)


def _where(operator: Operator, place: Place) -> str:
    """A line of the model, with what it cites."""
    file = "" if place.span.file == operator.file else f"{place.span.file} "
    cited = ", ".join(cite.location for cite in place.cites)
    return f"{file}L{place.span.line}{f' ({cited})' if cited else ''}"


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 2, initial_indent=" " * 12, subsequent_indent=" " * 12)


# ---- traces -------------------------------------------------------------------------------------------------


class Row(Struct, frozen=True):
    """A step as shown; with `begins`, the `start` right before it is part of it."""

    index: int
    step: TraceStep
    begins: bool = False


def rows_of(trace: Trace) -> list[Row]:
    """The steps as shown: a `start` right before its reconcile step is one row with it."""
    rows: list[Row] = []
    for index, step in enumerate(trace.steps):
        verb, _, name = step.step.action.partition(" ")
        last = rows[-1] if rows else None
        if (
            last is not None
            and verb == "reconcile"
            and last.step.step.action == f"start {name}"
            and trace.loop != index
        ):
            changes = _merge(last.step.changes, step.changes)
            rows[-1] = Row(last.index, replace(step, changes=changes), begins=True)
        else:
            rows.append(Row(index, step))
    return rows


def _merge(first: tuple[Change, ...], second: tuple[Change, ...]) -> tuple[Change, ...]:
    changes = {change.variable: change for change in first}
    for change in second:
        old = changes[change.variable].old if change.variable in changes else change.old
        changes[change.variable] = Change(change.variable, old, change.new)
    return tuple(change for change in changes.values() if change.old != change.new)


def _trace(operator: Operator, trace: Trace, paint: Paint) -> list[str]:
    types = types_of(operator)
    lines = _table_of_steps(operator, trace, paint)
    lines.append(f"  |-- {ending(trace)}")
    if trace.final:
        values = ", ".join(f"{name} is {value_text(name, value, types)}" for name, value in trace.final)
        lines += textwrap.wrap(values, WIDTH - 6, initial_indent="      ", subsequent_indent="      ")
    for reason in trace.fair:
        lines.append(f"      fair: {reason}")
    lines.append(f"  checked: replayed step by step on the reference interpreter{_perhaps_shorter(trace)}")
    return lines


def _perhaps_shorter(trace: Trace) -> str:
    """What was left open about shorter runs."""
    if trace.shortest:
        return ""
    what = "run" if trace.loop is None else "loop"
    return f" (the search for a shorter {what} was cut short)"


def _table_of_steps(operator: Operator, trace: Trace, paint: Paint) -> list[str]:
    types = types_of(operator)
    rows = rows_of(trace)
    cells = [("step", "what happens", "who", "changed", "woke the controller?")]
    for number, row in enumerate(rows, 1):
        step = row.step
        cells.append((str(number), happens(row, types), step.who, changed(step, types), step.woke))
    who = min(max(11, *(len(cell[2]) for cell in cells)), 16)  # names are rarely longer, and hard to read in parts
    widths = (4, 39 - who, who, 25)
    start = ", ".join(f"{name} = {value_text(name, value, types)}" for name, value in trace.start)
    lines = textwrap.wrap(f"at first: {start or 'every field is zero, false or none'}", WIDTH - 2,
                          initial_indent="  ", subsequent_indent="            ")  # fmt: skip
    loop_row = next((i for i, row in enumerate(rows) if trace.loop is not None and row.index >= trace.loop), None)
    for number, cell in enumerate(cells):
        mark = "| " if loop_row is not None and number > loop_row else "  "
        block = _row(mark, cell, widths)
        lines += [paint(DIM, line) for line in block] if number == 0 else block
    return lines


def render_walk(operator: Operator, scope: Scope, trace: Trace, seed: int, paint: Paint) -> str:
    """A random walk, step by step."""
    head = f"{operator.name}  a walk of {len(trace.steps)} steps {scope}, seed {seed}"
    goals = ", ".join(f"{name} {'holds' if value else 'does not hold'}" for name, value in trace.final)
    lines = [paint(BOLD, head), *_table_of_steps(operator, trace, paint)]
    end = "nothing has to happen any more" if trace.end == "quiet" else "the walk goes on"
    lines.append(f"  |-- {end}: {goals}")
    return "\n".join(lines)


def render_imported(operator: Operator, scope: Scope, imported: Imported, paint: Paint) -> str:
    """A counterexample of another checker, or its witness, in the model's terms."""
    said = HEADLINES[imported.verdict]
    head = f"{imported.goal.name}: {said}, {scope}; found by {imported.tool}"
    colour = GREEN if imported.verdict == "reachable" else RED
    return "\n".join([paint(colour, head), *_trace(operator, imported.trace, paint)])


def _row(mark: str, cells: tuple[str, ...], widths: tuple[int, ...]) -> list[str]:
    every_width = (*widths, WIDTH - sum(widths) - 2 * len(widths) - 2)
    columns = [_wrapped(cell, width) for cell, width in zip(cells, every_width, strict=True)]
    lines = []
    for index in range(max(len(column) for column in columns)):
        parts = [column[index] if index < len(column) else "" for column in columns]
        padded = [f"{part:<{width}}" for part, width in zip(parts, (*widths, 0), strict=True)]
        lines.append((mark + "  ".join(padded)).rstrip())
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of a cell; a word that is too long is broken behind a dot, if it has one in reach."""
    words: list[str] = []
    for word in text.split():
        while len(word) > width:
            cut = word.rfind(".", 0, width) + 1 or width
            words.append(word[:cut])
            word = word[cut:]
        words.append(word)
    return textwrap.wrap(" ".join(words), width, break_on_hyphens=False) or [""]


def ending(trace: Trace) -> str:
    """What the end of a run means."""
    match trace.end:
        case "quiet":
            return "quiet for ever: nothing is queued, no timer is armed, nothing else has to happen"
        case "livelock":
            renamed = ", with other opaque values each time, equal where they were" if _renames(trace) else ""
            return f"the steps marked with | repeat for ever{renamed}"
        case "violation":
            return "here the property is false"
        case _:
            return "here it is true"


def _renames(trace: Trace) -> bool:
    """Whether a loop ends in a state that only a renaming of opaque values makes the one where it begins."""
    before: dict[str, Value] = {}
    after: dict[str, Value] = {}
    for change in (change for step in trace.steps[trace.loop :] for change in step.changes):
        before.setdefault(change.variable, change.old)
        after[change.variable] = change.new
    return before != after


def happens(row: Row, types: dict[str, Type]) -> str:
    """What a step is, in words, with what it sees that is not so any more."""
    step = row.step
    if not step.step.action.startswith("reconcile "):
        return step_text(step.step)
    seen = ", ".join(f"{c.variable} = {value_text(c.variable, c.old, types)}" for c in step.sees)
    head = "reconcile begins" if row.begins else "reconcile"
    return f"{head}: {step.step.detail}{f', still sees {seen}' if seen else ''}"


def changed(step: TraceStep, types: dict[str, Type]) -> str:
    """What a step changed in the world, the memory or the timers; the rest is bookkeeping."""
    shown = []
    for change in step.changes:
        name = change.variable
        if re.match(r"(view|stale|event|held|pc|queued|recreated)\(", name) or "/" in name:
            continue
        if name.startswith("timer(") and "." in name.partition(")")[2]:
            continue
        label = "timer" if name.startswith("timer(") else name
        old, new = value_text(name, change.old, types), value_text(name, change.new, types)
        shown.append(f"{label}: {old} -> {new}")
    return ", ".join(shown)


# ---- context, expectations, totals ----------------------------------------------------------------------------


def _context(report: Report) -> str:
    operator = report.operator
    assumed = assumptions_of(report)
    on = [f"{one.name}{_needed(one)}" for one in assumed if one.kind == "fault" and one.on]
    off = [one.name for one in assumed if one.kind == "fault" and not one.on]
    fair = ranges(f"{one.name}{_use(report, one)}" for one in assumed if one.kind == "fairness")
    stops = [action.name for action in operator.actions if action.kind == "disturbance"]
    lines = [f"faults on: {', '.join(on) or 'none'}; off: {', '.join(off) or 'none'}"]
    if fair:
        lines.append(f"fair processes: {', '.join(fair)}")
    if stops:
        lines.append(f"disturbances (finitely often): {', '.join(ranges(stops))}")
    if operator.managers[0].name:
        processes = (f"{manager.name} ({manager.profile.name})" for manager in operator.managers)
        lines.append(f"each a process with a cache of its own: {', '.join(processes)}")
    lines.append(workers(operator))
    values = [f"{name} = {value}" for name, value in operator.parameters]
    if values:
        lines.append("parameters: " + ", ".join(values))
    out = _block("assumes", lines)
    several = len({controller for controller, _, _ in report.wake_ups}) > 1
    wakes = [
        f"{rule}{f' of {controller}' if several else ''}: {_per_day(count)}"
        for controller, rule, count in report.wake_ups
    ]
    if wakes:
        unload = any(manager.profile["unloads"] == "yes" for manager in operator.managers)
        what = "scheduled wake-ups" + (", each of which loads an unloaded operator again" if unload else "")
        out += "\n" + _block("schedule", [f"{what}:", *wakes])
    return out


def _per_day(count: float) -> str:
    return f"{count:,.{int(count < 10)}f} a day for each object" if count else "none, as no watch lets it through"


def _needed(fault: Assumption) -> str:
    """Which goals that fail need a fault for it."""
    return f" (used by the run of {', '.join(fault.used)})" if fault.used else ""


def _use(report: Report, fairness: Assumption) -> str:
    """Whether the proofs rely on the fairness of an action; nothing where that is not known of all of them."""
    proved = [one.goal.name for one in report.answers if one.goal.kind == "converges" and one.verdict == "converges"]
    if fairness.used:
        return " (used)" if len(proved) == 1 else f" (used for {', '.join(fairness.used)})"
    return " (not used)" if proved and set(proved) <= set(fairness.unused) else ""


def _block(title: str, lines: Iterable[str]) -> str:
    out: list[str] = []
    for line in lines:
        head = f"  {title:<9} " if not out else " " * 12
        out += textwrap.wrap(line, WIDTH, initial_indent=head, subsequent_indent=" " * 14)
    return "\n".join(out)


def _expectations(expectations: tuple[Checked, ...], paint: Paint) -> str:
    met = sum(1 for checked in expectations if checked.met)
    lines = []
    for checked in expectations:
        if not checked.met:
            wanted, answer = checked.expectation, checked.answer
            message = (
                f"expectation not met [RC405], line {wanted.span.line}: {wanted.goal} {wanted.verdict} "
                f"{wanted.scope}{_because(wanted.because)}, but it is: {answer.verdict}{_because(answer.because)}"
            )
            lines.append(paint(RED, message))
    summary = f"{met} of {len(expectations)} expectations met"
    lines.append(paint(GREEN if met == len(expectations) else RED, summary))
    return "\n".join(lines)


def _because(causes: tuple[str, ...]) -> str:
    return f" because {', '.join(causes)}" if causes else ""


def render_line(report: Report, width: int, paint: Paint) -> str:
    """One line for a model among many."""
    code = report.exit_code
    status = {0: paint(GREEN, "ok     "), 1: paint(RED, "FAILED "), 3: paint(YELLOW, "unknown")}[code]
    answers = ", ".join(f"{answer.goal.name} {answer.verdict}" for answer in report.answers)
    if report.expectations:
        met = sum(1 for checked in report.expectations if checked.met)
        expected = f"{met}/{len(report.expectations)} expected"
    else:
        expected = "no expectations"
    took = " cached" if report.cached else f"{report.seconds:5.2f} s"
    return f"{status} {report.operator.file:<{width}} {took}  {expected:<15} {answers}"


def render_totals(reports: list[Report], wrong: int, paint: Paint) -> str:
    """What all models came to."""
    counted = [checked for report in reports for checked in report.expectations]
    met = sum(1 for checked in counted if checked.met)
    ok = sum(1 for report in reports if report.exit_code == 0)
    total = len(reports) + wrong
    parts = [f"{ok} of {total} models as expected", f"{met} of {len(counted)} expectations met"]
    proved = [answer for report in reports for answer in _all(report) if answer.proof is not None]
    traced = [answer for report in reports for answer in _all(report) if answer.trace is not None]
    parts.append(f"{len(proved)} proofs, {len(traced)} traces")
    if wrong:
        parts.append(f"{wrong} wrong")
    if cached := sum(1 for report in reports if report.cached):
        parts.append(f"{cached} from the cache")
    return paint(GREEN if ok == total else RED, ", ".join(parts))


def render_cost(seconds: float, memory: int | None) -> str:
    """What a run took; `memory` is in bytes, None where the system does not say."""
    held = "" if memory is None else f", at most {memory / 1e6:,.0f} MB of memory in a process"
    return f"in all {seconds:.2f} s{held}"


def _all(report: Report) -> list[Answer]:
    return list(dict.fromkeys([*report.answers, *(checked.answer for checked in report.expectations)]))
