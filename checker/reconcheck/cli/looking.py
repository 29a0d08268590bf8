"""The looks at a model that its diagnosis needs, by the worker processes that answered its questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from reconcheck.cli.errors import INTERNAL
from reconcheck.cli.jobs import GLANCE, PATIENCE, Crew, Model, Worker
from reconcheck.cli.request import GRACE
from reconcheck.cli.worker import Begun, Doing, Failed, Looked, Looking
from reconcheck.diagnostic import InternalError

if TYPE_CHECKING:
    from reconcheck.explain.looks import Look, Task


class CrewHands:
    """Hands out looks at one model of a crew; up to as many workers as the crew may have are at it.

    Others of the crew may be at another model meanwhile; what they say is kept for it.
    """

    def __init__(self, crew: Crew, model: Model, tell: Callable[[str], None]) -> None:
        self.crew, self.model, self.tell = crew, model, tell
        self.began = time.monotonic()
        self.begun = {worker for worker in crew.workers if worker.model is model and not worker.busy}
        """The workers that have the model."""

    def __call__(self, tasks: Sequence[Task], seconds: Callable[[], float]) -> Iterator[Look]:
        """What comes of each task; a task whose worker dies, or runs out of time, is left out."""
        waiting = list(tasks)
        over: float | None = None
        while True:
            left = seconds()
            if left == 0.0:
                waiting.clear()
                over = time.monotonic() if over is None else over
            self._hand_out(waiting, left)
            busy = [worker for worker in self.crew.workers if worker.busy and (waiting or worker in self._ours())]
            if not busy:
                return  # nothing is left, or nobody can be hired
            if not (yield from self._listen(busy)):
                waiting.clear()  # who cannot even begin would be followed by others who cannot
            if over is not None and time.monotonic() - over > GRACE:
                for worker in [one for one in self._ours() if one.busy]:
                    self.crew.dismiss(worker)

    def _ours(self) -> list[Worker]:
        return [worker for worker in self.crew.workers if worker.model is self.model]

    def _hand_out(self, waiting: list[Task], left: float) -> None:
        """Gives everybody who is idle something to do, and begins with more where they are of use."""
        for worker in [one for one in self._ours() if not one.busy]:
            if waiting:
                worker.give(Looking(waiting.pop(0), left))
        for worker in [one for one in self.crew.workers if not one.busy and one.model is not self.model]:
            if waiting and len(self._ours()) < self._wanted():
                self.begun.discard(worker)
                self.crew.begin(worker, self.model)
        while waiting and len(self.crew.workers) < self._wanted() and self._hire():
            pass

    def _wanted(self) -> int:
        """How many workers are of use: starting another takes too long where the diagnosis is short."""
        return self.crew.jobs if time.monotonic() - self.began > PATIENCE else 1

    def _hire(self) -> bool:
        newcomer = self.crew.hire()
        if newcomer is not None:
            self.crew.begin(newcomer, self.model)
        return newcomer is not None

    def _listen(self, busy: Sequence[Worker]) -> Generator[Look, None, bool]:
        """Waits a little for what the workers say; false where one ended before it had begun."""
        lives = True
        talking = {worker.connection: worker for worker in busy}
        for connection in wait(list(talking), GLANCE):
            worker = talking[connection]  # type: ignore[index]
            if worker not in self.crew.workers:
                continue  # ended meanwhile
            if worker.model is not self.model:
                self.crew.hear(worker)
                continue
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                lives = lives and worker in self.begun
                self.crew.dismiss(worker)
                continue
            match message:
                case Doing(text):
                    self.tell(text)
                    continue
                case Looked(look):
                    yield look
                case Failed(_, why) if why.exit_code == INTERNAL:
                    raise InternalError(why.diagnostics[0].code, why.diagnostics[0].message)
                case Begun():
                    self.begun.add(worker)
                case Failed():
                    lives = lives and worker in self.begun
            worker.busy = False
        return lives
