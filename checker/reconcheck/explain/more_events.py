"""Candidates by which a controller hears of more: new watches, wider filters, mappings, bridges to externals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconcheck.explain.broken import Broken, place, reconcile, watch_end
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.cause import Place
from reconcheck.explain.diagnosis import Edit
from reconcheck.explain.walk import paths
from reconcheck.model import expr as e
from reconcheck.model.controllers import KINDS, OWNER_MATCHES
from reconcheck.model.types import OpaqueType
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes


def more_events(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would let more events through to a controller."""
    watches = [member for member in controller.members if isinstance(member, tree.Watch)]
    for watch in watches:
        yield from _wider(broken, controller, watch)
    first = broken.rounds(controller)[0]
    watched = {watch.target for watch in first.watches}
    named = set(_named((reconcile(controller), tuple(goal.formula for goal in broken.failing))))
    for resource in broken.resources:
        elements = broken.elements(resource.name.text)
        narrower: set[str] = set()
        apart = first.name != controller.name.text or not watched.isdisjoint(elements)
        if apart and not watched.issuperset(elements):
            for candidate in _elements(broken, controller, resource, watches):
                narrower.add(candidate.key)
                yield candidate
        if resource.name.text in named and watched.isdisjoint(elements):
            yield from _watch(broken, controller, resource, narrower)
    for external in broken.externals:
        if external.name.text in named and watched.isdisjoint(broken.elements(external.name.text)):
            yield _bridge(broken, controller, external)


def _named(node: object) -> Iterator[str]:
    """What a part of a model speaks of: objects and externals, and the arrays that it goes through."""
    for part in nodes(node):
        match part:
            case tree.Path(parts) if parts:
                yield parts[0].name
            case tree.ForEach(collection=tree.Word(text)) | tree.Quantifier(collection=tree.Word(text)):
                yield text


# ---- new watches -----------------------------------------------------------------------------------------------


def _elements(
    broken: Broken, controller: tree.Controller, resource: tree.Resource, watches: list[tree.Watch]
) -> Iterator[Candidate]:
    """Watches of elements that a controller reads: by an index, or by the variable of a loop around it."""
    name, body = resource.name.text, reconcile(controller)
    inside = {node.variable.text for node in nodes(body) if isinstance(node, tree.ForEach | tree.Quantifier)}
    inside |= {node.name.text for node in nodes(body) if isinstance(node, tree.Let)}
    seen = {_plain(broken.source.under(watch.target.span)) for watch in watches}
    for part in (path.parts[0] for path in (*paths(body), controller.primary)):
        text, index = part.name, "" if part.index is None else broken.source.under(part.index.span)
        if part.index is not None and text == name and inside.isdisjoint(_named(part.index)):
            text = f"{name}[{index}]"
        elif part.index is not None or text == name or broken.array(controller, text) != name:
            continue
        if _plain(text) not in seen:
            seen.add(_plain(text))
            covered: set[str] = set()
            if _is_owned(broken, controller, resource):
                found = _new_watch(broken, controller, name, f"watch {text} via owner", f"{text} owner", frozenset())
                covered.add(found.key)
                yield found
            yield _new_watch(broken, controller, name, f"watch {text}", text, frozenset(covered))


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text)


def _is_owned(broken: Broken, controller: tree.Controller, resource: tree.Resource) -> bool:
    """Whether owner references of a resource may lead to the controller's primary."""
    primary = broken.array(controller, controller.primary.parts[0].name)
    if resource.owned is None or resource.owned.owner.parts[0].name != primary:
        return False
    return _ownership(broken, resource.name.text) in OWNER_MATCHES[broken.manager(controller).profile["owner_match"]]


def _watch(
    broken: Broken, controller: tree.Controller, resource: tree.Resource, narrower: set[str]
) -> Iterator[Candidate]:
    name = resource.name.text
    if _is_owned(broken, controller, resource):
        yield _new_watch(broken, controller, name, f"watch {name} via owner", "owner", frozenset(narrower))
        return
    covered = {*narrower}
    for mapping in _references(broken, controller, name):
        found = _new_watch(broken, controller, name, f"watch {name} via ({mapping})", mapping, frozenset())
        covered.add(found.key)
        yield found
    yield _new_watch(broken, controller, name, f"watch {name}", "", frozenset(covered))


def _ownership(broken: Broken, name: str) -> str:
    return next((broken.operator.objects[element].ownership for element in broken.elements(name)), "")


