"""Reads a model in a copy of this process, while this one imports what answering its questions takes."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconcheck.cli.request import Request, failure
from reconcheck.explain.run import Failure

if TYPE_CHECKING:
    from reconcheck.explain.asked import Asked
    from reconcheck.model.operator import Loaded


class Reader:
    """A process that reads one model, and ends."""

    def __init__(self, request: Request, file: Path) -> None:
        """Starts it.  Raises `OSError` where the system allows no more processes."""
        ours, theirs = os.pipe()
        self._pipe = os.fdopen(ours, "rb")
        self._code: int | None = None
        try:
            with interrupts_held():  # the other process inherits that, and keeps it
                self._process = os.fork()
                if self._process == 0:
                    self._pipe.close()  # else it would wait for itself to read, once its parent is gone
                    _read(request, file, theirs)
        except OSError:
            self._pipe.close()
            raise
        finally:
            os.close(theirs)

    def fileno(self) -> int:
        """What can be waited for until the model is read."""
        return self._pipe.fileno()

    def result(self) -> tuple[Loaded, Asked] | Failure | None:
        """What was read, or why not; None where the process ended without a word."""
        with suppress(EOFError, pickle.UnpicklingError):
            found: tuple[Loaded, Asked] | Failure = pickle.load(self._pipe)
            return found
        return None

    def end(self) -> int:
        """Ends the process, and waits until it is gone; how it ended, as `multiprocessing` says it."""
        if self._code is None:
            os.kill(self._process, signal.SIGKILL)
            self._pipe.close()
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        return self._code


def _read(request: Request, file: Path, pipe: int) -> NoReturn:
    """The other process: never hears of Ctrl-C, and has nothing to put in order when it ends."""
    try:
        try:
            result: tuple[Loaded, Asked] | Failure = request.load(file)
        except Exception as error:
            result = failure(error)
        with os.fdopen(pipe, "wb") as out:
            pickle.dump(result, out, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def begin_reading(files: Sequence[Path], request: Request) -> Reader | None:
    """Begins to read the only model; None where there are more, or where this process is not to be copied."""
    if len(files) != 1 or not may_be_copied():
        return None
    with suppress(OSError):  # who needs it has to read it
        return Reader(request, files[0])
    return None


def may_be_copied() -> bool:
    """Whether this process can be copied, and nobody else may have used Z3 in it."""
    return sys.platform == "linux" and "z3" not in sys.modules and has_no_threads()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Puts Ctrl-C off, so that no process is started or ended by halves."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def has_no_threads() -> bool:
    """Whether this process has no threads: Python's, or those that Z3 begins when it is asked something."""
    from reconcheck.certify.solvers import Z3

    return not Z3.used and threading.active_count() == 1
