"""Text to syntax tree, and syntax errors to diagnostics."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError
from lark.lexer import PatternStr

from reconcheck.diagnostic import Diagnostic, Fix, ModelError, Span
from reconcheck.resources import cache_directory, shipped
from reconcheck.syntax.lexer import OnePatternLexer
from reconcheck.syntax.source import read_source

if TYPE_CHECKING:
    from reconcheck.syntax import tree

VERSIONS = ("1",)
DEEPEST = 100
"""Nesting of brackets.  No operator needs it, and every recursive walk stays far from Python's own limit."""
MOST_ERRORS = 20
MOST_DIGITS = 18
"""Digits of a number: what is longer is no replica count and no duration."""
REPARSED = 256 * 1024
"""Characters that are parsed again to find further errors, in all; an editor asks at every key stroke."""

NESTING = frozenset(
    {"group", "negate", "implication", "conditional", "when", "extreme", "quantifier", "sum", "product"}
)
"""Grammar rules whose nesting is counted."""

FOREIGN = {
    "&&": "and",
    "||": "or",
    "!=": "!=",
    "!": "not ",
    "=>": "implies",
    "->": "implies",
    "&": "and",
    "|": "or",
    ";": "",
    ",": "",
    "'": '"',
    "#": "//",
    "/*": "//",
    "?": "if ... then ... else",
    "%": "",
    "/": "",
    "[": "",
}

MISPLACED = {
    "@": "a citation stands right behind what it is about, before `on ...`, and not behind a `}`",
    "via": "`via ...` stands before `on ...`",
    "if": "write `when ... { ... }`",
    "return": "a reconcile ends with `await change`, `requeue ...` or `fail`",
    ";": "leave it out: nothing stands between statements",
    ",": "leave it out: nothing stands between statements",
    '"': "an `opaque` value has no name: compare it with `none`, or with another field",
    "-": "write `0 - 1` for a number below 0",
}
"""What to do about tokens that begin like this, where the grammar has no place for them."""
FEW = 3
"""Expected tokens that say by themselves what to write."""
ASSIGNED = "write `update ...` or `patch ...` of an object, `call ...` of an external, `remember ...` of the memory"

UNFIXABLE = frozenset({"/*", "?"})
"""Foreign spellings of which a part only is at hand, so that no replacement of it helps."""

NAMES = {
    "NAME": "a name",
    "INT": "a number",
    "VERSION": "a version such as 0.24",
    "DURATION": "a duration such as 10s",
    "STRING": 'a text in "quotes"',
    "DOC": "a /// comment",
    "SIGN": "`+` or `-`",
    "COMPARE": "a comparison such as `==`",
    "ON_ERROR": "`on error`",
    "$END": "the end of the file",
    "<END-OF-FILE>": "the end of the file",
}


@functools.cache
def _parser() -> Lark:
    grammar = (shipped("grammar") / "rdsl.lark").read_text(encoding="utf-8")
    cache: str | bool = False
    try:
        cache_directory().mkdir(parents=True, exist_ok=True)
        cache = str(cache_directory() / "grammar.lark")
    except OSError:
        pass  # a read-only home: the grammar is compiled anew, which takes a second
    return Lark(grammar, parser="lalr", lexer=OnePatternLexer, propagate_positions=True, cache=cache)


def parse_file(path: Path, at: Span | None = None) -> tuple[tree.File, str]:
    """The syntax tree and the text of a file.  Raises `ModelError` with every syntax error found."""
    text = read_source(path, at)
    return parse_text(text, str(path)), text


