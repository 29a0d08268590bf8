"""Candidates by which a controller hears less: filters that leave out what it writes itself, watches left out."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from reconcheck.explain.broken import Broken, place, watch_end
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.diagnosis import Edit
from reconcheck.model.operator import Write
from reconcheck.syntax import tree

BUSY = frozenset({"self_triggering_write", "fight_between_writers"})
"""Causes for which less may be enough."""


def fewer_events(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would keep a controller from being woken by what it writes, where its writes keep it busy."""
    if broken.causes.isdisjoint(BUSY):
        return
    watches = [member for member in controller.members if isinstance(member, tree.Watch)]
    for watch in watches:
        written, others = _fields(broken, controller, watch)
        if not written or watch.late:
            continue
        name, narrower = broken.source.under((watch.name or watch.target).span), frozenset[str]()
        if others and not watch.filters:
            parts = ", ".join(others)
            end = watch_end(broken.source, watch)
            edit = broken.source.replace(end, end, f" on {parts}")
            title = f"let only changes of {parts} through watch {name}"
            found = _about(broken, controller, watch, parts, title, edit)
            narrower = frozenset({found.key})
            yield found
        primaries = {one.primary for one in broken.rounds(controller)}
        if len(watches) > 1 and primaries.isdisjoint(broken.watched(watch)):
            edit = broken.source.without(watch.span)
            found = _about(broken, controller, watch, "left out", f"leave out watch {name}", edit)
            yield replace(found, covers=narrower)


def _about(
    broken: Broken, controller: tree.Controller, watch: tree.Watch, what: str, title: str, edit: Edit
) -> Candidate:
    """A candidate about a watch."""
    name = broken.source.under((watch.name or watch.target).span)
    where = f" in {controller.name}" if len(broken.controllers) > 1 else ""
    return Candidate(
        key=f"{controller.name}: {name}: only {what}",
        title=title + where,
        edits=(edit,),
        places=(place(watch, controller),),
        targets=frozenset(broken.watched(watch)),
        alone=True,
    )


def _fields(broken: Broken, controller: tree.Controller, watch: tree.Watch) -> tuple[set[str], list[str]]:
    """The fields of what is watched that the controller writes, and the others, as a filter names them."""
    written: set[str] = set()
    fields: dict[str, None] = {}
    generation = True
    for target in broken.watched(watch):
        if target not in broken.operator.objects:
            continue
        object_ = broken.operator.objects[target]
        generation = generation and object_.has_generation
        fields |= dict.fromkeys(variable.name[len(target) + 1 :] for variable in object_.fields)
        for one in broken.rounds(controller):
            for step in one.program.code:
                if isinstance(step, Write) and step.target == target:
                    written |= {assigned.variable.name[len(target) + 1 :] for assigned in step.assignments}
    others = [name for name in fields if name not in written]
    if generation and all(name.startswith("spec.") for name in others):
        others = ["spec"]
    return written, list(dict.fromkeys("metadata" if name.startswith("finalizers.") else name for name in others))
