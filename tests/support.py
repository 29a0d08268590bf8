"""What the tests of the meaning share: verdicts by explicit search, and agreement of the two semantics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph, explore
from reconcheck.engines.fairness import CalmGraph, calm, livelocks, quiet_states
from reconcheck.engines.python_code import StateTuple, canonical, initial_states, predicate, successors
from reconcheck.model.load import load
from reconcheck.model.operator import Expectation, Goal, Operator, Scope
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Endless, LeftRange, Step
from reconcheck.semantics.system import System

TESTS = Path(__file__).resolve().parent
GOLDEN = tuple(sorted((TESTS / "golden").glob("*.rdsl")))
MODELS = tuple(
    path for path in sorted((TESTS.parent / "models").rglob("*.rdsl")) if "operator" in path.read_text().split()
)
"""The models with an operator in them; libraries of kinds have none."""

MOST_GOLDEN_STATES = 1_500

SOME_NUMBERS = (0, 1, 2, 7)

Edge = tuple[Step, StateTuple]


class Search(Struct, frozen=True):
    """The explored system of an operator in a scope."""

    system: System
    graph: StateGraph
    calm: CalmGraph

    def values(self, goal: Goal) -> list[bool]:
        """Whether a goal's formula holds, for each state."""
        holds = predicate(self.system, goal.formula)
        return [holds(state) for state in self.graph.states]

    def verdict(self, goal: Goal) -> str:
        """The answer to one question, as an `expect` line spells it."""
        values = self.values(goal)
        if goal.kind == "always":
            return "holds" if all(values) else "fails"
        if goal.kind == "reachable":
            return "reachable" if any(values) else "unreachable"
        if quiet_states(self.calm, values):
            return "quiet"
        return "livelock" if livelocks(self.calm, values) else "converges"

    def quiet_path(self, goal: Goal) -> list[Step]:
        """The steps to the nearest quiet state that violates the goal.  Raises `IndexError` if there is none."""
        path = self.graph.path(quiet_states(self.calm, self.values(goal))[0])
        return [self.system.commands[command].step for command, _ in path if command >= 0]


def search(operator: Operator, scope: Scope, states: int = MOST_GOLDEN_STATES) -> Search:
    """Explores an operator in a scope.  Raises `Exhausted` beyond that many states."""
    system = compile_system(operator, scope)
    graph = explore(system, Budget(states=states))
    return Search(system, graph, calm(graph, Budget()))


def meets(expectation: Expectation, verdict: str) -> bool:
    """Whether a verdict is what an `expect` line asks for."""
    return verdict == expectation.verdict or (expectation.verdict == "diverges" and verdict in ("quiet", "livelock"))


def scopes(operator: Operator) -> tuple[Scope, ...]:
    """The scopes a model is looked at in: with and without schedule, those of its `expect` lines, lower levels."""
    asked = (expectation.scope for expectation in operator.expectations)
    return tuple(dict.fromkeys([Scope(level=3), Scope(level=4), *asked, *map(Scope, range(3))]))


def read(path: Path) -> Operator:
    """The operator of a model file."""
    return load(path).operator


def disagreement(operator: Operator, scope: Scope, most_states: int) -> str | None:
    """Where the reference interpreter and the compiled system differ, or None.

    Both give their initial states, and their labelled steps from each reachable state, breadth first, until
    `most_states` have been compared.  Opaque values are compared up to renaming.
    """
    system = compile_system(operator, scope)
    interpreter, following, rename = Interpreter(operator, scope), successors(system), canonical(system)
    names = interpreter.names
    try:
        begun = {rename(interpreter.key(state)) for state in interpreter.initial()}
    except Endless:
        return None
    if begun != set(initial_states(system)):
        return f"initial states: {_difference(names, begun, set(initial_states(system)))}"
    todo, seen = sorted(begun, key=repr), set(begun)
    position = 0
    while position < min(len(todo), most_states):
        state = todo[position]
        position += 1
        compiled: set[Edge] | str
        reference = _interpreted(interpreter, state, rename)
        try:
            compiled = {(system.commands[command].step, after) for command, after in following(state)}
        except (LeftRange, Endless) as error:
            compiled = type(error).__name__
        if reference == Endless.__name__ and not isinstance(compiled, str):
            # a choice that is written over is none for the compiled system; then it is the same for all numbers
            reference = _interpreted(Interpreter(operator, scope, SOME_NUMBERS), state, rename)
        if reference != compiled:
            return _edge_difference(names, state, reference, compiled)
        if isinstance(compiled, str):
            continue
        for _, after in sorted(compiled, key=repr):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return None


def _interpreted(
    interpreter: Interpreter, state: StateTuple, rename: Callable[[StateTuple], StateTuple]
) -> set[Edge] | str:
    """The steps that the interpreter has in a state, or the name of the reason why it cannot list them."""
    try:
        steps = interpreter.successors(dict(zip(interpreter.names, state, strict=True)))
        return {(step, rename(interpreter.key(after))) for step, after in steps}
    except (LeftRange, Endless) as error:
        return type(error).__name__


def _shown(names: Iterable[str], state: StateTuple) -> str:
    pairs = zip(names, state, strict=True)
    return ", ".join(f"{name}={value}" for name, value in pairs if value not in (False, "idle", "none"))


def _difference(names: tuple[str, ...], reference: set[StateTuple], compiled: set[StateTuple]) -> str:
    one = next(iter(reference ^ compiled))
    return f"only {'interpreted' if one in reference else 'compiled'}: {_shown(names, one)}"


def _edge_difference(
    names: tuple[str, ...], state: StateTuple, reference: set[Edge] | str, compiled: set[Edge] | str
) -> str:
    text = f"in the state {_shown(names, state)}:\n"
    if isinstance(reference, str) or isinstance(compiled, str):
        kinds = [side if isinstance(side, str) else f"{len(side)} steps" for side in (reference, compiled)]
        return text + f"  interpreted {kinds[0]}, compiled {kinds[1]}"
    for step, after in sorted(reference ^ compiled, key=repr):
        who = "interpreted" if (step, after) in reference else "compiled"
        changed = [f"{n}: {a} -> {b}" for n, a, b in zip(names, state, after, strict=True) if a != b]
        text += f"  only {who}: {step} ({step.kind}): {', '.join(changed)}\n"
    return text
