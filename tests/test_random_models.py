"""The generator of random models uses every construct of the language, every runtime and every knob."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from msgspec import Struct

import random_models
from random_operators import FAULTS, WITH_COPIES, WITH_LOOPS
from reconcheck.model.runtimes import DURATIONS, KNOBS, NUMBERS, PROFILES
from reconcheck.syntax import tree
from reconcheck.syntax.parser import parse_text

GRAMMAR = Path(__file__).resolve().parent.parent / "grammar" / "rdsl.lark"
SEEDS = (*range(3_000), *range(WITH_LOOPS, WITH_LOOPS + 300), *range(WITH_COPIES, WITH_COPIES + 600))
PARSED = (*range(300), *range(WITH_LOOPS, WITH_LOOPS + 50))
OF_EXPECTATIONS = {"because", "with", "livelock", "unknown", "holds", "fails", "unreachable"}
"""Words that only an `expect` line has: what is expected of a model changes nothing in what it does."""
SIGNS = (
    r" \+ ",
    r" - ",
    r" \* ",
    r"\+=",
    r"-=",
    r" == ",
    r" != ",
    r" < ",
    r" <= ",
    r" > ",
    r" >= ",
    r"@\"",
    r"\w\[\w+\]",
)
PHRASES = (
    r"requeue \w+ when ",
    r"requeue \w+ after ",
    r"requeue \w+ every ",
    r"late watch ",
    r"register \w+\n",
    r"resync every ",
    r"on error retry ",
    r"on error requeue after ",
    r"on error await change",
    r"on error stop",
    r"on error backoff",
    r"on error continue",
    r"on (missing|exists|conflict) \{",
    r"= any",
    r"other version",
    r"via owner",
    r"via \(",
    r"initially any",
    r"without generation",
    r"else when ",
    r"for \w+ in \w+ \{\n  controller ",
    r"for \w+ in \d+\.\.size( - 1)? \{\n  controller ",
    r"\(r in 0\.\.size - 1: ",
)
"""What is made of several words."""


@cache
def texts() -> tuple[str, ...]:
    """The models of many seeds, as the campaign makes them."""
    return tuple(random_models.model_text(seed, small=True) for seed in SEEDS)


def missing(patterns: list[str]) -> list[str]:
    """The patterns that occur in none of the models."""
    together = "\n".join(texts())
    return [pattern for pattern in patterns if not re.search(pattern, together)]


def test_every_word_of_the_grammar_occurs() -> None:
    words = set(re.findall(r'"([a-z]+)"', GRAMMAR.read_text(encoding="utf-8")))
    assert len(words) > 80
    assert words >= OF_EXPECTATIONS
    assert missing([rf"\b{word}\b" for word in sorted(words - OF_EXPECTATIONS)]) == []


def test_every_sign_and_phrase_occurs() -> None:
    assert missing([*SIGNS, *PHRASES]) == []


def test_every_runtime_knob_and_fault_occurs() -> None:
    wanted = [rf"runtime {profile.name}\b" for profile in PROFILES]
    wanted += [rf"\b{knob} = {value}\b" for knob, values in KNOBS.items() for value in values]
    wanted += [rf"\b{knob} = " for knob in (*DURATIONS, *NUMBERS)]
    wanted += [rf"\b{fault} {there}\b" for fault in FAULTS for there in ("on", "off")]
    assert missing(wanted) == []


def test_every_node_of_the_syntax_tree_occurs() -> None:
    found: Counter[str] = Counter()
    for seed, text in zip(SEEDS, texts(), strict=True):
        if seed in PARSED:
            count_nodes(parse_text(text, "random.rdsl"), found)
    nodes = {kind.__name__ for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, Struct)}
    assert len(nodes) > 50
    assert nodes - set(found) == {"Struct"}


def count_nodes(part: object, found: Counter[str]) -> None:
    """Counts the nodes of a syntax tree by their names."""
    if isinstance(part, Struct):
        found[type(part).__name__] += 1
        for name in part.__struct_fields__:
            count_nodes(getattr(part, name), found)
    elif isinstance(part, tuple | list):
        for one in part:
            count_nodes(one, found)


@pytest.mark.parametrize(("pattern", "fewest"), [(r" \* ", 5), (r"requeue \w+ when ", 60), (r"\bregister \w+\n", 15)])
def test_what_is_rare_is_not_too_rare(pattern: str, fewest: int) -> None:
    assert sum(bool(re.search(pattern, text)) for text in texts()) >= fewest
