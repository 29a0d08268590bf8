"""Declarations of what exists: objects, externals, clocks, memory."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.model.managers import Manager
from reconcheck.model.names import Names, Where
from reconcheck.model.operator import External, Object, Variable
from reconcheck.model.problems import Broken
from reconcheck.model.types import BOOL, RangeType, zero
from reconcheck.syntax import tree

WITHOUT_GENERATION = frozenset({"Secret", "ConfigMap", "ServiceAccount", "Endpoints", "Event", "Service", "Node"})
"""Core kinds whose objects carry no `metadata.generation` (KEP-5567 gives the background); others have one."""

MOST_ELEMENTS = 1_000
"""Objects of an array: each has variables of its own in every state (spec/limits.md)."""

RESERVED = frozenset({"exists", "deleting"})

CONSTANT = Where("constant")
"""Where initial values stand, and sizes; in an array, `index` is the element's own."""


class Lifecycle(Struct, frozen=True):
    """Which objects (or arrays) some statement creates or deletes."""

    created: frozenset[str]
    deleted: frozenset[str]


def lifecycle(file: tree.File, kinds: dict[str, tree.Kind]) -> Lifecycle:
    """Reads off the syntax tree which names are created and deleted, loops resolved to their arrays."""
    created: set[str] = set()
    deleted: set[str] = set()

    def note(effect: tree.Effect, loops: dict[str, str]) -> None:
        name = effect.target.parts[0].name
        name = loops.get(name, name)
        if effect.verb in ("create", "apply"):
            created.add(name)
        if effect.verb == "delete":
            deleted.add(name)

    def block(node: tree.Block | None, loops: dict[str, str]) -> None:
        for statement in node.statements if node is not None else ():
            match statement:
                case tree.Effect():
                    note(statement, loops)
                    for handler in statement.handlers:
                        block(handler.block, loops)
                case tree.Let():
                    for handler in statement.handlers:
                        block(handler.block, loops)
                case tree.When():
                    block(statement.block, loops)
                    block(statement.otherwise, loops)
                case tree.ForEach(variable, collection, inner):
                    block(inner, tree.looped(loops, variable, collection))
                case _:
                    pass

    def actions(members: tuple[tree.Action | tree.EnvironmentFor, ...], loops: dict[str, str]) -> None:
        for member in members:
            if isinstance(member, tree.EnvironmentFor):
                actions(member.members, tree.looped(loops, member.variable, member.collection))
            else:
                for item in member.body:
                    if isinstance(item, tree.Effect):
                        note(item, loops)

    assert file.operator is not None
    for controller, loops in file.operator.looped:
        for inner in controller.members:
            if isinstance(inner, tree.Reconcile):
                block(inner.block, loops)
    for member in file.operator.members:
        match member:
            case tree.Environment():
                actions(member.members, {})
            case tree.Resource() if (kind := kinds.get(member.kind.text)) is not None:
                owner = member.owned.owner.parts[0].name if member.owned is not None else "owner"
                loops = {"self": member.name.text, "owner": owner}
                actions(kind.actions, loops)
            case _:
                pass
    return Lifecycle(frozenset(created), frozenset(deleted))


