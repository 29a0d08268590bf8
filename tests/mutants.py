"""Certificates that somebody altered: one random change each, in the document as it is written."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from reconcheck.proof.expressions import OPERANDS

Document = dict[str, Any]
Change = Callable[[Document, random.Random, "Vocabulary"], None]


class Nothing(Exception):
    """The change does not apply to this certificate."""


class Vocabulary:
    """What a change can put in place of something else: variables by type, and actions."""

    def __init__(self, variables: dict[str, str], actions: tuple[str, ...]) -> None:
        self.actions = actions
        self.alike = {name: [o for o, t in variables.items() if t == type_] for name, type_ in variables.items()}


def one_of(items: list[Any], chance: random.Random) -> Any:
    if not items:
        raise Nothing
    return chance.choice(items)


def parts(document: Document, *kinds: str) -> list[Any]:
    listed = document["proof"].get("parts", [document["proof"]])
    return [part for part in listed if part["kind"] in kinds]


def ranked(document: Document) -> list[Any]:
    return parts(document, "settles", "rests", "invariant")


def branches(document: Document) -> list[tuple[list[Any], int, list[Any]]]:
    """Every branch of a diagram: the nodes, the number of its node, the branch."""
    return [
        (part["diagram"]["nodes"], number, branch)
        for part in ranked(document)
        for number, node in enumerate(part["diagram"]["nodes"])
        for branch in node[1]
    ]


# ---- diagrams ------------------------------------------------------------------------------------------------------


def change_leaf(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    part = one_of(ranked(document), chance)
    ranks = len(part.get("helpful", [None]))
    leaves = [b for node in part["diagram"]["nodes"] for b in node[1] if isinstance(b[1], list)]
    one_of(leaves, chance)[1] = chance.choice([None, *([rank] for rank in range(ranks + 1))])


def drop_branch(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    nodes, number, branch = one_of(branches(document), chance)
    nodes[number][1].remove(branch)


def move_branch(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    nodes, number, branch = one_of([b for b in branches(document) if isinstance(b[2][1], int)], chance)
    level = nodes[branch[1]][0]
    others = [n for n in range(number) if nodes[n][0] == level and n != branch[1]]
    branch[1] = one_of(others, chance)


def add_branch(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    nodes, number, _ = one_of(branches(document), chance)
    level, own = nodes[number]
    used = [value for value, _ in own]
    values = [value for node in nodes if node[0] == level for value, _ in node[1] if value not in used]
    own.append([one_of(values, chance), chance.choice(own)[1]])


def relabel_branch(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    nodes, number, branch = one_of(branches(document), chance)
    branch[0] = one_of(
        [v for node in nodes if node[0] == nodes[number][0] for v, _ in node[1] if v != branch[0]], chance
    )


def swap_nodes(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    nodes = one_of(ranked(document), chance)["diagram"]["nodes"]
    first = one_of(list(range(len(nodes))), chance)
    second = one_of([n for n, node in enumerate(nodes) if node[0] == nodes[first][0] and n != first], chance)
    nodes[first], nodes[second] = nodes[second], nodes[first]


def change_root(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    diagram = one_of(ranked(document), chance)["diagram"]
    diagram["root"] = chance.choice([None, [0], *range(len(diagram["nodes"]))])


def swap_columns(document: Document, chance: random.Random, words: Vocabulary) -> None:
    columns = one_of(ranked(document), chance)["columns"]
    plain = [n for n, column in enumerate(columns) if isinstance(column, str)]
    first = one_of(plain, chance)
    second = one_of([n for n in plain if columns[n] in words.alike[columns[first]] and n != first], chance)
    columns[first], columns[second] = columns[second], columns[first]


def swap_names(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    columns = one_of(ranked(document), chance)["columns"]
    for number, column in enumerate(columns):
        if isinstance(column, str):
            columns[number] = {"name": column, "term": column}
    first = one_of(columns, chance)
    second = one_of([column for column in columns if column is not first], chance)
    first["name"], second["name"] = second["name"], first["name"]


def double_column(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    """Shows a program counter once more, with fewer regions, under the name that the other column had."""
    part = one_of(ranked(document), chance)
    folded = [column for column in part["columns"] if isinstance(column, dict) and "regions" in column]
    column = one_of(folded, chance)
    places = [place for group in column["regions"].values() for place in group]
    part["columns"].append({**column, "regions": {"anywhere": places}})
    column["name"] = "here"


def change_region(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    columns = [c for part in ranked(document) for c in part["columns"] if isinstance(c, dict) and "regions" in c]
    regions = one_of(columns, chance)["regions"]
    source = one_of([name for name, places in regions.items() if places], chance)
    place = chance.choice(regions[source])
    regions[source].remove(place)
    regions[one_of([name for name in regions if name != source], chance)].append(place)
    for name in [name for name, places in regions.items() if not places]:
        del regions[name]


# ---- what settles ------------------------------------------------------------------------------------------------


def change_helpful(document: Document, chance: random.Random, words: Vocabulary) -> None:
    helpful = one_of(parts(document, "settles"), chance)["helpful"]
    number = chance.randrange(len(helpful))
    helpful[number] = one_of([a for a in (*words.actions, None) if a != helpful[number]], chance)


def change_places(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    places = [part["amount"] for part in parts(document, "measure") if isinstance(part["amount"], dict)]
    places += [way for part in parts(document, "settles") for way in part["ways"]]
    amounts = one_of([one["amounts"] for one in places if one.get("amounts")], chance)
    place = chance.choice(list(amounts))
    if chance.random() < 0.3:
        del amounts[place]
    else:
        amounts[place] = chance.choice([amounts[place] + 1, amounts[place] + 3, 0, -1])


def drop_ways(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    one_of([part for part in parts(document, "settles") if part["ways"]], chance)["ways"] = []


def change_action(document: Document, chance: random.Random, words: Vocabulary) -> None:
    measure = one_of(parts(document, "measure"), chance)
    measure["action"] = one_of([a for a in (*words.actions, None) if a != measure["action"]], chance)


def change_amount(document: Document, chance: random.Random, words: Vocabulary) -> None:
    measure = one_of([part for part in parts(document, "measure") if not isinstance(part["amount"], dict)], chance)
    measure["amount"] = chance.choice([0, -1, 2, ["-", 1, measure["amount"]], ["+", measure["amount"], 1]])


def drop_part(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    listed = document["proof"].get("parts", [])
    listed.remove(one_of(listed, chance))


def drop_measures(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    measures = parts(document, "measure")
    dropped = chance.sample(measures, len(measures) // 2) if len(measures) > 1 else one_of([], chance)
    document["proof"]["parts"] = [part for part in document["proof"]["parts"] if part not in dropped]


def reorder_parts(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    listed = document["proof"].get("parts", [])
    if len(listed) < 2:
        raise Nothing
    part = listed.pop(chance.randrange(len(listed)))
    listed.insert(chance.randrange(len(listed) + 1), part)


# ---- formulas ----------------------------------------------------------------------------------------------------


def formulas(document: Document, *names: str) -> Iterator[tuple[Any, Any]]:
    """Every place of a formula with these names: what holds it, and its key."""
    proof = document["proof"]
    for part in proof.get("parts", [proof]):
        yield from ((part, name) for name in names if name in part)


def inner(holder: Any, key: Any) -> Iterator[tuple[Any, Any]]:
    """A formula's place and those of everything in it."""
    yield holder, key
    if isinstance(holder[key], list):
        for number in range(1, len(holder[key])):
            yield from inner(holder[key], number)


