"""Loads a model from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconcheck.syntax.parser import parse_file, parse_text

if TYPE_CHECKING:
    from reconcheck.model.operator import Loaded


def load(path: Path, settings: Mapping[str, int] | None = None, text: str | None = None) -> Loaded:
    """Reads and checks a model; `settings` override its parameters.  Raises `ModelError` with all problems.

    With `text`, nothing is read at `path`: it is where the text counts as being, for imports and messages.
    """
    if text is None:
        file, text = parse_file(path)
    else:
        file = parse_text(text, str(path))
    from reconcheck.model.assemble import assemble  # a syntax error is answered without it

    return assemble(file, text, path, settings or {})
