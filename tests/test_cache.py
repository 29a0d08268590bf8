"""Reports are remembered as long as nothing changed that they depend on, and never otherwise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcheck import resources
from reconcheck.cache import key, results
from reconcheck.cache.codec import encode
from reconcheck.cache.key import key_of
from reconcheck.cache.results import Results, definite
from reconcheck.cache.store import HEAD, SUFFIX, Store
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.request import Request
from reconcheck.explain.diagnosis import Diagnosis, Levels
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.syntax import parser

ROOT = Path(__file__).parent.parent
EXTERNAL = ROOT / "models" / "minimal" / "external-system.rdsl"
PLAIN = Request((), ScopeAsked(), {}, None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, switched on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(results.SWITCH)
    return tmp_path / "cache" / "reconcheck" / "reports"


def verified(path: Path) -> Report:
    return Verifier(load(path)).report(Scope())


def remembered(path: Path, request: Request = PLAIN) -> bool:
    return Results().find(path, request.options).report is not None


def keep(path: Path, request: Request = PLAIN) -> bool:
    lookup = Results().find(path, request.options)
    outcome = request.verify(path)
    assert isinstance(outcome, Report), outcome
    return Results().keep(lookup, outcome)


# ---- keys --------------------------------------------------------------------------------------------------------

LIBRARY = "rdsl 1\ntype Size = 1..2\n"
MODEL = EXTERNAL.read_text().replace("rdsl 1\n", 'rdsl 1\nimport "lib"\n', 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.rdsl").write_text(MODEL)
    (tmp_path / "lib.rdsl").write_text(LIBRARY)
    return tmp_path


def name_of(path: Path, request: Request = PLAIN) -> str:
    found = key_of(path, request.options)
    assert found is not None
    return found.name


def edit_model(folder: Path) -> None:
    (folder / "m.rdsl").write_text(MODEL + "// more\n")


def edit_library(folder: Path) -> None:
    (folder / "lib.rdsl").write_text(LIBRARY + "// more\n")


def edit_library_of_library(folder: Path) -> None:
    (folder / "deep.rdsl").write_text(LIBRARY)


@pytest.mark.parametrize("edit", [edit_model, edit_library])
def test_a_changed_text_is_another_key(folder: Path, edit: Callable[[Path], None]) -> None:
    before = name_of(folder / "m.rdsl")
    assert name_of(folder / "m.rdsl") == before
    edit(folder)
    assert name_of(folder / "m.rdsl") != before


def test_a_file_that_takes_the_place_of_a_shipped_one_is_another_key(tmp_path: Path) -> None:
    path = tmp_path / "m.rdsl"
    path.write_text(MODEL.replace('"lib"', '"std/workloads"'))
    before = name_of(path)
    (tmp_path / "std").mkdir()
    shutil.copy(ROOT / "models" / "std" / "workloads.rdsl", tmp_path / "std" / "workloads.rdsl")
    assert name_of(path) != before


@pytest.mark.parametrize(
    "written",
    ['import "lib"', 'import // "why"\n"lib"', 'import\n\n  "lib"', '// "odd\nimport "lib"', 'import "lib" // "odd'],
)
def test_no_import_is_overlooked(folder: Path, written: str) -> None:
    path = folder / "m.rdsl"
    path.write_text(MODEL.replace('import "lib"', written))
    assert str(folder / "lib.rdsl") in load(path).operator.sources
    found = key_of(path, {})
    assert found is not None
    assert load(path).operator.sources == found.texts
    before = found.name
    edit_library(folder)
    assert name_of(path, PLAIN) != before
    assert key_of(path, {}) != found


def test_imports_of_imports_count(folder: Path) -> None:
    (folder / "lib.rdsl").write_text('rdsl 1\nimport "deep"\n')
    edit_library_of_library(folder)
    before = name_of(folder / "m.rdsl")
    (folder / "deep.rdsl").write_text(LIBRARY + "// more\n")
    assert name_of(folder / "m.rdsl") != before


def test_a_circle_of_imports_has_a_key(folder: Path) -> None:
    (folder / "lib.rdsl").write_text('rdsl 1\nimport "m"\nimport "lib"\n')
    assert name_of(folder / "m.rdsl")


@pytest.mark.parametrize("field", Request.__struct_fields__)
def test_every_option_but_the_time_is_part_of_the_key(folder: Path, field: str) -> None:
    """Whatever options there will be: one that is no part of the key has to be named here."""
    path = folder / "m.rdsl"
    values: dict[str, list[Any]] = {
        "goals": [("g",)],
        "scope": [ScopeAsked("schedule"), ScopeAsked(without=("r",)), ScopeAsked(level="L1")],
        "settings": [{"N": 3}],
        "timeout": [5.0],
        "also_with_schedule": [True],
        "texts": [],
    }
    assert field in values, "say here what a new option can be"
    names = [name_of(path, replace(PLAIN, **{field: value})) for value in values[field]]
    assert all((name == name_of(path)) == (field == "timeout") for name in names)
    assert len(set(names)) == len(names)


def test_a_model_that_is_in_no_file_is_not_remembered(folder: Path) -> None:
    path = folder / "m.rdsl"
    assert Results().find(path, replace(PLAIN, texts={path: "rdsl 1"}).options).key is None


def test_each_path_has_its_own_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report names its file."""
    monkeypatch.chdir(folder)
    assert name_of(Path("m.rdsl")) != name_of(folder / "m.rdsl")


