"""The faults that every board can have, for the tests on boards other than the twin."""

from __future__ import annotations

from typing import Any, Final

from hil.faults.outcome import Outcome
from hil.faults.registry import KINDS

ANYWHERE: Final = [
    kind.name for kind in KINDS.values() if kind.layer in ("link", "server") and not kind.boards
]
"""Kinds that need no twin."""

FAULTS: Final = {
    "frame-loss:at=2,frame=input": {Outcome.RETRIED},
    "bit-error-after-crc:at=2,frame=input": {Outcome.RETRIED},
    "stuck-sensor:at=2": {Outcome.FAILED},
    "clock-jump:at=2": {Outcome.ANSWERED},
    "disk-full:at=2": {Outcome.ANSWERED},
}
"""Orders, and how the sample may end that they hit. Some kinds of the device need a core that stops between
instructions; those of cables are the hardware's alone."""


def settings_of(kind: str) -> dict[str, Any]:
    """What a run needs beside the order of a `kind`: a server of its own answers in real time."""
    return {"server_ms": None, "request_timeout_s": 0.4} if KINDS[kind].own_server else {}
