"""What a proof claims, looked at on the explicit state graph, without a solver.

The checker asks about every state of the right types; here only the reachable ones are looked at.  So a proof
that the checker accepts holds here too, and one that does not hold here must be refused.
"""

from __future__ import annotations

from reconcheck.model import expr as e
from reconcheck.model.types import Value
from reconcheck.proof.certificate import Column, Invariant, Measure, Part, Places, Proof, Rests, Settles
from reconcheck.proof.diagram import Diagram
from support import Search

Edge = tuple[int, int, int]
"""State number, command number, state number."""


class Wrong(Exception):
    """The proof does not hold on the graph; the message says where."""


def holds_on_graph(search: Search, proof: Proof | Invariant) -> None:
    """Raises `Wrong` where a proof does not hold of the reachable states."""
    judge = _Judge(search)
    if isinstance(proof, Invariant):
        judge.ranks(proof.columns, proof.diagram, 1)
        judge.everywhere(proof.formula, "the property")
        return
    for clause in proof.clauses:
        judge.everywhere(clause, "a clause")
    for part in proof.parts:
        judge.part(part)
    judge.conclude(proof.goal)


class _Judge:
    """The states and the calm steps that are left, while the parts of a proof are gone through."""

    def __init__(self, search: Search) -> None:
        self.graph, self.commands = search.graph, search.system.commands
        names = [variable.name for variable in search.system.variables]
        self.states: list[dict[str, Value]] = [dict(zip(names, state, strict=True)) for state in self.graph.states]
        self.steps: list[Edge] = [
            (here, command, there)
            for here, row in enumerate(self.graph.edges)
            for command, there in row
            if self.commands[command].step.kind.calm
        ]
        self.possible = [
            {self.commands[command].step.action for command, _ in row if self.commands[command].step.kind == "fair"}
            for row in self.graph.edges
        ]
        self.late = list(range(len(self.states)))
        """The states in which everything that has settled so far holds."""
        self.resting = False

    def truth(self, formula: e.Expr, state: int) -> bool:
        return bool(e.evaluate(formula, self.states[state]))

    def everywhere(self, formula: e.Expr, what: str) -> None:
        for number in range(len(self.states)):
            if not self.truth(formula, number):
                raise Wrong(f"{what} is false in state {number}: {e.show(formula)}")

    def settle(self, formula: e.Expr) -> None:
        self.late = [state for state in self.late if self.truth(formula, state)]
        late = set(self.late)
        self.steps = [step for step in self.steps if step[0] in late and step[2] in late]

    def ranks(self, columns: tuple[Column, ...], diagram: Diagram, ranks: int) -> list[int]:
        found = [diagram.rank([self.shown(column, state) for column in columns]) for state in range(len(self.states))]
        if not all(0 <= rank < ranks for rank in found):
            raise Wrong("a reachable state has no rank")
        return found

    def shown(self, column: Column, state: int) -> Value:
        value = e.evaluate(column.term, self.states[state])
        return dict(column.regions)[str(value)] if column.regions else value

    def part(self, part: Part) -> None:
        match part:
            case Measure():
                self.measure(part)
            case Settles():
                self.settles(part)
            case Rests():
                self.rests(part)

    # ---- measures --------------------------------------------------------------------------------------------

    def measure(self, measure: Measure) -> None:
        amounts = [self.amount(measure, state) for state in range(len(self.states))]
        if any(amounts[state] < 0 for state in self.late):
            raise Wrong(f"below 0: {measure}")
        for here, command, there in self.steps:
            if amounts[there] > amounts[here]:
                raise Wrong(f"{self.commands[command].step} raises {measure}")
        if measure.action is not None:
            for state in self.late:
                if amounts[state] and measure.action not in self.possible[state]:
                    raise Wrong(f"{measure.action} is not possible: {measure}")
            for here, command, there in self.steps:
                if self.takes(command, measure.action) and amounts[here] and amounts[there] >= amounts[here]:
                    raise Wrong(f"{measure.action} does not lower {measure}")
            self.settle(measure.zero)
        self.steps = [step for step in self.steps if amounts[step[0]] == amounts[step[2]]]

    def amount(self, measure: Measure, state: int) -> int:
        if not self.truth(measure.condition, state):
            return 0
        if isinstance(measure.amount, Places):
            return self.way(measure.amount, state)
        return int(e.evaluate(measure.amount, self.states[state]))

    def way(self, places: Places, state: int) -> int:
        return places.at(str(self.states[state][places.variable.name]))

    def takes(self, command: int, action: str) -> bool:
        step = self.commands[command].step
        return step.kind == "fair" and step.action == action

    # ---- diagrams --------------------------------------------------------------------------------------------

    def settles(self, part: Settles) -> None:
        ranks = self.ranks(part.columns, part.diagram, len(part.helpful))
        for here, command, there in self.steps:
            if ranks[there] > ranks[here]:
                raise Wrong(f"{self.commands[command].step} raises the rank")
        for state in self.late:
            action = part.helpful[ranks[state]]
            if action is None and not self.truth(part.goal, state):
                raise Wrong(f"nothing helps at rank {ranks[state]}, and the goal is false in state {state}")
            if action is not None and action not in self.possible[state]:
                raise Wrong(f"{action} is not possible in state {state}")
        for here, command, there in self.steps:
            action = part.helpful[ranks[here]]
            if action is None or ranks[there] < ranks[here]:
                continue
            ways = [way for way in part.ways if action == f"reconcile {way.variable.name[3:-1]}"][:1]
            nearer = any(self.way(way, there) < self.way(way, here) for way in ways)
            farther = any(self.way(way, there) > self.way(way, here) for way in ways)
            if farther or (self.takes(command, action) and not nearer):
                raise Wrong(f"{self.commands[command].step} keeps the rank")
        self.settle(part.goal)

    def rests(self, part: Rests) -> None:
        self.ranks(part.columns, part.diagram, 1)
        if self.steps:
            raise Wrong(f"{self.commands[self.steps[0][1]].step} may be taken again and again")
        self.late = [state for state in self.late if not self.possible[state]]
        for state in self.late:
            if not self.truth(part.goal, state):
                raise Wrong(f"the goal is false at rest in state {state}")

    def conclude(self, goal: e.Expr) -> None:
        for state in self.late:
            if not self.truth(goal, state):
                raise Wrong(f"the parts do not give the goal in state {state}")