def test_another_reconcheck_is_another_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, own = name_of(folder / "m.rdsl"), key.fingerprint()
    copy = folder / "reconcheck"
    shutil.copytree(resources.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(resources, "PACKAGE", copy)
    assert key.fingerprint.__wrapped__() == own
    source = copy / "engines" / "prove.py"
    source.write_text(source.read_text() + "\n")
    changed = key.fingerprint.__wrapped__()
    assert changed != own
    monkeypatch.setattr(key, "_version", lambda _module, _package: "0.0")
    assert key.fingerprint.__wrapped__() not in (own, changed)
    monkeypatch.setattr(key, "fingerprint", lambda: changed)
    assert name_of(folder / "m.rdsl") != before


def test_the_versions_of_what_computes_are_known() -> None:
    for module, package in key.SOLVERS:
        assert key._version(module, package) == f"{package}-{version(package)}.dist-info"
    assert key._version("no_such_module", "none") == ""


def test_what_cannot_be_read_has_no_key(folder: Path) -> None:
    assert key_of(folder / "none.rdsl", {}) is None
    (folder / "lib.rdsl").write_bytes(b"\xff\xfe")
    assert key_of(folder / "m.rdsl", {}) is None
    (folder / "lib.rdsl").write_text(LIBRARY)
    assert key_of(folder / "m.rdsl", {"texts": {}}) is not None
    assert key_of(folder / "m.rdsl", {"texts": {folder: ""}}) is None


# ---- what is kept --------------------------------------------------------------------------------------------------


def test_a_report_is_found_again(home: Path) -> None:
    assert not remembered(EXTERNAL)
    assert keep(EXTERNAL)
    assert remembered(EXTERNAL)
    lookup = Results().find(EXTERNAL, PLAIN.options)
    assert lookup.report is not None
    assert lookup.report.cached
    assert [answer.verdict for answer in lookup.report.answers] == ["quiet"]
    assert lookup.report.answers[0].trace is not None
    assert not remembered(EXTERNAL, replace(PLAIN, scope=ScopeAsked("schedule")))
    assert [path.suffix for path in home.iterdir()] == [SUFFIX]


def test_nothing_is_remembered_where_it_is_not_wanted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep(EXTERNAL)
    assert Results(False).find(EXTERNAL, PLAIN.options).report is None
    monkeypatch.setenv(results.SWITCH, "off")
    assert not remembered(EXTERNAL)
    assert not keep(EXTERNAL)


def test_what_is_unknown_is_not_kept(home: Path) -> None:
    report = verified(EXTERNAL)
    assert definite(report)
    unknown = replace(report.answers[0], verdict="unknown")
    for other in (
        replace(report, answers=(unknown,)),
        replace(report, expectations=(replace(report.expectations[0], answer=unknown),)),
        replace(report, diagnosis=Diagnosis(levels=(Levels("shown", (*report.answers, unknown)),))),
        replace(report, diagnosis=Diagnosis(undecided=("no time was left",))),
    ):
        assert not definite(other)
        assert not Results().keep(Results().find(EXTERNAL, PLAIN.options), other)
    assert definite(replace(report, diagnosis=Diagnosis(levels=(Levels("shown", report.answers),))))
    assert not home.exists() or not list(home.iterdir())


def test_a_report_of_another_text_is_not_kept(home: Path, folder: Path) -> None:
    path = folder / "m.rdsl"
    lookup = Results().find(path, PLAIN.options)
    edit_model(folder)
    outcome = PLAIN.verify(path)
    assert isinstance(outcome, Report)
    assert not Results().keep(lookup, outcome)
    edit_library(folder)
    assert keep(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content.replace(HEAD, b"reconcheck report 0 "),
        lambda content: content[:120] + bytes([content[120] ^ 1]) + content[121:],
        lambda content: os.urandom(200),
    ],
)
def test_a_damaged_entry_is_ignored_and_written_again(home: Path, damage: Callable[[bytes], bytes]) -> None:
    assert keep(EXTERNAL)
    (entry,) = home.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(damage(good))
    assert not remembered(EXTERNAL)
    assert not entry.exists()
    assert keep(EXTERNAL)
    assert remembered(EXTERNAL)


