"""What changed between two models, as text of at most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reconcheck.explain.declared import WakeUp
from reconcheck.explain.diagnosis import Need, Pace
from reconcheck.explain.difference import Advice, Difference, NeedChange, Question, Trend, Verdict, WakeUpChange
from reconcheck.explain.verdict import Answer
from reconcheck.render.repairs import outcome
from reconcheck.render.text import BOLD, GREEN, RED, WIDTH, YELLOW, Paint, render_answer

STYLES = {Trend.WORSE: RED, Trend.BETTER: GREEN, Trend.UNKNOWN: YELLOW}
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
MARKS = {"added": "+", "removed": "-", "changed": "~"}


def render_difference(found: Difference, paint: Paint) -> str:
    """The whole difference, with the runs of answers that got worse."""
    style = RED if found.exit_code == 1 else YELLOW if found.exit_code or found.rarer else GREEN
    head = f"{paint(BOLD, found.new.operator.name)}  {paint(style, headline(found))}"
    old, new = found.old.operator.file, found.new.operator.file
    between = " -> " if len(old) + len(new) + 4 <= WIDTH else "\n-> "
    files = "\n".join(line.rjust(WIDTH) for line in f"{old}{between}{new}".split("\n"))
    blocks = [f"{head}\n{files}", _table(found, paint)]
    lists = {
        "goals": [sentence_of(one) for one in found.questions],
        "wake-ups": [wake_up(one) for one in found.wake_ups],
        "assumes": [
            f"{one.what}: {one.before or 'not there'} -> {one.after or 'not there'}" for one in found.assumptions
        ],
        **({} if found.advice is None else advice(found.advice)),
    }
    blocks += [_list(title, lines) for title, lines in lists.items() if lines]
    blocks += [render_answer(found.new.operator, answer, paint) for answer in worse_runs(found)]
    return "\n\n".join(block for block in blocks if block)


def headline(found: Difference) -> str:
    """What it comes to, in a few words."""
    counts = {
        "got worse": [one for one in found.verdicts if one.trend is Trend.WORSE],
        "cannot be told": [one for one in found.verdicts if one.trend is Trend.UNKNOWN],
        "got better": [one for one in found.verdicts if one.trend is Trend.BETTER],
    }
    parts = [f"{len(some)} answer{'s' * (len(some) != 1)} {what}" for what, some in counts.items() if some]
    levels = () if found.advice is None else found.advice.levels
    higher = [one for one in levels if one.trend is Trend.WORSE]
    parts += [f"{len(higher)} goal{'s' * (len(higher) != 1)} need{'s' * (len(higher) == 1)} more wake-ups"] * bool(
        higher
    )
    if found.rarer:
        parts = parts or ["no answer got worse"]
        parts.append(f"the schedule comes less often to {', '.join(one.after.goal for one in found.rarer)}")
    return ", ".join(parts) or ("no answer got worse" if found.advice is None else "nothing got worse")


def worse_runs(found: Difference) -> list[Answer]:
    """The answers that got worse and have a run to show."""
    return [one.after for one in found.worse if one.after is not None and one.after.trace is not None]


def _table(found: Difference, paint: Paint) -> str:
    cells = [("goal", "scope", "before", "now", "")]
    cells += [(one.goal, str(one.scope), shown(one.before), shown(one.after), trend(one)) for one in found.verdicts]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines: list[str] = []
    for number, row in enumerate(cells):
        parts = [f"{text:<{width}}" for text, width in zip(row, widths, strict=False)]
        style = STYLES.get(found.verdicts[number - 1].trend, "") if number else ""
        lines.append("  " + "  ".join([*parts, paint(style, row[4]) if style else row[4]]))
    return "\n".join(line.rstrip() for line in lines)


def shown(answer: Answer | None) -> str:
    """A verdict in a table."""
    return "not asked" if answer is None else answer.verdict


def trend(verdict: Verdict) -> str:
    """What became of an answer, loud where it matters."""
    match verdict.trend:
        case Trend.SAME:
            return ""
        case Trend.WORSE:
            return "WORSE"
        case other:
            return str(other)


def sentence_of(question: Question) -> str:
    """A goal that is not asked as it was."""
    match question.change:
        case "added":
            return f"+ {question.new}: {question.now}"
        case "removed":
            return f"- {question.old}: {question.was}"
        case "renamed":
            return f"~ {question.old} is {question.new} now: {question.now}"
        case _:
            return f"~ {question.new} asks for something else: {question.was} -> {question.now}"


def wake_up(change: WakeUpChange) -> str:
    """A watch or rule that is not as it was: its class and name, and what it says and costs."""
    before, after = change.before, change.after
    label = f"{MARKS[change.change]} {change.now.kind} {change.now.name} of {change.now.controller}"
    if before is not None and after is not None:
        kind = f"{before.kind} -> {after.kind}: " if before.kind != after.kind else ""
        return f"{label}: {kind}{_declared(before)} -> {_declared(after)}"
    return f"{label}: {_declared(change.now)}"


def _declared(one: WakeUp) -> str:
    cost = "" if one.per_day is None else f"{one.per_day:,.{int(one.per_day < 10)}f} a day for each object"
    period = "" if one.text or one.seconds is None else f"every {one.seconds:,g} s"
    return ", ".join(part for part in (one.text, period, cost) if part)


def advice(found: Advice) -> dict[str, list[str]]:
    """Levels, needs and repairs that are not as they were, by title."""
    return {
        "levels": [
            f"{one.goal}: {_level(one.before, one.beyond_before)} -> "
            f"{_level(one.after, one.beyond_after)} ({one.trend})"
            for one in found.levels
            if one.trend is not Trend.SAME or one.beyond_before != one.beyond_after
        ],
        "pace": [
            f"{one.after.goal}: {_pace(one.before)} -> {_pace(one.after)} ({one.trend})"
            for one in found.paces
            if one.trend is not Trend.SAME
        ],
        "needs": [
            f"{_called(one.now)} of {one.now.controller}: {_good_for(one, one.before)} -> {_good_for(one, one.after)}"
            for one in found.needs
        ],
        "repairs": [
            *(f"+ {one.title}: then {outcome(one)}" for one in found.offered),
            *(f"- {one.title}" for one in found.gone),
        ],
    }


def _pace(pace: Pace) -> str:
    names = f"{' and ' if pace.every else ' or '}".join(pace.wake_ups)
    return f"every {period(pace.seconds)} by {names}"


def period(seconds: float) -> str:
    """A period in the largest unit in which it is a whole number."""
    size, unit = next(((size, unit) for size, unit in UNITS if seconds % size == 0), (1, "s"))
    return f"{seconds / size:,g} {unit}"


def _level(level: int | None, beyond: bool) -> str:
    return f"L{level}" if level is not None else "beyond any schedule" if beyond else "no level"


def _called(need: Need) -> str:
    return need.name if need.name in ("on error", "resync") else f"{need.kind} {need.name}"


def _good_for(change: NeedChange, need: Need | None) -> str:
    """What a wake-up is or was good for, and what harm it does; what did not change is not said of both."""
    if need is None:
        return "not there"
    parts = [f"needed for {', '.join(need.needed)}"] * bool(need.needed)
    parts += [f"not known whether for {', '.join(need.unknown)}"] * bool(need.unknown)
    parts = parts or ["not needed"]
    parts += [f"HARMFUL for {', '.join(need.harmful)}"] * bool(need.harmful)
    same = (
        change.before is not None and change.after is not None and change.before.never_runs == change.after.never_runs
    )
    if need.never_runs and not same:
        parts.append(f"without it, {need.controller} never runs")
    return "; ".join(parts)


def _list(title: str, lines: list[str]) -> str:
    return "\n".join(_wrapped(title, lines))


def _wrapped(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        head = f"  {title:<9} " if number == 0 else " " * 12
        yield from textwrap.wrap(line, WIDTH, initial_indent=head, subsequent_indent=" " * 14, break_on_hyphens=False)
