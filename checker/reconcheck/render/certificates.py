"""Judgements on certificates as text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from reconcheck.certify.certificates import Judgement
from reconcheck.diagnostic import Diagnostic
from reconcheck.render.diagnostics import BOLD, RED, RESET, YELLOW

WIDTH = 100
GREEN = "\033[32m"
STYLES = {"holds": GREEN, "refused": RED, "unknown": YELLOW, "wrong": RED}
CLAIMS = {"converges": "converges", "always": "always holds", "reachable": "is not reachable"}
MOST_PROBLEMS = 20
"""Problems of a certificate that are listed; the rest is counted."""


def render_judgement(judgement: Judgement, colour: bool = False) -> str:
    """What became of one certificate, and why."""

    def paint(style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if colour else text

    lines = [paint(BOLD, f"{judgement.file}{_claim(judgement)}")]
    verdict = f"  {paint(STYLES[judgement.verdict], f'{judgement.verdict:<9}')}"
    time = f"{judgement.solver}, {judgement.seconds:.2f} s"
    count = f"{judgement.obligations:,} obligations"
    problems = [line for problem in judgement.problems[:MOST_PROBLEMS] for line in _diagnostic(problem, "error")]
    more = len(judgement.problems) - MOST_PROBLEMS
    if judgement.verdict == "wrong":
        lines.append(f"{verdict}nothing was checked")
    elif judgement.code == "RC507":
        lines.append(f"{verdict}[RC507] it answers another question: nothing was checked")
    elif judgement.code:
        lines.append(f"{verdict}[{judgement.code}] {time}, after {count} that hold")
    else:
        lines.append(f"{verdict}{count}, {time}")
    lines += [line for text in (judgement.obligation, judgement.reason) if text for line in _wrapped(text)]
    lines += [line for change in judgement.changes for line in _diagnostic(change, "note")]
    lines += [*problems, *([f"  and {more:,} more problems"] if more > 0 else [])]
    return "\n".join(lines)


def render_count(judgements: Sequence[Judgement], model: str) -> str:
    """How many certificates were judged, and how."""
    count = Counter(judgement.verdict for judgement in judgements)
    found = ", ".join(f"{count[verdict]} {verdict}" for verdict in STYLES if count[verdict])
    return f"{len(judgements)} certificate{'s' * (len(judgements) != 1)} of {model}: {found}"


def _claim(judgement: Judgement) -> str:
    about = judgement.about
    if about is None:
        return ""
    settings = ", ".join(f"{name} = {value}" for name, value in about.settings)
    return f": {about.goal} {CLAIMS[about.question]}, {about.scope}{f' ({settings})' if settings else ''}"


def _diagnostic(diagnostic: Diagnostic, word: str) -> list[str]:
    lines = _wrapped(f"{word}[{diagnostic.code}]: {diagnostic.message}")
    return [*lines, *_wrapped(f"  = {diagnostic.instead}")] if diagnostic.instead else lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 4, initial_indent="  ", subsequent_indent="    ")