def test_an_entry_that_is_no_report_is_ignored(home: Path) -> None:
    assert keep(EXTERNAL)
    (entry,) = home.iterdir()
    for text in (encode(("no", "report")), "{}"):
        assert Store(home).write(entry.stem, text)
        assert not remembered(EXTERNAL)
        assert not entry.exists()


# ---- files -----------------------------------------------------------------------------------------------------------


def test_the_folder_is_the_users_own(home: Path) -> None:
    assert keep(EXTERNAL)
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o777)
    assert not remembered(EXTERNAL)
    assert not keep(EXTERNAL)
    home.chmod(0o700)
    assert remembered(EXTERNAL)


def test_a_folder_that_depends_on_where_one_is_is_not_used(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The XDG specification: a relative path is to be ignored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for relative in ("rel", "", "."):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert resources.cache_directory() == tmp_path / "me" / ".cache" / "reconcheck"
        assert keep(EXTERNAL)
    assert [path.name for path in tmp_path.iterdir()] == ["me"]


def test_without_a_home_nothing_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert Results().store is None
    parser._parser.cache_clear()  # the compiled grammar would be kept there too
    assert not keep(EXTERNAL)


def test_a_link_in_place_of_the_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert not Store(tmp_path / "link").write("a", "text")
    assert Store(tmp_path / "real").write("a", "text")
    assert Store(tmp_path / "link").read("a") is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "reports")
    assert not store.write("a", "text")
    assert store.read("a") is None


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    text = json.dumps([os.urandom(500).hex()])
    Store(tmp_path / "r").write("size", text)
    size = (tmp_path / "r" / f"size{SUFFIX}").stat().st_size
    Store(tmp_path / "r").remove("size")
    store = Store(tmp_path / "r", most=10 * size)
    for number in range(10):
        assert store.write(f"e{number}", text)
        os.utime(tmp_path / "r" / f"e{number}{SUFFIX}", (number, number))
    assert store.read("e0") == text  # used just now
    assert store.write("new", text)
    left = {path.stem for path in (tmp_path / "r").iterdir()}
    assert {"e0", "new", "e9"} <= left
    assert not {"e1", "e2"} & left
    assert len(left) * size <= 10 * size
    assert not Store(tmp_path / "r", most=size - 1).write("large", text)


def test_files_that_were_never_finished_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "r")
    store.write("a", "text")
    old, new = tmp_path / "r" / ".new-old", tmp_path / "r" / ".new-new"
    old.write_text("half")
    new.write_text("half")
    os.utime(old, (1, 1))
    store.write("b", "text")
    assert not old.exists()
    assert new.exists()


