"""`reconcheck new` and `reconcheck models`."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcheck import load, verify
from reconcheck.cli.models import summary
from reconcheck.cli.template import Outline, Template, identifier
from reconcheck.model import runtimes
from test_command_line import reconcheck

ROOT = Path(__file__).parent.parent
OUTLINES = {
    "owned": Outline("app", "App", "", ("Deployment",)),
    "external": Outline("app", "App", "", externals=("Grafana",), poll="10m"),
    "read": Outline("app", "App", "", reads=("Secret",), externals=("the database",)),
    "all": Outline("My app 2", "App", "", ("StatefulSet", "Secret"), ("Secret", "ConfigMap"), ("a-b", "7"), "1m30s"),
    "words": Outline("operator", "Owner", "", ("New", "Self"), ("Controller",), ("watch",)),
}
COMBINATIONS = [
    Outline("app", "App", "controller-runtime", owns, reads, externals, poll)
    for owns, reads, externals, poll in itertools.product(
        ((), ("Deployment",), ("Deployment", "Service")),
        ((), ("Secret",), ("Secret", "ConfigMap"), ("Secret", "ConfigMap", "Node")),
        ((), ("database",), ("database", "registry")),
        ("", "5s"),
    )
    if owns or externals
]


# ---- new -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", runtimes.names())
@pytest.mark.parametrize("outline", OUTLINES.values(), ids=OUTLINES)
def test_every_outline_makes_a_model_without_findings(outline: Outline, runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "new.rdsl"
    path.write_text(Template(replace(outline, runtime=runtime)).text())
    loaded = load(path)
    assert not loaded.findings
    assert loaded.operator.name == identifier(outline.name)
    assert len(loaded.operator.goals) == len(outline.owns) + len(outline.externals)
    assert ("poll" in {rule.name for rule in loaded.operator.rules()}) == bool(outline.poll)


@pytest.mark.parametrize("runtime", ["controller-runtime", "kopf", "ansible", "helm"])
def test_every_combination_reads_what_it_is_said_to_read(runtime: str, tmp_path: Path) -> None:
    """Those runtimes read everything, the primary only, all but the primary, and nothing at all from a cache."""
    path = tmp_path / "new.rdsl"
    for outline in COMBINATIONS:
        path.write_text(Template(replace(outline, runtime=runtime)).text())
        assert not load(path).findings, outline
        text = path.read_text()
        reconcile = text[text.index("    reconcile {") : text.index("  environment {")]
        goals = text[text.index("  converges {") :]
        for kind in outline.reads:
            content = rf"\b{kind.lower()}\.content\b"
            assert re.search(content, reconcile), (kind, outline)
            assert re.search(content, goals), (kind, outline)
            assert f"watch {kind.lower()}" not in text


FLAGS = {
    "one": ("--owns", "Deployment", "--reads", "Secret"),
    "poll": ("--owns", "Deployment", "--reads", "Secret", "--poll", "5s"),
    "live": ("--owns", "Deployment", "--reads", "Secret", "--runtime", "kopf"),
    "all live": ("--owns", "Deployment", "--reads", "Secret", "--runtime", "ansible"),
    "two read": ("--owns", "Deployment", "--reads", "Secret", "--reads", "ConfigMap"),
    "two owned": ("--owns", "Deployment", "--owns", "Service", "--reads", "Secret"),
    "by default": ("--reads", "Secret"),
    "outside": ("--external", "database", "--reads", "Secret"),
    "both": ("--owns", "Deployment", "--external", "database", "--reads", "Secret"),
}


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_a_watch_that_is_missing_is_missed(flags: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "app.rdsl"
    result = reconcheck("new", str(path), "--no-ask", *flags)
    assert result.returncode == 0, result.stderr
    done = verify(path)
    assert not done.verdicts[0].converges
    assert done.verdicts[0].quiet
    if "--external" not in flags or "--owns" in flags:  # a system that sends no events is missed before
        assert "RC411" in {cause.code for cause in done.verdicts[0].causes}, "no unwatched read"


def test_with_the_watch_it_converges(tmp_path: Path) -> None:
    path = tmp_path / "app.rdsl"
    reconcheck("new", str(path), "--no-ask", *FLAGS["one"])
    path.write_text(path.read_text().replace("    on error backoff", "    watch secret\n    on error backoff"))
    assert verify(path).goal("deployment_as_wanted").converges


def test_what_is_written_shows_what_reconcheck_is_for(tmp_path: Path) -> None:
    path = tmp_path / "app.rdsl"
    assert reconcheck("new", str(path), "--no-ask").returncode == 0
    assert verify(path).goal("deployment_as_wanted").converges
    path = tmp_path / "read.rdsl"
    arguments = ("--reads", "Secret", "--external", "database", "--poll", "5s")
    result = reconcheck("new", str(path), "--no-ask", *arguments)
    assert result.stdout == f"wrote {path}; see what it says: reconcheck verify {path}\n"
    assert verify(path).goal("database_as_wanted").quiet
    assert verify(path, schedule=True).goal("database_as_wanted").converges


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "app.rdsl"
    path.write_text("mine")
    (tmp_path / "link.rdsl").symlink_to(path)
    for name in ("app.rdsl", "link.rdsl"):
        result = reconcheck("new", str(tmp_path / name), "--no-ask")
        assert result.returncode == 2
        assert "exists, and is left as it is" in result.stderr
    assert path.read_text() == "mine"
    assert reconcheck("new", str(tmp_path / "no" / "folder.rdsl"), "--no-ask").returncode == 2


def test_the_file_is_named_after_the_operator(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconcheck", "new", "--name", "My app"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["my_app.rdsl"]


def asked(answers: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconcheck", "new", "-", "--ask", *arguments]
    return subprocess.run(command, input=answers, capture_output=True, text=True, timeout=60)


def test_questions_ask_for_what_is_not_given(tmp_path: Path) -> None:
    result = asked("keeper\nVault\n\nSecret, ConfigMap\ndatabase\n5s\nkube-rs\n")
    assert result.returncode == 0, result.stderr
    for line in (
        "operator keeper {",
        "  runtime kube-rs",
        "  primary Vault as vault",
        "  resource Deployment as deployment owned by vault",
        "  resource ConfigMap as configmap {",
        '  external database "database"',
        "    requeue poll every 5s",
    ):
        assert line in result.stdout
    assert "name of the operator [app]: " in result.stderr
    flags = ("--name", "a", "--kind", "A", "--owns", "Pod", "--reads", "S", "--external", "x", "--poll", "1s")
    assert asked("", *flags, "--runtime", "kopf").returncode == 0


def test_questions_and_flags_write_the_same() -> None:
    flags = ("--owns", "Deployment", "--owns", "Service", "--reads", "Secret", "--reads", "ConfigMap", "--poll", "5s")
    answers = asked("\n\nDeployment, Service\nSecret,ConfigMap\n\n5s\n\n")
    assert answers.stdout == reconcheck("new", "-", "--no-ask", *flags).stdout
    assert "from_secret: opaque" in answers.stdout


def test_an_answer_that_is_none_is_asked_for_again() -> None:
    result = asked("app\nno kind\nApp\nDeployment\nnot, a kind\nSecret\n\n0s\n5\n5s\n\n")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("is no kind: it is one word") == 2
    assert result.stderr.count("is no length of time") == 2
    assert "requeue poll every 5s" in result.stdout


def test_words_of_the_language_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "new.rdsl"
    grammar = (ROOT / "grammar" / "rdsl.lark").read_text()
    for word in sorted({*re.findall(r'"([a-z]+)"', grammar), "memory", "generation", "exists", "deleted"}):
        kind = word.capitalize()
        for outline in (
            Outline(word, kind, "kopf", ("Pod",), (f"{kind}s",), (f"{word}1",)),
            Outline("app", "App", "controller-runtime", (kind,), (kind,), (word, f"{word} now")),
        ):
            path.write_text(Template(outline).text())
            assert not load(path).findings, word


def test_what_makes_no_model_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "x.rdsl"
    for arguments in (
        ["--poll", "5"],
        ["--poll", "0s"],
        ["--poll", "0h0ms"],
        ["--poll", "-5s"],
        ["--poll", "5s  late"],
        ["--owns", "not a kind"],
        ["--owns", ""],
        ["--owns", "Deployment,Service"],
        ["--kind", "A { }"],
        ["--reads", "v1/Secret"],
        ["--external", 'a"b'],
        ["--external", " "],
        ["--runtime", "other"],
    ):
        result = reconcheck("new", str(path), *arguments, "--no-ask")
        assert result.returncode == 2, arguments
        assert "error[RC107]: " in result.stderr
        assert "Traceback" not in result.stderr
    assert asked("", "--reads", "Secret").returncode == 130
    assert not path.exists()


# ---- models ----------------------------------------------------------------------------------------------------


def test_every_model_is_listed_with_what_it_shows() -> None:
    lines = reconcheck("models").stdout.splitlines()
    names = {line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")}
    folder = ROOT / "models"
    assert names == {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.rdsl")}
    assert max(map(len, lines)) <= 100
    described = sum(line.startswith("   ") for line in lines)
    assert described >= len(names)
    assert lines.index("  std/workloads") > lines.index('to import, as in `import "std/workloads"`:')


def test_a_model_is_shown_as_it_is() -> None:
    text = (ROOT / "models" / "minimal" / "time.rdsl").read_text()
    for name in ("minimal/time", "time", "time.rdsl"):
        assert reconcheck("models", "show", name).stdout == text
    assert reconcheck("models", "path", "time").stdout.strip() == str(ROOT / "models" / "minimal" / "time.rdsl")
    assert reconcheck("models", "path").stdout.strip() == str(ROOT / "models")


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    result = reconcheck("models", "show", "minimal/tim")
    assert result.returncode == 2
    assert "did you mean `minimal/time`?" in result.stderr
    assert reconcheck("models", "show", "../pyproject").returncode == 2
    assert reconcheck("models", "show").returncode == 2


def test_the_first_sentence_tells_what_a_model_is() -> None:
    assert summary("rdsl 1\n\n/// One thing: it\n/// goes on. More.\n///\n/// Else.\n") == "One thing: it goes on"
    assert summary("rdsl 1\noperator x {}\n") == ""
