"""Power control (RM0385 chapter 4): regulator handshakes that are ready at once, and wake-up flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals.gpio import Gpio
from hil.twin.peripherals.peripheral import Peripheral

PWR_CR1 = 0x0
PWR_CR1_LPDS = 1 << 0
PWR_CR1_PDDS = 1 << 1
PWR_CR1_CSBF = 1 << 3
PWR_CR1_DBP = 1 << 8
PWR_CR1_FPDS = 1 << 9
PWR_CR1_ODEN = 1 << 16
PWR_CR1_ODSWEN = 1 << 17
PWR_CR1_UDEN = 3 << 18
PWR_CSR1 = 0x4
PWR_CSR1_WUIF = 1 << 0
PWR_CSR1_SBF = 1 << 1
PWR_CSR1_BRR = 1 << 3
PWR_CSR1_EIWUP = 1 << 8
PWR_CSR1_BRE = 1 << 9
PWR_CSR1_VOSRDY = 1 << 14
PWR_CSR1_ODRDY = 1 << 16
PWR_CSR1_ODSWRDY = 1 << 17
PWR_CSR1_UDRDY = 3 << 18
PWR_CR2 = 0x8
PWR_CR2_WUPP_SHIFT = 8
PWR_CSR2 = 0xC
PWR_CSR2_WUPF = 0x3F
PWR_CSR2_EWUP_SHIFT = 8

OVERDRIVE_NEEDED_ABOVE_HZ = 180_000_000
"""RM0385 table 12: 180 MHz without over-drive, 216 MHz with."""
WAKE_PINS = (("GPIOA", 0), ("GPIOA", 2), ("GPIOC", 1), ("GPIOC", 13), ("GPIOI", 8), ("GPIOI", 11))
"""WKUP1 to WKUP6 (RM0385 4.4.4)."""


class Pwr(Peripheral):
    """Tells firmware that the regulator followed, and the user when the core outruns it."""

    RESET_VALUES: ClassVar[dict[int, int]] = {PWR_CR1: 0x0000_C000}

    def __init__(self, machine: Machine, base: int = 0x4000_7000) -> None:
        super().__init__(machine, "PWR", base)
        self.on_wake: Callable[[], None] = lambda: None
        """Called at each event that ends Standby."""
        self._internal_wake = False
        self._wake_levels = 0

    def reset(self) -> None:
        # The wake-up and Standby flags, EWUP, EIWUP and BRE outlive all but a power-on (RM0385 4.4).
        kept = self.registers.get(PWR_CSR1, 0), self.registers.get(PWR_CSR2, 0)
        super().reset()
        self.registers[PWR_CSR1], self.registers[PWR_CSR2] = kept

    def power_on(self, vbat: bool) -> None:
        self.registers[PWR_CSR1] = self.registers[PWR_CSR2] = 0

    @property
    def overdrive(self) -> bool:
        """The regulator feeds the core in over-drive."""
        both = PWR_CR1_ODEN | PWR_CR1_ODSWEN
        return self.registers.get(PWR_CR1, 0) & both == both

    @property
    def backup_writable(self) -> bool:
        """DBP lifts the write protection of RTC, backup registers, backup SRAM and RCC_BDCR."""
        return bool(self.registers.get(PWR_CR1, 0) & PWR_CR1_DBP)

    @property
    def backup_regulator(self) -> bool:
        """BRE keeps the backup SRAM in Standby."""
        return bool(self.registers.get(PWR_CSR1, 0) & PWR_CSR1_BRE)

    @property
    def wake_pending(self) -> bool:
        """A wake-up pin's flag is still set: Standby would end at once."""
        csr2 = self.registers.get(PWR_CSR2, 0)
        return bool(csr2 & csr2 >> PWR_CSR2_EWUP_SHIFT & PWR_CSR2_WUPF)

    def set_internal_wake(self, level: bool) -> None:
        """The RTC's flags, as far as their interrupts are on; a rising edge wakes from Standby."""
        rises = level and not self._internal_wake
        self._internal_wake = level
        if rises and self.registers.get(PWR_CSR1, 0) & PWR_CSR1_EIWUP:
            self.on_wake()

    def watch_pins(self, ports: dict[str, Gpio]) -> None:
        """Follows the wake-up pins at `ports`."""

        def follow() -> None:
            levels = sum(
                (ports[port].level >> pin & 1) << index for index, (port, pin) in enumerate(WAKE_PINS)
            )
            self._take_pins(levels)

        for port in {port for port, _ in WAKE_PINS}:
            ports[port].listeners.append(follow)

    def leave_stop(self) -> None:
        """Over-drive and under-drive end with Stop (RM0385 4.4.1)."""
        self.registers[PWR_CR1] &= ~(PWR_CR1_ODEN | PWR_CR1_ODSWEN)
        if self.registers[PWR_CR1] & PWR_CR1_UDEN == PWR_CR1_UDEN:
            self.registers[PWR_CSR1] = self.registers.get(PWR_CSR1, 0) | PWR_CSR1_UDRDY

    def note_standby(self) -> None:
        """The chip comes out of Standby."""
        self.registers[PWR_CSR1] = self.registers.get(PWR_CSR1, 0) | PWR_CSR1_SBF

    def read(self, offset: int) -> int:
        if offset == PWR_CSR1:
            stored = self.registers.get(PWR_CSR1, 0)
            ready = self.registers.get(PWR_CR1, 0) & (PWR_CR1_ODEN | PWR_CR1_ODSWEN) | PWR_CSR1_VOSRDY
            ready |= PWR_CSR1_BRR if stored & PWR_CSR1_BRE else 0
            ready |= PWR_CSR1_WUIF if self._internal_wake and stored & PWR_CSR1_EIWUP else 0
            return stored | ready
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        match offset:
            case 0x0:
                if value & PWR_CR1_CSBF:
                    self.registers[PWR_CSR1] = self.registers.get(PWR_CSR1, 0) & ~PWR_CSR1_SBF
                self.registers[PWR_CR1] = value & ~PWR_CR1_CSBF
            case 0x4:
                before = self.registers.get(PWR_CSR1, 0)
                kept = before & (PWR_CSR1_SBF | PWR_CSR1_UDRDY & ~value)
                self.registers[PWR_CSR1] = kept | value & (PWR_CSR1_EIWUP | PWR_CSR1_BRE)
            case 0x8:  # CWUPF reads 0
                self.registers[PWR_CR2] = value & PWR_CSR2_WUPF << PWR_CR2_WUPP_SHIFT
                self.registers[PWR_CSR2] = self.registers.get(PWR_CSR2, 0) & ~(value & PWR_CSR2_WUPF)
            case 0xC:
                flags = self.registers.get(PWR_CSR2, 0) & PWR_CSR2_WUPF
                self.registers[PWR_CSR2] = flags | value & PWR_CSR2_WUPF << PWR_CSR2_EWUP_SHIFT

    def _take_pins(self, levels: int) -> None:
        falling_wanted = self.registers.get(PWR_CR2, 0) >> PWR_CR2_WUPP_SHIFT
        rising, falling = levels & ~self._wake_levels, self._wake_levels & ~levels
        self._wake_levels = levels
        edges = rising & ~falling_wanted | falling & falling_wanted
        edges &= self.registers.get(PWR_CSR2, 0) >> PWR_CSR2_EWUP_SHIFT & PWR_CSR2_WUPF
        if edges:
            self.registers[PWR_CSR2] |= edges
            self.on_wake()
