"""The GitHub Action and the pre-commit hook, by executing what they execute.

A small runner stands in for GitHub's: it takes the steps of `action.yml` in their order, puts in the expressions that
they use, and runs each script as the documentation of `shell: bash` says.  Steps with `uses` are noted, not run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct, field

from test_command_line import goal_model

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
SHELL = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"]
"""How GitHub runs a step with `shell: bash`."""

FINE = goal_model(extra="expect g quiet")
DIVERGES = goal_model()
LARGE = (ROOT / "tests" / "data" / "large.rdsl").read_text()
"""A model that takes long."""


def git(folder: Path, *arguments: str) -> str:
    """Runs git as somebody who has no configuration."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    author = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main"]
    command = ["git", *author, *arguments]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Repository(Struct):
    """A repository with models, and the commit that a pull request starts from."""

    folder: Path
    base: str = ""

    def commit(self, **files: str | None) -> str:
        """Writes files (`models__a` is `models/a.rdsl`), deletes those that are None, and commits."""
        for name, text in files.items():
            path = self.folder / f"{name.replace('__', '/')}.rdsl"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", "a change")
        return git(self.folder, "rev-parse", "HEAD")


class Ran(Struct):
    """What the steps of the action did."""

    failed: str = ""
    """The step that failed."""
    code: int = 0
    log: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """By step."""
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    """The actions that would have run, with their inputs."""
    summary: str = ""

    @property
    def verdicts(self) -> dict[str, str]:
        """What is said about each model that was verified, from the SARIF file."""
        path = self.outputs["verify"].get("sarif", "")
        if not path:
            return {}
        (run,) = json.loads(Path(path).read_text())["runs"]
        models = [one["location"]["uri"] for one in run["artifacts"] if one.get("roles") == ["analysisTarget"]]
        found = {model: "" for model in models if not model.endswith("kinds.rdsl")}
        for result in run["results"]:
            place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            found[place] = found.get(place) or result["level"]  # the verdict; its causes follow
        return found


