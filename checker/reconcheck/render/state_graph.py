"""Folds a state graph to what a person can read, and says what was folded.

States that show the same features become one node.  Features are taken in the order of `features`, the most
telling first, as long as the picture stays small; the goal and whether anything must still happen are always
shown, so that no quiet state hides behind another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import networkx as nx
from msgspec import Struct, field

from reconcheck.engines.budget import Budget
from reconcheck.engines.fairness import CalmGraph, calm
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.render.beginning import Beginning, begin
from reconcheck.render.causes import Cause, Label, Labeller
from reconcheck.render.features import Feature, features
from reconcheck.render.judgement import Judgement, first_diverging, judge
from reconcheck.semantics.compiler import compile_system

MOST_STATES = 30_000
"""States that are explored for a picture."""
MOST_NODES = 40
"""Nodes that a picture has room for."""
MOST_EDGES = 50
"""Arrows that a picture has room for."""
COMFORTABLE = 28
"""Nodes up to which more is shown than where the controllers stand."""
SPACIOUS = 18
"""Nodes up to which minor features (caches, locals, what a run holds) are shown too."""


SHOWN: tuple[Callable[[Label], bool], ...] = (
    lambda label: True,
    lambda label: label.cause is not Cause.FAULT,
    lambda label: not label.rare,
    lambda label: not label.rare and label.cause not in (Cause.ENVIRONMENT, Cause.NOBODY),
)
"""Which arrows are drawn, apart from the path: the first that leave the picture readable."""


class Node(Struct, frozen=True):
    """States that show the same."""

    position: tuple[str, ...]
    facts: tuple[str, ...]
    states: int
    goal: bool | None
    """Whether the goal holds; None without a goal, or where states were not followed."""
    status: str
    """quiet, livelock, or empty; `unknown` where the steps of the states were not followed."""
    initial: bool
    on_path: bool
    end: bool
    """Whether the counterexample ends here."""
    inside: tuple[Arrow, ...]
    """Steps that stay among the node's states."""


class Arrow(Struct, frozen=True):
    """A kind of step between two nodes, with the numbers it has in the counterexample."""

    label: Label
    numbers: tuple[int, ...] = ()

    @property
    def order(self) -> tuple[float, int, str]:
        """The counterexample's steps come first."""
        return (self.numbers[0] if self.numbers else float("inf"), *self.label.order)


class Picture(Struct, frozen=True):
    """A folded graph of numbered nodes; each node has a `Node` as `data`, each edge its `arrows`."""

    graph: nx.DiGraph[int]
    title: str
    caption: tuple[str, ...]
    causes: tuple[Cause, ...]
    """The causes that occur, in the legend's order."""
    judgement: Judgement | None
    one_controller: bool

    def node(self, number: int) -> Node:
        """What a node shows."""
        node: Node = self.graph.nodes[number]["data"]
        return node

    def arrows(self, source: int, target: int) -> tuple[Arrow, ...]:
        """The steps of an edge."""
        arrows: tuple[Arrow, ...] = self.graph.edges[source, target]["arrows"]
        return arrows

    def text(self, source: int, arrow: Arrow) -> str:
        """What to write at an arrow: its numbers, and the step unless the source node says it already."""
        text = arrow.label.text
        for place in self.node(source).position:
            if text == place or text.startswith(f"{place} fails"):
                controller = "" if self.one_controller else place.partition(": ")[0] + " "
                text = controller + text[len(place) :].strip()
        return " ".join([*(f"{number}." for number in arrow.numbers), text.strip()]).strip()


def picture(operator: Operator, scope: Scope, goal: Goal | None, budget: Budget) -> Picture:
    """The folded graph of an operator, and the run that violates the goal, or the first goal that fails."""
    beginning = begin(compile_system(operator, scope), budget, MOST_STATES)
    calm_graph = calm(beginning.graph, budget)
    if goal is not None:
        judgement: Judgement | None = judge(goal, calm_graph, beginning.explored, budget)
    else:
        judgement = first_diverging(operator.goals, calm_graph, beginning.explored, budget)
    return _Folding(beginning, calm_graph, judgement).picture()


