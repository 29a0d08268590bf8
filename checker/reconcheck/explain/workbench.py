"""What all questions about one model share: its state graphs, the engines, the time, and what nothing passes by.

A trace is let out when the reference interpreter has replayed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from reconcheck.certify.solvers import Z3, Backend
from reconcheck.diagnostic import Diagnostic, InternalError
from reconcheck.engines.budget import MOST_STATES, Budget, Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import canonical
from reconcheck.explain.efforts import Efforts
from reconcheck.explain.listed import Listed, Listings
from reconcheck.explain.trace import Claim, DoesNotReplay, Replayer, Trace
from reconcheck.explain.verdict import Answer
from reconcheck.model import expr as e
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.proof.certificate import Checked, Refused
from reconcheck.semantics.steps import Endless, LeftRange
from reconcheck.semantics.system import System, is_exact
from reconcheck.semantics.world import State

ENGINES = frozenset({"graph", "slices", "proof", "search"})
"""The whole state graph; a few slices where that is large; proofs in parts; bounded search for traces."""
NEITHER = "neither a proof nor a run was found"
TOO_MANY = f"not all states could be listed; {NEITHER}"
"""Why an answer is unknown."""
WORTH_SLICING = 30_000
"""States of a complete graph above which a proof on slices is cheaper to check than one on the whole graph."""
DEEPEST_SEARCH = 100
"""Steps of the bounded search; it mostly ends earlier, at a time limit."""
SHARES = (4.0, 12.0, 36.0)
"""Processor seconds for each search for a counterexample, in turns with proofs, before all states are listed."""
ORDINARY = 500
"""Commands of a system up to which these are enough; a larger one has as many times more."""


class Workbench(Struct):
    """The means of answering, and what was tried for the present question."""

    operator: Operator
    listings: Listings
    budget: Budget
    engines: frozenset[str] = ENGINES
    backend: Callable[[], Backend] = Z3
    """Makes what discharges the obligations of a proof."""
    efforts: Efforts = field(default_factory=Efforts)
    thorough: bool = True
    """Whether the present answer is to be shown, and not only to be told from others."""
    looked_at: Listed | None = None
    """The graph that the present question was last looked for in."""

    def begin(self, thorough: bool) -> None:
        """Nothing has been tried yet for the next question."""
        self.looked_at, self.efforts, self.thorough = None, Efforts(), thorough

    def has(self, engine: str) -> bool:
        """Whether an engine may be used."""
        return engine in self.engines

    def tell(self, text: str) -> None:
        """Says what is done, and looks at the time.  Raises `Exhausted`."""
        self.budget.check(text)

    def share(self, seconds: float | None) -> Budget:
        """A share of the time, for an attempt that something else follows."""
        return self.budget if seconds is None else self.budget.shared(seconds)

    @property
    def over(self) -> bool:
        """Whether all time is used up, and not only a share of it."""
        return self.budget.left == 0.0

    def first_look(self, scope: Scope) -> int:
        """How many states are listed before anything else."""
        return self.listings.first_look(scope) if self.has("graph") else 0

    def listed(self, scope: Scope, states: int) -> Listed:
        """The state graph of a scope, looked for among so many states."""
        known = self.listings.found.get((scope, states))
        try:
            if known is not None or not states:
                return self.listings.listed(scope, states, self.budget)
            with self.efforts.at("state graph"):
                return self.listings.listed(scope, states, self.budget)
        finally:
            self.looked_at = self.listings.found.get((scope, states))

    # ---- runs ------------------------------------------------------------------------------------------------

    def replay(self, goal: Goal, scope: Scope, system: System, claim: Claim) -> Trace:
        """A run as the reference interpreter follows it.  Raises `DoesNotReplay`."""
        replayer = Replayer(self.operator, scope, canonical(system))
        names = dict.fromkeys(variable.name for variable in e.variables(goal.formula))

        def holds(state: State) -> bool:
            return bool(e.evaluate(goal.formula, state))

        return replayer.replay(claim, holds, names)

    def found(self, goal: Goal, scope: Scope, trace: Trace, engine: str) -> Answer:
        """The answer that a run to a state gives, to a question of `always` or `reachable`."""
        if goal.kind == "always":
            return Answer(goal, scope, "fails", "", "RC403", trace, engine=engine)
        return Answer(goal, scope, "reachable", trace=trace, engine=engine)

    def bounded(self, goal: Goal, scope: Scope, bad: e.Expr, end: str, seconds: float) -> Answer | None:
        """The shortest run to a bad state, as far as bounded search gets in its time; None where it finds none."""
        from reconcheck.engines import bounded

        system = self.listings.system(scope)
        if not self.has("search") or (end == "quiet" and not self.can_tell_rest(system)):
            return None
        try:
            with self.efforts.at("bounded search"):
                found = bounded.search(system, bad, DEEPEST_SEARCH, self.share(seconds))
        except Exhausted:
            if self.over:
                raise
            return None
        if found is None:
            self.efforts.reached("bounded search", DEEPEST_SEARCH + 1)
            return None
        names = [variable.name for variable in system.variables]
        steps = [
            (command.step if command is not None else None, tuple(state[name] for name in names))
            for command, state in found.steps
        ]
        try:
            trace = self.replay(goal, scope, system, Claim(steps, None, end, True, found.chosen))
        except DoesNotReplay:  # Z3 was asked about a condition for "nothing must happen" that is not exact
            return None
        if end == "quiet":
            return Answer(goal, scope, "quiet", "", "RC401", trace, engine="bounded search")
        return self.found(goal, scope, trace, "bounded search")

    def can_tell_rest(self, system: System) -> bool:
        """Whether searches for a state at rest are of use."""
        if _rest_is_exact(system):
            return True
        for engine in ("guided search", "bounded search"):
            self.efforts.leave_out(engine, "a fair step depends on a number that it chooses among all")
        return False

    def second_look(self, scope: Scope, listed: Listed) -> Listed | None:
        """The complete state graph, if it is not too large for a second look; it is less work than a long search."""
        states = self.listings.second_look(scope) if self.has("graph") and listed.endless is None else 0
        found = self.listed(scope, states) if states else None
        return found if found is not None and found.complete else None

    # ---- what is not answered --------------------------------------------------------------------------------

    def every_state(self, goal: Goal, scope: Scope, listed: Listed) -> Listed | Answer:
        """The complete state graph, where nothing else has helped; the answer "unknown" where there is none."""
        if listed.endless is None and self.has("graph"):
            listed = self.listed(scope, MOST_STATES)
        if listed.endless is not None:
            return self._unbounded(goal, scope, listed.endless)
        return listed if listed.complete else Answer(goal, scope, "unknown", TOO_MANY, "RC406")

    def _unbounded(self, goal: Goal, scope: Scope, endless: Endless) -> Answer:
        """The answer where a step chooses among all numbers."""
        from reconcheck.explain.unproved import choosing

        reason = f"{choosing(self.listings.system(scope), endless)}, so that not all states can be listed; {NEITHER}"
        return Answer(goal, scope, "unknown", reason, "RC407")

    def accepted(self, goal: Goal, result: Checked | Refused) -> Checked:
        """A proof that was accepted.  Where it was refused, time was short, or something is wrong in this program."""
        if isinstance(result, Checked):
            return result
        if result.gave_up:
            raise Exhausted(f"the proof was not checked: {result.obligation}: {result.reason}")
        raise InternalError("RC902", f"{goal.name}: the proof is refused: {result.obligation}: {result.reason}")

    def left_range(self, wrong: LeftRange) -> Diagnostic:
        """The mistake in the model by which a value leaves its type."""
        name = wrong.step.action.split(" ", 1)[-1]
        span = next((a.span for a in self.operator.actions if a.name == name), None)
        if span is None:
            controller = next((c for c in self.operator.controllers if c.name == name), None)
            span = controller.span if controller is not None else self.operator.span
        message = f"`{wrong.step}` can set `{wrong.variable}` to {wrong.value}, outside of its type `{wrong.type}`"
        instead = "guard the step, widen the range, or use `nat` or `int`"
        return Diagnostic("RC310", message, span, instead)


def shares(system: System) -> tuple[float, ...]:
    """Processor seconds for each attempt at one question, turn by turn."""
    return tuple(seconds * max(1.0, len(system.commands) / ORDINARY) for seconds in SHARES)


def claimed(graph: StateGraph, path: Sequence[tuple[int, int]], loop: int | None, end: str, shortest: bool) -> Claim:
    """A path in a state graph as a run that is claimed: (command number, or -1 for the first state, state number)."""
    commands = graph.system.commands
    steps = [(commands[c].step if c >= 0 else None, graph.states[state]) for c, state in path]
    return Claim(steps, loop, end, shortest)


def _rest_is_exact(system: System) -> bool:
    """Whether it can be told of every state that nothing has to happen in it any more.

    It cannot where a fair action depends on a number that it chooses among all: another number might do.
    """
    return all(is_exact(command) for command in system.commands if command.step.kind == "fair")
