"""The checker of certificates: hands every obligation to Z3, trusts nobody who found the proof."""

from __future__ import annotations

from collections.abc import Callable

from reconcheck.certify.certificate import Certificate, Checked, Invariant, Obligation, Refused
from reconcheck.certify.obligations import Obligations, Texts
from reconcheck.semantics.system import System

SEED = 0


class Checker:
    """Checks proofs about one system."""

    def __init__(self, system: System) -> None:
        self._texts = Texts(system)

    def check(
        self,
        proof: Certificate | Invariant,
        seconds: float | None = None,
        report: Callable[[str], None] = lambda _text: None,
    ) -> Checked | Refused:
        """Whether a proof holds of the whole system.  `seconds` limits each Z3 query; running out is a refusal."""
        preamble, obligations = self._obligations(proof)
        return discharge(preamble, obligations, seconds, report)

    def script(self, proof: Certificate | Invariant) -> str:
        """The obligations as one SMT-LIB 2 script that asks `(check-sat)` for each; all must answer unsat."""
        preamble, obligations = self._obligations(proof)
        lines = ["(set-logic ALL)", preamble]
        for obligation in obligations:
            lines += [f"; {obligation.name}", "(push 1)", f"(assert {obligation.text})", "(check-sat)", "(pop 1)"]
        return "\n".join(lines) + "\n"

    def _obligations(self, proof: Certificate | Invariant) -> tuple[str, list[Obligation]]:
        if isinstance(proof, Certificate):
            builder = Obligations(self._texts, proof.diagram, len(proof.helpful))
            obligations = builder.convergence(proof)
        else:
            builder = Obligations(self._texts, proof.diagram, 1)
            obligations = builder.invariance(proof)
        return builder.preamble(), obligations  # the preamble last: it declares what the obligations mention


def discharge(
    preamble: str, obligations: list[Obligation], seconds: float | None, report: Callable[[str], None]
) -> Checked | Refused:
    """Asks Z3 for a way in which an obligation fails; the first one found refuses the certificate."""
    import z3

    text = preamble + "\n" + "\n".join(f"(assert {obligation.text})" for obligation in obligations)
    formulas = z3.parse_smt2_string(text)
    if len(formulas) != len(obligations):
        return Refused("all", f"{len(formulas)} of {len(obligations)} obligations were read back")
    solver = z3.Solver()
    solver.set("random_seed", SEED)
    if seconds is not None:
        solver.set("timeout", max(1, int(seconds * 1000)))
    for obligation, formula in zip(obligations, formulas, strict=True):
        report(f"checking the proof: {obligation.name}")
        solver.push()
        solver.add(formula)
        answer = solver.check()
        if answer == z3.sat:
            return Refused(obligation.name, "Z3 found a state in which it fails")
        if answer != z3.unsat:
            if "interrupted" in solver.reason_unknown():  # Z3 takes Ctrl-C for itself
                raise KeyboardInterrupt
            return Refused(obligation.name, f"Z3 gave up: {solver.reason_unknown()}")
        solver.pop()
    return Checked(len(obligations))
