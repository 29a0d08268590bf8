"""Where the clones of the operators' repositories are: `--repo` and `--repo-root`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.repository import Repository, is_repository

ADDRESS = re.compile(r"(?:[a-z+]+://)?(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+)?[/:](?P<path>.+?)(?:\.git)?/?")


def name_of(address: str) -> tuple[str, str] | None:
    """Host and path of a repository, the same for all ways to write its address; None where it is no address."""
    found = ADDRESS.fullmatch(address)
    return None if found is None else (found["host"].lower(), found["path"].strip("/"))


def _same(address: str) -> str:
    """An address in the form in which two of them are compared; forges do not tell upper from lower case."""
    name = name_of(address)
    return "/".join(name).lower() if name is not None else address


class Clones:
    """The clones that the command line gives.  Raises `ModelError` (RC107).

    `given` are values of `--repo`, each `DIR` or `URL=DIR`; `roots` are folders with clones in them; `cited` are the
    addresses that the models name.
    """

    def __init__(self, given: Iterable[str], roots: Iterable[str], cited: Iterable[str]) -> None:
        self._cited = {_same(address): address for address in cited}
        self._roots = [Path(root) for root in roots]
        self._mapped: dict[str, str] = {}
        self._any: str | None = None
        self._open: dict[str, Repository] = {}
        for root in self._roots:
            if not root.is_dir():
                raise wrong_value(f"there is no folder {root}", "give the folder that the clones are in")
        for text in given:
            self._take(text)
        for folder in [*self._mapped.values(), *([self._any] if self._any is not None else [])]:
            self._repository(folder)
        left = [address for same, address in self._cited.items() if self._folder(same) is None]
        if self._any is not None and len(left) > 1:
            message = f"the models name {len(left)} repositories, and {self._any} is a clone of one of them"
            raise wrong_value(message, f"write `--repo URL=DIR` for each of {', '.join(sorted(left))}")

    def _take(self, text: str) -> None:
        address, equals, folder = text.partition("=")
        same = _same(address)
        if equals and (same in self._cited or "://" in address or re.match(r"[^/]+@", address)):
            if same not in self._cited:
                known = ", ".join(sorted(self._cited.values())) or "none"
                raise wrong_value(f"no model names the repository {address}", f"the models name: {known}")
            if same in self._mapped:
                raise wrong_value(f"two clones of {address} are given", "keep one")
            self._mapped[same] = folder
        elif self._any is not None:
            message = f"`--repo {self._any}` and `--repo {text}` are for the same models"
            raise wrong_value(message, "write `--repo URL=DIR`, or give the folder with all clones as `--repo-root`")
        else:
            self._any = text

    def of(self, address: str | None) -> Repository | None:
        """The clone of a repository; None where none is given."""
        folder = self._folder(_same(address)) if address is not None else None
        folder = folder or self._any
        return None if folder is None else self._repository(folder)

    def searched(self, address: str) -> tuple[str, ...]:
        """Where a clone was looked for."""
        return tuple(str(one) for root in self._roots for one in self._places(root, address))

    def _folder(self, same: str) -> str | None:
        if same in self._mapped:
            return self._mapped[same]
        places = (one for root in self._roots for one in self._places(root, self._cited.get(same, same)))
        return next((str(one) for one in places if is_repository(one)), None)

    @staticmethod
    def _places(root: Path, address: str) -> list[Path]:
        """Where a clone of a repository may be below a folder, as `git clone` and other tools put it."""
        name = name_of(address)
        if name is None:
            return []
        host, path = name
        places = [root / host / path, root / path, root / path.rpartition("/")[2]]
        return [one for place in places for one in (place, place.with_name(place.name + ".git"))]

    def _repository(self, folder: str) -> Repository:
        if folder not in self._open:
            self._open[folder] = Repository(folder)
        return self._open[folder]