def test_several_write_at_once(tmp_path: Path) -> None:
    """Whoever reads meanwhile sees one of the whole texts, or nothing."""
    texts = [json.dumps([name * 20_000]) for name in "abcd"]
    store = Store(tmp_path / "r", most=3_000)

    def work(number: int) -> list[str | None]:
        seen = []
        for turn in range(40):
            assert store.write(f"e{turn % 3}", texts[number])
            seen.append(store.read(f"e{turn % 3}"))
        return seen

    with ThreadPoolExecutor(4) as pool:
        seen = [text for found in pool.map(work, range(4)) for text in found]
    assert set(seen) <= {*texts, None}
    assert set(seen) & set(texts)


# ---- the command line ------------------------------------------------------------------------------------------------


def reconcheck(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "reconcheck", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_a_second_run_says_that_it_remembers(home: Path, tmp_path: Path) -> None:
    first, second = (reconcheck("verify", str(EXTERNAL)) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert "from the cache" not in first.stdout
    assert "from the cache: found before, in " in second.stdout
    shown, again = (text.stdout.split("\nin all ")[0].splitlines() for text in (first, second))
    assert [line[:14] for line in again if line not in shown] == ["from the cache"]
    assert "from the cache" not in reconcheck("verify", str(EXTERNAL), "--no-cache").stdout
    document = json.loads(reconcheck("verify", str(EXTERNAL), "--format", "json").stdout)
    assert document["models"][0]["cached"] is True


def test_a_folder_says_which_are_remembered(home: Path, folder: Path) -> None:
    shutil.copy(EXTERNAL, folder / "n.rdsl")
    (folder / "lib.rdsl").unlink()
    (folder / "m.rdsl").write_text(EXTERNAL.read_text() + "// first\n")
    for jobs in ("1", "2"):
        reconcheck("verify", str(folder), "--jobs", jobs)
        (folder / "m.rdsl").write_text(EXTERNAL.read_text() + f"// {jobs}\n")
        lines = reconcheck("verify", str(folder), "--jobs", jobs).stdout.splitlines()
        assert [line.split()[1:3] for line in lines[:2]][1] == [str(folder / "n.rdsl"), "cached"]
        assert "cached" not in lines[0]
        assert lines[2].endswith(", 1 from the cache")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_second_run_over_a_folder_computes_nothing(home: Path, tmp_path: Path, jobs: str) -> None:
    """Not even what computes is there: every answer, proof and run of the first comes from the cache."""
    models = tmp_path / "models"
    models.mkdir()
    for name in ("external-system", "swallowed-error", "unwatched-secondary"):
        shutil.copy(EXTERNAL.parent / f"{name}.rdsl", models)
    code = (
        "import json, sys\n"
        "from reconcheck.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = ('z3', 'lark', 'networkx', 'multiprocessing.context', 'reconcheck.explain.verify')\n"
        "print(json.dumps([code, [name for name in heavy if name in sys.modules]]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    command = [sys.executable, "-c", code, "verify", str(models), "--jobs", jobs, "--format", "json"]
    seen = []
    for cached in (False, True):
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        document, _, last = result.stdout.rpartition("\n[")
        reports = json.loads(document)["models"]
        assert [report.pop("cached") for report in reports] == [cached] * 3
        exit_code, loaded = json.loads("[" + last)
        assert exit_code == 0
        assert bool(loaded) != cached, loaded
        seen.append(reports)
    assert seen[0] == seen[1]


def test_a_remembered_proof_is_written_and_checked_like_a_new_one(home: Path, tmp_path: Path) -> None:
    for folder in ("new", "again"):
        result = reconcheck("verify", str(EXTERNAL), "--certificate", str(tmp_path / folder))
        assert result.returncode == 0, result.stderr
    assert "from the cache" in result.stdout
    new, again = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("new", "again")
    )
    assert new == again
    assert len(new) == 2


def test_what_is_remembered_needs_no_solver(home: Path) -> None:
    reconcheck("verify", str(EXTERNAL))
    code = f"import sys; from reconcheck.cli.main import main; main(['verify', {str(EXTERNAL)!r}])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    code += "; print([name for name in ('z3', 'lark') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert "from the cache" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"
