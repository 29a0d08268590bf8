"""The catalogue of codes as SARIF rules and notifications, as far as a log refers to them."""

from __future__ import annotations

import re
from typing import Any

from reconcheck.codes import CODES, Code


class Rules:
    """Descriptors in the order in which they are first referred to."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def index(self, code: str, title: str = "") -> int:
        """The index of a code's descriptor; `title` is for a code that is not in the catalogue."""
        if code not in self._found:
            self._found[code] = descriptor(CODES.get(code) or Code(code, title or code, title or code))
        return list(self._found).index(code)

    def all(self) -> list[dict[str, Any]]:
        """Every descriptor."""
        return list(self._found.values())


def descriptor(code: Code) -> dict[str, Any]:
    """A code as a reporting descriptor, with its lesson as help.

    Nothing is ever inserted into these texts, so that the braces of an example are not doubled.
    """
    family = code.family if code.code[:3] in _LEVELS else "diagnostic"
    return {
        "id": code.code,
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", code.title)),
        "shortDescription": {"text": _sentence(code.title)},
        "fullDescription": {"text": _flat(code.lesson)},
        "help": {"text": _plain(code), "markdown": _markdown(code)},
        "defaultConfiguration": {"level": _LEVELS.get(code.code[:3], "error")},
        "properties": {"tags": [family]},
    }


_LEVELS = {"RC1": "error", "RC2": "error", "RC3": "warning", "RC4": "error", "RC5": "error", "RC9": "error"}


def _sentence(title: str) -> str:
    return title[:1].upper() + title[1:] + "."


def _flat(lesson: str) -> str:
    return " ".join(lesson.split())


def _plain(code: Code) -> str:
    parts = [_flat(code.lesson)]
    parts += [f"Instead: {_flat(code.instead)}"] * bool(code.instead)
    parts += [f"Example:\n{code.example}"] * bool(code.example)
    return "\n\n".join(parts)


def _markdown(code: Code) -> str:
    parts = [_flat(code.lesson)]
    parts += [f"**Instead:** {_flat(code.instead)}"] * bool(code.instead)
    parts += [f"```rdsl\n{code.example}\n```"] * bool(code.example)
    return "\n\n".join(parts)
