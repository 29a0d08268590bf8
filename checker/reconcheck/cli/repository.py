"""A git repository to read from, with a work tree or bare, through the git that is installed."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from reconcheck.cli.errors import wrong_value


class Repository:
    """Files at commits.  Raises `ModelError` (RC107) where the folder is no repository, or git is not there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        if not Path(folder).is_dir():
            raise wrong_value(f"there is no folder {folder}", "give a clone of the operator's repository")
        found = self._git("rev-parse", "--git-dir")
        if found.returncode:
            reason = found.stderr.decode(errors="replace").strip().splitlines()
            message = f"{folder} is no git repository that can be read: {reason[0] if reason else 'git says nothing'}"
            raise wrong_value(message, "give a clone of the operator's repository")

    @functools.cache  # noqa: B019 - a repository lives as long as the command
    def commit(self, revision: str) -> str | None:
        """The full name of a commit; None where the repository does not have it."""
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found.stdout.decode().strip() if found.returncode == 0 else None

    @functools.cache  # noqa: B019
    def lines(self, commit: str, path: str) -> tuple[str, ...] | None:
        """The lines of a file at a commit; None where there is no such file."""
        name = f"{commit}:{path}"
        if self._git("cat-file", "-t", name).stdout.strip() != b"blob":
            return None
        text = self._git("cat-file", "blob", name).stdout.decode("utf-8", "replace")
        lines = text.replace("\r\n", "\n").split("\n")
        return tuple(lines[:-1] if lines[-1] == "" else lines)

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(["git", "-C", self.folder, *arguments], capture_output=True, check=False)
        except OSError as error:
            raise wrong_value(f"cannot run git: {error.strerror}", "install git") from error
