"""Renode as a child process: started quietly, watched, and ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hil.errors import BoardError
from hil.renode import guard

STOP_LIMIT_S: Final = 6.0
"""Until the process group is killed by force; the guard itself waits `guard.GRACE_S`."""

_TAIL_LINES: Final = 3


class RenodeProcess:
    """A program under the guard, with its output in a file.

    The guard has a session of its own, so Ctrl-C reaches hil alone, which then stops it; should hil
    be killed, the guard notices and ends the program.
    """

    def __init__(self, command: Sequence[str], log: Path, folder: Path) -> None:
        """Raises BoardError when it cannot be started."""
        self._log = log
        self._name = Path(command[0]).name
        interpreter = [sys.executable, "-I", "-S", str(Path(guard.__file__).resolve())]
        with log.open("wb") as output:
            try:
                self._guard = subprocess.Popen(
                    [*interpreter, *command],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd=folder,
                )
            except OSError as error:
                raise BoardError(f"{self._name} cannot be started: {error.strerror}", "") from None

    @property
    def group(self) -> int:
        """The process group that holds everything that was started."""
        return self._guard.pid

    def check(self) -> None:
        """Raises BoardError when it has ended."""
        code = self._guard.poll()
        if code is None:
            return
        tail = " / ".join(self.log().decode(errors="replace").split("\n")[-_TAIL_LINES - 1 :]).strip(" /")
        raise BoardError(
            f"Renode ended with exit code {code}{': ' + tail if tail else ''}",
            "renode.log in the run folder has what it said",
        )

    def log(self) -> bytes:
        """What it has written so far."""
        try:
            return self._log.read_bytes()
        except OSError:
            return b""

    def wait(self, limit_s: float) -> bool:
        """Whether it ended by itself within `limit_s`."""
        try:
            self._guard.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Ends it and everything it started, within some seconds. Safe to call again."""
        if self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()
        deadline_s = time.monotonic() + STOP_LIMIT_S
        self.wait(max(0.0, deadline_s - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)
        self.wait(STOP_LIMIT_S)
