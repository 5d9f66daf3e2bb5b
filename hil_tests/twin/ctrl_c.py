"""Ctrl-C for a program that runs in the test's own process."""

from __future__ import annotations

import signal
import threading
import time

from hil_tests.patience import eventually

_WORKED_S = 0.02


def press_ctrl_c() -> threading.Thread:
    """Once whoever takes SIGINT next has taken it, and has had some processor time to work."""
    former = signal.getsignal(signal.SIGINT)

    def press() -> None:
        eventually(lambda: signal.getsignal(signal.SIGINT) is not former, "nobody took SIGINT")
        begun_s = time.process_time()
        eventually(lambda: time.process_time() - begun_s > _WORKED_S)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread
