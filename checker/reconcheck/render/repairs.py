"""Repairs as text: what to do, what it gives, the lines that change, and where they belong in the operator's code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from reconcheck.explain.cause import Place
from reconcheck.explain.diagnosis import MOST_EDITS, Diagnosis, Repair
from reconcheck.explain.verdict import Report
from reconcheck.render.text import BOLD, DIM, GREEN, RED, WIDTH, Paint

INDENT = " " * 16
MOST_LINES = 16
"""Changed lines that are shown of a repair in a report; the file has all."""


def render_repairs(found: Diagnosis, paint: Paint) -> str:
    """The section `fix` of a report: the repairs, and the goals without one; empty where nothing diverges."""
    if not found.repairs and not found.unrepaired:
        return ""
    lines = ["  fix       each re-verified:"] if found.repairs else []
    for number, repair in enumerate(found.repairs, 1):
        lines += [*_head(number, repair, paint), *_changes(repair, paint), *_where(repair.places, paint)]
    if found.unrepaired:
        head = "  fix       " if not found.repairs else " " * 12
        text = no_repair(found, MOST_EDITS)
        lines += textwrap.wrap(text, WIDTH - 12, initial_indent=head, subsequent_indent=" " * 12)
    return "\n".join(lines)


def render_repaired(report: Report, most_edits: int, paint: Paint) -> str:
    """What `reconcheck repair` prints of a model."""
    found = report.diagnosis or Diagnosis()
    operator = report.operator
    lines: list[str] = []
    failing = [answer for answer in report.answers if answer.fails]
    if not failing:
        lines.append(f"{operator.name}: nothing to repair {report.scope}")
    else:
        names = ", ".join(f"{answer.goal.name} ({answer.verdict})" for answer in failing)
        lines.append(paint(BOLD, f"{operator.name}: {names} {report.scope}"))
    for number, repair in enumerate(found.repairs, 1):
        lines += ["", *_head(number, repair, paint), *_where(repair.places, paint)]
        lines += [_coloured(line, paint) for line in repair.patch.splitlines()]
    if found.unrepaired:
        lines += ["", no_repair(found, most_edits)]
    for reason in found.undecided:
        lines += textwrap.wrap(f"undecided: {reason}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def outcome(repair: Repair) -> str:
    """What comes of a repair, in a sentence."""
    come = [name for name in repair.goals if name not in repair.always]
    verbs = ((come, "converge"), (repair.always, "hold"))
    parts = [f"{', '.join(names)} {verb}{'s' * (len(names) == 1)}" for names, verb in verbs if names]
    return f"{' and '.join(parts)} at L{repair.level}"


def no_repair(found: Diagnosis, most_edits: int) -> str:
    """That some goals have no repair, in a sentence; empty where each has one."""
    if not found.unrepaired:
        return ""
    return f"no repair of {', '.join(found.unrepaired)} with up to {most_edits} edits" + " so far" * bool(
        found.undecided
    )


def _head(number: int, repair: Repair, paint: Paint) -> list[str]:
    result = f"{outcome(repair)}   ({repair.seconds:.1f} s)"
    first, *more = textwrap.wrap(repair.title, WIDTH - 16)
    lines = [f"            {number:>2}  {first}", *(INDENT + line for line in more)]
    notes = [line for note in repair.notes for line in textwrap.wrap(f"note: {note}", WIDTH - 18)]
    lines = [*(paint(BOLD, line) for line in lines), INDENT + paint(GREEN, result)]
    return [*lines, *(f"{INDENT}  {line}" for line in notes)]


def _changes(repair: Repair, paint: Paint) -> list[str]:
    """The lines taken away and put in, without those around them."""
    changed = [line for line in repair.patch.splitlines()[2:] if line.startswith(("-", "+"))]
    shown = [INDENT + "  " + _shortened(line) for line in changed[:MOST_LINES]]
    if len(changed) > MOST_LINES:
        shown.append(f"{INDENT}  ... and {len(changed) - MOST_LINES} lines more")
    return [_coloured(line, paint) for line in shown]


def _shortened(line: str) -> str:
    text = f"{line[0]} {line[1:].strip()}"
    room = WIDTH - len(INDENT) - 2
    return text if len(text) <= room else text[: room - 3] + "..."


def _coloured(line: str, paint: Paint) -> str:
    mark = line.strip()[:1]
    return paint(RED, line) if mark == "-" else paint(GREEN, line) if mark == "+" else line


def _where(places: Iterable[Place], paint: Paint) -> list[str]:
    """The places in the operator's code."""
    cited = dict.fromkeys(cite.location for place in places for cite in place.cites)
    return [paint(DIM, f"{INDENT}in {location}") for location in cited]
