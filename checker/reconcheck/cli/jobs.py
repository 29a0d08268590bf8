"""Several models, and several questions of a long one, at a time.

This process only decides who does what, and puts reports together; worker processes read models and answer
questions.  A model begins with one worker.  When it turns out long, those that have nothing else to do join in.
What comes out is in the order of the models and the same for every number of workers.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.helping import Share, Shared, Undone, Wanted
from reconcheck.cli.progress import Progress
from reconcheck.cli.reading import Reader, begin_reading, has_no_threads, interrupts_held, may_be_copied
from reconcheck.cli.request import GRACE, Request, failure, out_of_memory
from reconcheck.cli.worker import OUT_OF_MEMORY, Answered, Begin, Begun, Doing, Failed, Given, get_ready, work
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.explain.agenda import Agenda, Turn
    from reconcheck.explain.asked import Asked
    from reconcheck.explain.verdict import Report
    from reconcheck.model.operator import Loaded

PATIENCE = {"fork": 0.0, "spawn": 0.5}
"""Seconds that a model takes before a second worker joins: a copy of this process is there at once, but starting
a new one takes up to half of that."""
LATE = 0.3
"""Seconds that a worker may go on with what another has answered meanwhile: it knows the model, a new one does not."""
GLANCE = 0.02
"""Seconds between two looks at the clock."""
MORE_MEMORY = "with `--jobs 1` there is more for each"


class Model:
    """A model with who works on it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.started: float | None = None
        """When its first worker began."""
        self.agenda: Agenda | None = None
        """Its questions, once it is read."""
        self.failures: dict[int, Failure] = {}
        """The questions that ended with an error."""
        self.outcome: Report | Failure | None = None
        self.crowded = False
        """Whether there was no room for one more worker."""

    def begin(self, loaded: Loaded, asked: Asked, seconds: float | None) -> None:
        """It is read: from now on the time counts."""
        from reconcheck.explain.agenda import Agenda

        self.agenda = Agenda(loaded, asked, seconds)

    @property
    def overdue(self) -> bool:
        """Whether its workers should have stopped by themselves."""
        agenda = self.agenda
        return agenda is not None and agenda.seconds is not None and agenda.spent > agenda.seconds + GRACE

    def settle(self) -> None:
        """Sees whether everything is answered."""
        if self.outcome is None and self.agenda is not None:
            self.agenda.settle()
            if self.agenda.done:
                self.outcome = self.failures.get(self.agenda.end) or self.agenda.report()


class Worker:
    """A worker process with what it is at: a question, reading (`turn` is None), or nothing (not `busy`)."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process, self.connection = process, connection
        self.model: Model | None = None
        self.turn: Turn | None = None
        self.busy = False
        self.late: float | None = None
        """Since when nobody waits any more for what it is at."""
        self.lent: Lent | None = None
        """Whom it helps, if anybody."""

    def give(self, task: Begin | Turn | Given) -> None:
        """Something to do."""
        self.turn = None if isinstance(task, Begin | Given) else task
        self.busy, self.late = True, None
        self.tell(task)

    def tell(self, message: object) -> None:
        """Sends it a message."""
        with suppress(OSError):  # it died just now, which is found out when it is listened to
            self.connection.send(message)

    def lend(self, whom: Worker) -> None:
        """From now on it waits for a share of another's work."""
        self.turn, self.busy, self.late, self.lent = None, True, None, Lent(whom)

    def end(self) -> None:
        """Ends the process at once, and waits until it is gone."""
        self.process.kill()  # once more does no harm
        self.process.join()
        self.connection.close()


class Lent:
    """Help for another worker, which has been `given` the share or has not sent it yet."""

    def __init__(self, whom: Worker) -> None:
        self.whom, self.given = whom, False


