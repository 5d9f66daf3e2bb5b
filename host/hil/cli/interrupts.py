"""Ctrl-C and SIGTERM that unwind from a safe place.

Python runs a signal's handler wherever it happens to be. Inside a callback of the emulator that is a
bad place: ctypes swallows whatever is raised there, the interrupt is lost, and so is the bus access
that the callback was to serve. A signal that finds us inside is raised when the emulator returns.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any, Final

_EMULATOR: Final = f"{os.sep}unicorn{os.sep}"


_received: list[int] = []


def received() -> int | None:
    """The first signal that came, if any: what is raised on the way out may be a consequence of it."""
    return _received[0] if _received else None


def install() -> None:
    """SIGINT raises KeyboardInterrupt and SIGTERM SystemExit, neither inside the emulator."""
    with contextlib.suppress(ValueError):  # outside the main thread, signals are not ours
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _unwind)


def caller_of_emulator(frame: FrameType | None) -> FrameType | None:
    """The frame that called into the emulator, when `frame` is in one of its callbacks."""
    caller = None
    while frame is not None:
        if _EMULATOR in frame.f_code.co_filename:
            caller = frame.f_back
        frame = frame.f_back
    return caller


def _unwind(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    caller = caller_of_emulator(frame)
    if caller is None:
        raise _exception(number)
    _raise_on_return_to(caller, _exception(number))


def _exception(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def _raise_on_return_to(caller: FrameType, exception: BaseException) -> None:
    """A trace function is the one thing Python calls in a given frame: at its next line, or its end."""
    previous = sys.gettrace()

    def interrupt(frame: FrameType, event: str, argument: Any) -> None:
        sys.settrace(previous)
        caller.f_trace = None
        raise exception

    caller.f_trace = interrupt
    sys.settrace(lambda frame, event, argument: None)
