"""The grammar stays small, free of conflicts, and free of terminals that could both match."""

from __future__ import annotations

from pathlib import Path

from lark import Lark

GRAMMAR = Path(__file__).resolve().parent.parent / "grammar" / "rdsl.lark"


def test_the_grammar_has_no_conflict_of_any_kind() -> None:
    """Strict mode turns LALR conflicts and terminals that overlap into errors (it needs `interegular`)."""
    parser = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", strict=True)
    assert parser.parse("rdsl 1").data == "start"


def test_the_grammar_is_short() -> None:
    assert len(GRAMMAR.read_text(encoding="utf-8").splitlines()) < 200
