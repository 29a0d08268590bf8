"""Places as SARIF 2.1.0 has them: models from the root of the source, cited code from the operator's repository."""

from __future__ import annotations

import os.path
import re
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from reconcheck.diagnostic import Span
from reconcheck.explain.places import Source
from reconcheck.resources import shipped

ROOT = "%SRCROOT%"
"""The base of paths below the working folder; whoever reads the log knows where that is."""
SHIPPED = "RECONCHECK"
"""The base of the files of kinds that come with reconcheck."""
FORGES = {
    r"https://github\.com/[^/]+/[^/]+": "/blob/",
    r"https://(?:gitlab\.com|gitlab\.[^/]+)/.+": "/-/blob/",
    r"https://codeberg\.org/[^/]+/[^/]+": "/src/commit/",
}
"""Where the files of a commit stand, below the address of a repository."""


def text(content: str) -> dict[str, str]:
    """A message; single braces would be placeholders (section 3.11.5), so they are doubled."""
    return {"text": content.replace("{", "{{").replace("}", "}}")}


class Places:
    """Makes locations, and keeps the artifacts and repositories that they refer to.

    `folder` is the absolute path that relative paths start from.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._artifacts: dict[tuple[str, str | None], int] = {}
        self._models: set[int] = set()
        self._bases = {ROOT}
        self._repositories: dict[tuple[str, str | None], str] = {}

    # ---- files -----------------------------------------------------------------------------------------------

    def file(self, path: str) -> dict[str, Any]:
        """The location of a file: relative if it is below the working folder, or comes with reconcheck."""
        whole = os.path.normpath(os.path.join(self.folder, path))
        for base, folder in ((ROOT, PurePath(self.folder)), (SHIPPED, shipped("models").parent)):
            if PurePath(whole).is_relative_to(folder):
                self._bases.add(base)
                return self._indexed(quote(os.fsencode(PurePath(whole).relative_to(folder).as_posix())), base, True)
        return self._indexed(PurePath(whole).as_uri(), None, True)

    def _indexed(self, uri: str, base: str | None, model: bool) -> dict[str, Any]:
        index = self._artifacts.setdefault((uri, base), len(self._artifacts))
        if model:
            self._models.add(index)
        return {"uri": uri, **({} if base is None else {"uriBaseId": base}), "index": index}

    def source_file(self, repository: str, source: Source) -> dict[str, Any]:
        """The location of a file of the operator, in its repository at a commit."""
        if re.match(r"https?://", source.path):
            return self._indexed(source.path, None, False)
        key = (repository, source.commit)
        base = self._repositories.setdefault(key, f"OPERATOR_{len(self._repositories) + 1}")
        return self._indexed(quote(source.path.lstrip("/")), base, False)

    # ---- locations -------------------------------------------------------------------------------------------

    def at(self, span: Span, message: str = "") -> dict[str, Any]:
        """A place in a model."""
        return self._location(self.file(span.file), region(span), message)

    def whole(self, path: str) -> dict[str, Any]:
        """A file, and no place in it."""
        return self._location(self.file(path), {}, "")

    def in_source(self, repository: str, source: Source, message: str) -> dict[str, Any]:
        """A place in the operator's source."""
        lines = {} if source.first is None else {"startLine": source.first, "endLine": source.last}
        place = self._location(self.source_file(repository, source), lines, message)
        return {**place, **({"logicalLocations": [{"name": source.symbol}]} if source.symbol else {})}

    def _location(self, artifact: dict[str, Any], lines: dict[str, Any], message: str) -> dict[str, Any]:
        physical = {"artifactLocation": artifact, **({"region": lines} if lines else {})}
        return {"physicalLocation": physical, **({"message": text(message)} if message else {})}

    # ---- what a run says about them ----------------------------------------------------------------------------

    def artifacts(self) -> list[dict[str, Any]]:
        """Every file that some location refers to, in the order of their indices."""
        found: list[dict[str, Any]] = []
        for (uri, base), index in self._artifacts.items():
            location = {"uri": uri, **({} if base is None else {"uriBaseId": base})}
            about = {"roles": ["analysisTarget"], "sourceLanguage": "rdsl"} if index in self._models else {}
            found.append({"location": location, **about})
        return found

    def bases(self) -> dict[str, Any]:
        """What the base names of addresses stand for."""
        found: dict[str, Any] = {ROOT: {"description": text("The folder that reconcheck ran in.")}}
        if SHIPPED in self._bases:
            found[SHIPPED] = {"description": text("Files that come with reconcheck.")}
        for (repository, commit), base in self._repositories.items():
            address = files_at(repository, commit)
            known = {} if address is None else {"uri": address}
            found[base] = {**known, "description": text("The operator's source, as the model cites it.")}
        return found

    def repositories(self) -> list[dict[str, Any]]:
        """The operators' repositories at the commits that the models cite."""
        return [
            {
                "repositoryUri": repository,
                **({} if commit is None else {"revisionId": commit}),
                "mappedTo": {"uriBaseId": base},
            }
            for (repository, commit), base in self._repositories.items()
        ]


def files_at(repository: str, commit: str | None) -> str | None:
    """The address below which the files of a commit stand; None where the forge is not known."""
    address = repository.removesuffix("/").removesuffix(".git")
    for pattern, between in FORGES.items():
        if commit is not None and re.fullmatch(pattern, address):
            return f"{address}{between}{commit}/"
    return None


def region(span: Span) -> dict[str, int]:
    """The region of a span; both count from 1, with exclusive ends.  Empty where there is no line."""
    if span.line < 1:
        return {}
    found = {"startLine": span.line}
    if span.column >= 1:
        found["startColumn"] = span.column
    if span.end_line > span.line or (span.end_line == span.line and span.end_column >= span.column >= 1):
        found |= {"endLine": span.end_line, "endColumn": span.end_column}
    return found
