"""Reads model files: what is not a readable, reasonably small text gets a coded message."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from reconcheck.diagnostic import Diagnostic, ModelError, Span

LARGEST = 128 * 1024
"""Bytes.  The largest shipped model has some 10 KB; a file past this limit is not a model (spec/limits.md)."""


def read_source(path: Path, at: Span | None = None) -> str:
    """The text of a model file.  `at` is the import that asks for it.  Raises `ModelError` (RC101, RC103)."""
    try:
        with path.open("rb") as file:
            return read_stream(file, str(path), at)
    except (OSError, ValueError) as error:  # a name with a null byte is a wrong value
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        message, instead = f"cannot read {path}: {reason}", "give the path of a .rdsl file or of a folder with some"
        raise ModelError([Diagnostic("RC101", message, at, instead)]) from error


def read_stream(stream: BinaryIO, name: str, at: Span | None = None) -> str:
    """The text of a model from a stream.  Raises `OSError`, and `ModelError` (RC101, RC103)."""
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        message = f"{name} has more than {LARGEST:,} bytes, the most a model can have"
        raise ModelError([Diagnostic("RC103", message, at, "split the operator into slices, one file each")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{name} is not a text file (byte {error.start} is not UTF-8)"
        raise ModelError([Diagnostic("RC101", message, at, "save the model as UTF-8 text")]) from error
