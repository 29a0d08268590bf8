"""Certificates as JSON (`spec/certificate.schema.json`): which question of which model, and the proof."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconcheck import __version__
from reconcheck.model import expr as e
from reconcheck.model.operator import UNSCHEDULED, Goal, Operator, Scope
from reconcheck.proof.certificate import Column, Invariant, Measure, Part, Places, Proof, Rests, Settles, region_type
from reconcheck.proof.diagram import OUTSIDE, Diagram, leaf_rank
from reconcheck.proof.expressions import Writer, written_type
from reconcheck.resources import shipped
from reconcheck.semantics.system import System

FORMAT = "reconcheck certificate"
VERSION = 1
"""The version of the document's form; it grows when a reader could break."""
WIDEST = 110
"""Columns of a line, where the content can be split."""


class Source(Struct, frozen=True):
    """The text of a model or of an import: where it was, and its SHA-256."""

    file: str
    sha256: str


class Header(Struct, frozen=True):
    """The question that a certificate answers."""

    operator: str
    model: Source
    imports: tuple[Source, ...]
    settings: tuple[tuple[str, int], ...]
    """The values of all parameters of the model."""
    scope: Scope
    goal: str
    question: str
    """The kind of the goal: converges, always or reachable (a proof says that it is not)."""
    version: str = __version__
    """The version of reconcheck that wrote it."""


def header(operator: Operator, goal: Goal, scope: Scope) -> Header:
    """The header of a certificate about a goal of a model."""
    model, *imports = operator.sources.items()
    return Header(
        operator.name,
        Source(model[0], _digest(model[1])),
        tuple(Source(_imported(file, model[0]), _digest(text)) for file, text in imports),
        operator.parameters,
        scope,
        goal.name,
        goal.kind,
    )


def claimed(goal: Goal) -> e.Expr:
    """The formula that a proof about a goal is about: of a state that is not reachable, the negation."""
    return e.negate(goal.formula) if goal.kind == "reachable" else goal.formula


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _imported(file: str, model: str) -> str:
    """An import's path as one could write it: from the model's folder, or in the library."""
    for folder in (Path(model).parent.resolve(), shipped("models").resolve()):
        if Path(file).resolve().is_relative_to(folder):
            return Path(file).resolve().relative_to(folder).as_posix()
    return Path(file).name


# ---- writing ---------------------------------------------------------------------------------------------------


def document(about: Header, system: System, goal: e.Expr, proof: Proof | Invariant) -> dict[str, Any]:
    """The whole certificate; `goal` is the formula of the model's goal."""
    write = _Proofs(Writer(system.variables))
    return {
        "format": FORMAT,
        "version": VERSION,
        "reconcheck": about.version,
        "model": {
            "operator": about.operator,
            "file": about.model.file,
            "sha256": about.model.sha256,
            "imports": [{"file": source.file, "sha256": source.sha256} for source in about.imports],
        },
        "settings": dict(about.settings),
        "scope": scope_document(about.scope),
        "goal": {"name": about.goal, "question": about.question, "formula": write.formula(goal)},
        "proof": write.proof(proof),
    }


def scope_document(scope: Scope) -> dict[str, Any]:
    """Which wake-ups are there.  The level is only written where `schedule` does not tell it."""
    level = {"level": scope.level} if scope.level < UNSCHEDULED else {}
    return {"schedule": scope.schedule, **level, "without": list(scope.without)}


def text(content: Any) -> str:
    """JSON with short things on one line."""
    return "".join(_lines(content, 0, 0)) + "\n"


def _lines(content: Any, indent: int, before: int) -> Iterator[str]:
    compact = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, dict | list) or indent + before + len(compact) <= WIDEST:
        yield compact
        return
    opening, closing = ("{", "}") if isinstance(content, dict) else ("[", "]")
    pairs = content.items() if isinstance(content, dict) else ((None, item) for item in content)
    yield opening
    for number, (name, item) in enumerate(pairs):
        label = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
        yield f"{',' * (number > 0)}\n{' ' * (indent + 1)}{label}"
        yield from _lines(item, indent + 1, len(label))
    yield f"\n{' ' * indent}{closing}"


class _Proofs:
    """Writes proofs, given how formulas are written."""

    def __init__(self, formula: Writer) -> None:
        self.formula = formula

    def proof(self, proof: Proof | Invariant) -> dict[str, Any]:
        if isinstance(proof, Invariant):
            formula = self.formula(proof.formula)
            return {"kind": "invariant", "formula": formula, **self._ranked(proof.columns, proof.diagram)}
        return {
            "kind": "convergence",
            "clauses": [self.formula(clause) for clause in proof.clauses],
            "parts": [self._part(part) for part in proof.parts],
        }

    def _part(self, part: Part) -> dict[str, Any]:
        match part:
            case Measure(condition, amount, action):
                return {
                    "kind": "measure",
                    "condition": self.formula(condition),
                    "amount": _places(amount) if isinstance(amount, Places) else self.formula(amount),
                    "action": action,
                }
            case Rests(goal, columns, diagram):
                return {"kind": "rests", "goal": self.formula(goal), **self._ranked(columns, diagram)}
            case Settles(goal, columns, diagram, helpful, ways):
                return {
                    "kind": "settles",
                    "goal": self.formula(goal),
                    **self._ranked(columns, diagram),
                    "helpful": list(helpful),
                    "ways": [_places(way) for way in ways],
                }

    def _ranked(self, columns: tuple[Column, ...], diagram: Diagram) -> dict[str, Any]:
        return {
            "columns": [self._column(column) for column in columns],
            "diagram": {
                "nodes": [
                    [node.level, [[value, _target(child)] for value, child in node.branches]] for node in diagram.nodes
                ],
                "root": _target(diagram.root),
            },
        }

    def _column(self, column: Column) -> Any:
        type_ = region_type(column.regions) if column.regions else e.type_of(column.term)
        written: dict[str, Any] = {"name": column.name, "term": self.formula(column.term)}
        if column.regions:
            regions: dict[str, list[str]] = {}
            for place, region in column.regions:
                regions.setdefault(region, []).append(place)
            written["regions"] = regions
        if column.type != type_:
            written["type"] = written_type(column.type)
        plain = isinstance(column.term, e.Var) and column.term.name == column.name and len(written) == 2
        return column.name if plain else written


def _places(places: Places) -> dict[str, Any]:
    return {"of": places.variable.name, "amounts": dict(places.amounts)}


def _target(node: int) -> Any:
    """Where a branch leads: a node, the rank in brackets, or nowhere."""
    return node if node >= 0 else None if leaf_rank(node) == OUTSIDE else [leaf_rank(node)]
