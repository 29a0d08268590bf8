"""A single change to a model that might mend a goal, and by which runs one can tell that it would not."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.explain.cause import Place
from reconcheck.explain.diagnosis import Edit
from reconcheck.explain.reenacting import Script


class Candidate(Struct, frozen=True):
    """One edit of a repair, which may change the text at several places.

    It can make no difference to a run in which none of what it is about happens: no change of `targets`, no
    outcome on `outcomes`, no failure on `failures`.  Lines are those of the model as it stands.
    """

    key: str
    """Its name among all candidates."""
    title: str
    edits: tuple[Edit, ...]
    places: tuple[Place, ...]
    targets: frozenset[str] = frozenset()
    """Objects and externals of which more events come through."""
    outcomes: frozenset[int] = frozenset()
    failures: frozenset[int] = frozenset()
    errors: bool = False
    """Whether it is about every error."""
    covers: frozenset[str] = frozenset()
    """Candidates that do the same with less, by key; where one of them is enough, this one is too much."""
    rules: tuple[str, ...] = ()
    """The requeue rules that it brings."""
    alone: bool = False
    """Whether it is of no use beside others: what wakes less makes up for nothing that they bring."""


class Happened(Struct, frozen=True):
    """What happened in a run, as far as it matters to candidates."""

    changed: frozenset[str]
    """Objects and externals that changed."""
    outcomes: frozenset[int]
    """Lines of the outcomes of reconciles."""
    failures: frozenset[int]
    """Lines of the requests that failed."""
    errors: bool
    """Whether a reconcile ended with an error."""
    restarts: bool
    """Whether a watch was listed anew, which tells of objects that do not change."""
    script: Script | None = None
    """How the run began, to try it elsewhere."""

    def touched_by(self, candidate: Candidate) -> bool:
        """Whether the run could be another one with the candidate."""
        return bool(
            candidate.targets & self.changed
            or (candidate.targets and self.restarts)
            or candidate.outcomes & self.outcomes
            or candidate.failures & self.failures
            or (candidate.errors and self.errors)
        )
