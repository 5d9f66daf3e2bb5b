"""The option bytes (RM0385 3.4): what is stored, and the registers that stage a change of it."""

from __future__ import annotations

from hil.twin.peripherals import flash_registers as f
from hil.twin.peripherals.flash_keys import KeyLock


class OptionBytes:
    """`optcr` and `optcr1` are stored and survive everything; the registers are loaded from them."""

    def __init__(self) -> None:
        self.optcr = f.OPTCR_FACTORY
        self.optcr1 = f.OPTCR1_FACTORY
        self.keys = KeyLock(f.FLASH_OPTKEYS)
        self.reset()

    def reset(self) -> None:
        """Registers are loaded, and locked."""
        self.keys.reset()
        self._staged = self.optcr
        self._staged1 = self.optcr1

    @property
    def protected_sectors(self) -> int:
        """One bit a sector, set where nWRP is clear."""
        return ~(self.optcr >> f.FLASH_OPTCR_NWRP_SHIFT) & 0xFF

    @property
    def read_protection(self) -> int:
        """RDP: 0xAA is level 0, 0xCC level 2, anything else level 1."""
        return self.optcr >> f.FLASH_OPTCR_RDP_SHIFT & 0xFF

    def read(self, offset: int) -> int:
        """FLASH_OPTCR or FLASH_OPTCR1."""
        if offset == f.FLASH_OPTCR1:
            return self._staged1
        return self._staged | (f.FLASH_OPTCR_OPTLOCK if self.keys.locked else 0)

    def write(self, offset: int, value: int) -> bool:
        """Stages a change; True when OPTSTRT asks to store what is staged."""
        if self.keys.locked:
            return False
        if offset == f.FLASH_OPTCR1:
            self._staged1 = value
            return False
        if value & f.FLASH_OPTCR_OPTLOCK:
            self.keys.lock()
        self._staged = value & f.FLASH_OPTCR_STORED
        return bool(value & f.FLASH_OPTCR_OPTSTRT)

    def store(self) -> bool:
        """Stores what is staged; True when read protection fell to level 0, which erases the flash."""
        before = self.read_protection
        self.optcr, self.optcr1 = self._staged, self._staged1
        return before != f.RDP_LEVEL_0 and self.read_protection == f.RDP_LEVEL_0
