"""What exported files say in comments: what a variable means, and which lines a step comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconcheck.diagnostic import Span
from reconcheck.model.operator import Bind, Goal, Jump, Operator
from reconcheck.semantics.steps import Step
from reconcheck.syntax.cite import Cite

LINE = re.compile(r"\(L(\d+)\)$")
CITATION = re.compile(r"""\s*@"[^"]*"(\s+at\s+"[^"]*")?""")

MEANINGS = {
    "pc": "where the running reconcile goes on",
    "queued": "the key waits in the queue",
    "timer": "the timer that is armed",
    "retries": "retries since the last success",
    "view": "the copy in the informer cache",
    "stale": "it changed since the cache last took it over",
    "event": "a change that passed is still to be delivered",
    "registered": "a reconcile has begun this watch",
    "held": "which version the running reconcile has",
    "recreated": "it went away since the cache last took it over",
    "calm": "disturbances and faults are over",
}
"""What a variable says, by the word before its bracket (spec/semantics.md, "State")."""


def of_variable(name: str) -> tuple[str, ...]:
    """What a variable says, where its name does not."""
    word, bracket, _ = name.partition("(")
    meaning = MEANINGS.get(word) if bracket or name == "calm" else None
    if word == "timer" and name.partition(")")[2]:
        meaning = "as it was when the timer was armed"
    return (meaning,) if meaning is not None else ()


def of_goal(operator: Operator, goal: Goal) -> tuple[str, ...]:
    """What the model says about a goal."""
    return (*_paragraph(goal.doc), *_line(operator, goal.span), *_cited(goal.cites))


def of_step(operator: Operator, step: Step) -> tuple[str, ...]:
    """The lines of the model that a step comes from, with what they cite; nothing for steps of the runtime."""
    verb, _, name = step.action.partition(" ")
    if verb == "reconcile":
        found = LINE.search(step.detail)
        return _of_code(operator, name, int(found[1])) if found is not None else ()
    texts: list[str] = []
    for action in operator.actions if verb in ("process", "noise", "disturbance") else ():
        if action.name == name:
            texts += (*_paragraph(action.doc), *_line(operator, action.span), *_cited(action.cites))
    for rule in operator.rules() if verb == "fire" else ():
        if name in (rule.name, f"{rule.controller}: {rule.name}"):
            texts += (*_line(operator, rule.span), *_cited(rule.cites))
    return tuple(texts)


def _of_code(operator: Operator, controller: str, line: int) -> tuple[str, ...]:
    """A line of a reconcile; it has the citations of everything in it."""
    code = next(one.program.code for one in operator.controllers if one.name == controller)
    there = [one for one in code if one.span.line == line]
    cites = [cite for one in there if not isinstance(one, Jump | Bind) for cite in one.cites]
    return (*_line(operator, there[0].span), *_cited(cites)) if there else ()


def _line(operator: Operator, span: Span) -> tuple[str, ...]:
    """A line as it stands in the model, without its citations."""
    lines = operator.sources.get(span.file, "").splitlines()[span.line - 1 : span.end_line]
    number, text = next(((n, line) for n, line in enumerate(lines) if not line.strip().startswith("///")), (0, ""))
    text = CITATION.sub("", text).strip()
    return (f"L{span.line + number}: {text}",) if text else ()


def _cited(cites: Iterable[Cite]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cite.location for cite in cites))


def _paragraph(doc: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in doc.splitlines() if line.strip())
