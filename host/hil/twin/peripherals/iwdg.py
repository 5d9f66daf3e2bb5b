"""Independent watchdog (RM0385 chapter 28): a down-counter on LSI that resets the chip."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.clock import SECOND_FS
from hil.twin.machine import LSI_HZ, Machine, ResetCause
from hil.twin.peripherals.peripheral import Peripheral

IWDG_KR = 0x00
IWDG_KR_RELOAD = 0xAAAA
IWDG_KR_UNLOCK = 0x5555
IWDG_KR_START = 0xCCCC
IWDG_PR = 0x04
IWDG_RLR = 0x08
IWDG_SR = 0x0C
IWDG_WINR = 0x10


class Iwdg(Peripheral):
    """Once started, nothing but a reset stops it; it counts on while the core sleeps."""

    RESET_VALUES: ClassVar[dict[int, int]] = {IWDG_RLR: 0xFFF, IWDG_WINR: 0xFFF}

    def __init__(self, machine: Machine, base: int = 0x4000_3000) -> None:
        super().__init__(machine, "IWDG", base)
        self._expiry = machine.alarm(lambda: machine.request_reset(ResetCause.INDEPENDENT_WATCHDOG))
        self._unlocked = False
        self._started = False

    def reset(self) -> None:
        super().reset()
        self._unlocked = self._started = False
        self._expiry.set(None)

    @property
    def started(self) -> bool:
        """The counter runs."""
        return self._started

    @property
    def timeout_fs(self) -> int:
        """Time from a reload to the reset: (RLR + 1) · 4 · 2^PR / LSI."""
        divider = 4 << min(self.registers.get(IWDG_PR, 0), 6)
        return (self.registers[IWDG_RLR] + 1) * divider * SECOND_FS // LSI_HZ

    def read(self, offset: int) -> int:
        return 0 if offset in (IWDG_KR, IWDG_SR) else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == IWDG_KR:
            self._unlocked = value == IWDG_KR_UNLOCK
            self._started = self._started or value == IWDG_KR_START
            if self._started and value in (IWDG_KR_START, IWDG_KR_RELOAD):
                self._expiry.set(self.machine.clock.now_fs + self.timeout_fs)
        elif self._unlocked and offset in (IWDG_PR, IWDG_RLR, IWDG_WINR):
            self.registers[offset] = value & (0x7 if offset == IWDG_PR else 0xFFF)
            if offset == IWDG_WINR and self._started:  # writing the window reloads the counter
                self._expiry.set(self.machine.clock.now_fs + self.timeout_fs)
