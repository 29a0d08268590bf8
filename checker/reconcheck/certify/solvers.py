"""The solvers that can discharge obligations: Z3, and cvc5 where it is installed.

Both read the same SMT-LIB 2 text, and know nothing else of a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple, Protocol

SEED = 0


class Failure(NamedTuple):
    """The first of several terms that a solver did not refute, and why."""

    number: int
    reason: str

    @property
    def gave_up(self) -> bool:
        """Whether there is no answer, so that the term may be refuted all the same."""
        return "gave up" in self.reason


class Backend(Protocol):
    """A solver."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> str:
        """Which one it is."""

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        """None where each term alone is unsatisfiable under the declarations.  `seconds` is for each of them."""


class Missing(Exception):
    """A solver that is not installed; the message says what to do."""


def load_z3() -> None:
    """Loads Z3 and sets it up before it is needed, where it is installed."""
    with suppress(ImportError):  # who needs it is told
        import z3

        z3.main_ctx()


class Z3:
    """Z3, which reconcheck needs anyway."""

    name = "Z3"
    used: ClassVar[bool] = False
    """Whether this process has asked it anything: from then on it may have threads."""

    def __init__(self) -> None:
        self._solver: Any = None

    @property
    def version(self) -> str:
        """Which one it is."""
        import z3

        return str(z3.get_version_string())

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        """None where each term alone is unsatisfiable under the declarations."""
        import z3

        Z3.used = True
        if self._solver is None:
            self._solver = z3.SimpleSolver()  # every question is asked between push and pop, where `Solver` is one too
            self._solver.set("random_seed", SEED)
        if seconds is not None:
            self._solver.set("timeout", max(1, int(seconds * 1000)))
        formulas = z3.parse_smt2_string("\n".join([declared, *(f"(assert {term})" for term in terms)]))
        if len(formulas) != len(terms):
            return Failure(0, f"{len(formulas)} of {len(terms)} obligations were read back")
        for number, formula in enumerate(formulas):
            self._solver.push()
            try:
                self._solver.add(formula)
                answer = self._solver.check()
                if answer == z3.sat:
                    return Failure(number, "Z3 found a state in which it fails")
                if answer != z3.unsat:
                    if "interrupted" in self._solver.reason_unknown():  # Z3 takes Ctrl-C for itself
                        raise KeyboardInterrupt
                    return Failure(number, f"Z3 gave up: {self._solver.reason_unknown()}")
            finally:
                self._solver.pop()
        return None


class Cvc5:
    """cvc5, which shares no code with Z3.  Raises `Missing` where it is not installed."""

    name = "cvc5"

    def __init__(self) -> None:
        try:
            import cvc5
        except ImportError:
            raise Missing("cvc5 is not installed") from None
        self._cvc5: Any = cvc5

    @property
    def version(self) -> str:
        """Which one it is."""
        return str(self._cvc5.__version__)

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        """None where each term alone is unsatisfiable under the declarations."""
        solver = self._cvc5.Solver()
        solver.setOption("incremental", "true")
        solver.setOption("seed", str(SEED))
        if seconds is not None:
            solver.setOption("tlimit-per", str(max(1, int(seconds * 1000))))
        lines = ["(set-logic ALL)", declared]
        for term in terms:
            lines += ["(push 1)", f"(assert {term})", "(check-sat)", "(pop 1)"]
        parser = self._cvc5.InputParser(solver)
        parser.setStringInput(self._cvc5.InputLanguage.SMT_LIB_2_6, "\n".join(lines), "obligations")
        answers = 0
        while not (command := parser.nextCommand()).isNull():
            said = str(command.invoke(solver, parser.getSymbolManager())).strip()
            if said == "sat":
                return Failure(answers, "cvc5 found a state in which it fails")
            if said.startswith("unknown"):
                return Failure(answers, f"cvc5 gave up: {said}")
            if said not in ("", "unsat"):
                raise ValueError(f"cvc5 says {said}")
            answers += said == "unsat"
        return None if answers == len(terms) else Failure(0, f"{answers} of {len(terms)} obligations were read back")


SOLVERS: dict[str, type[Z3] | type[Cvc5]] = {"z3": Z3, "cvc5": Cvc5}
"""The solvers by the name that one asks for."""
