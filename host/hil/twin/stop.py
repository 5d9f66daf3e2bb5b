"""Why a run of the twin ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StopReason(StrEnum):
    """What ended a run."""

    TIME = "time"
    """The virtual time that was asked for is reached."""

    TRANSMITTED = "transmitted"
    """A port that the caller watches has sent bytes."""

    RESET = "reset"
    """Firmware or its watchdog reset the chip; the next run boots it."""

    RETURNED = "returned"
    """A called function came back."""

    HALTED = "halted"
    """A debugger stopped the core, or it locked up."""

    BUDGET = "budget"
    """The instruction budget is spent."""


@dataclass(frozen=True)
class Stop:
    """The end of a run, on virtual time."""

    reason: StopReason
    now_s: float
    detail: str = ""
