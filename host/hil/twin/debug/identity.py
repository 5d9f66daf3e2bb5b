"""CoreSight identification as a debugger walks it: ROM tables, PIDR and CIDR of each component.

RM0385 40.14 (Cortex-M7 ROM tables) and the CoreSight architecture B2.2: a class 0x1 component is a
ROM table, 0x9 a CoreSight component, 0xE a generic one. Parts and designers are Arm's, 0x449 is ST's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ROM_TABLE = 0xE00F_D000
DEBUG_BASE = ROM_TABLE | 3
"""What the BASE register of the AHB-AP reads: format and presence in the low bits."""

_ARM = 0x43B
"""JEP106 codes as debuggers show them: the identity in bits 6:0, its bank in bits 11:8."""
_ST = 0x020
_CLASS_ROM = 0x1
_CLASS_CORESIGHT = 0x9
_CLASS_GENERIC = 0xE

_ID_OFFSET = 0xFBC
"""DEVARCH is the first identification register that debuggers read."""


@dataclass(frozen=True)
class Component:
    """One page of 4 KB with identification at its end."""

    base: int
    part: int
    kind: int
    designer: int = _ARM
    revision: int = 0
    devtype: int = 0
    devarch: int = 0
    entries: tuple[int, ...] = field(default=())
    """Bases of the components that a ROM table lists."""

    def registers(self) -> dict[int, int]:
        """Address to value: table entries, DEVARCH, DEVTYPE, PIDR and CIDR."""
        low, high = self.designer & 0x7F, self.designer >> 8
        pidr = (high, 0, 0, 0, self.part & 0xFF, (low & 0xF) << 4 | self.part >> 8,
                self.revision << 4 | 8 | low >> 4, 0)  # fmt: skip
        cidr = (0x0D, self.kind << 4, 0x05, 0xB1)
        found = {self.base + 0xFD0 + 4 * i: value for i, value in enumerate((*pidr, *cidr))}
        if self.kind == _CLASS_CORESIGHT:
            found[self.base + 0xFBC] = self.devarch
            found |= {self.base + at: 0 for at in (0xFC0, 0xFC4, 0xFC8)}
            found[self.base + 0xFCC] = self.devtype
        for index in range(len(self.entries) + 1 if self.entries else 0):
            child = self.entries[index] if index < len(self.entries) else None
            found[self.base + 4 * index] = 0 if child is None else (child - self.base) & 0xFFFF_F000 | 3
        return found


COMPONENTS = (
    Component(ROM_TABLE, 0x449, _CLASS_ROM, designer=_ST, entries=(0xE00F_E000, 0xE004_0000)),
    Component(0xE00F_E000, 0x4C8, _CLASS_ROM, entries=(0xE00F_F000, 0xE004_1000)),
    Component(0xE00F_F000, 0x4C7, _CLASS_ROM, entries=(0xE000_E000, 0xE000_1000, 0xE000_2000, 0xE000_0000)),
    Component(0xE000_E000, 0x00C, _CLASS_GENERIC),
    Component(0xE000_1000, 0x002, _CLASS_GENERIC),
    Component(0xE000_2000, 0x00E, _CLASS_GENERIC),
    Component(0xE000_0000, 0x001, _CLASS_GENERIC),
    Component(0xE004_0000, 0x9A9, _CLASS_CORESIGHT, devtype=0x11),
    Component(0xE004_1000, 0x975, _CLASS_CORESIGHT, devtype=0x13, devarch=0x4770_4A13),
)

REGISTERS = {address: value for component in COMPONENTS for address, value in component.registers().items()}
"""Every identification register by its address."""

_TABLES = tuple(component.base for component in COMPONENTS if component.kind == _CLASS_ROM)


def identification(address: int) -> int | None:
    """The identification register at `address`; None where there is none. ROM tables read 0 elsewhere."""
    found = REGISTERS.get(address)
    if found is None and address & ~0xFFF in _TABLES:
        return 0
    return found
