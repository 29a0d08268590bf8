"""The looks at a model that its diagnosis needs, by the worker processes that answered its questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from reconcheck.cli.errors import INTERNAL
from reconcheck.cli.jobs import GLANCE, Crew, Model, Worker
from reconcheck.cli.request import GRACE
from reconcheck.cli.worker import Begun, Doing, Failed, Looked, Looking
from reconcheck.diagnostic import InternalError

if TYPE_CHECKING:
    from reconcheck.explain.looks import Look, Task


class CrewHands:
    """Hands out looks at the crew's only model; up to as many workers as the crew may have are at it."""

    def __init__(self, crew: Crew, tell: Callable[[str], None]) -> None:
        self.crew, self.tell = crew, tell
        self.model: Model = crew.models[0]

    def __call__(self, tasks: Sequence[Task], seconds: Callable[[], float]) -> Iterator[Look]:
        """What comes of each task; a task whose worker dies, or runs out of time, is left out."""
        waiting = list(tasks)
        over: float | None = None
        while True:
            left = seconds()
            if left == 0.0:
                waiting.clear()
                over = time.monotonic() if over is None else over
            for worker in [one for one in self.crew.workers if not one.busy]:
                if waiting:
                    worker.give(Looking(waiting.pop(0), left))
            while waiting and len(self.crew.workers) < self.crew.jobs and self._hire():
                pass
            busy = [worker for worker in self.crew.workers if worker.busy]
            if not busy:
                return  # nothing is left, or nobody can be hired
            yield from self._listen(busy)
            if over is not None and time.monotonic() - over > GRACE:
                for worker in [one for one in self.crew.workers if one.busy]:
                    self.crew.dismiss(worker)

    def _hire(self) -> bool:
        newcomer = self.crew.hire()
        if newcomer is not None:
            self.crew.begin(newcomer, self.model)
        return newcomer is not None

    def _listen(self, busy: Sequence[Worker]) -> Iterator[Look]:
        """Waits a little for what the workers say."""
        talking = {worker.connection: worker for worker in busy}
        for connection in wait(list(talking), GLANCE):
            worker = talking[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
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
                case Failed() | Begun():
                    pass
            worker.busy = False
