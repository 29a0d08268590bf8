"""Where the files that ship beside the code are: inside the installed package, or in the checkout."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent.parent


def shipped(name: str) -> Path:
    """The folder `name` (`grammar` or `models`), from the wheel if it is there, else from the checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else CHECKOUT / name


def cache_directory() -> Path:
    """The user's cache directory for reconcheck (XDG base directory specification).

    Raises `OSError` where the user has no home.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # others are to be ignored
        return base / "reconcheck"
    try:
        return Path.home() / ".cache" / "reconcheck"
    except RuntimeError as error:
        raise OSError(str(error)) from error
