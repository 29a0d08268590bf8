"""Reports that are found again, as long as neither the model nor the question nor reconcheck has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.resources import cache_directory

if TYPE_CHECKING:
    from reconcheck.cache.key import Key
    from reconcheck.cache.store import Store
    from reconcheck.explain.verdict import Report

SWITCH = "RECONCHECK_CACHE"
"""An environment variable: `off` reads and writes nothing."""


class Lookup(Struct, frozen=True):
    """What was looked for: `report` is None where it has to be found, and `key` where it will not be kept."""

    key: Key | None
    report: Report | None


class Results:
    """The reports that are remembered; none where `wanted` is false or the user switched it off."""

    def __init__(self, wanted: bool = True) -> None:
        self.store: Store | None = None
        if wanted and os.environ.get(SWITCH, "").lower() != "off":
            from reconcheck.cache.store import Store

            with suppress(OSError):  # there is nowhere to keep anything
                self.store = Store(cache_directory() / "reports")

    def find(self, file: Path, options: Mapping[str, object]) -> Lookup:
        """The report about a model; `options` is everything that decides what is answered, as data."""
        if self.store is None:
            return Lookup(None, None)
        from reconcheck.cache.key import key_of

        key = key_of(file, options)
        if key is None:
            return Lookup(None, None)
        text = self.store.read(key.name)
        if text is None:
            return Lookup(key, None)
        from reconcheck.cache.codec import Unstorable, decode
        from reconcheck.explain.verdict import Report

        try:
            report = decode(text)
            if not isinstance(report, Report):
                raise Unstorable("this is no report")
        except Unstorable:
            self.store.remove(key.name)
            return Lookup(key, None)
        return Lookup(key, replace(report, cached=True))

    def keep(self, lookup: Lookup, report: Report) -> bool:
        """Remembers a report that was looked for, if it may be; whether it was written.

        It may be if it was made from the very texts that were looked at, and leaves nothing open.
        """
        if self.store is None or lookup.key is None or not definite(report):
            return False
        read, seen = report.operator.sources, lookup.key.texts
        if any(seen.get(path) != text for path, text in read.items()):
            return False  # the model was changed meanwhile
        from reconcheck.cache.codec import Unstorable, encode

        try:
            text = encode(report)
        except (Unstorable, RecursionError):
            return False
        return self.store.write(lookup.key.name, text)


def definite(report: Report) -> bool:
    """Whether nothing is left open: what is unknown for want of time may be known the next time."""
    answers = [*report.answers, *(checked.answer for checked in report.expectations)]
    diagnosis = report.diagnosis
    if diagnosis is not None:
        if diagnosis.undecided:
            return False
        answers += [answer for levels in diagnosis.levels for answer in levels.answers]
    return all(answer.verdict != "unknown" for answer in answers)
