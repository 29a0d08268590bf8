"""What a state graph says about convergence: quiet states, livelocks, or an order in which the goal comes.

Under weak fairness a calm run violates `<>[] goal` in two ways only: it ends in a state where no fair step is
possible and the goal is false, or it stays in a strongly connected set of calm steps that has a state where
the goal is false and in which every fair action is somewhere impossible or somewhere taken.  The maximal
components suffice (spec/semantics.md, "Verdicts").
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from reconcheck.engines.budget import Budget
from reconcheck.engines.explicit import StateGraph


class CalmGraph(Struct, frozen=True, dict=True):
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
    ending: frozenset[str] = frozenset()
    """The actions that come to an end, whatever they lead to, such as the steps of a reconcile, as far as is known."""

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
            if action >= 0 and self.actions[action] not in self.ending:
                taken |= 1 << action
        return always & ~taken == 0

    @cached_property
    def onward(self) -> list[tuple[int, ...]]:
        """For each component, the others to which a step leads."""
        component = self.component
        found: list[tuple[int, ...]] = []
        for number, members in enumerate(self.components):
            targets = {component[target] for state in members for _, target in self.edges[state]}
            found.append(tuple(targets - {number}))
        return found

    @cached_property
    def exits(self) -> list[dict[int, tuple[int, ...]]]:
        """For each component, the fair actions that are possible throughout and must leave it, with where they lead.

        Of one that comes to an end by itself it does not matter where its steps lead.
        """
        component = self.component
        ending = {number for number, action in enumerate(self.actions) if action in self.ending}
        found: list[dict[int, tuple[int, ...]]] = []
        for number, members in enumerate(self.components):
            always = -1
            for state in members:
                always &= self.enabled[state]
            exits: dict[int, set[int]] = {action: set() for action in range(len(self.actions)) if always >> action & 1}
            for state in members:
                for action, target in self.edges[state]:
                    if action in exits and action not in ending:
                        exits[action].add(component[target])
            found.append({action: tuple(to) for action, to in exits.items() if number not in to})
        return found


def calm(graph: StateGraph, budget: Budget, ending: frozenset[str] = frozenset()) -> CalmGraph:
    """The calm part of a state graph with its strongly connected components; a proof needs what is `ending`, too."""
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
    return CalmGraph(graph, actions, edges, enabled, component, components, ending)


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


class Ranking(Struct, frozen=True):
    """A proof that the goal comes and stays: a rank for each state, and why each rank is left.

    No calm step raises the rank.  `helpful[rank]` is None where the goal holds in every state of that rank,
    else the fair action that is possible in each of its states and lowers the rank, or is one that must end.
    """

    ranks: list[int]
    helpful: tuple[str | None, ...]


def rank(calm_graph: CalmGraph, goal: list[bool]) -> Ranking:
    """The ranking of a graph without quiet states and livelocks (Manna and Pnueli's response under justice).

    Few ranks make a small proof.  So each rank goes to the goal, or to the action, that takes the most components
    out of those that have none yet: components that lead to none but each other and those with a lower rank.
    """
    onward = calm_graph.onward
    good = [number for number, members in enumerate(calm_graph.components) if all(map(goal.__getitem__, members))]
    able: dict[int, list[int]] = {-1: good} | {action: [] for action in range(len(calm_graph.actions))}
    for number, exits in enumerate(calm_graph.exits):
        for action in exits:
            able[action].append(number)
    ranks = [-1] * len(onward)
    lower: set[int] = set()
    inside: set[int] = set()
    helpful: list[str | None] = []
    while len(lower) < len(ranks):
        best: tuple[int, list[int]] = -1, []
        for action, candidates in able.items():
            found: list[int] = []
            for number in candidates:  # those that it leads to come before it
                if inside.issuperset(onward[number]) and (
                    action < 0 or lower.issuperset(calm_graph.exits[number][action])
                ):
                    inside.add(number)
                    found.append(number)
            inside.difference_update(found)
            if len(found) > len(best[1]):
                best = action, found
        if not best[1]:
            raise AssertionError("no helpful action: the graph has a quiet state or a livelock")
        for number in best[1]:
            ranks[number] = len(helpful)
        lower.update(best[1])
        inside.update(best[1])
        helpful.append(None if best[0] < 0 else calm_graph.actions[best[0]])
        able = {action: [n for n in candidates if ranks[n] < 0] for action, candidates in able.items()}
    return Ranking([ranks[number] for number in calm_graph.component], tuple(helpful))
