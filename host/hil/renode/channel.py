"""The wire on Renode's virtual time: nothing runs but in steps that this channel asks for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, Protocol

from hil.errors import BoardError
from hil.renode.pace import Pace

FIRST_WORD_US: Final = 2_000_000
"""Firmware that has said nothing for so long never will."""

FIRST_WORD_LEAST_US: Final = 100_000
FIRST_WORD_WALL_S: Final = 5.0
"""Nor will it after so long by our clock, if a tenth of a second of its own has passed."""

_LANDING_US: Final = 1
"""Bytes from outside reach the machine at the end of a step; the one they shall land with is short."""


class Wire(Protocol):
    """Bytes to and from the device, without time."""

    def send(self, data: bytes) -> None: ...

    def take(self) -> bytes: ...


class RenodeChannel:
    """A channel as the transport wants it. Time stands still while the host thinks.

    `run(microseconds)` lets virtual time pass; `check` raises BoardError when the board is known to
    be lost; `where` says where the core is, for the error about firmware that never speaks.
    """

    def __init__(
        self,
        wire: Wire,
        run: Callable[[int], None],
        check: Callable[[], None],
        where: Callable[[], str] = lambda: "an unknown place",
    ) -> None:
        self._wire = wire
        self._run = run
        self._check = check
        self._where = where
        self._pace = Pace()
        self._now_us = 0
        self._received = bytearray()
        self._spoken = False
        self._began_s = time.monotonic()

    def now_s(self) -> float:
        """Virtual seconds since power-on."""
        return self._now_us / 1e6

    def byte_s(self) -> float:
        """Renode's UART takes no time."""
        return 0.0

    def write(self, data: bytes, at_s: float | None = None) -> None:
        """Gives `data` to the device: now, or so that it arrives at `at_s` when that is later."""
        lead_us = 0
        if at_s is not None:
            lead_us = round(at_s * 1e6) - self._now_us
            if lead_us > _LANDING_US:
                self._pass(lead_us - _LANDING_US)
        self._wire.send(data)
        self._pace.wrote(data, self._now_us)
        if lead_us > 0:
            self._pass(_LANDING_US)

    def read(self, until_s: float) -> bytes:
        """Runs the firmware until it has sent something, or until `until_s`. Raises BoardError."""
        until_us = math.ceil(until_s * 1e6)
        while not self._received and self._now_us < until_us:
            self._pass(min(self._pace.next_us(self._now_us), until_us - self._now_us))
        data = bytes(self._received)
        self._received.clear()
        return data

    def _pass(self, microseconds: int) -> None:
        self._run(microseconds)
        self._now_us += microseconds
        self._check()
        data = self._wire.take()
        if data:
            self._spoken = True
            self._pace.heard(data, self._now_us)
            self._received += data
        elif not self._spoken:
            self._expect_a_word()

    def _expect_a_word(self) -> None:
        waited_s = time.monotonic() - self._began_s
        patient = waited_s < FIRST_WORD_WALL_S or self._now_us < FIRST_WORD_LEAST_US
        if self._now_us < FIRST_WORD_US and patient:
            return
        raise BoardError(
            f"the firmware sent nothing in {self.now_s():.2f} s of virtual time; "
            f"the core is at {self._where()}",
            "it hangs before or in its start; --gdb PORT lets a debugger look",
        )
