"""The text of a new model, from what its author says about the operator."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from msgspec import Struct

from reconcheck.model import runtimes
from reconcheck.resources import shipped

MEANT = frozenset({"memory", "new", "old", "schedule"})
"""Names that mean something already, and are no words of the grammar."""
CONTENT = "content"
"""The field of what is written that is as the primary says."""


class Outline(Struct, frozen=True):
    """What is known of an operator: kinds are as in Kubernetes, externals are names, `poll` is a duration."""

    name: str
    kind: str
    runtime: str
    owns: tuple[str, ...] = ()
    """Kinds that it creates and keeps as the primary says."""
    reads: tuple[str, ...] = ()
    """Kinds that it reads and does not watch; what it writes depends on them."""
    externals: tuple[str, ...] = ()
    """Systems outside Kubernetes that it writes to."""
    poll: str = ""
    """How often it wakes itself; empty where it does not."""


class _Thing(Struct, frozen=True):
    """An object or external: its name in the model, and its kind or title."""

    name: str
    kind: str
    cached: bool = True
    """Whether a reconcile reads it through the cache."""
    part: str = ""
    """Where in it the content is."""

    @property
    def content(self) -> str:
        """Its content, in the language."""
        return f"{self.name}.{self.part}content"


class Template:
    """Writes a model that can be verified as it is, with one value that has to get from here to there."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        profile = runtimes.find(outline.runtime, None)
        assert profile is not None
        reads = profile["reads"]
        cached = reads in ("all_cached", "secondaries_cached")
        taken = set(_reserved())
        main = reads in ("all_cached", "primary_cached")
        self.primary = _Thing(_name(outline.kind, taken), outline.kind, main, "spec.")
        self.owned = [_Thing(_name(kind, taken), kind, cached) for kind in outline.owns]
        self.read = [_Thing(_name(kind, taken), kind, cached) for kind in outline.reads]
        self.externals = [_Thing(_name(name, taken), name) for name in outline.externals]
        self.written = [*self.owned, *self.externals]

    def sources(self, written: _Thing) -> list[tuple[str, _Thing]]:
        """What goes into one thing that is written: the field there, and where its value comes from.

        Each thing that is read goes into one of those written, in turn: nobody would miss a watch of what nothing
        depends on, and if all depended on all, the parts of the model could not be looked at one by one.
        """
        place, count = self.written.index(written), len(self.written)
        return [(CONTENT, self.primary), *((f"from_{thing.name}", thing) for thing in self.read[place::count])]

    def text(self) -> str:
        """The model."""
        lines = [
            "rdsl 1",
            "",
            "/// What this operator keeps in step with what, and why it wakes itself.",
            f"operator {identifier(self.outline.name)} {{",
            '  // source "https://github.com/OWNER/REPOSITORY" at "COMMIT"',
            f"  runtime {self.outline.runtime}",
            "",
            *self._things(),
            "",
            f"  controller {self.primary.name} for {self.primary.name} {{",
            *self._wake_ups(),
            "",
            "    reconcile {",
            *self._reconcile(),
            "      await change",
            "    }",
            "  }",
            "",
            "  /// What happens to the operator; each line finitely often.",
            "  environment {",
            *self._environment(),
            "  }",
            "",
            "  /// What the operator is for.",
            "  converges {",
            *(f"    {name}: {formula}" for name, formula in self._goals()),
            "  }",
            "}",
            "",
        ]
        return "\n".join(lines)

    def _things(self) -> Iterator[str]:
        yield f"  primary {self.primary.kind} as {self.primary.name} {{ spec.content: opaque }}"
        for thing in self.owned:
            head = f"  resource {thing.kind} as {thing.name} owned by {self.primary.name} initially absent"
            yield from _block(head, [f"{field}: opaque" for field, _ in self.sources(thing)])
        for thing in self.read:
            yield f"  resource {thing.kind} as {thing.name} {{ content: opaque }}"
        for thing in self.externals:
            fields = [f"{field}: opaque = none" for field, _ in self.sources(thing)]
            yield from _block(f'  external {thing.name} "{thing.kind}"', fields)

    def _wake_ups(self) -> Iterator[str]:
        yield f"    watch {self.primary.name} on spec"
        for thing in self.owned:
            yield f"    watch {thing.name} via owner"
        if self.outline.poll:
            yield f"    requeue poll every {self.outline.poll}"
        yield "    on error backoff"

    def _reconcile(self) -> Iterator[str]:
        if self.read and len(self.written) > 1:
            yield "      // A guess, to be mended: which of the things written depend on what is read."
        for thing in (self.primary, *self.read):
            if not thing.cached:
                yield f"      let {thing.name}_content = live({thing.content})"
        for thing in self.written:
            wanted = [
                (field, source.content if source.cached else f"{source.name}_content")
                for field, source in self.sources(thing)
            ]
            fields = [f"{field} = {value}" for field, value in wanted]
            owned = thing in self.owned
            now = thing.name if owned and thing.cached else f"{thing.name}_now"
            if now != thing.name:
                yield f"      let {now} = live({thing.name})"
            if owned:
                yield f"      when not {now}.exists {{"
                yield from _block(f"        create {thing.name}", fields)
            differs = " or ".join(f"{now}.{field} != {value}" for field, value in wanted)
            yield f"      {'} else ' if owned else ''}when {differs} {{"
            yield from _block(f"        {'update' if owned else 'call'} {thing.name}", fields)
            yield "      }"

    def _environment(self) -> Iterator[str]:
        for thing in (self.primary, *self.read):
            yield f"    disturbance {thing.name}_edited {{ {thing.content} = any }}"
        for thing in self.written:
            edits = [f"{thing.name}.{field} = any" for field, _ in self.sources(thing)]
            yield from _block(f"    disturbance {thing.name}_edited", edits)
        for thing in self.owned:
            yield f"    disturbance {thing.name}_deleted {{ delete {thing.name} }}"

    def _goals(self) -> Iterator[tuple[str, str]]:
        for thing in self.written:
            there = [f"{thing.name}.exists"] if thing in self.owned else []
            equal = [f"{thing.name}.{field} == {source.content}" for field, source in self.sources(thing)]
            yield f"{thing.name}_as_wanted", " and ".join([*there, *equal])


def _block(head: str, members: list[str]) -> Iterator[str]:
    """A block on one line where it has one member, else with a line for each."""
    if len(members) == 1:
        yield f"{head} {{ {members[0]} }}"
        return
    indent = " " * (len(head) - len(head.lstrip()) + 2)
    yield f"{head} {{"
    yield from (f"{indent}{member}" for member in members)
    yield f"{indent[2:]}}}"


def identifier(text: str) -> str:
    """A name of the language for a text: `MongoDB cluster` is `mongodb_cluster`."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "_".join(words).lower() or "x"
    return name if not name[0].isdigit() else f"x{name}"


@functools.cache
def _reserved() -> frozenset[str]:
    """What is no name of an object: the language may take it for one of its words."""
    grammar = (shipped("grammar") / "rdsl.lark").read_text(encoding="utf-8")
    return MEANT | frozenset(re.findall(r'"([a-z]+)"', grammar))


def _name(text: str, taken: set[str]) -> str:
    """A name that is not taken, which it is from now on."""
    name = first = identifier(text)
    if name in _reserved():
        name = first = f"{name}_object"
    number = 2
    while not taken.isdisjoint(_names(name)):
        name, number = f"{first}{number}", number + 1
    taken.update(_names(name))
    return name


def _names(name: str) -> tuple[str, ...]:
    """The name of a thing, and those of what a reconcile reads of it."""
    return name, f"{name}_now", f"{name}_content"
