"""Known failures tried again in a changed model: what led into trouble, and then everything calm that can follow.

Most changes do not mend a goal, and then the run by which it failed mostly goes on to fail.  To follow it takes a
hundredth of the time that listing all states takes.  What is found is a run of the changed model like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from reconcheck.engines.explicit import StateGraph
from reconcheck.engines.python_code import StateTuple, initial_states, successors
from reconcheck.model.types import Value
from reconcheck.semantics.system import System

WIDTH = 8
"""States followed at a time: a step can end in several."""
MOST_STATES = 1_500
"""States that are listed behind the last step that is not calm."""


class Script(Struct, frozen=True):
    """How a run began: its first state, and its steps up to the last fault, disturbance or noise."""

    start: tuple[tuple[str, Value], ...]
    steps: tuple[tuple[str, str], ...]
    """Action and detail of each."""

    def moved(self, lines: Callable[[int], int]) -> Script:
        """The same with other lines."""
        return Script(self.start, tuple((action, _moved(detail, lines)) for action, detail in self.steps))


def script(graph: StateGraph, path: Iterable[tuple[int, int]]) -> Script:
    """How a run of a state graph began; the path is one of (command, state), without a command at first."""
    way = list(path)
    steps = [graph.system.commands[command].step for command, _ in way[1:]]
    while steps and steps[-1].kind == "fair":
        steps.pop()
    names = [variable.name for variable in graph.system.variables]
    start = tuple(zip(names, graph.states[way[0][1]], strict=True))
    return Script(start, tuple((step.action, step.detail) for step in steps))


class Stage:
    """A changed model in which runs of the model as it stands are tried; `lines` gives the lines of the latter."""

    def __init__(self, system: System, lines: Callable[[int], int]) -> None:
        self.system = system
        self.following = successors(system)
        self.names = [(command.step.action, _moved(command.step.detail, lines)) for command in system.commands]
        self.calm = [command.step.kind.calm for command in system.commands]

    def follow(self, known: Script) -> StateGraph:
        """The states behind a run, first those from which everything calm was followed, then those on the way.

        Steps that are not possible any more are left out.  Raises `LeftRange` and `Endless`.
        """
        here = self._first(known)
        came_by: dict[StateTuple, tuple[StateTuple, int] | None] = dict.fromkeys(here)
        for step in known.steps:
            there: dict[StateTuple, None] = {}
            for state in here:
                for command, after in self.following(state):
                    if self.names[command] == step and len(there) < WIDTH:
                        there.setdefault(after)
                        came_by.setdefault(after, (state, command))
            here = list(there) or here
        return self._calm(here, came_by)

    def _first(self, known: Script) -> list[StateTuple]:
        """The initial states that are most like that of a run."""
        names = [variable.name for variable in self.system.variables]
        start = dict(known.start)

        def unlike(state: StateTuple) -> int:
            return sum(1 for name, value in zip(names, state, strict=True) if start.get(name, value) != value)

        return sorted(initial_states(self.system), key=unlike)[:1]

    def _calm(self, start: list[StateTuple], came_by: Mapping[StateTuple, tuple[StateTuple, int] | None]) -> StateGraph:
        """The calm states from some on, then those by which each of these was come by."""
        states = list(start)
        numbers = {state: number for number, state in enumerate(states)}
        edges: list[list[tuple[int, int]]] = []
        parents: list[tuple[int, int] | None] = [None] * len(states)
        depth = [0] * len(states)
        current = 0
        while current < len(states) <= MOST_STATES:
            row: list[tuple[int, int]] = []
            for command, after in self.following(states[current]):
                if not self.calm[command]:
                    continue
                number = numbers.setdefault(after, len(states))
                if number == len(states):
                    states.append(after)
                    parents.append((current, command))
                    depth.append(depth[current] + 1)
                row.append((command, number))
            edges.append(row)
            current += 1
        for number, state in enumerate(start):
            while (before := came_by[state]) is not None:
                state, command = before
                at = len(states)
                states.append(state)
                parents[number] = at, command
                parents.append(None)
                depth.append(0)
                number = at
        edges += [[] for _ in range(len(states) - current)]
        return StateGraph(self.system, states, edges, parents, depth, current)


def _moved(detail: str, lines: Callable[[int], int]) -> str:
    return re.sub(r"\(L(\d+)\)$", lambda found: f"(L{lines(int(found.group(1)))})", detail)
