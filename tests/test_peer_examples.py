"""What Spin does with the small inputs in `data/peers`, which the exports work around: here it is asked for real."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spin import compiler
from support import TESTS

PEERS = TESTS / "data" / "peers"
DEPTH = 5_000
TOO_DEEP = "max search depth too small"


def told(name: str, folder: Path, defined: str = "", translated: str = "", searched: str = "-a") -> str:
    """What Spin, or else its search, says."""
    shutil.copy(PEERS / f"{name}.pml", folder)

    def run(*command: str) -> str:
        done = subprocess.run([*filter(None, command)], cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    said = run("spin", "-a", translated, f"-D{defined}" if defined else "", f"{name}.pml")
    if "Error: " in said:
        return said
    run(*compiler(0), "-w", "-DNOREDUCE", "-o", "pan", "pan.c")
    return run("./pan", f"-m{DEPTH}", *searched.split())


def errors(text: str) -> int:
    """How many errors a search found."""
    found = re.search(r"errors: (\d+)", text)
    assert found is not None, text
    return int(found[1])


def states(text: str) -> int:
    """How many states a search stored."""
    found = re.search(r"(\d+) states, stored", text)
    assert found is not None, text
    return int(found[1])


def test_runs_that_come_to_rest_are_overlooked_under_weak_fairness(tmp_path: Path) -> None:
    assert errors(told("quiet_end", tmp_path)) == 1
    assert errors(told("quiet_end", tmp_path, searched="-a -f")) == 0
    assert errors(told("quiet_end", tmp_path, "ALIVE", searched="-a -f")) == 1


def test_a_step_that_does_nothing_is_repeated_where_it_is_tried_first(tmp_path: Path) -> None:
    text = told("repeats_doing_nothing", tmp_path, "LAST", searched="-a -f")
    assert errors(text) == 1
    assert TOO_DEEP in text
    assert states(text) > DEPTH / 4
    text = told("repeats_doing_nothing", tmp_path, searched="-a -f")
    assert errors(text) == 1
    assert TOO_DEEP not in text
    assert states(text) < 100


@pytest.mark.parametrize(
    ("name", "defined", "refused"),
    [
        ("line_end", "BEHIND", "syntax error"),
        ("does_nothing", "BEGUN", "has unconditional self-loop"),
        ("hidden_bit", "BYTE", "cannot be hidden"),
    ],
)
def test_some_texts_are_refused_and_others_that_mean_the_same_are_not(
    name: str, defined: str, refused: str, tmp_path: Path
) -> None:
    assert refused in told(name, tmp_path)
    assert errors(told(name, tmp_path, defined)) == 0


def test_variables_that_nothing_reads_are_not_part_of_the_state(tmp_path: Path) -> None:
    assert states(told("never_read", tmp_path)) == 1
    assert states(told("never_read", tmp_path, translated="-o2")) == 2


@pytest.mark.parametrize("path", [p for p in sorted(PEERS.iterdir()) if p.suffix != ".cfg"], ids=lambda path: path.name)
def test_the_list_of_examples_is_whole(path: Path) -> None:
    assert path.name == "README.md" or f"| `{path.name}` |" in (PEERS / "README.md").read_text(encoding="utf-8")
