"""The environment's actions, written in the model or brought along by a kind."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.names import Names, Where, suffix
from reconcheck.model.operator import Action, Change, Target, Variable
from reconcheck.model.problems import Broken
from reconcheck.model.types import BOOL
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes


class Environment(Struct):
    """Translates actions."""

    names: Names
    kinds: dict[str, tree.Kind]

    def translate(self, operator: tree.Operator) -> Iterator[Action]:
        """Every action of the model: those of kinds first, then those of `environment` blocks."""
        for member in operator.members:
            if isinstance(member, tree.Resource) and (kind := self.kinds.get(member.kind.text)) is not None:
                for element in self.names.arrays.get(member.name.text, (member.name.text,)):
                    if element in self.names.objects:
                        yield from self._of_kind(kind, element)
        for member in operator.members:
            if isinstance(member, tree.Environment):
                yield from self._members(member.members, Where("world"), "")

    def _of_kind(self, kind: tree.Kind, element: str) -> Iterator[Action]:
        bindings = {"self": element}
        owner = self.names.objects[element].owner
        if owner in self.names.objects:
            bindings["owner"] = owner
        for action in kind.actions:
            if "owner" not in bindings and _mentions(action, "owner"):
                continue  # what an owner's deletion does to an object that has none
            yield from self._action(action, Where("world", bindings=bindings), f"{element}.{action.name}")

    def _members(
        self, members: tuple[tree.Action | tree.EnvironmentFor, ...], where: Where, around: str
    ) -> Iterator[Action]:
        for member in members:
            try:
                if isinstance(member, tree.EnvironmentFor):
                    for value in self.names.rounds(member.collection, where):
                        bound = where.bind(member.variable.text, value)
                        yield from self._members(member.members, bound, around + suffix(value))
                else:
                    yield from self._action(member, where, f"{member.name}{around}")
            except Broken:
                continue

    def _action(self, node: tree.Action, where: Where, name: str) -> Iterator[Action]:
        try:
            guard = self.names.expr(node.guard, where, BOOL) if node.guard is not None else e.TRUE
        except Broken:
            guard = e.TRUE
        changes: list[Change] = []
        for item in node.body:
            try:
                match item:
                    case tree.Assignment():
                        changes.append(self._set(item, where))
                    case tree.Effect():
                        changes.append(self._object(item, where))
            except Broken:
                continue
        if not node.body:
            message = f"`{node.name}` changes nothing"
            self.names.problems.error("RC206", message, node.span, "write what it changes: `database.up = true`")
        yield Action(name, node.kind, guard, tuple(changes), node.doc, node.cites, node.span)

    def _set(self, node: tree.Assignment, where: Where) -> Change:
        target, rest = self.names.holder(node.target, where)
        if not rest:
            message = f"`{target}` is not a field"
            raise self.names.problems.broken("RC206", message, node.target.span, f"write `{target}.field = ...`")
        name = ".".join(part.name for part in rest)
        if name in ("exists", "deleting"):
            instead = f"use `create {target}` or `delete {target}`"
            raise self.names.problems.broken("RC208", f"`{name}` is not written directly", node.target.span, instead)
        if target in self.names.clocks:
            typed = self.names.expr(node.target, where)
            assert isinstance(typed, e.Var)
            variable = next(v for v in self.names.clocks[target] if v.name == typed.name)
        else:
            variable = self.names.field(target, name, node.target.rest)
        return Change("set", target, (self._target(node, where, variable),), node.span)

    def _target(self, node: tree.Assignment, where: Where, variable: Variable) -> Target:
        old = e.Var(variable.name, variable.type)
        return Target(variable, self.names.assigned(node, where, variable, old))

    def _object(self, node: tree.Effect, where: Where) -> Change:
        target, rest = self.names.holder(node.target, where)
        if rest or target not in self.names.objects:
            message = f"`{node.target.text}` is not a Kubernetes object"
            raise self.names.problems.broken("RC206", message, node.target.span, "name the object only")
        if node.verb == "apply":
            message = "`apply` is what a controller does"
            raise self.names.problems.broken("RC206", message, node.span, "write `create`, or assign the fields")
        assignments: list[Target] = []
        for assignment in node.assignments:
            name = assignment.target.text
            variable = self.names.field(target, name, assignment.target.span)
            assignments.append(self._target(assignment, where, variable))
        written = [one.variable.name for one in assignments]
        if len(set(written)) < len(written):
            self.names.problems.error("RC202", "a field is written twice", node.span, "keep one assignment")
        return Change(node.verb, target, tuple(assignments), node.span)


def _mentions(action: tree.Action, name: str) -> bool:
    """Whether an action of a kind speaks of `name` in its guard or its body."""
    found = (one for one in nodes((action.guard, action.body)) if isinstance(one, tree.Path))
    return any(path.parts and path.parts[0].name == name for path in found)