class Crew:
    """Up to `jobs` workers, and the models they work on.  On leaving, all of them end.

    Unless they are to `stay`, they end already when the last model is done, while it is put into words.  The only
    model is read by a copy of this process, while this one imports what its workers, copies as well, will need.
    """

    def __init__(
        self, files: Sequence[Path], request: Request, jobs: int, stay: bool = True, reader: Reader | None = None
    ) -> None:
        self.models = [Model(file) for file in files]
        self.request, self.jobs, self.stay = request, jobs, stay
        self.workers: list[Worker] = []
        self.ending: list[Worker | Reader] = []
        """Those who have to go, and are perhaps not gone yet."""
        self.context = multiprocessing.get_context(start_method())
        self.reader = reader
        """Who reads the only model, until it is read."""
        if reader is None and len(files) == 1:
            self.reader = begin_reading(files, request) if self.copies else None
            if self.reader is None:
                self._read(self.models[0])
        if self.copies:
            get_ready()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with interrupts_held():
            for worker in list(self.workers):
                self.let_go(worker)
            if self.reader is not None:
                self.ending.append(self.reader)
            while self.ending:
                self.ending.pop().end()

    @property
    def copies(self) -> bool:
        """Whether workers are copies of this process."""
        return self.context.get_start_method() == "fork"

    @property
    def patience(self) -> float:
        """The seconds that a model takes before a second worker joins."""
        return PATIENCE[self.context.get_start_method()]

    def outcomes(self) -> Iterator[Report | Failure]:
        """What comes of each model, in order, as soon as it and those before it are done."""
        for model in self.models:
            self._hand_out()
            with Progress(str(model.file), model.started) as progress:
                while model.outcome is None:
                    self._listen(model, progress)
                    self._hand_out()
            if model is self.models[-1] and not self.stay:
                for worker in list(self.workers):
                    self.let_go(worker)
            yield model.outcome

    def model_of(self, file: str) -> Model | None:
        """The model of a file; None where it is not the crew's."""
        return next((model for model in self.models if str(model.file) == file), None)

    def _read(self, model: Model) -> None:
        """Reads the only model here, where it takes longer to start another process."""
        try:
            loaded, asked = self.request.load(model.file)
        except Exception as error:
            model.outcome = failure(error)
        else:
            model.begin(loaded, asked, self.request.timeout)

    # ---- who does what ---------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Finds something to do for everybody who has nothing to do, and more workers where they are of use."""
        self.dismiss_late()
        for worker in self._idle():
            self._ask(worker, again=False)
        for worker in self._idle():
            if (model := self._in_need()) is not None:
                self.begin(worker, model)
            else:  # perhaps a question that another is slower with
                self._ask(worker, again=True)
        while len(self.workers) < self.jobs and (model := self._in_need()) is not None:
            newcomer = self.join(model)
            if newcomer is not None and not newcomer.busy:
                self._ask(newcomer, again=False)

    def _idle(self) -> list[Worker]:
        for worker in [worker for worker in self.workers if not worker.process.is_alive() and not worker.busy]:
            self.dismiss(worker)
        return [worker for worker in self.workers if not worker.busy]

    def _ask(self, worker: Worker, again: bool) -> None:
        model = worker.model
        if model is None or model.outcome is not None or model.agenda is None:
            return
        others = sum(1 for other in self.models if other.outcome is None and other is not model)
        turn = model.agenda.take(worker, max(1, self.jobs - others), again)
        if turn is not None:
            worker.give(turn)

    def _in_need(self) -> Model | None:
        """A model for one more worker: one that has none, else one that takes long and has questions left."""
        if self.reader is not None:
            return None
        models = [model for model in self.models if model.outcome is None]
        for model in models:
            if not self._at(model):
                return model
        for model in models:
            reading = sum(1 for worker in self._at(model) if worker.turn is None and worker.lent is None)
            if model.agenda is None or model.crowded or model.agenda.spent < self.patience:
                continue
            if len(model.agenda.free()) > reading:
                return model
        return None

    def _at(self, model: Model) -> list[Worker]:
        return [worker for worker in self.workers if worker.model is model and worker.busy]

    def begin(self, worker: Worker, model: Model) -> None:
        """Gives a worker a model, with what was read of it."""
        if worker.model is not None and worker.model.agenda is not None:
            worker.model.agenda.leave(worker)
        worker.model = model
        model.started = model.started or time.monotonic()
        worker.give(Begin(model.file, None if model.agenda is None else model.agenda.loaded))

    def join(self, model: Model) -> Worker | None:
        """A new worker at a model, which it has already or begins with; None as for `hire`."""
        newcomer = self.hire(model)
        if newcomer is not None and newcomer.model is not model:
            self.begin(newcomer, model)
        return newcomer

    def hire(self, model: Model | None = None) -> Worker | None:
        """A new worker; None where the system allows no more of them.  Raises `ModelError` if it allows none.

        A copy of this process has the model from the beginning, if it has been read.
        """
        if self.copies and not has_no_threads():
            self.context = multiprocessing.get_context("spawn")
        with interrupts_held():  # the worker inherits that, and keeps it
            ours, theirs = self.context.Pipe()
            given = model.agenda.loaded if model is not None and model.agenda is not None and self.copies else None
            arguments = (theirs, self.request, sys.getrecursionlimit(), given)
            process: Any = self.context.Process(target=work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            try:
                process.start()
            except OSError as error:
                if not self.workers:
                    message = f"cannot start a worker process: {error.strerror}"
                    raise wrong_value(message, "work in one process: `--jobs 1`") from error
                self.jobs = len(self.workers)
                return None
            theirs.close()
            worker = Worker(process, ours)
            self.workers.append(worker)
            if model is not None and given is not None:
                worker.model, model.started = model, model.started or time.monotonic()
        return worker

    # ---- what they say ---------------------------------------------------------------------------------------

    def _listen(self, shown: Model, progress: Progress) -> None:
        """Waits a little for what the workers say."""
        talking: dict[Any, Worker] = {worker.connection: worker for worker in self.workers if worker.busy}
        reading = [] if self.reader is None else [self.reader.fileno()]
        for connection in wait([*talking, *reading], GLANCE):
            if connection in reading:
                self._have_read(shown)
                continue
            worker = talking[connection]
            if worker not in self.workers:
                continue  # ended meanwhile: another was faster
            text = self.hear(worker)
            if text is not None and worker.model is shown:
                progress(text)
        for worker in [worker for worker in self.workers if worker.turn is not None and worker.busy]:
            if worker.model is not None and worker.model.overdue:
                self._lost(worker, self.request.overdue)
        for model in self.models:
            model.settle()

    def _have_read(self, model: Model) -> None:
        """Takes what came of reading the only model."""
        assert self.reader is not None
        reader, self.reader = self.reader, None
        match reader.result():
            case None:
                model.outcome = out_of_memory(f"{_how_it_ended(reader.end())}; the model was not read by then")
                return
            case Failure() as why:
                model.outcome = why
            case (loaded, asked):
                model.begin(loaded, asked, self.request.timeout)
        self.ending.append(reader)

    def hear(self, worker: Worker) -> str | None:
        """Takes what a worker says; the text where it says what it is doing."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(GRACE)
            self._lost(worker, _how_it_ended(worker.process.exitcode or 0))
            return None
        match message:
            case Doing(text):
                return text
            case Wanted() | Share() | Shared() | Undone():
                self.help(worker, message)
            case _:
                self._done(worker, message)
        return None

    def help(self, worker: Worker, message: Wanted | Share | Shared | Undone) -> None:
        """Finds help for a worker, takes a share of its work there, or the outcome back."""
        match message:
            case Wanted():
                helper = self._spare()
                if helper is not None:
                    helper.lend(worker)
                worker.tell(helper is not None)
            case Share():
                lent = [(one, one.lent) for one in self.workers if one.lent is not None and one.lent.whom is worker]
                if not lent:  # it died meanwhile
                    worker.tell(Undone())
                for helper, promise in lent:
                    promise.given = True
                    helper.tell(message)
            case Shared() | Undone():
                assert worker.lent is not None
                whom, worker.lent, worker.busy = worker.lent.whom, None, False
                if whom in self.workers:
                    whom.tell(message)

    def _spare(self) -> Worker | None:
        """A worker that has nothing to do; a new one where it would be there at once."""
        idle = self._idle()
        if idle or not self.copies or len(self.workers) >= self.jobs:
            return idle[0] if idle else None
        return self.hire()

    def _done(self, worker: Worker, message: Begun | Answered | Failed) -> None:
        """A worker is through with what it was at."""
        worker.busy = False
        if worker.late is not None:
            return  # another has answered, so that not even an error matters
        model = worker.model
        assert model is not None
        match message:
            case Begun(None):
                return
            case Begun((loaded, asked)):
                model.begin(loaded, asked, self.request.timeout)
                return
            case Answered(number, answer, seen):
                assert model.agenda is not None
                model.agenda.put(worker, number, answer, seen)
            case Failed(None, why):
                self._not_begun(worker, why)
            case Failed(int(number), why):
                assert model.agenda is not None
                model.agenda.fail(number)
                model.failures[number] = why
        model.settle()
        for other in self._at(model):
            if other.turn is not None and (model.agenda is None or other.turn.number not in model.agenda.open()):
                other.late = other.late or time.monotonic()  # what it is at is answered, or not asked any more

    def _lost(self, worker: Worker, reason: str) -> None:
        """A worker is gone, or has to go, without an answer."""
        if worker.lent is not None:
            self.dismiss(worker)
            return
        model = worker.model
        assert model is not None
        if worker.turn is None:
            self._not_begun(worker, out_of_memory(f"{reason}; the model was not read by then"))
        else:
            assert model.agenda is not None
            model.agenda.lose(worker, worker.turn.number, reason)
        self.dismiss(worker)

    def _not_begun(self, worker: Worker, why: Failure) -> None:
        """A worker could not begin with a model: it has no report, or has to do with those who are at it."""
        model = worker.model
        assert model is not None
        model.crowded = True
        if model.agenda is None:
            model.outcome = why
        elif not any(other is not worker for other in self._at(model)):
            for number in model.agenda.free():
                model.agenda.lose(worker, number, why.diagnostics[0].message)

    def dismiss_late(self) -> None:
        """Ends the workers that do not come to the end soon of what nobody waits for: they take the place of others."""
        for worker in list(self.workers):
            if worker.busy and worker.late is not None and time.monotonic() - worker.late > LATE:
                self.dismiss(worker)

    def let_go(self, worker: Worker) -> None:
        """Ends a worker that nobody needs any more, without waiting for it."""
        with interrupts_held():
            self._remove(worker)
            self.ending.append(worker)
            worker.process.kill()

    def dismiss(self, worker: Worker) -> None:
        """Ends a worker; what it was at is left to others."""
        with interrupts_held():
            self._remove(worker)
            worker.end()
        if worker.model is not None and worker.model.agenda is not None:
            worker.model.agenda.leave(worker)

    def _remove(self, worker: Worker) -> None:
        """A worker is not one of them any more: whom it helps must not wait, nor who was to help it."""
        self.workers.remove(worker)
        if worker.lent is not None and worker.lent.given and worker.lent.whom in self.workers:
            worker.lent.whom.tell(Undone())
        for helper in self.workers:
            if helper.lent is not None and helper.lent.whom is worker and not helper.lent.given:
                helper.lent, helper.busy = None, False


def start_method() -> str:
    """How workers start: as copies of this process where that is safe."""
    return "fork" if may_be_copied() else "spawn"


def _how_it_ended(code: int) -> str:
    """Why a process is gone, for the answer "unknown"."""
    if code == OUT_OF_MEMORY:
        return f"memory is used up; {MORE_MEMORY}"
    if code == -signal.SIGKILL:
        return f"the process that worked on it was killed, most likely because memory was used up; {MORE_MEMORY}"
    how = f"signal {-code}" if code < 0 else f"code {code}"
    return f"the process that worked on it ended with {how}"
