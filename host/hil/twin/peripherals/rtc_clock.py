"""Cycles of the RTC's clock, which goes on in Stop, Standby and over resets."""

from __future__ import annotations

from hil.twin.clock import SECOND_FS, Clock


class RtcClock:
    """Counts RTCCLK on elapsed time, over changes of its frequency; 0 Hz stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.hz = 0
        self._base_fs = 0
        self._base_cycles = 0

    @property
    def cycles(self) -> int:
        """Cycles since power-on."""
        return self._base_cycles + (self._clock.elapsed_fs - self._base_fs) * self.hz // SECOND_FS

    def at_fs(self, cycles: int) -> int | None:
        """The elapsed time at which `cycles` are reached; None while the clock stands."""
        if not self.hz:
            return None
        return self._base_fs - (self._base_cycles - cycles) * SECOND_FS // self.hz

    def set_hz(self, hz: int) -> None:
        """The clock runs at `hz` from now on."""
        if hz != self.hz:
            self._base_cycles, self._base_fs, self.hz = self.cycles, self._clock.elapsed_fs, hz
