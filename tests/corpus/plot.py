"""The plot: for each cause the goals that fail for it, one square a goal, as an SVG of a few rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from msgspec import Struct

from reconcheck.cause_kinds import KINDS

from .totals import CauseCount

LABELS, LEFT, TOP = 250, 24, 118
"""Pixels for the names of the causes, beside them, and above the first row."""
SQUARE, STEP, ROW, EDGE = 14, 18, 28, 1.5
"""Pixels of a square, from one to the next, from row to row, and the line around a hollow one."""
LEAST_WIDTH = 680

STYLE = """
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px system-ui, "Segoe UI", "Liberation Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .minor { fill: #59636e; }
  .accepted { fill: #2a78c4; stroke: #2a78c4; }
  .avoidable { fill: #d1661a; stroke: #d1661a; }
  .hollow { fill: none; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .minor { fill: #9198a1; }
    .accepted { fill: #58a6ff; stroke: #58a6ff; }
    .avoidable { fill: #f0883e; stroke: #f0883e; }
    .hollow { fill: none; }
  }
"""
"""The card has a ground of its own, so that the text on it can be read on a page of any colour."""


class Mark(Struct, frozen=True):
    """How the squares of one kind look."""

    accepted: bool
    cured: bool

    @property
    def classes(self) -> str:
        """The classes of the style."""
        return f"{'accepted' if self.accepted else 'avoidable'}{'' if self.cured else ' hollow'}"


MARKS = (Mark(True, True), Mark(False, True), Mark(True, False), Mark(False, False))
"""In the order of a row: what the schedule cures comes first."""


def plot(causes: Sequence[CauseCount]) -> str:
    """The SVG."""
    most = max((count.total for count in causes), default=0)
    width = max(LEAST_WIDTH, LEFT + LABELS + STEP * most + 60)
    height = TOP + ROW * len(causes) + 16
    body = [*_heading(), *_legend()]
    for number, count in enumerate(causes):
        body += _row(count, TOP + ROW * number)
    told = escape("; ".join(f"{KINDS[count.cause].title}: {count.total}" for count in causes))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title told">',
            '<title id="title">Why goals are not reached without a schedule</title>',
            f'<desc id="told">Goals by cause: {told}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
            *body,
            "</svg>\n",
        ]
    )


def _heading() -> list[str]:
    return [
        f'<text class="title" x="{LEFT}" y="32">Why goals are not reached without a schedule</text>',
        f'<text class="minor" x="{LEFT}" y="52">One square is one goal of one operator, '
        "in all its versions together.</text>",
    ]


def _legend() -> list[str]:
    """The two colours, and the two ways to fill them."""
    entries = (
        (LEFT, MARKS[0], "polling is accepted"),
        (LEFT + 158, MARKS[1], "avoidable"),
    )
    lines = [line for x, mark, text in entries for line in _entry(x, (mark,), text)]
    lines += _entry(LEFT + 262, MARKS[:2], "its schedule cures it")
    return lines + _entry(LEFT + 442, MARKS[2:], "its schedule does not")


def _entry(x: int, marks: Sequence[Mark], text: str) -> list[str]:
    squares = [_square(x + STEP * number, 72, mark) for number, mark in enumerate(marks)]
    return [*squares, f'<text x="{x + STEP * len(marks) + 4}" y="84">{text}</text>']


def _row(count: CauseCount, y: int) -> list[str]:
    x = LEFT + LABELS
    lines = [f'<text x="{x - 14}" y="{y + 12}" text-anchor="end">{escape(KINDS[count.cause].title)}</text>']
    for mark in MARKS:
        for _ in range(_number(count, mark)):
            lines.append(_square(x, y, mark))
            x += STEP
    return [*lines, f'<text class="minor" x="{x + 6}" y="{y + 12}">{count.total}</text>']


def _number(count: CauseCount, mark: Mark) -> int:
    numbers = count.cured if mark.cured else count.uncured
    return sum(number for accepted, number in numbers.items() if bool(accepted) == mark.accepted)


def _square(x: float, y: float, mark: Mark) -> str:
    inset = 0 if mark.cured else EDGE / 2
    line = "" if mark.cured else f' stroke-width="{EDGE}"'
    side = SQUARE - 2 * inset
    return (
        f'<rect class="{mark.classes}" x="{x + inset:g}" y="{y + inset:g}" '
        f'width="{side:g}" height="{side:g}" rx="2"{line}/>'
    )
