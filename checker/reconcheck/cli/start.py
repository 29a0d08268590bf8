"""The command as a process, from its first import to its end."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from reconcheck.cli.machine import collect_seldom


def entry() -> NoReturn:
    """Runs the command line, and ends at once: the system takes back faster what Python would take apart first."""
    collect_seldom()  # also while modules are imported, which makes a tenth of that
    from reconcheck.cli.main import main

    code = main()
    with suppress(OSError):  # who reads it has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
