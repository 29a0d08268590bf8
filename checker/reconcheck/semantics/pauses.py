"""Where a step of a reconcile ends before its effect, because the evaluation would be too long for one step.

Each way from the beginning of a step to an effect is a command of its own.  A reconcile that looks at many
objects, one after the other, has so many of them that they are cut: a *pause* is a position that no step goes
past, unless it begins there.  What this means is in spec/semantics.md, "A long evaluation is several steps".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.operator import Bind, End, Instruction, Jump, Program, Test, expressions
from reconcheck.semantics.keeping import following

MOST_EVALUATED = 1_000
"""Values read on all ways from the beginnings of steps to effects, up to which nothing is cut."""

MANY_WAYS = 4
"""Ways to one position within a step, beyond which a large program is cut there."""

LONG_WAY = 48
"""Values read on one way within a step, beyond which a large program is cut there."""

FEW_USES = 2
"""Uses of a binding up to which it is evaluated where it is used, however many values it reads."""

RELUCTANCE = 4
"""How many times as much is accepted where a pause would add to what the run has to keep."""


class Cuts(Struct, frozen=True):
    """The tests and bindings that are steps of their own, and the pauses."""

    stops: frozenset[int]
    pauses: frozenset[int]


def ends_step(instruction: Instruction, stop: bool) -> bool:
    """Whether a step that comes to an instruction ends with it."""
    return stop or not isinstance(instruction, Test | Jump | Bind)


def places(program: Program, cuts: Cuts) -> tuple[int, ...]:
    """The positions at which a step can begin: the entry, what follows a step, and the pauses."""
    found = {program.resume(0), *cuts.pauses}
    for position, instruction in enumerate(program.code):
        if ends_step(instruction, position in cuts.stops):
            found.update(program.resume(target) for target in following(position, instruction))
    return tuple(sorted(found))


def cuts(program: Program, keeps_more: Callable[[tuple[int, ...]], Callable[[int], bool]]) -> Cuts:
    """Where a program is cut.

    `keeps_more` tells, given the places that there are anyway, of a position whether a pause there adds to what
    the run has to keep.
    """
    uncut = Cuts(program.stops, frozenset())
    sizes, _ = _sizes(program, None)
    evaluated, _ = _survey(program, uncut, sizes, None)
    if evaluated <= MOST_EVALUATED:
        return uncut
    sizes, stops = _sizes(program, LONG_WAY)
    longer = Cuts(stops, frozenset())
    _, pauses = _survey(program, longer, sizes, keeps_more(places(program, longer)))
    return Cuts(stops, pauses)


def _sizes(program: Program, limit: int | None) -> tuple[list[int], frozenset[int]]:
    """How many values each instruction reads, locals written out, and the stops.

    A binding of more than `limit` values that is used again and again becomes a stop: what uses it then reads a
    local that is kept.
    """
    uses = Counter(v.name for one in program.code for expression in expressions(one) for v in e.variables(expression))
    sizes: list[int] = []
    bound: dict[str, int] = {}
    stops = set(program.stops)

    def size(expression: e.Expr) -> int:
        if isinstance(expression, e.Var):
            return bound.get(expression.name, 1)
        return sum(size(part) for part in e.parts(expression)) or 1

    for position, instruction in enumerate(program.code):
        sizes.append(sum(size(expression) for expression in expressions(instruction)) or 1)
        if isinstance(instruction, Bind):
            again = uses[instruction.local.name] > FEW_USES
            if limit is not None and sizes[position] > limit and again:
                stops.add(position)
            bound[instruction.local.name] = 1 if position in stops else sizes[position]
    return sizes, frozenset(stops)


def _survey(
    program: Program, given: Cuts, sizes: list[int], keeps_more: Callable[[int], bool] | None
) -> tuple[int, frozenset[int]]:
    """How many values the ways to all ends of steps read together, and where pauses are, if they are wanted."""
    code = program.code
    begins = frozenset(places(program, given))
    ways = [int(position in begins) for position in range(len(code))]  # to each position, within a step
    longest, together = [0] * len(code), [0] * len(code)  # how many values the longest reads, and all of them
    evaluated, pauses = 0, set[int]()
    for position, instruction in enumerate(code):
        if keeps_more is not None and not isinstance(instruction, Jump | End):
            looks = isinstance(instruction, Test | Bind) and longest[position] > 0
            length = longest[position] + sizes[position] if looks else 0
            excess = max(ways[position] / MANY_WAYS, length / LONG_WAY)
            if excess > RELUCTANCE or (excess > 1 and not keeps_more(position)):
                pauses.add(position)
                evaluated += together[position]
                ways[position], longest[position], together[position] = 1, 0, 0
        if ends_step(instruction, position in given.stops):
            evaluated += together[position] + ways[position] * sizes[position]
            continue
        read = sizes[position] if isinstance(instruction, Test) else 0
        for target in following(position, instruction):
            ways[target] += ways[position]
            longest[target] = max(longest[target], longest[position] + read)
            together[target] += together[position] + ways[position] * read
    return evaluated, frozenset(pauses)
