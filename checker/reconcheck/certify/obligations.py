"""The obligations of a certificate, as SMT-LIB 2 text over the whole, unreduced system.

Each is the negation of what must hold, so a certificate stands when every one of them is unsatisfiable.  The
text is plain SMT-LIB: any solver can check it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconcheck.certify.certificate import Certificate, Invariant, Obligation
from reconcheck.certify.diagram import Diagram, at_most, membership
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import EnumType, OpaqueType
from reconcheck.semantics import smtlib
from reconcheck.semantics.system import Command, System, possible


@dataclass
class Texts:
    """What is the same for every certificate of a system: commands as text, made when first asked for."""

    system: System
    types: dict[str, Variable] = field(init=False)
    taken: dict[tuple[int, tuple[Variable, ...]], tuple[Command, str, str]] = field(default_factory=dict)
    guards: dict[int, str] = field(default_factory=dict)
    ways: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types = {variable.name: variable for variable in self.system.variables}


class Obligations:
    """Builds the obligations of one certificate.  `preamble` declares what their texts mention.

    Ranks are spoken of through the functions `at_most_k`: the states whose rank is at most k.  Plain truth
    values are much easier on a solver than numbers.
    """

    def __init__(self, texts: Texts, diagram: Diagram, ranks: int) -> None:
        self.texts, self.system, self.types = texts, texts.system, texts.types
        self.diagram, self.ranks = diagram, ranks
        self.ranked = frozenset(variable.name for variable in diagram.variables)
        self.declared: dict[str, Variable] = {}

    def preamble(self) -> str:
        """Declarations of the state and the inputs, and the ranks as functions."""
        lines = smtlib.declare(self.system.variables) + smtlib.declare(self.declared.values())
        for rank in range(self.ranks):
            lines += membership(at_most(self.diagram, rank), f"at_most_{rank}")
        typed = " ".join(smtlib.belongs(smtlib.symbol(v.name), v.type) for v in self.system.variables)
        lines.append(f"(define-fun typed () Bool (and true {typed}))")
        return "\n".join(lines)

    def convergence(self, certificate: Certificate) -> list[Obligation]:
        """The obligations of a proof of convergence."""
        result = [self._begin(), *self._kept(falling=True)]
        actions = sorted({action for action in certificate.helpful if action is not None})
        for action in actions:
            ranks = [rank for rank, helper in enumerate(certificate.helpful) if helper == action]
            result += self._helpful(action, ranks)
        here = self._arguments({})
        resting = [self._is(rank, here) for rank, helper in enumerate(certificate.helpful) if helper is None]
        goal = smtlib.term(certificate.goal)
        text = f"(and typed (or false {' '.join(resting)}) (not {goal}))"
        result.append(Obligation("the goal holds where nothing helps", text))
        return result

    def invariance(self, invariant: Invariant) -> list[Obligation]:
        """The obligations of a proof that a formula always holds."""
        formula = smtlib.term(invariant.formula)
        text = f"(and typed {self._inside(self._arguments({}))} (not {formula}))"
        return [self._begin(), *self._kept(falling=False), Obligation("the property holds", text)]

    # ---- single obligations ----------------------------------------------------------------------------------

    def _arguments(self, values: dict[str, e.Expr]) -> str:
        return " ".join(
            smtlib.converted(values.get(v.name, e.Var(v.name, v.type)), v.type) for v in self.diagram.variables
        )

    def _at_most(self, rank: int, arguments: str) -> str:
        if rank < 0:
            return "false"
        return f"(at_most_{rank} {arguments})" if arguments else f"at_most_{rank}"

    def _is(self, rank: int, arguments: str) -> str:
        return f"(and {self._at_most(rank, arguments)} (not {self._at_most(rank - 1, arguments)}))"

    def _inside(self, arguments: str) -> str:
        """The invariant: some rank."""
        return self._at_most(self.ranks - 1, arguments)

    def _begin(self) -> Obligation:
        command = self._fresh(self.system.initial, "begin")
        self.declared.update({variable.name: variable for variable in command.inputs})
        after = self._inside(self._arguments(dict(command.updates)))
        return Obligation("every initial state has a rank", f"(and {self._domain(command)} (not {after}))")

    def _taken(self, original: Command, index: int) -> tuple[Command, str, str]:
        """A command with inputs of its own, and the arguments of the ranks before and after it."""
        key = (index, self.diagram.variables)
        if key not in self.texts.taken:
            command = self._fresh(original, str(index))
            known = _known(command.guard, self.types)
            after = {**known, **{name: e.substitute(value, known) for name, value in command.updates}}
            self.texts.taken[key] = command, self._arguments(known), self._arguments(after)
            self.texts.guards[index] = f"{smtlib.term(command.guard)} {self._domain(command)}"
        command = self.texts.taken[key][0]
        self.declared.update({variable.name: variable for variable in command.inputs})
        return self.texts.taken[key]

    def _fresh(self, command: Command, tag: str) -> Command:
        """The command with inputs of its own names, declared."""
        if not command.inputs:
            return command
        renamed = {v.name: Variable(f"{v.name}@{tag}", v.type, None) for v in command.inputs}
        values: dict[str, e.Expr] = {name: e.Var(v.name, v.type) for name, v in renamed.items()}
        updates = tuple((name, e.substitute(value, values)) for name, value in command.updates)
        return Command(command.step, e.substitute(command.guard, values), updates, tuple(renamed.values()))

    def _domain(self, command: Command) -> str:
        """The condition that inputs are values of their types; an opaque one is not `none`."""
        conditions = ["true"]
        for variable in command.inputs:
            name = smtlib.symbol(variable.name)
            positive = isinstance(variable.type, OpaqueType)
            conditions.append(f"(< 0 {name})" if positive else smtlib.belongs(name, variable.type))
        return " ".join(conditions)

    def _kept(self, falling: bool) -> Iterator[Obligation]:
        for index, original in enumerate(self.system.commands):
            wrong = [text for name, value in original.updates if (text := self._wrong_type(name, value))]
            if not wrong and not any(name in self.ranked for name, _ in original.updates):
                continue  # changes nothing the diagram looks at: trivially kept
            command, here, after = self._taken(original, index)
            wrong = [text for name, value in command.updates if (text := self._wrong_type(name, value))]
            falls = falling and command.step.kind.calm
            ranks = range(self.ranks) if falls else [self.ranks - 1]
            rises = (f"(and {self._at_most(rank, here)} (not {self._at_most(rank, after)}))" for rank in ranks)
            taken = f"typed {self._inside(here)} {self.texts.guards[index]}"
            name = f"{'falling' if falls else 'kept'}: {command.step}"
            yield Obligation(name, f"(and {taken} (or {' '.join((*rises, *wrong))}))")

    def _wrong_type(self, name: str, value: e.Expr) -> str:
        """The condition that a new value is not one of the variable's type; empty where that is plain."""
        type_ = self.types[name].type
        if e.surely_in(value, type_):
            return ""
        given = e.type_of(value)
        if isinstance(given, EnumType) and isinstance(type_, EnumType):
            return f"(< {smtlib.converted(value, type_)} 0)"
        return f"(not {smtlib.belongs(smtlib.term(value), type_)})"

    def _helpful(self, action: str, ranks: list[int]) -> Iterator[Obligation]:
        ways: list[str] = []
        for index, original in enumerate(self.system.commands):
            if original.step.action != action or original.step.kind != "fair":
                continue
            if index not in self.texts.ways:
                self.texts.ways[index] = smtlib.term(possible(original, self.types))
            ways.append(self.texts.ways[index])
            command, here, after = self._taken(original, index)
            changed = e.either(*(e.negate(e.equal(e.Var(n, self.types[n].type), v)) for n, v in command.updates))
            stays = " ".join(f"(and {self._is(rank, here)} (not {self._at_most(rank - 1, after)}))" for rank in ranks)
            taken = f"typed {self.texts.guards[index]} {smtlib.term(changed)}"
            yield Obligation(f"helpful: {command.step} lowers the rank", f"(and {taken} (or {stays}))")
        here = self._arguments({})
        at = " ".join(self._is(rank, here) for rank in ranks)
        text = f"(and typed (or {at}) (not (or false {' '.join(ways)})))"
        yield Obligation(f"helpful: {action} is possible", text)


def _known(guard: e.Expr, types: dict[str, Variable]) -> dict[str, e.Expr]:
    """The variables whose values a guard fixes: putting them in makes the diagram smaller."""
    known: dict[str, e.Expr] = {}
    for part in guard.operands if isinstance(guard, e.And) else (guard,):
        match part:
            case e.Equal(e.Var(name, _), e.Const(value, _)) if name in types:
                known[name] = e.Const(value, types[name].type)
            case e.Var(name, _) if name in types:
                known[name] = e.TRUE
            case e.Not(e.Var(name, _)) if name in types:
                known[name] = e.FALSE
            case _:
                pass
    return known
