"""Obligations of one proof, half of them by another worker that has nothing else to do."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection

from msgspec import Struct

from reconcheck.certify.solvers import Z3, Failure

WORTH_SHARING = 16
"""Obligations from which on it pays to send half of them to somebody else."""


class Wanted(Struct, frozen=True):
    """From a worker: it could do with help.  The answer is whether there is any, who waits for a `Share` then."""


class Share(Struct, frozen=True):
    """To another worker: the terms that it is to refute under the declarations, with so many seconds for each."""

    declared: str
    terms: tuple[str, ...]
    seconds: float | None


class Shared(Struct, frozen=True):
    """What came of a share: the first term that was not refuted, or None where all of them were."""

    failure: Failure | None


class Undone(Struct, frozen=True):
    """Nothing came of a share, since the helper failed: who sent it has to do it."""


class Helped(Z3):
    """Z3, which lets another worker do every other obligation; the answers are those that it would give alone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def refute(self, declared: str, terms: Sequence[str], seconds: float | None) -> Failure | None:
        """None where each term alone is unsatisfiable under the declarations."""
        if len(terms) < WORTH_SHARING or not self._is_helped():
            return super().refute(declared, terms, seconds)
        self._connection.send(Share(declared, tuple(terms[1::2]), seconds))
        try:
            own = super().refute(declared, terms[::2], seconds)
        finally:  # so that what comes next on the connection is not taken for this
            shared: Shared | Undone = self._connection.recv()
        if isinstance(shared, Undone):
            shared = Shared(super().refute(declared, terms[1::2], seconds))
        found = [] if own is None else [Failure(2 * own.number, own.reason)]
        found += [] if shared.failure is None else [Failure(2 * shared.failure.number + 1, shared.failure.reason)]
        return min(found, default=None)

    def _is_helped(self) -> bool:
        self._connection.send(Wanted())
        return bool(self._connection.recv())


def help_with(share: Share) -> Shared | Undone:
    """Does a share for somebody else."""
    try:
        return Shared(Z3().refute(share.declared, share.terms, share.seconds))
    except Exception:
        return Undone()
