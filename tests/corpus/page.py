"""`models/README.md`: what the models answer, in figures, with the tables behind them."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence

from reconcheck.cause_kinds import KINDS
from reconcheck.explain.verdict import GOOD
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED

from .duties import EXAMPLES, Fate, Variant, Weight, chosen, fastest, is_example, per_day
from .results import ModelResult, Reason
from .totals import CauseCount, Judged, Totals, by_worst_goal, totals_of, with_fate

WIDTH = 119
"""Of the lines of a paragraph."""

HEAD = """<!-- Written by `python -m tests.corpus` from results.json; do not edit. -->
# Why operators reconcile on a schedule, and how many need it

"""

COUNTED = """
## How it is counted

- An *operator* is a folder. Its models are versions of it: before and after a fix, with the schedule and without, and
  what somebody proposed. A *goal* that several of them have counts **once**; it needs its schedule if it does in one
  of them.
- A *schedule of its own* is a `requeue ... every` (RequeueAfter on success), or a resync more often than every ten
  hours, which is what controller-runtime comes with and nobody chose. The verdicts *with* the schedule are with
  everything periodic in the model, those ten hours included, and those *without* are without all of it.
- A cause is *accepted* where polling is an accepted use: an external system, time, errors and delays. The others are
  *avoidable*. A goal with several causes counts at each; where the schedule is not enough, the causes are those that
  are left with it.
- Controls are kept apart: a goal that converges without the schedule, and one that fails with it as well, are never
  among the reasons for a schedule. In the plot, the latter are the hollow squares.
