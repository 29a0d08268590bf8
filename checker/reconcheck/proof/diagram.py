"""Decision diagrams: the invariant and the rank as one function of the state.

A diagram maps a state to its rank, or to `OUTSIDE` where the invariant does not hold.  It tests one variable
after the other, in the order of the system; equal parts are shared.  An opaque variable is tested for
equality with those before it, so that a diagram speaks about every number of values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from reconcheck.model.operator import Variable
from reconcheck.model.types import BoolType, EnumType, OpaqueType, RangeType, Type, Value, domain
from reconcheck.semantics import smtlib

OUTSIDE = -1
CONTROL = ("pc(", "queued(", "timer(", "retries(")
"""How the names of a controller's own variables begin; its locals have a `/` in theirs."""
_OWN = re.compile(r"(?P<kind>\w+)\((?P<controller>[^():]+)(: (?P<object>[^.)]+).*)?\)|(?P<local>[^/]+)/")
"""A variable of a controller, and the object that it is about."""
WORTH_TRYING = 5_000
"""States above which one order of variables is tried only."""
NOTHING = -1
"""As a branch of an opaque variable: it is `none`."""
FEW_VALUES = 64
"""Values of a range up to which all of them are looked at."""
Branches = tuple[tuple[Value, int], ...]
"""Values with the node that each leads to."""


class Node(NamedTuple):
    """A test of variable number `level`: (branch, node number) pairs; what is not listed is outside.

    A branch is a value.  For an opaque variable it is `NOTHING`, the level of the first variable with the same
    value, or its own level where the value is a new one.
    """

    level: int
    branches: Branches


class Diagram(Struct, frozen=True):
    """Nodes, children before parents; node numbers below 0 are leaves: rank r is `-2 - r`, outside is -1."""

    variables: tuple[Variable, ...]
    nodes: tuple[Node, ...]
    root: int

    def rank(self, state: Sequence[Value]) -> int:
        """The rank of a state, or `OUTSIDE`."""
        shape = _shape(self.variables, state)
        node = self.root
        while node >= 0:
            current = self.nodes[node]
            node = dict(current.branches).get(shape[current.level], -1)
        return leaf_rank(node)


def leaf(rank: int) -> int:
    """The node number that stands for a rank."""
    return -2 - rank if rank >= 0 else -1


def leaf_rank(node: int) -> int:
    """The rank that a leaf stands for, or `OUTSIDE`."""
    return -2 - node if node < -1 else OUTSIDE


def _shape(variables: Sequence[Variable], state: Sequence[Value]) -> list[Value]:
    """The state with each opaque value replaced by where it occurs first."""
    shape = list(state)
    first: dict[Value, int] = {}
    for level, variable in enumerate(variables):
        if isinstance(variable.type, OpaqueType):
            value = state[level]
            shape[level] = NOTHING if value == 0 else first.setdefault(value, level)
    return shape


def build(variables: tuple[Variable, ...], ranked: Iterable[tuple[Sequence[Value], int]]) -> Diagram:
    """The diagram that gives each listed state its rank and leaves every other state outside."""
    nodes: list[Node] = []
    known: dict[Node, int] = {}
    if any(isinstance(variable.type, OpaqueType) for variable in variables):
        ranked = ((_shape(variables, state), rank) for state, rank in ranked)
    rows = [(tuple(state), leaf(rank)) for state, rank in ranked]

    # Level by level from the last variable: rows with the same prefix become one node.
    current: dict[tuple[Value, ...], int] = dict(rows)
    for level in range(len(variables) - 1, -1, -1):
        groups: dict[tuple[Value, ...], list[tuple[Value, int]]] = {}
        for prefix, node in current.items():
            groups.setdefault(prefix[:-1], []).append((prefix[-1], node))
        current = {}
        for prefix, branches in groups.items():
            candidate = Node(level, tuple(sorted(branches, key=lambda branch: (str(branch[0]), branch[1]))))
            number = known.get(candidate)
            if number is None:
                number = known[candidate] = len(nodes)
                nodes.append(candidate)
            current[prefix] = number
    return Diagram(variables, tuple(nodes), current.get((), -1))


def ordered_build(
    variables: Sequence[Variable], order: Sequence[Variable], ranked: Iterable[tuple[Sequence[Value], int]]
) -> Diagram:
    """The diagram of states given in the order of `variables`, with its tests in another order."""
    places = [variables.index(variable) for variable in order]
    return build(tuple(order), (([state[place] for place in places], rank) for state, rank in ranked))


def smallest(variables: tuple[Variable, ...], ranked: Iterable[tuple[Sequence[Value], int]]) -> Diagram:
    """The diagram in the order of variables, of a few that are likely, that needs the fewest nodes.

    A smaller diagram is checked faster; the order changes nothing else.
    """
    rows = list(ranked)
    control = [v for v in variables if v.name.startswith(CONTROL) or "/" in v.name]
    world = [v for v in variables if v not in control]
    orders = [world + control, world[::-1] + control, list(variables)[::-1]]
    if (apart := _by_cache(variables)) is not None:
        orders.insert(0, apart)
    if len(rows) > WORTH_TRYING:
        orders = orders[:1]
    diagrams = [ordered_build(variables, order, rows) for order in orders]
    return min(diagrams, key=lambda diagram: len(diagram.nodes))


