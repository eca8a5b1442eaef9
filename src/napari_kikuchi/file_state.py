"""Whether a file is still what it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class ScanLostError(OSError):
    """A scan whose file is out of reach, or has changed, since it was opened."""


@dataclass(frozen=True)
class FileState:
    """What tells a file from what it was before somebody wrote to it.

    Attributes
    ----------
    size
        In bytes.
    modified
        When it was last changed, in nanoseconds.
    """

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """As a file, or a folder of files, is now.

        It is opened, for the folder that holds it may still name what is out of reach.

        Raises
        ------
        OSError
            If it cannot be opened.
        """
        if path.is_dir():
            next(path.iterdir(), None)
            found = path.stat()
        else:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
        return cls(found.st_size, found.st_mtime_ns)

    def check(self, path: Path) -> None:
        """Check that a file is as it was.

        Raises
        ------
        ScanLostError
            If it is out of reach, or has changed.
        """
        try:
            found = FileState.of(path)
        except OSError as error:
            raise ScanLostError(
                f"{path}: is out of reach ({error.strerror}). Is its drive or server still "
                "connected? Do the same again when it is."
            ) from error
        if found != self:
            raise ScanLostError(
                f"{path}: was changed since it was opened (it had {self.size} bytes, "
                f"now {found.size}). Wait until nothing writes to it, then open it again."
            )
