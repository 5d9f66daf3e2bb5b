"""Waiting in tests: for what comes soon, as long as the slowest machine may need.

A time limit in a test is there for what never ends; it is no measurement. A machine that several
programs share can stop one of them for seconds at any place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE_S: Final = 300.0

_LOOK_S: Final = 0.02


def eventually(happened: Callable[[], T], what: str = "it never happened") -> T:
    """The first true answer of `happened`. Raises AssertionError with `what` after PATIENCE_S."""
    until_s = time.monotonic() + PATIENCE_S
    while not (answer := happened()):
        assert time.monotonic() < until_s, what
        time.sleep(_LOOK_S)
    return answer
