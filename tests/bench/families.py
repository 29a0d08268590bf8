"""Models of any size: which there are, and how far reconcheck gets with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from .measure import Limit
from .verification import Row, verify

MODELS = Path(__file__).resolve().parent / "models"
SIZES = (4, 8, 16, 32, 64, 128, 256)
QUICK_SIZES = (1, 2)


class Family(Struct, frozen=True):
    """A model with parameters that give it any size."""

    name: str
    unbounded: bool
    sizes: tuple[int, ...] = SIZES
    settings: Callable[[int], dict[str, int]] = lambda size: {"N": size}

    @property
    def title(self) -> str:
        """As the results call it."""
        return f"{self.name}, {'unbounded' if self.unbounded else 'bounded'}"

    @property
    def path(self) -> Path:
        """The model."""
        return MODELS / f"{self.name}{'-unbounded' if self.unbounded else ''}.rdsl"


FAMILIES = tuple(
    family
    for unbounded in (False, True)
    for family in (
        Family("fanout", unbounded, sizes=(*SIZES, 1000)),
        Family("fanout-missing-watch", unbounded, sizes=(*SIZES, 1000)),
        Family("chain", unbounded),
        Family("externals", unbounded, settings=lambda size: {"LOUD": size // 2, "SILENT": size - size // 2}),
        Family("controllers", unbounded),
    )
)


def grow(family: Family, sizes: Iterable[int], limit: Limit) -> Iterator[Row]:
    """One row a size, until a size takes longer than the limit or gets no answer at all."""
    for size in sizes:
        row = {"size": size, **verify(family.path, limit, family.settings(size))}
        yield row
        if row["seconds"] > limit.seconds or row["outcome"] in ("late", "stopped", "failed"):
            return
