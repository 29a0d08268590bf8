"""The Python API, as a program meets it."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

import reconcheck
from reconcheck import ModelError, Trace, load, verify
from test_command_line import goal_model, write

ROOT = Path(__file__).parent.parent
EXTERNAL = ROOT / "models" / "minimal" / "external-system.rdsl"
PAGE = ROOT / "spec" / "api.md"


def test_the_examples_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), False, globs={"folder": tmp_path}, optionflags=flags)
    assert result.attempted > 20
    assert result.failed == 0


def test_the_page_names_every_public_name() -> None:
    text = PAGE.read_text()
    for name in reconcheck.__all__:
        assert name.startswith("__") or re.search(rf"\b{name}\b", text), name


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, reconcheck; print([m for m in sys.modules if m.split('.')[0] in ('reconcheck', 'z3', 'lark')])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.stdout == "['reconcheck']\n", result.stderr


def test_every_public_name_is_there_and_no_other() -> None:
    for name in reconcheck.__all__:
        assert getattr(reconcheck, name).__doc__ or name == "__version__"
        assert name in dir(reconcheck)
    with pytest.raises(AttributeError, match="no attribute 'prove'"):
        reconcheck.prove  # type: ignore[attr-defined]  # noqa: B018


def test_the_types_are_there_for_others() -> None:
    assert (Path(reconcheck.__file__).parent / "py.typed").exists()


def test_other_packages_see_the_types(tmp_path: Path) -> None:
    """The API as another package sees it, under mypy --strict."""
    use = tmp_path / "use.py"
    use.write_text(
        "from reconcheck import Certificate, Trace, Verdict, verify\n"
        "verdict: Verdict = verify('a.rdsl', schedule=True, settings={'N': 1}).goal('g')\n"
        "ok: bool = verdict.converges\n"
        "trace: Trace | None = verdict.trace\n"
        "certificate: Certificate | None = verdict.certificate\n"
        "wrong: int = verdict.verdict\n"
    )
    environment = {**os.environ, "MYPYPATH": str(ROOT / "checker")}
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "c")]
    result = subprocess.run(
        [*command, str(use)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert [line for line in result.stdout.splitlines() if "error" in line and "use.py" in line] == [
        'use.py:6: error: Incompatible types in assignment (expression has type "str", variable has type "int")'
        "  [assignment]"
    ]


def test_a_verdict_of_each_kind(tmp_path: Path) -> None:
    goals = "converges { g: x.up }  always a: x.up  reachable r: x.up  reachable n: app.spec.n == 7"
    done = verify(write(tmp_path / "m.rdsl", goal_model(goals)))
    assert [str(verdict) for verdict in done.verdicts] == [
        "g quiet without schedule",
        "a fails without schedule",
        "r reachable without schedule",
        "n unreachable without schedule",
    ]
    g, a, r, n = done.verdicts
    assert g.diverges
    assert g.quiet
    assert not g.livelock
    assert not g.converges
    assert a.fails
    assert not a.holds
    assert r.reachable
    assert not r.unreachable
    assert n.unreachable
    assert [verdict.good for verdict in done.verdicts] == [False, False, True, False]
    assert isinstance(g.trace, Trace)
    assert n.certificate is not None
    assert not done.as_asked
    assert done.exit_code == 1
    for verdict, wrong in ((g, "holds"), (g, "reachable"), (a, "diverges"), (a, "converges"), (r, "fails")):
        with pytest.raises(ValueError, match=wrong if wrong != "diverges" else "converges"):
            getattr(verdict, wrong)
    for neither in (g, done):
        with pytest.raises(TypeError, match="neither true nor false"):
            bool(neither)
    assert "g: quiet but not converged" in g.text()
    assert "a:" not in g.text()


def test_what_there_was_no_time_for_is_neither(tmp_path: Path) -> None:
    verdict = verify(ROOT / "tests" / "data" / "large.rdsl", timeout=0.3).verdicts[0]
    assert verdict.unknown
    assert not verdict.converges
    assert not verdict.diverges
    assert "time limit" in verdict.reason


def test_options_decide_what_is_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "m.rdsl", goal_model("reachable g: app.spec.n + N == 5  reachable h: x.up"))
    assert not verify(path).goal("g").reachable
    assert verify(path, settings={"N": 4}).goal("g").reachable
    assert [verdict.goal for verdict in verify(path, goals="h").verdicts] == ["h"]
    with pytest.raises(KeyError, match="was not asked about; these were: h"):
        verify(path, goals=["h"]).goal("g")
    for wrong in ({"settings": {"N": 9}}, {"goals": ["other"]}, {"without": ["other"]}):
        with pytest.raises(ModelError):
            verify(path, **wrong)
    with pytest.raises(ModelError) as error:
        load(tmp_path / "none.rdsl")
    assert error.value.diagnostics[0].code == "RC101"


def test_levels_are_those_of_the_command_line(tmp_path: Path) -> None:
    for level in ("L0", "L3", "L4", "l4"):
        verdict = verify(EXTERNAL, level=level).goal("shown")
        assert verdict.scope.level == int(level[1])
        assert verdict.converges == (level in ("L4", "l4"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": "L9"}, "there is no level `L9`"),
        ({"level": ""}, "there is no level ``"),
        ({"level": 2}, "there is no level `2`"),
        ({"timeout": -1}, "-1 is no time limit"),
        ({"timeout": 0}, "0 is no time limit"),
        ({"timeout": float("nan")}, "nan is no time limit"),
        ({"timeout": float("inf")}, "inf is no time limit"),
        ({"settings": {"N": "3"}}, "`N` is set to '3'"),
        ({"settings": {"N": 1.5}}, "`N` is set to 1.5"),
        ({"settings": {"N": None}}, "`N` is set to None"),
    ],
)
def test_a_wrong_option_is_answered_with_a_code(options: dict[str, object], says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.rdsl", goal_model())
    with pytest.raises(ModelError) as error:
        verify(path, **options)  # type: ignore[arg-type]
    assert error.value.diagnostics[0].code == "RC107"
    assert says in error.value.diagnostics[0].message
    if "settings" in options:
        with pytest.raises(ModelError):
            load(path, options["settings"])  # type: ignore[arg-type]


def test_a_path_that_cannot_be_one_is_a_wrong_model() -> None:
    for path in ("a\0b.rdsl", "", "models"):
        with pytest.raises(ModelError) as error:
            verify(path)
        assert error.value.diagnostics[0].code == "RC101"


def test_a_certificate_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    certificate = verify(EXTERNAL, schedule=True).goal("shown").certificate
    assert certificate is not None
    for folder in (tmp_path / "file", tmp_path / "file" / "more"):
        with pytest.raises(ModelError, match="cannot make the folder"):
            certificate.write(folder)


def test_what_is_cached_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RECONCHECK_CACHE")
    first, second, third = verify(EXTERNAL), verify(EXTERNAL), verify(EXTERNAL, cache=False)
    assert [done.cached for done in (first, second, third)] == [False, True, False]
    assert first.report == replace(second.report, cached=False)
    assert second.document()["cached"] is True
    files = verify(EXTERNAL, schedule=True).goal("shown").certificate
    again = verify(EXTERNAL, schedule=True).goal("shown").certificate
    assert files is not None
    assert files == again


def test_the_limit_of_recursion_is_set_back() -> None:
    before = sys.getrecursionlimit()
    verify(EXTERNAL, goals=["shown"])
    with pytest.raises(ModelError):
        verify(EXTERNAL, goals=["other"])
    assert sys.getrecursionlimit() == before