class Runner:
    """Runs the action in a repository."""

    def __init__(self, program: str, temporary: Path) -> None:
        self.program, self.temporary = program, temporary

    def __call__(self, folder: Path, base: str = "", **inputs: str) -> Ran:
        """All steps but the installation; `base` is the base of the pull request, if it is one."""
        given = {name: one["default"] for name, one in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        ran = Ran(outputs={"install": {"program": self.program}})
        self.temporary.mkdir(parents=True, exist_ok=True)
        for step in STEPS:
            if step.get("id") == "install":
                continue
            self._step(step, folder, base, given, ran)
            if ran.failed:
                break
        summary = self.temporary / "summary"
        ran.summary = summary.read_text() if summary.exists() else ""
        return ran

    def _step(self, step: dict[str, Any], folder: Path, base: str, inputs: dict[str, str], ran: Ran) -> None:
        def value(text: str) -> str:
            return EXPRESSION.sub(lambda found: self.known(found[1], base, inputs, ran), text)

        if "if" in step and not self.holds(step["if"], base, inputs, ran):
            return
        if "uses" in step:
            ran.used[step["uses"]] = {name: value(text) for name, text in step.get("with", {}).items()}
            return
        assert "${{" not in step["run"], "what others write must not become part of a script"
        written = self.temporary / "output"
        written.write_text("")
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {name: value(text) for name, text in step.get("env", {}).items()}
        environment |= {
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONPATH": str(ROOT / "checker"),
        }
        script = self.temporary / "script.sh"
        script.write_text(step["run"])
        result = subprocess.run(
            [*SHELL, str(script)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        ran.log += result.stdout + result.stderr
        lines = written.read_text().splitlines()
        ran.outputs[step.get("id", "")] = {line.split("=", 1)[0]: line.split("=", 1)[1] for line in lines}
        if result.returncode:
            ran.failed, ran.code = step["name"], result.returncode

    @staticmethod
    def known(expression: str, base: str, inputs: dict[str, str], ran: Ran) -> str:
        """The expressions that the action uses."""
        match expression.split("."):
            case ["inputs", name]:
                return inputs[name]
            case ["steps", step, "outputs", name]:
                return ran.outputs.get(step, {}).get(name, "")
            case ["github", "action_path"]:
                return str(ROOT)
            case ["github", "event", "pull_request", "base", "sha"]:
                return base
            case _:
                raise AssertionError(f"unknown expression {expression}")

    def holds(self, condition: str, base: str, inputs: dict[str, str], ran: Ran) -> bool:
        """A condition: comparisons with texts, joined by `&&`."""
        for part in condition.split(" && "):
            name, operator, text = part.split(" ")
            assert operator in ("==", "!=")
            if (self.known(name, base, inputs, ran) == text.strip("'")) != (operator == "=="):
                return False
        return True


@pytest.fixture
def action(tmp_path: Path) -> Runner:
    program = tmp_path / "reconcheck"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconcheck "$@"\n')
    program.chmod(0o755)
    return Runner(str(program), tmp_path / "runner temp")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A good model, one that diverges, one that imports a file, and a file of kinds."""
    made = Repository(tmp_path / "a repository")
    made.folder.mkdir()
    git(made.folder, "init", "--quiet")
    importing = FINE.replace("rdsl 1", 'rdsl 1\nimport "std/kinds"').replace("{ spec.n: 0..1 = 0 }", "")
    made.base = made.commit(
        models__good=FINE,
        models__bad=DIVERGES,
        models__importing=importing,
        models__std__kinds="rdsl 1\nkind App { spec.n: 0..1 = 0 }\n",
    )
    return made


# ---- the file itself -----------------------------------------------------------------------------------------------


def test_the_action_is_what_github_expects() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert {"name", "description", "inputs", "outputs", "runs"} == set(ACTION)
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        assert ("shell" in step) == ("run" in step), "composite steps have to name their shell"
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", step["uses"]), "pinned by its major version"
    for one in ACTION["inputs"].values():
        assert one["description"]
        assert isinstance(one["default"], str), "inputs are texts"
    page = (ROOT / "spec" / "ci.md").read_text(encoding="utf-8")
    for name, one in ACTION["inputs"].items():
        assert re.search(rf"^\| `{name}` \| (`{re.escape(one['default'])}`)? ?\|", page, re.M), f"{name} is documented"
    assert all(f"`{name}`" in page for name in ACTION["outputs"])


def test_every_output_is_one_of_a_step() -> None:
    scripts = {step["id"]: step["run"] for step in STEPS if "id" in step}
    texts = json.dumps([ACTION["outputs"], STEPS])
    named = re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", texts)
    assert named
    for step, output in named:
        assert f"{output}=" in scripts[step]


# ---- what it does ------------------------------------------------------------------------------------------------


def test_it_installs_the_program(tmp_path: Path) -> None:
    """The script of the installation makes an environment that works on its own."""
    (step,) = [step for step in STEPS if step.get("id") == "install"]
    output = tmp_path / "output"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output), "ACTION_PATH": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    script = tmp_path / "script.sh"
    script.write_text(step["run"])
    result = subprocess.run([*SHELL, str(script)], env=environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    program = output.read_text().strip().removeprefix("program=")
    shown = subprocess.run([program, "--version"], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert shown.stdout.startswith("reconcheck, version")


def test_a_push_verifies_everything(action: Runner, repository: Repository) -> None:
    ran = action(repository.folder)
    assert ran.verdicts == {"models/good.rdsl": "note", "models/bad.rdsl": "error", "models/importing.rdsl": "note"}
    assert (ran.failed, ran.code) == ("Judge", 1)
    assert "::error title=reconcheck::something diverges, or an expectation is not met" in ran.log
    assert "all models: this is no pull request" in ran.log
    upload = ran.used["github/codeql-action/upload-sarif@v4"]
    assert upload == {"sarif_file": ran.outputs["verify"]["sarif"], "category": "reconcheck"}
    assert ran.summary.startswith("<!-- reconcheck -->\n\n### reconcheck: 2 of 3 models as asked")
    assert Path(ran.outputs["verify"]["markdown"]).read_text() == ran.summary


def test_a_pull_request_verifies_what_it_changes(action: Runner, repository: Repository) -> None:
    repository.commit(models__good=FINE + "\n// a word more\n")
    ran = action(repository.folder, repository.base)
    assert ran.verdicts == {"models/good.rdsl": "note"}
    assert (ran.failed, ran.code) == ("", 0)
    assert "1 .rdsl files changed since" in ran.log


@pytest.mark.parametrize("change", ["rdsl 1\nkind App { spec.n: 0..2 = 0 }\n", None])
def test_a_changed_import_stands_for_who_imports_it(action: Runner, repository: Repository, change: str | None) -> None:
    repository.commit(models__std__kinds=change)
    ran = action(repository.folder, repository.base)
    if change is None:
        assert set(ran.verdicts) == {"models/importing.rdsl"}
        assert ran.verdicts["models/importing.rdsl"] == "error", "the file is gone"
        assert ran.code == 2
    else:
        assert ran.verdicts == {"models/importing.rdsl": "note"}
        assert ran.code == 0


def test_a_pull_request_without_models_passes(action: Runner, repository: Repository) -> None:
    (repository.folder / "README.md").write_text("more words\n")
    repository.commit()
    ran = action(repository.folder, repository.base)
    assert (ran.failed, ran.code) == ("", 0)
    assert "nothing to verify: no .rdsl file changed" in ran.log
    assert ran.outputs["verify"] == {"exit-code": "0"}
    assert list(ran.used) == ["actions/setup-python@v6"], "nothing is uploaded"
    assert ran.summary == ""


def test_a_deleted_or_renamed_model_is_no_error(action: Runner, repository: Repository) -> None:
    (repository.folder / "models" / "good.rdsl").rename(repository.folder / "models" / "renamed model.rdsl")
    repository.commit(models__bad=None)
    ran = action(repository.folder, repository.base)
    assert ran.verdicts == {"models/renamed%20model.rdsl": "note"}
    assert ran.code == 0


def test_only_models_asked_for_are_verified(action: Runner, repository: Repository) -> None:
    repository.commit(elsewhere__bad=DIVERGES, models__good=FINE + "// more\n")
    ran = action(repository.folder, repository.base, models="models/good.rdsl\nmodels/importing.rdsl\n")
    assert ran.verdicts == {"models/good.rdsl": "note"}
    ran = action(repository.folder, repository.base, models="models\n\nelsewhere")
    assert ran.verdicts == {"models/good.rdsl": "note", "elsewhere/bad.rdsl": "error"}


def test_what_git_cannot_tell_is_verified_as_a_whole(action: Runner, repository: Repository, tmp_path: Path) -> None:
    everything = {"models/good.rdsl", "models/bad.rdsl", "models/importing.rdsl"}
    ran = action(repository.folder, "0" * 40)
    assert set(ran.verdicts) == everything
    assert "the base commit 0000000000000000000000000000000000000000 cannot be fetched" in ran.log
    assert set(action(repository.folder / "models", repository.base).verdicts) == {
        name.removeprefix("models/") for name in everything
    }
    assert set(action(repository.folder, repository.base, only_changed="false").verdicts) == everything
    outside = tmp_path / "no repository"
    outside.mkdir()
    (outside / "good.rdsl").write_text(FINE)
    assert set(action(outside, repository.base).verdicts) == {"good.rdsl"}


def test_a_checkout_of_depth_one_fetches_the_base(action: Runner, repository: Repository, tmp_path: Path) -> None:
    repository.commit(models__good=FINE + "\n// a word more\n")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(shallow))
    git(repository.folder, "config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub has it
    ran = action(shallow, repository.base)
    assert ran.verdicts == {"models/good.rdsl": "note"}


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        (FINE, {"unknown", "divergence", "error", "never"}),
        (DIVERGES, {"error", "never"}),
        ("rdsl 1\n", {"never"}),
        (LARGE, {"divergence", "error", "never"}),
    ],
)
def test_what_fails_the_job_can_be_chosen(action: Runner, tmp_path: Path, text: str, passing: set[str]) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "one.rdsl").write_text(text)
    judged = STEPS[-1]
    ran = action(folder, fail_on="never", options="--timeout 2")
    for choice in ("unknown", "divergence", "error", "never"):
        again = Ran(outputs=ran.outputs)
        action._step(judged, folder, "", {"fail-on": choice}, again)
        assert (again.failed == "") == (choice in passing), choice


def test_a_wrong_input_is_said(action: Runner, repository: Repository) -> None:
    ran = action(repository.folder, models="models/good.rdsl", fail_on="sometimes")
    assert (ran.failed, ran.code) == ("Judge", 2)
    assert "fail-on is sometimes, and not unknown, divergence, error or never" in ran.log
    assert action(repository.folder, models="missing").code == 2
    ran = action(repository.folder, models="\n")
    assert ran.code == 2
    assert "the input models names no model" in ran.log


def test_options_are_passed_and_nothing_in_them_is_executed(action: Runner, repository: Repository) -> None:
    ran = action(repository.folder, models="models/good.rdsl", options="--set N=3\n --verbose  $(touch done) *")
    assert not (repository.folder / "done").exists()
    assert ran.code == 2
    assert "cannot read $(touch: no such file" in ran.log
    ran = action(repository.folder, models="models/good.rdsl", options="--set N=3\n --verbose")
    assert ran.code == 0
    assert "woke the controller?" in ran.log
    assert action(repository.folder, models="models/good.rdsl", options="--set N=9").code == 2


def test_upload_and_summary_can_be_switched_off(action: Runner, repository: Repository) -> None:
    ran = action(repository.folder, models="models/good.rdsl", upload_sarif="false", summary="false")
    assert list(ran.used) == ["actions/setup-python@v6"]
    assert ran.summary == ""
    assert ran.outputs["verify"]["markdown"]


# ---- pre-commit ------------------------------------------------------------------------------------------------------


def test_the_hook_verifies_the_files_that_it_is_given(action: Runner, repository: Repository) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "reconcheck"
    assert hook["language"] == "python", "pre-commit installs the package"
    assert hook["require_serial"] is True, "one run has all files"
    name, *entry = hook["entry"].split(" ")
    assert name == "reconcheck"

    def run(*files: str) -> subprocess.CompletedProcess[str]:
        assert all(re.search(hook["files"], file) for file in files)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
        command = [action.program, *entry, *files]
        return subprocess.run(command, cwd=repository.folder, env=environment, capture_output=True, text=True)

    good = run("models/good.rdsl")
    assert good.returncode == 0, good.stderr
    assert "1 of 1 expectations met" in good.stdout
    both = run("models/good.rdsl", "models/bad.rdsl")
    assert both.returncode == 1
    assert "1 of 2 models as expected" in both.stdout
    kinds = run("models/std/kinds.rdsl")
    assert kinds.returncode == 0, "a file of kinds is no model, and no error"
    assert "1 of 1 expectations met" in kinds.stdout
    assert not re.search(hook["files"], "models/good.rdsl.orig")
