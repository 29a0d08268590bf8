"""Every diagnostic code has a tiny bad model beside its expected messages; nothing else ever leaves `load`.

`diagnostics/RC203.rdsl` is the model and `diagnostics/RC203.txt` what is said about it, one line for each
diagnostic: `line:column code message | instead`.
"""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from reconcheck.cause_kinds import KINDS
from reconcheck.codes import CODES, FAMILIES
from reconcheck.diagnostic import Diagnostic, ModelError
from reconcheck.model.load import load

HERE = Path(__file__).resolve().parent
CASES = HERE / "diagnostics"
PACKAGE = HERE.parent / "checker" / "reconcheck"
MODELS = HERE.parent / "models"

NOT_FROM_A_MODEL = {
    "RC101": "a file that cannot be read; tested below",
    "RC106": "command line",
    "RC107": "command line",
    "RC108": "command line",
    "RC301": "needs the reachable states",
    "RC302": "needs the reachable states",
    "RC305": "needs the reachable states",
    "RC306": "found with the verdict; see test_findings.py",
    "RC307": "needs the reachable states",
    "RC308": "needs the reachable states",
    "RC309": "found with the verdict; see test_findings.py",
    "RC310": "needs the reachable states",
    "RC401": "verdict",
    "RC402": "verdict",
    "RC403": "verdict",
    "RC404": "verdict",
    "RC405": "verdict",
    "RC406": "verdict",
    "RC407": "verdict",
    **{kind.code: "cause" for kind in KINDS.values()},
    **{f"RC5{number:02}": "certificates" for number in range(1, 12)},
    **{f"RC6{number:02}": "citations" for number in range(1, 8)},
    **{f"RC7{number:02}": "traces of other checkers" for number in range(1, 5)},
    "RC901": "internal",
    "RC902": "internal",
    "RC903": "internal",
    "RC904": "internal",
}
"""Codes that no single model file can bring about while it is read."""

SEVERAL = {"many", "syntax_many"}
"""Models with several different mistakes."""

SECONDS = 2.0


def diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    """What loading a model says, within the time allowed."""
    started = time.process_time()
    try:
        found = load(path).findings
    except ModelError as error:
        found = error.diagnostics or (Diagnostic("", "a model is refused and nobody says why"),)
    assert time.process_time() - started < SECONDS
    return found


def shown(diagnostic: Diagnostic) -> str:
    """A diagnostic as the `.txt` files have it."""
    place = f"{diagnostic.span.line}:{diagnostic.span.column} " if diagnostic.span else ""
    return f"{place}{diagnostic.code} {diagnostic.message} | {diagnostic.instead}"


def only(path: Path) -> Diagnostic:
    """The one diagnostic of a model."""
    (diagnostic,) = diagnostics(path)
    return diagnostic


