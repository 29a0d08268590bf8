"""Writing files without ever losing one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reconcheck.cli.errors import wrong_value


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file in one piece: an existing one stays as it is until the new one is there."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
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
    except OSError as error:
        raise wrong_value(f"cannot write {path}: {error.strerror}", "give a file in a folder you can write") from error
