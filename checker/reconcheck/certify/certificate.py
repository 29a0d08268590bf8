"""What a proof of convergence consists of."""

from __future__ import annotations

from dataclasses import dataclass

from reconcheck.certify.diagram import Diagram
from reconcheck.model import expr as e


@dataclass(frozen=True)
class Certificate:
    """A proof that `<>[] goal` holds, to be checked against the whole system.

    The diagram is invariant and rank in one: where it has a rank, the invariant holds.  Obligations
    (Manna and Pnueli's rule for response under justice):

    - begin: every initial state has a rank;
    - kept: every step, disturbances and faults too, leads from a state with a rank to one with a rank, and
      gives each variable it changes a value of its type;
    - falling: no calm step leads to a higher rank;
    - helpful: at a rank with a helpful action, that action is possible and lowers the rank whenever taken;
    - goal: at every other rank the goal holds.
    """

    goal: e.Expr
    diagram: Diagram
    helpful: tuple[str | None, ...]


@dataclass(frozen=True)
class Invariant:
    """A proof that a formula holds in every reachable state: the diagram's ranks are all 0."""

    formula: e.Expr
    diagram: Diagram


@dataclass(frozen=True)
class Obligation:
    """One thing that Z3 must find to hold; `text` is the SMT-LIB term of its negation."""

    name: str
    text: str


@dataclass(frozen=True)
class Refused:
    """A certificate that does not hold, with the obligation that fails and why."""

    obligation: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """A certificate that holds, with how many obligations Z3 discharged."""

    obligations: int
