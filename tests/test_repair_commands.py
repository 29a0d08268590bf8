"""Repairs on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from broken_models import HOPELESS, ROOT, TWO, read
from reconcheck.cli.main import group
from reconcheck.diagnostic import ModelError
from reconcheck.explain.diagnose import LEAST_SECONDS
from reconcheck.explain.repairs import repairs
from reconcheck.explain.verify import Verifier
from reconcheck.model.operator import Loaded, Scope
from sarif_rules import SCHEMA


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, list(arguments), standalone_mode=False)
    if isinstance(result.exception, ModelError):
        return 2, str(result.exception)
    assert result.exception is None, result.exception
    return result.return_value or 0, result.output


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.rdsl"
    path.write_text(TWO.replace("  \n}", "  expect synced diverges\n}"), encoding="utf-8")
    return path


def test_fix_writes_the_first_repair_into_a_new_file(small: Path) -> None:
    before = small.read_text()
    code, output = run("verify", "--jobs", "1", "--fix", str(small))
    assert code == 0
    fixed = small.with_name("small.fixed.rdsl")
    assert f"wrote {fixed}" in output
    assert "fix       each re-verified:" in output
    assert small.read_text() == before
    assert run("verify", "--jobs", "1", str(fixed))[0] == 0
    assert "expect synced converges" in fixed.read_text()


def test_nothing_is_overwritten_unless_it_is_asked_for(small: Path) -> None:
    fixed = small.with_name("small.fixed.rdsl")
    fixed.write_text("mine")
    code, output = run("verify", "--jobs", "1", "--fix", str(small))
    assert (code, fixed.read_text()) == (2, "mine")
    assert "is there already" in output
    assert run("repair", str(small), "-n", "1")[0] == 2
    assert run("repair", str(small), "-n", "1", "--force")[0] == 0
    assert "watch users" in fixed.read_text()


def test_what_cannot_be_written_is_said_before_anything_is_looked_for(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcheck.cli.repair.Request", None)  # nothing is verified
    code, output = run("repair", str(small), "--output", str(small.parent / "nowhere" / "x.rdsl"))
    assert code == 2
    assert "RC108" in output
    code, output = run("repair", str(small), "--output", str(small.parent), "--force")
    assert code == 2
    assert "it is a folder" in output
    small.with_name("small.fixed.rdsl").write_text("mine")
    with pytest.raises(ModelError) as caught:
        group.main(["verify", "--fix", str(small)], standalone_mode=False)
    instead = caught.value.diagnostics[0].instead
    assert instead == "use `reconcheck repair --output FILE`, or add `--force`"  # that of `verify` is for reports


def test_the_number_chooses_the_repair_and_in_place_the_file(small: Path) -> None:
    code, output = run("repair", str(small), "-n", "99", "--in-place")
    assert code == 2
    assert "there is no repair 99" in output
    assert run("verify", "--jobs", "1", "--fix=2", "--in-place", str(small))[0] == 0
    assert "until_synced" in small.read_text()


def test_repair_shows_every_repair_and_writes_nothing(small: Path) -> None:
    code, output = run("repair", str(small))
    assert code == 0
    assert "+    watch users" in output or "watch app watch users" in output
    assert sorted(path.name for path in small.parent.iterdir()) == ["small.rdsl"]


def test_repairs_as_json(small: Path) -> None:
    result = CliRunner().invoke(group, ["repair", str(small), "--format", "json"], standalone_mode=False)
    whole = json.loads(result.stdout)
    jsonschema.validate(whole, json.loads((ROOT / "spec" / "report.schema.json").read_text()))
    first = whole["models"][0]["diagnosis"]["repairs"][0]
    assert (first["goals"], first["level"]) == (["synced"], 1)  # the write can fail
    assert first["patch"].startswith("--- ")


def test_repairs_as_markdown_and_sarif(small: Path) -> None:
    shown = CliRunner().invoke(group, ["repair", str(small), "--format", "markdown"], standalone_mode=False).stdout
    assert "to repair synced: watch users" in shown
    assert "```diff\n--- " in shown
    written = json.loads(
        CliRunner().invoke(group, ["repair", str(small), "--format", "sarif"], standalone_mode=False).stdout
    )
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    (run_,) = written["runs"]
    fixes = [fix["description"]["text"] for result in run_["results"] for fix in result.get("fixes", [])]
    assert "; then synced converges at L" in fixes[0]
    assert all(fix["artifactChanges"] for result in run_["results"] for fix in result.get("fixes", []))


def test_without_a_time_limit_a_search_has_that_of_a_diagnosis(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    def looked(_loaded: Loaded, _answers: object, seconds: float | None, *_more: object) -> tuple[tuple[()], tuple[()]]:
        given.append(seconds)
        return (), ()

    monkeypatch.setattr("reconcheck.explain.repairs.repairs", looked)
    run("repair", str(small))
    run("repair", str(small), "--timeout", "500")
    without, with_ = given
    assert without == LEAST_SECONDS
    assert with_ is not None
    assert 400 < with_ < 500


def test_where_there_is_no_repair_the_exit_code_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hopeless.rdsl"
    path.write_text(HOPELESS)
    code, output = run("repair", str(path))
    assert code == 1
    assert "no repair of synced with up to 3 edits" in output
    code, output = run("verify", "--no-cache", "--jobs", "1", str(path))
    assert code == 1
    assert "fix       no repair of synced with up to 3 edits" in output
    code, output = run("verify", "--no-cache", "--jobs", "1", "--format", "markdown", str(path))
    assert "no repair of `synced` with up to 3 edits." in output
    code, output = run("verify", "--no-cache", "--jobs", "1", "--format", "json", str(path))
    (one,) = json.loads(output)["models"]
    assert one["diagnosis"]["unrepaired"] == ["synced"]


def test_with_a_time_limit_of_its_own_the_search_for_repairs_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("reconcheck.explain.repair_search.MOST_WORK", 1)
    loaded = read(TWO)
    answers = [Verifier(loaded).answer(goal, Scope()) for goal in loaded.operator.goals]
    _, undecided = repairs(loaded, answers, most_work=1)
    assert any("sets were" in reason for reason in undecided)
    made, undecided = repairs(loaded, answers, seconds=60.0, most_work=None)
    assert (bool(made), undecided) == (True, ())
    path = tmp_path / "two.rdsl"
    path.write_text(TWO)
    assert "sets were" in run("repair", str(path))[1]
    assert "sets were" not in run("repair", str(path), "--timeout", "60")[1]
