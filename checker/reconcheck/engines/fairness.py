"""What a state graph says about convergence: quiet states, livelocks, or an order in which the goal comes.

Under weak fairness a calm run violates `<>[] goal` in two ways only: it ends in a state where no fair step is
possible and the goal is false, or it stays in a strongly connected set of calm steps that has a state where
the goal is false and in which every fair action is somewhere impossible or somewhere taken.  The maximal
components suffice (spec/semantics.md, "Verdicts").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph


@dataclass(frozen=True)
class CalmGraph:
    """The calm steps of a state graph, with what fairness needs to know."""

    graph: StateGraph
    actions: tuple[str, ...]
    edges: list[list[tuple[int, int]]]
    """For each state, (action number or -1 for noise, state number)."""
    enabled: list[int]
    """For each state, the fair actions possible in it, as a bit set."""
    component: list[int]
    """For each state, the number of its component; a component's successors have smaller numbers."""
    components: list[list[int]]

    @cached_property
    def fair(self) -> dict[int, list[int]]:
        """The components, by number, in which a fair run can stay: no fair action is always open and never taken."""
        return {number: members for number, members in enumerate(self.components) if self._stays(number, members)}

    def _stays(self, number: int, members: list[int]) -> bool:
        if len(members) == 1:
            inside = [action for action, target in self.edges[members[0]] if target == members[0]]
        else:
            component = self.component
            inside = [a for state in members for a, target in self.edges[state] if component[target] == number]
        if not inside:
            return False
        always, taken = -1, 0
        for state in members:
            always &= self.enabled[state]
        for action in inside:
            if action >= 0:
                taken |= 1 << action
        return always & ~taken == 0


def calm(graph: StateGraph, budget: Budget) -> CalmGraph:
    """The calm part of a state graph with its strongly connected components."""
    actions = graph.system.actions()
    number = {action: index for index, action in enumerate(actions)}
    of_command: dict[int, int] = {}
    for index, command in enumerate(graph.system.commands):
        kind = command.step.kind
        if kind.calm:
            of_command[index] = number[command.step.action] if kind == "fair" else -1
    edges: list[list[tuple[int, int]]] = []
    enabled: list[int] = []
    for row in graph.edges:
        calm_row = [(of_command[command], target) for command, target in row if command in of_command]
        bits = 0
        for action, _ in calm_row:
            if action >= 0:
                bits |= 1 << action
        edges.append(calm_row)
        enabled.append(bits)
    component, components = strongly_connected(edges, budget)
    return CalmGraph(graph, actions, edges, enabled, component, components)


def strongly_connected(edges: list[list[tuple[int, int]]], budget: Budget) -> tuple[list[int], list[list[int]]]:
    """Tarjan's strongly connected components, without recursion; successors come first."""
    count = len(edges)
    index = [0] * count
    low = [0] * count
    component = [-1] * count
    components: list[list[int]] = []
    stack: list[int] = []
    clock = 0
    for root in range(count):
        if index[root]:
            continue
        clock += 1
        index[root] = low[root] = clock
        stack.append(root)
        work = [(root, iter(edges[root]))]
        while work:
            node, onward = work[-1]
            for _, target in onward:
                if not index[target]:
                    clock += 1
                    if clock % 65536 == 0:
                        budget.check("looking for cycles")
                    index[target] = low[target] = clock
                    stack.append(target)
                    work.append((target, iter(edges[target])))
                    break
                if component[target] < 0 and index[target] < low[node]:
                    low[node] = index[target]
            else:
                work.pop()
                lowest = low[node]
                if lowest == index[node]:
                    number = len(components)
                    members: list[int] = []
                    while True:
                        member = stack.pop()
                        component[member] = number
                        members.append(member)
                        if member == node:
                            break
                    components.append(members)
                if work and lowest < low[work[-1][0]]:
                    low[work[-1][0]] = lowest
    return component, components


def quiet_states(calm_graph: CalmGraph, goal: list[bool]) -> list[int]:
    """The states in which nothing must happen any more and the goal is false, the nearest first."""
    return [state for state, bits in enumerate(calm_graph.enabled) if not bits and not goal[state]]


def livelocks(calm_graph: CalmGraph, goal: list[bool]) -> list[list[int]]:
    """The components in which a fair run can stay for ever without settling on the goal."""
    return [members for members in calm_graph.fair.values() if not all(goal[state] for state in members)]


@dataclass(frozen=True)
class Ranking:
    """A proof that the goal comes and stays: a rank for each state, and why each rank is left.

    No calm step raises the rank.  `helpful[rank]` is None where the goal holds in every state of that rank,
    else the fair action that is possible in each of its states and lowers the rank.
    """

    ranks: list[int]
    helpful: tuple[str | None, ...]


def rank(calm_graph: CalmGraph, goal: list[bool]) -> Ranking:
    """The ranking of a graph without quiet states and livelocks (Manna and Pnueli's response under justice).

    Components are taken in the order in which their successors come first; each gets the lowest rank that
    its successors and its helpful action allow.  Ranks cycle through the actions, so that few are needed.
    """
    cycle = [-1, *range(len(calm_graph.actions))]
    component_rank: list[int] = []
    for number, members in enumerate(calm_graph.components):
        lowest = 0
        leaving: dict[int, int] = {}
        staying = 0
        for state in members:
            for action, target in calm_graph.edges[state]:
                other = calm_graph.component[target]
                if other == number:
                    if action >= 0:
                        staying |= 1 << action
                    continue
                lowest = max(lowest, component_rank[other])
                if action >= 0:
                    leaving[action] = max(leaving.get(action, -1), component_rank[other])
        always = -1
        for state in members:
            always &= calm_graph.enabled[state]
        holds = all(goal[state] for state in members)
        candidate = lowest
        while True:
            action = cycle[candidate % len(cycle)]
            if action < 0:
                if holds:
                    break
            elif always >> action & 1 and not staying >> action & 1 and leaving.get(action, -1) < candidate:
                break
            candidate += 1
            if candidate > lowest + 2 * len(cycle):
                raise AssertionError("no helpful action: the graph has a quiet state or a livelock")
        component_rank.append(candidate)
    used = sorted(set(component_rank))
    compact = {value: position for position, value in enumerate(used)}
    helpful = tuple(
        None if cycle[value % len(cycle)] < 0 else calm_graph.actions[cycle[value % len(cycle)]] for value in used
    )
    ranks = [compact[component_rank[number]] for number in calm_graph.component]
    return Ranking(ranks, helpful)
