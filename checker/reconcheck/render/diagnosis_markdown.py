"""A diagnosis as Markdown: repairs, levels, needs, what verdicts rest on, and what wake-ups cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec.structs import replace

from reconcheck.explain.assumptions import Assumption, assumptions_of, workers
from reconcheck.explain.diagnosis import LEVELS, MOST_EDITS, Diagnosis, Levels, Need, Repair
from reconcheck.explain.ranges import ranges
from reconcheck.explain.verdict import GOOD, Report
from reconcheck.render.diagnosis import PROVED, absence, as_long_as, cost_of, idle_with
from reconcheck.render.markup import block, code, folded, table


def diagnosis_markdown(file: str, report: Report, found: Diagnosis) -> Iterator[str]:
    """What to do first, then what each wake-up is for."""
    yield from (_repair(file, repair) for repair in found.repairs)
    if found.unrepaired:
        names = ", ".join(code(name) for name in found.unrepaired)
        so_far = " so far" if found.undecided else ""
        yield f"{code(file)}: no repair of {names} with up to {MOST_EDITS} edits{so_far}."
    if found.levels:
        away = "".join(f", without {name}" for name in report.scope.without)
        heads = ("goal", *(f"L{number} {name}" for number, name in enumerate(LEVELS)), "lowest")
        yield folded(f"{file}: what converges at which level{away}", table(heads, map(_level, found.levels)))
    if found.needs:
        yield folded(f"{file}: which wake-ups are needed", "\n\n".join(_needs(found)))
    rest = [f"- {cost_of(controller, most)}" for controller, most in found.most_reconciles]
    rest += [f"- not told: {code(reason)}" for reason in found.undecided]
    rest += [f"- {one.part}: {one.looked:,} of {one.asked:,} questions looked at" for one in found.shared]
    if rest:
        yield folded(f"{file}: what a change costs, and what is not told", "\n".join(rest))


def _repair(file: str, repair: Repair) -> str:
    parts = [block(repair.patch, "diff") if repair.patch else "The model stays as it is."]
    parts += [f"Note: {code(note)}" for note in repair.notes]
    cited = dict.fromkeys(cite.location for place in repair.places for cite in place.cites)
    if cited:
        parts.append("In the operator's code:\n\n" + "\n".join(f"- {code(location)}" for location in cited))
    goals = ", ".join(repair.goals)
    return folded(f"{file}: to repair {goals}: {repair.title} (then L{repair.level})", "\n\n".join(parts))


def _level(levels: Levels) -> tuple[str, ...]:
    answers = (PROVED.get(answer.verdict, answer.verdict) for answer in levels.answers)
    lowest = "not known"
    if levels.beyond:
        lowest = "**beyond any schedule**"
    elif levels.fails:
        lowest = "**none with its own wake-ups**"
        lowest += ", but with a schedule added" if levels.added in GOOD else ""
    return (code(levels.goal), *answers, lowest if levels.lowest is None else f"L{levels.lowest}")


# ---- wake-ups ----------------------------------------------------------------------------------------------------


def _needs(found: Diagnosis) -> Iterator[str]:
    several = len({need.controller for need in found.needs}) > 1
    heads = ("wake-up", "line", "necessary for", "harmful for", "not needed for", "not told for", "remarks")
    rows = [_need(need, found, several) for need in found.needs]
    told = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    yield table([heads[column] for column in told], ([row[column] for column in told] for row in rows))
    if any(need.harmful for need in found.needs):
        yield "Harmful: without that wake-up the goal converges, and with it the goal does not."
    for number, names in enumerate(found.sufficient):
        listed = ", ".join(code(name) for name in names) or "the start of the operator alone"
        yield f"{'Or' if number else 'Enough'}: {listed}{idle_with(names, found)}."


def _need(need: Need, found: Diagnosis, several: bool) -> tuple[str, ...]:
    name = code(need.name) + (f" of {code(need.controller)}" if several else "")
    kind = "" if need.name in ("on error", "resync") else f"{need.kind} "
    remarks: list[str] = []
    if need.redundant and (instead := as_long_as(need, found)):
        remarks.append(f"not needed{instead}")
    if need.never_runs:
        remarks.append(f"without it, {code(need.controller)} never runs")
    if need.per_day is not None:
        remarks.append(f"{need.per_day:,.{int(need.per_day < 10)}f} wake-ups a day for each object")
    elif need.wakes_converged:
        remarks.append("goes on to wake a converged operator")
    if not remarks and not (need.needed or need.harmful or need.redundant or need.unknown):
        remarks.append("makes no difference: no goal converges with it or without it")
    return (
        f"{kind}{name}",
        f"L{need.span.line}",
        _listed(need.needed, "**"),
        _listed(need.harmful, "**"),
        _listed(need.redundant),
        _listed(need.unknown),
        "; ".join(remarks),
    )


def _listed(goals: Iterable[str], mark: str = "") -> str:
    return ", ".join(f"{mark}{code(goal)}{mark}" for goal in goals)


# ---- what verdicts rest on -----------------------------------------------------------------------------------------


def assumptions_markdown(file: str, report: Report) -> str:
    """Faults, fair processes, disturbances and parameters, as a folded list."""
    operator = report.operator
    assumed = assumptions_of(report)
    rows = [
        _assumption(replace(first, name=name))
        for first, alike in groupby(assumed, lambda one: replace(one, name=""))
        for name in ranges(one.name for one in alike)
    ]
    happening = ranges(action.name for action in operator.actions if action.kind == "disturbance")
    stops = ", ".join(map(code, happening))
    values = ", ".join(code(f"{name} = {value}") for name, value in operator.parameters)
    parts = [table(("", "", "used for", "not used for"), rows)]
    parts += [f"Disturbances, finitely often: {stops}."] * bool(stops)
    parts += [f"Parameters: {values}."] * bool(values)
    absent = () if report.diagnosis is None else report.diagnosis.absent
    parts += [f"{text[0].upper()}{text[1:]}." for one in absent if (text := absence(one))]
    parts.append(f"{workers(operator).capitalize()}.")
    return folded(f"{file}: what the verdicts rest on", "\n\n".join(parts))


def _assumption(one: Assumption) -> tuple[str, ...]:
    state = "fair" if one.kind == "fairness" else "may happen" if one.on else "never happens"
    what = "process" if one.kind == "fairness" else "fault"
    return f"{what} {code(one.name)}", state, _listed(one.used), _listed(one.unused)
