"""A file that grows by whole lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from hil.durable import write_all


class Lines:
    """Every line is with the system when `append` returns, so a killed process loses none of them.

    One that cannot be written leaves nothing of itself behind.
    """

    def __init__(self, path: Path) -> None:
        """Begins the file anew. Raises OSError, as all methods do."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._handle = os.open(path, flags, 0o666)
        self._bytes = 0
        self.write: Callable[[int, bytes], None] = write_all
        """How bytes get into the file; whoever injects a full disk brings another."""

    def append(self, lines: bytes) -> None:
        """Adds one or more lines, each with its line end."""
        try:
            self.write(self._handle, lines)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self._bytes)
            raise
        self._bytes += len(lines)

    def sync(self) -> None:
        """Waits until the disk has it all."""
        os.fsync(self._handle)

    def close(self) -> None:
        """Once."""
        try:
            self.sync()
        finally:
            os.close(self._handle)
