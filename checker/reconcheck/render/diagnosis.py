"""A diagnosis as text: what converges at which level, what each wake-up is for, and what it costs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from reconcheck.explain.alternatives import alternatives
from reconcheck.explain.diagnosis import Absent, Diagnosis, Levels, Need
from reconcheck.explain.verdict import GOOD, Answer, Report
from reconcheck.model.operator import Scope
from reconcheck.render.text import GREEN, RED, WIDTH, YELLOW, Paint

HEADS = ("L0 events", "L1 +errors", "L2 +waits", "L3 +deadlines", "L4 +schedule")
PROVED = {"converges": "proved", "holds": "proved", "unreachable": "no run"}
"""How a verdict is called in the table; others are called what they are."""


def render_diagnosis(report: Report, paint: Paint) -> str:
    """All that a diagnosis says; empty where there is none."""
    found = report.diagnosis
    if found is None:
        return ""
    blocks = [
        _levels(found, report.scope, paint),
        _needs(found, paint),
        _enough(found),
        _absent(found),
        _costs(found),
    ]
    return "\n\n".join(block for block in blocks if block)


# ---- levels ------------------------------------------------------------------------------------------------------


def _levels(found: Diagnosis, scope: Scope, paint: Paint) -> str:
    if not found.levels:
        return ""
    names = max(4, *(len(levels.goal) for levels in found.levels))
    widths = [max(len(head), 9) for head in HEADS]
    head = "  ".join(f"{text:<{width}}" for text, width in zip(HEADS, widths, strict=True))
    away = "".join(f", without {name}" for name in scope.without)
    lines = [f"  {'goal':<{names}}  {head}{away}"]
    for levels in found.levels:
        cells = [_cell(answer, width, paint) for answer, width in zip(levels.answers, widths, strict=True)]
        lines.append(f"  {levels.goal:<{names}}  {'  '.join(cells)}".rstrip())
        lines += _wrapped(" " * (names + 4), _remark(levels, found))
    return "\n".join(line.rstrip() for line in lines)


def _cell(answer: Answer, width: int, paint: Paint) -> str:
    text = PROVED.get(answer.verdict, answer.verdict)
    style = GREEN if answer.good else YELLOW if answer.verdict == "unknown" else RED
    return paint(style, text) + " " * (width - len(text))


def _remark(levels: Levels, found: Diagnosis) -> str:
    """What a goal needs of the wake-ups above events, or that nothing helps it."""
    if levels.beyond:
        return "beyond any schedule: it fails at every level" + ", and with a schedule added" * bool(levels.added)
    if levels.fails and levels.added in GOOD:
        return "fails with the wake-ups it has; with a schedule added, it converges"
    if levels.fails:
        return "fails with the wake-ups it has; whether a schedule would help is not known"
    needed = [f"{_name(need)} (L{need.span.line})" for need in found.needs if levels.goal in need.needed]
    any_of = [pace for pace in found.paces if pace.goal == levels.goal and not pace.every]
    needed += [_or(pace.wake_ups) for pace in any_of if len(pace.wake_ups) > 1]
    return f"needs: {', '.join(needed)}" if needed else ""


def _or(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# ---- needs -------------------------------------------------------------------------------------------------------


def _needs(found: Diagnosis, paint: Paint) -> str:
    if not found.needs:
        return ""
    several = len({need.controller for need in found.needs}) > 1
    lines: list[str] = []
    for need in found.needs:
        name = f"{_name(need)} of {need.controller}" if several else _name(need)
        lines += _wrapped("", f"{name} (L{need.span.line}): {_verdict(need, found, paint)}", 4)
    return _block("wake-ups", lines)


def _name(need: Need) -> str:
    return f"watch {need.name}" if need.kind == "watch" else need.name


def _verdict(need: Need, found: Diagnosis, paint: Paint) -> str:
    parts: list[str] = []
    if need.needed:
        parts.append(f"{paint(RED, 'NECESSARY')} for {_listed(need.needed)}")
    if need.harmful:
        parts.append(f"{paint(RED, 'HARMFUL')}: without it, {_listed(need.harmful)} converges")
    if need.redundant:
        parts.append(f"not needed for {_listed(need.redundant)}{as_long_as(need, found)}")
    if need.unknown:
        parts.append(f"not told for {_listed(need.unknown)}")
    if need.never_runs:
        parts.append(f"without it, {need.controller} never runs")
    if not parts:
        parts.append("makes no difference: no goal converges with it or without it")
    if need.per_day is not None:
        digits = int(need.per_day < 10)
        parts.append(f"{need.per_day:,.{digits}f} wake-ups a day for each object")
    elif need.wakes_converged:
        parts.append("goes on to wake a converged operator")
    return "; ".join(parts)


def as_long_as(need: Need, found: Diagnosis) -> str:
    """What has to be there instead of a wake-up that is not needed, as the end of a sentence; empty for nothing."""
    instead = [" and ".join(names) for names in alternatives(found, need)]
    sets = any(" and " in names for names in instead)
    listed = ", or ".join(instead) if sets else _or(instead) if instead else ""
    return f" as long as {listed} {'are' if sets else 'is'} there" if instead else ""


def _listed(goals: Sequence[str]) -> str:
    return ", ".join(goals)


def _enough(found: Diagnosis) -> str:
    """The smallest sets of wake-ups with which everything converges that can."""
    if not found.sufficient:
        return ""
    lines: list[str] = []
    for number, names in enumerate(found.sufficient):
        listed = ", ".join(names) or "the start of the operator alone"
        lines += _wrapped("or " if number else "", listed + idle_with(names, found), 4)
    return _block("enough", lines)


def idle_with(names: Sequence[str], found: Diagnosis) -> str:
    """Which controllers never run with a set of wake-ups, in brackets; with no watch, nothing ever wakes one first."""
    watches: dict[str, set[str]] = {}
    for need in found.needs:
        if need.kind == "watch":
            watches.setdefault(need.controller, set()).add(f"{need.controller}.watch {need.name}")
    idle = [controller for controller, own in watches.items() if own.isdisjoint(names)]
    return f" ({', '.join(idle)} never run{'s' * (len(idle) == 1)} then)" if idle else ""


def _absent(found: Diagnosis) -> str:
    """The faults that are off, with what proofs they are assumptions of."""
    lines = [line for one in found.absent for line in _wrapped("", absence(one), 4)]
    return _block("faults", lines) if lines else ""


def absence(fault: Absent) -> str:
    """What a proof owes to a fault that is off, in a sentence; empty where nothing is known of it."""
    parts: list[str] = []
    if fault.needed:
        parts.append(f"used for {_listed(fault.needed)}, which would fail if it happened")
    if fault.unneeded:
        parts.append(f"not used for {_listed(fault.unneeded)}, proved with it too")
    return f"{fault.name} is off: {'; '.join(parts)}" if parts else ""


def cost_of(controller: str, most: int | None) -> str:
    """What one change costs a controller, in a sentence."""
    times = "reconcile" if most == 1 else "reconciles"
    cost = f"can cost any number of reconciles of {controller}"
    if most is not None:
        cost = f"costs at most {most} {times} of {controller}" if most else f"costs no reconcile of {controller}"
    return f"one change at rest {cost}, without schedule, faults and noise"


def _costs(found: Diagnosis) -> str:
    lines = [line for one in found.most_reconciles for line in _wrapped("", cost_of(*one), 4)]
    out = _block("costs", lines) if lines else ""
    if found.undecided:
        told = [line for reason in found.undecided for line in _wrapped("", reason, 4)]
        out += ("\n" if out else "") + _block("not told", told)
    return out


def render_work(found: Diagnosis) -> str:
    """How many questions there were, and for how many something was looked at; empty where none was counted."""
    parts = [f"{one.part}: {one.looked:,} of {one.asked:,}" for one in found.shared]
    parts[:1] = [f"{part} questions looked at" for part in parts[:1]]
    return _block("work", _wrapped("", "; ".join(parts), 4)) if parts else ""


def _wrapped(head: str, text: str, indent: int | None = None) -> list[str]:
    if not text:
        return []
    more = " " * (len(head) if indent is None else indent)
    return textwrap.wrap(text, WIDTH - 12, initial_indent=head, subsequent_indent=more, break_on_hyphens=False)


def _block(title: str, lines: Sequence[str]) -> str:
    return "\n".join(f"  {title if number == 0 else '':<9} {line}" for number, line in enumerate(lines))
