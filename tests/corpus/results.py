"""What verifying and diagnosing the models came to, as kept in `models/results.json`: data only, and no times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SCHEMA = 1


@dataclass(frozen=True)
class Reason:
    """A cause for which a goal fails: its identifier, and why polling is accepted for it, or nothing."""

    cause: str
    accepted: str


@dataclass(frozen=True)
class GoalResult:
    """The verdicts on one goal."""

    goal: str
    kind: str
    """converges, always or reachable."""
    levels: tuple[str, ...]
    """The verdicts at L0 to L4."""
    why: tuple[Reason, ...]
    """The causes for which it fails without the schedule."""
    why_scheduled: tuple[Reason, ...]
    """The causes for which it fails with it."""


@dataclass(frozen=True)
class Period:
    """A periodic wake-up: `every` for a requeue rule, `resync` for that of the informers."""

    kind: str
    controller: str
    name: str
    seconds: float
    converged: bool | None
    """Whether it goes on to wake an operator that has converged; None where that could not be told."""


@dataclass(frozen=True)
class Fix:
    """A verified repair."""

    title: str
    goals: tuple[str, ...]
    level: int
    """The lowest level, from 0 to 4, at which these goals converge then."""
    edits: int


@dataclass(frozen=True)
class ModelResult:
    """Everything that the page says about one model."""

    model: str
    """The path below `models/`, without its ending."""
    digest: str
    """Of the text of the model and of what it imports."""
    about: str
    """The first sentence of its description."""
    source: str
    """The address of the operator's repository."""
    periods: tuple[Period, ...]
    goals: tuple[GoalResult, ...]
    fixes: tuple[Fix, ...]
    """The smallest repairs, smallest first."""
    given_up_after: float | None
    """Seconds after which the diagnosis was given up; None where it came to its end."""

    @property
    def operator(self) -> str:
        """The folder of the model."""
        return self.model.partition("/")[0]


def read(path: Path) -> dict[str, ModelResult]:
    """The results of a file by model; none where there is no file.  Raises `ValueError` for another schema."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path} has the schema {document.get('schema')}, not {SCHEMA}")
    return {item["model"]: _model(item) for item in document["models"]}


def written(results: Iterable[ModelResult]) -> str:
    """The text of the file; models by name, one line a goal, a period or a fix, so that differences can be read."""
    models = [_text(asdict(result)) for result in sorted(results, key=lambda result: result.model)]
    return f'{{"schema": {SCHEMA}, "models": [\n' + ",\n".join(models) + "\n]}\n"


def _text(item: dict[str, Any]) -> str:
    fields: list[str] = []
    for name, value in item.items():
        if isinstance(value, tuple) and value:
            lines = ",\n".join(f"   {json.dumps(one, ensure_ascii=False)}" for one in value)
            fields.append(f'  "{name}": [\n{lines}\n  ]')
        else:
            fields.append(f'  "{name}": {json.dumps(value, ensure_ascii=False)}')
    return " {\n" + ",\n".join(fields) + "\n }"


def _model(item: dict[str, Any]) -> ModelResult:
    return ModelResult(
        **{
            **item,
            "periods": tuple(Period(**one) for one in item["periods"]),
            "goals": tuple(_goal(one) for one in item["goals"]),
            "fixes": tuple(Fix(**{**one, "goals": tuple(one["goals"])}) for one in item["fixes"]),
        }
    )


def _goal(item: dict[str, Any]) -> GoalResult:
    reasons = {name: tuple(Reason(**one) for one in item[name]) for name in ("why", "why_scheduled")}
    return GoalResult(**{**item, **reasons, "levels": tuple(item["levels"])})
