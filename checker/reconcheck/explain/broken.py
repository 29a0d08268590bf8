"""A model that is to be repaired: its text, its tree, what they mean, and the goals that fail."""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import Struct

from reconcheck.explain.cause import Place
from reconcheck.explain.edits import Source
from reconcheck.model.managers import Manager
from reconcheck.model.operator import Controller, Operator
from reconcheck.syntax import tree
from reconcheck.syntax.cite import Cite
from reconcheck.syntax.nodes import nodes


class Broken(Struct, frozen=True, dict=True):
    """A model with goals that do not converge."""

    source: Source
    file: tree.File
    operator: Operator
    failing: tuple[tree.Goal, ...]
    causes: frozenset[str] = frozenset()
    """Why they fail, as kinds of causes, as far as that is known."""

    @property
    def members(self) -> tuple[tree.Member, ...]:
        """The declarations of the operator."""
        assert self.file.operator is not None
        return self.file.operator.members

    @cached_property
    def controllers(self) -> tuple[tree.Controller, ...]:
        """The controllers as written; none that stands in a loop without rounds."""
        assert self.file.operator is not None
        return tuple(one for one in self.file.operator.controllers if self.rounds(one))

    def rounds(self, controller: tree.Controller) -> tuple[Controller, ...]:
        """What a controller as written means: one controller, or one a round of the loops around it."""
        return tuple(one for one in self.operator.controllers if one.span == controller.span)

    def array(self, controller: tree.Controller, name: str) -> str:
        """The array that a name goes through in the loops around a controller; else the name itself."""
        assert self.file.operator is not None
        return next(loops for one, loops in self.file.operator.looped if one is controller).get(name, name)

    def manager(self, controller: tree.Controller) -> Manager:
        """The process in which a controller runs."""
        return self.rounds(controller)[0].manager

    def watched(self, watch: tree.Watch) -> tuple[str, ...]:
        """The objects and externals that a watch as written is a watch of."""
        found = (one.target for it in self.operator.controllers for one in it.watches if one.span == watch.span)
        return tuple(dict.fromkeys(found))

    @cached_property
    def resources(self) -> tuple[tree.Resource, ...]:
        """The resources as written."""
        return tuple(member for member in self.members if isinstance(member, tree.Resource))

    @cached_property
    def externals(self) -> tuple[tree.External, ...]:
        """The externals as written."""
        return tuple(member for member in self.members if isinstance(member, tree.External))

    @cached_property
    def clocks(self) -> frozenset[str]:
        """The names of the clocks."""
        return frozenset(member.name.text for member in self.members if isinstance(member, tree.Clock))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name that occurs in the model."""
        words = {node.text for node in nodes(self.file) if isinstance(node, tree.Word)}
        return frozenset(words | {node.name for node in nodes(self.file) if isinstance(node, tree.Part)})

    def elements(self, name: str) -> tuple[str, ...]:
        """The objects of a name: one, or those of an array; or the external of that name."""
        holders = [*self.operator.objects, *self.operator.externals]
        return tuple(holder for holder in holders if holder == name or holder.startswith(f"{name}["))

    def free_name(self, wanted: str) -> str:
        """A name for a requeue rule or a local that nothing in the model has."""
        number, free = 2, wanted
        while free in self.words:
            number, free = number + 1, f"{wanted}_{number}"
        return free

    def rule_name(self, wanted: str, controller: tree.Controller) -> str:
        """A name for a new requeue rule of a controller."""
        return self.free_name(f"{wanted}_{controller.name}" if len(self.controllers) > 1 else wanted)


def reconcile(controller: tree.Controller) -> tree.Reconcile:
    """The reconcile function of a controller; a checked model has one."""
    return next(member for member in controller.members if isinstance(member, tree.Reconcile))


def place(node: tree.Watch | tree.Statement | tree.External | tree.ErrorRule, controller: tree.Controller) -> Place:
    """Where a node stands, cited as it is itself, or else like its controller."""
    cites: tuple[Cite, ...] = () if isinstance(node, tree.ForEach) else node.cites
    return Place(node.span, cites or controller.cites or reconcile(controller).cites)


def watch_end(source: Source, watch: tree.Watch) -> int:
    """The offset behind a watch, before its citations: where a filter belongs, if it has none."""
    end = source.begin(watch.cites[0].span) if watch.cites else source.end(watch.span)
    return len(source.text[:end].rstrip())


OWN_WORDS = re.compile(
    r"await\s+change|fail(\s+terminal)?|on[ \t]+error\s+(backoff|stop|await\s+change|retry\s+\d+|requeue\s+after\s+\w+)"
)


def words_end(source: Source, node: tree.Await | tree.Fail | tree.Requeue | tree.ErrorRule) -> int:
    """The offset behind the words of an outcome or an error rule, before its citations."""
    if isinstance(node, tree.Requeue) and node.duration is not None:
        return source.end(node.duration.span)
    found = OWN_WORDS.match(source.text, source.begin(node.span))
    assert found is not None
    return found.end()
