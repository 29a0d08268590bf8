"""`reconcheck export`: what it writes, where, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconcheck.cli.main import main
from reconcheck.export.header import MARK
from reconcheck.export.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent
MODEL = str(ROOT / "models" / "minimal" / "external-system.rdsl")

ENDLESS = """rdsl 1
operator counting {
  runtime controller-runtime 0.24
  primary App as app
  external db { n: nat = 12 }
  controller app for app { watch app requeue poll every 5m reconcile { await change } }
  environment { disturbance more { db.n = db.n + 1 } }
  always few: db.n <= 12
  always many: 0 <= db.n
}
"""


def run(*arguments: str | Path) -> int:
    """The exit code of a command."""
    code = main([str(argument) for argument in arguments])
    assert isinstance(code, int)
    return code


def test_the_command_offers_the_targets_there_are() -> None:
    from reconcheck.cli.export import TARGETS as OFFERED

    assert tuple(TARGETS) == OFFERED


def test_a_file_is_written_and_may_be_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        assert run("export", MODEL, "--to", "promela", "-o", folder) == 0
        assert capsys.readouterr().out == f"wrote {folder / 'external_system.pml'}\n"
    text = (folder / "external_system.pml").read_text()
    assert MARK in text
    assert "ltl shown { <>[] is_shown }" in text
    assert "controllers/dashboard_controller.go#L206-L209" in text


def test_what_somebody_else_wrote_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = tmp_path / "external_system.pml"
    foreign.write_text("bool mine;\n")
    assert run("export", MODEL, "--to", "promela", "-o", tmp_path) == 2
    assert "did not write it" in capsys.readouterr().err
    assert foreign.read_text() == "bool mine;\n"
    assert run("export", MODEL, "--to", "promela", "-o", tmp_path, "--force") == 0
    assert MARK in foreign.read_text()


def test_it_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", MODEL, "--to", "promela", "-o", "-") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("/*\n * Written by reconcheck")
    assert "without schedule." in printed
    assert run("export", MODEL, "--to", "promela", "-o", "-", "--with", "schedule") == 0
    assert "proctype fire_resync_period()" in capsys.readouterr().out
    assert "fire_resync_period" not in printed


@pytest.mark.parametrize("target", ["tla", "promela"])
def test_who_has_read_enough_may_close_the_pipe(target: str) -> None:
    model = ROOT / "models" / "percona-mongodb" / "backup.rdsl"  # more text than a pipe holds
    command = [sys.executable, "-m", "reconcheck", "export", str(model), "--to", target, "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_only_the_goals_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "counting.rdsl"
    model.write_text(ENDLESS)
    assert run("export", model, "--to", "promela", "--bound", "20", "--goal", "many", "-o", "-") == 0
    printed = capsys.readouterr().out
    assert "ltl many { [] (begun -> is_many) }" in printed
    assert "ltl few" not in printed
    assert run("export", model, "--to", "promela", "--bound", "20", "--goal", "money", "-o", "-") == 2
    assert "its goals are: few, many" in capsys.readouterr().err


def test_numbers_without_bounds_need_one_where_the_target_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "counting.rdsl"
    model.write_text(ENDLESS)
    assert run("export", model, "--to", "promela", "-o", "-") == 2
    assert "--bound 8" in capsys.readouterr().err
    assert run("export", model, "--to", "promela", "--bound", "8", "-o", "-") == 2
    assert "nothing could ever happen" in capsys.readouterr().err
    assert run("export", model, "--to", "promela", "--bound", "12", "-o", "-") == 0
    printed = capsys.readouterr().out
    assert "BOUNDED: numbers that the model leaves without bounds stay within 12" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "basic"], "Invalid value for '--to'"),
        ([], "Missing option '--to'"),
        (["--to", "promela", "--bound", "0"], "0 is not in the range"),
        (["--to", "promela", "--without", "polling"], "no requeue rule `polling`"),
    ],
)
def test_wrong_command_lines_are_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", MODEL, *arguments) == 2
    assert told in capsys.readouterr().err


def test_a_folder_is_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", ROOT / "models", "--to", "promela") == 2
    assert "is a folder" in capsys.readouterr().err
