"""SARIF: what is in a log, and that it keeps the rules of the standard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from hand_made import (
    ALONE,
    BROKEN,
    CAUSE,
    FILE,
    REPAIR,
    UNREADABLE,
    WRONG_MODEL,
    answer,
    diagnosis,
    everything,
    expected,
    loaded,
    report,
    run,
    with_answers,
)
from reconcheck.codes import CODES
from reconcheck.diagnostic import Span
from reconcheck.explain.run import Outcome, Run
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.report.sarif import log, sarif
from reconcheck.report.sarif_places import Places, files_at, region
from reconcheck.report.sarif_rules import descriptor
from reconcheck.resources import shipped
from sarif_rules import SCHEMA, every, problems

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/example/small"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def checked(one: Run) -> dict[str, Any]:
    """The log of a run, after its rules."""
    written: dict[str, Any] = json.loads(sarif(one))
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    assert list(problems(written)) == []
    (found,) = written["runs"]
    return dict(found)


def results(one: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = checked(one)["results"]
    return found


def uri(location: dict[str, Any]) -> str:
    return str(location["physicalLocation"]["artifactLocation"]["uri"])


def test_a_log_with_one_of_each_keeps_the_rules() -> None:
    found = [(one["ruleId"], one.get("kind", "fail"), one["level"]) for one in results(everything())]
    assert found == [
        ("RC401", "fail", "error"),
        (CAUSE.code, "fail", "note"),
        ("RC405", "fail", "error"),
        ("RC401", "fail", "note"),
        ("RC406", "open", "none"),
        ("RC305", "fail", "warning"),
        ("RC111", "fail", "error"),
    ]


@pytest.mark.parametrize(
    "model", ["minimal/external-system", "percona-mongodb/cluster-pr-880", "minimal/swallowed-error"]
)
def test_logs_of_real_models_keep_the_rules(model: str) -> None:
    path = ROOT / f"models/{model}.rdsl"
    made = Verifier(load(path)).report(ALONE)
    found = checked(Run((Outcome(str(path), made),), 1.0, None, str(ROOT)))
    flows = list(every(found["results"], "codeFlows"))
    assert flows, "something diverges in it"
    assert uri(found["results"][0]["locations"][0]) == f"models/{model}.rdsl"
    cited = [one for one in every(found["results"], "relatedLocations") if "OPERATOR_1" in json.dumps(one)]
    assert cited, "the model cites the operator's source"


def test_the_rules_find_what_is_wrong() -> None:
    """The rules themselves are no empty check."""
    good = log(everything())
    breaks: list[tuple[str, Any]] = [
        ("ruleIndex", 1),
        ("level", "none"),
        ("relatedLocations", []),
        ("message", {"text": "a { brace"}),
    ]
    for name, value in breaks:
        broken = json.loads(json.dumps(good))
        broken["runs"][0]["results"][0][name] = value
        assert list(problems(broken)), name
    for path in ("originalUriBaseIds", "artifacts"):
        broken = json.loads(json.dumps(good))
        part = broken["runs"][0][path]
        if isinstance(part, dict):
            part.pop("OPERATOR_1")
        else:
            part.reverse()
        assert list(problems(broken)), path
    broken = json.loads(json.dumps(good))
    broken["runs"][0]["results"][0]["surprise"] = 1
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(broken)


def test_a_run_is_a_code_flow_with_a_place_for_each_step() -> None:
    (result, *_) = results(run((FILE, with_answers([answer("quiet")]))))
    (flow,) = result["codeFlows"]
    (thread,) = flow["threadFlows"]
    lines = [step["location"]["physicalLocation"]["region"]["startLine"] for step in thread["locations"]]
    assert lines == [11, 11, 15, 17], "the call, the end of the reconcile, the disturbance, and the goal"
    messages = [step["location"]["message"]["text"] for step in thread["locations"]]
    assert messages[0].startswith("reconcile begins: call x (L11); x.up: no -> yes; woke the controller? NO")
    assert messages[-1] == (
        "quiet for ever: nothing is queued, no timer is armed, nothing else has to happen; x.up is no"
    )
    assert [step["importance"] for step in thread["locations"]] == [
        "essential",
        "unimportant",
        "essential",
        "essential",
    ]
    assert thread["locations"][2]["state"] == {"x.up": {"text": "no"}}
    assert flow["message"]["text"] == "3 steps, replayed on the reference interpreter"


def test_steps_refer_to_the_source_of_the_operator() -> None:
    found = checked(run((FILE, with_answers([answer("quiet")]))))
    (result,) = found["results"]
    related = {one["id"]: one for one in result["relatedLocations"]}
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    called = [related[one["target"]] for one in steps[0]["location"]["relationships"]]
    places = [(uri(one), one["physicalLocation"].get("region")) for one in called]
    assert places == [
        ("pkg/small.go", {"startLine": 30, "endLine": 33}),
        ("pkg/old.go", {"startLine": 7, "endLine": 7}),
    ]
    (readme,) = [related[one["target"]] for one in steps[2]["location"]["relationships"]]
    assert "region" not in readme["physicalLocation"], "it cites a file without a line"
    bases = found["originalUriBaseIds"]
    assert bases["OPERATOR_1"]["uri"] == f"{REPOSITORY}/blob/{COMMIT}/"
    assert bases["OPERATOR_2"]["uri"] == f"{REPOSITORY}/blob/fedcba9/"
    assert "uri" not in bases["%SRCROOT%"], "a log does not name the machine's folders"
    assert found["versionControlProvenance"] == [
        {"repositoryUri": REPOSITORY, "revisionId": COMMIT, "mappedTo": {"uriBaseId": "OPERATOR_1"}},
        {"repositoryUri": REPOSITORY, "revisionId": "fedcba9", "mappedTo": {"uriBaseId": "OPERATOR_2"}},
    ]


def test_what_a_citation_names_is_a_logical_location() -> None:
    cited = '@"pkg/small.go#L30-L33"'
    text = report().operator.sources[FILE].replace(cited, f'{cited[:-1]} (r *Small) Reconcile"')
    made = Verifier(loaded(text)).report(ALONE)
    (flow,) = checked(run((FILE, made)))["results"][0]["codeFlows"]
    related = checked(run((FILE, made)))["results"][0]["relatedLocations"]
    (named,) = [one for one in related if "logicalLocations" in one]
    assert named["logicalLocations"] == [{"name": "(r *Small) Reconcile"}]
    assert (uri(named), named["physicalLocation"]["region"]) == ("pkg/small.go", {"startLine": 30, "endLine": 33})
    assert flow["threadFlows"]


def test_a_model_without_a_repository_has_no_provenance() -> None:
    text = "\n".join(line for line in report().operator.sources[FILE].split("\n") if "source" not in line)
    made = Verifier(loaded(text)).report(ALONE)
    found = checked(run((FILE, made)))
    assert "versionControlProvenance" not in found
    assert found["results"][0]["codeFlows"]


def test_a_loop_is_one_level_deeper() -> None:
    flow = answer("quiet").trace
    assert flow is not None
    looping = answer("livelock", trace=replace(flow, loop=2, end="livelock"))
    (result, *_) = results(run((FILE, with_answers([looping]))))
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step.get("nestingLevel", 0) for step in steps] == [0, 1, 1, 0]
    assert steps[-1]["location"]["message"]["text"].startswith("the steps from 2 on repeat for ever")


def test_what_an_expect_line_says_is_suppressed_there() -> None:
    quiet = answer("quiet")
    (result,) = results(run((FILE, with_answers([quiet], [expected("diverges", quiet)]))))
    (suppression,) = result["suppressions"]
    assert suppression["kind"] == "inSource"
    assert suppression["justification"] == "expected in line 19: up diverges without schedule"
    assert suppression["location"]["physicalLocation"]["region"]["startLine"] == 19
    assert result["level"] == "note"


def test_what_is_as_asked_is_no_result() -> None:
    converges = answer("converges")
    assert results(run((FILE, with_answers([converges], [expected("converges", converges)])))) == []
    assert results(run()) == []


def test_an_unmet_expectation_that_is_unknown_is_open() -> None:
    unknown = answer("unknown")
    found = results(run((FILE, with_answers([unknown], [expected("converges", unknown)]))))
    assert [(one["ruleId"], one["kind"], one["level"]) for one in found] == [
        ("RC406", "open", "none"),
        ("RC405", "open", "none"),
    ]


def test_causes_point_at_their_places() -> None:
    (_, cause, *_) = results(everything())
    assert cause["locations"][0]["physicalLocation"]["region"]["startLine"] == 11
    assert {uri(one) for one in cause["relatedLocations"]} == {"pkg/small.go", "models/small%20model.rdsl"}
    assert cause["properties"] == {"goal": "up", "scope": "without schedule", "accepted": "external", "step": 3}
    assert "{{or none that is heard}}" in cause["message"]["text"]
    avoidable = replace(CAUSE, accepted="", places=())
    (_, bare) = results(run((FILE, with_answers([answer("quiet", causes=(avoidable,))]))))
    assert bare["level"] == "warning"
    assert bare["locations"][0]["physicalLocation"]["region"]["startLine"] == 17, "else at the goal"


def test_repairs_are_fixes_of_the_goals_that_they_mend() -> None:
    made = replace(with_answers([answer("quiet"), answer("quiet", "one")]), diagnosis=diagnosis())
    mended, other = results(run((FILE, made)))
    (fix,) = mended["fixes"]
    assert fix["description"]["text"] == "let x notify; then up converges at L0"
    (change,) = fix["artifactChanges"]
    assert [one["insertedContent"]["text"] for one in change["replacements"]] == ["notifies ", "watch x"]
    assert change["replacements"][0]["deletedRegion"] == {
        "startLine": 6,
        "startColumn": 26,
        "endLine": 6,
        "endColumn": 26,
    }
    assert "fixes" not in other
    assert REPAIR.goals == ("up",)


def test_a_repair_that_leaves_the_model_as_it_is_is_no_fix_but_a_property() -> None:
    kept = replace(REPAIR, title="keep poll for up", edits=(), patch="", level=4)
    made = replace(with_answers([answer("quiet")]), diagnosis=diagnosis(repairs=(kept, REPAIR)))
    (result,) = results(run((FILE, made)))
    assert [fix["description"]["text"] for fix in result["fixes"]] == ["let x notify; then up converges at L0"]
    assert result["properties"]["withoutChanges"] == ["keep poll for up: up converges at L4"]
    alone = replace(made, diagnosis=diagnosis(repairs=(kept,)))
    (bare,) = results(run((FILE, alone)))
    assert "fixes" not in bare


def test_the_schema_refuses_a_fix_without_changes() -> None:
    written = checked(run((FILE, with_answers([answer("quiet")]))))
    written["results"][0]["fixes"] = [{"description": {"text": "nothing"}, "artifactChanges": []}]
    log_ = {"$schema": "x", "version": "2.1.0", "runs": [written]}
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(log_)


def test_mistakes_in_a_model_are_results_and_everything_else_is_a_notification() -> None:
    found = checked(run(("broken.rdsl", WRONG_MODEL), ("gone.rdsl", UNREADABLE), ("b.rdsl", BROKEN)))
    (mistake,) = found["results"]
    assert mistake["ruleId"] == "RC111"
    assert mistake["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "and"}
    (invocation,) = found["invocations"]
    assert [one["descriptor"]["id"] for one in invocation["toolConfigurationNotifications"]] == ["RC101"]
    assert [one["descriptor"]["id"] for one in invocation["toolExecutionNotifications"]] == ["RC903"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 4
    assert checked(run((FILE, report())))["invocations"][0]["executionSuccessful"] is True


def test_fingerprints_do_not_move_with_the_lines() -> None:
    moved = "rdsl 1\n\n// Something new.\n\n" + report().operator.sources[FILE].split("\n", 1)[1]
    made = Verifier(loaded(moved)).report(ALONE)
    (before,) = results(run((FILE, with_answers([answer("quiet")]))))
    after = results(run((FILE, made)))[0]
    assert after["locations"] != before["locations"]
    assert after["partialFingerprints"] == before["partialFingerprints"]
    elsewhere = results(run((FILE, replace(made, operator=replace(made.operator, name="other")))))[0]
    assert elsewhere["partialFingerprints"] != before["partialFingerprints"]


def test_a_log_says_the_same_every_time() -> None:
    slower = everything()
    assert sarif(slower) == sarif(replace(slower, seconds=99.0, memory=None))


def test_every_code_of_the_catalogue_makes_a_rule_with_help() -> None:
    for code in CODES.values():
        rule = descriptor(code)
        jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/descriptor"}).validate(rule)
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["shortDescription"]["text"].endswith(".")
        assert rule["name"].isalnum()


def test_places_outside_of_the_folder_are_absolute() -> None:
    places = Places("/tree")
    assert places.file("a/../b c.rdsl") == {"uri": "b%20c.rdsl", "uriBaseId": "%SRCROOT%", "index": 0}
    assert places.file("/tree/x.rdsl") == {"uri": "x.rdsl", "uriBaseId": "%SRCROOT%", "index": 1}
    assert places.file("../other/x.rdsl") == {"uri": "file:///other/x.rdsl", "index": 2}
    assert places.file("b c.rdsl")["index"] == 0


def test_kinds_that_come_along_are_no_files_of_this_machine() -> None:
    """A mistake in one of them, seen from elsewhere; below the working folder they are files like any other."""
    kinds = str(shipped("models") / "std" / "workloads.rdsl")
    mistake = replace(WRONG_MODEL.diagnostics[0], span=Span(kinds, 3, 1, 3, 5), fix=None)
    found = checked(run(("broken.rdsl", replace(WRONG_MODEL, diagnostics=(mistake,)))))
    location = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "models/std/workloads.rdsl", "uriBaseId": "RECONCHECK", "index": 1}
    assert "uri" not in found["originalUriBaseIds"]["RECONCHECK"]
    assert str(ROOT) not in json.dumps(found)
    assert Places(str(ROOT)).file(kinds)["uriBaseId"] == "%SRCROOT%"


@pytest.mark.parametrize(
    ("repository", "files"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/blob/c1/"),
        ("https://github.com/a/b.git", "https://github.com/a/b/blob/c1/"),
        ("https://gitlab.com/a/b/c/", "https://gitlab.com/a/b/c/-/blob/c1/"),
        ("https://codeberg.org/a/b", "https://codeberg.org/a/b/src/commit/c1/"),
        ("https://example.com/a/b", None),
    ],
)
def test_files_of_known_forges_have_an_address(repository: str, files: str | None) -> None:
    assert files_at(repository, "c1") == files
    assert files_at(repository, None) is None


def test_regions_count_like_spans() -> None:
    assert region(Span("a", 2, 3, 2, 3)) == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 3}
    assert region(Span("a", 2, 3, 1, 9)) == {"startLine": 2, "startColumn": 3}
    assert region(Span("a", 0, 0, 0, 0)) == {}