def _by_cache(variables: Sequence[Variable]) -> list[Variable] | None:
    """Those of each controller that has a cache of its own together, with the objects in it; None for one cache only.

    Such controllers have little to do with each other's copies and places.
    """
    found = {variable.name: match for variable in variables if (match := _OWN.match(variable.name)) is not None}
    caches = dict.fromkeys(m["controller"] for m in found.values() if m["object"] and m["kind"] in ("view", "stale"))
    if len(caches) < 2:
        return None
    order: dict[Variable, None] = {}
    for controller in caches:
        mine = [v for v in variables if v.name in found and controller in found[v.name].group("controller", "local")]
        objects = {found[variable.name]["object"] for variable in mine}
        seen = [v for v in variables if v.name not in found and v.name.split(".")[0] in objects]
        before = [v for v in mine if found[v.name]["kind"] in ("event", "stale", "view")]
        order |= dict.fromkeys([*before, *seen, *mine])
    return [*order, *(variable for variable in variables if variable not in order)]


def among(diagram: Diagram, ranks: Collection[int], exactly: bool = True) -> Diagram:
    """The states with some of the ranks: a diagram whose only rank is 0.

    Unless it is to be so `exactly`, states that have no rank may be among them: most tests are not needed then.
    """
    nodes: list[Node] = []
    known: dict[Node, int] = {}
    moved: list[int] = []

    def target(node: int) -> int:
        if node >= 0:
            return moved[node]
        return leaf(0) if leaf_rank(node) in ranks else leaf(OUTSIDE)

    for node in diagram.nodes:
        branches = tuple((value, target(child)) for value, child in node.branches)
        if not exactly:
            branches = _filled(branches, diagram.variables[node.level].type)
        children = {child for _, child in branches}
        if not children or children == {leaf(OUTSIDE)} or (not exactly and len(children) == 1):
            moved += children or {leaf(OUTSIDE)}
            continue
        kept = Node(node.level, tuple(branch for branch in branches if branch[1] != leaf(OUTSIDE)))
        if kept not in known:
            known[kept] = len(nodes)
            nodes.append(kept)
        moved.append(known[kept])
    return Diagram(diagram.variables, tuple(nodes), target(diagram.root))


def _filled(branches: Branches, type_: Type) -> Branches:
    """Branches for all values of a type, if these are few: what is not listed goes where most of the others do."""
    if not branches or not _has_few_values(type_):
        return branches
    listed = dict(branches)
    (usual, _), *_ = Counter(listed.values()).most_common(1)
    return tuple((value, listed.get(value, usual)) for value in domain(type_))


def _has_few_values(type_: Type) -> bool:
    return isinstance(type_, EnumType | BoolType) or (
        isinstance(type_, RangeType) and type_.high - type_.low < FEW_VALUES
    )


def membership(diagram: Diagram, name: str) -> list[str]:
    """Whether a state is inside a diagram, as an SMT-LIB function of its variables, `v0` and so on."""
    parameters = " ".join(f"(v{level} {smtlib.sort(v.type)})" for level, v in enumerate(diagram.variables))
    lets = [f"(let ((n{i} {_node(diagram, i)}))" for i in range(len(diagram.nodes))]
    return [f"(define-fun {name} ({parameters}) Bool", *lets, _child(diagram.root), ")" * len(lets) + ")"]


def _node(diagram: Diagram, index: int) -> str:
    node = diagram.nodes[index]
    variable = diagram.variables[node.level]
    name, branches = f"v{node.level}", dict(node.branches)
    if isinstance(variable.type, BoolType):
        return f"(ite {name} {_child(branches.get(True, -1))} {_child(branches.get(False, -1))})"
    if isinstance(variable.type, OpaqueType):
        text = _child(branches.get(node.level, -1))
        earlier = [i for i in range(node.level) if isinstance(diagram.variables[i].type, OpaqueType)]
        for level in reversed(earlier):  # so that the first variable with the same value is found first
            text = f"(ite (= {name} v{level}) {_child(branches.get(level, -1))} {text})"
        return f"(ite (= {name} 0) {_child(branches.get(NOTHING, -1))} {text})"
    usual = leaf(OUTSIDE)
    tests: Iterable[tuple[Value, int]] = node.branches
    if _has_few_values(variable.type):  # it has one of them, so that the last needs no test
        tests = [(value, branches.get(value, usual)) for value in domain(variable.type)]
        (usual, _), *_ = Counter(child for _, child in tests).most_common(1)
    text = _child(usual)
    for value, child in reversed([test for test in tests if test[1] != usual]):
        text = f"(ite (= {name} {smtlib.constant(value, variable.type)}) {_child(child)} {text})"
    return text


def _child(node: int) -> str:
    return f"n{node}" if node >= 0 else "false" if leaf_rank(node) == OUTSIDE else "true"
