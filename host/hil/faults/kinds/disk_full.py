"""A disk without room for the run folder."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from hil.durable import write_all
from hil.faults.injection import Injection
from hil.faults.kind import Kind, Layer
from hil.faults.outcome import Outcome

if TYPE_CHECKING:
    from hil.session.folder import RunFolder


class DiskFull(Injection):
    """From an armed sample on, only what the run holds back is free."""

    def folder(self, folder: RunFolder) -> None:
        self._folder = folder

    def begin(self, index: int) -> None:
        if self.armed:
            self.took_place("the disk of the run folder is full")
            for lines in self._folder.lines:
                lines.write = self._write

    def _write(self, handle: int, data: bytes) -> None:
        if self._folder.has_reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_all(handle, data)


DISK_FULL: Final = Kind(
    "disk-full",
    Layer.HOST,
    "the run folder's disk is full; the run ends after the sample",
    frozenset({Outcome.ANSWERED, Outcome.LOCAL, Outcome.FALLBACK, Outcome.RETRIED}),
    DiskFull,
    ends_run=True,
    usual=40,
    trials=("at=2",),
)
