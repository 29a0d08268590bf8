"""Reads JSON piece by piece and notes everything that is not as it should be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from reconcheck.proof.certificate import Flaw

T = TypeVar("T")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What ends a line, or tells a terminal something."""
MOST_DIGITS = 100
"""Digits of a number.  Those of models have at most 18, and a proof reckons with them, not far beyond."""


class Unreadable(Exception):
    """A piece cannot be read; why is noted already."""


class JsonReading:
    """The pieces of a document; `flaws` are what was found wrong so far."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []

    def wrong(self, place: str, message: str, code: str = "RC503") -> Unreadable:
        """Notes what is wrong, and gives the exception with which the caller leaves."""
        self.flaws.append(Flaw(place, code, message))
        return Unreadable()

    def record(self, content: Any, place: str, fields: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
        """An object with these fields and no others."""
        if not isinstance(content, dict):
            raise self.wrong(place, "an object is needed here")
        missing = [name for name in fields if name not in content]
        unknown = [name for name in content if name not in fields and name not in optional]
        for name in missing:
            self.wrong(place, f"`{name}` is missing")
        for name in unknown:
            self.wrong(place, f"unknown field `{name}`")
        if missing or unknown:
            raise Unreadable
        return content

    def each(self, content: Any, place: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        """A list, each item of which is read; all items are looked at before anything is raised."""
        if not isinstance(content, list):
            raise self.wrong(place, "a list is needed here")
        found: list[T] = []
        for number, item in enumerate(content):
            try:
                found.append(read(item, f"{place}[{number}]"))
            except Unreadable:
                continue
        if len(found) < len(content):
            raise Unreadable
        return tuple(found)

    def all(
        self, content: Mapping[str, Any], place: str, readers: Mapping[str, Callable[[Any, str], Any]]
    ) -> list[Any]:
        """Several fields of an object; all of them are looked at before anything is raised."""
        found: list[Any] = []
        for name, read in readers.items():
            try:
                found.append(read(content[name], f"{place}.{name}" if place else name))
            except Unreadable:
                continue
        if len(found) < len(readers):
            raise Unreadable
        return found

    def text(self, content: Any, place: str) -> str:
        """A text, of one line."""
        if not isinstance(content, str):
            raise self.wrong(place, "a text is needed here")
        if CONTROL.search(content):
            raise self.wrong(place, f"this text has characters that cannot be printed: {content!r}")
        return content

    def number(self, content: Any, place: str) -> int:
        """An integer."""
        if type(content) is not int:
            raise self.wrong(place, "an integer is needed here")
        return content

    def flag(self, content: Any, place: str) -> bool:
        """True or false."""
        if not isinstance(content, bool):
            raise self.wrong(place, "`true` or `false` is needed here")
        return content


def parsed(text: str) -> Any:
    """The content of a JSON text.  Raises `ValueError` with the reason."""
    try:
        return json.loads(
            text, object_pairs_hook=_distinct, parse_int=_number, parse_constant=_no_number, parse_float=_no_number
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{twice}` stands twice in one object")
    return found


def _number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"{text[:20]}... is a number of {len(text):,} digits, and {MOST_DIGITS} are the most")
    return int(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no integer, and there are no other numbers in a certificate")
