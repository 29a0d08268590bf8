"""The pytest plugin: each `expect` line of a model is a test.

Nothing of reconcheck is imported before there is a model to collect, or a test that asks for one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reconcheck.api.questions import ModelQuestions, Question
    from reconcheck.api.verification import Verification

WRITTEN = "rdsl_report_written"
"""The property of a test that wrote a snapshot, with its path."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line."""
    group = parser.getgroup("reconcheck", "models of Kubernetes operators (.rdsl)")
    group.addoption(
        "--rdsl-update", action="store_true", help="Write the snapshots of reports (x.rdsl.report.txt) anew."
    )
    group.addoption(
        "--rdsl-timeout", type=_seconds, metavar="SECONDS", help="Give up on a question about a model after this time."
    )
    group.addoption(
        "--rdsl-no-cache", action="store_true", help="Verify anew what was verified before and has not changed."
    )


def _seconds(text: str) -> float:
    """A time limit on the command line.  Raises `ArgumentTypeError`."""
    from reconcheck.cli.options import time_limit

    try:
        return time_limit(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pytest_configure(config: pytest.Config) -> None:
    """The marker of all tests that models are."""
    line = "rdsl(*paths): a question about a model; on a function, the models, folders or patterns for `rdsl_model`."
    config.addinivalue_line("markers", line)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Every `.rdsl` file is looked into."""
    if file_path.suffix != ".rdsl":
        return None
    return ModelFile.from_parent(parent, path=file_path)


class NotAsExpected(Exception):
    """A question has another answer than the model expects; the text says what, and shows it."""


class ModelFile(pytest.File):
    """A model; a library, which has no operator, has no tests."""

    questions: ModelQuestions

    def collect(self) -> Iterable[pytest.Item]:
        """A test for each `expect` line, for each goal without one, and for the snapshot of the report."""
        from reconcheck.api.questions import ModelQuestions
        from reconcheck.api.snapshot import snapshot_of
        from reconcheck.diagnostic import ModelError

        try:
            questions = ModelQuestions.read(_shown(self.path, self.config), **_options(self.config))
        except ModelError as error:
            raise self.CollectError(_problems(error)) from error
        if questions is None:
            return
        self.questions = questions
        for question in self.questions.all():
            item: pytest.Item = QuestionItem.from_parent(self, name=question.name, question=question)
            item.add_marker("rdsl")
            yield item
        if self.config.getoption("--rdsl-update") or snapshot_of(self.path).exists():
            item = SnapshotItem.from_parent(self, name="report")
            item.add_marker("rdsl")
            yield item


class _Item(pytest.Item):
    parent: ModelFile

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The answer itself, not where in reconcheck it was found out."""
        from reconcheck.diagnostic import ModelError

        if isinstance(excinfo.value, NotAsExpected):
            return str(excinfo.value)
        if isinstance(excinfo.value, ModelError):
            return _problems(excinfo.value)
        return super().repr_failure(excinfo, style)


class QuestionItem(_Item):
    """A goal in a scope, with the verdict that is expected."""

    def __init__(self, *, question: Question, **more: Any) -> None:
        super().__init__(**more)
        self.question = question

    def runtest(self) -> None:
        """Asks.  Raises `NotAsExpected`."""
        from reconcheck.api.questions import complaint

        done = self.parent.questions.ask(self.question)
        answer = done.verdicts[0].answer
        self.user_properties += [("verdict", answer.verdict), ("cached", done.cached)]
        if not answer.meets(self.question.expected, self.question.because):
            raise NotAsExpected(complaint(self.question, done))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The line of the model, from 0."""
        return self.path, self.question.line - 1, self.name


class SnapshotItem(_Item):
    """The whole report, compared with the one in the file beside the model."""

    def runtest(self) -> None:
        """Compares, or writes.  Raises `NotAsExpected`."""
        from reconcheck.api.snapshot import differences, snapshot_of, snapshot_text, undecided
        from reconcheck.api.verification import verify
        from reconcheck.cli.files import replace_text

        done = verify(_shown(self.path, self.config), **_options(self.config))
        file, text = snapshot_of(self.path), snapshot_text(done.report)
        old = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        if old == text:
            return
        if not self.config.getoption("--rdsl-update"):
            raise NotAsExpected(f"{differences(old, text, file)}\n`pytest --rdsl-update` accepts the new report")
        for answer in undecided(done.report):
            reason = f"`{answer.goal.name}` is unknown {answer.scope}: {answer.reason}"
            raise NotAsExpected(f"{file} was not written, since {reason}")
        replace_text(file, text)
        self.user_properties.append((WRITTEN, str(file)))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The model as a whole."""
        return self.path, 0, self.name


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says which snapshots were written, by this process or by others."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [one for report in reports for one in getattr(report, "user_properties", ())]
    for file in sorted({value for name, value in properties if name == WRITTEN}):
        terminalreporter.write_line(f"wrote {file}")


# ---- tests in Python ------------------------------------------------------------------------------------------------


@pytest.fixture
def rdsl_verify(request: pytest.FixtureRequest) -> Callable[..., Verification]:
    """`reconcheck.verify` for paths from the folder of the test, with the options of the command line."""
    from reconcheck.api.verification import verify

    folder, options = request.path.parent, _options(request.config)

    def verified(path: str | Path, **more: Any) -> Verification:
        return verify(_shown(folder / path, request.config), **{**options, **more})

    return verified


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with `rdsl_model` runs once for each model of its marker `rdsl`."""
    if "rdsl_model" not in metafunc.fixturenames:
        return
    patterns = [str(path) for marker in metafunc.definition.iter_markers("rdsl") for path in marker.args]
    if not patterns:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: say which models: `@pytest.mark.rdsl('models/')`")
    folder = metafunc.definition.path.parent
    files = list(dict.fromkeys(file for pattern in patterns for file in _models(folder, pattern)))
    metafunc.parametrize("rdsl_model", files, ids=[_relative(file, folder) for file in files])


def _models(folder: Path, pattern: str) -> Iterator[Path]:
    """The models that a path or a pattern stands for.  Raises `UsageError` where there are none."""
    from reconcheck.api.questions import is_library
    from reconcheck.diagnostic import ModelError

    path = folder / pattern
    inside = sorted(one for one in path.rglob("*.rdsl") if not one.is_dir()) if path.is_dir() else None
    found = inside if inside is not None else [path] if path.is_file() else sorted(folder.glob(pattern))
    if not found:
        raise pytest.UsageError(f"there is no model {pattern} in {folder}")
    for file in found:
        try:
            library = is_library(file)
        except ModelError:
            library = False  # the test shall fail with it
        if not library:
            yield file


def _options(config: pytest.Config) -> dict[str, Any]:
    return {"timeout": config.getoption("--rdsl-timeout"), "cache": not config.getoption("--rdsl-no-cache")}


def _shown(path: Path, config: pytest.Config) -> Path:
    """The path as reports show it: from where pytest was called."""
    return Path(_relative(path, config.invocation_params.dir)) if Path.cwd() == config.invocation_params.dir else path


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _problems(error: Any) -> str:
    from reconcheck.render.diagnostics import render_diagnostics

    return render_diagnostics(error.diagnostics, error.sources, False)