def parse_text(text: str, file: str) -> tree.File:
    """The syntax tree of a model text; `file` is the name used in spans and messages."""
    sources = {file: text}
    early = _too_long(text, file) or _header(text, file) or _too_deep(text, file)
    if early is not None:
        raise ModelError([early], sources)
    errors: list[Diagnostic] = []
    remaining = text
    last_line = reparsed = 0
    while len(errors) < MOST_ERRORS:
        try:
            parsed = _parser().parse(remaining)
            break
        except UnexpectedInput as error:
            diagnostic = _diagnostic(error, text, file)
            line = diagnostic.span.line if diagnostic.span else 0
            if line <= last_line:
                break  # there is nothing left to take away
            if not errors or line > last_line + 1:  # else it is most likely the rest of the same mistake
                errors.append(diagnostic)
            lines = remaining.split("\n")
            at_fault = lines[line - 1] if 0 < line <= len(lines) else "{"
            reparsed += len(text)
            if at_fault.count("{") != at_fault.count("}") or reparsed > REPARSED:
                break
            lines[line - 1] = ""
            remaining, last_line = "\n".join(lines), line
    if errors:
        raise ModelError(errors, sources)
    nested = _nested(parsed, file)
    if nested is not None:
        raise ModelError([nested], sources)
    try:
        from reconcheck.syntax.builder import Builder  # a syntax error is answered without it

        return Builder(file).transform(parsed)
    except (RecursionError, VisitError) as error:
        raise ModelError([_depth(Span(file, 1, 1, 1, 1))], sources) from error


def _header(text: str, file: str) -> Diagnostic | None:
    code = re.sub(r"//[^\n]*", lambda match: " " * len(match.group()), text)
    start = Span(file, 1, 1, 1, 2)
    if not code.strip():
        return Diagnostic("RC105", "the file is empty: there is no model in it", start, "start with `rdsl 1`")
    match = re.match(r"\s*rdsl\s+([0-9]+)\b", code)
    if match is None:
        return Diagnostic("RC102", "the file does not say its language version", start, "begin with `rdsl 1`")
    if match.group(1).lstrip("0") not in VERSIONS:
        line = code[: match.start(1)].count("\n") + 1
        column = match.start(1) - (code.rfind("\n", 0, match.start(1)))
        span = Span(file, line, column, line, column + len(match.group(1)))
        message = f"version {match.group(1)} of the language is not known"
        return Diagnostic("RC102", message, span, "write `rdsl 1`", Fix(span, "1"))
    return None


def _too_long(text: str, file: str) -> Diagnostic | None:
    """A number that no field, and hardly a computer, can hold."""
    for match in re.finditer(r'"[^"\n]*"|//[^\n]*|[A-Za-z_][A-Za-z0-9_]*|([0-9]+)', text):
        if len(match.group(1) or "") > MOST_DIGITS:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            span = Span(file, line, column, line, column + len(match.group()))
            message = f"a number of {len(match.group())} digits"
            return Diagnostic("RC103", message, span, f"use a number of at most {MOST_DIGITS} digits")
    return None


def _nested(parsed: Tree[Token], file: str) -> Diagnostic | None:
    """What is nested without brackets: chains of `not`, `implies`, `else` and of sums."""
    below: list[tuple[Tree[Token], int]] = [(parsed, 0)]
    while below:
        node, depth = below.pop()
        chain = len(node.children) // 2 if node.data in ("sum", "product") else 0
        if depth + chain > DEEPEST:
            meta = node.meta
            return _depth(Span(file, meta.line, meta.column, meta.line, meta.column + 1))
        deeper = depth + (node.data in NESTING)
        below += [(child, deeper) for child in reversed(node.children) if isinstance(child, Tree)]
    return None


def _too_deep(text: str, file: str) -> Diagnostic | None:
    depth = 0
    for match in re.finditer(r'"[^"\n]*"|//[^\n]*|[({\[]|[)}\]]', text):
        if match.group() in "({[":
            depth += 1
            if depth > DEEPEST:
                line = text.count("\n", 0, match.start()) + 1
                column = match.start() - text.rfind("\n", 0, match.start())
                return _depth(Span(file, line, column, line, column + 1))
        elif match.group() in ")}]":
            depth -= 1
    return None


def _depth(span: Span) -> Diagnostic:
    message = f"brackets, `not`, `else` or sums are nested more than {DEEPEST} deep"
    return Diagnostic("RC104", message, span, "name the parts with `let`, or split the model")


def _diagnostic(error: UnexpectedInput, text: str, file: str) -> Diagnostic:
    if isinstance(error, UnexpectedToken):
        return _unexpected_token(error, text, file)
    if isinstance(error, UnexpectedCharacters):
        line, column = error.line, error.column
        foreign = _foreign(text, file, line, column)
        if foreign is not None:
            return foreign
        rest = text.split("\n")[line - 1][column - 1 :]
        span = Span(file, line, column, line, column + 1)
        allowed = error.allowed or set()
        return Diagnostic("RC110", f"unexpected `{rest[:1] or ' '}`", span, _hint(rest, allowed) or _expected(allowed))
    raise AssertionError(f"unknown syntax error {type(error).__name__}")


