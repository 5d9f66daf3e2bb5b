"""Reset and clock control (RM0385 chapter 5): oscillators that are ready at once, and their sums."""

from __future__ import annotations

from typing import ClassVar, Protocol

from hil.twin.machine import HSI_HZ, Machine, ResetCause
from hil.twin.peripherals.backup_domain import BackupDomain
from hil.twin.peripherals.peripheral import Peripheral

RCC_CR = 0x00
RCC_CR_HSION, RCC_CR_HSEON, RCC_CR_PLLON = 1 << 0, 1 << 16, 1 << 24
RCC_PLLCFGR = 0x04
RCC_PLLCFGR_PLLSRC_HSE = 1 << 22
RCC_CFGR = 0x08
RCC_AHB1RSTR = 0x10
RCC_AHB1ENR = 0x30
RCC_AHB2ENR = 0x34
RCC_AHB3ENR = 0x38
RCC_APB1ENR = 0x40
RCC_APB2ENR = 0x44
RCC_BDCR = 0x70
RCC_CSR = 0x74
RCC_CSR_RMVF = 1 << 24
RCC_CSR_BORRSTF, RCC_CSR_PINRSTF, RCC_CSR_PORRSTF = 1 << 25, 1 << 26, 1 << 27
RCC_CSR_SFTRSTF, RCC_CSR_IWDGRSTF, RCC_CSR_WWDGRSTF = 1 << 28, 1 << 29, 1 << 30
RCC_PLLSAICFGR = 0x88
RCC_DCKCFGR1 = 0x8C
RCC_DCKCFGR1_TIMPRE = 1 << 24
RCC_DCKCFGR2 = 0x90
RCC_DCKCFGR2_CK48MSEL = 1 << 27

RCC_CR_PLLI2SON, RCC_CR_PLLSAION = 1 << 26, 1 << 28
_READY_IS_NEXT_BIT = RCC_CR_HSEON | RCC_CR_PLLON | RCC_CR_PLLI2SON | RCC_CR_PLLSAION
_READY = (_READY_IS_NEXT_BIT | RCC_CR_HSION) << 1
_IN_USE = (RCC_CR_HSION, RCC_CR_HSEON, RCC_CR_PLLON)
"""By SWS: what firmware cannot switch off while the system clock comes from it."""
_RESET_FLAGS = {
    ResetCause.POWER_ON: RCC_CSR_PORRSTF | RCC_CSR_PINRSTF | RCC_CSR_BORRSTF,
    ResetCause.PIN: RCC_CSR_PINRSTF,
    # Internal resets pull NRST low as well (RM0385 5.1.1), so the pin's flag comes with them.
    ResetCause.SOFTWARE: RCC_CSR_SFTRSTF | RCC_CSR_PINRSTF,
    ResetCause.INDEPENDENT_WATCHDOG: RCC_CSR_IWDGRSTF | RCC_CSR_PINRSTF,
    ResetCause.WINDOW_WATCHDOG: RCC_CSR_WWDGRSTF | RCC_CSR_PINRSTF,
    ResetCause.BROWN_OUT: RCC_CSR_BORRSTF | RCC_CSR_PINRSTF,
    ResetCause.STANDBY: 0,  # PWR_CSR1.SBF tells
}
_ENABLE_TO_RESET = RCC_AHB1ENR - RCC_AHB1RSTR


class KernelClocked(Protocol):
    """A peripheral that picks its own clock by a field of RCC_DCKCFGR2."""

    kernel_select: int