class _Folding(Struct):
    """The work on one picture."""

    beginning: Beginning
    calm_graph: CalmGraph
    judgement: Judgement | None
    kept: list[Feature] = field(default_factory=list)
    implied: list[Feature] = field(default_factory=list)
    """Minor features that follow from those kept."""

    def picture(self) -> Picture:
        """Chooses features, then arrows, then writes the caption."""
        graph = self.beginning.graph
        labels = self._labels()
        status = self._status()
        blocks = self._choose(status, labels)
        shows = next((shows for shows in SHOWN if self._count(blocks, labels, shows) <= MOST_EDGES), SHOWN[-1])
        path_labels, path_numbers = self._path(blocks)
        arrows: dict[tuple[int, int], set[Label]] = defaultdict(set)
        hidden: set[Label] = set()
        for number, row in enumerate(graph.edges):
            for (_, target), label in zip(row, labels[number], strict=True):
                pair = (blocks[number], blocks[target])
                if shows(label) or label in path_labels.get(pair, ()):
                    arrows[pair].add(label)
                elif pair[0] != pair[1]:
                    hidden.add(label)
        self._ways_in(blocks, labels, arrows)
        folded = self._folded(blocks, arrows, path_numbers, status)
        seen = {label.cause for found in arrows.values() for label in found}
        return Picture(
            folded,
            self._title(),
            self._caption(folded, hidden),
            tuple(cause for cause in Cause if cause in seen),
            self.judgement,
            len(graph.system.operator.controllers) == 1,
        )

    def _labels(self) -> list[list[Label]]:
        graph = self.beginning.graph
        labeller = Labeller(graph.system)
        return [
            [labeller.label(command, graph.states[number], graph.states[target]) for command, target in row]
            for number, row in enumerate(graph.edges)
        ]

    def _status(self) -> list[str]:
        livelock = self.judgement.livelock if self.judgement is not None else frozenset()
        return [
            "unknown" if state >= self.beginning.explored
            else "quiet" if not enabled
            else "livelock" if state in livelock
            else ""
            for state, enabled in enumerate(self.calm_graph.enabled)
        ]  # fmt: skip

    def _choose(self, status: list[str], labels: list[list[Label]]) -> list[int]:
        """Takes features while there is room."""
        goal = self.judgement.goal if self.judgement is not None else None
        blocks = _refine([0] * len(status), status)
        if self.judgement is not None:
            blocks = self._split(blocks, self.judgement.truth)
        size = max(blocks) + 1
        for feature in features(self.beginning.graph, goal, self.beginning.explored):
            for chosen, shows in _attempts(feature):
                finer = self._split(blocks, chosen.texts)
                more = max(finer) + 1
                room = MOST_NODES if chosen.position else SPACIOUS if chosen.minor else COMFORTABLE
                fits = more <= min(room, MOST_NODES)
                if more == size or (fits and self._count(finer, labels, shows) <= MOST_EDGES):
                    (self.implied if chosen.minor and more == size else self.kept).append(chosen)
                    blocks, size = finer, more
                    break
        return blocks

    def _split(self, blocks: list[int], values: Sequence[str | bool]) -> list[int]:
        """Splits nodes by a value; the states that were not followed stay one node."""
        explored = self.beginning.explored
        return _refine(blocks, [*values[:explored], *([""] * (len(values) - explored))])

    def _count(self, blocks: list[int], labels: list[list[Label]], shows: Callable[[Label], bool]) -> int:
        """Arrows between different nodes."""
        graph = self.beginning.graph
        return len(
            {
                (blocks[number], blocks[target])
                for number, row in enumerate(graph.edges)
                for (_, target), label in zip(row, labels[number], strict=True)
                if blocks[number] != blocks[target] and shows(label)
            }
        )

    def _path(
        self, blocks: list[int]
    ) -> tuple[dict[tuple[int, int], set[Label]], dict[tuple[int, int, Label], list[int]]]:
        """The counterexample's labels by folded edge, and its step numbers by folded edge and label."""
        graph = self.beginning.graph
        labeller = Labeller(graph.system)
        labels: dict[tuple[int, int], set[Label]] = defaultdict(set)
        numbers: dict[tuple[int, int, Label], list[int]] = defaultdict(list)
        path = self.judgement.path if self.judgement is not None else []
        for number, ((_, before), (command, after)) in enumerate(pairwise(path), start=1):
            label = labeller.label(command, graph.states[before], graph.states[after])
            labels[blocks[before], blocks[after]].add(label)
            numbers[blocks[before], blocks[after], label].append(number)
        return labels, numbers

    def _ways_in(self, blocks: list[int], labels: list[list[Label]], arrows: dict[tuple[int, int], set[Label]]) -> None:
        """Adds the step that first led to a node, where the arrows left out were its only ways in."""
        graph = self.beginning.graph
        entered = {target for source, target in arrows if source != target}
        entered |= {blocks[state] for state, parent in enumerate(graph.parents) if parent is None}
        for state, parent in enumerate(graph.parents):
            if parent is not None and blocks[state] not in entered and blocks[parent[0]] != blocks[state]:
                entered.add(blocks[state])
                index = graph.edges[parent[0]].index((parent[1], state))
                arrows[blocks[parent[0]], blocks[state]].add(labels[parent[0]][index])

    def _folded(
        self,
        blocks: list[int],
        arrows: dict[tuple[int, int], set[Label]],
        numbers: dict[tuple[int, int, Label], list[int]],
        status: list[str],
    ) -> nx.DiGraph[int]:
        graph, judgement = self.beginning.graph, self.judgement
        members: dict[int, list[int]] = defaultdict(list)
        for state, block in enumerate(blocks):
            members[block].append(state)
        path = judgement.path if judgement is not None else []
        on_path = {blocks[state] for _, state in path}
        end = blocks[path[-1][1]] if path else -1
        telling = [f for f in self.kept if f.position or self._tells(f)]
        drawn = {
            pair: tuple(
                sorted(
                    (Arrow(x, tuple(numbers.get((*pair, x), ()))) for x in found),
                    key=lambda arrow: arrow.order,
                )
            )
            for pair, found in arrows.items()
        }
        folded: nx.DiGraph[int] = nx.DiGraph()
        for block in sorted(members):
            first = members[block][0]
            known = first < self.beginning.explored
            node = Node(
                tuple(f.texts[first] for f in telling if f.position) if known else ("not followed further",),
                tuple(f.texts[first] for f in telling if known and not f.position and f.texts[first]),
                len(members[block]),
                judgement.truth[first] if judgement is not None and known else None,
                status[first],
                any(graph.depth[state] == 0 for state in members[block]),
                block in on_path,
                block == end,
                drawn.get((block, block), ()),
            )
            folded.add_node(block, data=node)
        for source, target in sorted(drawn):
            if source != target:
                folded.add_edge(source, target, arrows=drawn[source, target])
        return folded

    def _tells(self, feature: Feature) -> bool:
        """Whether a feature says anything beyond the goal's truth."""
        if self.judgement is None:
            return len(set(feature.texts)) > 1
        return len(set(zip(feature.texts, self.judgement.truth, strict=True))) > len(set(self.judgement.truth))

    def _untold(self) -> list[str]:
        """The variables that vary and of which nodes tell nothing."""
        told = {name for feature in (*self.kept, *self.implied) for name in feature.covers}
        graph = self.beginning.graph
        return [
            variable.name
            for place, variable in enumerate(graph.system.variables)
            if variable.name not in told and len({state[place] for state in graph.states}) > 1
        ]

    def _title(self) -> str:
        system = self.beginning.graph.system
        return f"{system.operator.name} {system.scope}"

    def _caption(self, folded: nx.DiGraph[int], hidden: set[Label]) -> tuple[str, ...]:
        lines: list[str] = []
        if self.judgement is not None:
            lines.append(_verdict(self.judgement, self.beginning.complete))
        lines += [f"Incomplete: {note}." for note in self.beginning.notes]
        states, nodes = len(self.beginning.graph.states), folded.number_of_nodes()
        if states == nodes:
            lines.append(f"All {states:,} states are shown.")
        else:
            shown = ["the goal's truth"] if self.judgement is not None else []
            shown += ["whether anything must still happen"]
            shown += [f.name for f in self.kept if self._tells(f)]
            lines.append(f"{states:,} states folded into {nodes} nodes by {_join(shown)}.")
            left = self._untold()
            if left:
                lines.append(f"Left out of the nodes: {', '.join(left)}.")
        if hidden:
            lines.append(f"Arrows left out, unless on the path or the only way into a node: {_kinds_of(hidden)}.")
        return tuple(lines)


