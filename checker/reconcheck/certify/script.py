"""The obligations of a proof as one SMT-LIB 2 script, for any solver: each `(check-sat)` must answer `unsat`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconcheck.certify.queries import Discharged


def script(about: Iterable[str], discharged: Sequence[Discharged]) -> str:
    """The script; `about` are lines for its beginning.  The names of an obligation stand before it."""
    count = sum(len(group.terms) for group in discharged)
    head = [*about, f"{count} different obligations; the answer to each must be unsat."]
    lines = [*map(_comment, head), "(set-logic ALL)"]
    for group in discharged:
        lines += ["(push 1)", group.declared]
        for term, names in zip(group.terms, group.names, strict=True):
            lines += [*dict.fromkeys(map(_comment, names)), "(push 1)", f"(assert {term})", "(check-sat)", "(pop 1)"]
        lines.append("(pop 1)")
    return "\n".join([*lines, "(exit)", ""])


def _comment(text: object) -> str:
    """A text as one line of comment."""
    return f"; {' '.join(str(text).split())}"