class Rcc(Peripheral):
    """Switches clocks and reset lines; the frequencies go to the machine's clock tree."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        RCC_CR: 0x0000_0083,
        RCC_PLLCFGR: 0x2400_3010,
        RCC_AHB1ENR: 0x0010_0000,
        RCC_PLLSAICFGR: 0x2400_3000,
    }
    backup: BackupDomain
    """RCC_BDCR, set when the chip is put together."""

    def __init__(self, machine: Machine, base: int = 0x4002_3800) -> None:
        super().__init__(machine, "RCC", base)
        self._gates: list[tuple[int, int, Peripheral]] = []
        self._stopped = False
        self.kernel_users: list[KernelClocked] = []
        """Peripherals with a clock choice of their own in RCC_DCKCFGR2."""

    def gate(self, peripheral: Peripheral, offset: int, bit: int) -> None:
        """`bit` at `offset` clocks `peripheral`; the same bit of the reset register resets it."""
        self._gates.append((offset, bit, peripheral))
        peripheral.clocked = bool(self.registers.get(offset, 0) >> bit & 1)

    def reset(self) -> None:
        flags = self.registers.get(RCC_CSR, 0) & 0xFE00_0000
        super().reset()
        self._stopped = False
        self.registers[RCC_CSR] = flags
        self._apply_gates()
        self._apply_kernel_clocks()
        self._apply_clocks()

    def power_on(self, vbat: bool) -> None:
        if not vbat:
            self.backup.power_on()

    def note_reset(self, cause: ResetCause) -> None:
        """Sets the flags of `cause`; earlier ones stay until firmware writes RMVF."""
        if cause is ResetCause.POWER_ON:
            self.registers[RCC_CSR] = 0
        self.registers[RCC_CSR] = self.registers.get(RCC_CSR, 0) | _RESET_FLAGS[cause]

    def read(self, offset: int) -> int:
        value = self.registers.get(offset, 0)
        match offset:
            case 0x00:
                on = value & _READY_IS_NEXT_BIT
                if not self.machine.tree.hse_hz:
                    on &= ~RCC_CR_HSEON
                return value & ~_READY | on << 1 | (value & RCC_CR_HSION) << 1
            case 0x08:
                return (value & ~0xC) | self._selected() << 2
            case 0x70:
                return self.backup.read()
            case 0x74:  # LSIRDY
                return value | (value & 1) << 1
        return value

    def write(self, offset: int, value: int) -> None:
        if offset == RCC_CSR:
            flags = 0 if value & RCC_CSR_RMVF else self.registers.get(RCC_CSR, 0) & 0xFE00_0000
            self.registers[RCC_CSR] = flags | (value & 1)
            self.backup.follow_clocks()
            return
        if offset == RCC_BDCR:
            self.backup.write(value)
            return
        if offset == RCC_CR:
            value |= _IN_USE[self._selected()]
        self.registers[offset] = value
        if RCC_AHB1RSTR <= offset < RCC_AHB1ENR:
            self._reset_peripherals(offset, value)
        elif RCC_AHB1ENR <= offset <= RCC_APB2ENR:
            self._apply_gates()
        elif offset == RCC_DCKCFGR2:
            self._apply_kernel_clocks()
            self._apply_clocks()
        elif offset in (RCC_CR, RCC_PLLCFGR, RCC_CFGR, RCC_DCKCFGR1, RCC_PLLSAICFGR):
            self._apply_clocks()

    def enter_stop(self) -> None:
        """All oscillators but LSE and LSI stop."""
        self._stopped = True
        self.backup.follow_clocks()

    def leave_stop(self) -> None:
        """HSI is the system clock; HSE and the PLLs are off (RM0385 4.3.5)."""
        self._stopped = False
        off = _READY_IS_NEXT_BIT
        self.registers[RCC_CR] = self.registers[RCC_CR] & ~off | RCC_CR_HSION
        self.registers[RCC_CFGR] = self.registers.get(RCC_CFGR, 0) & ~3
        self._apply_clocks()

    @property
    def lsi_on(self) -> bool:
        """LSION."""
        return bool(self.registers.get(RCC_CSR, 0) & 1)

    @property
    def rtc_hse_hz(self) -> int:
        """HSE divided for the RTC by RTCPRE; it stops in Stop."""
        divider = self.registers.get(RCC_CFGR, 0) >> 16 & 0x1F
        running = self.registers[RCC_CR] & RCC_CR_HSEON and not self._stopped
        return self.machine.tree.hse_hz // divider if running and divider >= 2 else 0

    def _apply_kernel_clocks(self) -> None:
        for user in self.kernel_users:
            user.kernel_select = self.registers.get(RCC_DCKCFGR2, 0)

    def _apply_gates(self) -> None:
        for offset, bit, peripheral in self._gates:
            peripheral.clocked = bool(self.registers.get(offset, 0) >> bit & 1)

    def _reset_peripherals(self, offset: int, value: int) -> None:
        for enable, bit, peripheral in self._gates:
            if enable - _ENABLE_TO_RESET == offset and value >> bit & 1:
                peripheral.reset()

    def _selected(self) -> int:
        """SWS: the source that runs; one that is not ready is not switched to."""
        wanted = self.registers.get(RCC_CFGR, 0) & 3
        ready = {0: 1 << 1, 1: RCC_CR_HSEON << 1, 2: RCC_CR_PLLON << 1}.get(wanted, 0)
        return wanted if self.read(RCC_CR) & ready else 0

    def pll_hz(self) -> int:
        """The main PLL's P output: source / M · N / P (RM0385 5.3.2)."""
        value = self.registers[RCC_PLLCFGR]
        source = self.machine.tree.hse_hz if value & RCC_PLLCFGR_PLLSRC_HSE else HSI_HZ
        m, n, p = value & 0x3F, value >> 6 & 0x1FF, 2 * ((value >> 16 & 3) + 1)
        return source * n // (m * p) if m else 0

    def pll48_hz(self) -> int:
        """The 48 MHz clock: the main PLL's Q output, or PLLSAI's P output (RM0385 5.3.25)."""
        value, cr = self.registers[RCC_PLLCFGR], self.registers[RCC_CR]
        source = self.machine.tree.hse_hz if value & RCC_PLLCFGR_PLLSRC_HSE else HSI_HZ
        m, n, divider, on = value & 0x3F, value >> 6 & 0x1FF, value >> 24 & 0xF, RCC_CR_PLLON
        if self.registers.get(RCC_DCKCFGR2, 0) & RCC_DCKCFGR2_CK48MSEL:
            sai, on = self.registers[RCC_PLLSAICFGR], RCC_CR_PLLSAION
            n, divider = sai >> 6 & 0x1FF, 2 * ((sai >> 16 & 3) + 1)
        return source * n // (m * divider) if cr & on and m and divider else 0

    def _apply_clocks(self) -> None:
        tree = self.machine.tree
        selected = self._selected()
        sysclk = (HSI_HZ, tree.hse_hz, self.pll_hz())[selected] or HSI_HZ
        cfgr = self.registers.get(RCC_CFGR, 0)
        hclk = sysclk >> _ahb_shift(cfgr >> 4 & 0xF)
        apb1, apb2 = _apb_shift(cfgr >> 10 & 7), _apb_shift(cfgr >> 13 & 7)
        fast_timers = bool(self.registers.get(RCC_DCKCFGR1, 0) & RCC_DCKCFGR1_TIMPRE)
        tree.change(
            sysclk_hz=sysclk,
            hclk_hz=hclk,
            pclk1_hz=hclk >> apb1,
            pclk2_hz=hclk >> apb2,
            timer1_hz=_timer_hz(hclk, apb1, fast_timers),
            timer2_hz=_timer_hz(hclk, apb2, fast_timers),
            pll48_hz=self.pll48_hz(),
        )
        self.backup.follow_clocks()


def _ahb_shift(hpre: int) -> int:
    """HPRE: /1, then /2, /4, /8, /16, /64, /128, /256, /512."""
    return 0 if hpre < 8 else (1, 2, 3, 4, 6, 7, 8, 9)[hpre - 8]


def _apb_shift(ppre: int) -> int:
    """PPRE1, PPRE2: /1, then /2, /4, /8, /16."""
    return 0 if ppre < 4 else ppre - 3


def _timer_hz(hclk: int, apb_shift: int, fast: bool) -> int:
    """Timers run at twice (TIMPRE: four times) the bus clock, but no faster than HCLK (RM0385 5.2)."""
    return min(hclk, (hclk >> apb_shift) * (4 if fast else 2))
