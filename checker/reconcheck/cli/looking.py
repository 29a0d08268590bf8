"""The work that the diagnosis of a model needs, by the worker processes that answered its questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from reconcheck.cli.errors import INTERNAL
from reconcheck.cli.helping import Share, Shared, Undone, Wanted
from reconcheck.cli.jobs import GLANCE, Crew, Model, Worker
from reconcheck.cli.request import GRACE
from reconcheck.cli.worker import Begun, Doing, Done, Failed, Given
from reconcheck.diagnostic import InternalError
from reconcheck.explain.flows import Board

if TYPE_CHECKING:
    from reconcheck.explain.flows import Flow, Seconds, Ticket


class CrewHands:
    """Hands out the work on one model of a crew; up to as many workers as the crew may have are at it.

    Others of the crew may be at another model meanwhile; what they say is kept for it.
    """

    def __init__(self, crew: Crew, model: Model, tell: Callable[[str], None]) -> None:
        self.crew, self.model, self.tell = crew, model, tell
        self.began = time.monotonic()
        self.begun = {worker for worker in crew.workers if worker.model is model and not worker.busy}
        """The workers that have the model."""
        self.at: dict[Worker, Ticket] = {}
        self.lives = True
        """Whether none of the workers ended before it had begun: others could not either."""

    def __call__(self, flows: Sequence[Flow], seconds: Seconds) -> tuple[Any, ...]:
        """What the flows are for; a piece whose worker dies, or runs out of time, is not done."""
        board = Board(flows)
        over: float | None = None
        while not board.ended:
            left = seconds()
            if left == 0.0:
                over = time.monotonic() if over is None else over
            if left == 0.0 or not self.lives:
                board.give_up()
            self._hand_out(board, left)
            mine = {*self._ours(), *(worker for worker in self.crew.workers if worker.lent is not None)}
            busy = [worker for worker in self.crew.workers if worker.busy and (board.waiting or worker in mine)]
            if busy:
                self._listen(busy, board)
            else:  # nobody can be hired
                board.give_up()
            if over is not None and time.monotonic() - over > GRACE:
                for worker in [one for one in self._ours() if one.busy]:
                    self.crew.dismiss(worker)
            for worker in self.at.keys() - set(self.crew.workers):
                board.put(self.at.pop(worker), None)
        return board.results

    def _ours(self) -> list[Worker]:
        return [worker for worker in self.crew.workers if worker.model is self.model]

    def _hand_out(self, board: Board, left: float | None) -> None:
        """Gives everybody who is idle something to do, and begins with more where they are of use."""
        self.crew.dismiss_late()
        for worker in [one for one in self._ours() if not one.busy]:
            if (ticket := board.take()) is not None:
                self.at[worker] = ticket
                worker.give(Given(ticket.piece, left))
        for worker in [one for one in self.crew.workers if not one.busy and one.model is not self.model]:
            if board.waiting and len(self._ours()) < self._wanted():
                self.begun.discard(worker)
                self.crew.begin(worker, self.model)
        while board.waiting and len(self.crew.workers) < self._wanted() and self._hire():
            pass

    def _wanted(self) -> int:
        """How many workers are of use: starting another takes too long where the diagnosis is short."""
        return self.crew.jobs if time.monotonic() - self.began >= self.crew.patience else 1

    def _hire(self) -> bool:
        newcomer = self.crew.join(self.model)
        if newcomer is not None and not newcomer.busy:
            self.begun.add(newcomer)
        return newcomer is not None

    def _listen(self, busy: Sequence[Worker], board: Board) -> None:
        """Waits a little for what the workers say."""
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
                self.lives = self.lives and worker in self.begun
                self.crew.dismiss(worker)
                continue
            match message:
                case Doing(text):
                    self.tell(text)
                    continue
                case Wanted() | Share() | Shared() | Undone():
                    self.crew.help(worker, message)
                    continue
                case _ if worker.late is not None:
                    pass
                case Done(result):
                    board.put(self.at.pop(worker), result)
                case Failed(_, why) if why.exit_code == INTERNAL:
                    raise InternalError(why.diagnostics[0].code, why.diagnostics[0].message)
                case Begun():
                    self.begun.add(worker)
                case Failed():
                    self.lives = self.lives and worker in self.begun
                    if worker in self.at:
                        board.put(self.at.pop(worker), None)
            worker.busy = False
