"""What the command line asks of every model, and what comes of it: a report, or why there is none."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from reconcheck.cli.deadline import in_time
from reconcheck.cli.errors import INTERNAL, UNKNOWN, WRONG, wrong_value
from reconcheck.cli.options import ScopeAsked, scope_of
from reconcheck.cli.progress import Progress
from reconcheck.diagnostic import Diagnostic, InternalError, ModelError
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.certify.solvers import Backend
    from reconcheck.cli.jobs import Crew
    from reconcheck.explain.asked import Asked
    from reconcheck.explain.diagnosis import Diagnosis
    from reconcheck.explain.flows import Flow, Hands, Seconds, Ticket
    from reconcheck.explain.verdict import Report
    from reconcheck.explain.verify import Verifier
    from reconcheck.model.operator import Loaded

GRACE = 2.0
"""Seconds after the time limit of a model after which what does not stop by itself is broken off."""


class Request(Struct, frozen=True):
    """The options of `reconcheck verify` that decide what is asked."""

    goals: tuple[str, ...]
    scope: ScopeAsked
    settings: dict[str, int]
    timeout: float | None
    """Seconds for each model."""
    also_with_schedule: bool = False
    """Whether each goal is asked about with the schedule as well."""
    texts: Mapping[Path, str] = field(default_factory=dict)
    """Models that are in no file, by the path where they count as being."""

    @property
    def options(self) -> dict[str, object]:
        """What decides the answers, as data: everything but the time that one is ready to wait for them."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "timeout"}

    def load(self, file: Path) -> tuple[Loaded, Asked]:
        """The model, and what is asked of it.  Raises `ModelError`."""
        from reconcheck.model.load import load

        loaded = load(file, self.settings, self.texts.get(file))
        from reconcheck.explain.asked import Asked  # not needed for what is wrong
        from reconcheck.model.operator import SCHEDULED, Scope

        operator = loaded.operator
        known = {goal.name for goal in operator.goals}
        for goal in self.goals:
            if goal not in known:
                instead = f"its goals are: {', '.join(sorted(known))}"
                raise wrong_value(f"`{operator.name}` has no goal `{goal}`", instead)
        scope = scope_of(operator, self.scope)
        also = (Scope(SCHEDULED),) if self.also_with_schedule else ()
        return loaded, Asked(scope, frozenset(self.goals) or None, not self.scope.given, also)

    def verifier(
        self, loaded: Loaded, report: Callable[[str], None], backend: Callable[[], Backend] | None = None
    ) -> Verifier:
        """What answers the questions about a model, with Z3 unless there is another backend."""
        from reconcheck.certify.solvers import Z3
        from reconcheck.explain.verify import Verifier

        return Verifier(loaded, self.timeout, report, backend=backend or Z3)

    def verify(self, file: Path) -> Report | Failure:
        """The outcome of one model, found in this process."""
        try:
            loaded, asked = self.load(file)
            with Progress(str(file)) as progress:
                return self._report(loaded, asked, progress)
        except BrokenPipeError:
            raise
        except Exception as error:
            return failure(error)

    def _report(self, loaded: Loaded, asked: Asked, progress: Progress) -> Report:
        from reconcheck.explain.agenda import Agenda

        verifier, agenda = self.verifier(loaded, progress), Agenda(loaded, asked, self.timeout)
        if not in_time(lambda: verifier.work(agenda), None if self.timeout is None else self.timeout + GRACE):
            agenda.settle()
            for number in agenda.open():
                agenda.lose(verifier, number, self.overdue)
        return agenda.report()

    def diagnose(self, report: Report, crew: Crew | None) -> Diagnosis:
        """The diagnosis of a model in what is left of its time: by the crew that verified it, or in this process."""
        from reconcheck.explain.diagnose import diagnose
        from reconcheck.model.operator import Loaded

        left = None if self.timeout is None else max(0.1, self.timeout - report.seconds)
        with Progress(report.operator.file) as progress:
            model = None if crew is None else crew.model_of(report.operator.file)
            if crew is None or model is None:  # or it is remembered, and only its diagnosis is not
                return diagnose(report, self._hands(Loaded(report.operator, ()), progress), left, progress)
            from reconcheck.cli.looking import CrewHands

            return diagnose(report, CrewHands(crew, model, progress), left, progress)

    def _hands(self, loaded: Loaded, progress: Progress) -> Hands:
        """Works on a diagnosis in this process; what does not look at the clock is broken off."""
        from reconcheck.explain.flows import Board

        def hands(flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
            verifier, board, alive = self.verifier(loaded, progress), Board(flows), True
            while (ticket := board.take()) is not None:
                left, found = seconds(), list[Any]()
                if alive and left != 0.0:

                    def work(ticket: Ticket = ticket, left: float | None = left, found: list[Any] = found) -> None:
                        found.append(ticket.piece.done(verifier, left))

                    alive = in_time(work, None if left is None else left + GRACE)
                board.put(ticket, found[0] if found else None)
            return board.results

        return hands

    @property
    def overdue(self) -> str:
        """Why there is no answer from what had to be broken off."""
        return f"the time limit of {self.timeout:g} s was reached in the midst of what does not look at the clock"


def failure(error: Exception) -> Failure:
    """What an error means for the model in which it happened; the other models still get their answers."""
    match error:
        case ModelError():
            return Failure(WRONG, error.diagnostics, error.sources)
        case InternalError():
            return Failure(INTERNAL, (Diagnostic(error.code, str(error)),), {})
        case MemoryError():
            return out_of_memory("memory was used up while the model was read")
        case _:
            if os.environ.get("RECONCHECK_DEBUG"):
                traceback.print_exception(error, file=sys.stderr)
            return Failure(INTERNAL, (Diagnostic("RC903", f"{type(error).__name__}: {error}"),), {})


def out_of_memory(reason: str) -> Failure:
    """There is not even enough memory to know what is asked: unknown (RC406)."""
    return Failure(UNKNOWN, (Diagnostic("RC406", reason, None, "split the model or make ranges smaller"),), {})
