"""The engines one by one, each as a function from a goal in a scope to an `Answer`.

This is the one place that knows how an engine is run alone.
"""

from __future__ import annotations

from functools import cached_property, partial

from reconcheck.engines import bounded, guided
from reconcheck.engines.budget import Budget, Exhausted
from reconcheck.engines.first_slices import first_slice
from reconcheck.engines.python_code import canonical
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer
from reconcheck.explain.verdict import Answer
from reconcheck.explain.verify import Verifier
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Loaded, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.steps import Endless, Kind
from reconcheck.semantics.system import System, is_exact
from reconcheck.semantics.world import State

SECONDS = 10.0
"""A safety net for each engine and goal; what ends by it is unknown."""
NO_RUN = "there is no run of so few steps"
"""The reason of a bounded search that went as deep as it was asked to."""
NONE_LEFT = "no counterexample is left"
"""The reason of a guided search that came to its end."""


class Contest:
    """A loaded model in a scope, with what the contestants share: nothing but what the program shares as well."""

    def __init__(self, loaded: Loaded, scope: Scope) -> None:
        self.loaded, self.scope = loaded, scope
        self.program = Verifier(loaded)

    @cached_property
    def system(self) -> System:
        """The compiled system."""
        return compile_system(self.loaded.operator, self.scope)

    def by_program(self, goal: Goal) -> Answer:
        """What the program answers with default settings.  Raises `ModelError` and `InternalError`."""
        return self.program.answer(goal, self.scope)

    def by_proof(self, goal: Goal) -> Answer:
        """Proofs in parts, each accepted by the checker; no search for traces, no whole state graph."""
        return Verifier(self.loaded, SECONDS, engines=frozenset({"proof"})).answer(goal, self.scope)

    def by_search(self, goal: Goal, depth: int) -> Answer:
        """Bounded search with Z3, up to a number of steps.  Raises `DoesNotReplay`."""
        if goal.kind == "converges":
            bad, end, verdict = bounded.quiet_without(self.system, goal.formula), "quiet", "quiet"
        elif goal.kind == "always":
            bad, end, verdict = e.negate(goal.formula), "violation", "fails"
        else:
            bad, end, verdict = goal.formula, "witness", "reachable"
        try:
            found = bounded.search(self.system, bad, depth, Budget(SECONDS))
        except Exhausted as spent:
            return Answer(goal, self.scope, "unknown", str(spent))
        if found is None:
            return Answer(goal, self.scope, "unknown", NO_RUN)
        names = [variable.name for variable in self.system.variables]
        steps = [
            (command.step if command is not None else None, tuple(state[name] for name in names))
            for command, state in found.steps
        ]
        replayer = Replayer(self.loaded.operator, self.scope, canonical(self.system))
        try:
            trace = replayer.replay(Claim(steps, None, end, True, found.chosen), partial(_holds, goal), ())
        except DoesNotReplay as wrong:
            if end != "quiet":
                raise
            return Answer(goal, self.scope, "unknown", f"a state that is not quiet was taken for one: {wrong}")
        return Answer(goal, self.scope, verdict, trace=trace)

    def by_guided(self, goal: Goal) -> Answer:
        """Guided search for a run on which a goal does not converge; it has no other questions.

        Raises `DoesNotReplay`.
        """
        commands = self.system.commands
        if not all(is_exact(command) for command in commands if command.step.kind is Kind.FAIR):
            return Answer(goal, self.scope, "unknown", "it cannot be told of every state that it is quiet")
        keep = first_slice(self.system, goal.formula)
        try:
            found = guided.search(self.system, keep, goal.formula, Budget(SECONDS))
        except (Exhausted, Endless) as spent:
            return Answer(goal, self.scope, "unknown", str(spent))
        if found is None:
            return Answer(goal, self.scope, "unknown", NONE_LEFT)
        steps = [(commands[number].step if number >= 0 else None, state) for number, state in found.path]
        verdict = "quiet" if found.loop is None else "livelock"
        replayer = Replayer(self.loaded.operator, self.scope, canonical(self.system))
        claim = Claim(steps, found.loop, verdict, found.shortest, found.chosen)
        return Answer(goal, self.scope, verdict, trace=replayer.replay(claim, partial(_holds, goal), ()))


def _holds(goal: Goal, state: State) -> bool:
    return bool(e.evaluate(goal.formula, state))