@pytest.mark.parametrize("path", sorted(CASES.glob("*.rdsl")), ids=lambda path: path.stem)
def test_a_bad_model_gets_exactly_these_messages(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert [shown(diagnostic) for diagnostic in diagnostics(path)] == expected


@pytest.mark.parametrize("path", sorted(CASES.glob("RC*.rdsl")), ids=lambda path: path.stem)
def test_a_bad_model_shows_its_own_code_and_no_other(path: Path) -> None:
    assert {diagnostic.code for diagnostic in diagnostics(path)} == {path.stem}


@pytest.mark.parametrize("path", sorted(CASES.glob("*.rdsl")), ids=lambda path: path.stem)
def test_a_fix_is_no_worse_than_the_mistake(path: Path, tmp_path: Path) -> None:
    """Every fix, applied alone, makes its own diagnostic go away."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for diagnostic in diagnostics(path):
        if (fix := diagnostic.fix) is None:
            continue
        assert fix.span.line == fix.span.end_line
        line = lines[fix.span.line - 1]
        changed = line[: fix.span.column - 1] + fix.replacement + line[fix.span.end_column - 1 :]
        copy = tmp_path / path.name
        fixed = [*lines[: fix.span.line - 1], changed, *lines[fix.span.line :]]
        copy.write_text("\n".join(fixed), encoding="utf-8")
        assert shown(diagnostic) not in [shown(left) for left in diagnostics(copy)]


def test_all_mistakes_of_a_file_are_reported_in_one_pass() -> None:
    found = diagnostics(CASES / "many.rdsl")
    assert len({diagnostic.code for diagnostic in found}) >= 8
    assert len({diagnostic.span for diagnostic in found}) == len(found)
    assert len(diagnostics(CASES / "syntax_many.rdsl")) >= 4


# ---- the catalogue --------------------------------------------------------------------------------------


def test_every_code_has_a_model_or_a_reason() -> None:
    covered = {path.stem for path in CASES.glob("*.rdsl")} - SEVERAL
    assert covered | set(NOT_FROM_A_MODEL) == set(CODES)
    assert not covered & set(NOT_FROM_A_MODEL)
    assert {path.stem for path in CASES.glob("*.txt")} == covered | SEVERAL


def test_the_source_and_the_catalogue_name_the_same_codes() -> None:
    """What the source gives is in the catalogue, and the reverse for what a model can bring about."""
    sources = [path for path in PACKAGE.rglob("*.py") if path.name != "codes.py"]
    used = {code for path in sources for code in re.findall(r"\bRC\d{3}\b", path.read_text(encoding="utf-8"))}
    assert used <= set(CODES)
    later = set(NOT_FROM_A_MODEL) - {"RC101"}  # given by the command line and the engines
    assert set(CODES) - later <= used


def test_the_catalogue_teaches() -> None:
    assert list(CODES) == sorted(CODES)
    assert len({code.title for code in CODES.values()}) == len(CODES)
    for name, code in CODES.items():
        assert name == code.code
        assert code.family in FAMILIES.values()
        assert code.lesson
        assert max(map(len, code.lesson.splitlines())) <= 110
        taught = name[:3] in ("RC1", "RC2", "RC3", "RC5", "RC6", "RC7") or code.family == "cause"
        assert bool(code.instead) == taught


# ---- files that are no models ------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = only(tmp_path / "missing.rdsl")
    assert missing.code == "RC101"
    assert "No such file" in missing.message
    assert only(tmp_path).code == "RC101"


def test_an_import_that_is_not_there(tmp_path: Path) -> None:
    for name in ("nowhere", "a" * 300, "/", "a\0b"):
        model = tmp_path / "model.rdsl"
        model.write_text(f'rdsl 1\nimport "{name}"\n', encoding="utf-8")
        assert [diagnostic.code for diagnostic in diagnostics(model)] == ["RC216", "RC223"]


CONTENTS: dict[str, tuple[bytes, str]] = {
    "binary": (bytes(range(256)) * 16, "RC101"),
    "zeros": (bytes(4096), "RC102"),
    "half a character": ("rdsl 1 // é".encode()[:-1], "RC101"),
    "empty": (b"", "RC105"),
    "blank": (b" \n\t\r\n// only a comment", "RC105"),
    "too large": (b"// 5 MB\n" * (5 * 1024 * 1024 // 8), "RC103"),
    "unknown version": (b"rdsl 2\noperator app {}", "RC102"),
    "endless version": (b"rdsl " + b"9" * 10_000, "RC103"),
    "no version": (b"operator app {}", "RC102"),
    "parentheses": (b"rdsl 1\nparam N: 0.. = " + b"(" * 10_000 + b"1" + b")" * 10_000, "RC104"),
    "open parentheses": (b"rdsl 1\nparam N: 0.. = " + b"(" * 10_000, "RC104"),
    "braces": (b"rdsl 1\noperator x " + b"{" * 10_000, "RC104"),
    "not not not": (b"rdsl 1\nparam N: 0.. = " + b"not " * 10_000 + b"true", "RC104"),
    "a long sum": (b"rdsl 1\nparam N: 0.. = 1" + b" + 1" * 10_000, "RC104"),
    "a long number": (b"rdsl 1\nparam N: 0.. = " + b"9" * 10_000, "RC103"),
    "a long word": (b"rdsl 1\noperator " + b"x" * 100_000, "RC112"),
    "garbage": (b"rdsl 1\n" + b"} { " * 30_000, "RC110"),
}


@pytest.mark.parametrize("before", ["app.status.size ==", "1 +", "not", "app.deleting or"])
def test_a_choice_inside_of_something_needs_brackets(before: str, tmp_path: Path) -> None:
    path = tmp_path / "model.rdsl"
    text = (CASES / "RC110.rdsl").read_text(encoding="utf-8").split("  controller")[0]
    path.write_text(f"{text}  converges {{ scaled: {before} if app.deleting then 1 else 2 }}\n}}\n", encoding="utf-8")
    found = only(path)
    assert (found.code, found.message) == ("RC110", "unexpected `if`")
    assert found.instead == "put brackets around it: `(if ... then ... else ...)`"


HINTS = {
    'when app.deleting { fail } @"main.go#L1" await change': "a citation stands right behind what it is about",
    "if app.deleting { fail } await change": "write `when ... { ... }`",
    "return await change": "a reconcile ends with `await change`",
    "await change;": "leave it out",
    "app.status.size = 1 await change": "write `update ...` or `patch ...` of an object",
    'when app.status.size == "x" { fail } await change': "an `opaque` value has no name",
    "patch app.status.size = 1 - -1 await change": "write `0 - 1`",
}


@pytest.mark.parametrize("line", HINTS)
def test_a_token_in_the_wrong_place_brings_a_hint(line: str, tmp_path: Path) -> None:
    path = tmp_path / "model.rdsl"
    path.write_text(
        f"""rdsl 1
operator hints {{
  runtime controller-runtime 0.24
  primary App as app {{ status.size: 0..1 = 0 }}
  controller app for app {{
    watch app
    on error backoff
    reconcile {{
      {line}
    }}
  }}
  converges {{ sized: app.status.size == 1 }}
}}
""",
        encoding="utf-8",
    )
    found = only(path)
    assert found.code == "RC110"
    assert found.instead.startswith(HINTS[line])


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_no_model(name: str, tmp_path: Path) -> None:
    content, code = CONTENTS[name]
    path = tmp_path / "model.rdsl"
    path.write_bytes(content)
    assert only(path).code == code


def test_a_byte_order_mark_and_other_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = (CASES / "RC303.rdsl").read_text(encoding="utf-8")
    for content in ("\ufeff" + text, text.replace("\n", "\r\n")):
        path = tmp_path / "model.rdsl"
        path.write_bytes(content.encode())
        assert [diagnostic.code for diagnostic in diagnostics(path)] == ["RC303"]


def test_arrays_are_not_unrolled_without_end(tmp_path: Path) -> None:
    text = (CASES / "RC303.rdsl").read_text(encoding="utf-8")
    loops = "for a in pods { for b in pods { for c in pods { when a.exists { fail } } } }\n"
    text = text.replace("  controller", "  resource Pod as pods[1000]\n  controller", 1)
    path = tmp_path / "model.rdsl"
    path.write_text(text.replace("      await change", loops + "      await change"), encoding="utf-8")
    assert {diagnostic.code for diagnostic in diagnostics(path)} == {"RC220", "RC303"}


def test_two_imports_may_need_the_same_third(tmp_path: Path) -> None:
    (tmp_path / "base.rdsl").write_text("rdsl 1\nkind Pod { status.ready: bool }\n", encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / f"{name}.rdsl").write_text('rdsl 1\nimport "base"\n', encoding="utf-8")
    path = tmp_path / "model.rdsl"
    path.write_text('rdsl 1\nimport "one"\nimport "two"\n', encoding="utf-8")
    assert only(path).code == "RC216"


# ---- mutants ---------------------------------------------------------------------------------------------

TOKENS = re.compile(r'"[^"\n]*"|//[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+[a-z0-9.]*|[-=!<>+]=|\.\.|\s+|.')
MUTANTS = 300


def originals() -> list[Path]:
    """Models to spoil: the whole language in one file, the golden models, and the shipped ones."""
    others = [*sorted((HERE / "golden").glob("*.rdsl")), *sorted(MODELS.rglob("*.rdsl"))]
    return [HERE / "models" / "everything.rdsl", *(path for path in others if path.stat().st_size < 8_000)]


def mutant(text: str, dice: random.Random) -> str:
    """The text with one to three tokens removed, doubled, or replaced by another one of the same file."""
    tokens = TOKENS.findall(text)
    for _ in range(dice.randint(1, 3)):
        places = [index for index, token in enumerate(tokens) if token.strip()]
        place = dice.choice(places)
        kind = dice.random()
        if kind < 0.2:
            tokens[place] = " "
        elif kind < 0.4:
            tokens[place] += f" {tokens[place]}"
        else:
            alike = [i for i in places if tokens[i][0].isalpha() == tokens[place][0].isalpha()]
            tokens[place] = tokens[dice.choice(alike)]
    return "".join(tokens)


def test_the_example_of_the_reference_is_a_model(tmp_path: Path) -> None:
    page = (HERE.parent / "spec" / "language.md").read_text(encoding="utf-8")
    example = re.search(r"```rdsl\n(rdsl 1\n.*?)```", page, re.DOTALL)
    assert example is not None
    path = tmp_path / "app.rdsl"
    path.write_text(example.group(1), encoding="utf-8")
    assert diagnostics(path) == ()


def test_the_whole_language_in_one_file_is_accepted() -> None:
    assert diagnostics(HERE / "models" / "everything.rdsl") == ()


def test_no_mutant_of_a_model_brings_a_traceback(tmp_path: Path) -> None:
    dice = random.Random(20260517)
    texts = [path.read_text(encoding="utf-8") for path in originals()]
    for number in range(MUTANTS):
        path = tmp_path / f"mutant{number}.rdsl"
        text = texts[0] if number % 3 == 0 else dice.choice(texts)
        path.write_text(mutant(text, dice), encoding="utf-8")
        for diagnostic in diagnostics(path):
            assert diagnostic.code in CODES
            assert diagnostic.message
            assert diagnostic.instead
