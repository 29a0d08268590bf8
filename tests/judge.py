"""The judge: verdicts by listing states with the reference interpreter, for comparison with the engines.

It follows spec/semantics.md, "Verdicts", and nothing else: it shares no code with the engines, neither how states
are listed nor how quiet states and livelocks are recognised.  It is slow, and meant for small models.

Where not everything can be listed (too many states, or `any` of an unbounded number), what it refutes is refuted
all the same: each run it looks at is one of the model.  It then says only of nothing that it holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import networkx as nx
from msgspec import Struct, field

from reconcheck.explain.trace import Trace, visible_start
from reconcheck.model import expr as e
from reconcheck.model.operator import Call, External, Goal, Object, Operator, Remember, Scope, Variable, Write
from reconcheck.model.types import IntType, OpaqueType, Value
from reconcheck.semantics.interpreter import Interpreter
from reconcheck.semantics.steps import Kind, LeftRange, Step
from reconcheck.semantics.world import Run, State

NUMBERS = (0, 1, 2, 3)
"""What `any` of an unbounded number tries; a listing that needed it is not complete."""
LASSO_NODES = 20_000
"""Nodes spent on the length of the shortest livelock; past it that length stays unknown."""

Key = tuple[Value, ...]


class Listing(Interpreter):
    """The interpreter; it notes which actions chose among infinitely many numbers, so that some are missing."""

    def __init__(self, operator: Operator, scope: Scope, numbers: Iterable[int] = NUMBERS) -> None:
        super().__init__(operator, scope, tuple(sorted(numbers)))
        self.chosen: set[Step] = set()
        self.opaque = [i for i, name in enumerate(self.names) if isinstance(self.types[name], OpaqueType)]

    def _any(self, run: Run, variable: Variable) -> Value:
        if isinstance(variable.type, IntType):
            self.chosen.add(Step(run.step.action, run.step.kind))
        return super()._any(run, variable)

    def canonical(self, state: State) -> Key:
        """The state with opaque values numbered in the order in which they come; `none` is 0."""
        values = [state[name] for name in self.names]
        order: list[Value] = [0]
        for index in self.opaque:
            if values[index] not in order:
                order.append(values[index])
            values[index] = order.index(values[index])
        return tuple(values)

    def look(self, state: State) -> tuple[list[tuple[Step, State]], frozenset[str]]:
        """All steps that can be listed, and the fair actions that are possible, or may be.  Raises `LeftRange`."""
        self.chosen.clear()
        steps = list(self.successors(state))
        fair = {step.action for step, _ in steps if step.kind is Kind.FAIR}
        return steps, frozenset(fair | {step.action for step in self.chosen if step.kind is Kind.FAIR})


class States(Struct):
    """What was listed of an operator in a scope, breadth first.

    `edges` and `possible` are there for the states that were looked at; with `complete`, that is all there are.
    """

    keys: list[Key] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    edges: list[list[tuple[Step, int]]] = field(default_factory=list)
    possible: list[frozenset[str]] = field(default_factory=list)
    complete: bool = True
    wrong: bool = False
    """Whether some step gives a variable a value outside of its type; listing ends there."""
    exact: bool = True
    """Whether no unbounded number was chosen, so that no shorter run can be missing."""


class Judgement(Struct, frozen=True):
    """The verdicts on a goal that the judge has found to be true.

    `found` gives for each way to refute a goal of `converges` or `always`, or to reach one of `reachable`, the
    length of its shortest run (of a livelock, with its loop), or None where that is not known.
    """

    goal: Goal
    found: dict[str, int | None]
    complete: bool

    @property
    def verdicts(self) -> frozenset[str]:
        """The verdicts that the program may give; empty where the judge does not know."""
        if not self.found:
            proved = {"converges": "converges", "always": "holds", "reachable": "unreachable"}[self.goal.kind]
            return frozenset({proved}) if self.complete else frozenset()
        lengths = [length for length in self.found.values() if length is not None]
        if len(lengths) < len(self.found):
            return frozenset(self.found)
        return frozenset({min(self.found, key=lambda verdict: (self.found[verdict], verdict != "quiet"))})

    @property
    def run(self) -> int | None:
        """The length of the shortest run that ends with what was found, where there is one and it is known."""
        return next((length for verdict, length in self.found.items() if verdict != "livelock"), None)

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return " or ".join(sorted(self.verdicts)) or "unknown"

    def __str__(self) -> str:
        ways = (f"{verdict} ({'?' if n is None else n} steps)" for verdict, n in sorted(self.found.items()))
        return ", ".join(ways) or self.verdict


class Judge:
    """Judges the goals of an operator in a scope."""

    def __init__(self, operator: Operator, scope: Scope, most: int) -> None:
        self.operator, self.scope = operator, scope
        self.states = list_states(Listing(operator, scope), most)
        self.names = Interpreter(operator, scope).names

    def judge(self, goal: Goal) -> Judgement:
        """What is true of a goal."""
        truth = [bool(e.evaluate(goal.formula, dict(zip(self.names, key, strict=True)))) for key in self.states.keys]
        found: dict[str, int | None] = {}
        if goal.kind == "converges":
            quiet = quiet_depth(self.states, truth)
            loops = livelocks(self.states, truth)
            if quiet is not None:
                found["quiet"] = quiet
            if loops:
                found["livelock"] = shortest_lasso(self.states, truth, loops) if self.states.complete else None
        else:
            wanted = goal.kind == "reachable"
            depths = [self.states.depth[number] for number, value in enumerate(truth) if value == wanted]
            if depths:
                found["reachable" if wanted else "fails"] = min(depths)
        if not self.states.exact:
            found = dict.fromkeys(found)
        return Judgement(goal, found, self.states.complete)


# ---- listing ---------------------------------------------------------------------------------------------------


def list_states(listing: Listing, most: int) -> States:
    """The reachable states, or the nearest ones up to about `most`."""
    states, numbers = States(), dict[Key, int]()

    def number(state: State, depth: int) -> int:
        key = listing.canonical(state)
        if key not in numbers:
            numbers[key] = len(states.keys)
            states.keys.append(key)
            states.depth.append(depth)
        return numbers[key]

    for state in listing.initial():
        number(state, 0)
    while len(states.edges) < len(states.keys) <= most:
        current = len(states.edges)
        states.exact = states.exact and not listing.chosen
        try:
            steps, possible = listing.look(dict(zip(listing.names, states.keys[current], strict=True)))
        except LeftRange:
            states.wrong = True
            states.exact = not chooses_numbers(listing.operator)
            break
        states.possible.append(possible)
        states.edges.append([(step, number(after, states.depth[current] + 1)) for step, after in steps])
    states.exact = states.exact and not listing.chosen
    states.complete = states.exact and len(states.edges) == len(states.keys)
    return states


def chooses_numbers(operator: Operator) -> bool:
    """Whether anything is set to `any` unbounded number."""
    assignments = [one for action in operator.actions for change in action.changes for one in change.assignments]
    for controller in operator.controllers:
        for instruction in controller.program.code:
            if isinstance(instruction, Write | Call | Remember):
                assignments += instruction.assignments
    holders: list[Object | External] = [*operator.objects.values(), *operator.externals.values()]
    first = [v for v in (*operator.clocks, *(v for h in holders for v in h.fields)) if v.initial is None]
    chosen = [*first, *(one.variable for one in assignments if one.value is None)]
    return any(isinstance(variable.type, IntType) for variable in chosen)


def told(model: object) -> set[int]:
    """The numbers in the expressions of a model and those beside them: comparisons with one turn out in all ways."""
    found, waiting, seen = set[int](), [model], dict[int, object]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if isinstance(part, e.Const) and isinstance(part.value, int) and not isinstance(part.value, bool):
            found |= {part.value - 1, part.value, part.value + 1}
        elif isinstance(part, tuple | list | frozenset):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, Struct):
            waiting += (getattr(part, name) for name in part.__struct_fields__)
    return found


# ---- the two ways not to converge --------------------------------------------------------------------------------


def quiet_depth(states: States, truth: list[bool]) -> int | None:
    """How many steps lead to the nearest state in which no fair action is possible and the goal is false."""
    found = [states.depth[i] for i, possible in enumerate(states.possible) if not possible and not truth[i]]
    return min(found, default=None)


def livelocks(states: States, truth: list[bool]) -> list[set[int]]:
    """The maximal strongly connected sets of calm steps in which a fair run can go without the goal for ever."""
    calm: nx.DiGraph[int] = nx.DiGraph()
    calm.add_nodes_from(range(len(states.keys)))
    calm.add_edges_from((i, after) for i, row in enumerate(states.edges) for step, after in row if step.kind.calm)
    found: list[set[int]] = []
    for members in nx.strongly_connected_components(calm):
        inner = [step for i in members if i < len(states.edges) for step, after in states.edges[i] if after in members]
        inner = [step for step in inner if step.kind.calm]
        if not inner or all(truth[i] for i in members):
            continue
        everywhere = frozenset[str].intersection(*(states.possible[i] for i in members))
        if everywhere <= {step.action for step in inner if step.kind is Kind.FAIR}:
            found.append(set(members))
    return found


def shortest_lasso(states: States, truth: list[bool], loops: list[set[int]]) -> int | None:
    """The steps to a livelock and once around its loop, as few as there can be; None where that takes too long."""
    best, left = None, LASSO_NODES
    for start, members in sorted(((i, m) for m in loops for i in m), key=lambda pair: states.depth[pair[0]]):
        before = states.depth[start]
        if best is not None and before + 1 >= best:
            break
        length, spent = _way_around(states, truth, start, members, left if best is None else best - before - 1, left)
        left -= spent
        if left <= 0:
            return None
        if length is not None:
            best = before + length
    return best


def _way_around(
    states: States, truth: list[bool], start: int, members: set[int], longest: int, most: int
) -> tuple[int | None, int]:
    """The length of the shortest fair way from a state back to it, up to `longest`, and the nodes spent on it.

    Who sets out owes a state without the goal, and each fair action that is possible.  A debt is paid by coming to
    such a state, by taking the action, or by coming to where it is not possible.
    """
    goal = "the goal"  # no action has this name
    owed = states.possible[start] | ({goal} if truth[start] else set())
    queue, seen = deque([(start, owed, 0)]), {(start, owed)}
    while queue and len(seen) < most:
        here, owed, length = queue.popleft()
        if length >= longest:
            break
        for step, after in states.edges[here]:
            if not step.kind.calm or after not in members:
                continue
            unpaid = owed & (states.possible[after] | ({goal} if truth[after] else set()))
            unpaid -= {step.action} if step.kind is Kind.FAIR else set()
            if after == start and not unpaid:
                return length + 1, len(seen)
            if (after, unpaid) not in seen:
                seen.add((after, unpaid))
                queue.append((after, unpaid, length + 1))
    return None, len(seen)


# ---- following a trace ---------------------------------------------------------------------------------------------


def objection(operator: Operator, scope: Scope, goal: Goal, trace: Trace) -> str:
    """Why a trace is not a run of the model that ends as it says; empty if it is."""
    values = [v for _, v in trace.start] + [v for row in trace.steps for c in row.changes for v in (c.old, c.new)]
    numbers = {v for v in values if isinstance(v, int) and not isinstance(v, bool)} | set(NUMBERS) | told(operator)
    listing = Listing(operator, scope, numbers | {min(numbers) - 1, max(numbers) + 1})
    runs = [[state] for state in listing.initial() if visible_start(operator, state) == trace.start]
    if not runs:
        return "no first state looks like the trace's"
    for number, row in enumerate(trace.steps, 1):
        wanted = {(change.variable, change.old, change.new) for change in row.changes}
        runs = [
            [*run, after]
            for run in runs
            for step, after in listing.look(run[-1])[0]
            if step == row.step and {(n, v, after[n]) for n, v in run[-1].items() if after[n] != v} == wanted
        ]
        if not runs:
            return f"step {number} is not possible: {row.step}"
    objections = [_end(listing, goal, trace, run) for run in runs]
    return "" if "" in objections else objections[0]


def _end(listing: Listing, goal: Goal, trace: Trace, run: list[State]) -> str:
    """Why a run does not end as the trace says; empty if it does."""
    last = run[-1]
    holds = bool(e.evaluate(goal.formula, last))
    match trace.end:
        case "violation" | "witness":
            return "" if holds == (trace.end == "witness") else f"it is no {trace.end}"
        case "quiet":
            possible = {step.action for step, _ in listing.look(last)[0] if step.kind is Kind.FAIR}
            return f"not quiet: {', '.join(sorted(possible)) or 'the goal holds'}" if holds or possible else ""
        case "livelock":
            loop = trace.loop if trace.loop is not None else len(run)
            around, taken = run[loop:], [row.step for row in trace.steps[loop:]]
            if not taken or listing.canonical(around[0]) != listing.canonical(last):
                return "the loop is not closed"
            if not all(step.kind.calm for step in taken) or all(e.evaluate(goal.formula, state) for state in around):
                return "the loop is not calm, or the goal holds all around it"
            # only what is listed: what chooses a number may change nothing, whatever the number is
            listed = [{step.action for step, _ in listing.look(state)[0] if step.kind is Kind.FAIR} for state in around]
            missing = set[str].intersection(*listed) - {step.action for step in taken if step.kind is Kind.FAIR}
            return f"the loop is not fair to {', '.join(sorted(missing))}" if missing else ""
    return f"a trace cannot end in {trace.end}"
