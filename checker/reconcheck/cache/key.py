"""What a report depends on: the text of the model and of what it may import, the options, and reconcheck itself."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from reconcheck import __version__, resources
from reconcheck.cache.codec import Unstorable, encode
from reconcheck.diagnostic import ModelError
from reconcheck.syntax.source import read_source

STRING = re.compile(r'"([^"\n]*)"')
"""Every text in quotes: an import is one of them, and no import is overlooked."""
SOLVERS = (("z3", "z3_solver"), ("networkx", "networkx"))
"""Modules whose version an answer may depend on, with the names of their packages."""


class Key(Struct, frozen=True):
    """The name of an entry, and the texts that went into it, by path."""

    name: str
    texts: Mapping[str, str]


def key_of(file: Path, options: Mapping[str, object]) -> Key | None:
    """The key of what is asked of a model with these options; None where a file cannot be read.

    `options` is everything that decides what is answered; None also where there is more in it than data.
    """
    texts: dict[str, str] = {}
    places: dict[str, str | None] = {}
    todo = [file]
    try:
        while todo:
            path = todo.pop()
            text = texts[str(path)] = read_source(path)
            for name in STRING.findall(text) if "import" in text else ():
                for candidate in _candidates(path, name):
                    if str(candidate) in places:
                        continue
                    exists = _is_file(candidate)
                    places[str(candidate)] = str(candidate.resolve()) if exists else None
                    if exists and str(candidate) not in texts:
                        todo.append(candidate)
    except (ModelError, OSError):
        return None
    there = {place: target for place, target in places.items() if target is not None}
    parts = (fingerprint(), str(file), str(file.resolve()), texts, there, dict(sorted(options.items())))
    try:
        content = encode(parts)
    except Unstorable:
        return None
    return Key(hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(), texts)


def _candidates(path: Path, name: str) -> tuple[Path, Path]:
    """Where an import of that name is looked for."""
    file = name if name.endswith(".rdsl") else f"{name}.rdsl"
    return path.parent / file, resources.shipped("models") / file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that is no name of a file
        return False


@functools.cache
def fingerprint() -> str:
    """What tells this reconcheck from every other: version, source, grammar, and what it computes with.

    The source is read, not only the version, so that a change in a checkout never gets an answer from before it.
    """
    digest = hashlib.sha256(__version__.encode())
    for module, package in SOLVERS:
        digest.update(f"\0{module} {_version(module, package)}".encode())
    for folder, kind in ((resources.PACKAGE, "*.py"), (resources.shipped("grammar"), "*.lark")):
        for file in sorted(folder.rglob(kind)):
            digest.update(f"\0{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _version(module: str, package: str) -> str:
    """The version of an installed package; the folder that says so is read, because `importlib.metadata` is slow."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    return " ".join(sorted(path.name for path in Path(spec.origin).parent.parent.glob(f"{package}-*.dist-info")))
