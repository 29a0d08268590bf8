"""The text of a new model, from what its author says about the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconcheck.model import runtimes

RESERVED = frozenset({"old", "new", "self", "owner", "schedule"})
"""Words that are no names of objects."""


@dataclass(frozen=True)
class Outline:
    """What is known of an operator: kinds are as in Kubernetes, externals are names, `poll` is a duration."""

    name: str
    kind: str
    runtime: str
    owns: tuple[str, ...] = ()
    """Kinds that it creates and keeps as the primary says."""
    reads: tuple[str, ...] = ()
    """Kinds that it reads and does not watch."""
    externals: tuple[str, ...] = ()
    """Systems outside Kubernetes that it writes to."""
    poll: str = ""
    """How often it wakes itself; empty where it does not."""


@dataclass(frozen=True)
class _Thing:
    """An object or external: its name in the model, and its kind or title."""

    name: str
    kind: str
    cached: bool = True
    """Whether a reconcile reads it through the cache."""


class Template:
    """Writes a model that can be verified as it is, with one value that has to get from here to there."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        profile = runtimes.find(outline.runtime, None)
        assert profile is not None
        cached = profile["reads"] == "all_cached"
        taken: set[str] = set(RESERVED)
        self.primary = _Thing(_name(outline.kind, taken), outline.kind, profile["reads"] != "all_live")
        self.owned = [_Thing(_name(kind, taken), kind, cached) for kind in outline.owns]
        self.read = [_Thing(_name(kind, taken), kind, cached) for kind in outline.reads]
        self.externals = [_Thing(_name(name, taken), name) for name in outline.externals]

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
            yield f"  resource {thing.kind} as {thing.name} owned by {self.primary.name} initially absent {{"
            yield "    content: opaque"
            yield "  }"
        for thing in self.read:
            yield f"  resource {thing.kind} as {thing.name} {{ content: opaque }}"
        for thing in self.externals:
            yield f'  external {thing.name} "{thing.kind}" {{ content: opaque = none }}'

    def _wake_ups(self) -> Iterator[str]:
        yield f"    watch {self.primary.name} on spec"
        for thing in self.owned:
            yield f"    watch {thing.name} via owner"
        if self.outline.poll:
            yield f"    requeue poll every {self.outline.poll}"
        yield "    on error backoff"

    def _reconcile(self) -> Iterator[str]:
        wanted = f"{self.primary.name}.spec.content"
        if not self.primary.cached:
            yield f"      let wanted = live({wanted})"
            wanted = "wanted"
        for thing in self.owned:
            seen = thing.name if thing.cached else f"{thing.name}_now"
            if not thing.cached:
                yield f"      let {seen} = live({thing.name})"
            yield f"      when not {seen}.exists {{"
            yield f"        create {thing.name} {{ content = {wanted} }}"
            yield f"      }} else when {seen}.content != {wanted} {{"
            yield f"        update {thing.name}.content = {wanted}"
            yield "      }"
        source = self._source(wanted)
        if self.externals and self.read and not self.read[0].cached:
            yield f"      let given = live({source})"
            source = "given"
        for thing in self.externals:
            yield f"      let {thing.name}_now = live({thing.name})"
            yield f"      when {thing.name}_now.content != {source} {{ call {thing.name}.content = {source} }}"

    def _source(self, otherwise: str) -> str:
        """What goes into externals: what is read, if anything is."""
        return f"{self.read[0].name}.content" if self.read else otherwise

    def _environment(self) -> Iterator[str]:
        yield f"    disturbance {self.primary.name}_edited {{ {self.primary.name}.spec.content = any }}"
        for thing in (*self.owned, *self.read):
            yield f"    disturbance {thing.name}_edited {{ {thing.name}.content = any }}"
        for thing in self.owned:
            yield f"    disturbance {thing.name}_deleted {{ delete {thing.name} }}"
        for thing in self.externals:
            yield f"    disturbance {thing.name}_edited {{ {thing.name}.content = any }}"

    def _goals(self) -> Iterator[tuple[str, str]]:
        wanted = f"{self.primary.name}.spec.content"
        for thing in self.owned:
            yield f"{thing.name}_as_wanted", f"{thing.name}.exists and {thing.name}.content == {wanted}"
        for thing in self.externals:
            yield f"{thing.name}_as_wanted", f"{thing.name}.content == {self._source(wanted)}"


def identifier(text: str) -> str:
    """A name of the language for a text: `MongoDB cluster` is `mongodb_cluster`."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "_".join(words).lower() or "x"
    return name if not name[0].isdigit() else f"x{name}"


def _name(text: str, taken: set[str]) -> str:
    """A name that is not taken, which it is from now on."""
    name = first = identifier(text)
    if name in RESERVED:
        name = first = f"{name}_object"
    number = 2
    while name in taken:
        name, number = f"{first}{number}", number + 1
    taken.add(name)
    return name
