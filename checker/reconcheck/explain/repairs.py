"""Repairs: the smallest changes to a model after which its goals converge, each verified again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from reconcheck.explain.clock import Clock
from reconcheck.explain.diagnosis import MOST_EDITS, Repair
from reconcheck.explain.edits import Source, apply_edits
from reconcheck.explain.flows import one_hand
from reconcheck.explain.mending import mending
from reconcheck.explain.repair_search import GRAPH, MOST_WORK
from reconcheck.explain.tally import Tally
from reconcheck.explain.trial import Verdicts, with_schedule
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.explain.workbench import ENGINES
from reconcheck.model.assemble import assemble
from reconcheck.model.operator import SCHEDULED, Loaded, Operator, Scope
from reconcheck.syntax.parser import parse_text


def repairs(
    loaded: Loaded,
    answers: Sequence[Answer],
    seconds: float | None = None,
    tell: Callable[[str], None] = lambda _text: None,
    most_edits: int = MOST_EDITS,
    most_work: int | None = MOST_WORK,
    tally: Tally | None = None,
) -> tuple[tuple[Repair, ...], tuple[str, ...]]:
    """Every minimal repair of the goals that fail, smallest first, and what could not be told, with the reason.

    `most_work` is how many states of changed models are listed before it ends, time or not; None for any number.
    `answers` are those to the model's goals in the scope of the first of them; answers in other scopes save work.
    `tally` counts the sets of edits and the verdicts that came up, and those that work was done for.
    Raises `InternalError`.
    """
    hands, flow = one_hand(Verifier(loaded, seconds, tell)), mending(answers, most_edits, most_work, tally or Tally())
    (result,) = hands([flow], Clock(seconds).left)
    found: tuple[tuple[Repair, ...], tuple[str, ...]] = result
    return found


def unrepaired(answers: Iterable[Answer], found: Iterable[Repair]) -> tuple[str, ...]:
    """The goals that fail and that none of the repairs mends."""
    mended = {name for repair in found for name in repair.goals}
    failing = dict.fromkeys(answer.goal.name for answer in answers if answer.fails)
    return tuple(name for name in failing if name not in mended)


def repaired_text(operator: Operator, repair: Repair) -> str:
    """The text of a model after a repair."""
    return apply_edits(Source.of(operator.file, operator.sources[operator.file]), repair.edits)


def objections(
    operator: Operator, repair: Repair, scope: Scope, path: Path, seconds: float | None, tell: Callable[[str], None]
) -> tuple[str, ...]:
    """What speaks against a repair once its text is read again, as the file that it is to be: nothing, it is hoped.

    `scope` is the one in which it was looked for.  Raises `ModelError` where the text is no model at that place.
    """
    text = repaired_text(operator, repair)
    loaded = assemble(parse_text(text, str(path)), text, path, dict(operator.parameters))
    clock = Clock(seconds)
    verdicts = Verdicts(clock.left)
    asked = with_schedule(scope) if repair.level == SCHEDULED else scope
    wanted: list[tuple[str, Scope, str, tuple[str, ...]]] = [(name, asked, "converges", ()) for name in repair.goals]
    wanted += [(line.goal, line.scope, line.verdict, line.because) for line in loaded.operator.expectations]
    verifiers: dict[bool, Verifier] = {}
    found: list[str] = []
    for name, where, verdict, because in dict.fromkeys(wanted):
        goal = loaded.operator.goal(name)
        small = verdicts(loaded, goal, where) is not None
        verifier = verifiers.setdefault(small, Verifier(loaded, seconds, tell, GRAPH if small else ENGINES))
        answer = verifier.answer(goal, where, clock.left())
        if not answer.meets(verdict):
            reason = f": {answer.reason}" if answer.reason else ""
            found.append(f"{name} is {answer.verdict} {where}, not {verdict}{reason}")
        elif not answer.meets(verdict, because) and not answer.unexplained:
            causes = ", ".join(answer.because) or "none that is told"
            found.append(f"{name} is {answer.verdict} {where} because of {causes}, not {', '.join(because)}")
    return tuple(found)
