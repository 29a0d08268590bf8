"""What is kept between runs: one section for each thing measured, in results.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .measure import Clock
from .verification import Row

SCHEMA = 1

KNOWN, CORPUS, DIAGNOSIS, FAMILY, PEER = "known", "corpus", "diagnosis", "family", "peer"
"""The kinds of sections, in their order."""


@dataclass(frozen=True)
class Section:
    """What was measured together, on one machine."""

    kind: str
    name: str
    machine: dict[str, str]
    limit: float
    """Seconds that a run might take."""
    clock: Clock
    floor: float
    """Seconds on that clock to start Python with the libraries that reconcheck needs."""
    rows: list[Row] = field(default_factory=list)


def load(path: Path) -> list[Section]:
    """The sections recorded so far; none if there is no such file.  Raises `ValueError` for another schema."""
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path} has the schema {document.get('schema')}, not {SCHEMA}")
    return [Section(**section) for section in document["sections"]]


def replaced(sections: list[Section], new: Section) -> list[Section]:
    """The sections with one more, which takes the place of the one with its name."""
    order = [KNOWN, CORPUS, DIAGNOSIS, FAMILY, PEER]
    others = [section for section in sections if (section.kind, section.name) != (new.kind, new.name)]
    return sorted([*others, new], key=lambda section: (order.index(section.kind), section.name))


def save(path: Path, sections: list[Section]) -> None:
    """Writes the sections; the file is whole at any time."""
    text = json.dumps({"schema": SCHEMA, "sections": [asdict(section) for section in sections]}, indent=1)
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)
