"""Exports to SMV and TLA+ as text: recorded ones, and what must be so of each.

`python tests/test_export_text.py` writes the recordings anew.  That NuSMV and TLC find in them what the interpreter
finds is in spec/referees.md (`referees.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from reconcheck import __version__
from reconcheck.export import smt2, smv, tla, vmt
from reconcheck.export.system import System, build
from reconcheck.export.targets import TARGETS, Unfit
from reconcheck.export.wrapping import INFIX, LISTS, TLA, Breaking
from reconcheck.model.operator import Scope
from support import GOLDEN, TESTS, read

EXPORTS = TESTS / "exports"
SHOWN, FORMS = "missing-watch", ("smv", "tla", "smt2", "vmt")
"""The golden model that is recorded, and in which languages."""
_TLA = "EXTENDS Integers CONSTANTS VARIABLES UNCHANGED TRUE FALSE BOOLEAN IF THEN ELSE WF_vars _vars Nat Int"
_SMV = (
    "MODULE main IVAR VAR DEFINE ASSIGN INIT JUSTICE LTLSPEC INVARSPEC NAME boolean integer init next case esac F G "
    "TRUE FALSE"
)
TLA_WORDS, SMV_WORDS = frozenset(_TLA.split()), frozenset(_SMV.split())
ENDLESS = """rdsl 1
operator counter {
  runtime controller-runtime 0.24
  primary App as app { spec.size: nat = 0 }
  external db { n: int = any }
  controller app for app { watch app  reconcile { call db.n = app.spec.size  await change } }
  environment {
    disturbance grow { app.spec.size = app.spec.size + 1 }
    process drift when db.n <= 2 { db.n = any  }
  }
  converges { copied: db.n == app.spec.size }
}
"""


def whole(path: Path, level: int = 4, bound: int | None = None) -> System:
    """The system of a model with all its questions."""
    operator = read(path)
    return build(operator, Scope(level), operator.goals, bound)


def recordings() -> dict[str, str]:
    """What is recorded, by file name."""
    system = whole(GOLDEN[0].with_name(f"{SHOWN}.rdsl"), level=3)
    found: dict[str, str] = {}
    for form in FORMS:
        for name, text in TARGETS[form].files(system).items():
            found[name] = text.replace(f"reconcheck {__version__}", "reconcheck VERSION").replace(str(TESTS), "tests")
    return found


def code(text: str, comment: str) -> str:
    """The text without comments and strings."""
    return re.sub(r'"[^"\n]*"', '""', re.sub(rf"{comment}.*", "", text))


def identifiers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.\\])[A-Za-z_]\w*", text))


# ---- recorded --------------------------------------------------------------------------------------------------------


def test_exports_are_as_recorded() -> None:
    wanted = {path.name: path.read_text(encoding="utf-8") for path in EXPORTS.iterdir()}
    assert recordings() == wanted, "python tests/test_export_text.py writes them anew"


@pytest.mark.parametrize(
    ("breaking", "line", "parts"),
    [
        (INFIX, f"  a := {'b' * 60} | {'c' * 60}; -- d e", [f"  a := {'b' * 60} |", f"      {'c' * 60}; -- d e"]),
        (TLA, f'  /\\ {"a" * 60} /\\ b = "c {"d" * 60}"', [f"  /\\ {'a' * 60} /\\", f'      b = "c {"d" * 60}"']),
        (LISTS, f"(and |a {'b' * 60}| |c {'d' * 60}|)", [f"(and |a {'b' * 60}|", f"    |c {'d' * 60}|)"]),
        (INFIX, f"-- {'a | ' * 60}b", [f"-- {'a | ' * 60}b"]),
    ],
    ids=["smv", "tla", "smt", "comment"],
)
def test_long_lines_are_broken_behind_operators(breaking: Breaking, line: str, parts: list[str]) -> None:
    assert list(breaking.lines([line])) == parts


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_lines_are_not_too_long(path: Path) -> None:
    system = whole(path)
    for files, comment in ((smv.files, "--"), (tla.files, "\\*"), (vmt.files, ";"), (smt2.files, ";")):
        lines = (line for text in files(system).values() for line in text.splitlines())
        assert not [line for line in lines if len(line.partition(comment)[0]) > 150]


# ---- SMV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_smv_declares_what_it_uses_once(path: Path) -> None:
    system = whole(path)
    ((_, text),) = smv.files(system).items()
    body = code(text, "--")
    known = smv.identifiers_of(system)
    names = [*known.variables.values(), *known.values.values(), *known.choices.values(), *known.actions]
    assert max(Counter(map(str.lower, names)).values()) == 1
    assert not set(names) & smv.RESERVED
    declared = {*names, *re.findall(r"^  (does_\w+) :=", body, re.MULTILINE), *re.findall(r"NAME (\w+)", body)}
    own = {"step", "last", smv.IDLE, smv.OTHER, *known.units.values()}
    assert identifiers(body) <= declared | own | SMV_WORDS
    assert all(body.count(left) == body.count(right) for left, right in ("()", "{}"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_smv_is_fair_to_each_unit_and_asks_each_question(path: Path) -> None:
    system = whole(path)
    ((_, text),) = smv.files(system).items()
    assert re.findall(r"^JUSTICE [^;]*; -- (.*)$", text, re.MULTILINE) == list(system.units)
    for name, property_ in smv.properties(system).items():
        kind = next(question.kind for question in system.questions if question.name == name)
        assert f"{'LTLSPEC' if kind == 'converges' else 'INVARSPEC'} NAME {property_} :=" in text
    for action in system.actions:
        assert f"-- {action.name} ({action.kind})\n" in text
        for comment in action.comments:
            assert f"--   {comment}\n" in text


def test_only_what_stays_possible_needs_to_be_remembered() -> None:
    system = whole(GOLDEN[0].with_name("owner-any.rdsl"), level=3)
    lasting = {unit for unit in system.units if not smv.disables_itself(system, unit)}
    assert lasting == {"reconcile app"}
    ((_, text),) = smv.files(system).items()
    assert "last : {nothing, last_reconcile_app};" in text
    assert "last" not in identifiers(code(smv.unfair(system), "--"))


def test_nusmv_has_no_variables_with_one_value(tmp_path: Path) -> None:
    """It stores them as constants, and refuses to assign them (NuSMV 2.5.4: "A variable is expected")."""
    path = tmp_path / "one.rdsl"
    path.write_text(
        ENDLESS.replace("nat = 0", "0..0 = 0").replace("size + 1", "size").replace("db.n = any", "db.n = 1")
    )
    (text,) = smv.files(whole(path, bound=3)).values()
    assert "  app_spec_size := 0;" in text
    assert "app_spec_size : 0..0" not in text
    assert "next(app_spec_size)" not in text


# ---- TLA+ ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_tla_defines_what_it_uses_once(path: Path) -> None:
    system = whole(path)
    (_, text), *configurations = tla.files(system).items()
    body = code(text, r"\\\*").split("\n", 1)[1]
    known = tla.identifiers_of(system)
    defined = re.findall(r"^(\w+) ==", body, re.MULTILINE)
    variables = list(known.variables.values())
    assert max(Counter([*defined, *variables]).values()) == 1
    assert not {*variables, *known.actions} & tla.RESERVED
    assert identifiers(body) <= {*defined, *variables, "None", "Values", "any0", "any1", "any2"} | TLA_WORDS
    assert [re.search(r"^(?:PROPERTY|INVARIANT) (?!Types)(\w+)$", asked, re.M)[1] for _, asked in configurations] == [  # type: ignore[index]
        question.name for question in system.questions
    ]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_tla_says_of_every_variable_what_becomes_of_it(path: Path) -> None:
    system = whole(path)
    text = next(iter(tla.files(system).values()))
    known = tla.identifiers_of(system)
    for name in known.actions:
        definition = re.search(rf"^{name} ==\n((?:  .*\n)+)", text, re.MULTILINE)
        assert definition is not None
        changed = re.findall(r"/\\ (\w+)' = ", definition[1])
        kept = re.findall(r"UNCHANGED <<(.*)>>", " ".join(definition[1].split()))
        assert sorted([*changed, *", ".join(kept).split(", ")] if kept else changed) == sorted(known.variables.values())
    fair = re.findall(r"/\\ WF_vars\((\w+)\)", text)
    assert fair == [known.units[unit] for unit in system.units]
    assert set(fair) <= set(re.findall(r"^(\w+) ==", text, re.MULTILINE))


# ---- numbers without bounds ------------------------------------------------------------------------------------------


def test_numbers_without_bounds_stay_so_where_the_language_has_them(tmp_path: Path) -> None:
    path = tmp_path / "counter.rdsl"
    path.write_text(ENDLESS)
    endless, bounded = whole(path), whole(path, bound=3)
    module, configuration = tla.files(endless).values()
    assert "app_spec_size \\in Nat" in module
    assert "\\E any0 \\in AnyInt :" in module
    assert "UNBOUNDED" in module
    assert "CONSTRAINT Near" in configuration
    assert "AnyInt <- NearInt" in configuration
    module, configuration = tla.files(bounded).values()
    assert "app_spec_size \\in 0..3" in module
    assert "db_n \\in -3..3" in module
    assert "CONSTRAINT" not in configuration
    assert "BOUNDED" in module
    (text,) = smv.files(bounded).values()
    assert "  app_spec_size : 0..3;" in text
    assert "  db_n : -3..3;" in text


def test_smv_is_unfit_where_fairness_would_need_a_quantifier(tmp_path: Path) -> None:
    path = tmp_path / "counter.rdsl"
    path.write_text(ENDLESS)
    for form in ("smv", "vmt"):
        with pytest.raises(Unfit, match="--bound"):
            TARGETS[form].files(whole(path))
    path.write_text(ENDLESS.replace("db.n = any", "db.n = db.n + 1"))
    (text,) = smv.files(whole(path)).values()
    assert "  app_spec_size : integer;" in text
    assert "nuXmv -int counter.smv" in text
    assert "(exists ((c Choice))" not in next(iter(TARGETS["smt2"].files(whole(path)).values()))


if __name__ == "__main__":
    for name, text in recordings().items():
        (EXPORTS / name).write_text(text, encoding="utf-8")
