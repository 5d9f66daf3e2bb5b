"""The serial cable: a pty that any serial program opens, and that nobody has to read."""

from __future__ import annotations

import contextlib
import errno
import os
import tty

READ_BYTES = 4096
BACKLOG_BYTES = 1 << 16
"""What waits for a reader that pauses. A probe's virtual COM port drops what is beyond, too."""


class Cable:
    """Both ends of a pty: the device side stays open here, so that readers may come and go."""

    def __init__(self) -> None:
        self._host, self._device = os.openpty()
        tty.setraw(self._device)
        os.set_blocking(self._host, False)
        self.where = os.ttyname(self._device)
        self.plugged = True
        self._backlog = b""

    def descriptors(self) -> list[int]:
        """What becomes readable when input comes."""
        return [self._host]

    def read(self) -> bytes:
        """What was written to the pty; what comes while the cable is out is lost."""
        data = self._receive()
        return data if self.plugged else b""

    def _receive(self) -> bytes:
        try:
            return os.read(self._host, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def write(self, data: bytes) -> None:
        """Sends `data`, as far as it is taken; the newest bytes wait when nobody reads."""
        if not self.plugged:
            return
        self._backlog = (self._backlog + data)[-BACKLOG_BYTES:]
        if self._backlog:
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self._host, self._backlog)
                self._backlog = self._backlog[sent:]

    def plug(self, plugged: bool) -> None:
        """Pulls the cable, or puts it back; what was written meanwhile is lost."""
        while not self.plugged and self._receive():
            pass
        self.plugged = plugged
        self._backlog = b""

    def close(self) -> None:
        """The pty is gone."""
        os.close(self._host)
        os.close(self._device)