class Declarations(Struct):
    """Adds the declared things to `names`."""

    names: Names
    managers: tuple[tuple[tree.Operator | tree.Manager, Manager], ...]
    kinds: dict[str, tree.Kind]
    lifecycle: Lifecycle

    def declare(self, operator: tree.Operator) -> None:
        """Declares everything in the operator, in the order of the file."""
        for member in operator.members:
            try:
                match member:
                    case tree.Resource():
                        self._resource(member)
                    case tree.External():
                        self._external(member)
                    case tree.Clock():
                        self._fresh(member.name)
                        fields = tuple(self._fields(member.name.text, member.fields))
                        self.names.clocks[member.name.text] = fields
                    case _:
                        pass
            except Broken:
                if isinstance(member, tree.Resource | tree.External | tree.Clock):
                    self.names.broken.add(member.name.text)
        for node, manager in self.managers:
            for memory in (member for member in node.members if isinstance(member, tree.Memory)):
                self.names.memory += tuple(self._memory(memory, manager.memory))
        self._owners(operator)

    def _fresh(self, name: tree.Word) -> None:
        taken = {*self.names.objects, *self.names.arrays, *self.names.externals, *self.names.clocks, "memory"}
        if name.text in taken or name.text in self.names.parameters:
            message = f"`{name}` is already declared"
            raise self.names.problems.broken("RC202", message, name.span, "choose another name")
        if name.text in ("old", "new", "self", "owner"):
            message = f"`{name}` has a meaning of its own in watches and kinds"
            raise self.names.problems.broken("RC228", message, name.span, "choose another name")

    def _memory(self, node: tree.Memory, holder: str) -> Iterator[Variable]:
        constants = (field for field in node.fields if not isinstance(field.initial, tree.Anything | None))
        given = {f"{holder}.{field.path.text}" for field in constants}
        for variable in self._fields(holder, node.fields):
            if variable.initial is None and variable.name not in given:
                message = f"`{variable.name}` needs an initial value: it is what a restart resets it to"
                self.names.problems.error("RC221", message, node.span, f"write `= {_spell(variable)}`")
            yield variable

    def _fields(self, holder: str, fields: tuple[tree.Field, ...], where: Where = CONSTANT) -> Iterator[Variable]:
        seen: set[str] = set()
        for node in fields:
            name = node.path.text
            try:
                if name in seen:
                    message = f"field `{name}` is declared twice"
                    raise self.names.problems.broken("RC202", message, node.path.span, "keep one")
                if name in RESERVED or name.startswith("finalizers."):
                    message = f"`{name}` exists on every object by itself"
                    raise self.names.problems.broken("RC228", message, node.path.span, "choose another name")
                seen.add(name)
                variable = Variable(f"{holder}.{name}", self.names.type(node.type), None)
                self.names.declared[variable.name] = node.span
            except Broken:
                self.names.broken.add(f"{holder}.{name}")
                continue
            try:
                yield self.names.initial(node.initial, variable, where)
            except Broken:
                yield variable

    def _external(self, node: tree.External) -> None:
        for element, where in self._elements(node):
            fields = tuple(self._fields(element, node.fields, where))
            external = External(element, node.title, node.notifies, fields, node.doc, node.cites, node.span)
            self.names.externals[element] = external

    def _elements(self, node: tree.Resource | tree.External) -> list[tuple[str, Where]]:
        """The names of all that a declaration declares, each with where its initial values stand.  Raises `Broken`."""
        self._fresh(node.name)
        name = node.name.text
        if node.size is None:
            return [(name, CONSTANT)]
        size = self.names.constant(node.size)
        if not 0 <= size <= MOST_ELEMENTS:
            message = f"an array of {size} objects"
            instead = f"use a size from 0 to {MOST_ELEMENTS}"
            raise self.names.problems.broken("RC220", message, node.size.span, instead)
        elements = tuple(f"{name}[{index}]" for index in range(size))
        self.names.arrays[name] = elements
        return [(element, CONSTANT.bind("index", number)) for number, element in enumerate(elements)]

    def _resource(self, node: tree.Resource) -> None:
        elements = self._elements(node)
        kind = self.kinds.get(node.kind.text)
        own = {field.path.text for field in node.fields}
        inherited = tuple(f for f in kind.fields if f.path.text not in own) if kind is not None else ()
        finalizers = (kind.finalizers if kind is not None else ()) + node.finalizers
        for element, where in elements:
            fields = tuple(self._fields(element, inherited + node.fields, where))
            fields += tuple(self._finalizer(element, finalizer, where) for finalizer in finalizers)
            self.names.objects[element] = self._object(node, element, self._owner(node.owned, where), fields)

    def _owner(self, node: tree.Owned | None, where: Where) -> str | None:
        """The name of the owner, of which `_owners` sees whether there is such an object.  Raises `Broken`."""
        if node is None:
            return None
        first = node.owner.parts[0]
        return first.name if first.index is None else f"{first.name}[{self.names.constant(first.index, where)}]"

    def _finalizer(self, element: str, node: tree.Finalizer, where: Where) -> Variable:
        variable = Variable(f"{element}.finalizers.{node.name}", BOOL, False)
        return self.names.initial(node.initial, variable, where) if node.initial is not None else variable

    def _object(self, node: tree.Resource, element: str, owner: str | None, fields: tuple[Variable, ...]) -> Object:
        return Object(
            name=element,
            kind=node.kind.text,
            primary=node.primary,
            owner=owner,
            ownership=node.owned.how if node.owned is not None else "controller",
            presence=node.presence or "present",
            cached=frozenset(manager.name for of, manager in self.managers if _is_cached(node, of, manager)),
            has_generation=node.generation and node.kind.text not in WITHOUT_GENERATION,
            fields=fields,
            deletable=node.name.text in self.lifecycle.deleted,
            creatable=node.name.text in self.lifecycle.created,
            doc=node.doc,
            cites=node.cites,
            span=node.span,
        )

    def _owners(self, operator: tree.Operator) -> None:
        for member in operator.members:
            if isinstance(member, tree.Resource) and member.owned is not None:
                name = member.name.text
                for element in self.names.arrays.get(name, (name,)):
                    if element in self.names.objects:
                        try:
                            self._is_object(self.names.objects[element].owner, member.owned.owner)
                        except Broken:
                            break

    def _is_object(self, owner: str | None, node: tree.Path) -> None:
        """Raises `Broken` if the owner is no object."""
        assert owner is not None
        if owner in self.names.objects:
            return
        name, problems = node.parts[0].name, self.names.problems
        arrays = {name: all_ for name, all_ in self.names.arrays.items() if self.names.objects.keys() >= {*all_}}
        if name in arrays and name != owner:
            size = len(arrays[name])
            message = f"`{name}` has {size} elements, there is no {owner.removeprefix(name)}"
            raise problems.broken("RC220", message, node.span, f"use 0 to {size - 1}")
        if name in arrays:
            instead = f"write `{name}[0]`, or `{name}[index]` for the one of the same index"
            raise problems.broken("RC220", f"`{name}` is an array", node.span, instead)
        if name in self.names.objects:
            raise problems.broken("RC220", f"`{name}` is not an array", node.span, f"write `{name}`")
        known = [name for name in (*self.names.objects, *arrays) if "[" not in name]
        raise self.names.unknown("owner", name, known, node.parts[0].span, "RC225")


def _is_cached(node: tree.Resource, of: tree.Operator | tree.Manager, manager: Manager) -> bool:
    """Whether the reconciles of a process read an object through its cache."""
    if node.read is not None:
        return node.read == "cached"
    reads = manager.profile["reads"]
    if reads not in ("primary_cached", "secondaries_cached"):
        return reads == "all_cached"
    primaries = ((one.primary.parts[0].name, loops) for one, loops in tree.controllers_of(of))
    own = (loops.get(name, name) for name, loops in primaries)
    is_primary = node.primary if isinstance(of, tree.Operator) else node.name.text in own
    return is_primary == (reads == "primary_cached")


def _spell(variable: Variable) -> str:
    value = zero(variable.type)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(variable.type, RangeType) or value else "0"
