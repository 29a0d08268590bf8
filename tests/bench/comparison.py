"""How far each checker gets with the small operator of `peer_models`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from . import peer_models
from .measure import Limit
from .peer_models import Instance
from .peers import CONVERGES, QUIET, Peer
from .verification import Row, last_words, taken, verify

SIZES = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 48, 64, 96, 128, 192, 256)
QUICK_SIZES = (2,)

RECONCHECK = "reconcheck"
"""What the results call this project's own rows."""


def compare(peer: Peer, sizes: Iterable[int], limit: Limit) -> Iterator[Row]:
    """The rows of another checker: both questions, all watched and one not."""

    def ask(instance: Instance, question: str) -> Row:
        with tempfile.TemporaryDirectory() as folder:
            answer = peer.ask(instance, question, Path(folder), limit)
        row = {**taken(answer.run, limit), "verdict": answer.verdict, "states": answer.states}
        expected = "holds" if instance.all_watched else "fails"
        if answer.run.code is None:
            return {"outcome": "stopped", **row}
        if answer.verdict == "unknown":
            return {"outcome": "failed", **row, "message": last_words(answer.run)}
        return {"outcome": "answered" if answer.verdict == expected else "wrong", **row}

    for question in (CONVERGES, QUIET):
        yield from _series(question, partial(ask, question=question), sizes, limit)


def compare_reconcheck(sizes: Iterable[int], limit: Limit) -> Iterator[Row]:
    """The rows of reconcheck on the same operator; it answers the whole question only."""

    def ask(instance: Instance) -> Row:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.rdsl"
            model.write_text(peer_models.rdsl(instance), encoding="utf-8")
            return verify(model, limit)

    yield from _series(CONVERGES, ask, sizes, limit)


def _series(question: str, ask: Callable[[Instance], Row], sizes: Iterable[int], limit: Limit) -> Iterator[Row]:
    """For each variant one row a size, until a size takes longer than the limit or gets no answer."""
    for all_watched in (True, False):
        for size in sizes:
            variant = "all watched" if all_watched else "one not watched"
            row = {"question": question, "variant": variant, "size": size, **ask(Instance(size, all_watched))}
            yield row
            if row["seconds"] > limit.seconds or row["outcome"] in ("late", "stopped", "failed", "unknown"):
                break
