"""What an answer "unknown" lacks, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from reconcheck.explain.missing import Doubt, Effort, Missing, Unbounded, Way
from reconcheck.model.types import IntType, Type
from reconcheck.render.values import step_text, value_text

MOST = 6
"""Steps, fields and values that are shown; the rest is counted."""


def missing_rows(missing: Missing, types: dict[str, Type]) -> Iterator[tuple[str, str]]:
    """What is missing, as pairs of a label, empty where it is that of the row before, and a text."""
    yield from _labelled("proved", missing.proved)
    yield from _labelled("open", _open(missing, types))
    yield from _labelled("not tried", missing.untried)
    if missing.settles is not None:
        yield "runs", _settling(missing)
    yield from _labelled("unbounded", (_unbounded(one) for one in missing.unbounded[:MOST]))
    yield from _labelled("searched", map(_effort, missing.searched))
    yield from _labelled("could help", missing.advice)


def render_missing(missing: Missing, types: dict[str, Type], width: int) -> list[str]:
    """The same as lines."""
    lines: list[str] = []
    for label, text in missing_rows(missing, types):
        lines += textwrap.wrap(text, width, initial_indent=f"  {label:<10}  ", subsequent_indent=" " * 16)
    return lines


def _labelled(label: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield ("" if number else label), text


def _open(missing: Missing, types: dict[str, Type]) -> Iterator[str]:
    """The parts that are open, the first with why."""
    doubt = missing.doubt
    for number, part in enumerate(missing.open):
        yield part if number or doubt is None else f"{part}: {_doubt(doubt, types)}"


def _doubt(doubt: Doubt, types: dict[str, Type]) -> str:
    values = _some([f"{name} = {value_text(name, value, types)}" for name, value in doubt.values], ", ")
    where = f" with {values}" if values else ""
    if any(isinstance(value, str) and isinstance(types.get(name), IntType) for name, value in doubt.values):
        where += " (n1, n2, ... are any numbers but 0)"
    seen = f"seen on {doubt.seen} variables and conditions"
    if doubt.blurred:
        seen += f", which cannot tell whether {_some(list(doubt.blurred), ', ')}"
    match doubt.kind:
        case "rest":
            return f"rest{where} is not excluded, and no run to it was found; {seen}"
        case "cycle":
            steps = f": {_some(list(map(_way, doubt.steps)), ', ')}" if doubt.steps else ""
            return f"going round for ever{where} is not excluded{steps}; {seen}"
        case "state":
            return f"a state{where} is not excluded, and no run to it was found; {seen}"
        case "numbers":
            return "it computes with numbers without bounds, and nothing that runs compare or write leads to it"
        case "refused":
            return f"it holds as {seen}, but Z3 could not discharge all obligations of that proof"
        case _:
            return "the smallest slice that tells it has too many states, or chooses among all numbers"


def _settling(missing: Missing) -> str:
    if missing.settles:
        return "each comes to rest, which is proved; whether with the goal is open"
    steps = _some([_way(one) for one in missing.again], ", ")
    return f"not proved to come to rest: nothing was found that these steps use up: {steps}"


def _unbounded(one: Unbounded) -> str:
    more = f" and {one.more} like it" if one.more else ""
    place = "" if one.line is None else f" (L{one.line})"
    if not one.steps:
        return f"{one.field}{place}{more} is any {one.type} at first"
    steps = _some([_way(way) for way in one.steps], ", ")
    return f"{one.field}{place}{more} {'is chosen among all numbers' if one.chosen else 'counts on'}: {steps}"


def _effort(one: Effort) -> str:
    if one.left_out:
        return f"{one.engine}: left out, since {one.left_out}"
    took = f"{one.seconds:.1f} s"
    states = f"{one.reached:,} state{'s' * (one.reached != 1)}"
    match one.engine:
        case "state graph":
            depth = f", all of up to {one.steps} steps" if one.steps else ""
            return f"{one.engine}: {states}{depth}, {took}"
        case "bounded search":
            return f"{one.engine}: no run of less than {one.reached} steps, {took}"
        case "proofs in parts":
            return (
                f"{one.engine}: {one.reached:,} slice{'s' * (one.reached != 1)}, {took}"
                if one.reached
                else f"{one.engine}: {took}"
            )
        case _:
            return f"{one.engine}: {states}, {took}"


def _way(way: Way) -> str:
    place = f" (L{way.line})" if way.line is not None and "(L" not in way.step.detail else ""
    more = f" and {way.more} like it" if way.more else ""
    return f"{step_text(way.step)}{place}{more}"


def _some(texts: list[str], between: str) -> str:
    """The first of some texts, and how many more there are."""
    rest = f"{between}{len(texts) - MOST} more" if len(texts) > MOST else ""
    return between.join(texts[:MOST]) + rest
