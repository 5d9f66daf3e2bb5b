"""Ctrl-C and SIGTERM that unwind from a safe place.

Python runs a signal's handler wherever it happens to be. In a callback from C that is a bad place:
ctypes swallows what is raised there, the interrupt is lost, and so is the bus access that the
callback was to serve. Code that calls into C shields itself; a signal that comes meanwhile is raised
when the shield ends.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class _State:
    """The process has one set of signal handlers, and so one of these."""

    depth = 0
    deferred: BaseException | None = None
    first: int | None = None


def received() -> int | None:
    """The first signal that came, if any: what is raised on the way out may be a consequence of it."""
    return _State.first


def install() -> None:
    """SIGINT raises KeyboardInterrupt and SIGTERM SystemExit, neither inside a shield."""
    with contextlib.suppress(ValueError):  # outside the main thread, signals are not ours
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _unwind)


@contextlib.contextmanager
def shield() -> Iterator[None]:
    """Keeps `install`'s signals from being raised inside; one that came is raised at the end."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
        if _State.depth == 0 and _State.deferred is not None:
            deferred, _State.deferred = _State.deferred, None
            raise deferred


def unwind(exception: BaseException) -> None:
    """Raises `exception`, from inside a shield when that ends: for handlers of other signals."""
    if _State.depth == 0:
        raise exception
    _State.deferred = exception


def _unwind(number: int, frame: FrameType | None) -> None:
    _State.first = _State.first or number
    unwind(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))
