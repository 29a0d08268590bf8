"""How a figure grows with the size of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[int, float]
"""A size, and the seconds it took."""


def exponent(points: Sequence[Point]) -> float | None:
    """The slope of the straight line through the logarithms, by least squares; None for fewer than two sizes.

    Seconds that grow like N^2 have the exponent 2.
    """
    logarithms = [(math.log(size), math.log(seconds)) for size, seconds in points if size > 0 and seconds > 0]
    if len({x for x, _ in logarithms}) < 2:
        return None
    mean_x = sum(x for x, _ in logarithms) / len(logarithms)
    mean_y = sum(y for _, y in logarithms) / len(logarithms)
    spread = sum((x - mean_x) ** 2 for x, _ in logarithms)
    return sum((x - mean_x) * (y - mean_y) for x, y in logarithms) / spread


def above(points: Sequence[Point], floor: float) -> list[Point]:
    """The same points without what every run takes to start; those that take hardly more than that are left out."""
    return [(size, seconds - floor) for size, seconds in points if seconds > floor * 1.2]


def per_doubling(before: Point, after: Point) -> float | None:
    """By what the seconds were multiplied from one size to another, for each doubling of the size between them."""
    if not 0 < before[0] < after[0] or before[1] <= 0:
        return None
    return float((after[1] / before[1]) ** (1 / math.log2(after[0] / before[0])))
