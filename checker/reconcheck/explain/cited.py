"""What models cite, and how much of it is there: the answer of `reconcheck sources`, which the formats render."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from reconcheck.diagnostic import Diagnostic
from reconcheck.syntax.citation import Citation


class State(StrEnum):
    """What became of a citation."""

    LISTED = "listed"
    """Nobody asked for it to be looked up."""
    THERE = "there"
    WRONG = "wrong"
    NOT_LOOKED_UP = "not looked up"
    """There is no clone of its repository."""


class Looked(Struct, frozen=True):
    """A citation, and what is wrong with it."""

    citation: Citation
    state: State
    problem: Diagnostic | None = None


class ModelSources(Struct, frozen=True):
    """The citations of one model, in the order of its text."""

    file: str
    text: str
    repository: str | None
    """The address that the model names as its source."""
    folder: str | None
    """The clone that was read."""
    citations: tuple[Looked, ...]
    missing: Diagnostic | None = None
    """Why nothing could be looked up."""

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Everything that is wrong."""
        found = [one.problem for one in self.citations if one.problem is not None]
        return tuple(found if self.missing is None else [self.missing, *found])


class Counted(Struct, frozen=True):
    """How many citations there are, and how many of them are what."""

    models: int
    repositories: int
    commits: int
    citations: int
    named: int
    there: int
    wrong: int
    not_looked_up: int


class SourcesReport(Struct, frozen=True):
    """What models cite.  `revision` is where it should still be so; `checked` says whether it was looked up."""

    models: tuple[ModelSources, ...]
    checked: bool
    revision: str | None = None

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Everything that is wrong, in the order of the models."""
        return tuple(problem for model in self.models for problem in model.problems)

    def counted(self, among: Callable[[ModelSources, Citation], bool] = lambda model, citation: True) -> Counted:
        """The numbers of all citations, or of those that `among` picks."""
        picked = [(model, one) for model in self.models for one in model.citations if among(model, one.citation)]
        states = [one.state for _, one in picked]
        return Counted(
            models=len({model.file for model, _ in picked}),
            repositories=len({model.repository for model, _ in picked if model.repository is not None}),
            commits=len({(model.repository, one.citation.commit) for model, one in picked if one.citation.commit}),
            citations=len(picked),
            named=sum(1 for _, one in picked if one.citation.place is not None and one.citation.place.symbol),
            there=states.count(State.THERE),
            wrong=states.count(State.WRONG),
            not_looked_up=states.count(State.NOT_LOOKED_UP),
        )
