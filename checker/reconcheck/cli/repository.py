"""A git repository to read from, with a work tree or bare, through the git that is installed."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from reconcheck.cli.errors import wrong_value

ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
"""What leads git to another repository than that of the folder; a git hook sets some of it."""


def is_git_directory(folder: Path) -> bool:
    """Whether a folder is itself what git keeps a repository in: a bare one, or the `.git` of a work tree."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def is_repository(folder: Path) -> bool:
    """Whether a folder is the top of a repository.  A work tree of its own has a file for `.git`."""
    return (folder / ".git").exists() or is_git_directory(folder)


class Repository:
    """Files at commits.  Raises `ModelError` (RC107) where the folder is no repository, or git is not there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        if not Path(folder).is_dir():
            raise wrong_value(f"there is no folder {folder}", "give a clone of the operator's repository")
        # Said plainly, since `safe.bareRepository` may forbid git to find a bare one by itself.
        self._where = (f"--git-dir={folder}",) if is_git_directory(Path(folder)) else ("-C", folder)
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
        environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        command = ["git", *self._where, *arguments]
        try:
            return subprocess.run(command, env=environment, capture_output=True, check=False)
        except OSError as error:
            raise wrong_value(f"cannot run git: {error.strerror}", "install git") from error
