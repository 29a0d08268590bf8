"""Questions to Z3, as SMT-LIB 2 text.  All of them ask for a state in which an obligation fails.

Questions that differ in names only are the same question: it is asked once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.model.types import OpaqueType
from reconcheck.proof.certificate import Refused
from reconcheck.semantics import smtlib

SEED = 0
_SYMBOL = re.compile(r"\|[^|]*\|")


@dataclass(frozen=True)
class Query:
    """An obligation: `text` is the SMT-LIB term of its negation over the declared variables."""

    name: str
    text: str


@dataclass
class Solver:
    """Asks Z3, and counts.  `log` collects every question as a script where it is wanted."""

    left: Callable[[], float | None]
    report: Callable[[str], None]
    log: list[str] | None = None
    asked: int = 0
    _known: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    _solver: Any = None

    def refute(self, declared: Iterable[str], queries: Sequence[Query]) -> Refused | None:
        """None where every question is unsatisfiable; else the first one that is not."""
        if not queries:
            return None
        preamble = "\n".join(declared)
        self.asked += len(queries)
        if self.log is not None:
            self._write(preamble, queries)
        key = _canonical("\n".join([preamble, *(query.text for query in queries)]))
        if key not in self._known:
            self.report(f"checking the proof: {queries[0].name}")
            failed = self._ask(preamble, queries)
            self._known[key] = failed
        failed = self._known[key]
        if failed is None:
            return None
        number, reason = failed
        return Refused(queries[int(number)].name, reason)

    def _ask(self, preamble: str, queries: Sequence[Query]) -> tuple[str, str] | None:
        import z3

        if self._solver is None:
            self._solver = z3.Solver()
            self._solver.set("random_seed", SEED)
        left = self.left()
        if left is not None:
            self._solver.set("timeout", max(1, int(left * 1000)))
        text = preamble + "\n" + "\n".join(f"(assert {query.text})" for query in queries)
        formulas = z3.parse_smt2_string(text)
        if len(formulas) != len(queries):
            return "0", f"{len(formulas)} of {len(queries)} obligations were read back"
        for number, formula in enumerate(formulas):
            self._solver.push()
            try:
                self._solver.add(formula)
                answer = self._solver.check()
                if answer == z3.sat:
                    return str(number), "Z3 found a state in which it fails"
                if answer != z3.unsat:
                    if "interrupted" in self._solver.reason_unknown():  # Z3 takes Ctrl-C for itself
                        raise KeyboardInterrupt
                    return str(number), f"Z3 gave up: {self._solver.reason_unknown()}"
            finally:
                self._solver.pop()
        return None

    def _write(self, preamble: str, queries: Sequence[Query]) -> None:
        assert self.log is not None
        lines = ["(push 1)", preamble]
        for query in queries:
            lines += [f"; {query.name}", "(push 1)", f"(assert {query.text})", "(check-sat)", "(pop 1)"]
        self.log.append("\n".join([*lines, "(pop 1)"]))


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
