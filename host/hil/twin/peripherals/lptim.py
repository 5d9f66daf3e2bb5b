"""Low-power timer LPTIM1 (RM0385 chapter 26): 16 bits on a clock of its own, awake in Stop mode.

Not modelled: encoder mode, waveform output and glitch filters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.machine import HSI_HZ, LSE_HZ, LSI_HZ, Machine
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.tick_clock import TickClock
from hil.twin.peripherals.tim_counter import Counter, Events

LPTIM_ISR, LPTIM_ICR, LPTIM_IER, LPTIM_CFGR = 0x00, 0x04, 0x08, 0x0C
LPTIM_CR, LPTIM_CMP, LPTIM_ARR, LPTIM_CNT = 0x10, 0x14, 0x18, 0x1C
LPTIM_ISR_CMPM, LPTIM_ISR_ARRM, LPTIM_ISR_EXTTRIG = 1 << 0, 1 << 1, 1 << 2
LPTIM_ISR_CMPOK, LPTIM_ISR_ARROK = 1 << 3, 1 << 4
LPTIM_CFGR_CKSEL, LPTIM_CFGR_PRESC_SHIFT, LPTIM_CFGR_TRIGEN = 1 << 0, 9, 3 << 17
LPTIM_CFGR_PRELOAD, LPTIM_CFGR_COUNTMODE = 1 << 22, 1 << 23
LPTIM_CR_ENABLE, LPTIM_CR_SNGSTRT, LPTIM_CR_CNTSTRT = 1 << 0, 1 << 1, 1 << 2

_IRQ = 93
_SELECT_SHIFT = 24
_FREEZE_BIT = 9
_FLAGS = 0x7F
_WRITE_CLOCKS = 3
"""Kernel clocks until a write of CMP or ARR is acknowledged. The manual tells no number; a value
crosses into another clock domain through two flip-flops, and is taken at the edge behind them."""
_START_COUNTS = 2
"""Counts that pass between the start and the first one that counts (RM0385 26.4.10)."""
_CMP, _ARR = 0, 1
_WRITTEN = {LPTIM_CMP: LPTIM_ISR_CMPOK, LPTIM_ARR: LPTIM_ISR_ARROK}


class Lptim(Peripheral):
    """Counts PCLK1, LSI, HSI or LSE by RCC_DCKCFGR2; the oscillator is taken to run.

    `wake_line` is called with the level of the interrupt request: it is EXTI line 23.
    """

    RESET_VALUES: ClassVar[dict[int, int]] = {LPTIM_ARR: 1}

    def __init__(self, machine: Machine, base: int = 0x4000_2400) -> None:
        super().__init__(machine, "LPTIM1", base)
        self.wake_line: Callable[[bool], None] = lambda level: None
        self._select = 0
        self._ticks = TickClock(lambda: self.kernel_hz)
        self._alarms = machine.alarm(self._on_alarm), machine.always_alarm(self._on_alarm)
        machine.tree.listeners.append(self._before_clock_change)
        machine.freeze.watchers.append((self._sync, self._after_stop))
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._counter = Counter(0xFFFF)
        self._counter.compare = [0, 1, 0, 0, 0, 0]
        self._counter.wanted_compare = list(self._counter.compare)
        self._counter.reload = self._counter.wanted_reload = 1
        self._flags = 0
        self._waiting: list[tuple[int, int, int]] = []
        """Writes on their way to the counter: when they arrive, register, value."""
        self._armed_by_trigger = False
        self._set_alarm(None)
        self._update_line()

    @property
    def kernel_hz(self) -> int:
        """The clock that LPTIM1SEL chooses."""
        pclk1_hz = self.machine.tree.pclk1_hz
        return (pclk1_hz, LSI_HZ, HSI_HZ, LSE_HZ)[self._select >> _SELECT_SHIFT & 3]

    @property
    def _always_on(self) -> bool:
        """LSI and LSE go on in Stop; PCLK1 and HSI do not."""
        return self._select >> _SELECT_SHIFT & 3 in (1, 3)

    @property
    def _now_fs(self) -> int:
        clock = self.machine.clock
        return clock.elapsed_fs if self._always_on else clock.now_fs

    @property
    def kernel_select(self) -> int:
        """RCC_DCKCFGR2, as RCC hands it to those with a clock choice."""
        return self._select

    @kernel_select.setter
    def kernel_select(self, select: int) -> None:
        if (select ^ self._select) >> _SELECT_SHIFT & 3:
            self._sync()
            self._select = select
            self._after_clock_change()

    @property
    def enabled(self) -> bool:
        """CR.ENABLE."""
        return bool(self.registers.get(LPTIM_CR, 0) & LPTIM_CR_ENABLE)

    def read(self, offset: int) -> int:
        self._sync()
        if offset == LPTIM_ISR:
            return self._flags
        if offset == LPTIM_CNT:
            return self._counter.count
        return 0 if offset == LPTIM_ICR else super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset == LPTIM_ICR else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        self._sync()
        if offset == LPTIM_ICR:
            self._flags &= ~value
        elif offset == LPTIM_IER:
            self.registers[offset] = value & _FLAGS
        elif offset == LPTIM_CFGR:
            self._write_configuration(value)
        elif offset == LPTIM_CR:
            self._write_control(value)
        elif offset in _WRITTEN and self.enabled:
            self.registers[offset] = value & 0xFFFF
            arrives_fs = self._ticks_ahead(_WRITE_CLOCKS)
            self._waiting.append((arrives_fs, offset, value & 0xFFFF))
        self._update_line()
        self._arm()

    def trigger(self) -> None:
        """The external trigger chosen by TRIGSEL fires: it starts a counter that waits for one."""
        self._sync()
        if not self.enabled or not self.registers.get(LPTIM_CFGR, 0) & LPTIM_CFGR_TRIGEN:
            return
        self._flags |= LPTIM_ISR_EXTTRIG
        if self._armed_by_trigger:
            self._armed_by_trigger = False
            self._start()
        self._update_line()
        self._arm()

    def pulse(self, edges: int = 1) -> None:
        """Active edges on Input 1, which CKSEL or COUNTMODE may have chosen to count."""
        self._sync()
        if self._counts_input and self._counter.running:
            self._on_events(self._counter.advance(edges)[1])
            self._arm()

    @property
    def _counts_input(self) -> bool:
        chosen = LPTIM_CFGR_CKSEL | LPTIM_CFGR_COUNTMODE
        return bool(self.registers.get(LPTIM_CFGR, 0) & chosen)

    def _write_configuration(self, value: int) -> None:
        if self.enabled:
            self.machine.warn("LPTIM1: CFGR is written while ENABLE is set, which has no effect")
            return
        self.registers[LPTIM_CFGR] = value & 0x01FE_EEDF
        divider = 1 << (value >> LPTIM_CFGR_PRESC_SHIFT & 7)
        self._counter.prescaler = self._counter.wanted_prescaler = divider - 1

    def _write_control(self, value: int) -> None:
        was_enabled = self.enabled
        self.registers[LPTIM_CR] = value & LPTIM_CR_ENABLE
        if not value & LPTIM_CR_ENABLE:
            self._counter.running = self._armed_by_trigger = False
            self._counter.count = self._counter.phase = 0
            self._waiting.clear()
        elif was_enabled and value & (LPTIM_CR_SNGSTRT | LPTIM_CR_CNTSTRT):
            self._counter.one_pulse = not value & LPTIM_CR_CNTSTRT
            if self._counter.running:
                return
            if self.registers.get(LPTIM_CFGR, 0) & LPTIM_CFGR_TRIGEN:
                self._armed_by_trigger = True
            else:
                self._start()

    def _start(self) -> None:
        counter = self._counter
        counter.running = True
        counter.count = counter.phase = 0
        self._ticks.skip(self._now_fs)
        self._ticks.take(_START_COUNTS * (counter.prescaler + 1))

    def _ticks_ahead(self, clocks: int) -> int:
        """When the `clocks`-th kernel clock from now falls."""
        now_fs = self._now_fs
        return self._ticks.time_fs(self._ticks.elapsed_signed(now_fs) + clocks)

    def _sync(self) -> None:
        """Counts up to the present, and lets writes arrive on the way."""
        now_fs = self._now_fs
        while self._waiting and self._waiting[0][0] <= now_fs:
            at_fs, offset, value = self._waiting.pop(0)
            self._count_to(at_fs)
            self._arrive(offset, value)
        self._count_to(now_fs)

    def _arrive(self, offset: int, value: int) -> None:
        """A written value reaches the counter: at once, or with PRELOAD at the end of the period."""
        counter = self._counter
        counter.wanted_compare[_CMP if offset == LPTIM_CMP else _ARR] = value
        if offset == LPTIM_ARR:
            counter.wanted_reload = value
        waits = self.registers.get(LPTIM_CFGR, 0) & LPTIM_CFGR_PRELOAD and counter.running
        if not waits:
            counter.reload, counter.compare = counter.wanted_reload, list(counter.wanted_compare)
        self._flags |= _WRITTEN[offset]
        self._update_line()

    def _count_to(self, at_fs: int) -> None:
        frozen = self.machine.freeze.frozen(1, _FREEZE_BIT)
        if not self._counter.running or frozen or self._counts_input:
            self._ticks.skip(at_fs)
            return
        edges = self._ticks.elapsed(at_fs)
        if edges:
            self._ticks.take(edges)
            self._on_events(self._counter.advance(edges)[1])

    def _on_events(self, events: Events) -> None:
        if events.matches[_CMP] and self._counter.compare[_CMP] <= self._counter.reload:
            self._flags |= LPTIM_ISR_CMPM
        if events.matches[_ARR]:
            self._flags |= LPTIM_ISR_ARRM
        self._update_line()

    def _update_line(self) -> None:
        level = bool(self._flags & self.registers.get(LPTIM_IER, 0))
        self.machine.lines.set(_IRQ, self.name, level)
        self.wake_line(level)

    def _arm(self) -> None:
        """Wakes for acknowledges that somebody waits for, and for matches with an interrupt enabled."""
        wanted = self.registers.get(LPTIM_IER, 0) & ~self._flags
        times = [self._waiting[0][0]] if self._waiting else []
        if not self._counts_input and not self.machine.freeze.frozen(1, _FREEZE_BIT):
            for channel, flag in ((_CMP, LPTIM_ISR_CMPM), (_ARR, LPTIM_ISR_ARRM)):
                clocks = self._counter.clocks_until_match(channel) if wanted & flag else None
                if clocks is not None:
                    times.append(self._ticks.time_fs(clocks))
        self._set_alarm(min(times, default=None))

    def _set_alarm(self, at_fs: int | None) -> None:
        """In the time that the kernel clock counts."""
        for alarm, always in zip(self._alarms, (False, True), strict=True):
            alarm.set(at_fs if always == self._always_on else None)

    def _on_alarm(self) -> None:
        self._sync()
        self._arm()

    def _after_stop(self) -> None:
        self._ticks.skip(self._now_fs)
        self._arm()

    def _before_clock_change(self) -> None:
        if self._select >> _SELECT_SHIFT & 3 == 0:
            self._sync()
            self.machine.tree.after_change.append(self._after_clock_change)

    def _after_clock_change(self) -> None:
        now_fs = self._now_fs
        self._waiting = [(now_fs, offset, value) for _, offset, value in self._waiting]
        self._ticks.rebase(now_fs)
        self._arm()
