"""The steps of a controller's reconcile: where they begin and end, and what is kept from one to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from reconcheck.model.operator import Controller, Operator, Program, Variable
from reconcheck.model.types import EnumType
from reconcheck.semantics.keeping import locals_needed, locals_of, versions_needed
from reconcheck.semantics.pauses import Cuts, cuts, places

UNREAD, NEWEST, OUTDATED = "unread", "newest", "outdated"
VERSION = EnumType((UNREAD, NEWEST, OUTDATED))
"""Which version of an object a running reconcile has: the one it read first, wrote last or read live."""


class Flow(Struct, frozen=True):
    """The steps of one reconcile.  A *place* is a position at which a step can begin, so that `pc` stands there."""

    cuts: Cuts
    labels: dict[int, str]
    """The name of each place."""
    locals: tuple[Variable, ...]
    """The locals that live across a step."""
    held: dict[str, Variable]
    """Which version the run has, for each object of which it has to know that across a step."""
    needed: dict[int, frozenset[str]]
    """For each place, those of `kept` that matter there; the others are reset."""

    @property
    def kept(self) -> tuple[Variable, ...]:
        """The locals and versions: what is zero, or unread, while no reconcile runs."""
        return (*self.locals, *self.held.values())

    def place(self, label: str) -> int:
        """The place of that name.  Raises `StopIteration` where there is none."""
        return next(place for place, known in self.labels.items() if known == label)


def held_name(controller: str, target: str) -> str:
    """The variable that says which version of an object the running reconcile has."""
    return f"held({controller}: {target})"


def flow(operator: Operator, controller: Controller) -> Flow:
    """The steps of a controller's reconcile."""
    name, program = controller.name, controller.program
    locals_ = locals_needed(controller)

    def keeps_more(given: tuple[int, ...]) -> Callable[[int], bool]:
        versions = versions_needed(operator, controller, given)
        kept, held = ~locals_.at_any(given), ~versions.at_any(given)
        return lambda position: bool(locals_.masks[position] & kept or versions.masks[position] & held)

    cut = cuts(program, keeps_more)
    begins = places(program, cut)
    versions = versions_needed(operator, controller, begins)
    needed = {
        place: locals_.at(place).union(held_name(name, target) for target in versions.at(place)) for place in begins
    }
    everywhere = frozenset[str]().union(*needed.values())
    held = {target: Variable(held_name(name, target), VERSION, UNREAD) for target in versions.names}
    return Flow(
        cuts=cut,
        labels=_labels(program, begins),
        locals=tuple(local for local in locals_of(program) if local.name in everywhere),
        held={target: variable for target, variable in held.items() if variable.name in everywhere},
        needed=needed,
    )


def _labels(program: Program, begins: tuple[int, ...]) -> dict[int, str]:
    """Names each place by its line."""
    counts = Counter[int]()
    labels: dict[int, str] = {}
    for place in begins:
        line = program.code[place].span.line
        counts[line] += 1
        labels[place] = f"line {line}" if counts[line] == 1 else f"line {line} #{counts[line]}"
    return labels
