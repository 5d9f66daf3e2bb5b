"""System control block (ARMv7-M ARM B3.2): identity, vector table, reset, faults, cache operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hil.twin.exceptions import ExceptionUnit
from hil.twin.machine import Machine, ResetCause
from hil.twin.nvic import FIRST_IRQ, IRQS, NMI, PENDSV, SYSTICK
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.traps import Trap

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
SCB_CCR_NONBASETHRDENA = 1 << 0
SCB_CCR_USERSETMPEND = 1 << 1
SCB_CCR_UNALIGN_TRP = 1 << 3
SCB_CCR_DIV_0_TRP = 1 << 4
SCB_CCR_BFHFNMIGN = 1 << 8
SCB_CCR_FIXED = 0x0004_0200
"""STKALIGN and BP (branch prediction)."""
SCB_CCR_WRITABLE = 0x0003_011B
SCB_SHPR1 = 0x18
SCB_SHPR3 = 0x20
SCB_SHCSR = 0x24
SCB_CFSR = 0x28
SCB_HFSR = 0x2C
SCB_DFSR = 0x30
SCB_MMFAR = 0x34
SCB_BFAR = 0x38
SCB_CLIDR = 0x78
SCB_CCSIDR = 0x80
SCB_CSSELR = 0x84
SCB_CPACR = 0x88
SCB_CPACR_FPU = 0xF << 20

CCSIDR_DATA_4K = 0xF003_E019
"""4 ways, 32 sets, 32-byte lines (Cortex-M7 TRM 4.3.4)."""
CCSIDR_INSTRUCTION_4K = 0xF007_E009
"""2 ways, 64 sets, 32-byte lines."""

SHCSR_ACTIVE = {0: 4, 1: 5, 3: 6, 7: 11, 8: 12, 10: 14, 11: 15}
SHCSR_PENDED = {12: 6, 13: 4, 14: 5, 15: 11}
SHCSR_ENABLED = {16: 4, 17: 5, 18: 6}
"""Bits of SHCSR, and the exceptions they tell of (ARMv7-M ARM B3.2.13)."""
_READ_ONLY = (SCB_CPUID, *range(0x40, SCB_CSSELR, 4))


class Scb(Peripheral):
    """The SCB of a Cortex-M7 r0p1 with 4 KB caches and a single-precision FPU."""

    RESET_VALUES: ClassVar[dict[int, int]] = {
        SCB_CPUID: 0x410F_C271,
        SCB_CCR: SCB_CCR_FIXED,
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
        self.on_traps: Callable[[], None] = lambda: None
        """CCR may trap something else now."""

    def reset(self) -> None:
        super().reset()
        self._exceptions.reset()
        self._exceptions.nested_thread = False
        self.machine.nvic.send_event = False

    @property
    def traps(self) -> Trap:
        """What CCR traps."""
        ccr = self.registers[SCB_CCR]
        divide = Trap.DIVIDE if ccr & SCB_CCR_DIV_0_TRP else Trap(0)
        return divide | (Trap.UNALIGNED if ccr & SCB_CCR_UNALIGN_TRP else Trap(0))

    @property
    def user_may_trigger(self) -> bool:
        """CCR.USERSETMPEND: unprivileged code may write STIR."""
        return bool(self.registers[SCB_CCR] & SCB_CCR_USERSETMPEND)

    @property
    def ignores_bus_faults(self) -> bool:
        """CCR.BFHFNMIGN: in HardFault and NMI, failed data accesses do nothing."""
        return bool(self.registers[SCB_CCR] & SCB_CCR_BFHFNMIGN)

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
            case 0x24:
                return self._shcsr()
            case 0x28:
                return self._exceptions.faults.cfsr
            case 0x2C:
                return self._exceptions.faults.hfsr
            case 0x30:
                return self._exceptions.faults.dfsr
            case 0x34:
                return self._exceptions.faults.mmfar
            case 0x38:
                return self._exceptions.faults.bfar
            case 0x80:
                return CCSIDR_INSTRUCTION_4K if self.registers.get(SCB_CSSELR, 0) & 1 else CCSIDR_DATA_4K
        return super().read(offset)

    def peek(self, offset: int) -> int:
        return 0 if offset in (SCB_ICSR, SCB_CFSR, SCB_HFSR, SCB_DFSR) else self.read(offset)

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
            case 0x10:
                super().write(offset, value)
                self.machine.nvic.send_event = bool(value & SCB_SCR_SEVONPEND)
            case 0x14:
                self._write_ccr(value)
            case 0x24:
                self._write_shcsr(value)
            case 0x28 | 0x2C | 0x30 | 0x34 | 0x38:
                self._write_status(offset, value)
            case 0x88:
                self.registers[offset] = value & SCB_CPACR_FPU
                self._exceptions.fp.set_access(value)
            case _ if offset not in _READ_ONLY:
                super().write(offset, value)

    def _write_ccr(self, value: int) -> None:
        self.registers[SCB_CCR] = SCB_CCR_FIXED | (value & SCB_CCR_WRITABLE)
        self._exceptions.nested_thread = bool(value & SCB_CCR_NONBASETHRDENA)
        self.on_traps()

    def _write_status(self, offset: int, value: int) -> None:
        """CFSR, HFSR and DFSR clear where ones are written; the addresses store."""
        faults = self._exceptions.faults
        match offset:
            case 0x28:
                faults.cfsr &= ~value
            case 0x2C:
                faults.hfsr &= ~value
            case 0x30:
                faults.dfsr &= ~value
            case 0x34:
                faults.mmfar = value
            case 0x38:
                faults.bfar = value

    def _shcsr(self) -> int:
        nvic = self.machine.nvic
        sets = (nvic.active, SHCSR_ACTIVE), (nvic.pending, SHCSR_PENDED), (nvic.enabled, SHCSR_ENABLED)
        return sum((members >> number & 1) << bit for members, bits in sets for bit, number in bits.items())

    def _write_shcsr(self, value: int) -> None:
        nvic = self.machine.nvic
        for bit, number in SHCSR_ENABLED.items():
            nvic.enable_fault(number, bool(value >> bit & 1))
        for bit, number in SHCSR_ACTIVE.items():
            nvic.set_active(number, bool(value >> bit & 1))
        for bit, number in SHCSR_PENDED.items():
            if value >> bit & 1:
                nvic.pend(number)
            else:
                nvic.unpend(number)

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
