"""The memory protection unit's rules (ARMv7-M ARM B3.5): who may do what at an address."""

from __future__ import annotations

from dataclasses import dataclass

REGIONS = 8
SMALLEST_BYTES = 32

MPU_CTRL_ENABLE = 1 << 0
MPU_CTRL_HFNMIENA = 1 << 1
MPU_CTRL_PRIVDEFENA = 1 << 2
MPU_RBAR_VALID = 1 << 4
MPU_RASR_ENABLE = 1 << 0
MPU_RASR_XN = 1 << 28

READ, WRITE, EXECUTE = 1, 2, 4
"""As in Unicorn's UC_PROT_READ, UC_PROT_WRITE and UC_PROT_EXEC."""
RIGHTS = {"read": READ, "write": WRITE, "fetch": EXECUTE | READ}

PRIVATE_BUS_BASE, PRIVATE_BUS_END = 0xE000_0000, 0xE010_0000

_PRIVILEGED = {1: 3, 2: 3, 3: 3, 5: 1, 6: 1, 7: 1}
_UNPRIVILEGED = {2: 1, 3: 3, 6: 1, 7: 1}
"""AP to READ | WRITE (table B3-15); 0 and the reserved 4 give nothing."""


def default_rights(address: int) -> int:
    """The default memory map (B3.1): peripherals, devices and system do not execute."""
    never = 0x4000_0000 <= address < 0x6000_0000 or address >= 0xA000_0000
    return READ | WRITE | (0 if never else EXECUTE)


@dataclass
class MpuRegion:
    """RBAR and RASR of one region, without the fields that select it."""

    rbar: int = 0
    rasr: int = 0

    @property
    def size(self) -> int:
        """Bytes, 0 where the region is off."""
        exponent = (self.rasr >> 1 & 0x1F) + 1
        return 1 << exponent if self.rasr & MPU_RASR_ENABLE and exponent >= 5 else 0

    @property
    def base(self) -> int:
        return self.rbar & ~(self.size - 1) & 0xFFFF_FFFF if self.size else 0

    def holds(self, address: int) -> bool:
        """Whether the region decides about `address`; disabled sub-regions do not."""
        size = self.size
        if not size or not self.base <= address < self.base + size:
            return False
        return size < 256 or not self.rasr >> (8 + (address - self.base) * 8 // size) & 1

    def rights(self, privileged: bool) -> int:
        """READ, WRITE and EXECUTE of code at that level."""
        data = (_PRIVILEGED if privileged else _UNPRIVILEGED).get(self.rasr >> 24 & 7, 0)
        return data | (EXECUTE if data & READ and not self.rasr & MPU_RASR_XN else 0)

    def edges(self) -> list[int]:
        """Where rights may change."""
        size = self.size
        if not size:
            return []
        step = size // 8 if size >= 256 and self.rasr >> 8 & 0xFF else size
        return list(range(self.base, self.base + size + 1, step))


class MpuRegions:
    """MPU_CTRL and eight regions, without the registers' addresses."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Everything off."""
        self.control = 0
        self.regions = [MpuRegion() for _ in range(REGIONS)]

    def copy(self) -> tuple[int, ...]:
        """All of the state, to be compared."""
        return (self.control, *(word for region in self.regions for word in (region.rbar, region.rasr)))

    def enabled(self, urgent: bool) -> bool:
        """Whether the MPU acts; `urgent` in HardFault and NMI, where HFNMIENA must be set."""
        return bool(self.control & MPU_CTRL_ENABLE) and (not urgent or bool(self.control & MPU_CTRL_HFNMIENA))

    def rights(self, address: int, privileged: bool) -> int:
        """What the enabled MPU grants at `address`: the highest region that holds it decides."""
        if PRIVATE_BUS_BASE <= address < PRIVATE_BUS_END:
            return default_rights(address)
        for region in reversed(self.regions):
            if region.holds(address):
                # The default map's XN regions never execute, whatever a region says (B3.5.3).
                system = address >= 0xE000_0000
                return region.rights(privileged) & (~EXECUTE if system else ~0)
        background = privileged and self.control & MPU_CTRL_PRIVDEFENA
        return default_rights(address) if background else 0

    def edges(self) -> list[int]:
        """Addresses where rights may change, sorted."""
        return sorted({edge for region in self.regions for edge in region.edges()})