def _hint(rest: str, expected: set[str]) -> str | None:
    """What to do about a token, from its line, where several others were expected."""
    if "CALL" in expected and re.match(r"[\w.\[\]]+\s*[-+]?=[^=]", rest):
        return ASSIGNED
    word = re.match(r"\w+|.", rest)
    return MISPLACED.get(word.group()) if word is not None and len(expected) > FEW else None


def _foreign(text: str, file: str, line: int, column: int) -> Diagnostic | None:
    """What to write for a sign that other languages use."""
    rest = text.split("\n")[line - 1][column - 1 :]
    sign = next((sign for sign in FOREIGN if rest.startswith(sign)), None)
    if sign is None or FOREIGN[sign] in ("", sign):
        return None
    span, ours = Span(file, line, column, line, column + len(sign)), FOREIGN[sign]
    fix = Fix(span, ours) if sign not in UNFIXABLE else None
    return Diagnostic("RC111", f"`{sign}` is not part of the language", span, f"write `{ours.strip()}`", fix)


def _unexpected_token(error: UnexpectedToken, text: str, file: str) -> Diagnostic:
    token: Token = error.token
    expected = set(error.accepts or error.expected)
    if token.type == "$END":
        line = text.rstrip().count("\n") + 1
        column = len(text.rstrip().split("\n")[-1]) + 1
        span = Span(file, line, column, line, column + 1)
        what = "a `{` is never closed" if text.count("{") > text.count("}") else "the file ends too early"
        return Diagnostic("RC112", what, span, _expected(expected))
    line, column = token.line or 1, token.column or 1
    foreign = _foreign(text, file, line, column)
    if foreign is not None:
        return foreign
    before = text.split("\n")[line - 1][: column - 1]
    inside = re.search(r"(?:[-+*=<>]|\b(?:not|and|or))\s*(if)\s+[\w.]*$", before)
    if inside is not None:
        span = Span(file, line, inside.start(1) + 1, line, inside.end(1) + 1)
        return Diagnostic("RC110", "unexpected `if`", span, "put brackets around it: `(if ... then ... else ...)`")
    keyword = re.search(r"[A-Za-z_]\w*$", before)
    if keyword is not None:  # a keyword with something glued to it, such as `owners`
        span = Span(file, line, keyword.start() + 1, line, column + len(token))
        message, ours = f"unexpected `{keyword.group()}{token}`", keyword.group()
        return Diagnostic("RC110", message, span, f"did you mean `{ours}`?", Fix(span, ours))
    span = Span(file, line, column, token.end_line or line, token.end_column or column + len(token))
    rest = text.split("\n")[line - 1][column - 1 :]
    hint = _hint(rest, expected)
    if hint is not None:
        return Diagnostic("RC110", f"unexpected `{token}`", span, hint)
    guess = _closest(str(token), expected)
    if guess:
        return Diagnostic("RC110", f"unexpected `{token}`", span, f"did you mean `{guess}`?", Fix(span, guess))
    return Diagnostic("RC110", f"unexpected `{token}`", span, _expected(expected))


def _spelling(terminal: str) -> str | None:
    if terminal in NAMES:
        return None
    pattern = _parser().get_terminal(terminal).pattern
    return pattern.value if isinstance(pattern, PatternStr) else None


def _closest(written: str, expected: set[str]) -> str | None:
    import difflib

    words = sorted(word for terminal in expected if (word := _spelling(terminal)) and word.isalpha())
    return next(iter(difflib.get_close_matches(written, words, 1, 0.75)), None)


def _expected(terminals: set[str]) -> str:
    shown = sorted(
        NAMES.get(terminal) or f"`{_spelling(terminal) or terminal.lower()}`"
        for terminal in terminals
        if terminal not in ("WS", "COMMENT", "DOC")
    )
    if not shown:
        return "write a declaration"
    return "expected " + (shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " or " + shown[-1])
