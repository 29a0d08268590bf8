"""Certificates as documents: their form, their header, and what cannot be read."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from known_proofs import EXTERNAL, MINIMAL, PROVED, ROOT, SCHEDULED, document, issued, judged
from mutants import Document
from reconcheck.certify.certificates import labels
from reconcheck.certify.script import script
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.proof.document import header
from reconcheck.proof.reading import read_header


def test_names_of_obligations_cannot_leave_their_comment() -> None:
    lines = script(["a goal\n(assert false)"], []).splitlines()
    assert all(line.startswith((";", "(set-logic", "(exit")) for line in lines)


def test_certificates_follow_their_schema() -> None:
    schema = json.loads((ROOT / "spec" / "certificate.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path, scope in PROVED:
        validator.validate(document(path, scope))
    for change in (
        {"version": 2},
        {"scope": {"schedule": 1, "without": []}},
        {"goal": {"name": "g", "question": "sometimes", "formula": True}},
        {"proof": {"kind": "convergence", "clauses": [["xor", True, False]], "parts": []}},
        {"proof": {"kind": "convergence", "clauses": []}},
    ):
        assert not validator.is_valid({**document(EXTERNAL, SCHEDULED), **change})


def test_every_obligation_is_described() -> None:
    """The names that stand in the scripts are those of the table in `spec/certificates.md`, and the reverse."""
    page = (ROOT / "spec" / "certificates.md").read_text(encoding="utf-8")
    table = page.split("| name begins with | says that |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    described = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    patterns = [re.compile(re.sub(r"\b(F|M|A|STEP)\b", ".+", re.escape(name))) for name in described]
    used = [
        line.removeprefix("; ")
        for path, scope in PROVED
        for line in issued(path, scope).obligations.split("(set-logic ALL)")[1].splitlines()
        if line.startswith("; ") and not re.match(r"; v\d+ is ", line)
    ]
    assert len(used) > 500
    for name in used:
        assert any(pattern.match(name) for pattern in patterns), name
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "checker/reconcheck/certify").glob("*.py"))
    for name in described:
        assert re.split(r"\b(?:F|M|A|STEP)\b", name)[0].strip(" :") in sources, name


def test_the_header_says_which_question_it_was() -> None:
    operator = load(MINIMAL / "unwatched-secondary.rdsl").operator
    scope = Scope(level=4, without=("poll",))
    about = header(operator, operator.goal("sized"), scope)
    assert [source.file for source in about.imports] == ["std/workloads.rdsl"]
    assert len(about.model.sha256) == 64
    content = document(MINIMAL / "unwatched-secondary.rdsl", SCHEDULED)
    content["scope"]["without"] = ["poll"]
    assert read_header(content)[0] == header(operator, operator.goal("sized"), scope)


def test_certificates_of_different_models_have_different_names() -> None:
    files = ["a/x.rdsl", "b/x.rdsl", "y.rdsl", "/c/b/z.rdsl", "c/b/z.rdsl"]
    found = labels(files)
    assert found["y.rdsl"] == "y"
    assert found["a/x.rdsl"] == "a-x"
    assert len(set(found.values())) == len(files)
    assert all("/" not in label for label in found.values())


# ---- what cannot be read -----------------------------------------------------------------------------------


def edited(change: Callable[[Document], None]) -> Document:
    content = document(EXTERNAL, SCHEDULED)
    change(content)
    return content


def part(content: Document, kind: str) -> Any:
    return next(part for part in content["proof"]["parts"] if part["kind"] == kind)


def diagram(content: Document) -> Any:
    return part(content, "settles")["diagram"]


def put(where: Callable[[Document], Any], key: Any, value: Any) -> Callable[[Document], None]:
    """A change that puts a value somewhere."""

    def change(content: Document) -> None:
        where(content)[key] = value

    return change


def first_measure(content: Document) -> Any:
    return part(content, "measure")


def settles(content: Document) -> Any:
    return part(content, "settles")


def whole(content: Document) -> Any:
    return content


MALFORMED: list[tuple[str, str, Callable[[Document], None]]] = [
    ("RC501", "no certificate", put(whole, "format", "something else")),
    ("RC502", "version", put(whole, "version", 2)),
    ("RC502", "version", put(whole, "version", "1")),
    ("RC502", "version", put(whole, "version", True)),
    ("RC503", "cannot be printed", put(lambda c: c["goal"], "name", "holds\n  holds    21 obligations\x1b[8m")),
    ("RC503", "`settings` is missing", lambda c: c.pop("settings")),
    ("RC503", "unknown field `more`", put(whole, "more", 1)),
    ("RC503", "settings.N: an integer", put(whole, "settings", {"N": True})),
    ("RC503", "scope.schedule", put(whole, "scope", {"schedule": 1, "without": []})),
    ("RC503", "scope.without", put(whole, "scope", {"schedule": True, "without": ["b", "a"]})),
    ("RC503", "goal.question", put(lambda c: c["goal"], "question", "sometimes")),
    ("RC503", "proof.kind", put(lambda c: c["proof"], "kind", "magic")),
    ("RC503", "proof: an object", put(whole, "proof", [])),
    ("RC503", "`parts` is missing", lambda c: c["proof"].pop("parts")),
    ("RC503", "`diagram` is missing", lambda c: settles(c).pop("diagram")),
    ("RC503", "kind", put(first_measure, "kind", "rank")),
    ("RC503", "`not` has 2 operands", put(first_measure, "condition", ["not", True, True])),
    ("RC503", "`and` has 1 operands", put(first_measure, "condition", ["and", True])),
    ("RC503", "needed here", put(first_measure, "condition", ["implies", True, True])),
    ("RC503", "needed here", put(first_measure, "condition", [])),
    ("RC503", "`of`", put(first_measure, "condition", {"value": True})),
    ("RC503", "a node is", put(lambda c: diagram(c)["nodes"], 0, [0])),
    ("RC503", "a branch is", put(lambda c: diagram(c)["nodes"][0], 1, [["none"]])),
    ("RC503", "a branch leads", put(lambda c: diagram(c)["nodes"][0], 1, [["none", [-1]]])),
    ("RC503", "a branch leads", put(diagram, "root", -1)),
    ("RC503", "a type", put(first_measure, "condition", {"value": 1, "type": "float"})),
    ("RC503", "nothing from", put(first_measure, "condition", {"value": 1, "type": {"from": 2, "to": 1}})),
    ("RC503", "different values", put(first_measure, "condition", {"value": "a", "type": {"values": ["a", "a"]}})),
    ("RC504", "no variable `any0`", put(first_measure, "condition", "any0")),
    ("RC504", "no variable `other0 Bool of 3`", put(first_measure, "condition", "other0 Bool of 3")),
    ("RC504", "no variable `x| |y`", put(first_measure, "condition", ["not", "x| |y"])),
    ("RC504", "no variable `old.spec`", put(lambda c: c["proof"]["clauses"], 0, "old.spec")),
    ("RC504", "no fair action `edited_in_grafana`", put(first_measure, "action", "edited_in_grafana")),
    ("RC504", "no fair action `crash`", put(lambda c: settles(c)["helpful"], 0, "crash")),
    ("RC504", "no program counter", put(lambda c: settles(c)["ways"][0], "of", "timer(dashboard)")),
    ("RC504", "no variable `pc(other)`", put(lambda c: settles(c)["ways"][0], "of", "pc(other)")),
    ("RC504", "no variable `secret`", put(lambda c: settles(c)["columns"], 0, "secret")),
    ("RC505", "is not true or false", put(first_measure, "condition", "timer(dashboard)")),
    ("RC505", "is not true or false", put(first_measure, "condition", 1)),
    ("RC505", "is not true or false", put(lambda c: c["proof"]["clauses"], 0, ["+", 1, 2])),
    ("RC505", "an amount is a number", put(first_measure, "amount", True)),
    ("RC505", "is not a number", put(first_measure, "amount", ["+", 1, "stale(dashboard)"])),
    ("RC505", "unlike things", put(first_measure, "condition", ["==", "pc(dashboard)", "timer(dashboard)"])),
    ("RC505", "unlike things", put(first_measure, "condition", ["==", "grafana.dashboard", 1])),
    ("RC505", "unlike", put(first_measure, "amount", ["if", True, 1, True])),
    ("RC505", "not a value", put(first_measure, "condition", {"value": "line 99", "of": "pc(dashboard)"})),
    ("RC505", "not a value", put(first_measure, "amount", {"value": -3, "type": {"from": 0, "to": 3}})),
    ("RC505", "not a value", put(first_measure, "amount", {"value": True, "type": {"from": 0, "to": 3}})),
    ("RC505", "not a value", put(first_measure, "amount", {"value": -3, "type": "nat"})),
    ("RC505", "not a value", put(first_measure, "condition", {"value": 0, "type": "bool"})),
    ("RC505", "not a value", put(first_measure, "condition", ["and", True, {"value": 1, "type": "bool"}])),
    ("RC505", "not a value", put(first_measure, "condition", {"value": 7, "type": "opaque"})),
    ("RC505", "no natural number", put(lambda c: settles(c)["ways"][0]["amounts"], "line 26", -1)),
    ("RC505", "no place", put(lambda c: settles(c)["ways"][0]["amounts"], "line 1", 1)),
    ("RC505", "another column", put(lambda c: settles(c)["columns"], 0, "stale(dashboard)")),
    (
        "RC505",
        "but `true` is `bool`",
        put(lambda c: settles(c)["columns"], 0, {"name": "x", "term": True, "type": "int"}),
    ),
    ("RC505", "is no value of", put(lambda c: diagram(c)["nodes"][0], 1, [["soon", [0]]])),
    ("RC505", "is no value of", put(lambda c: diagram(c)["nodes"][0], 1, [[1, [0]]])),
    ("RC506", "no column 99", put(lambda c: diagram(c)["nodes"][0], 0, 99)),
    ("RC506", "no column -1", put(lambda c: diagram(c)["nodes"][0], 0, -1)),
    ("RC506", "no rank 99", put(lambda c: diagram(c)["nodes"][0], 1, [["none", [99]]])),
    ("RC506", "not listed before", put(lambda c: diagram(c)["nodes"][0], 1, [["none", 5]])),
    ("RC506", "not listed before", put(lambda c: diagram(c)["nodes"][0], 1, [["none", 0]])),
    ("RC506", "not listed before", put(diagram, "root", 999)),
    ("RC506", "tested before", put(lambda c: diagram(c)["nodes"][-1], 0, 7)),
    ("RC506", "the same value", put(lambda c: diagram(c)["nodes"][0], 1, [["none", [0]], ["none", [1]]])),
]


@pytest.mark.parametrize(("code", "message", "change"), MALFORMED, ids=[f"{c}-{m}" for c, m, _ in MALFORMED])
def test_a_malformed_certificate_is_answered_with_a_code(
    code: str, message: str, change: Callable[[Document], None]
) -> None:
    judgement = judged(EXTERNAL, edited(change))
    assert judgement.verdict == "wrong"
    assert code in {problem.code for problem in judgement.problems}
    assert any(message in problem.message for problem in judgement.problems if problem.code == code)


def regions(content: Document) -> Any:
    return next(c for c in settles(content)["columns"] if isinstance(c, dict) and "regions" in c)["regions"]


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("`idle` has no region", lambda r: r.pop("idle")),
        ("`idle` is in two regions", lambda r: list(r.values())[-1].append("idle")),
        ("`line 1` is no place", lambda r: r["idle"].append("line 1")),
    ],
)
def test_regions_hold_each_place_once(message: str, change: Callable[[Any], None]) -> None:
    judgement = judged(EXTERNAL, edited(lambda content: change(regions(content))))
    assert any(problem.code == "RC505" and message in problem.message for problem in judgement.problems)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[1, 2]", "no certificate"),
        ('"certificate"', "no certificate"),
        ('{"format": "reconcheck certificate", "format": "other"}', "stands twice"),
        ('{"version": 1.0}', "no integer"),
        ('{"version": NaN}', "no integer"),
        ("[" * 100_000, "too deeply"),
        ('{"format": ' + "9" * 101 + "}", "a number of 101 digits"),
        ('{"format": ' + "9" * 5_000 + "}", "a number of 5,000 digits"),
    ],
)
def test_what_is_no_json_or_no_certificate(content: str, message: str) -> None:
    judgement = judged(EXTERNAL, content)
    assert judgement.verdict == "wrong"
    assert judgement.about is None
    assert judgement.problems[0].code == "RC501"
    assert message in judgement.problems[0].message


def test_a_formula_can_be_too_deep() -> None:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # as the command line does
    try:
        deep = '["not", ' * 1_100 + "true" + "]" * 1_100
        content = issued(EXTERNAL, SCHEDULED).proof.replace('"clauses": [', f'"clauses": [{deep},')
        judgement = judged(EXTERNAL, content)
    finally:
        sys.setrecursionlimit(usual)
    assert any("levels deep" in problem.message for problem in judgement.problems)


def test_everything_wrong_is_said_at_once() -> None:
    content = document(EXTERNAL, SCHEDULED)
    content["proof"]["clauses"] += ["nothing", ["and", True]]
    first_measure(content)["action"] = 7
    diagram(content)["root"] = "x"
    judgement = judged(EXTERNAL, content)
    assert len(judgement.problems) == 4
    assert {problem.code for problem in judgement.problems} == {"RC503", "RC504"}
    content = document(EXTERNAL, SCHEDULED)
    first_measure(content)["action"] = "nothing"
    first_measure(content)["condition"] = 1
    settles(content)["helpful"][0] = "nobody"
    diagram(content)["nodes"][0][0] = 99
    assert {problem.code for problem in judged(EXTERNAL, content).problems} == {"RC504", "RC505", "RC506"}


def test_a_column_has_any_name() -> None:
    """Names of columns are for readers: they never reach a solver."""
    path, scope = PROVED[0]
    content = document(path, scope)
    odd = ["true", "n0", "v1", "and", "a|b", ""]
    for number, one in enumerate(part(content, "rests")["columns"]):
        if isinstance(one, str):
            part(content, "rests")["columns"][number] = {"name": odd[number % len(odd)] + " " * number, "term": one}
    assert judged(path, content).verdict == "holds"
