"""Proofs that the tests of certificates share, found once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mutants import Document
from reconcheck.certify.certificates import Issued, Judge, Judgement, issue
from reconcheck.certify.check import Checker
from reconcheck.certify.solvers import Z3, Backend, Failure
from reconcheck.engines.budget import Budget
from reconcheck.engines.prove import Prover
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.proof.certificate import Proof
from reconcheck.proof.document import text
from reconcheck.proof.json_reading import parsed
from reconcheck.semantics.compiler import compile_system
from support import TESTS, Search, search

ROOT = TESTS.parent
GOLDEN = TESTS / "golden"
MINIMAL = ROOT / "models" / "minimal"
EXTERNAL = MINIMAL / "external-system.rdsl"
FAN_OUT = TESTS / "data" / "fan-out.rdsl"
SCALING = TESTS / "data" / "scaling.rdsl"
SCHEDULED, UNSCHEDULED = Scope(level=4), Scope(level=3)
MOST_STATES = 4_000
AT_REST = ("blue-green", "shards", "conflict-retried", "opaque-password", "relist-delete-kept", "mapping-each-change")
RANKED = ("missing-watch", "opaque-password", "two-periods", "error-retried", "mapping-unwritten", "retries-exhausted")
PROVED: list[tuple[Path, Scope]] = [
    *((GOLDEN / f"{name}.rdsl", UNSCHEDULED) for name in (*AT_REST, "restart-rearms")),
    *((GOLDEN / f"{name}.rdsl", SCHEDULED) for name in RANKED),
    *((MINIMAL / f"{name}.rdsl", SCHEDULED) for name in ("external-system", "unwatched-secondary")),
]
"""Models with a goal that converges in the scope."""


class Remembering:
    """A solver that is asked the same question once; most obligations of a mutant are those of the original."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.known: dict[tuple[str, tuple[str, ...]], Failure | None] = {}

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def version(self) -> str:
        return self.backend.version

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        question = (declared, tuple(terms))
        if question not in self.known:
            self.known[question] = self.backend.refute(declared, terms, seconds)
        return self.known[question]


@cache
def explored(path: Path, scope: Scope) -> Search:
    return search(load(path).operator, scope, MOST_STATES)


@cache
def proved(path: Path, scope: Scope, settings: tuple[tuple[str, int], ...] = ()) -> Proof:
    """A proof of the model's goal of convergence, in parts."""
    operator = load(path, dict(settings)).operator
    system = compile_system(operator, scope)
    checker = Checker(system)
    goal = next(goal for goal in operator.goals if goal.kind == "converges")
    assert Prover(system, checker, Budget()).prove(goal.formula)
    return Proof(goal.formula, tuple(checker.context.clauses), tuple(checker.accepted))


@cache
def issued(path: Path, scope: Scope, settings: tuple[tuple[str, int], ...] = ()) -> Issued:
    operator = load(path, dict(settings)).operator
    goal = next(goal for goal in operator.goals if goal.kind == "converges")
    return issue(operator, goal, scope, proved(path, scope, settings), path.stem)


def document(path: Path, scope: Scope) -> Document:
    content = parsed(issued(path, scope).proof)
    assert isinstance(content, dict)
    return content


def judged(path: Path, content: Any, backend: Backend | None = None) -> Judgement:
    return Judge(path, {}, backend or Z3()).judge_text(
        "certificate", content if isinstance(content, str) else text(content)
    )


def named(case: object) -> str:
    return case.stem if isinstance(case, Path) else str(case).replace(" ", "-")
