"""Virtual time: instructions become core cycles, core cycles become seconds. Integers throughout.

Two runs of the same program give identical counts, because nothing here rounds twice and nothing
reads the host's clock.
"""

from __future__ import annotations

from hil.twin.state import CoreState

TICKS_PER_CYCLE = 100
"""Virtual time counts in ticks of 1/100 core cycle."""

CYCLES_PER_INSTRUCTION_PERCENT = 78
"""Core cycles per 100 instructions: the twin's first timing model is a constant.

The pipeline sketch in the fact sheet gives 1.63 M cycles for the 2.24 M instructions of AgileNN's
extractor, 0.73 a piece; published timings of int8 firmware are 4 % to 11 % above that sketch.
A block cost table replaces this constant when the pipeline model is calibrated.
"""

CYCLES_PER_INSTRUCTION = CYCLES_PER_INSTRUCTION_PERCENT / 100

SECOND_FS = 10**15
"""Femtoseconds: fine enough that a 216 MHz cycle rounds by less than 1e-9 of itself."""

_TICK_SECONDS_FS = SECOND_FS // TICKS_PER_CYCLE


def to_fs(seconds: float) -> int:
    """Seconds as femtoseconds, rounded up exactly: `to_s` of it is never before `seconds`."""
    numerator, denominator = seconds.as_integer_ratio()
    return -(-numerator * SECOND_FS // denominator)


def to_s(femtoseconds: int) -> float:
    """Femtoseconds as seconds."""
    return femtoseconds / SECOND_FS


class Clock:
    """Ticks of the core clock to virtual time and back, over changes of the core's frequency."""

    def __init__(self, state: CoreState, hz: int) -> None:
        self._state = state
        self._hz = hz
        self._base_ticks = state.ticks
        self._base_fs = 0
        self.slept_ticks = 0

    @property
    def hz(self) -> int:
        """The core clock (HCLK) in hertz."""
        return self._hz

    @property
    def now_fs(self) -> int:
        """Virtual time since power-on, in femtoseconds."""
        return self._base_fs + (self._state.ticks - self._base_ticks) * _TICK_SECONDS_FS // self._hz

    @property
    def awake_cycles(self) -> int:
        """Core cycles since power-on, sleep not included: the HCLK of a sleeping core is gated."""
        return (self._state.ticks - self.slept_ticks) // TICKS_PER_CYCLE

    @property
    def cycles(self) -> int:
        """Core clock cycles since power-on, sleep included."""
        return self._state.ticks // TICKS_PER_CYCLE

    def ticks_at(self, at_fs: int) -> int:
        """The first tick at or after `at_fs`: `now_fs` is then never before it."""
        return self._base_ticks - (self._base_fs - at_fs) * self._hz // _TICK_SECONDS_FS

    def set_hz(self, hz: int) -> None:
        """The core runs at `hz` from now on."""
        if hz != self._hz:
            self._base_fs, self._base_ticks, self._hz = self.now_fs, self._state.ticks, hz

    def spend(self, cycles: int) -> None:
        """Advances by core cycles that no instruction accounts for, such as exception entry."""
        self._state.ticks += cycles * TICKS_PER_CYCLE

    def wait_until(self, at_fs: int) -> None:
        """Jumps forward to `at_fs`; the core waited for the bus."""
        self._state.ticks = max(self._state.ticks, self.ticks_at(at_fs))

    def sleep_until(self, at_fs: int) -> None:
        """Jumps forward to `at_fs`; the core slept."""
        ticks = self.ticks_at(at_fs)
        if ticks > self._state.ticks:
            self.slept_ticks += ticks - self._state.ticks
            self._state.ticks = ticks
