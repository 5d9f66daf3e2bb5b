"""RCC_BDCR (RM0385 5.3.20): the oscillator and the clock choice of the RTC, which outlive resets."""

from __future__ import annotations

from typing import Protocol

from hil.twin.machine import LSE_HZ, LSI_HZ
from hil.twin.peripherals.pwr import Pwr
from hil.twin.peripherals.rtc import Rtc

RCC_BDCR_LSEON = 1 << 0
RCC_BDCR_LSERDY = 1 << 1
RCC_BDCR_RTCSEL = 3 << 8
RCC_BDCR_RTCEN = 1 << 15
RCC_BDCR_BDRST = 1 << 16
_STORED = 0x1D | RCC_BDCR_RTCSEL | RCC_BDCR_RTCEN | RCC_BDCR_BDRST


class RtcSources(Protocol):
    """What RCC tells about the RTC's other clocks."""

    @property
    def lsi_on(self) -> bool: ...

    @property
    def rtc_hse_hz(self) -> int: ...


class BackupDomain:
    """Behind PWR_CR1.DBP; cleared by BDRST and at power-on. LSE is ready at once."""

    def __init__(self, sources: RtcSources, pwr: Pwr, rtc: Rtc) -> None:
        self._sources = sources
        self._pwr = pwr
        self._rtc = rtc
        self._bdcr = 0

    def read(self) -> int:
        """RCC_BDCR."""
        return self._bdcr | (RCC_BDCR_LSERDY if self._bdcr & RCC_BDCR_LSEON else 0)

    def write(self, value: int) -> None:
        """RCC_BDCR; without DBP the write is lost."""
        if not self._pwr.backup_writable:
            return
        if value & RCC_BDCR_BDRST:
            self._bdcr = RCC_BDCR_BDRST
            self._rtc.clear()
        else:
            chosen = self._bdcr & RCC_BDCR_RTCSEL  # only a reset of the domain undoes the choice
            self._bdcr = value & _STORED & ~RCC_BDCR_RTCSEL | (chosen or value & RCC_BDCR_RTCSEL)
        self.follow_clocks()

    def power_on(self) -> None:
        """Neither V_DD nor a battery was there."""
        self._bdcr = 0
        self._rtc.clear()
        self.follow_clocks()

    def follow_clocks(self) -> None:
        """The RTC's clock may have changed."""
        self._rtc.set_clock(self._rtc_hz(), bool(self._bdcr & RCC_BDCR_RTCEN))

    def _rtc_hz(self) -> int:
        match (self._bdcr & RCC_BDCR_RTCSEL) >> 8:
            case 1:
                return LSE_HZ if self._bdcr & RCC_BDCR_LSEON else 0
            case 2:
                return LSI_HZ if self._sources.lsi_on else 0
            case 3:
                return self._sources.rtc_hse_hz
        return 0
