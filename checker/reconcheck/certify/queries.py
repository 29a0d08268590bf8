"""Questions to a solver, as SMT-LIB 2 text.  All of them ask for a state in which an obligation fails.

Questions that differ in names only are the same question: it is asked once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from reconcheck.certify.solvers import Z3, Backend, Failure
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import OpaqueType
from reconcheck.proof.certificate import Refused
from reconcheck.semantics import smtlib

SHOWN = 80
"""Letters of an obligation that are told while it is checked."""
_SYMBOL = re.compile(r"\|[^|]*\|")


class Shown(NamedTuple):
    """An expression that is put into words only where it is shown."""

    expr: e.Expr

    def __str__(self) -> str:
        return e.show(self.expr)


class Name(NamedTuple):
    """What an obligation is called: its kind, and what it is about.  It is put into words only where it is shown."""

    kind: str
    about: tuple[object, ...] = ()

    def __str__(self) -> str:
        return ": ".join([self.kind, *map(str, self.about)])


class Query(Struct, frozen=True):
    """An obligation: where the premise holds, what is wrong cannot; both are SMT-LIB terms over declared variables."""

    name: Name
    premise: str
    wrong: str = "true"

    @property
    def text(self) -> str:
        """The term that is to be unsatisfiable."""
        return f"(and {self.premise} {self.wrong})"


class Discharged(Struct):
    """Obligations under the same declarations that a solver has refuted; `names` are those of each, at least one."""

    declared: str
    terms: tuple[str, ...]
    names: tuple[list[Name], ...]


class Solver(Struct):
    """Asks a solver, remembers and counts.  `discharged` are the obligations that hold, each once."""

    left: Callable[[], float | None]
    report: Callable[[str], None]
    backend: Backend = field(default_factory=Z3)
    held: int = 0
    """How many obligations were found to hold; equal ones are asked about once, and counted each time."""
    discharged: list[Discharged] = field(default_factory=list)
    known: dict[str, Failure | Discharged] = field(default_factory=dict)
    """The answers, by questions without their names; several solvers can share them."""

    def refute(self, declared: Iterable[str], queries: Sequence[Query]) -> Refused | Discharged:
        """What was discharged where every question is unsatisfiable; else the first one that is not."""
        preamble = "\n".join(declared)
        key = _canonical("\n".join([preamble, *(query.text for query in queries)]))
        known = self.known.get(key)
        if known is None:
            self.report(f"checking the proof: {str(queries[0].name)[:SHOWN]}")
            terms = tuple(query.text for query in queries)
            known = self.backend.refute(preamble, terms, self.left())
            if known is None:
                known = Discharged(preamble, terms, tuple([] for _ in queries))
                self.discharged.append(known)
            if not isinstance(known, Failure) or not known.gave_up:  # with more time there may be an answer
                self.known[key] = known
        if isinstance(known, Failure):
            return Refused(str(queries[known.number].name), known.reason)
        self.again(known, [query.name for query in queries])
        return known

    def again(self, known: Discharged, names: Sequence[Name]) -> None:
        """Notes that obligations like some that were discharged hold for that reason."""
        self.held += len(names)
        for list_, name in zip(known.names, names, strict=True):
            list_.append(name)


def _canonical(text: str) -> str:
    """The text with its symbols numbered by first occurrence."""
    numbers: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return numbers.setdefault(match[0], f"|{len(numbers)}|")

    return _SYMBOL.sub(name, text)


def declarations(variables: Iterable[Variable], inputs: Iterable[Variable] = ()) -> tuple[list[str], str]:
    """Declarations of variables and of inputs, and the condition that they are values of their types.

    An opaque input is never `none`, which a variable may be.
    """
    chosen, free = list(variables), list(inputs)
    conditions = [smtlib.belongs(smtlib.symbol(v.name), v.type) for v in chosen]
    for variable in free:
        name = smtlib.symbol(variable.name)
        positive = isinstance(variable.type, OpaqueType)
        conditions.append(f"(< 0 {name})" if positive else smtlib.belongs(name, variable.type))
    needed = [condition for condition in conditions if condition != "true"]
    return smtlib.declare([*chosen, *free]), f"(and true {' '.join(needed)})"


def names_in(*formulas: e.Expr) -> set[str]:
    """The names of the variables in some formulas."""
    return set().union(*map(e.names, formulas))
