"""Notices that the process which started the server is gone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

POLL_S = 1.0


def watch_parent(orphaned: Callable[[], None], stdin: int = 0) -> None:
    """Calls `orphaned` from a thread once standard input ends or the parent process changes.

    The pipe tells at once; the parent's id also when another process inherited the pipe's end.
    """
    once = threading.Lock()

    def report() -> None:
        if once.acquire(blocking=False):
            orphaned()

    def until_end() -> None:
        while os.read(stdin, 4096):
            pass
        report()

    def until_adopted(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        report()

    threading.Thread(target=until_end, name="hil-stdin", daemon=True).start()
    threading.Thread(target=until_adopted, args=(os.getppid(),), name="hil-parent", daemon=True).start()
