"""Which models a changed file matters to: itself, and those that import it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reconcheck.diagnostic import ModelError
from reconcheck.resources import shipped
from reconcheck.syntax import tree
from reconcheck.syntax.parser import parse_file


def affected(models: Iterable[Path], changed: Iterable[Path]) -> list[Path]:
    """The models that are one of the changed files, or import one, directly or not; a changed file may be gone.

    A file that cannot be read imports nobody knows what, so that it counts as affected.
    """
    touched = {path.resolve() for path in changed}
    known: dict[Path, tuple[Path, ...] | None] = {}
    return [model for model in models if _reaches(model, touched, known)]


def _reaches(model: Path, touched: set[Path], known: dict[Path, tuple[Path, ...] | None]) -> bool:
    seen: set[Path] = set()
    work = [model.resolve()]
    while work:
        path = work.pop()
        if path in touched:
            return True
        if path in seen:
            continue
        seen.add(path)
        if path not in known:
            known[path] = _imports(path)
        imports = known[path]
        if imports is None:
            return True
        work += imports
    return False


def _imports(path: Path) -> tuple[Path, ...] | None:
    """Where a file's imports are, or would be; none for a file that is not there, None where it is not known."""
    try:
        if not path.exists():
            return ()
    except OSError:  # no file has such a name
        return ()
    try:
        file, _ = parse_file(path)
    except ModelError:
        return None
    names = [item.path for item in file.prelude if isinstance(item, tree.Import)]
    files = [name if name.endswith(".rdsl") else f"{name}.rdsl" for name in names]
    return tuple(folder.joinpath(name).resolve() for name in files for folder in (path.parent, shipped("models")))
