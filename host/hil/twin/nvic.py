"""The nested vectored interrupt controller (ARMv7-M ARM B3.4): what is pending, active and first.

Sets of exceptions are integers with one bit per exception number; external interrupt n is 16 + n.
"""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

NVIC_BASE = 0xE000_E100
NVIC_ISER = 0x000
NVIC_ICER = 0x080
NVIC_ISPR = 0x100
NVIC_ICPR = 0x180
NVIC_IABR = 0x200
NVIC_IPR = 0x300

NMI = 2
HARD_FAULT = 3
SVCALL = 11
PENDSV = 14
SYSTICK = 15
FIRST_IRQ = 16
IRQS = 98
EXCEPTIONS = FIRST_IRQ + IRQS

PRIORITY_BITS_MASK = 0xF0
"""The STM32F746 implements the upper four of eight priority bits (RM0385 10.1)."""
NOTHING_ACTIVE = 256

_IRQ_MASK = ((1 << IRQS) - 1) << FIRST_IRQ
_ALWAYS_ENABLED = (1 << FIRST_IRQ) - 1
_FIXED_PRIORITY = {NMI: -2, HARD_FAULT: -1}


class Nvic(Peripheral):
    """State of all exceptions, and the registers that firmware sees of it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "NVIC", NVIC_BASE, 0x400)
        self.held_back = 0
        """Exceptions that a debugger does not let through."""
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.pending = 0
        self.active = 0
        self.enabled = _ALWAYS_ENABLED
        self._lines = 0
        self._priorities = [0] * EXCEPTIONS
        self._group_mask = 0xFF

    @property
    def ready(self) -> int:
        """Exceptions that are pending and enabled."""
        return self.pending & self.enabled & ~self.held_back

    def pend(self, exception: int) -> None:
        """`exception` waits to be taken."""
        self.pending |= 1 << exception
        self._changed()

    def unpend(self, exception: int) -> None:
        """`exception` no longer waits."""
        self.pending &= ~(1 << exception)

    def set_line(self, irq: int, level: bool) -> None:
        """A peripheral's interrupt line: high makes it pending, and again on return while high."""
        bit = 1 << (FIRST_IRQ + irq)
        if not level:
            self._lines &= ~bit
        elif not self._lines & bit:
            self._lines |= bit
            if not self.active & bit:
                self.pending |= bit
                self._changed()

    def enter(self, exception: int) -> None:
        """`exception` is taken."""
        bit = 1 << exception
        self.pending &= ~bit
        self.active |= bit

    def leave(self, exception: int) -> None:
        """The handler of `exception` returned."""
        bit = 1 << exception
        self.active &= ~bit
        self.pending |= self._lines & bit

    def set_priority(self, exception: int, value: int) -> None:
        """Sets a configurable priority: the upper four bits of `value` count."""
        self._priorities[exception] = value & PRIORITY_BITS_MASK
        self._changed()

    def priority(self, exception: int) -> int:
        """The priority as firmware wrote it; the fixed ones are negative."""
        return _FIXED_PRIORITY.get(exception, self._priorities[exception])

    def set_grouping(self, prigroup: int) -> None:
        """AIRCR.PRIGROUP: bits above it decide about preemption (ARMv7-M ARM B1.5.4)."""
        self._group_mask = 0xFF & ~((2 << prigroup) - 1)
        self._changed()

    def group_priority(self, exception: int) -> int:
        """The part of the priority that decides whether one exception preempts another."""
        fixed = _FIXED_PRIORITY.get(exception)
        return self._priorities[exception] & self._group_mask if fixed is None else fixed

    def masked_group(self, priority: int) -> int:
        """`priority` (of BASEPRI) reduced to its group part."""
        return priority & self._group_mask

    def first_ready(self) -> int | None:
        """The exception to take next: highest priority, then lowest number."""
        return min(_bits(self.ready), key=self._order, default=None)

    def active_priority(self) -> int:
        """Group priority of the code that runs, without the mask registers."""
        return min(map(self.group_priority, _bits(self.active)), default=NOTHING_ACTIVE)

    def read(self, offset: int) -> int:
        if offset >= NVIC_IPR:
            return sum(self._irq_priority(offset - NVIC_IPR + i) << 8 * i for i in range(4))
        sets = (self.enabled, self.enabled, self.pending, self.pending, self.active)
        index = offset >> 7
        shift = FIRST_IRQ + 8 * (offset & 0x7C)
        return ((sets[index] & _IRQ_MASK) >> shift) & 0xFFFF_FFFF if index < len(sets) else 0

    def peek(self, offset: int) -> int:
        return self.read(offset) if offset >= NVIC_IPR else 0

    def write(self, offset: int, value: int) -> None:
        if offset >= NVIC_IPR:
            for i in range(4):
                if offset - NVIC_IPR + i < IRQS:
                    self.set_priority(FIRST_IRQ + offset - NVIC_IPR + i, value >> 8 * i & 0xFF)
            return
        bits = (value << (FIRST_IRQ + 8 * (offset & 0x7C))) & _IRQ_MASK
        match offset & ~0x7F:
            case 0x000:
                self.enabled |= bits
            case 0x080:
                self.enabled &= ~bits
            case 0x100:
                self.pending |= bits
            case 0x180:
                self.pending &= ~bits | (self._lines & ~self.active)
        self._changed()

    def _order(self, exception: int) -> tuple[int, int, int]:
        return self.group_priority(exception), self.priority(exception), exception

    def _irq_priority(self, irq: int) -> int:
        return self._priorities[FIRST_IRQ + irq] if irq < IRQS else 0

    def _changed(self) -> None:
        if self.ready:
            self.machine.attention()


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
