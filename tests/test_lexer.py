"""The lexer finds the tokens that Lark's own contextual lexer finds, and stumbles where that does."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest
from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from reconcheck.syntax.lexer import OnePatternLexer

ROOT = Path(__file__).resolve().parent.parent
MODELS = sorted((ROOT / "models").rglob("*.rdsl"))
STUMBLES = (
    "watch",
    "owners",
    "on error",
    "onerror",
    "10s",
    "0.24",
    "..",
    "==",
    "=",
    "+=",
    "///",
    "//",
    "&&",
    '"',
    "é",
    "",
)
"""What is put in the place of a token: words, words with something glued to them, signs of all kinds, nothing."""
WRONG = 400
"""How many texts with a mistake are compared."""

Outcome = tuple[object, ...]


@cache
def parser(lexer: str | type[OnePatternLexer]) -> Lark:
    grammar = (ROOT / "grammar" / "rdsl.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=lexer, propagate_positions=True)


def place(token: Token) -> Outcome:
    """A token with all that is known about where it stands."""
    return (token.type, str(token), token.start_pos, token.line, token.column, token.end_line, token.end_column)


def outcome(lexer: str | type[OnePatternLexer], text: str) -> Outcome:
    """All tokens of a text, or where and how it is wrong."""
    try:
        tree = parser(lexer).parse(text)
    except UnexpectedToken as error:
        last = [place(one) for one in error.token_history or () if one is not None]
        return ("token", *place(error.token), frozenset(error.accepts or error.expected), *last)
    except UnexpectedCharacters as error:
        return ("character", error.line, error.column, frozenset(error.allowed or ()))
    return tuple(place(one) for one in tree.scan_values(lambda value: isinstance(value, Token)))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_model_has_the_same_tokens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = outcome(OnePatternLexer, text)
    assert len(found) > 10
    assert found == outcome("contextual", text)


def test_what_is_wrong_is_found_at_the_same_place() -> None:
    chance, kinds = random.Random(1), set[object]()
    for _ in range(WRONG):
        text = chance.choice(MODELS).read_text(encoding="utf-8")
        tokens = [one for one in parser(OnePatternLexer).lex(text) if one.start_pos is not None]
        one = chance.choice(tokens)
        assert one.start_pos is not None
        wrong = text[: one.start_pos] + chance.choice(STUMBLES) + text[one.end_pos :]
        found = outcome(OnePatternLexer, wrong)
        kinds.add(found[0] if found and isinstance(found[0], str) else "fine")
        assert found == outcome("contextual", wrong), wrong
    assert kinds == {"token", "character", "fine"}
