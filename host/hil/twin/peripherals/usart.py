"""USART and UART (RM0385 chapter 31): registers, flags and interrupts around transmitter and receiver."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.clock import SECOND_FS
from hil.twin.machine import HSI_HZ, LSE_HZ, Machine
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.usart_receiver import Receiver
from hil.twin.peripherals.usart_transmitter import Transmitter

USART_CR1, USART_CR2, USART_CR3, USART_BRR = 0x00, 0x04, 0x08, 0x0C
USART_RTOR = 0x14
USART_RQR, USART_ISR, USART_ICR, USART_RDR, USART_TDR = 0x18, 0x1C, 0x20, 0x24, 0x28

USART_CR1_UE = 1 << 0
USART_CR1_RE = 1 << 2
USART_CR1_TE = 1 << 3
USART_CR1_IDLEIE = 1 << 4
USART_CR1_RXNEIE = 1 << 5
USART_CR1_TCIE = 1 << 6
USART_CR1_TXEIE = 1 << 7
USART_CR1_M0 = 1 << 12
USART_CR1_CMIE = 1 << 14
USART_CR1_OVER8 = 1 << 15
USART_CR1_RTOIE = 1 << 26
USART_CR1_M1 = 1 << 28
USART_CR2_STOP_SHIFT = 12
USART_CR2_RTOEN = 1 << 23
USART_CR2_ADD_SHIFT = 24
USART_CR3_EIE = 1 << 0
USART_CR3_DMAR = 1 << 6
USART_CR3_DMAT = 1 << 7
USART_CR3_OVRDIS = 1 << 12

USART_ISR_ORE = 1 << 3
USART_ISR_IDLE = 1 << 4
USART_ISR_RXNE = 1 << 5
USART_ISR_TC = 1 << 6
USART_ISR_TXE = 1 << 7
USART_ISR_RTOF = 1 << 11
USART_ISR_BUSY = 1 << 16
USART_ISR_CMF = 1 << 17
USART_ISR_TEACK = 1 << 21
USART_ISR_REACK = 1 << 22
USART_RQR_RXFRQ = 1 << 3
USART_RQR_TXFRQ = 1 << 4

_CLEARABLE = USART_ISR_ORE | USART_ISR_IDLE | USART_ISR_TC | USART_ISR_RTOF | USART_ISR_CMF
_RTO_MASK = 0xFF_FFFF
_STOP_HALF_BITS = (2, 1, 4, 3)
_UNSET_BAUD = 115_200
"""The pace of bytes that arrive before firmware has chosen a rate; they are lost anyway."""


class Usart(Peripheral):
    """One port with its wire: bytes take their true time by BRR, OVER8 and the kernel clock."""

    RESET_VALUES: ClassVar[dict[int, int]] = {}

    def __init__(self, machine: Machine, name: str, base: int, irq: int, clock_select: int) -> None:
        super().__init__(machine, name, base)
        self._irq = irq
        self._clock_select = clock_select
        """The port's field in RCC_DCKCFGR2 and, by it, its bus: 0 and 10 are on APB2."""
        self.kernel_select = 0
        self.flags = USART_ISR_TC
        self.tx = Transmitter(self)
        self.rx = Receiver(self)

    def reset(self) -> None:
        super().reset()
        self.tx.reset()
        self.rx.reset()
        self.flags = USART_ISR_TC
        self.update_line()

    @property
    def cr1(self) -> int:
        return self.registers.get(USART_CR1, 0)

    @property
    def cr3(self) -> int:
        return self.registers.get(USART_CR3, 0)

    @property
    def match(self) -> int:
        """The character that sets CMF when it arrives: CR2.ADD."""
        return self.registers.get(USART_CR2, 0) >> USART_CR2_ADD_SHIFT

    @property
    def timeout_bits(self) -> int | None:
        """Bits of silence that set RTOF, RTOR.RTO; None while the timeout is off."""
        if not self.registers.get(USART_CR2, 0) & USART_CR2_RTOEN:
            return None
        return self.registers.get(USART_RTOR, 0) & _RTO_MASK

    @property
    def kernel_hz(self) -> int:
        """The clock the baud rate is divided from (RCC_DCKCFGR2: APB, SYSCLK, HSI or LSE)."""
        tree = self.machine.tree
        apb = tree.pclk2_hz if self._clock_select in (0, 10) else tree.pclk1_hz
        return (apb, tree.sysclk_hz, HSI_HZ, LSE_HZ)[self.kernel_select >> self._clock_select & 3]

    @property
    def byte_fs(self) -> int:
        """One character on the wire: start, data, parity and stop bits (RM0385 31.5.4)."""
        brr = self.registers.get(USART_BRR, 0)
        halves = 2 + 2 * self._data_bits()
        halves += _STOP_HALF_BITS[self.registers.get(USART_CR2, 0) >> USART_CR2_STOP_SHIFT & 3]
        if self.cr1 & USART_CR1_OVER8:
            divider, clocks = (brr & 0xFFF0) | (brr & 0x7) << 1, self.kernel_hz * 2
        else:
            divider, clocks = brr, self.kernel_hz
        if divider < 16:
            return halves * SECOND_FS // (2 * _UNSET_BAUD)
        return halves * SECOND_FS * divider // (2 * clocks)

    @property
    def byte_s(self) -> float:
        """Seconds one character takes on the wire at the present rate."""
        return self.byte_fs / SECOND_FS

    def read(self, offset: int) -> int:
        if offset == USART_ISR:
            self.rx.sync()
            return self._isr()
        if offset == USART_RDR:
            self.rx.sync()
            return self.rx.take()
        return 0 if offset in (USART_ICR, USART_RQR) else super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset >= USART_RQR else super().peek(offset)

    def write(self, offset: int, value: int) -> None:
        if offset == USART_TDR:
            self.tx.write(value & 0x1FF)
        elif offset == USART_ICR:
            self.flags &= ~(value & _CLEARABLE)
        elif offset == USART_RQR:
            if value & USART_RQR_RXFRQ:
                self.flags &= ~USART_ISR_RXNE
            if value & USART_RQR_TXFRQ:
                self.tx.discard()
        elif offset == USART_CR1:
            self._write_cr1(value)
        elif offset == USART_BRR and self.cr1 & USART_CR1_UE:
            self.machine.warn(f"{self.name}: BRR is written while UE is set, which has no effect")
        elif offset not in (USART_ISR, USART_RDR):
            self.rx.sync()
            super().write(offset, value)
            self.tx.poke()
            self.rx.poke()
        self.update_line()

    def update_line(self) -> None:
        """The interrupt line: any flag whose enable is set (RM0385 table 177)."""
        flags, cr1 = self._isr(), self.cr1
        level = (
            (flags & USART_ISR_TXE and cr1 & USART_CR1_TXEIE)
            or (flags & USART_ISR_TC and cr1 & USART_CR1_TCIE)
            or (flags & USART_ISR_IDLE and cr1 & USART_CR1_IDLEIE)
            or (flags & USART_ISR_CMF and cr1 & USART_CR1_CMIE)
            or (flags & USART_ISR_RTOF and cr1 & USART_CR1_RTOIE)
            or (flags & (USART_ISR_RXNE | USART_ISR_ORE) and cr1 & USART_CR1_RXNEIE)
            or (flags & USART_ISR_ORE and self.cr3 & USART_CR3_EIE)
        )
        self.machine.nvic.set_line(self._irq, bool(level and cr1 & USART_CR1_UE))

    def _write_cr1(self, value: int) -> None:
        self.rx.sync()
        self.registers[USART_CR1] = value
        if not value & USART_CR1_UE:
            self.tx.reset()
            self.rx.disable()
            self.flags = USART_ISR_TC
        elif not value & USART_CR1_TE:
            self.tx.discard()
        self.tx.poke()
        self.rx.poke()

    def _isr(self) -> int:
        flags = self.flags | (0 if self.tx.full else USART_ISR_TXE)
        if self.cr1 & USART_CR1_UE:
            flags |= USART_ISR_TEACK if self.cr1 & USART_CR1_TE else 0
            flags |= USART_ISR_REACK if self.cr1 & USART_CR1_RE else 0
        return flags | (USART_ISR_BUSY if self.rx.busy else 0)

    def _data_bits(self) -> int:
        """Data and parity together: M1 M0 choose 8, 9 or 7."""
        if self.cr1 & USART_CR1_M1:
            return 7
        return 9 if self.cr1 & USART_CR1_M0 else 8
