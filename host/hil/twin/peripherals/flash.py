"""Flash interface (RM0385 chapter 3): wait states are stored; programming is not modelled."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

FLASH_ACR = 0x00
FLASH_ACR_LATENCY = 0xF
FLASH_KEYR = 0x04
FLASH_CR = 0x10
FLASH_CR_LOCK = 1 << 31

HZ_PER_WAIT_STATE = 30_000_000
"""RM0385 table 5, 2.7 V to 3.6 V: one more wait state for every 30 MHz; 7 up to 216 MHz."""


class FlashInterface(Peripheral):
    """FLASH_ACR and the lock; a key written to it draws a warning."""

    RESET_VALUES: ClassVar[dict[int, int]] = {FLASH_CR: FLASH_CR_LOCK, 0x14: 0xC0FF_AAFD, 0x18: 0x0040_0080}

    def __init__(self, machine: Machine, base: int = 0x4002_3C00) -> None:
        super().__init__(machine, "FLASH", base)

    def latency_allows(self, hclk_hz: int) -> bool:
        """Whether the wait states are enough at `hclk_hz`."""
        latency = self.registers.get(FLASH_ACR, 0) & FLASH_ACR_LATENCY
        return hclk_hz <= HZ_PER_WAIT_STATE * (latency + 1)

    def write(self, offset: int, value: int) -> None:
        if offset == FLASH_ACR:
            super().write(offset, value)
        elif offset in (FLASH_KEYR, FLASH_CR):
            self.machine.warn("FLASH: erasing and programming are not modelled")
