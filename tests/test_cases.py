"""`spec/corpus.md` names every model, and says of each case what its models say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from reconcheck.explain.verdict import GOOD
from reconcheck.model.operator import SCHEDULED, UNSCHEDULED, Operator
from support import read

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "spec" / "corpus.md").read_text(encoding="utf-8")
FILES = {
    str(path.relative_to(ROOT / "models").with_suffix("")): path for path in sorted((ROOT / "models").rglob("*.rdsl"))
}
NAMED = re.compile(r"`([a-z0-9-]+/[a-z0-9-]+)`")
CAUSE = re.compile(r"`([a-z_]+)`")


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


CASES = rows("The cases")
"""Where it was reported, its models, the verdicts without, with and after the fix, what is said of them, the cause."""
JUDGED = re.compile(r"`([a-z0-9-]+/[a-z0-9-]+)`(?: \(`([a-z_]+)`\))?")
"""A model, with the one goal of it that is meant, if it is not all of them."""
RECORDED = {label: set(CAUSE.findall(causes)) for label, causes in rows("How causes are compared")}
"""The causes that count as a recorded one."""


@cache
def model(name: str) -> Operator:
    return read(FILES[name])


def verdict(judged: str, level: int) -> str:
    """Whether a model expects that all of its goals, or the one in brackets, are reached at a level."""
    found = JUDGED.fullmatch(judged)
    assert found, judged
    name, goal = found.groups()
    lines = [line for line in model(name).expectations if line.scope.level == level and not line.scope.without]
    verdicts = [line.verdict for line in lines if goal is None or line.goal == goal]
    assert verdicts, f"{name} expects nothing at L{level}"
    return "yes" if all(one in GOOD for one in verdicts) else "no"


def verdicts(case: list[str]) -> list[tuple[str, str | None]]:
    """What is recorded without, with, and after the fix, and what the models expect, if there is one."""
    before, _, after = case[1].split("; ")[0].partition(" → ")
    found = [verdict(before, UNSCHEDULED), verdict(before, SCHEDULED), verdict(after, UNSCHEDULED) if after else None]
    return [(cell.strip("()").split(" → ")[0], one) for cell, one in zip(case[2:5], found, strict=True)]


def told(recorded: str, found: str | None) -> str:
    """The cell of a verdict."""
    if found is None:
        return f"({recorded})"
    return recorded if recorded == found else f"{recorded} → {found}"


def recorded(case: list[str]) -> bool:
    """Whether a row names a cause that counts as the one recorded, or none where none is recorded."""
    label, found = case[6].split(":")[0].split(" → ")
    causes = set(CAUSE.findall(found))
    return bool(causes & RECORDED[label]) or not (causes or RECORDED[label])


def test_each_model_is_named_and_each_name_is_a_model() -> None:
    assert set(NAMED.findall(PAGE)) == set(FILES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_causes_are_those_that_the_models_expect(case: list[str]) -> None:
    names = NAMED.findall(case[1])
    expected = {cause for name in names for line in model(name).expectations for cause in line.because}
    assert names
    assert set(CAUSE.findall(case[6].split(":")[0])) <= expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_verdicts_are_those_that_the_models_expect(case: list[str]) -> None:
    judged = verdicts(case)
    assert {one for one, _ in judged} <= {"yes", "no", "none", "unknown"}
    assert case[2:5] == [told(*pair) for pair in judged]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_a_verdict_that_is_not_the_recorded_one_is_explained(case: list[str]) -> None:
    other = [pair for pair in verdicts(case) if pair in {("yes", "no"), ("no", "yes")}]
    assert case[5].startswith("differs: " if other else "as recorded")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_a_cause_that_is_not_the_recorded_one_is_explained(case: list[str]) -> None:
    assert recorded(case) != (": " in case[6])


def test_the_numbers_are_those_of_the_tables() -> None:
    differ = sum(case[5].startswith("differs: ") for case in CASES)
    text = " ".join(PAGE.split())
    assert f"The models speak of {len(CASES) + len(rows('Not modelled'))} public cases" in text
    assert f"{len(CASES)} of them have models" in text
    assert f"agree with the record in {len(CASES) - differ} cases" in text
    assert f"In {differ} cases the code, read closely" in text
    assert f"recorded in {sum(map(recorded, CASES))} of the {len(CASES)}" in text
