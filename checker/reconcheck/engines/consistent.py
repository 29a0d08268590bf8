"""Which conditions can hold together, as far as the clauses about their variables tell.  Z3 decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

from reconcheck.model import expr as e
from reconcheck.model.operator import Variable
from reconcheck.semantics import smtlib

_SYMBOL = re.compile(r"\|[^|]*\|")


class Consistency:
    """Answers for one system; questions that differ in names only are asked once."""

    def __init__(self, types: dict[str, Variable], clauses: Iterable[e.Expr]) -> None:
        self.types = types
        self.about: dict[str, list[e.Expr]] = {}
        for clause in clauses:
            for name in e.names(clause):
                self.about.setdefault(name, []).append(clause)
        self._known: dict[str, tuple[tuple[bool, ...], ...]] = {}

    def cases(self, conditions: Sequence[e.Expr], fixed: dict[str, e.Expr]) -> tuple[tuple[bool, ...], ...]:
        """The truth values that the conditions can have at once, in a state with some values fixed."""
        names = set().union(*(e.names(condition) for condition in conditions))
        near = {clause: None for name in sorted(names) for clause in self.about.get(name, ())}
        clauses = [e.substitute(clause, fixed) for clause in near]
        shown = [e.substitute(condition, fixed) for condition in conditions]
        return self._ask(shown, [clause for clause in clauses if clause != e.TRUE])

    def _ask(self, conditions: list[e.Expr], clauses: list[e.Expr]) -> tuple[tuple[bool, ...], ...]:
        names = dict.fromkeys(name for formula in (*conditions, *clauses) for name in sorted(e.names(formula)))
        types = {name: self.types.get(name) for name in names}
        inputs = {v.name: Variable(v.name, v.type, None) for f in conditions for v in e.variables(f)}
        used = [types[name] or inputs[name] for name in names]
        numbers = {smtlib.symbol(name): f"|{number}|" for number, name in enumerate(names)}

        def numbered(text: str) -> str:
            return _SYMBOL.sub(lambda match: numbers[match[0]], text)

        lines = [numbered(line) for line in smtlib.declare(used)]
        typed = [numbered(smtlib.belongs(smtlib.symbol(v.name), v.type)) for v in used]
        asserted = [numbered(smtlib.term(formula)) for formula in (*clauses, *conditions)]
        key = "\n".join([str(len(conditions)), *lines, *typed, *asserted])
        if key not in self._known:
            self._known[key] = _solutions(lines, [*typed, *asserted], len(conditions))
        return self._known[key]


def _solutions(lines: list[str], asserted: list[str], conditions: int) -> tuple[tuple[bool, ...], ...]:
    """All truth values of the last formulas that are consistent with the ones before."""
    import z3

    text = "\n".join([*lines, *(f"(assert {formula})" for formula in asserted)])
    formulas = z3.parse_smt2_string(text)
    if len(formulas) != len(asserted):
        return tuple(product((False, True), repeat=conditions))
    solver = z3.Solver()
    solver.set("random_seed", 0)
    solver.add(list(formulas)[: len(asserted) - conditions])
    watched = list(formulas)[len(asserted) - conditions :]
    found: list[tuple[bool, ...]] = []
    while solver.check() == z3.sat:
        model = solver.model()
        values = tuple(z3.is_true(model.eval(formula, model_completion=True)) for formula in watched)
        found.append(values)
        solver.add(z3.Or([z3.Not(f) if value else f for f, value in zip(watched, values, strict=True)]))
    if solver.check() != z3.unsat:
        return tuple(product((False, True), repeat=conditions))
    return tuple(sorted(found))
