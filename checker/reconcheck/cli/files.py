"""Writing files without ever losing one."""

from __future__ import annotations

import os
from pathlib import Path

from reconcheck.diagnostic import Diagnostic, ModelError


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file in one piece: an existing one stays as it is until the new one is there.

    A link keeps pointing at its file, and what is no file, such as a pipe, is written to as it is.  Raises
    `ModelError` (RC108).
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                stream.write(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise ModelError([_problem(path, error.strerror or str(error))]) from error


def replace_text(path: Path, text: str) -> None:
    """Writes a text in one piece, as UTF-8; a name of a file in it may have bytes that are none.

    Raises `ModelError` (RC108).
    """
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def _replace(path: Path, content: bytes) -> None:
    import tempfile  # most runs write no file

    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def unwritable(path: Path) -> Diagnostic | None:
    """Why a file surely cannot be written, so that nobody has to wait for that."""
    try:
        folder = path.resolve().parent
        if path.is_dir():
            return _problem(path, "it is a folder")
        if not folder.is_dir():
            return _problem(path, f"there is no folder {path.parent}")
        if not path.exists() and not os.access(folder, os.W_OK):
            return _problem(path, f"nothing may be written in {path.parent}")
    except (OSError, RuntimeError, ValueError) as error:
        return _problem(path, str(error))
    return None


def _problem(path: Path, reason: str) -> Diagnostic:
    return Diagnostic("RC108", f"cannot write {path}: {reason}", None, "give a file in a folder you can write")
