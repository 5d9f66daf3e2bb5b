"""A debugger for tests: what a probe does with the debug port, in a few lines."""

from __future__ import annotations

from hil.twin import Twin
from hil.twin.debug import control as c
from hil.twin.debug.sw_dp import SwDp

DHCSR = 0xE000_EDF0
DCRSR = 0xE000_EDF4
DCRDR = 0xE000_EDF8
DEMCR = 0xE000_EDFC
DFSR = 0xE000_ED30
KEY = 0xA05F_0000
FP_CTRL = 0xE000_2000
FP_COMP0 = 0xE000_2008
DWT_COMP0 = 0xE000_1020


class Debugger:
    """Connected and powered up; memory is reached through the AHB-AP."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.unit = twin.debug
        self.port: SwDp = self.unit.port
        self.port.sequence(51, (1 << 51) - 1)
        assert self.port.read_dp(0) == 0x5BA0_2477
        self.port.write_dp(0x4, 0x5000_0000)
        assert self.port.read_dp(0x4) >> 28 == 0xF

    def read(self, address: int, size: int = 4) -> int:
        """Memory, `size` bytes."""
        self._point(address, size)
        return self.port.read_ap(0xC) >> 8 * (address & 3) & ((1 << 8 * size) - 1)

    def write(self, address: int, value: int, size: int = 4) -> None:
        """Stores `size` bytes."""
        self._point(address, size)
        self.port.write_ap(0xC, value << 8 * (address & 3))

    def register(self, number: int) -> int:
        """A core register by its REGSEL."""
        self.write(DCRSR, number)
        return self.read(DCRDR)

    def set_register(self, number: int, value: int) -> None:
        self.write(DCRDR, value)
        self.write(DCRSR, number | c.DCRSR_REGWNR)

    def halt(self) -> None:
        self.write(DHCSR, KEY | c.DHCSR_C_DEBUGEN | c.DHCSR_C_HALT)

    def resume(self) -> None:
        self.write(DFSR, 0x1F)
        self.write(DHCSR, KEY | c.DHCSR_C_DEBUGEN)

    def step(self, *, masked: bool = False) -> int:
        """One instruction; returns PC."""
        extra = c.DHCSR_C_MASKINTS if masked else 0
        self.write(DHCSR, KEY | c.DHCSR_C_DEBUGEN | c.DHCSR_C_STEP | extra)
        return self.register(15)

    def run(self, seconds: float = 0.01) -> int:
        """Lets the twin run; returns DHCSR."""
        until_s = self.twin.now_s + seconds
        while self.twin.now_s < until_s and not self.unit.control.stands_still:
            self.unit.run(until_s)
        return self.read(DHCSR)

    def breakpoint(self, index: int, address: int | None) -> None:
        """A comparator of the FPB; None clears it."""
        self.write(FP_CTRL, 3)
        self.write(FP_COMP0 + 4 * index, 0 if address is None else address & ~1 | 1)

    def watch(self, index: int, address: int, function: int, mask: int = 2) -> None:
        """A comparator of the DWT."""
        at = DWT_COMP0 + 0x10 * index
        self.write(at, address)
        self.write(at + 4, mask)
        self.write(at + 8, function)

    def _point(self, address: int, size: int) -> None:
        self.port.write_dp(0x8, 0)
        self.port.write_ap(0x0, 0x2300_0010 | size.bit_length() - 1)
        self.port.write_ap(0x4, address)
