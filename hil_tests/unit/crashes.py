"""A process that is killed between, or in the middle of, its calls to the system."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "ftruncate", "posix_fallocate")


class Killed(BaseException):
    """The process is gone: nothing else of it reaches the disk."""


@contextlib.contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """Lets `number` calls to the system through; the next one is half done if it writes, and no other is."""
    calls: list[str] = []

    def through(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            calls.append(name)
            if len(calls) == number + 1 and name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if len(calls) > number:
                raise Killed
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, through(name, getattr(os, name)))
        yield calls
