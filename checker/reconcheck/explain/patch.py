"""The whole text of a repaired model: the edits, without the schedule they replace, and with true expectations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from reconcheck.diagnostic import ModelError, Span
from reconcheck.explain.broken import Broken, words_end
from reconcheck.explain.diagnosis import Edit
from reconcheck.explain.edits import Overlap, Source, apply_edits
from reconcheck.explain.trial import Verdicts
from reconcheck.explain.verdict import GOOD, Answer
from reconcheck.model.assemble import assemble
from reconcheck.model.operator import Goal, Loaded, Scope
from reconcheck.model.wakeups import wake_ups_of
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes
from reconcheck.syntax.parser import parse_text

DIVERGING = ("quiet", "livelock")
"""The ways to diverge: a repair may turn one into the other where a goal is expected to fail."""


class Patched(Struct, frozen=True):
    """A repaired model."""

    edits: tuple[Edit, ...]
    text: str
    loaded: Loaded
    notes: tuple[str, ...] = ()
    """What else is not as it was, in sentences."""


class NoPatch(Exception):
    """The edits give no model that could be offered; the message says why."""


def read_text(broken: Broken, edits: Iterable[Edit], known: dict[str, Loaded] | None = None) -> tuple[str, Loaded]:
    """The model after some edits; texts that were read before are `known`.  Raises `Overlap` and `ModelError`."""
    text, path = apply_edits(broken.source, edits), broken.source.file
    loaded = None if known is None else known.get(text)
    if loaded is None:
        loaded = assemble(parse_text(text, path), text, Path(path), dict(broken.operator.parameters))
        if known is not None:
            known[text] = loaded
    return text, loaded


def trimmed(
    broken: Broken, edits: tuple[Edit, ...], gone: frozenset[str]
) -> tuple[tuple[Edit, ...], list[tree.Expect]]:
    """The edits with those that take scheduled wake-ups away, by name, and what is expected that still makes sense."""
    away, names = _without_schedule(broken, edits, gone)
    written, scopes = [member for member in broken.members if isinstance(member, tree.Expect)], _scopes(broken)
    kept = [line for line in written if names.isdisjoint(scopes[line.span].without)]
    lines = (broken.source.without(line.span) for line in written if line not in kept)
    return (*edits, *away, *lines), kept


def patched(
    broken: Broken,
    edits: tuple[Edit, ...],
    gone: frozenset[str],
    verdicts: Verdicts,
    mended: Callable[[str, Scope], bool] = lambda _goal, _scope: False,
) -> Patched:
    """The model after some edits, without the scheduled wake-ups that are `gone`.  `verdicts` tells what holds then.

    Of what it does not tell, goals that are meant to be `mended` in a scope are expected to converge.

    Raises `NoPatch` where something that was expected to hold does not any more.
    """
    try:
        edits, kept = trimmed(broken, edits, gone)
        text, loaded = read_text(broken, edits)
        updated = _updated(broken, kept, loaded, verdicts, mended)
        if updated:
            edits, before = (*edits, *updated), loaded
            text, loaded = read_text(broken, edits)
            verdicts.expect_only(loaded, before)
    except (Overlap, ModelError) as wrong:
        raise NoPatch(str(wrong)) from wrong
    return Patched(edits, text, loaded)


def with_true_causes(broken: Broken, whole: Patched, answer: Callable[[Goal, Scope], Answer]) -> Patched:
    """A repaired model in which lines of goals that go on to fail name causes that are found then.

    `answer` gives the verdict on a goal of the repaired model, with its causes.
    """
    scopes, edits, notes = _scopes(broken), [*whole.edits], list(whole.notes)
    expected = whole.loaded.operator.expectations
    failing = {(one.goal, one.scope) for one in expected if one.verdict not in GOOD}
    for line in broken.members:
        if not isinstance(line, tree.Expect) or not line.because or (line.goal.text, scopes[line.span]) not in failing:
            continue
        scope = scopes[line.span]
        found = answer(whole.loaded.operator.goal(line.goal.text), scope)
        written = [word.text for word in line.because]
        if set(written) <= set(found.because):
            continue
        true = [name for name in written if name in found.because] or list(found.because)
        before = f"`{line.goal.text} {found.verdict} {scope}` was because of {', '.join(written)}"
        if true:
            begin, end = broken.source.begin(line.because[0].span), broken.source.end(line.because[-1].span)
            edits.append(broken.source.replace(begin, end, ", ".join(true)))
            notes.append(f"{before}, and is because of {', '.join(true)} then (L{line.span.line})")
        else:
            after = broken.source.begin(line.goal.span)
            edits.append(_without_causes(broken.source, after, line.because))
            notes.append(f"{before}; which causes it has then is not told (L{line.span.line})")
    if len(edits) == len(whole.edits):
        return whole
    text, loaded = read_text(broken, edits)
    return Patched(tuple(edits), text, loaded, tuple(notes))


def _scopes(broken: Broken) -> dict[Span, Scope]:
    """The scope of each line that expects something."""
    expected = broken.operator.expectations
    return {span: one.scope for one in expected for span in (*one.others, one.span)}


def _scheduled(broken: Broken) -> Iterator[tuple[Edit, tuple[str, ...]]]:
    """What takes each rule `every` and each resync that stands in the model away, with its names in a scope."""
    source = broken.source
    for controller in broken.controllers:
        scoped = [one for one in wake_ups_of(broken.rounds(controller)) if one.kind in ("schedule", "resync")]
        for node in nodes(controller):
            if isinstance(node, tree.Resync):
                yield source.without(node.span), tuple(one.scoped for one in scoped if one.kind == "resync")
            elif isinstance(node, tree.Requeue) and node.kind == "every":
                names = tuple(one.scoped for one in scoped if one.name.partition("[")[0] == node.name.text)
                if node in controller.members:
                    yield source.without(node.span), names
                else:
                    end = words_end(source, node)
                    yield source.replace(source.begin(node.span), end, "await change"), names


def written_schedule(broken: Broken) -> tuple[tuple[str, ...], ...]:
    """The rules `every` and the resyncs that stand in the model, the most frequent first.

    For each its names in a scope: one, or in a loop one a round.
    """
    seconds = {one.scoped: one.seconds or 0.0 for one in wake_ups_of(broken.operator.controllers)}
    found = dict.fromkeys(names for _, names in _scheduled(broken) if names)
    return tuple(sorted(found, key=lambda names: seconds[names[0]]))


def _without_schedule(
    broken: Broken, edits: tuple[Edit, ...], gone: frozenset[str]
) -> tuple[list[Edit], frozenset[str]]:
    """Takes scheduled wake-ups away by name; and which of them are away then: what another edit is at stays."""
    found = [(edit, names) for edit, names in _scheduled(broken) if names and gone.issuperset(names)]
    stays = {names for edit, names in found if any(_meet(broken, edit, other) for other in edits)}
    away = [(edit, names) for edit, names in found if names not in stays]
    return [edit for edit, _ in away], frozenset(name for _, names in away for name in names)


def _meet(broken: Broken, one: Edit, other: Edit) -> bool:
    source = broken.source
    return source.begin(one.span) < source.end(other.span) and source.begin(other.span) < source.end(one.span)


def _updated(
    broken: Broken,
    written: list[tree.Expect],
    loaded: Loaded,
    verdicts: Verdicts,
    mended: Callable[[str, Scope], bool],
) -> list[Edit]:
    """What is expected after the repair, where it was expected to fail before."""
    found: list[Edit] = []
    scopes = _scopes(broken)
    for line in written:
        scope = scopes[line.span]
        answer = verdicts(loaded, loaded.operator.goal(line.goal.text), scope)
        if answer is None and line.verdict in (*DIVERGING, "diverges") and mended(line.goal.text, scope):
            answer = "converges"
        if answer is None or _meets(answer, line.verdict):
            continue
        if line.verdict in GOOD or answer not in (*GOOD, *DIVERGING):
            raise NoPatch(f"`{line.goal}` would be {answer} {scope}")
        begin = broken.source.end(line.goal.span)
        word = re.compile(rf"\s*\b({line.verdict})\b").match(broken.source.text, begin)
        assert word is not None
        found += _expecting(broken.source, line, word.span(1), answer)
    return found


def _expecting(source: Source, line: tree.Expect, verdict: tuple[int, int], answer: str) -> Iterator[Edit]:
    """Another verdict in a line, without causes where it is a good one; what follows keeps its column if it can."""
    begin, end = verdict
    if line.because and answer in GOOD:
        edit = _without_causes(source, end, line.because)
        if source.begin(edit.span) == end:  # nothing stands between
            yield source.replace(begin, source.end(edit.span), answer)
            return
        yield edit
    blanks = re.compile(r" +").match(source.text, end)
    room = len(blanks.group()) if blanks is not None else 0
    width = max(len(line.verdict) + room, len(answer) + 1) if room else 0
    yield source.replace(begin, end + room, answer.ljust(width))


def _without_causes(source: Source, begin: int, because: tuple[tree.Word, ...]) -> Edit:
    """Takes away `because` with its causes: what converges has none."""
    word = re.compile(r"\s*\bbecause\b")
    found = list(word.finditer(source.text, begin, source.begin(because[0].span)))
    return source.replace(found[-1].start(), source.end(because[-1].span), "")


def _meets(answer: str, wanted: str) -> bool:
    return answer == wanted or (wanted == "diverges" and answer in DIVERGING)