def _attempts(feature: Feature) -> list[tuple[Feature, Callable[[Label], bool]]]:
    """A feature and its coarser forms, each with the arrows that must have room.

    To see where a controller stands is worth leaving out the arrows of the environment.
    """
    forms = [feature]
    while (coarser := forms[-1].coarser) is not None:
        forms.append(coarser)
    if not feature.position:
        return [(form, SHOWN[-2]) for form in forms]
    fine = forms[:-1]
    return [*((f, SHOWN[-2]) for f in fine), *((f, SHOWN[-1]) for f in fine), (forms[-1], SHOWN[-1])]


def _kinds_of(hidden: set[Label]) -> str:
    """What arrows were left out, in a few words."""
    changes = {label.text for label in hidden if label.cause is Cause.ENVIRONMENT}
    deliveries = {f"{label.text} where it wakes nobody" for label in hidden if label.cause is Cause.NOBODY}
    faults = {label.text for label in hidden if label.cause is Cause.FAULT}
    failing = ["failing effects"] if any(" fails" in text for text in faults) else []
    kinds = (
        ("the environment's ", sorted(changes)),
        ("", sorted(deliveries)),
        ("the faults ", [*sorted(text for text in faults if " fails" not in text), *failing]),
    )
    return "; ".join(f"{kind}{_join(names)}" for kind, names in kinds if names)


def _verdict(judgement: Judgement, complete: bool) -> str:
    from reconcheck.model import expr as e

    goal = judgement.goal
    text = f"Goal {goal.name}: {e.show(goal.formula)}. "
    steps = len(judgement.path) - 1
    match judgement.ending:
        case "quiet":
            return f"{text}The bold path ({steps} steps) ends where nothing must happen and the goal is false."
        case "livelock":
            assert judgement.loop is not None
            return f"{text}On the bold path, steps {judgement.loop + 1} to {steps} repeat for ever."
        case "violation":
            return f"{text}The bold path ({steps} steps) ends where it is false."
        case "witness":
            return f"{text}The bold path ({steps} steps) ends where it is true."
    none = "reaches it" if goal.kind == "reachable" else "violates it"
    return f"{text}No run {none}." if complete else f"{text}No run in this part {none}."


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _refine(blocks: list[int], values: Sequence[str | bool]) -> list[int]:
    """Splits blocks by a value; numbers follow the first state of each block."""
    numbers: dict[tuple[int, str | bool], int] = {}
    return [numbers.setdefault((block, value), len(numbers)) for block, value in zip(blocks, values, strict=True)]
