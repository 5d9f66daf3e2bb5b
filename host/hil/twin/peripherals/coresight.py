"""CoreSight identification: how a debugger that walks the ROM tables finds the parts of the core.

Registers as in ARMv7-M ARM C1.2 (ROM table), D1.1 (peripheral and component ID). Parts: Cortex-M7 TRM
table 10-1 and what pyOCD prints of an STM32H743 (the same core); part 0x449 is ST's, as in DBGMCU.
"""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral

CLASS_ROM_TABLE = 0x1
CLASS_CORESIGHT = 0x9
CLASS_GENERIC = 0xE

LAR = 0xFB0
LAR_KEY = 0xC5AC_CE55
LSR = 0xFB4
LSR_PRESENT = 1 << 0
LSR_LOCKED = 1 << 1
DEVARCH = 0xFBC
DEVID = 0xFC8
DEVTYPE = 0xFCC
ROM_TABLE_SYSTEM_MEMORY = {0xFCC: 1}

ARM = 0x43B
ST = 0x020
"""JEP106: continuation code and identity."""

PRESENT = 0x3


def identification(part: int, component_class: int, designer: int = ARM, revision: int = 0) -> dict[int, int]:
    """PIDR and CIDR, by offset."""
    identity = designer & 0x7F
    return {
        0xFD0: designer >> 8,
        0xFE0: part & 0xFF,
        0xFE4: (identity & 0xF) << 4 | part >> 8,
        0xFE8: revision << 4 | 1 << 3 | identity >> 4,
        0xFF0: 0x0D,
        0xFF4: component_class << 4,
        0xFF8: 0x05,
        0xFFC: 0xB1,
    }


class Lock:
    """A software lock (LAR, LSR): it holds for the core and not for a debugger."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._locked = True

    def reset(self) -> None:
        self._locked = True

    @property
    def locked(self) -> bool:
        """Whether this write is refused."""
        return self._locked and not self._machine.debugger_access

    def write(self, value: int) -> None:
        """LAR: the key opens, anything else locks."""
        self._locked = value != LAR_KEY

    def read(self) -> int:
        """LSR; a debugger sees no lock at all."""
        if self._machine.debugger_access:
            return 0
        return LSR_PRESENT | (LSR_LOCKED if self._locked else 0)


class Component(Peripheral):
    """4 KB with identification; registers that only store, behind a lock where there is one."""

    def __init__(
        self, machine: Machine, name: str, base: int, fixed: dict[int, int], *, lock: bool = False
    ) -> None:
        self._fixed = fixed
        self.lock = Lock(machine) if lock else None
        super().__init__(machine, name, base, 0x1000)

    def reset(self) -> None:
        super().reset()
        if self.lock is not None:
            self.lock.reset()

    def read(self, offset: int) -> int:
        if offset == LSR and self.lock is not None:
            return self.lock.read()
        return self._fixed.get(offset, super().read(offset))

    def write(self, offset: int, value: int) -> None:
        if self.lock is not None and offset == LAR:
            self.lock.write(value)
        elif offset not in self._fixed and not (self.lock is not None and self.lock.locked):
            self.store(offset, value)

    def store(self, offset: int, value: int) -> None:
        """A write that no lock refused."""
        super().write(offset, value)


def rom_table(base: int, part: int, entries: tuple[int, ...], designer: int = ARM) -> dict[int, int]:
    """The words of a ROM table at `base` that lists components at the addresses `entries`."""
    words = {4 * i: (address - base) & 0xFFFF_F000 | PRESENT for i, address in enumerate(entries)}
    return {**words, **ROM_TABLE_SYSTEM_MEMORY, **identification(part, CLASS_ROM_TABLE, designer)}


def rom_tables(machine: Machine) -> list[Peripheral]:
    """The chip's table, the processor's, and that of the private peripheral bus."""
    tables = (
        (0xE00F_D000, 0x449, (0xE00F_E000, 0xE004_0000), ST),
        (0xE00F_E000, 0x4C8, (0xE00F_F000, 0xE004_1000), ARM),
        (0xE00F_F000, 0x4C7, (0xE000_E000, 0xE000_1000, 0xE000_2000, 0xE000_0000), ARM),
    )
    return [
        Component(machine, "ROM table", base, rom_table(base, part, entries, designer))
        for base, part, entries, designer in tables
    ]


def trace_ports(machine: Machine) -> list[Peripheral]:
    """TPIU and ETM: identified, their registers stored; trace leaves the twin at `twin.itm` only."""
    tpiu = {
        0x000: 0xF,  # SSPSR: port sizes 1 to 4
        0x300: 0x8,  # FFSR: flushed, no formatter stop pending
        DEVID: 0xCA1,
        DEVTYPE: 0x11,
        **identification(0x9A9, CLASS_CORESIGHT),
    }
    etm = {DEVARCH: 0x4770_4A13, DEVID: 0, DEVTYPE: 0x13, **identification(0x975, CLASS_CORESIGHT)}
    return [
        Component(machine, "TPIU", 0xE004_0000, tpiu),
        Component(machine, "ETM", 0xE004_1000, etm, lock=True),
    ]


class ControlSpaceIdentity(Component):
    """The identification registers of the system control space (0xE000EFD0)."""

    def __init__(self, machine: Machine) -> None:
        fixed = {offset - 0xFD0: value for offset, value in identification(0x00C, CLASS_GENERIC).items()}
        super().__init__(machine, "SCS", 0xE000_EFD0, fixed)
        self.size = 0x30