def _references(broken: Broken, controller: tree.Controller, name: str) -> list[str]:
    """Mappings by a reference: a field of the primary that the reconcile compares with one of the object."""
    found: list[str] = []
    for node in nodes(reconcile(controller)):
        if not isinstance(node, tree.Binary) or node.operator not in ("==", "!="):
            continue
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if not (isinstance(one, tree.Path) and isinstance(other, tree.Path)):
                continue
            if one.parts[0].name == name and other.parts[0].name == controller.primary.text:
                if _is_opaque(broken, controller, one) and _is_opaque(broken, controller, other):
                    field = ".".join(part.name for part in one.parts[1:])
                    found.append(f"new.{field} == {other.text}")
    return list(dict.fromkeys(found))


def _is_opaque(broken: Broken, controller: tree.Controller, path: tree.Path) -> bool:
    field = ".".join(part.name for part in path.parts[1:])
    elements = broken.elements(broken.array(controller, path.parts[0].name))
    variables = [variable for element in elements for variable in broken.operator.objects[element].fields]
    return any(isinstance(v.type, OpaqueType) and v.name.endswith(f".{field}") for v in variables)


def _new_watch(
    broken: Broken, controller: tree.Controller, name: str, text: str, how: str, covers: frozenset[str]
) -> Candidate:
    near, edit = _inserted(broken, controller, text)
    return Candidate(
        key=f"{controller.name}: watch {name} {how}".rstrip(),
        title=f"{text}{_in(broken, controller)}",
        edits=(edit,),
        places=(near,),
        targets=frozenset(broken.elements(name)),
        covers=covers,
    )


def _in(broken: Broken, controller: tree.Controller) -> str:
    return f" in {controller.name}" if len(broken.controllers) > 1 else ""


def _inserted(broken: Broken, controller: tree.Controller, text: str) -> tuple[Place, Edit]:
    """A declaration put behind the last watch of a controller, or before its first member."""
    watches = [member for member in controller.members if isinstance(member, tree.Watch)]
    if watches:
        return place(watches[-1], controller), broken.source.behind(watches[-1].span, text)
    first = controller.members[0]
    return Place(first.span, controller.cites), broken.source.before(first.span, text)


def _bridge(broken: Broken, controller: tree.Controller, external: tree.External) -> Candidate:
    """An event source for an external, and a watch of it."""
    name = external.name.text
    near, watch = _inserted(broken, controller, f"watch {name}")
    edits, title = [watch], f"watch {name}"
    if not external.notifies:
        end = broken.source.end(external.name.span)
        if external.size is not None:
            end = broken.source.text.index("]", broken.source.end(external.size.span)) + 1
        titled = re.compile(r'\s*"[^"\n]*"').match(broken.source.text, end)
        end = titled.end() if titled is not None else end
        edits.insert(0, broken.source.replace(end, end, " notifies"))
        title = f"turn changes of {name} into events, and watch them"
    return Candidate(
        key=f"{controller.name}: watch {name}",
        title=title + _in(broken, controller),
        edits=tuple(edits),
        places=(near, place(external, controller)),
        targets=frozenset(broken.elements(name)),
    )


# ---- watches that are there ------------------------------------------------------------------------------------


def _wider(broken: Broken, controller: tree.Controller, watch: tree.Watch) -> Iterator[Candidate]:
    name, target = broken.source.under((watch.name or watch.target).span), broken.source.under(watch.target.span)
    here = (place(watch, controller),)
    targets = frozenset(broken.watched(watch))

    def candidate(what: str, title: str, edits: list[Edit], covers: frozenset[str] = frozenset()) -> Candidate:
        key = f"{controller.name}: {name}: {what}"
        return Candidate(key, title + _in(broken, controller), tuple(edits), here, targets, covers=covers)

    narrower: set[str] = set()
    for what, title, edit in _let_through(broken, watch):
        found = candidate(what, title, [edit])
        narrower.add(found.key)
        yield found
    everything = _everything(broken, controller, watch)
    if everything is not None:
        title = f"let every event of {target} through watch {name}"
        yield candidate("everything", title, [everything], frozenset(narrower))
    mapping = _mapping(broken, watch)
    if mapping is not None:
        yield candidate("self", f"let watch {name} wake the controller whatever the mapping says", [mapping])
    if watch.late:
        yield candidate("early", f"begin watch {name} at the start", _early(broken, controller, watch))


