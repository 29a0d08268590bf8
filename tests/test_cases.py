"""`spec/corpus.md` names every model, and says of each case what its models say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
RECORDED = {label: set(CAUSE.findall(causes)) for label, causes in rows("How causes are compared")}
"""The causes that count as a recorded one."""


def recorded(case: list[str]) -> bool:
    """Whether a row names a cause that counts as the one recorded, or none where none is recorded."""
    label, found = case[3].split(":")[0].split(" → ")
    causes = set(CAUSE.findall(found))
    return bool(causes & RECORDED[label]) or not (causes or RECORDED[label])


def test_each_model_is_named_and_each_name_is_a_model() -> None:
    assert set(NAMED.findall(PAGE)) == set(FILES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_causes_are_those_that_the_models_expect(case: list[str]) -> None:
    models = [read(FILES[name]) for name in NAMED.findall(case[1])]
    expected = {cause for model in models for one in model.expectations for cause in one.because}
    assert models
    assert set(CAUSE.findall(case[3].split(":")[0])) <= expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].split("]")[0].strip("["))
def test_a_cause_that_is_not_the_recorded_one_is_explained(case: list[str]) -> None:
    assert recorded(case) != (": " in case[3])


def test_the_numbers_are_those_of_the_tables() -> None:
    differ = sum(case[2].startswith("differs: ") for case in CASES)
    text = " ".join(PAGE.split())
    assert f"The models speak of {len(CASES) + len(rows('Not modelled'))} public cases" in text
    assert f"{len(CASES)} of them have models" in text
    assert f"agree with the record in {len(CASES) - differ} cases" in text
    assert f"In {differ} cases the code, read closely" in text
    assert f"recorded in {sum(map(recorded, CASES))} of the {len(CASES)}" in text