"""
UNCOUNTED = """are tutorials, examples, a prototype and the smallest model for each reason. No figure counts them; they
have [a table of their own](#examples)."""

LIMITS = """
## What these figures cannot say

- **The cases were chosen because somebody had a problem**: an issue, a pull request, a comment in the code. The
  shares say nothing about operators at large, and nothing about how often the causes occur; that a need *exists*, and
  what it takes to be rid of it, they do show.
- A model holds one question about an operator at one commit, and says itself what it leaves out. That a schedule is
  not needed for the goal of a model does not mean that it is not needed for anything else.
- The causes are those of the shortest counterexample; behind it there may be others. A repair mends them all: it was
  verified again, for every run, but in the model only.
- "Converges" is proved under the model's fairness and faults; how late a goal is reached is not asked. A resync every
  ten hours cures as much as a requeue every five seconds.
- A repair that turns changes into events says what would be needed, not that the other system can be made to do it.
"""


NONE = "-"
NEEDED = {
    Weight.ACCEPTED: "accepted causes only",
    Weight.AVOIDABLE: "avoidable causes only",
    Weight.BOTH: "causes of both kinds",
    Weight.UNTOLD: "causes that are not told",
}
REPAIRED = {
    "by events, and errors that are tried again": (0, 1),
    "by looking again only as long as there is something to wait for": (2,),
    "by a timer for just the moment": (3,),
}
"""What repairs do without the schedule, by the level at which the goal converges then."""
FATES: dict[tuple[Fate, Weight | None], str] = {
    (Fate.FREE, None): "not needed: the goal converges without it",
    **{(Fate.NEEDS, weight): f"needed, for {what}" for weight, what in NEEDED.items()},
    (Fate.FAILS, None): "not enough: the goal fails with it as well",
    (Fate.OPEN, None): "not known",
}


def page(results: Iterable[ModelResult]) -> str:
    """The page."""
    every = sorted(results, key=lambda result: result.model.split("/"))
    totals = totals_of(every)
    names = [f"`{name}`" for name in sorted(EXAMPLES)]
    parts = [
        HEAD,
        _summary(totals),
        "\n![Causes by the number of goals](why.svg)\n",
        _fates(totals),
        _causes(totals.causes),
        COUNTED + _paragraph(f"- {', '.join(names[:-1])} and {names[-1]} {UNCOUNTED}", "  "),
        "\n## By operator\n\n" + _legend(),
        _table([result for result in every if not is_example(result)]),
        "\n## Examples\n\n",
        _table([result for result in every if is_example(result)]),
        _given_up(every),
        LIMITS,
        _again(),
    ]
    return "".join(parts)


# ---- in words ----------------------------------------------------------------------------------------------------


def _summary(totals: Totals) -> str:
    """The answers, a paragraph each."""
    scheduled = totals.scheduled
    needing = with_fate(scheduled, Fate.NEEDS)
    said = (
        f"**Why?** {_reasons(needing)}",
        f"**How many need it?** {_how_many(totals, needing)}",
        f"**What instead?** {_instead(needing)}",
        f"**What does it cost?** {_cost(totals)}",
    )
    return "\n".join(_paragraph(text) for text in said)


def _reasons(needing: Sequence[Judged]) -> str:
    """The causes for which schedules are needed, most frequent first."""
    counts = dict.fromkeys(KINDS, 0)
    for one in needing:
        failing = [variant for variant in one.variants if variant.fate is Fate.NEEDS]
        for cause in {reason.cause for variant in failing for reason in variant.reasons}:
            counts[cause] += 1
    order = sorted((cause for cause in KINDS if counts[cause]), key=lambda cause: -counts[cause])
    told = [f"{KINDS[cause].title} ({counts[cause]})" for cause in order]
    return f"{len(needing)} goals need the schedule of their operator, some for more than one cause: {', '.join(told)}."


def _how_many(totals: Totals, needing: Sequence[Judged]) -> str:
    scheduled, models = totals.scheduled, by_worst_goal(totals.scheduled_models)
    free, fails = with_fate(scheduled, Fate.FREE), with_fate(scheduled, Fate.FAILS)
    groups = {weight: len(with_fate(needing, Fate.NEEDS, weight)) for weight in NEEDED}
    told = ", ".join(f"{number} for {NEEDED[weight]}" for weight, number in groups.items() if number)
    return (
        f"Here are {len(totals.models)} models of {totals.operators} operators with {len(totals.duties)} goals. Of "
        f"these goals, {len(scheduled)} in {len({one.duty.operator for one in scheduled})} operators come with a "
        f"schedule of their own, and **{_share(needing, scheduled)} need it** in some version: {told}. "
        f"**{_share(free, scheduled)} never need it**: they are proved to converge without. For "
        f"{_share(fails, scheduled)} not even the schedule is enough. Version by version, no goal needs the schedule "
        f"in {models.get((Fate.FREE, None), 0)} of {len(totals.scheduled_models)} models that have one."
    )


def _instead(needing: Sequence[Judged]) -> str:
    repaired = [one for one in needing if one.repaired is not None]
    told = [
        f"{len(some)} {by}"
        for by, levels in REPAIRED.items()
        if (some := [one for one in repaired if one.repaired in levels])
    ]
    return (
        f"A verified repair makes {_share(repaired, needing)} of the goals that need the schedule converge without it: "
        f"{', '.join(told)}. For an external system that means that it has to tell of its changes. "
        f"{len([one for one in needing if one.mended])} of these goals do converge without in another version of the "
        "same operator, or as somebody proposed it."
    )


def _cost(totals: Totals) -> str:
    middle, most = totals.wake_ups()
    waiting, fails = with_fate(totals.unscheduled, Fate.NEEDS), with_fate(totals.unscheduled, Fate.FAILS)
    return (
        f"A schedule that goes on after convergence wakes the operator {_rate(middle)} times a day for each object in "
        f"the median model, {_rate(most)} times at most. Of the {len(totals.unscheduled)} goals whose operators do "
        f"without one, {len(waiting)} rest on the informers' resync every ten hours, and {len(fails)} fail with that "
        "as well."
    )


def _paragraph(text: str, indent: str = "") -> str:
    """The text in lines; `indent` is before all but the first."""
    wrapped = textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return f"{wrapped}\n"


def _share(some: Sequence[object], of: Sequence[object]) -> str:
    part = f" ({100 * len(some) / len(of):.0f} %)" if of else ""
    return f"{len(some)} of {len(of)}{part}"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or rate == round(rate) else f"{rate:.1f}"


# ---- tables of totals --------------------------------------------------------------------------------------------


def _fates(totals: Totals) -> str:
    """What the schedule does: for goals with one, and model by model."""
    models = by_worst_goal(totals.scheduled_models)
    goals = {key: len(with_fate(totals.scheduled, key[0], *[key[1]] if key[1] else [])) for key in FATES}
    lines = ["", "| its schedule is | goals | models |", "| --- | ---: | ---: |"]
    for key, what in FATES.items():
        if goals[key] or models.get(key):
            lines.append(f"| {what} | {goals[key]} | {models.get(key, 0)} |")
    lines.append(f"| **together** | **{len(totals.scheduled)}** | **{sum(models.values())}** |")
    note = "A goal counts once for all versions of its operator, a model by the goal that needs its schedule most."
    return "\n".join([*lines, "", note, ""])


def _causes(causes: Sequence[CauseCount]) -> str:
    lines = [
        "",
        "## By cause",
        "",
        "| cause | class | goals | schedule cures | does not | operators | instead |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for count in causes:
        kind = KINDS[count.cause]
        classes = sorted({*count.cured, *count.uncured}, reverse=True)
        cured, uncured = sum(count.cured.values()), sum(count.uncured.values())
        lines.append(
            f"| {kind.title} (`{kind.name}`, {kind.code}) | {' or '.join(map(_class, classes))} | {count.total} "
            f"| {cured} | {uncured} | {count.operators} | {kind.instead} |"
        )
    return "\n".join([*lines, "", "`reconcheck explain RC411` says more about a cause.", ""])


def _class(accepted: str) -> str:
    return f"accepted: {accepted}" if accepted else "avoidable"


# ---- the tables of models ----------------------------------------------------------------------------------------


def _legend() -> str:
    text = (
        "*Level*: the lowest at which the goal converges: L0 events, L1 and errors, L2 and waits, L3 and deadlines, L4 "
        "and the schedule. *Schedule*: the most frequent; in brackets where it is only the usual resync. *A day*: "
        "wake-ups of an object that has converged, of all there is. *Fix*: the smallest verified repair."
    )
    return _paragraph(text) + "\n"


def _table(results: Sequence[ModelResult]) -> str:
    lines = [
        "| operator | model | goal | without | with | level | causes | schedule | a day | fix |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | ---: | --- |",
    ]
    before = ""
    sources = {
        result.operator: {one.source for one in results if one.operator == result.operator} for result in results
    }
    for result in results:
        for number, goal in enumerate(result.goals):
            operator = _of_operator(result.operator, sources[result.operator]) if result.operator != before else ""
            before = result.operator
            name, period, rate = _of_model(result) if number == 0 else ("", "", "")
            without, with_ = goal.levels[UNSCHEDULED], goal.levels[SCHEDULED]
            variant = Variant(result, goal)
            row = (operator, name, goal.goal, without, with_, _level(variant), _why(variant.reasons), period, rate)
            lines.append(f"| {' | '.join([*row, _fix(variant)])} |")
    return "\n".join([*lines, ""])


def _of_operator(name: str, sources: Collection[str]) -> str:
    """The name, with a link to the repository if it has just one."""
    return f"[{name}]({next(iter(sources))})" if len(sources) == 1 and all(sources) else name


def _of_model(result: ModelResult) -> tuple[str, str, str]:
    """A model's name with what it is about, its schedule, and what that costs."""
    name = result.model.partition("/")[2]
    about = result.about.replace('"', "'").replace("|", "/")
    link = f'[{name}]({result.model}.rdsl "{about}")' if about else f"[{name}]({result.model}.rdsl)"
    period = fastest(result)
    if period is None:
        return link, NONE, NONE
    told = _duration(period.seconds)
    return link, told if chosen(period) else f"({told})", _rate(per_day(result.periods))


def _duration(seconds: float) -> str:
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _level(variant: Variant) -> str:
    """The lowest level that is good; at most that one, where it is not known of a lower one."""
    if variant.result.kind != "converges":
        return NONE
    levels = variant.result.levels
    lowest = next((level for level, verdict in enumerate(levels) if verdict in GOOD), None)
    if lowest is None:
        return "not known" if "unknown" in levels else "none"
    return f"{'at most ' if 'unknown' in levels[:lowest] else ''}L{lowest}"


def _why(reasons: Sequence[Reason]) -> str:
    return ", ".join(f"`{one.cause}` ({one.accepted or 'avoidable'})" for one in reasons) or NONE


def _fix(variant: Variant) -> str:
    """The smallest repair; where the goal diverges and there is none, that there is none."""
    if variant.fate is Fate.FREE or variant.result.kind != "converges":
        return NONE
    fixes = [fix for fix in variant.model.fixes if variant.result.goal in fix.goals]
    if fixes:
        return fixes[0].title.replace("|", "\\|")
    return "none found" if variant.model.given_up_after is None else "search given up"


# ---- the end -----------------------------------------------------------------------------------------------------


def _given_up(results: Sequence[ModelResult]) -> str:
    late = [result for result in results if result.given_up_after is not None]
    if not late:
        return ""
    lines = [f"- {result.model}: after {result.given_up_after:g} s" for result in late]
    told = "The search for repairs of these models was given up; there may be some that were not found:"
    return "\n".join(["", told, "", *lines, ""])


def _again() -> str:
    return """
## How it is made

```sh
python -m tests.corpus --jobs 2
```

diagnoses the models that have changed, writes what comes of it to [results.json](results.json), and this page and the
plot from that; `--all` diagnoses all of them. Nothing in it depends on the machine, unless a search was given up, which
the page says. To see it for one model, with the lines that a fix is about:
`reconcheck verify models/grafana/dashboard-drift.rdsl`.

A model whose text is as it was is not diagnosed again when the checker changes. Its verdicts with and without the
schedule, and the causes it expects, are verified with each change all the same; the other levels, further causes,
wake-ups and fixes are those of the checker that it was diagnosed by. The tests diagnose a few models again each time,
and a few others that each change of the checker draws anew.
"""
