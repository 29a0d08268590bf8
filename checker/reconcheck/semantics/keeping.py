"""What a running reconcile has to keep: locals that are used later, and which version of an object it has.

A program only jumps forward, so one look at each position, in order or backwards, is enough.  What is needed at
a position is what some way to it has got and some way on from it uses.  Sets of names are kept as numbers here,
one bit a name: a large reconcile has as many names as positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.managers import is_view, live_name
from reconcheck.model.operator import (
    Bind,
    Call,
    Controller,
    End,
    Instruction,
    Jump,
    Operator,
    Program,
    Read,
    Test,
    Variable,
    Write,
    expressions,
)


def objects_read(instruction: Instruction) -> frozenset[str]:
    """The objects of which an instruction reads the cached copy."""
    names = (variable.name for expression in expressions(instruction) for variable in e.variables(expression))
    return frozenset(live_name(name).partition(".")[0] for name in names if is_view(name))


def following(position: int, instruction: Instruction) -> tuple[int, ...]:
    """The positions that can come next; behind an effect, the first is where it goes without an error."""
    match instruction:
        case End():
            return ()
        case Jump(target):
            return (target,)
        case Test(otherwise=otherwise):
            return (position + 1, otherwise)
        case Read(handlers=handlers) | Write(handlers=handlers) | Call(handlers=handlers):
            return (position + 1, *(target for _, target in handlers))
        case _:
            return (position + 1,)


class Needs(Struct, frozen=True, dict=True):
    """For each position of a program, which of the names are needed there (bit `i` for `names[i]`)."""

    names: tuple[str, ...]
    masks: tuple[int, ...]

    @cached_property
    def _sets(self) -> dict[int, frozenset[str]]:
        return {mask: frozenset(self._bits(mask)) for mask in set(self.masks)}

    def _bits(self, mask: int) -> Iterator[str]:
        while mask:
            last = mask & -mask
            yield self.names[last.bit_length() - 1]
            mask ^= last

    def at(self, position: int) -> frozenset[str]:
        """The names needed at a position."""
        return self._sets[self.masks[position]]

    def at_any(self, positions: Iterable[int]) -> int:
        """The mask of the names needed at one of some positions."""
        mask = 0
        for position in positions:
            mask |= self.masks[position]
        return mask


def locals_of(program: Program) -> tuple[Variable, ...]:
    """The locals of a program, in the order in which they are bound."""
    found: list[Variable] = []
    for instruction in program.code:
        if isinstance(instruction, Read):
            found += [local for local, _ in instruction.locals]
        elif isinstance(instruction, Bind):
            found.append(instruction.local)
    return tuple(found)


def locals_needed(controller: Controller) -> Needs:
    """The locals that may be bound already and may still be used."""
    code = controller.program.code
    names = tuple(variable.name for variable in locals_of(controller.program))
    bit = {name: 1 << index for index, name in enumerate(names)}
    captured = {rule.name: [value for _, value in rule.captures] for rule in controller.rules}
    uses = [0] * len(code)
    bound = [0] * len(code)
    for position, instruction in enumerate(code):
        read = list(expressions(instruction))
        if isinstance(instruction, End) and instruction.rule is not None:
            read += captured[instruction.rule]
        for expression in read:
            for variable in e.variables(expression):
                uses[position] |= bit.get(variable.name, 0)
        if isinstance(instruction, Read):
            bound[position] = sum(bit[local.name] for local, _ in instruction.locals)
        elif isinstance(instruction, Bind):
            bound[position] = bit[instruction.local.name]
    later = [0] * len(code)
    for position in reversed(range(len(code))):
        later[position] = uses[position]
        for target in following(position, code[position]):
            later[position] |= later[target]
    return Needs(names, _both(_gathered(code, bound, 0), later))


def versions_needed(operator: Operator, controller: Controller, places: Iterable[int]) -> Needs:
    """The objects that the run may have got already and may still `update`; `places` are where steps begin.

    An object outside the cache counts as got at the start of a run in which it is got before an `update` at all.
    """
    code = controller.program.code
    updated = (one.target for one in code if isinstance(one, Write) and one.verb == "update")
    names = tuple(dict.fromkeys(updated))
    bit = {name: 1 << index for index, name in enumerate(names)}
    got = [0] * len(code)
    later = [0] * len(code)
    for position in reversed(range(len(code))):
        instruction = code[position]
        own = bit.get(instruction.target, 0) if isinstance(instruction, Read | Write) else 0
        got[position] = own | sum(bit.get(name, 0) for name in objects_read(instruction))
        if isinstance(instruction, Write) and instruction.verb == "update":
            later[position] = own
        for index, target in enumerate(following(position, instruction)):
            later[position] |= later[target] & ~own if index == 0 else later[target]  # the answer is a new version
    needs = Needs(names, _both(_gathered(code, got, 0), later))
    live = [name for name in names if controller.manager.name not in operator.objects[name].cached]
    held = needs.at_any(places)
    at_start = sum(bit[name] for name in live if bit[name] & held)
    return Needs(names, _both(_gathered(code, got, at_start), later)) if at_start else needs


def _gathered(code: tuple[Instruction, ...], gained: list[int], at_start: int) -> list[int]:
    """What may have been gained on the way to each position."""
    before = [0] * len(code)
    before[0] = at_start
    for position, instruction in enumerate(code):
        for target in following(position, instruction):
            before[target] |= before[position] | gained[position]
    return before


def _both(one: list[int], other: list[int]) -> tuple[int, ...]:
    return tuple(a & b for a, b in zip(one, other, strict=True))
