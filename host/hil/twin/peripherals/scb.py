"""System control block (ARMv7-M ARM B3.2): identity, vector table, reset, faults, cache operations."""

from __future__ import annotations

from typing import ClassVar

from hil.twin.exceptions import ExceptionUnit
from hil.twin.machine import Machine, ResetCause
from hil.twin.nvic import FIRST_IRQ, IRQS, NMI, PENDSV, SYSTICK
from hil.twin.peripherals.peripheral import Peripheral

SCB_BASE = 0xE000_ED00
SCB_CPUID = 0x00
SCB_ICSR = 0x04
SCB_ICSR_NMIPENDSET = 1 << 31
SCB_ICSR_PENDSVSET = 1 << 28
SCB_ICSR_PENDSVCLR = 1 << 27
SCB_ICSR_PENDSTSET = 1 << 26
SCB_ICSR_PENDSTCLR = 1 << 25
SCB_ICSR_ISRPENDING = 1 << 22
SCB_ICSR_RETTOBASE = 1 << 11
SCB_VTOR = 0x08
SCB_AIRCR = 0x0C
SCB_AIRCR_VECTKEY = 0x05FA
SCB_AIRCR_VECTKEYSTAT = 0xFA05 << 16
SCB_AIRCR_SYSRESETREQ = 1 << 2
SCB_SCR = 0x10
SCB_SCR_SLEEPONEXIT = 1 << 1
SCB_SCR_SLEEPDEEP = 1 << 2
SCB_SCR_SEVONPEND = 1 << 4
SCB_CCR = 0x14
SCB_SHPR1 = 0x18
SCB_SHPR3 = 0x20
SCB_SHCSR = 0x24
SCB_CFSR = 0x28
SCB_HFSR = 0x2C
SCB_DFSR = 0x30
SCB_CLIDR = 0x78
SCB_CCSIDR = 0x80
SCB_CSSELR = 0x84
SCB_CPACR = 0x88
SCB_CPACR_FPU = 0xF << 20

CCSIDR_DATA_4K = 0xF003_E019
"""4 ways, 32 sets, 32-byte lines (Cortex-M7 TRM 4.3.4)."""
CCSIDR_INSTRUCTION_4K = 0xF007_E009
"""2 ways, 64 sets, 32-byte lines."""

_WRITE_ONE_TO_CLEAR = (SCB_CFSR, SCB_HFSR, SCB_DFSR)
_READ_ONLY = (SCB_CPUID, *range(0x40, SCB_CSSELR, 4))


class Scb(Peripheral):
    """The SCB of a Cortex-M7 r1p1 with 4 KB caches and a single-precision FPU."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        SCB_CPUID: 0x411F_C271,
        SCB_CCR: 0x0004_0200,  # STKALIGN and BP (branch prediction), both fixed to 1
        0x40: 0x0000_0030,  # ID_PFR0
        0x44: 0x0000_0200,
        0x48: 0x0010_0000,
        0x50: 0x0010_0030,  # ID_MMFR0
        0x58: 0x0100_0000,
        0x60: 0x0110_1110,  # ID_ISAR0
        0x64: 0x0211_2000,
        0x68: 0x2023_2231,
        0x6C: 0x0111_1131,
        0x70: 0x0131_0132,
        SCB_CLIDR: 0x0900_0003,
        0x7C: 0x8303_C003,  # CTR
    }

    def __init__(self, machine: Machine, exceptions: ExceptionUnit) -> None:
        super().__init__(machine, "SCB", SCB_BASE, 0x90)
        self._exceptions = exceptions

    def reset(self) -> None:
        super().reset()
        self.machine.state.fpu_off = 1

    def read(self, offset: int) -> int:
        match offset:
            case 0x04:
                return self._icsr()
            case 0x08:
                return self._exceptions.vector_table
            case 0x0C:
                return SCB_AIRCR_VECTKEYSTAT | (self.registers.get(SCB_AIRCR, 0) & 0x700)
            case 0x18 | 0x1C | 0x20:
                first = 4 + offset - SCB_SHPR1
                return sum(self.machine.nvic.priority(first + i) << 8 * i for i in range(4))
            case 0x80:
                return CCSIDR_INSTRUCTION_4K if self.registers.get(SCB_CSSELR, 0) & 1 else CCSIDR_DATA_4K
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset == SCB_ICSR else self.read(offset)

    def write(self, offset: int, value: int) -> None:
        match offset:
            case 0x04:
                self._write_icsr(value)
            case 0x08:
                self._exceptions.vector_table = value & 0xFFFF_FF80
            case 0x0C:
                self._write_aircr(value)
            case 0x18 | 0x1C | 0x20:
                for i in range(4):
                    self.machine.nvic.set_priority(4 + offset - SCB_SHPR1 + i, value >> 8 * i & 0xFF)
            case 0x88:
                self.registers[offset] = value
                self.machine.state.fpu_off = int(value & SCB_CPACR_FPU != SCB_CPACR_FPU)
            case _ if offset in _WRITE_ONE_TO_CLEAR:
                self.registers[offset] = self.registers.get(offset, 0) & ~value
            case _ if offset not in _READ_ONLY:
                super().write(offset, value)

    def enable_fpu(self) -> None:
        """What start-up code does, for code that is called without it."""
        self.write(SCB_CPACR, SCB_CPACR_FPU)

    @property
    def sleep_on_exit(self) -> bool:
        """SCR.SLEEPONEXIT: the core sleeps again when the last handler returns."""
        return bool(self.registers.get(SCB_SCR, 0) & SCB_SCR_SLEEPONEXIT)

    @property
    def sleep_deep(self) -> bool:
        """SCR.SLEEPDEEP: WFI and WFE enter Stop or Standby."""
        return bool(self.registers.get(SCB_SCR, 0) & SCB_SCR_SLEEPDEEP)

    def _icsr(self) -> int:
        nvic = self.machine.nvic
        active = self._exceptions.active_exception()
        first = nvic.first_ready() or 0
        value = active | first << 12
        value |= SCB_ICSR_PENDSVSET if nvic.pending >> PENDSV & 1 else 0
        value |= SCB_ICSR_PENDSTSET if nvic.pending >> SYSTICK & 1 else 0
        value |= SCB_ICSR_NMIPENDSET if nvic.pending >> NMI & 1 else 0
        irqs = nvic.pending >> FIRST_IRQ & ((1 << IRQS) - 1)
        value |= SCB_ICSR_ISRPENDING if irqs else 0
        return value | (0 if nvic.active & (nvic.active - 1) else SCB_ICSR_RETTOBASE)

    def _write_icsr(self, value: int) -> None:
        nvic = self.machine.nvic
        for bit, exception in (
            (SCB_ICSR_NMIPENDSET, NMI),
            (SCB_ICSR_PENDSVSET, PENDSV),
            (SCB_ICSR_PENDSTSET, SYSTICK),
        ):
            if value & bit:
                nvic.pend(exception)
        if value & SCB_ICSR_PENDSVCLR:
            nvic.unpend(PENDSV)
        if value & SCB_ICSR_PENDSTCLR:
            nvic.unpend(SYSTICK)

    def _write_aircr(self, value: int) -> None:
        if value >> 16 != SCB_AIRCR_VECTKEY:
            return
        self.registers[SCB_AIRCR] = value & 0x700
        self.machine.nvic.set_grouping(value >> 8 & 7)
        if value & SCB_AIRCR_SYSRESETREQ:
            self.machine.request_reset(ResetCause.SOFTWARE)
