"""`reconcheck sources`: citations, looked up in repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconcheck.cli.clones import name_of
from reconcheck.syntax.citation import Location, citations, location_of
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


ADDRESS = "https://example.org/team/app"


def model(
    folder: Path, cited: str = CITED, source: str | None = None, address: str = ADDRESS, name: str = "m.rdsl"
) -> str:
    path = folder / name
    commit = git(folder / "clone", "rev-parse", "HEAD") if source is None else source
    line = f'source "{address}" at "{commit}"' if commit else f'source "{address}"'
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
            assert one.place is not None, f"{one.cite.span}: {one.cite.location}"
            assert one.place.lines is not None, f"{one.cite.span}: no lines"
            whole = re.fullmatch("[0-9a-f]{40}|refs/pull/[0-9]+/head", one.commit or "")
            assert whole, f"{one.cite.span}: neither a whole commit nor a pull request"


def test_citations_are_listed(tmp_path: Path, clone: Path) -> None:
    result = reconcheck("sources", model(tmp_path, source="abc1234"))
    assert result.returncode == 0
    assert result.stdout == f"{tmp_path / 'm.rdsl'}:9: app.go#L4-L6 Reconcile at abc1234\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("app.go", Location("app.go", None, "")),
        ("app.go#L4", Location("app.go", (4, 4), "")),
        ("pkg/my app.go#L4-L6", Location("pkg/my app.go", (4, 6), "")),
        ("app.go#L4-6 Reconcile", Location("app.go", (4, 6), "Reconcile")),
        ("app.go#L4  return poll", Location("app.go", (4, 4), "return poll")),
        ("app.go#Reconcile", None),
        ("app.go#L4-", None),
        ("", None),
    ],
)
def test_a_location_is_a_path_lines_and_a_name(text: str, place: Location | None) -> None:
    assert location_of(text) == place


@pytest.mark.parametrize("form", ["work tree", "subfolder", "bare", "git directory"])
def test_what_is_there_is_said_to_be(tmp_path: Path, clone: Path, form: str) -> None:
    folder = clone
    match form:
        case "subfolder":
            folder = clone / "pkg"
            folder.mkdir()
        case "bare":
            folder = tmp_path / "bare.git"
            git(tmp_path, "clone", "-q", "--bare", str(clone), str(folder))
        case "git directory":
            folder = clone / ".git"
    for cited in (CITED, 'watch app @"app.go"', 'watch app @"app.go#L8"', 'watch app @"app.go#L8" at "HEAD"'):
        result = reconcheck("sources", "--check", model(tmp_path, cited), "--repo", str(folder))
        assert result.returncode == 0, result.stdout + result.stderr
        says = "1 names" if "Reconcile" in cited else "0 name"
        assert result.stdout == f"1 of 1 citations are there; {says} what has to stand there\n"


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
    named = "1 names" if " Recon" in cited else "0 name"  # which is what the model says, found or not
    assert f"\n0 of 1 citations are there; {named} what has to stand there\n" in result.stdout


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
        (f"//\n{CODE}".replace("return poll", "return nil"), "`Reconcile` is in line 4 there"),
        (CODE.replace("Reconcile()", "Work()").replace("// Reconcile", "// It"), "`Reconcile` is in app.go no more"),
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


# ---- which clone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/team/app",
        "https://example.org/team/app/",
        "https://example.org/team/app.git",
        "https://me@Example.org/team/app",
        "git@example.org:team/app.git",
        "ssh://git@example.org:22/team/app",
        "example.org/team/app",
    ],
)
def test_an_address_is_known_in_every_way_to_write_it(tmp_path: Path, clone: Path, address: str) -> None:
    assert name_of(address) == ("example.org", "team/app")
    result = reconcheck("sources", "--check", model(tmp_path), "--repo", f"{address}={clone}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("1 of 1 citations are there")


@pytest.mark.parametrize("place", ["example.org/team/app", "team/app", "app", "app.git", "example.org/team/app.git"])
def test_clones_are_found_below_a_folder(tmp_path: Path, clone: Path, place: str) -> None:
    path = model(tmp_path)
    root = tmp_path / "root"
    (root / "team" / "app").mkdir(parents=True)
    git(tmp_path, "clone", "-q", *(["--bare"] if place.endswith(".git") else []), str(clone), str(root / place))
    result = reconcheck("sources", "--check", path, "--repo-root", str(root), "--format", "json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["models"][0]["folder"] == str(root / place)


def test_each_model_is_looked_up_in_its_own_repository(tmp_path: Path, clone: Path) -> None:
    """Two repositories, in which the name stands in different lines."""
    models = tmp_path / "models"
    models.mkdir()
    model(tmp_path)
    (tmp_path / "m.rdsl").rename(models / "a.rdsl")
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(clone), str(other))
    head = commit(other, f"// new\n{CODE}")
    model(tmp_path, 'watch app @"app.go#L5-L7 Reconcile"', head, "https://example.org/team/other")
    (tmp_path / "m.rdsl").rename(models / "b.rdsl")
    both = [f"{ADDRESS}={clone}", f"https://example.org/team/other={other}"]
    for arguments in (
        ["--repo", both[0], "--repo", both[1]],
        ["--repo", both[0], "--repo", str(other)],
        ["--repo-root", str(tmp_path), "--repo", both[0]],
    ):
        result = reconcheck("sources", "--check", str(models), *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "2 of 2 citations are there; 2 name" in result.stdout
        assert "(models: 2, repositories: 2, commits: 2)" in result.stdout
    swapped = [f"{ADDRESS}={other}", f"https://example.org/team/other={clone}"]
    result = reconcheck("sources", "--check", str(models), "--repo", swapped[0], "--repo", swapped[1])
    assert result.returncode == 1
    assert "error[RC602]" in result.stdout
    assert "\n1 of 2 citations are there" in result.stdout, "the other has the commit of the first as well"


def test_a_repository_without_a_clone_is_no_success(tmp_path: Path, clone: Path) -> None:
    path, again = model(tmp_path), model(tmp_path, name="n.rdsl")
    root = tmp_path / "empty"
    root.mkdir()
    result = reconcheck("sources", "--check", path, again, "--repo-root", str(root))
    assert result.returncode == 1
    assert result.stdout.count("error[RC607]") == 1, "said once"
    assert f"{root / 'example.org/team/app'}, {root / 'example.org/team/app.git'}" in result.stdout
    assert "\n0 of 2 citations are there; 2 could not be looked up" in result.stdout
    (tmp_path / "none.rdsl").write_text(goal_model().replace("watch app", CITED))
    result = reconcheck("sources", "--check", str(tmp_path / "none.rdsl"), "--repo-root", str(root))
    assert result.returncode == 1
    assert "error[RC607]: the model names no repository" in result.stdout
    assert "error[RC602]: no commit is given" in result.stdout


def test_git_is_asked_about_the_folder_that_was_given(tmp_path: Path, clone: Path) -> None:
    """Within a hook, git itself says where it is; and a user may forbid it to find bare repositories."""
    path = model(tmp_path)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(clone), str(bare))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(elsewhere, "init", "-q")
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.bareRepository", "GIT_CONFIG_VALUE_0": "explicit"}
    hook = {"GIT_DIR": str(elsewhere / ".git"), "GIT_WORK_TREE": str(elsewhere), "GIT_PREFIX": "x/"}
    for folder in (clone, bare):
        command = [sys.executable, "-m", "reconcheck", "sources", "--check", path, "--repo", str(folder)]
        environment = {**os.environ, **settings, **hook, "PYTHONPATH": str(ROOT / "checker")}
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_clones_that_do_not_fit_are_a_wrong_command_line(tmp_path: Path, clone: Path) -> None:
    path, other = model(tmp_path), model(tmp_path, address="https://example.org/team/other", name="n.rdsl")
    for arguments, says in (
        ([path, "--repo", f"https://example.org/team/ap={clone}"], f"the models name: {ADDRESS}"),
        ([path, "--repo", f"{ADDRESS}={tmp_path / 'none'}"], "there is no folder"),
        ([path, "--repo", f"{ADDRESS}={clone}", "--repo", f"{ADDRESS}.git={clone}"], "two clones of"),
        ([path, "--repo", str(clone), "--repo", str(clone)], "are for the same models"),
        ([path, other, "--repo", str(clone)], "the models name 2 repositories"),
        ([path, "--repo-root", str(tmp_path / "none")], "there is no folder"),
        ([path, "--repo-root", str(tmp_path), "--output", "x.sarif"], "does not tell the format"),
    ):
        result = reconcheck("sources", "--check", *arguments)
        assert result.returncode == 2, arguments
        assert "RC107" in result.stderr
        assert says in result.stderr


# ---- formats -----------------------------------------------------------------------------------------------------


def valid(text: str) -> Any:
    document = json.loads(text)
    schema = json.loads((ROOT / "spec" / "sources.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    return document


def test_json_has_every_citation(tmp_path: Path, clone: Path) -> None:
    path = model(tmp_path, 'watch app @"app.go#L4-L6 Reconcile" @"app.go#L8 nothing" @"app.go:3"')
    listed = valid(reconcheck("sources", path, "--format", "json").stdout)
    assert not listed["checked"]
    assert [one["state"] for one in listed["models"][0]["citations"]] == ["listed"] * 3
    result = reconcheck("sources", "--check", path, "--repo", str(clone), "--format", "json")
    assert result.returncode == 1
    document = valid(result.stdout)
    first, second, third = document["models"][0]["citations"]
    assert (first["path"], first["first_line"], first["last_line"], first["symbol"]) == ("app.go", 4, 6, "Reconcile")
    assert (first["state"], first["problem"]) == ("there", None)
    assert (second["state"], second["problem"]["code"]) == ("wrong", "RC605")
    assert (third["path"], third["problem"]["code"]) == ("app.go:3", "RC603")
    totals = {"models": 1, "repositories": 1, "commits": 1, "citations": 3, "named": 2, "there": 1, "wrong": 2}
    assert document["totals"] == {**totals, "not_looked_up": 0}


def test_markdown_has_a_row_for_each_commit(tmp_path: Path, clone: Path) -> None:
    path = model(tmp_path)
    into = tmp_path / "page.md"
    arguments = ["sources", "--check", path, "--repo", str(clone)]
    result = reconcheck(*arguments, "--output", str(into))
    assert result.returncode == 0
    assert result.stdout.startswith("1 of 1")
    head = git(clone, "rev-parse", "--short=12", "HEAD")
    page = into.read_text()
    assert f"| `example.org/team/app` | `{head}` | 1 | 1 | 1 | 1 |\n| all |  | 1 | 1 | 1 | 1 |\n" in page
    assert reconcheck(*arguments, "--format", "markdown").stdout == page
    wrong = model(tmp_path, 'watch app @"other.go#L4"')
    page = reconcheck("sources", "--check", wrong, "--repo", str(clone), "--format", "markdown").stdout
    assert f"- `RC603 {wrong}:9:15: there is no file other.go at {head}`" in page


# ---- the record --------------------------------------------------------------------------------------------------


def rows(page: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"][2:]


def test_the_record_is_of_the_models_that_are_shipped() -> None:
    """It cannot be made here, without the repositories; but whoever changes a citation has to make it anew."""
    page = (ROOT / "spec" / "sources.md").read_text()
    listed = rows(reconcheck("sources", "models", "--format", "markdown").stdout)
    recorded = rows(page.split("<!-- begin -->")[1].split("<!-- end -->")[0])
    assert [row[:-1] for row in recorded] == listed, "spec/sources.md says how to write it anew"
    absent = [row[0].strip("`") for row in recorded[:-1] if row[-1] != row[3]]
    assert all(f"there is no clone of https://{one}`" in page for one in absent), "all of them are there"
    assert len(set(absent)) == 2
