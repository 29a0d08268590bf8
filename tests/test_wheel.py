"""The wheel carries all it needs: it is installed into an empty environment elsewhere and does the main job."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["XDG_CACHE_HOME"] = str(cwd / "cache")
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_does_the_main_job_elsewhere(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"reconcheck/grammar/rdsl.lark", "reconcheck/py.typed"} <= set(names)
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    assert "[pytest11]\nreconcheck = reconcheck.api.pytest_plugin" in zipfile.ZipFile(wheel).read(entry_points).decode()
    shipped = {str(path.relative_to(ROOT)) for path in (ROOT / "models").rglob("*.rdsl")}
    assert {f"reconcheck/{name}" for name in shipped} <= set(names)
    run(sys.executable, "-m", "venv", "empty", cwd=tmp_path)
    run(tmp_path / "empty/bin/pip", "install", "--quiet", wheel, cwd=tmp_path)
    model = next(tmp_path.glob("empty/lib/python3*/site-packages/reconcheck/models/minimal/unwatched-secondary.rdsl"))
    own = tmp_path / "mine.rdsl"
    own.write_text(model.read_text())  # imports std/workloads, which is found in the installed package
    output = run(tmp_path / "empty/bin/reconcheck", "verify", own, cwd=tmp_path)
    assert "3 of 3 expectations met" in output
    assert (
        run(tmp_path / "empty/bin/reconcheck", "models", "show", "unwatched-secondary", cwd=tmp_path) == own.read_text()
    )
    assert "explain" in run(tmp_path / "empty/bin/reconcheck", "--help", cwd=tmp_path)
