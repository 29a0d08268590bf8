"""What the figures depend on besides the programs measured: the machine, and how long Python needs to start."""

from __future__ import annotations

import compileall
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .measure import Clock, Limit, run

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that is measured."""

FLOOR = "import z3, lark, click"
"""What every run of reconcheck imports."""

FLOOR_RUNS = 5


def environment() -> dict[str, str]:
    """The variables for a run of reconcheck: its sources are those of this checkout, installed or not."""
    path = [str(ROOT / "checker"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def compile_sources(folder: Path = ROOT / "checker") -> None:
    """Compiles sources to bytecode, as `pip install` does: where none may be written, every run would do it again."""
    compileall.compile_dir(folder, quiet=2)


def floor(clock: Clock, times: int = FLOOR_RUNS) -> float:
    """Seconds to start Python with the libraries that reconcheck needs: the median of so many runs."""
    runs = [run([sys.executable, "-c", FLOOR], Limit(60), ROOT, environment()) for _ in range(times)]
    for one in runs:
        if one.code != 0:
            raise RuntimeError(f"python -c {FLOOR!r} failed: {one.errors.strip()[-500:]}")
    return statistics.median(one.seconds(clock) for one in runs)


def machine(tools: Mapping[str, str]) -> dict[str, str]:
    """The machine, and the versions of what was run on it; nothing that tells when or where."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{pages / 2**30:.0f} GB",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        **tools,
    }


def own_versions() -> dict[str, str]:
    """The versions of reconcheck, with its commit if the checkout has one, and of Z3."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = " with changes" if _git("status", "--porcelain", "--", "checker", "grammar") else ""
    version = run(
        [sys.executable, "-c", "import reconcheck; print(reconcheck.__version__)"], Limit(60), ROOT, environment()
    )
    return {
        "reconcheck": version.output.strip() + (f" at {commit}{changed}" if commit else ""),
        "z3": importlib.metadata.version("z3-solver"),
    }


def _git(*words: str) -> str:
    """What git says, or nothing where there is no git or no repository."""
    try:
        told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
