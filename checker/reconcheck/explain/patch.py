"""The whole text of a repaired model: the edits, without the schedule they replace, and with true expectations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reconcheck.diagnostic import ModelError
from reconcheck.explain.broken import Broken, reconcile, words_end
from reconcheck.explain.diagnosis import Edit
from reconcheck.explain.edits import Overlap, Source, apply_edits
from reconcheck.explain.trial import Verdicts
from reconcheck.explain.verdict import GOOD
from reconcheck.explain.walk import nodes
from reconcheck.model.assemble import Loaded, assemble
from reconcheck.syntax import tree
from reconcheck.syntax.parser import parse_text


@dataclass(frozen=True)
class Patched:
    """A repaired model."""

    edits: tuple[Edit, ...]
    text: str
    loaded: Loaded


class NoPatch(Exception):
    """The edits give no model that could be offered; the message says why."""


def read_text(broken: Broken, edits: Iterable[Edit]) -> tuple[str, Loaded]:
    """The model after some edits.  Raises `Overlap` and `ModelError`."""
    text = apply_edits(broken.source, edits)
    path = broken.source.file
    return text, assemble(parse_text(text, path), text, Path(path), dict(broken.operator.parameters))


def patched(broken: Broken, edits: tuple[Edit, ...], drop: bool, verdicts: Verdicts) -> Patched:
    """The model after some edits; with `drop`, without its schedule.  `verdicts` tells what holds then.

    Raises `NoPatch` where something that was expected to hold does not any more.
    """
    try:
        gone: frozenset[str] = frozenset()
        if drop:
            away, gone = _without_schedule(broken, edits)
            edits = (*edits, *away)
        written = [member for member in broken.members if isinstance(member, tree.Expect)]
        kept = [line for line in written if not gone & {word.text for word in line.without}]
        edits = (*edits, *(broken.source.without(line.span) for line in written if line not in kept))
        text, loaded = read_text(broken, edits)
        updated = _updated(broken, kept, loaded, verdicts)
        if updated:
            edits = (*edits, *updated)
            text, loaded = read_text(broken, edits)
    except (Overlap, ModelError) as wrong:
        raise NoPatch(str(wrong)) from wrong
    return Patched(edits, text, loaded)


def _without_schedule(broken: Broken, edits: tuple[Edit, ...]) -> tuple[list[Edit], frozenset[str]]:
    """Takes away the rules `every` and the resyncs that stand in the model; and the names of rules that are gone.

    What another edit is at stays.
    """
    found: list[tuple[Edit, str]] = []
    source = broken.source
    for controller in broken.controllers:
        for member in controller.members:
            if isinstance(member, tree.Requeue):
                found.append((source.without(member.span), member.name.text))
            elif isinstance(member, tree.Resync):
                found.append((source.without(member.span), ""))
        for node in nodes(reconcile(controller)):
            if isinstance(node, tree.Requeue) and node.kind == "every":
                edit = source.replace(source.begin(node.span), words_end(source, node), "await change")
                found.append((edit, node.name.text))
    stays = {name for edit, name in found if any(_meet(broken, edit, other) for other in edits)}
    return [edit for edit, name in found if name not in stays], frozenset(name for _, name in found) - stays


def _meet(broken: Broken, one: Edit, other: Edit) -> bool:
    source = broken.source
    return source.begin(one.span) < source.end(other.span) and source.begin(other.span) < source.end(one.span)


def _updated(broken: Broken, written: list[tree.Expect], loaded: Loaded, verdicts: Verdicts) -> list[Edit]:
    """What is expected after the repair, where it was expected to fail before."""
    found: list[Edit] = []
    scopes = {expectation.span: expectation.scope for expectation in broken.operator.expectations}
    for line in written:
        scope = scopes.get(line.span)
        answer = None if scope is None else verdicts(loaded, loaded.operator.goal(line.goal.text), scope)
        if answer is None or _meets(answer, line.verdict):
            continue
        if line.verdict in GOOD or answer not in GOOD:
            raise NoPatch(f"`{line.goal}` would be {answer} {scope}")
        begin = broken.source.end(line.goal.span)
        word = re.compile(rf"\s*\b({line.verdict})\b").match(broken.source.text, begin)
        assert word is not None
        blanks = re.compile(r" +").match(broken.source.text, word.end(1))
        room = len(blanks.group()) if blanks is not None else 0
        width = max(len(line.verdict) + room, len(answer) + 1) if room else 0
        found.append(broken.source.replace(word.start(1), word.end(1) + room, answer.ljust(width)))
        if line.because:
            found.append(_without_causes(broken.source, word.end(1), line.because))
    return found


def _without_causes(source: Source, begin: int, because: tuple[tree.Word, ...]) -> Edit:
    """Takes away `because` with its causes: what converges has none."""
    word = re.compile(r"\s*\bbecause\b")
    found = list(word.finditer(source.text, begin, source.begin(because[0].span)))
    return source.replace(found[-1].start(), source.end(because[-1].span), "")


def _meets(answer: str, wanted: str) -> bool:
    return answer == wanted or (wanted == "diverges" and answer in ("quiet", "livelock"))
