"""Entries as files in a folder of the user's own: written in one piece, checked when read, limited in size."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import zlib
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of all entries together; above, those go that were not used for longest."""
KEPT = 0.75
"""The part of `MOST_BYTES` that is left then."""
LARGEST = 32 * 1024 * 1024
"""Bytes of one entry, compressed; a larger one is not written."""
LARGEST_TEXT = 512 * 1024 * 1024
"""Bytes of an entry's text; what would unpack to more is not read."""
SUFFIX = ".report"
HEAD = b"reconcheck report 1 "
STALE = 3600.0
"""Seconds after which a file that was never finished is taken away."""


class Store:
    """A folder with entries, by name.  Nothing here ever raises for what is in the folder, or for a full disk."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self.folder, self.most = folder, most

    def read(self, name: str) -> str | None:
        """The text of an entry; None where there is none, or where it is not what was written."""
        path = self.folder / f"{name}{SUFFIX}"
        if not self._private():
            return None
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        head, _, packed = content.partition(b"\n")
        unpacker = zlib.decompressobj()
        try:
            if head != HEAD + _sum(packed):
                raise ValueError("the entry was changed")
            text = unpacker.decompress(packed, LARGEST_TEXT)
            if not unpacker.eof:
                raise ValueError("the entry has no end")
            return text.decode("utf-8", "surrogatepass")
        except (zlib.error, ValueError):
            self.remove(name)
            return None

    def write(self, name: str, text: str) -> bool:
        """Writes an entry, and makes room for it; whether it is there now."""
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 6)
        content = HEAD + _sum(packed) + b"\n" + packed
        if len(content) > min(LARGEST, self.most) or not self._made():
            return False
        import tempfile  # not needed for what is found

        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, self.folder / f"{name}{SUFFIX}")
        except OSError:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            return False
        self._make_room()
        return True

    def remove(self, name: str) -> None:
        """Takes an entry away."""
        with suppress(OSError):
            (self.folder / f"{name}{SUFFIX}").unlink()

    def _private(self) -> bool:
        """Whether the folder is there, is the user's, and nobody else can write into it."""
        try:
            status = self.folder.lstat()
        except OSError:
            return False
        if not stat.S_ISDIR(status.st_mode):
            return False
        if not hasattr(os, "geteuid"):
            return True  # the profile of a user of Windows is nobody else's
        return status.st_uid == os.geteuid() and not status.st_mode & 0o022

    def _made(self) -> bool:
        with suppress(OSError):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
        return self._private()

    def _make_room(self) -> None:
        """Takes the entries away that were not used for longest, where there are too many."""
        entries: list[tuple[float, int, str]] = []
        now = time.time()
        try:
            with os.scandir(self.folder) as found:
                for entry in found:
                    with suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        if entry.name.endswith(SUFFIX):
                            entries.append((status.st_mtime, status.st_size, entry.path))
                        elif entry.name.startswith(".new-") and now - status.st_mtime > STALE:
                            os.unlink(entry.path)
        except OSError:
            return
        held = sum(size for _, size, _ in entries)
        if held <= self.most:
            return
        for _, size, path in sorted(entries):
            with suppress(OSError):  # somebody else was faster
                os.unlink(path)
            held -= size
            if held <= self.most * KEPT:
                return


def _sum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
