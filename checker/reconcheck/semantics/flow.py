"""The steps of a controller's reconcile: where they begin and end, and what is kept from one to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from reconcheck.model.operator import Controller, Operator, Program, Variable
from reconcheck.semantics.keeping import locals_needed, locals_of, versions_needed
from reconcheck.semantics.pauses import Cuts, cuts, places


@dataclass(frozen=True)
class Flow:
    """The steps of one reconcile.  A *place* is a position at which a step can begin, so that `pc` stands there."""

    cuts: Cuts
    labels: dict[int, str]
    """The name of each place."""
    locals: tuple[Variable, ...]
    """The locals that live across a step."""
    live: dict[int, frozenset[str]]
    """The locals that are kept at each place."""
    held: frozenset[str]
    """The objects of which the run has to know which version it has."""
    versions: dict[int, frozenset[str]]
    """The objects of which it has to know that at each place."""

    def place(self, label: str) -> int:
        """The place of that name.  Raises `StopIteration` where there is none."""
        return next(place for place, known in self.labels.items() if known == label)


def flow(operator: Operator, controller: Controller) -> Flow:
    """The steps of a controller's reconcile."""
    program = controller.program
    locals_ = locals_needed(controller)

    def keeps_more(given: tuple[int, ...]) -> Callable[[int], bool]:
        versions = versions_needed(operator, program, given)
        kept, held = ~locals_.at_any(given), ~versions.at_any(given)
        return lambda position: bool(locals_.masks[position] & kept or versions.masks[position] & held)

    cut = cuts(program, keeps_more)
    begins = places(program, cut)
    versions = versions_needed(operator, program, begins)
    live = {place: locals_.at(place) for place in begins}
    held = {place: versions.at(place) for place in begins}
    kept = frozenset[str]().union(*live.values())
    return Flow(
        cuts=cut,
        labels=_labels(program, begins),
        locals=tuple(local for local in locals_of(program) if local.name in kept),
        live=live,
        held=frozenset[str]().union(*held.values()),
        versions=held,
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
