"""What is asked of a model."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.model.operator import Operator, Scope


class Asked(Struct, frozen=True):
    """What is asked of a model: goals in a scope, and the expectations about them, in every scope or in this one."""

    scope: Scope
    goals: frozenset[str] | None = None
    """Names; None for all goals."""
    every_scope: bool = True
    also: tuple[Scope, ...] = ()
    """Further scopes to ask about the same goals in."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes in which all goals are asked about, each once."""
        return tuple(dict.fromkeys([self.scope, *self.also]))

    def wants(self, goal: str) -> bool:
        """Whether a goal is asked about."""
        return self.goals is None or goal in self.goals


def questions(operator: Operator, asked: Asked) -> tuple[tuple[str, Scope], ...]:
    """Goal and scope of everything that is asked, each once: the goals in their scope, then the expectations."""
    own = [(goal.name, scope) for scope in asked.scopes for goal in operator.goals if asked.wants(goal.name)]
    expected = [
        (expectation.goal, expectation.scope)
        for expectation in operator.expectations
        if asked.wants(expectation.goal) and (asked.every_scope or expectation.scope == asked.scope)
    ]
    return tuple(dict.fromkeys([*own, *expected]))
