"""Faults of sensor and host that every board can have, for the tests on boards other than the twin."""

from __future__ import annotations

from typing import Final

from hil.faults.outcome import Outcome

FAULTS: Final = {
    "stuck-sensor:at=2": {Outcome.FAILED},
    "clock-jump:at=2": {Outcome.ANSWERED},
    "disk-full:at=2": {Outcome.ANSWERED},
}
"""Orders, and how the sample may end that they hit. The other kinds of the device need a core that
stops between instructions; those of cables are the hardware's alone."""
