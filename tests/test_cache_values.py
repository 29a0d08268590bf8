"""Reports as data: what is written comes back as it was, and nothing else is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from reconcheck.cache import codec
from reconcheck.cache.codec import Unstorable, decode, encode
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.request import Request
from reconcheck.diagnostic import Span
from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.diagnosis import Diagnosis, Edit, Levels, Need, Repair
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.syntax.cite import Cite
from support import GOLDEN

ROOT = Path(__file__).parent.parent
EXTERNAL = ROOT / "models" / "minimal" / "external-system.rdsl"
PLAIN = Request((), ScopeAsked(), {}, None)


def verified(path: Path) -> Report:
    return Verifier(load(path)).report(Scope())


@pytest.mark.parametrize("path", [*GOLDEN, EXTERNAL], ids=lambda path: path.stem)
def test_a_report_comes_back_as_it_was(path: Path) -> None:
    report = verified(path)
    text = encode(report)
    again = decode(text)
    assert again == report
    assert type(again) is Report
    assert again.operator.sources == report.operator.sources
    assert encode(again) == text
    certificates = [answer.certificate for answer in report.answers]
    assert [answer.certificate for answer in again.answers] == certificates


def test_what_is_shared_is_written_once() -> None:
    place = Place(Span("a.rdsl", 1, 2, 3, 4), (Cite("a.go#L1", None, Span("a.rdsl", 1, 2, 3, 4)),))
    one = encode((place,))
    assert len(encode((place, replace(place), replace(place)))) < 1.2 * len(one)
    first, second = decode(encode((place, replace(place))))
    assert first == second == place
    assert first is second


def test_every_kind_of_data_of_a_diagnosis_comes_back() -> None:
    report = verified(GOLDEN[0])
    span, place = Span("a.rdsl", 1, 2, 3, 4), Place(Span("a.rdsl", 1, 2, 3, 4))
    repair = Repair("watch it", (Edit(span, "watch x"),), "+watch x", ("g",), 1, (place,), 0.25)
    need = Need("watch", "c", "w", span, ("g",), (), (), (), False, None, 2.5)
    diagnosis = Diagnosis((Levels("g", report.answers),), (need,), (("w",),), (("c", None),), (repair,))
    cause = Cause("RC410", "unwatched read", "", "nobody looks", (place,), 3)
    answers = tuple(replace(answer, causes=(cause,)) for answer in report.answers)
    whole = replace(report, answers=answers, diagnosis=diagnosis)
    assert decode(encode(whole)) == whole
    assert decode(encode(whole)).answers[0].causes == (cause,)


def test_types_are_kept_apart() -> None:
    value = (True, 1, 1.0, "1", None, (1,), [1], frozenset({2, 1}), {"a": {"b": (False,)}})
    assert repr(decode(encode(value))) == repr(value)
    assert encode(frozenset("abc")) == encode(frozenset("cba"))
    assert decode(encode((True, 1))) == (True, 1)
    assert [type(v) for v in decode(encode(((True,), (1,))))[0]] == [bool]


@pytest.mark.parametrize("value", [object(), Path("a"), print, {1}, b"x"])
def test_only_data_is_written(value: object) -> None:
    with pytest.raises(Unstorable):
        encode((value,))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("reconcheck.cli.request", "Request"),
        ("reconcheck.explain.verify", "Verifier"),
        ("reconcheck.explain.verify", "replace"),
        ("reconcheck.explain.trace", "Interpreter"),
        ("reconcheck.explain.nothing", "Nothing"),
        ("reconcheck.diagnostic", "nothing"),
    ],
)
def test_nothing_but_data_is_made(module: str, name: str) -> None:
    text = json.dumps({"classes": [[module, name]], "rows": [[0, "true"]], "root": [0]})
    with pytest.raises(Unstorable):
        decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"classes": [], "rows": [[0]], "root": [0]}',
        '{"classes": [], "rows": [[-9]], "root": [0]}',
        '{"classes": [], "rows": [[-1, [1]], [-1]], "root": [0]}',
        '{"classes": [["reconcheck.diagnostic", "Span"]], "rows": [[0, "a"]], "root": [0]}',
        '{"classes": [], "rows": [], "root": [7]}',
    ],
)
def test_broken_text_is_no_value(text: str) -> None:
    with pytest.raises(Unstorable):
        decode(text)


def test_what_is_no_data_can_be_part_of_a_key_but_is_not_made() -> None:
    text = encode(PLAIN)
    assert encode(replace(PLAIN, goals=("g",))) != text
    with pytest.raises(Unstorable):
        decode(text)


def test_every_class_of_a_report_is_frozen() -> None:
    """Values are shared between reports that were read back, so nobody may change one."""
    for name in json.loads(encode(verified(EXTERNAL)))["classes"]:
        made = codec._named(*name)
        assert not issubclass(made, Struct) or made.__struct_config__.frozen, name
