"""What a run is written to: formats, files, and what they say; the command line of it all."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
from msgspec.structs import replace

from hand_made import (
    ALONE,
    BROKEN,
    FILE,
    POLLED,
    WRONG_MODEL,
    answer,
    diagnosis,
    everything,
    expected,
    report,
    run,
    with_answers,
)
from reconcheck.cli.files import replace_file
from reconcheck.cli.outputs import outputs
from reconcheck.diagnostic import ModelError
from reconcheck.explain.cases import Status, cases
from reconcheck.explain.run import UNKNOWN, Failure
from reconcheck.explain.verdict import Report
from reconcheck.render.markdown import MARK, markdown
from reconcheck.render.markup import LIMIT, block, cell, code, folded, within
from reconcheck.render.run import NOTHING, render_run
from reconcheck.report.document import document
from reconcheck.report.formats import ENDINGS, format_of, renderer
from reconcheck.report.junit import junit
from test_command_line import goal_model, reconcheck, write

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "spec" / "report.schema.json").read_text())


# ---- what counts ------------------------------------------------------------------------------------------------


def test_the_cases_of_a_report_give_its_exit_code() -> None:
    """For every mix of two answers and up to two `expect` lines."""
    verdicts = ("converges", "quiet", "unknown")
    lines = (None, "converges", "diverges")
    for first, second, line, other in product(verdicts, verdicts, lines, lines):
        alone, polled = answer(first), answer(second, scope=POLLED)
        checked = [expected(line, alone)] if line else []
        checked += [expected(other, polled)] if other else []
        made = with_answers([alone, answer("reachable", "one")], checked)
        found = {case.status for case in cases(made)}
        wanted = 1 if Status.FAILED in found else 3 if Status.UNKNOWN in found else 0
        assert made.exit_code == wanted, (first, second, line, other)


def test_an_answer_is_one_case_also_where_a_line_expects_it() -> None:
    quiet = answer("quiet")
    made = with_answers([quiet, answer("holds", "never_two")], [expected("quiet", quiet)])
    assert [(case.name, case.status) for case in cases(made)] == [
        ("up, without schedule", Status.PASSED),
        ("never_two, without schedule", Status.PASSED),
    ]


def test_a_line_for_another_scope_leaves_an_answer_open() -> None:
    polled = answer("converges", scope=POLLED)
    made = with_answers([answer("quiet")], [expected("converges", polled)])
    assert [case.status for case in cases(made)] == [Status.OPEN, Status.PASSED]
    assert made.exit_code == 0


# ---- JSON ----------------------------------------------------------------------------------------------------------


def test_json_has_causes_and_the_diagnosis() -> None:
    written = document(everything())
    jsonschema.validate(written, SCHEMA)
    model = written["models"][0]
    (cause,) = model["answers"][0]["causes"]
    assert cause["accepted"] == "external"
    assert cause["places"][0]["cites"] == [{"location": "pkg/small.go#L30-L33", "commit": None}]
    told = model["diagnosis"]
    assert told["levels"][0]["lowest"] == 4
    assert [one["verdict"] for one in told["levels"][0]["answers"]] == ["quiet"] * 4 + ["converges"]
    assert told["wake_ups"][0]["needed"] == ["up"]
    assert told["most_reconciles"] == [{"controller": "app", "most": 3}, {"controller": "other", "most": None}]
    assert [edit["text"] for edit in told["repairs"][0]["edits"]] == ["notifies ", "watch x"]
    assert written["models"][1]["diagnosis"] is None
    assert [one["file"] for one in written["errors"]] == ["broken.rdsl", "gone.rdsl", "b"]


# ---- JUnit XML -----------------------------------------------------------------------------------------------------


def test_junit_has_a_suite_a_model_and_a_case_a_question() -> None:
    root = Xml.fromstring(junit(everything()).split("\n", 1)[1])
    assert [suite.get("name") for suite in root] == [FILE, "good.rdsl", "broken.rdsl", "gone.rdsl", "b"]
    found = {
        (suite.get("name"), case.get("name")): [child.tag for child in case]
        for suite in root
        for case in suite.findall("testcase")
    }
    assert found == {
        (FILE, "up, without schedule"): ["failure"],
        (FILE, "up, with schedule"): ["system-out"],
        (FILE, "never_two, without schedule"): ["error"],
        (FILE, "one, without schedule"): [],
        ("good.rdsl", "up, without schedule"): [],
        ("broken.rdsl", "the model"): ["error"],
        ("gone.rdsl", "the model"): ["error"],
        ("b", "the model"): ["error"],
    }
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("type") == "RC405"
    assert failure.get("message") == "expected converges; up: quiet but not converged, without schedule"
    assert failure.text is not None
    assert "  3     down                          environment  x.up: yes -> no" in failure.text


def test_junit_counts_what_it_lists() -> None:
    root = Xml.fromstring(junit(everything()).split("\n", 1)[1])
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped", "tests": None}
    for count, tag in tags.items():
        total = 0
        for suite in root:
            listed = [case for case in suite.findall("testcase") if tag is None or case.find(tag) is not None]
            assert suite.get(count) == str(len(listed)), (suite.get("name"), count)
            total += len(listed)
        assert root.get(count) == str(total)
    for case in root.iter("testcase"):
        assert re.fullmatch(r"\d+\.\d{3}", case.get("time", ""))


def test_junit_skips_what_is_not_judged() -> None:
    made = with_answers([answer("quiet")], [expected("converges", answer("converges", scope=POLLED))])
    root = Xml.fromstring(junit(run((FILE, made))).split("\n", 1)[1])
    (skipped,) = root.iter("skipped")
    assert "there is none for this scope" in skipped.get("message", "")
    assert root.get("skipped") == "1"


def test_junit_is_xml_whatever_a_message_contains() -> None:
    mistake = replace(WRONG_MODEL.diagnostics[0], message="a \x00 byte, \x1b[31m, <tag> & \ud800 ]]>")
    text = junit(run(("broken.rdsl", replace(WRONG_MODEL, diagnostics=(mistake,)))))
    (error,) = Xml.fromstring(text.split("\n", 1)[1]).iter("error")
    assert "<tag> & \ufffd ]]>" in error.get("message", "")


# ---- Markdown --------------------------------------------------------------------------------------------------------


def test_markdown_shows_first_what_is_not_as_asked() -> None:
    text = markdown(everything())
    assert text.startswith(f"{MARK}\n\n### reconcheck: 1 of 5 models as asked\n")
    table = text.split("<details>")[0]
    assert "| **FAILED** | `models/small model.rdsl` | `up` | `without schedule` | quiet [RC401] | converges |" in table
    assert "| **unknown** |" in table
    assert "| **wrong** | `broken.rdsl` |" in table
    assert "`one`" not in table, "what is as asked is folded"
    folds = re.findall(r"<summary><code>(.*?)</code></summary>", text)
    assert folds[0] == "models/small model.rdsl: up, without schedule: quiet"
    assert "models/small model.rdsl: to repair up: let x notify (then L0)" in folds
    assert folds.index("3 answers as asked") > folds.index("b: broken")
    assert "- **a system that sends no events** [RC413] (polling is accepted here: external): `x changes" in text
    assert "```diff\n--- a\n+++ b" in text


@pytest.mark.parametrize(
    ("results", "headline"),
    [
        ([answer("converges")], "the model is as asked"),
        ([answer("quiet")], "the model is not as asked"),
        ([answer("unknown")], "unknown"),
        (WRONG_MODEL, "the model is wrong"),
        (BROKEN, "internal error"),
    ],
)
def test_markdown_says_what_it_comes_to(results: object, headline: str) -> None:
    result = results if isinstance(results, Failure) else with_answers(results)  # type: ignore[arg-type]
    assert f"### reconcheck: {headline}\n" in markdown(run((FILE, result)))


def test_a_comment_is_never_too_long_and_says_what_is_missing() -> None:
    failing = with_answers([answer("quiet")])
    many = markdown(run(*((f"models/number-{number}.rdsl", failing) for number in range(400))))
    assert LIMIT * 0.9 < len(many.encode()) <= LIMIT
    left = re.search(r"_(\d+) of (\d+) parts left out: a comment holds 65,536 characters\. .*_\n$", many)
    assert left is not None
    assert int(left[2]) - int(left[1]) == many.count("<details>")
    rows = re.search(r"_and (\d+) more rows like these_", many)
    assert rows is not None
    assert int(rows[1]) + many.count("| **FAILED** |") == 400
    assert many.count("<details>") == many.count("</details>") > 10, "nothing is cut in the middle"


def test_what_failed_is_kept_before_what_was_expected() -> None:
    quiet = answer("quiet")
    fine = with_answers([quiet], [expected("quiet", quiet)])
    models = [(f"fine-{number}.rdsl", fine) for number in range(200)]
    text = markdown(run(*models, ("last.rdsl", with_answers([quiet]))))
    assert "<code>last.rdsl: up, without schedule: quiet</code>" in text
    assert "parts left out" in text


def test_a_part_that_does_not_fit_makes_room_for_smaller_ones() -> None:
    text = within(300, "head", ["x" * 400, "small"], "Look elsewhere.")
    assert "small" in text
    assert "1 of 2 parts left out: a comment holds 300 characters. Look elsewhere." in text
    assert within(300, "head", ["small"], "") == "head\n\nsmall\n"


def test_what_a_model_says_is_no_markup() -> None:
    assert code("a `b` @user #1") == "``a `b` @user #1``"
    assert code("`") == "`` ` ``"
    assert code("a\n b") == "`a b`"
    assert cell("a | b") == "a \\| b"
    assert block("```\nx") == "````text\n```\nx\n````"
    assert "<code>&lt;b&gt; x</code>" in folded("<b> x", "")


# ---- text --------------------------------------------------------------------------------------------------------


def test_text_in_a_file_says_also_why_a_model_is_wrong() -> None:
    text = render_run(everything(), verbose=False)
    assert "error[RC111]: `&&` is spelled `and` here" in text
    assert "\nwrong   broken.rdsl\n" in text
    assert "internal error[RC903]: b: KeyError: 'x'\nbroken  b\n" in text
    assert text.rstrip().endswith("in all 1.50 s, at most 50 MB of memory in a process")
    assert "woke the controller?" not in text
    assert "woke the controller?" in render_run(everything(), verbose=True)


def test_every_format_can_say_that_there_was_nothing_to_do() -> None:
    nothing = run()
    assert nothing.exit_code == 0
    assert renderer("text", False)(nothing) == f"{NOTHING}\n"
    assert NOTHING in renderer("markdown", False)(nothing)
    assert json.loads(renderer("sarif", False)(nothing))["runs"][0]["results"] == []
    assert Xml.fromstring(renderer("junit", False)(nothing).split("\n", 1)[1]).get("tests") == "0"
    jsonschema.validate(json.loads(renderer("json", False)(nothing)), SCHEMA)


def test_the_worst_model_gives_the_exit_code() -> None:
    unknown = Failure(UNKNOWN, (), {})
    quiet, fine = with_answers([answer("quiet")]), with_answers([answer("converges")])
    order: list[tuple[Report | Failure, int]] = [(BROKEN, 4), (WRONG_MODEL, 2), (quiet, 1), (unknown, 3), (fine, 0)]
    for position, (_, wanted) in enumerate(order):
        assert run(*((str(number), result) for number, (result, _) in enumerate(order[position:]))).exit_code == wanted


# ---- files -------------------------------------------------------------------------------------------------------


def test_endings_tell_formats() -> None:
    assert {format_of(f"x{end}") for ends in ENDINGS.values() for end in ends} == set(ENDINGS)
    assert format_of("a.sarif.json") == "sarif"
    assert format_of("A.JSON") == "json"
    assert format_of("a.yaml") is None
    assert format_of("json") is None


def taken(*given: str, standard: str | None = None) -> tuple[str, tuple[tuple[str, str], ...]]:
    found = outputs(standard, given, ENDINGS, format_of)
    return found.standard, found.files


def test_outputs_are_a_format_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert taken() == ("text", ())
    assert taken("a.sarif", "junit=b", "markdown=c=d.txt") == (
        "text",
        (("sarif", "a.sarif"), ("junit", "b"), ("markdown", "c=d.txt")),
    )
    assert taken("x=y.json") == ("text", (("json", "x=y.json"),)), "not every `=` is behind a format"
    assert taken("sarif=-", "a.md") == ("sarif", (("markdown", "a.md"),))
    assert taken("a.md", standard="json") == ("json", (("markdown", "a.md"),))


@pytest.mark.parametrize(
    ("given", "standard", "wanted"),
    [
        (["a.yaml"], None, "RC107"),
        (["yaml=a"], None, "RC107"),
        (["-"], None, "RC107"),
        (["json="], None, "RC107"),
        (["json=-", "sarif=-"], None, "RC107"),
        (["json=-"], "json", "RC107"),
        (["a.json", "text=./a.json"], None, "RC107"),
        (["missing/a.json"], None, "RC108"),
        (["json=."], None, "RC108"),
    ],
)
def test_outputs_that_cannot_be_are_refused_at_once(
    given: list[str], standard: str | None, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as error:
        taken(*given, standard=standard)
    assert {item.code for item in error.value.diagnostics} == {wanted}


def test_a_file_is_replaced_in_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "kept.json"
    target.write_text("before")
    link = tmp_path / "link.json"
    link.symlink_to(target)
    replace_file(link, b"after")
    assert target.read_text() == "after"
    assert link.is_symlink()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ModelError) as error:
        replace_file(target, b"lost")
    assert error.value.diagnostics[0].code == "RC108"
    assert "No space left on device" in error.value.diagnostics[0].message
    assert target.read_text() == "after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json", "link.json"], "nothing is left behind"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    replace_file(pipe, b"through it")
    assert os.read(reader, 100) == b"through it"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


# ---- the command line ---------------------------------------------------------------------------------------------


def test_one_run_writes_every_format(tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model())
    names = ["all.txt", "all.json", "all.sarif", "all.xml", "all.md"]
    options = [option for name in names for option in ("-o", str(tmp_path / name))]
    result = reconcheck("verify", model, "--jobs", "1", *options)
    assert result.returncode == 1
    written = {name: (tmp_path / name).read_text(encoding="utf-8") for name in names}
    assert written["all.txt"] == result.stdout
    jsonschema.validate(json.loads(written["all.json"]), SCHEMA)
    (sarif,) = json.loads(written["all.sarif"])["runs"]
    assert [one["ruleId"] for one in sarif["results"]] == ["RC401", "RC415"]
    assert Xml.fromstring(written["all.xml"].split("\n", 1)[1]).get("failures") == "1"
    assert "### reconcheck: the model is not as asked" in written["all.md"]


@pytest.mark.parametrize("name", ["json", "sarif", "junit", "markdown"])
def test_standard_output_has_the_format_and_nothing_else(name: str, tmp_path: Path) -> None:
    model = write(tmp_path / "wrong.rdsl", goal_model("converges { g: x.down }"))
    result = reconcheck("verify", model, "--format", name)
    assert result.returncode == 2
    read: dict[str, Callable[[str], object]] = {
        "json": json.loads,
        "sarif": json.loads,
        "junit": lambda text: Xml.fromstring(text.split("\n", 1)[1]),
        "markdown": lambda text: text.index(MARK) == 0,
    }
    assert read[name](result.stdout)
    assert "nown here: `up`" in result.stdout
    assert result.stderr == ""
    again = reconcheck("verify", model, "-o", f"{name}=-").stdout
    assert re.sub(r"\d+(\.\d+)?", "N", again) == re.sub(r"\d+(\.\d+)?", "N", result.stdout)


def test_a_file_that_cannot_be_written_is_a_coded_error_and_the_others_are_written(tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model())
    result = reconcheck("verify", model, "-o", str(tmp_path / "none" / "a.json"))
    assert result.returncode == 2
    assert "error[RC108]: cannot write" in result.stderr
    assert result.stdout == "", "nobody waits for an answer that has nowhere to go"
    full = reconcheck("verify", model, "-j", "1", "-o", "json=/dev/full", "-o", str(tmp_path / "a.md"))
    assert full.returncode == 2
    assert "cannot write /dev/full: No space left on device" in full.stderr
    assert "Traceback" not in full.stderr
    assert "quiet but not converged" in full.stdout
    assert (tmp_path / "a.md").read_text().startswith(MARK)


def test_a_changed_file_stands_for_the_models_that_import_it(tmp_path: Path) -> None:
    (tmp_path / "std").mkdir()
    write(tmp_path / "std" / "kinds.rdsl", "rdsl 1\nkind App { spec.n: 0..1 = 0 }\n")
    write(tmp_path / "std" / "more.rdsl", 'rdsl 1\nimport "kinds"\nkind Other { spec.m: bool = false }\n')
    with_import = goal_model(extra="expect g quiet").replace("rdsl 1", 'rdsl 1\nimport "std/more"')
    write(tmp_path / "far.rdsl", with_import.replace("{ spec.n: 0..1 = 0 }", ""))
    own = write(tmp_path / "own.rdsl", goal_model(extra="expect g quiet"))

    def verified(*changed: str) -> list[str]:
        result = reconcheck("verify", "--within", str(tmp_path), "--format", "json", "-j", "1", *changed)
        assert result.returncode == 0, result.stdout
        return [Path(model["file"]).name for model in json.loads(result.stdout)["models"]]

    assert verified(str(tmp_path / "std" / "kinds.rdsl")) == ["far.rdsl"], "through another file"
    assert verified(own) == ["own.rdsl"]
    assert verified(str(tmp_path / "gone.rdsl")) == []
    (tmp_path / "std" / "kinds.rdsl").unlink()
    result = reconcheck("verify", "--within", str(tmp_path), str(tmp_path / "std" / "kinds.rdsl"))
    assert result.returncode == 2
    assert 'cannot find "kinds"' in result.stderr, "whoever imports what is gone is wrong now"


def test_answers_need_no_diagnosis_and_a_diagnosis_no_answers() -> None:
    """Every format takes a report with either alone."""
    for made in (report(), replace(with_answers([]), diagnosis=diagnosis(None))):
        for name in ENDINGS:
            assert renderer(name, True)(run((FILE, made)))
    assert report().scope == ALONE
