"""`reconcheck sources`: citations, looked up in repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reconcheck.cli.citations import citations
from reconcheck.syntax.parser import parse_file
from test_command_line import goal_model, reconcheck

ROOT = Path(__file__).parent.parent
CODE = "package app\n\n// Reconcile is called.\nfunc (r *App) Reconcile() {\n\treturn poll\n}\n\nvar poll = 5\n"
CITED = 'watch app @"app.go#L4-L6 Reconcile"'


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, CODE)
    return folder


def commit(folder: Path, text: str | None) -> str:
    path = folder / "app.go"
    if text is None:
        git(folder, "rm", "-q", "app.go")
    else:
        path.write_text(text)
        git(folder, "add", "app.go")
    git(folder, "commit", "-q", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


def model(folder: Path, cited: str = CITED, source: str | None = None) -> str:
    path = folder / "m.rdsl"
    commit = git(folder / "clone", "rev-parse", "HEAD") if source is None else source
    line = f'source "https://example.org/app" at "{commit}"' if commit else 'source "https://example.org/app"'
    path.write_text(goal_model().replace("watch app", cited).replace("primary App", f"{line}\n  primary App"))
    return str(path)


def test_every_citation_is_found_with_its_commit() -> None:
    path = ROOT / "models" / "percona-mongodb" / "backup.rdsl"
    text = path.read_text()
    found = citations(parse_file(path)[0])
    assert len(found) == text.count('@"')
    assert [one.cite.span.line for one in found] == sorted(one.cite.span.line for one in found)
    assert {one.commit for one in found} == {"b15af50030bfc5558813b86b160e87fd304a409c"}
    everything = parse_file(ROOT / "tests" / "models" / "everything.rdsl")
    assert len(citations(everything[0])) == everything[1].count('@"')


def test_shipped_models_cite_in_the_form_that_can_be_looked_up() -> None:
    for path in sorted((ROOT / "models").rglob("*.rdsl")):
        for one in citations(parse_file(path)[0]):
            assert one.path, f"{one.cite.span}: {one.cite.location}"
            assert one.commit, f"{one.cite.span}: no commit"


def test_citations_are_listed(tmp_path: Path, clone: Path) -> None:
    result = reconcheck("sources", model(tmp_path, source="abc1234"))
    assert result.returncode == 0
    assert result.stdout == f"{tmp_path / 'm.rdsl'}:9: app.go#L4-L6 Reconcile at abc1234\n"


@pytest.mark.parametrize("bare", [False, True])
def test_what_is_there_is_said_to_be(tmp_path: Path, clone: Path, bare: bool) -> None:
    folder = clone
    if bare:
        folder = tmp_path / "bare.git"
        git(tmp_path, "clone", "-q", "--bare", str(clone), str(folder))
    for cited in (CITED, 'watch app @"app.go"', 'watch app @"app.go#L8"', 'watch app @"app.go#L8" at "HEAD"'):
        result = reconcheck("sources", "--check", model(tmp_path, cited), "--repo", str(folder))
        assert result.returncode == 0, result.stdout + result.stderr
        assert result.stdout == "1 of 1 citations are there\n"


@pytest.mark.parametrize(
    ("cited", "code", "says"),
    [
        ('@"app.go:4"', "RC603", "there is no file app.go:4"),
        ('@"app.go#4"', "RC601", "`app.go#4` is not PATH#LFROM-LTO"),
        ('@"app.go#L4" at "0000000"', "RC602", "has no commit 0000000"),
        ('@"app.go#L4" at "--help"', "RC602", "has no commit --help"),
        ('@"other.go#L4"', "RC603", "there is no file other.go"),
        ('@"../app.go#L4"', "RC603", "there is no file ../app.go"),
        ('@"app.go#L8-L9"', "RC604", "has 8 lines only"),
        ('@"app.go#L6-L4"', "RC604", "L6-L4 are no lines"),
        ('@"app.go#L0"', "RC604", "L0-L0 are no lines"),
        ('@"app.go#L2"', "RC604", "there is nothing in these lines"),
        ('@"app.go#L5 Reconcile"', "RC605", "the nearest is in line 4"),
        ('@"app.go#L4 Recon"', "RC605", "`Recon` is not in these lines"),
    ],
)
def test_what_is_not_there_is_said_with_its_line(tmp_path: Path, clone: Path, cited: str, code: str, says: str) -> None:
    result = reconcheck("sources", "--check", model(tmp_path, f"watch app {cited}"), "--repo", str(clone))
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"error[{code}]" in result.stdout
    assert f"{tmp_path / 'm.rdsl'}:9:15" in result.stdout
    assert says in result.stdout
    assert result.stdout.endswith("0 of 1 citations are there\n")


def test_a_citation_needs_a_commit(tmp_path: Path, clone: Path) -> None:
    result = reconcheck("sources", "--check", model(tmp_path, source=""), "--repo", str(clone))
    assert result.returncode == 1
    assert "error[RC602]: no commit is given" in result.stdout


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (CODE.replace("var poll = 5", "var poll = 6"), ""),
        (f"// new\n{CODE}", "there they are L5-L7"),
        (CODE.replace("return poll", "return nil"), "these lines are not the same at HEAD"),
        (None, "app.go is gone at HEAD"),
    ],
)
def test_what_has_changed_since_is_said(tmp_path: Path, clone: Path, now: str | None, says: str) -> None:
    path = model(tmp_path)
    commit(clone, now)
    assert reconcheck("sources", "--check", path, "--repo", str(clone)).returncode == 0
    result = reconcheck("sources", "--check", path, "--repo", str(clone), "--at", "HEAD")
    assert result.returncode == (1 if says else 0), result.stdout
    assert says in result.stdout
    assert ("error[RC606]" in result.stdout) == bool(says)


def test_a_wrong_repository_is_a_wrong_command_line(tmp_path: Path, clone: Path) -> None:
    path, elsewhere = model(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    for arguments in (
        ["--check", path],
        [path, "--repo", str(clone)],
        [path, "--at", "HEAD"],
        ["--check", path, "--repo", str(tmp_path / "none")],
        ["--check", path, "--repo", str(elsewhere)],
        ["--check", path, "--repo", str(clone), "--at", "nowhere"],
    ):
        result = reconcheck("sources", *arguments)
        assert result.returncode == 2, arguments
        assert "RC107" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_wrong_model_is_said_to_be_wrong(tmp_path: Path, clone: Path) -> None:
    (tmp_path / "w.rdsl").write_text("rdsl 1\noperator {")
    result = reconcheck("sources", str(tmp_path / "w.rdsl"))
    assert result.returncode == 2
    assert "RC110" in result.stderr
