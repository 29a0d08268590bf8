"""What a search has seen of a system: states, the steps that were followed, and how each state was reached."""

from __future__ import annotations

import itertools

from msgspec.structs import replace

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.fairness import calm, livelocks
from reconcheck.engines.lasso import shortest_lasso
from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.runs import Judge, Move, Run
from reconcheck.engines.states import States
from reconcheck.engines.stepping import Choices, Stepper


class Explored:
    """A part of a state graph.  States that differ by a renaming of opaque values are one."""

    def __init__(self, stepper: Stepper, judge: Judge) -> None:
        self.stepper, self.judge = stepper, judge
        self.states = States(judge.rename)
        self.edges: list[list[tuple[Move, int]]] = []
        """For each state, the steps that were followed."""
        self.beginnings: dict[int, Choices] = {}
        """The initial states, with their free values."""
        self._parents: list[tuple[int, Move] | None] = []
        self._written = [tuple(stepper.index[name] for name, _ in one.updates) for one in stepper.system.commands]
        """For each command, the places in a state that it may change."""

    def begin(self, choices: Choices) -> tuple[int, bool]:
        """The number of the initial state with these free values, and whether it is a new one."""
        number, new = self._add(self.stepper.first(choices), None)
        if new:
            self.beginnings[number] = choices
        return number, new

    def step(self, before: int, move: Move, state: StateTuple) -> tuple[int, bool]:
        """The number of the state after a step, and whether it is a new one."""
        number, new = self._add(state, (before, move))
        self.edges[before].append((move, number))
        return number, new

    def _add(self, state: StateTuple, parent: tuple[int, Move] | None) -> tuple[int, bool]:
        before, places = (None, ()) if parent is None else (parent[0], self._written[parent[1][0]])
        number, new = self.states.add(state, before, places)
        if new:
            self.edges.append([])
            self._parents.append(parent)
        return number, new

    def run_to(self, number: int) -> Run:
        """The run by which a state was first reached."""
        moves: list[Move] = []
        states = [self.states[number]]
        while (parent := self._parents[number]) is not None:
            number, move = parent
            moves.append(move)
            states.append(self.states[number])
        return Run(self.beginnings[number], tuple(moves[::-1]), tuple(states[::-1]))

    def round_trip(self, cycle: list[tuple[int, Move]]) -> Run:
        """The run to the first of some states, and from there by a move from each, back to it or to what is the same.

        The last move may lead to a state with other opaque values, and the moves were followed from the states known
        here: on the way, each chooses what it chose there under the names that it has by then.
        """
        way = self.run_to(cycle[0][0])
        states, moves = [way.states[-1]], list(way.moves)
        for number, (command, choices) in cycle:
            choices = self.stepper.renamed(command, choices, self.states[number], states[-1])
            after = self.stepper.take(command, states[-1], choices)
            assert after is not None, "a step that was followed is not possible"
            states.append(after)
            moves.append((command, choices))
        return Run(way.first, tuple(moves), (*way.states, *states[1:]), len(way.moves))

    def livelock(self, budget: Budget) -> tuple[Run, bool] | None:
        """The shortest run to and round a cycle that is fair by all actions of the system and not always in the goal.

        The flag says whether no shorter one can have been missed among the steps that were followed.
        """
        graph, order = self._graph()
        calm_graph = calm(graph, budget)
        truth = list(map(self.judge.holds, graph.states))
        bit = {action: 1 << index for index, action in enumerate(calm_graph.actions)}
        enabled = list(calm_graph.enabled)
        for members in livelocks(calm_graph, truth):
            for state in members:
                enabled[state] = sum(bit[action] for action in self.stepper.fair_actions(graph.states[state]))
        exact = replace(calm_graph, enabled=enabled)
        found = livelocks(exact, truth)
        lasso = shortest_lasso(exact, found, truth, budget) if found else None
        if lasso is None:
            return None
        path = [(command, order[state]) for command, state in (*lasso.stem, *lasso.loop)]
        moves = [
            next(move for move, target in self.edges[before] if target == after and move[0] == command)
            for (_, before), (command, after) in itertools.pairwise(path)
        ]
        states = tuple(self.states[number] for _, number in path)
        return Run(self.beginnings[path[0][1]], tuple(moves), states, len(lasso.stem) - 1), lasso.shortest

    def _graph(self) -> tuple[StateGraph, list[int]]:
        """What was followed as a graph in breadth-first order, and the number here of each of its states."""
        order = list(self.beginnings)
        place = {number: index for index, number in enumerate(order)}
        parents: list[tuple[int, int] | None] = [None] * len(order)
        depth = [0] * len(order)
        for number in order:
            for (command, _), target in self.edges[number]:
                if target not in place:
                    place[target] = len(order)
                    order.append(target)
                    parents.append((place[number], command))
                    depth.append(depth[place[number]] + 1)
        edges = [[(command, place[target]) for (command, _), target in self.edges[number]] for number in order]
        states = [self.states[number] for number in order]
        return StateGraph(self.stepper.system, states, edges, parents, depth, len(order)), order
