"""Real-time clock (RM0385 chapter 29): registers around the calendar, and 32 backup registers.

It lives in the backup domain: a reset of the chip leaves it running. Its date at power-on is 1
January of year 0. Not modelled: tampers, outputs, and the calibration in CALR, which only stores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.machine import Machine
from hil.twin.peripherals import rtc_registers as r
from hil.twin.peripherals.exti import LINE_RTC_ALARM, LINE_RTC_WAKEUP, LINE_TAMPER_STAMP
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.pwr import Pwr
from hil.twin.peripherals.rtc_alarm import AlarmTime
from hil.twin.peripherals.rtc_calendar import moment_of
from hil.twin.peripherals.rtc_time import RtcTime

SYNC_CYCLES = 2
"""RTCCLK cycles of the handshakes INITF, RSF and WUTWF (RM0385 29.3.7)."""
RESTART_CYCLES = 4
"""RTCCLK cycles from the end of the initialization mode to the first count (RM0385 29.3.7)."""

_UNPROTECTED = (r.RTC_ISR, r.RTC_WPR, r.RTC_TAMPCR, r.RTC_OR)
_CALENDAR = (r.RTC_TR, r.RTC_DR, r.RTC_PRER)
_READ_ONLY = (r.RTC_SSR, r.RTC_TSTR, r.RTC_TSDR, r.RTC_TSSSR)
_ALARM_REGISTERS = ((r.RTC_ALRMAR, r.RTC_ALRMASSR), (r.RTC_ALRMBR, r.RTC_ALRMBSSR))


class Rtc(Peripheral):
    """Writes need PWR_CR1.DBP, most of them the two keys in WPR as well."""

    RESET_VALUES: ClassVar[dict[int, int]] = {r.RTC_WUTR: 0xFFFF}

    def __init__(self, machine: Machine, pwr: Pwr, base: int = 0x4000_2800) -> None:
        super().__init__(machine, "RTC", base)
        self._pwr = pwr
        self.on_line: Callable[[int, bool], None] = lambda line, level: None
        """Told the level of the RTC's EXTI lines."""
        self._time = RtcTime(machine.clock)
        self._alarm = machine.always_alarm(self._on_alarm)
        self._enabled = False
        self._stamp_level = False
        self.clear()

    def clear(self) -> None:
        """A reset of the backup domain."""
        self.registers = dict(self.RESET_VALUES)
        self._time.clear()
        self._flags = 0
        self._keys = 0
        self._init_from: int | None = None
        """The cycle of the request for initialization mode."""
        self._synced_from = self._wakeup_free_from = 0
        self._shadow: dict[int, int] | None = None
        self._arm()
        self._update_lines()

    def reset(self) -> None:
        """A reset of the chip ends the initialization mode and the shadow registers' locks."""
        self._leave_init()
        self._shadow = None
        self._synced_from = self._cycles + SYNC_CYCLES

    def set_clock(self, hz: int, enabled: bool) -> None:
        """RTCCLK as RCC has it; `enabled` is RTCEN."""
        self._enabled = enabled
        self._time.clock.set_hz(hz if enabled else 0)
        self._arm()

    def set_stamp_pin(self, level: bool) -> None:
        """RTC_TS (PC13): an edge records the time while TSE is set."""
        edge, self._stamp_level = level != self._stamp_level, level
        rising_wanted = not self._cr & r.RTC_CR_TSEDGE
        if edge and self._cr & r.RTC_CR_TSE and level == rising_wanted:
            if self._flags & r.RTC_ISR_TSF:
                self._flags |= r.RTC_ISR_TSOVF
            else:
                self._flags |= r.RTC_ISR_TSF
                now = self._time.now
                self.registers[r.RTC_TSTR] = now.tr(self._twelve_hours)
                self.registers[r.RTC_TSDR] = now.dr() & 0xFFFF
                self.registers[r.RTC_TSSSR] = self._time.sub_second
            self._update_lines()

    @property
    def _cycles(self) -> int:
        return self._time.clock.cycles

    @property
    def _cr(self) -> int:
        return self.registers.get(r.RTC_CR, 0)

    @property
    def _twelve_hours(self) -> bool:
        return bool(self._cr & r.RTC_CR_FMT)

    @property
    def _initialising(self) -> bool:
        """INITF: the calendar is stopped and can be written."""
        return self._init_from is not None and self._cycles >= self._init_from + SYNC_CYCLES

    def read(self, offset: int) -> int:
        if offset in (r.RTC_SSR, r.RTC_TR, r.RTC_DR):
            return self._read_calendar(offset)
        if offset == r.RTC_ISR:
            self._sync()
            return self._isr()
        if offset == r.RTC_PRER:
            return self._time.prediv_a << 16 | self._time.prediv_s
        return 0 if offset in (r.RTC_WPR, r.RTC_SHIFTR) else super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset in (r.RTC_SSR, r.RTC_TR, r.RTC_DR) else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        if not self._pwr.backup_writable:
            return
        self._sync()
        if offset == r.RTC_WPR:
            self._write_key(value & 0xFF)
        elif offset == r.RTC_ISR:
            self._write_isr(value)
        elif offset >= r.RTC_BKP0R or offset in _UNPROTECTED:
            super().write(offset, value)
        elif self._keys == len(r.RTC_WPR_KEYS) and offset not in _READ_ONLY:
            self._write_protected(offset, value)
        self._arm()
        self._update_lines()

    def _write_protected(self, offset: int, value: int) -> None:
        if offset in _CALENDAR:
            if self._initialising:
                self._write_calendar(offset, value)
        elif offset == r.RTC_CR:
            self._write_cr(value)
        elif offset == r.RTC_SHIFTR:
            second = self._time.prediv_s + 1 if value & r.RTC_SHIFTR_ADD1S else 0
            self._time.shift(second - (value & r.RTC_SHIFTR_SUBFS))
            self._plan_alarms()
        elif offset == r.RTC_WUTR:
            super().write(offset, value & 0xFFFF)
        else:
            super().write(offset, value)
            self._plan_alarms()

    def _write_key(self, key: int) -> None:
        unlocked = self._keys
        if unlocked < len(r.RTC_WPR_KEYS) and key == r.RTC_WPR_KEYS[unlocked]:
            self._keys = unlocked + 1
        else:
            self._keys = 1 if key == r.RTC_WPR_KEYS[0] else 0

    def _write_isr(self, value: int) -> None:
        self._flags &= value | ~r.RTC_ISR_FLAGS
        if self._keys < len(r.RTC_WPR_KEYS):
            return
        if not value & r.RTC_ISR_RSF:
            self._synced_from = self._cycles + SYNC_CYCLES
        if value & r.RTC_ISR_INIT:
            if self._init_from is None:
                self._init_from = self._cycles
                self._time.freeze()
                self._plan_alarms()
        else:
            self._leave_init()

    def _leave_init(self) -> None:
        if self._init_from is not None:
            self._init_from = None
            self._time.restart(self._time.held, RESTART_CYCLES)
            self._synced_from = self._cycles + RESTART_CYCLES
            self._plan_alarms()

    def _write_calendar(self, offset: int, value: int) -> None:
        if offset == r.RTC_PRER:
            self._time.prediv_a, self._time.prediv_s = value >> 16 & 0x7F, value & 0x7FFF
            return
        held, twelve = self._time.held, self._twelve_hours
        tr = value if offset == r.RTC_TR else held.tr(twelve)
        dr = value if offset == r.RTC_DR else held.dr()
        self._time.set(moment_of(tr, dr, twelve))

    def _write_cr(self, value: int) -> None:
        before = self._cr
        if value & (r.RTC_CR_ADD1H | r.RTC_CR_SUB1H):
            self._time.add_hours(1 if value & r.RTC_CR_ADD1H else -1)
        self.registers[r.RTC_CR] = value & ~(r.RTC_CR_ADD1H | r.RTC_CR_SUB1H)
        if value & ~before & r.RTC_CR_WUTE:
            self._time.start_wakeup(value & r.RTC_CR_WUCKSEL, self.registers[r.RTC_WUTR])
        elif before & ~value & r.RTC_CR_WUTE:
            self._time.stop_wakeup()
            self._wakeup_free_from = self._cycles + SYNC_CYCLES
        self._plan_alarms()

    def _plan_alarms(self) -> None:
        for index in range(2):
            self._plan_alarm(index)

    def _plan_alarm(self, index: int) -> None:
        time, sub_seconds = (self.registers.get(offset, 0) for offset in _ALARM_REGISTERS[index])
        enabled = self._cr & r.RTC_CR_ALRAE << index
        self._time.plan_alarm(index, AlarmTime(time, sub_seconds, self._twelve_hours) if enabled else None)

    def _read_calendar(self, offset: int) -> int:
        """SSR and TR hold the registers above them until DR is read (RM0385 29.3.8)."""
        now = self._time.now
        values = {
            r.RTC_SSR: self._time.sub_second,
            r.RTC_TR: now.tr(self._twelve_hours),
            r.RTC_DR: now.dr(),
        }
        if self._shadow is not None:
            values |= self._shadow
        if offset == r.RTC_DR:
            self._shadow = None
        elif self._shadow is None:
            held = (r.RTC_TR, r.RTC_DR) if offset == r.RTC_SSR else (r.RTC_DR,)
            self._shadow = {register: values[register] for register in held}
        return values[offset]

    def _isr(self) -> int:
        value, cycles = self._flags, self._cycles
        value |= 0 if self._cr & r.RTC_CR_ALRAE else r.RTC_ISR_ALRAWF
        value |= 0 if self._cr & r.RTC_CR_ALRBE else r.RTC_ISR_ALRBWF
        if not self._cr & r.RTC_CR_WUTE and cycles >= self._wakeup_free_from:
            value |= r.RTC_ISR_WUTWF
        value |= r.RTC_ISR_INITS if self._time.now.date.year > 2000 else 0
        if self._init_from is not None:
            value |= r.RTC_ISR_INIT | (r.RTC_ISR_INITF if self._initialising else 0)
        elif self._enabled and self._time.clock.hz and cycles >= self._synced_from:
            value |= r.RTC_ISR_RSF
        return value

    def _sync(self) -> None:
        """Flags what became due."""
        if self._time.take_wakeup():
            self._flags |= r.RTC_ISR_WUTF
        for index in range(2):
            if self._time.take_alarm(index):
                self._flags |= r.RTC_ISR_ALRAF << index
                self._plan_alarm(index)

    def _arm(self) -> None:
        """Wakes at the next event that firmware wants an interrupt for; others wait for a look."""
        cr = self._cr
        due = [self._time.wakeup_due if cr & r.RTC_CR_WUTIE else None]
        due += [self._time.alarm_due[i] if cr & r.RTC_CR_ALRAIE << i else None for i in range(2)]
        wanted = [cycles for cycles in due if cycles is not None]
        self._alarm.set(self._time.clock.at_fs(min(wanted)) if wanted else None)

    def _on_alarm(self) -> None:
        self._sync()
        self._arm()
        self._update_lines()

    def _update_lines(self) -> None:
        # ALRAIE, ALRBIE, WUTIE and TSIE stand four bits above their flags.
        raised = self._flags & self._cr >> 4 & 0x0F00
        self.on_line(LINE_RTC_ALARM, bool(raised & (r.RTC_ISR_ALRAF | r.RTC_ISR_ALRBF)))
        self.on_line(LINE_RTC_WAKEUP, bool(raised & r.RTC_ISR_WUTF))
        self.on_line(LINE_TAMPER_STAMP, bool(raised & r.RTC_ISR_TSF))
        self._pwr.set_internal_wake(bool(raised))