def _let_through(broken: Broken, watch: tree.Watch) -> Iterator[tuple[str, str, Edit]]:
    """More items for a filter, and conditions that are dropped: what, title, edit."""
    if not watch.filters:
        return
    name, source = broken.source.under((watch.name or watch.target).span), broken.source
    end = source.end(watch.filters[-1].span)
    kinds = {kind for item in watch.filters if item.kind is not None for kind in _kinds(item.kind)}
    parts = [item.part.text for item in watch.filters if item.part is not None]
    for item in watch.filters:
        if item.condition is not None:
            title = f"let every {item.kind} through watch {name}, not only some"
            title = title.replace("every any", "every event")
            assert item.kind is not None
            yield f"{item.kind} where", title, source.put(item.span, item.kind)
    if kinds:
        for kind in sorted(KINDS - kinds - ({"update"} if parts else set())):
            yield kind, f"let {kind}s through watch {name}", source.replace(end, end, f", {kind}")
    if parts or "update" not in kinds:
        for field in _fields(broken, watch):
            if not any(field == part or field.startswith(f"{part}.") for part in parts if _covers(broken, watch, part)):
                title = f"let changes of {field} through watch {name}"
                yield field, title, source.replace(end, end, f", {field}")


def _kinds(kind: str) -> frozenset[str]:
    return KINDS if kind == "any" else frozenset({kind})


def _covers(broken: Broken, watch: tree.Watch, part: str) -> bool:
    """Whether a part stands for its fields; `spec` of an object without generation does not."""
    objects = [broken.operator.objects.get(target) for target in broken.watched(watch)]
    return part != "spec" or all(object_ is None or object_.has_generation for object_ in objects)


def _fields(broken: Broken, watch: tree.Watch) -> list[str]:
    holders = broken.operator.objects | broken.operator.externals
    found: dict[str, None] = {}
    for target in broken.watched(watch):
        for variable in holders[target].fields:
            field = variable.name[len(target) + 1 :]
            found["metadata" if field.startswith("finalizers.") else field] = None
    return list(found)


def _everything(broken: Broken, controller: tree.Controller, watch: tree.Watch) -> Edit | None:
    """The filter of a watch taken away; where the runtime would put one in its place, `on any`."""
    source = broken.source
    primaries = {one.primary for one in broken.rounds(controller)}
    default = broken.manager(controller).profile["primary_filter"]
    if default == "spec":
        primaries = {name for name in primaries if broken.operator.objects[name].has_generation}
    by_default = default != "everything" and not primaries.isdisjoint(broken.watched(watch))
    if watch.filters:
        begin, end = source.begin(watch.filters[0].span), source.end(watch.filters[-1].span)
        if by_default:
            return source.replace(begin, end, "any")
        on = re.compile(r"\s*\bon\s*$").search(source.text, 0, begin)
        assert on is not None
        return source.replace(on.start(), end, "")
    if by_default:
        end = watch_end(source, watch)
        return source.replace(end, end, " on any")
    return None


def _mapping(broken: Broken, watch: tree.Watch) -> Edit | None:
    """The mapping of a watch taken away."""
    source = broken.source
    if watch.via == "self" or (watch.via == "owner" and not _leads_nowhere(broken, watch)):
        return None
    begin = source.end((watch.name or watch.target).span)
    via = re.compile(r"\s*\bvia\s*(owner|\()").match(source.text, begin)
    if via is None:
        return None
    end, depth = via.end(), int(via.group(1) == "(")
    while depth:
        depth += {"(": 1, ")": -1}.get(source.text[end], 0)
        end += 1
    return source.replace(begin, end, "")


def _leads_nowhere(broken: Broken, watch: tree.Watch) -> bool:
    found = [w for controller in broken.operator.controllers for w in controller.watches if w.span == watch.span]
    return not any(w.mapping == e.TRUE for w in found)


def _early(broken: Broken, controller: tree.Controller, watch: tree.Watch) -> list[Edit]:
    """A late watch that begins with the others: without `late`, and without what registers it."""
    source = broken.source
    begin = source.begin(watch.span)
    late = re.compile(r"\blate\s+(?=watch\b)").search(source.text, begin, source.end(watch.span))
    assert late is not None
    name = (watch.name or watch.target).text
    edits = [source.replace(late.start(), late.end(), "")]
    for node in nodes(reconcile(controller)):
        if isinstance(node, tree.Effect) and node.verb == "register" and node.target.text == name:
            edits.append(source.without(node.span))
    return edits
