"""Models of any size: which there are, and how far reconcheck gets with each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from . import generated
from .measure import Limit
from .verification import Row, verify

MODELS = Path(__file__).resolve().parent / "models"
SIZES = (4, 8, 16, 32, 64, 128, 256)
QUICK_SIZES = (1, 2)


class Family(Struct, frozen=True):
    """A model for each size, either a file with a parameter or a text written for that size."""

    name: str
    unbounded: bool
    write: Callable[[int, bool], str] | None = None
    sizes: tuple[int, ...] = SIZES
    settings: Callable[[int], dict[str, int]] = lambda size: {"N": size}

    @property
    def title(self) -> str:
        """As the results call it."""
        return f"{self.name}, {'unbounded' if self.unbounded else 'bounded'}"

    def model(self, size: int, folder: Path) -> tuple[Path, dict[str, int]]:
        """The model of a size, written into the folder if it has to be; and the parameters to set."""
        if self.write is None:
            return MODELS / f"{self.name}{'-unbounded' if self.unbounded else ''}.rdsl", self.settings(size)
        path = folder / f"{self.name}{'-unbounded' if self.unbounded else ''}-{size}.rdsl"
        path.write_text(self.write(size, self.unbounded), encoding="utf-8")
        return path, {}


FAMILIES = tuple(
    family
    for unbounded in (False, True)
    for family in (
        Family("fanout", unbounded, sizes=(*SIZES, 1000)),
        Family("fanout-missing-watch", unbounded, sizes=(*SIZES, 1000)),
        Family("chain", unbounded),
        Family("externals", unbounded, settings=lambda size: {"LOUD": size // 2, "SILENT": size - size // 2}),
        Family("controllers", unbounded, generated.controllers),
    )
)


def grow(family: Family, sizes: Iterable[int], limit: Limit) -> Iterator[Row]:
    """One row a size, until a size takes longer than the limit or gets no answer at all."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path, settings = family.model(size, Path(folder))
            row = {"size": size, **verify(path, limit, settings)}
            yield row
            if row["seconds"] > limit.seconds or row["outcome"] in ("late", "stopped", "failed"):
                return
