"""Candidates by which a reconcile reads live what its cache may not show yet."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.broken import Broken, reconcile
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.cause import Place
from reconcheck.explain.walk import paths
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes


def more_live_reads(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would make a controller act on objects as they are, where old news has led it astray."""
    if "stale_read" not in broken.causes:
        return
    found: dict[str, list[tree.Path]] = {}
    for path in _reads(controller):
        if path.parts[0].index is None:
            found.setdefault(path.parts[0].name, []).append(path)
    loops = {node.variable.text for node in nodes(reconcile(controller)) if isinstance(node, tree.ForEach)}
    for name, reads in found.items():
        array = broken.array(controller, name)
        if name not in loops and broken.operator.objects.keys() & broken.elements(array):
            yield _live(broken, controller, name, array, reads)


def _reads(controller: tree.Controller) -> Iterator[tree.Path]:
    """What a reconcile reads by a path: from the cache, or from a local."""
    written = set()
    for node in nodes(reconcile(controller)):
        if isinstance(node, tree.Effect | tree.Assignment):
            written.add(node.target.span)
        elif isinstance(node, tree.Let) and node.live is not None:
            written.add(node.live.span)
    return (path for path in paths(reconcile(controller)) if path.span not in written)


def _live(broken: Broken, controller: tree.Controller, name: str, array: str, reads: list[tree.Path]) -> Candidate:
    """A live read before the first statement that needs it, and what is read from it."""
    source, local = broken.source, broken.free_name(f"{name}_now")
    begin = source.begin(reads[0].span)
    first = next(one for one in reconcile(controller).block.statements if source.end(one.span) > begin)
    edits = [source.before(first.span, f"let {local} = live({name})")]
    for path in reads:
        start = source.begin(path.span)
        edits.append(source.replace(start, start + len(name), local))
    return Candidate(
        key=f"{controller.name}: live {name}",
        title=f"read {name} live in {controller.name}",
        edits=tuple(edits),
        places=(Place(first.span, getattr(first, "cites", ()) or controller.cites),),
        targets=frozenset(broken.elements(array)),
    )
