"""A worker process: has a model at a time, and answers one question of it after the other.

It ends with its parent, however that ends, and never hears of Ctrl-C: the parent does, and ends it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconcheck.cli.helping import Helped, Share, help_with
from reconcheck.cli.machine import collect_seldom
from reconcheck.cli.request import Request, failure
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from collections.abc import Hashable

    from reconcheck.explain.agenda import Turn
    from reconcheck.explain.asked import Asked
    from reconcheck.explain.findings import Seen
    from reconcheck.explain.flows import Piece
    from reconcheck.explain.verdict import Answer
    from reconcheck.explain.verify import Verifier
    from reconcheck.model.operator import Loaded

BETWEEN = 0.2
"""Seconds between two reports of what is being done."""

OUT_OF_MEMORY = 77
"""How a worker exits that has too little memory even to say so."""


class Begin(Struct, frozen=True):
    """To a worker: the questions that follow are about this model."""

    file: Path
    loaded: Loaded | None
    """None where nobody has read it."""


class Begun(Struct, frozen=True):
    """The model is there; with what was read and what is asked of it, unless the parent knew that before."""

    read: tuple[Loaded, Asked] | None


class Doing(Struct, frozen=True):
    """What is being done."""

    text: str


class Answered(Struct, frozen=True):
    """The answer to a question, and what the complete state graphs say by then."""

    number: int
    answer: Answer
    seen: dict[Hashable, Seen]


class Given(Struct, frozen=True):
    """To a worker: a piece of work for the diagnosis of the model, within so many seconds."""

    piece: Piece
    seconds: float | None


class Done(Struct, frozen=True):
    """What came of it."""

    result: Any


class Failed(Struct, frozen=True):
    """Reading the model, or a question about it, ended with an error; `number` is None for what is no question."""

    number: int | None
    failure: Failure


def work(connection: Connection, request: Request, recursion: int, loaded: Loaded | None) -> None:
    """The main function of a worker; `recursion` is Python's limit, `loaded` the model that it has already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(recursion)
    collect_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _serve(connection, request, loaded)
    except (EOFError, OSError):
        return  # there is no parent any more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def get_ready() -> None:
    """Imports what most questions need, before there is one."""
    import reconcheck.certify.check
    import reconcheck.explain.verify
    import reconcheck.semantics.compile_reconcile  # noqa: F401
    from reconcheck.certify.solvers import load_z3

    load_z3()


def _serve(connection: Connection, request: Request, loaded: Loaded | None) -> None:
    """What comes in is a `Begin`, a `Turn`, a `Given` or a `Share`; each is answered.

    Raises `EOFError` when nothing comes any more.
    """
    tell = _Reporter(connection)

    def verifies(loaded: Loaded) -> Verifier:
        return request.verifier(loaded, tell, lambda: Helped(connection))

    verifier = None if loaded is None else verifies(loaded)
    while True:
        task = connection.recv()
        if isinstance(task, Begin):
            verifier = None  # with all that it keeps in memory
            try:
                has, asked = request.load(task.file) if task.loaded is None else (task.loaded, None)
            except Exception as error:
                connection.send(Failed(None, failure(error)))
                continue
            connection.send(Begun(None if asked is None else (has, asked)))
            verifier = verifies(has)
        elif isinstance(task, Share):
            connection.send(help_with(task))
        else:
            assert verifier is not None
            connection.send(_done(verifier, task) if isinstance(task, Given) else _answer(verifier, task))


def _answer(verifier: Verifier, turn: Turn) -> Answered | Failed:
    try:
        answer = verifier.answer(verifier.operator.goal(turn.goal), turn.scope, turn.seconds)
        return Answered(turn.number, answer, verifier.seen())
    except Exception as error:
        return Failed(turn.number, failure(error))


def _done(verifier: Verifier, given: Given) -> Done | Failed:
    try:
        return Done(given.piece.done(verifier, given.seconds))
    except Exception as error:
        return Failed(None, failure(error))


class _Reporter:
    """Tells the parent what is being done, not too often."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told = time.monotonic()

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now - self.told >= BETWEEN:
            self.told = now
            self.connection.send(Doing(text))


def _end_with_parent() -> None:
    """Ends this process as soon as its parent is gone."""
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(1)