def alter(holder: Any, key: Any, chance: random.Random, words: Vocabulary) -> None:
    """Changes something in a formula."""
    where, at = chance.choice(list(inner(holder, key)))
    old = where[at]
    if isinstance(old, str):
        where[at] = one_of([name for name in words.alike[old] if name != old] or [["not", old]], chance)
    elif isinstance(old, bool):
        where[at] = not old
    elif isinstance(old, int):
        where[at] = chance.choice([old + 1, old - 1])
    elif isinstance(old, list) and old[0] in ("and", "or"):
        choices: list[Any] = [["or" if old[0] == "and" else "and", *old[1:]], old[1], ["not", old]]
        where[at] = chance.choice([*choices, [old[0], *old[2:]]] if len(old) > 3 else choices)
    elif isinstance(old, list) and old[0] == "not":
        where[at] = old[1]
    elif isinstance(old, list):
        assert old[0] in OPERANDS
        where[at] = ["not", old] if old[0] in ("==", "<=") else [old[0], *old[:0:-1]]
    else:
        raise Nothing


def change_condition(document: Document, chance: random.Random, words: Vocabulary) -> None:
    holder, key = one_of(list(formulas(document, "condition")), chance)
    alter(holder, key, chance, words)


def change_part_goal(document: Document, chance: random.Random, words: Vocabulary) -> None:
    holder, key = one_of(list(formulas(document, "goal", "formula")), chance)
    alter(holder, key, chance, words)


def change_clause(document: Document, chance: random.Random, words: Vocabulary) -> None:
    clauses = document["proof"].get("clauses", [])
    alter(clauses, clauses.index(one_of(clauses, chance)), chance, words)


def drop_clause(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    clauses = document["proof"].get("clauses", [])
    clauses.remove(one_of(clauses, chance))


def drop_clauses(document: Document, chance: random.Random, _words: Vocabulary) -> None:
    clauses = document["proof"].get("clauses", [])
    one_of(clauses, chance)
    clauses.clear()


def change_goal(document: Document, chance: random.Random, words: Vocabulary) -> None:
    alter(document["goal"], "formula", chance, words)


def change_scope(document: Document, _chance: random.Random, _words: Vocabulary) -> None:
    document["scope"]["schedule"] = not document["scope"]["schedule"]


CHANGES: tuple[Change, ...] = (
    change_leaf,
    drop_branch,
    move_branch,
    add_branch,
    relabel_branch,
    swap_nodes,
    change_root,
    swap_columns,
    swap_names,
    double_column,
    change_region,
    change_helpful,
    change_places,
    drop_ways,
    change_action,
    change_amount,
    drop_part,
    drop_measures,
    reorder_parts,
    change_condition,
    change_part_goal,
    change_clause,
    drop_clause,
    drop_clauses,
    change_goal,
    change_scope,
)


def mutants(document: Document, words: Vocabulary, count: int, chance: random.Random) -> Iterator[tuple[str, Document]]:
    """So many different mutants with the name of what was changed, each kind of change as often as the others."""
    seen = [document]
    tries = 0
    found = 0
    while found < count and tries < 20 * count:
        change = CHANGES[tries % len(CHANGES)]
        tries += 1
        mutant = copy.deepcopy(document)
        try:
            change(mutant, chance, words)
        except Nothing:
            continue
        if mutant not in seen:
            seen.append(mutant)
            found += 1
            yield change.__name__, mutant
