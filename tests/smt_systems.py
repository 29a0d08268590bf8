"""Transition systems in SMT-LIB 2 and VMT, listed state by state with Z3, for comparison with the interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import z3
from msgspec import Struct

from reconcheck.model.types import Value

Values = tuple[Value, ...]


class Records(Struct, frozen=True):
    """A system in SMT-LIB 2 as the exporter writes it, with the functions `init` and `trans`."""

    text: str

    def _asked(self, claim: str) -> tuple[z3.Solver, dict[str, z3.ExprRef]]:
        declared = "(declare-const s0 State) (declare-const c0 Choice) (declare-const t0 State)"
        assertions = z3.parse_smt2_string(f"{self.text}\n{declared} (assert {claim})")
        solver = z3.Solver()
        solver.add(assertions)
        return solver, constants(assertions)

    @property
    def _fields(self) -> list[z3.FuncDeclRef]:
        _, found = self._asked("(and (= s0 s0) (typed s0) (= t0 t0))")
        return _accessors(found["s0"].sort())

    @property
    def names(self) -> list[str]:
        """The fields of a state."""
        return [field.name() for field in self._fields]

    def initial(self) -> set[Values]:
        """The first states."""
        solver, found = self._asked("(init c0 s0)")
        wanted = [field(found["s0"]) for field in self._fields]
        return {tuple(map(value, one)) for one in solutions(solver, wanted)}

    def successors(self) -> Successors:
        """What gives the steps from a state, each with its name and the state after."""
        solver, found = self._asked("(trans s0 c0 t0)")
        fields = self._fields
        (step,) = [one for one in _accessors(found["c0"].sort()) if one.name() == "step"]
        here = [field(found["s0"]) for field in fields]
        return Successors(solver, here, [step(found["c0"]), *(field(found["t0"]) for field in fields)])

    def holds(self, function: str) -> Condition:
        """What tells whether a function is true of a state."""
        solver, found = self._asked(f"({function} s0)")
        return Condition(solver, [field(found["s0"]) for field in self._fields])


class Annotated(Struct, frozen=True):
    """A system in VMT, with the annotated formulas `.init` and `.trans`."""

    text: str

    def _asked(self, claim: str) -> tuple[z3.Solver, dict[str, z3.ExprRef]]:
        assertions = z3.parse_smt2_string(f"{self.text}\n(assert {claim})")
        solver = z3.Solver()
        solver.add(assertions)
        return solver, constants(assertions)

    @property
    def names(self) -> list[str]:
        """The state variables: those that have a next value."""
        _, found = self._asked(".trans")
        return sorted(name for name in found if f"{name}.next" in found)

    def initial(self) -> set[Values]:
        """The first states."""
        solver, found = self._asked(".init")
        return {tuple(map(value, one)) for one in solutions(solver, [found[name] for name in self.names])}

    def successors(self) -> Successors:
        """What gives the steps from a state, each with its number and the state after."""
        solver, found = self._asked(".trans")
        after = [found[f"{name}.next"] for name in self.names]
        return Successors(solver, [found[name] for name in self.names], [found["step"], *after])

    def holds(self, formula: str) -> Condition:
        """What tells whether a formula is true in a state."""
        names = self.names
        solver, found = self._asked(f"(and {formula} {' '.join(f'(= |{name}| |{name}|)' for name in names)})")
        return Condition(solver, [found.get(name) for name in names])


class Successors(Struct, frozen=True):
    """Lists the steps from a state."""

    solver: z3.Solver
    here: list[z3.ExprRef]
    wanted: list[z3.ExprRef]

    def __call__(self, state: Values) -> Iterator[tuple[Value, Values]]:
        self.solver.push()
        for term, held in zip(self.here, state, strict=True):
            self.solver.add(term == literal(term, held))
        for step, *after in solutions(self.solver, self.wanted):
            yield value(step), tuple(map(value, after))
        self.solver.pop()


class Condition(Struct, frozen=True):
    """Tells whether something is true of a state."""

    solver: z3.Solver
    here: list[z3.ExprRef | None]

    def __call__(self, state: Values) -> bool:
        pairs = zip(self.here, state, strict=True)
        given = [term == literal(term, held) for term, held in pairs if term is not None]
        return bool(self.solver.check(*given) == z3.sat)


def solutions(solver: z3.Solver, wanted: list[z3.ExprRef]) -> Iterator[list[z3.ExprRef]]:
    """Every combination of values that some terms can have."""
    solver.push()
    while solver.check() == z3.sat:
        model = solver.model()
        found = [model.eval(term, model_completion=True) for term in wanted]
        yield found
        solver.add(z3.Or([term != one for term, one in zip(wanted, found, strict=True)]))
    solver.pop()


def value(term: z3.ExprRef) -> Value:
    """A value as the interpreter has it."""
    if z3.is_bool(term):
        return bool(z3.is_true(term))
    return int(term.as_long()) if z3.is_int_value(term) else str(term.decl().name())


def literal(term: z3.ExprRef, held: Value) -> z3.ExprRef:
    """A value as a term of the sort of another."""
    sort = term.sort()
    if isinstance(held, str):
        (constructor,) = [c for c in map(sort.constructor, range(sort.num_constructors())) if c.name() == held]
        return constructor()
    return z3.BoolVal(held) if isinstance(held, bool) else z3.IntVal(held)


def constants(assertions: z3.AstVector) -> dict[str, z3.ExprRef]:
    """The constants in some assertions, by name."""
    found: dict[str, z3.ExprRef] = {}
    waiting, seen = list(assertions), set[int]()
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[term.decl().name()] = term
        waiting += term.children()
    return found


def _accessors(sort: z3.DatatypeSortRef) -> list[z3.FuncDeclRef]:
    return [sort.accessor(0, number) for number in range(sort.constructor(0).arity())]


def reached(initial: set[Values], successors: Successors) -> Mapping[Values, list[tuple[Value, Values]]]:
    """All states that can be reached, each with its steps."""
    graph: dict[Values, list[tuple[Value, Values]]] = {}
    waiting = sorted(initial, key=repr)
    while waiting:
        state = waiting.pop()
        if state not in graph:
            graph[state] = list(successors(state))
            waiting += [after for _, after in graph[state] if after not in graph]
    return graph
