"""The pictures of `reconcheck graph`: folded to what one can read, saying what was folded, the same each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconcheck.cli.main import main
from reconcheck.engines.budget import Budget
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Operator, Scope
from reconcheck.render import state_graph
from reconcheck.render.dot import dot
from reconcheck.render.mermaid import mermaid
from reconcheck.render.state_graph import MOST_EDGES, MOST_NODES, Picture, picture
from support import GOLDEN, MODELS, TESTS

QUIET = TESTS / "golden" / "quiet-external.rdsl"
LIVELOCK = TESTS / "golden" / "two-fight.rdsl"

ENDLESS = """rdsl 1
operator counter {
  runtime controller-runtime 0.24
  primary App as app { spec.size: int = any  status.size: int = 0 }
  controller app for app {
    watch app on spec
    reconcile {
      when app.status.size != app.spec.size { patch app.status.size = app.spec.size }
      await change
    }
  }
  environment {
    disturbance edit { app.spec.size = any }
    disturbance grow { app.spec.size = app.spec.size + 1 }
  }
  converges { same: app.status.size == app.spec.size }
}
"""


def draw(path: Path, scope: Scope | None = None, goal: str | None = None) -> Picture:
    operator: Operator = load(path).operator
    asked: Goal | None = operator.goal(goal) if goal is not None else None
    return picture(operator, scope or Scope(), asked, Budget())


def bold(drawn: Picture) -> list[str]:
    """The numbered steps, in their order."""
    graph = drawn.graph
    places = [(s, arrow) for s, t in graph.edges for arrow in drawn.arrows(s, t)]
    places += [(n, arrow) for n in graph.nodes for arrow in drawn.node(n).inside]
    steps = {number: arrow.label.text for _, arrow in places for number in arrow.numbers}
    return [steps[number] for number in sorted(steps)]


def test_the_path_of_the_goal_is_numbered() -> None:
    assert bold(draw(QUIET)) == ["start", "L19 read database", "L21 await change", "comes_up"]


def test_a_quiet_state_without_the_goal_is_a_node_of_its_own() -> None:
    drawn = draw(QUIET)
    ends = [drawn.node(number) for number in drawn.graph.nodes if drawn.node(number).end]
    assert [(node.status, node.goal, node.states) for node in ends] == [("quiet", False, 1)]
    rests = [node for node in map(drawn.node, drawn.graph.nodes) if node.status == "quiet" and node.goal]
    assert len(rests) == 1


def test_a_goal_that_converges_has_no_path() -> None:
    drawn = draw(QUIET, Scope(level=4))
    assert bold(drawn) == []
    assert "No run violates it." in drawn.caption[0]


def test_a_livelock_is_a_path_that_comes_back() -> None:
    drawn = draw(LIVELOCK)
    assert "repeat for ever" in drawn.caption[0]
    assert any(drawn.node(number).status == "livelock" for number in drawn.graph.nodes)


@pytest.mark.parametrize("path", [*GOLDEN, *MODELS], ids=lambda path: path.stem)
def test_every_picture_is_small_and_accounts_for_every_state(path: Path) -> None:
    drawn = draw(path)
    nodes = [drawn.node(number) for number in drawn.graph.nodes]
    rare = sum(
        all(arrow.label.rare or arrow.numbers for arrow in drawn.arrows(source, target))
        for source, target in drawn.graph.edges
    )
    assert len(nodes) <= MOST_NODES
    assert drawn.graph.number_of_edges() - rare <= MOST_EDGES
    total = f"{sum(node.states for node in nodes):,}"
    assert any(line.startswith((f"{total} states folded", f"All {total} states")) for line in drawn.caption)
    assert all(drawn.node(n).initial or drawn.graph.in_degree(n) for n in drawn.graph.nodes)


def test_what_was_left_out_is_said() -> None:
    caption = " ".join(draw(QUIET).caption)
    assert "25 states folded into 24 nodes by" in caption
    assert "Left out of the nodes: app/db.up." in caption
    assert "the faults crash, relist app and failing effects" in caption


def test_a_tight_picture_drops_variables_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_graph, "MOST_NODES", 6)
    drawn = draw(QUIET)
    assert drawn.graph.number_of_nodes() <= 6
    assert "whether app runs" in " ".join(drawn.caption)


def test_a_graph_without_end_is_drawn_as_far_as_it_was_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_graph, "MOST_STATES", 500)
    model = tmp_path / "endless.rdsl"
    model.write_text(ENDLESS)
    drawn = draw(model)
    caption = " ".join(drawn.caption)
    assert "any integer is drawn as 0..2 (the first state, disturbance edit)" in caption
    assert "Incomplete: only the first" in caption
    assert "No run in this part violates it." in caption
    unknown = [node for node in map(drawn.node, drawn.graph.nodes) if node.status == "unknown"]
    assert [node.position for node in unknown] == [("not followed further",)]


def test_dot_shows_quiet_goal_and_path() -> None:
    text = dot(draw(QUIET))
    assert text.startswith("digraph ")
    assert "peripheries=2" in text
    assert "<B>L19 read database</B>" in text
    assert "penwidth=3.2" in text
    assert "an error, or the backoff after one" in text


def test_mermaid_shows_quiet_goal_and_path() -> None:
    text = mermaid(draw(QUIET))
    assert "flowchart TB" in text
    assert '==>|"1#46; start"|' in text
    assert "class n" in text
    arrows = sum(mark in line for line in text.splitlines() for mark in ("-->", "==>", "-.->"))
    assert arrows == text.count("linkStyle")


def test_the_same_model_gives_the_same_picture() -> None:
    texts = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "reconcheck", "graph", str(LIVELOCK)]
        texts.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(texts) == 1


@pytest.mark.parametrize(("name", "begin"), [("x.svg", b"<?xml"), ("x.png", b"\x89PNG")])
def test_an_image_is_written(tmp_path: Path, name: str, begin: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", str(QUIET), "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(begin)
    assert "25 states folded" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_without_graphviz_an_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    old = tmp_path / "x.svg"
    old.write_text("old")
    assert main(["graph", str(QUIET), "-o", str(old)]) == 2
    error = capsys.readouterr().err
    assert "RC108" in error
    assert "x.dot" in error
    assert old.read_text() == "old"
    assert main(["graph", str(QUIET), "-o", str(tmp_path / "x.dot")]) == 0
    assert main(["graph", str(QUIET), "-o", str(tmp_path / "x.mmd")]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "x.gif"], "RC107", "cannot draw to `.gif`"),
        (["-o", "picture"], "RC107", "cannot draw to `picture` without an ending"),
        (["--goal", "nothing"], "RC107", "no goal `nothing`"),
        (["--without", "nothing"], "RC107", "no requeue rule `nothing`"),
        (["-o", "/no/such/folder/x.dot"], "RC108", "cannot write /no/such/folder/x.dot"),
    ],
)
def test_a_wrong_command_line_is_explained(
    arguments: list[str], code: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(QUIET), *arguments]) == 2
    error = capsys.readouterr().err
    assert code in error
    assert said in error
