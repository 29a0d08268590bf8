"""Text to tokens: what Lark's contextual lexer makes of it, with one pattern in place of one for each context.

Which terminals fit depends on where the parser is.  Lark compiles a pattern for each such context, which takes longer
than parsing a model does.  Here one pattern finds a token, which is the keyword or the sign that fits there if it is
spelled like one.  What the pattern finds first is what Lark would find, if it fits; if it does not, Lark is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lark.common import LexerConf
from lark.lexer import ContextualLexer, Lexer, LexerState, PatternStr, TerminalDef, Token

WORD = "NAME"
"""The terminal of which keywords are special cases."""


class OnePatternLexer(Lexer):
    """A contextual lexer of a grammar whose keywords are words."""

    __future_interface__ = 2

    def __init__(self, conf: LexerConf) -> None:
        self._conf = conf
        word = re.compile(conf.terminals_by_name[WORD].pattern.to_regexp())
        strings = [one for one in conf.terminals if isinstance(one.pattern, PatternStr) and not one.priority]
        self._strings = {one.pattern.value: one.name for one in strings}
        keywords = {one.name for one in strings if word.fullmatch(one.pattern.value)}
        others = sorted((one for one in conf.terminals if one.name not in keywords), key=_rank)
        self._pattern = re.compile("|".join(f"(?P<{one.name}>{one.pattern.to_regexp()})" for one in others))
        self._ignored = frozenset(conf.ignore)

    def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[Token]:
        """The tokens; what a token is depends on where the parser is by then.  Raises `UnexpectedInput`."""
        at, text, end = lexer_state.line_ctr, lexer_state.text.text, lexer_state.text.end
        states = parser_state.parse_conf.parse_table.states
        while at.char_pos < end:
            found = self._pattern.match(text, at.char_pos, end)
            kind, value = (found.lastgroup, found.group()) if found is not None else (None, "")
            if kind in self._ignored:
                at.feed(value)
                continue
            fitting = states[parser_state.position]
            if (kind == WORD or kind not in fitting) and self._strings.get(value) in fitting:
                kind = self._strings[value]
            if kind is None or kind not in fitting:
                contextual = ContextualLexer(self._conf, {parser_state.position: list(fitting)})
                token = next(contextual.lex(lexer_state, parser_state), None)
                if token is None:
                    return
            else:
                token = Token(kind, value, at.char_pos, at.line, at.column)
                at.feed(value)
                token.end_line, token.end_column, token.end_pos = at.line, at.column, at.char_pos
                lexer_state.last_token = token
            yield token


def _rank(terminal: TerminalDef) -> tuple[int, int, int, str]:
    """The order in which Lark tries terminals."""
    pattern = terminal.pattern
    return -terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name
