"""Extended interrupts and events (RM0385 chapter 11): edges on 24 lines become interrupts or events."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.gpio import Gpio
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.syscfg import Syscfg

EXTI_IMR, EXTI_EMR, EXTI_RTSR, EXTI_FTSR, EXTI_SWIER, EXTI_PR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14

LINE_PVD = 16
LINE_RTC_ALARM = 17
LINE_OTG_FS_WAKEUP = 18
LINE_ETHERNET_WAKEUP = 19
LINE_OTG_HS_WAKEUP = 20
LINE_TAMPER_STAMP = 21
LINE_RTC_WAKEUP = 22
LINE_LPTIM1 = 23

PINS = 16
_LINES = 0x00FF_FFFF
_IRQS = (
    *((6 + line, 1 << line) for line in range(5)),
    (23, 0x03E0), (40, 0xFC00), (1, 1 << LINE_PVD), (41, 1 << LINE_RTC_ALARM),
    (42, 1 << LINE_OTG_FS_WAKEUP), (62, 1 << LINE_ETHERNET_WAKEUP), (76, 1 << LINE_OTG_HS_WAKEUP),
    (2, 1 << LINE_TAMPER_STAMP), (3, 1 << LINE_RTC_WAKEUP), (93, 1 << LINE_LPTIM1),
)  # fmt: skip
"""Interrupts, and the lines that share each (RM0385 table 46)."""


class Exti(Peripheral):
    """Detects edges, also in Stop: the edge detectors need no clock."""

    def __init__(self, machine: Machine, syscfg: Syscfg, ports: list[Gpio], base: int = 0x4001_3C00) -> None:
        super().__init__(machine, "EXTI", base)
        self._syscfg = syscfg
        self._ports = ports
        self._levels = 0
        for port in ports:
            port.listeners.append(self.follow_pins)
        syscfg.on_selection = self.follow_pins

    def reset(self) -> None:
        super().reset()
        self._levels &= ~((1 << PINS) - 1)
        self._levels |= self._pins()
        self._update_lines()

    def set_line(self, line: int, level: bool) -> None:
        """The signal of `line` from inside the chip."""
        self._take(self._levels & ~(1 << line) | level << line)

    def follow_pins(self) -> None:
        """Pins changed, or the choice of their ports."""
        self._take(self._levels & ~((1 << PINS) - 1) | self._pins())

    def peek(self, offset: int) -> int:
        return 0 if offset == EXTI_PR else super().peek(offset)

    def write(self, offset: int, value: int) -> None:
        value &= _LINES
        if offset == EXTI_PR:
            self.registers[EXTI_PR] = self.registers.get(EXTI_PR, 0) & ~value
            self.registers[EXTI_SWIER] = self.registers.get(EXTI_SWIER, 0) & ~value
        elif offset == EXTI_SWIER:
            before = self.registers.get(EXTI_SWIER, 0)
            self.registers[EXTI_SWIER] = before | value
            unmasked = self.registers.get(EXTI_IMR, 0) | self.registers.get(EXTI_EMR, 0)
            self._trigger(value & ~before & unmasked)
        else:
            super().write(offset, value)
        self._update_lines()

    def _pins(self) -> int:
        levels = 0
        for line in range(PINS):
            port = self._syscfg.port_of(line)
            if port < len(self._ports):
                levels |= self._ports[port].level & 1 << line
        return levels

    def _take(self, levels: int) -> None:
        rising, falling = levels & ~self._levels, self._levels & ~levels
        self._levels = levels
        edges = rising & self.registers.get(EXTI_RTSR, 0) | falling & self.registers.get(EXTI_FTSR, 0)
        if edges:
            self._trigger(edges)
            self._update_lines()

    def _trigger(self, lines: int) -> None:
        self.registers[EXTI_PR] = self.registers.get(EXTI_PR, 0) | lines
        if lines & self.registers.get(EXTI_EMR, 0):
            self.machine.state.event = 1
            self.machine.attention()

    def _update_lines(self) -> None:
        wanted = self.registers.get(EXTI_PR, 0) & self.registers.get(EXTI_IMR, 0)
        for irq, lines in _IRQS:
            self.machine.lines.set(irq, self.name, bool(wanted & lines))
