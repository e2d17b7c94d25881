"""A folder of files under random names, two levels deep; never a part of what a web server serves."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[0-9a-f]{32}(-thumbnail)?")
_INCOMING = "incoming"


class FolderStore:
    """Files in a folder: `ab/abcdef…`. Written to a temporary name, to the disk, then renamed: there in whole or not.

    Only the account that runs the assistant can read them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Path]:
        """An empty file on the same disk; deleted at the end unless it was put away."""
        handle, name = tempfile.mkstemp(dir=self._made(self._folder / _INCOMING))
        os.close(handle)
        file = Path(name)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def put(self, name: str, file: Path) -> None:
        """Puts a file away for good: on the disk before it has its name, and its name on the disk after."""
        target = self.path(name)
        self._made(target.parent)
        _sync(file)
        file.rename(target)
        _sync(target.parent)

    def path(self, name: str) -> Path:
        """Where a file lies. Raises ValueError for a name that no file of the store can have."""
        if not _NAME.fullmatch(name):
            message = f"not a name of the store: {name!r}"
            raise ValueError(message)
        return self._folder / name[:2] / name

    def delete(self, name: str) -> None:
        """Deletes a file; one that is not there is no fault."""
        self.path(name).unlink(missing_ok=True)

    def older(self, than: datetime) -> Iterator[str]:
        """Names of files put away before a moment; what an upload that died left incoming is deleted as it goes."""
        for file in self._folder.glob("*/*"):
            if not _is_older(file, than):
                continue
            if file.parent.name == _INCOMING:
                file.unlink(missing_ok=True)
            elif _NAME.fullmatch(file.name):
                yield file.name

    def _made(self, folder: Path) -> Path:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(folder.parent)
        return folder


def _is_older(file: Path, than: datetime) -> bool:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC) < than
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
