"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

import reconcheck.api.pytest_plugin
import reconcheck.api.questions  # stays imported between the runs
from test_command_line import goal_model

ROOT = Path(__file__).parent.parent
MINIMAL = ROOT / "models" / "minimal"
ALONE = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", reconcheck.api.pytest_plugin.__name__)
"""Loads the plugin by its module, whether or not this installation has it as an entry point."""

Run = Callable[..., pytest.RunResult]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No other plugins; other processes find this reconcheck, and a grammar that was compiled before."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "checker"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """A run of pytest in a folder with a model."""
    shutil.copy(MINIMAL / "external-system.rdsl", pytester.path / "x.rdsl")
    return lambda *arguments: pytester.runpytest(*ALONE, *arguments)


def change(pytester: pytest.Pytester, old: str, new: str, file: str = "x.rdsl") -> None:
    path = pytester.path / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


WRONG = ("shown quiet     without schedule because external_without_events", "shown converges without schedule")
"""What makes an expectation of `x.rdsl` wrong."""


def test_the_plugin_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (module,) = project["entry-points"]["pytest11"].values()
    assert hasattr(import_module(module), "pytest_collect_file")
    assert module == ALONE[-1]


def test_each_expectation_is_a_test(run: Run) -> None:
    result = run("-v")
    result.stdout.fnmatch_lines(
        [
            "x.rdsl::shown quiet without schedule PASSED*",
            "x.rdsl::shown converges with schedule PASSED*",
        ]
    )
    result.assert_outcomes(passed=2)


def test_a_failure_shows_the_run_and_the_line(run: Run, pytester: pytest.Pytester) -> None:
    change(pytester, *WRONG)
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*shown converges without schedule*",
            "expected: shown converges without schedule",
            "but it is: quiet",
            "shown: quiet but not converged [[]RC401[]]*x.rdsl:37",
            "*edited_in_grafana*NO: grafana sends no*",
            "*quiet for ever*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_cause_is_shown(run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    from msgspec.structs import replace

    from reconcheck.explain.cause import Cause
    from reconcheck.explain.verify import Verifier

    plain = Verifier.answer
    cause = Cause("RC412", "external without events", "external", "grafana changes unseen", ())
    monkeypatch.setattr(Verifier, "answer", lambda *given: replace(plain(*given), causes=(cause,)))
    change(pytester, *WRONG)
    result = run("--rdsl-update")
    result.stdout.fnmatch_lines(["*because RC412 external without events (accepted: external): grafana changes unseen"])
    assert "  because RC412 external without events" in (pytester.path / "x.rdsl.report.txt").read_text()


def test_causes_are_expected_too(run: Run, pytester: pytest.Pytester) -> None:
    change(pytester, "because external_without_events", "because unwatched_read")
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["expected: shown quiet without schedule because unwatched_read", "*external system without events*"]
    )


def test_a_proof_that_was_not_expected_is_a_failure_too(run: Run, pytester: pytest.Pytester) -> None:
    change(pytester, "shown converges with schedule", "shown diverges with schedule")
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["expected: shown diverges with schedule", "but it is: converges", "*Z3 obligations*"])


def test_what_is_unknown_is_not_met(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "x.rdsl").unlink()
    shutil.copy(ROOT / "tests" / "data" / "large.rdsl", pytester.path / "large.rdsl")
    result = run("--rdsl-timeout", "0.3")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["but it is: unknown", "*time limit of 0.3 s was reached*"])


def test_goals_without_an_expectation_are_tests(run: Run, pytester: pytest.Pytester) -> None:
    goals = "converges { g: x.up }  always a: x.up  reachable r: x.up"
    (pytester.path / "x.rdsl").write_text(goal_model(goals, "expect g quiet without schedule"))
    result = run("-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "x.rdsl::g quiet without schedule PASSED*",
            "x.rdsl::a holds without schedule FAILED*",
            "x.rdsl::r reachable without schedule PASSED*",
        ]
    )


def test_selecting(run: Run, pytester: pytest.Pytester) -> None:
    run("-k", "converges").assert_outcomes(passed=1, deselected=1)
    run("-m", "rdsl").assert_outcomes(passed=2)
    run("-m", "not rdsl").assert_outcomes(deselected=2)
    run("--strict-markers", "x.rdsl::shown quiet without schedule").assert_outcomes(passed=1)
    change(pytester, *WRONG)
    run("-x").assert_outcomes(failed=1)
    run("--lf").assert_outcomes(failed=1)
    change(pytester, *WRONG[::-1])
    run("--ff").assert_outcomes(passed=2)


def test_only_what_is_selected_is_verified(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconcheck.explain.verify import Verifier

    asked = []
    plain = Verifier.answer

    def answer(verifier, goal, scope, seconds=None):  # type: ignore[no-untyped-def]
        asked.append((goal.name, str(scope)))
        return plain(verifier, goal, scope, seconds)

    monkeypatch.setattr(Verifier, "answer", answer)
    run("-k", "quiet").assert_outcomes(passed=1, deselected=1)
    assert asked == [("shown", "without schedule")]


def test_several_processes(run: Run, pytester: pytest.Pytester) -> None:
    shutil.copy(MINIMAL / "swallowed-error.rdsl", pytester.path / "y.rdsl")
    change(pytester, *WRONG)
    (pytester.path / "y.rdsl.report.txt").write_text("old\n")
    several = ("-p", "xdist.plugin", "-n", "2")
    result = run(*several, "--rdsl-update")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["expected: shown converges without schedule", "wrote *x.rdsl.report.txt"])
    result.stdout.fnmatch_lines(["wrote *y.rdsl.report.txt"])
    run(*several, "-k", "report").assert_outcomes(passed=2)


def test_libraries_have_no_tests(run: Run, pytester: pytest.Pytester) -> None:
    shutil.copytree(ROOT / "models" / "std", pytester.path / "std")
    run().assert_outcomes(passed=2)


def test_a_wrong_model_is_an_error_of_collection(run: Run, pytester: pytest.Pytester) -> None:
    change(pytester, "dashboard.spec.json = any", "dashboard.spec.jsn = any")
    result = run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["error[[]RC205[]]*jsn`", "*did you mean `spec.json`*"])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_what_is_wrong_only_when_it_runs_is_shown_as_such(run: Run, pytester: pytest.Pytester) -> None:
    text = goal_model().replace("app.spec.n = any", "app.spec.n += 1")
    (pytester.path / "x.rdsl").write_text(text)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*error[[]RC310[]]*"])


# ---- snapshots -----------------------------------------------------------------------------------------------------


def test_a_report_is_compared_where_there_is_one(run: Run, pytester: pytest.Pytester) -> None:
    snapshot = pytester.path / "x.rdsl.report.txt"
    run().assert_outcomes(passed=2)
    assert not snapshot.exists()
    result = run("--rdsl-update")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["wrote *x.rdsl.report.txt"])
    text = snapshot.read_text()
    assert "shown quiet without schedule\n  at first: dashboard.spec.json = A\n  1. dashboard: reconcile beg" in text
    assert "shown converges with schedule" in text
    result = run("--rdsl-update")
    assert "wrote" not in result.stdout.str()
    run().assert_outcomes(passed=3)
    change(pytester, "reconcile begins", "something begins", "x.rdsl.report.txt")
    result = run("-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "x.rdsl::report FAILED*",
            "-  1. dashboard: something begins*",
            "+  1. dashboard: reconcile begins*",
            "*`pytest --rdsl-update` accepts the new report",
        ]
    )
    assert "something" in snapshot.read_text()
    run("--rdsl-update").assert_outcomes(passed=3)
    assert snapshot.read_text() == text


def test_a_snapshot_does_not_depend_on_where_it_is_made(run: Run, pytester: pytest.Pytester) -> None:
    run("--rdsl-update")
    (pytester.path / "deep").mkdir()
    for name in ("x.rdsl", "x.rdsl.report.txt"):
        shutil.move(pytester.path / name, pytester.path / "deep" / name)
    run().assert_outcomes(passed=3)


def test_what_is_unknown_is_no_snapshot(run: Run, pytester: pytest.Pytester) -> None:
    """Nobody shall find a good snapshot replaced because there was too little time, or none made of nothing."""
    shutil.copy(ROOT / "tests" / "data" / "large.rdsl", pytester.path / "large.rdsl")
    result = run("--rdsl-update", "--rdsl-timeout", "0.3", "large.rdsl", "-k", "report")
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(
        ["*large.rdsl.report.txt was not written, since `* is unknown without schedule: *time*"]
    )
    assert "wrote" not in result.stdout.str()
    snapshot = pytester.path / "large.rdsl.report.txt"
    assert not snapshot.exists()
    snapshot.write_text("good")
    run("--rdsl-update", "--rdsl-timeout", "0.3", "large.rdsl", "-k", "report").assert_outcomes(failed=1, deselected=2)
    assert snapshot.read_text() == "good"


def test_what_is_expected_to_be_unknown_may_be_in_a_snapshot() -> None:
    from msgspec.structs import replace

    from reconcheck import verify
    from reconcheck.api.snapshot import undecided

    report = verify(MINIMAL / "external-system.rdsl").report
    assert not undecided(report)
    checked = report.expectations[0]
    answer = replace(checked.answer, verdict="unknown")
    unmet = replace(report, answers=(answer,), expectations=(replace(checked, answer=answer),))
    assert set(undecided(unmet)) == {answer}
    expected = replace(checked.expectation, verdict="unknown")
    assert not undecided(replace(unmet, expectations=(replace(checked, answer=answer, expectation=expected),)))


@pytest.mark.parametrize("seconds", ["0", "-1", "0.0001", "nan", "inf", "1e12", "soon"])
def test_a_time_limit_is_one(run: Run, seconds: str) -> None:
    result = run(f"--rdsl-timeout={seconds}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--rdsl-timeout: *"])
    assert "Traceback" not in result.stderr.str()


# ---- tests in Python -------------------------------------------------------------------------------------------------


def test_the_function_and_the_fixture(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests" / "test_it.py").write_text(
        "import reconcheck\n"
        "def test_function():\n"
        "    assert reconcheck.verify('x.rdsl').goal('shown').diverges\n"
        "def test_fixture(rdsl_verify):\n"
        "    assert rdsl_verify('../x.rdsl', schedule=True).goal('shown').converges\n"
        "def test_wrong(rdsl_verify):\n"
        "    assert rdsl_verify('../x.rdsl').goal('shown').converges\n"
    )
    result = run("tests")
    result.assert_outcomes(passed=2, failed=1)


def test_the_options_hold_for_the_fixture(run: Run, pytester: pytest.Pytester) -> None:
    shutil.copy(ROOT / "tests" / "data" / "large.rdsl", pytester.path / "large.rdsl")
    pytester.makepyfile("def test(rdsl_verify):\n    assert rdsl_verify('large.rdsl').verdicts[0].unknown\n")
    run("--rdsl-timeout", "0.3", "-k", "test_the").assert_outcomes(passed=1, deselected=4)


def test_a_test_for_each_model(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "more").mkdir()
    shutil.copytree(ROOT / "models" / "std", pytester.path / "more" / "std")
    for name in ("swallowed-error", "time"):
        shutil.copy(MINIMAL / f"{name}.rdsl", pytester.path / "more")
    pytester.makepyfile(
        "import pytest, reconcheck\n"
        "@pytest.mark.rdsl('x.rdsl', 'more')\n"
        "def test_all(rdsl_model):\n"
        "    assert reconcheck.load(rdsl_model).operator.goals\n"
        "@pytest.mark.rdsl('more/s*.rdsl')\n"
        "def test_some(rdsl_model):\n"
        "    assert rdsl_model.name == 'swallowed-error.rdsl'\n"
    )
    result = run("-v", "-k", "test_all or test_some")
    result.assert_outcomes(passed=4, deselected=8)
    result.stdout.fnmatch_lines(["*::test_all[[]x.rdsl[]] PASSED*", "*::test_all[[]more/time.rdsl[]] PASSED*"])


@pytest.mark.parametrize(
    ("marker", "message"),
    [("", "say which models"), ("@pytest.mark.rdsl('none/')", "there is no model none/")],
)
def test_a_test_for_no_model_is_an_error(run: Run, pytester: pytest.Pytester, marker: str, message: str) -> None:
    pytester.makepyfile(f"import pytest\n{marker}\ndef test_all(rdsl_model): pass\n")
    result = run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*{message}*"])


def test_the_examples_of_the_page(run: Run, pytester: pytest.Pytester) -> None:
    page = (ROOT / "spec" / "pytest.md").read_text()
    examples = "\n".join(part.split("```")[0] for part in page.split("```python\n")[1:])
    for name in ("models", "tests"):
        (pytester.path / name).mkdir()
    (pytester.path / "tests" / "test_page.py").write_text(f"import pytest, reconcheck\n{examples}")
    model = goal_model("converges { secret: true }")
    (pytester.path / "models" / "app.rdsl").write_text(model.replace("operator small", "/// Small.\noperator small"))
    run("tests").assert_outcomes(passed=2)
    shutil.copy(pytester.path / "x.rdsl", pytester.path / "models" / "external-system.rdsl")
    (pytester.path / "models" / "app.rdsl").unlink()
    shown = page.split("$ pytest models/ -v\n")[1].split("```")[0].splitlines()
    run("models/", "-v").stdout.fnmatch_lines([f"{line}*" for line in shown])


# ---- what it costs ---------------------------------------------------------------------------------------------------


def test_without_models_nothing_is_imported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n"
        "def test_it():\n"
        "    assert [m for m in sys.modules if m.split('.')[0] in ('reconcheck', 'z3', 'lark', 'click')] == [\n"
        "        'reconcheck', 'reconcheck.api', 'reconcheck.api.pytest_plugin']\n"
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_own_models_are_not_collected() -> None:
    """Models with mistakes, and such as take for ever, are among the data of these tests."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "tests/test_api.py",
        "tests/data",
        "tests/golden",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert "test_api.py" in result.stdout
    assert ".rdsl" not in result.stdout
