"""The AHB access port (Cortex-M7 TRM 9.3, ADIv5.2 chapter 7): CSW, TAR, DRW, BD0 to BD3."""

from __future__ import annotations

from hil.twin.debug.access import DebugAccess
from hil.twin.debug.identity import DEBUG_BASE

AP_CSW = 0x00
AP_CSW_SIZE = 0x7
AP_CSW_ADDRINC = 0x3 << 4
AP_CSW_ADDRINC_SINGLE = 1 << 4
AP_CSW_ADDRINC_PACKED = 2 << 4
AP_CSW_DEVICE_EN = 1 << 6
AP_CSW_WRITABLE = 0x6F00_0F37
"""Size, increment, mode, HPROT[3:0] and the master type; the rest is fixed."""
AP_CSW_FIXED = AP_CSW_DEVICE_EN
AP_CSW_RESET = 0x2300_0000
AP_TAR = 0x04
AP_DRW = 0x0C
AP_BD0 = 0x10
AP_BD3 = 0x1C
AP_CFG = 0xF4
AP_BASE = 0xF8
AP_IDR = 0xFC
AP_IDR_VALUE = 0x7477_0001

SIZE_WORD = 2
AUTO_INCREMENT_WRAP = 0x400
"""The low ten bits of TAR count; the others stay (ADIv5.2 7.2.2)."""


class AhbAp:
    """One memory access port. Accesses raise AccessError; TAR then stays where it was."""

    def __init__(self, access: DebugAccess) -> None:
        self._access = access
        self.reset()

    def reset(self) -> None:
        """Power-on of the debug domain."""
        self._csw = AP_CSW_RESET
        self._tar = 0

    def read(self, register: int) -> int:
        """The register at `register` (bank and offset)."""
        match register:
            case 0x00:
                return self._csw | AP_CSW_FIXED
            case 0x04:
                return self._tar
            case 0x0C:
                return self._read_data()
            case 0x10 | 0x14 | 0x18 | 0x1C:
                return self._access.read((self._tar & ~0xF) | register & 0xC, 4)
            case 0xF8:
                return DEBUG_BASE
            case 0xFC:
                return AP_IDR_VALUE
        return 0

    def write(self, register: int, value: int) -> None:
        """Sets the register at `register`."""
        match register:
            case 0x00:
                size = min(value & AP_CSW_SIZE, SIZE_WORD)  # no larger transfers
                self._csw = value & AP_CSW_WRITABLE & ~AP_CSW_SIZE | size
            case 0x04:
                self._tar = value
            case 0x0C:
                self._write_data(value)
            case 0x10 | 0x14 | 0x18 | 0x1C:
                self._access.write((self._tar & ~0xF) | register & 0xC, 4, value)

    def _read_data(self) -> int:
        """Bytes and halfwords come on their lanes."""
        value = 0
        for _ in range(self._beats):
            size, lane = self._size, 8 * (self._tar & 3)
            value |= self._access.read(self._tar, size) << lane
            self._advance()
        return value & 0xFFFF_FFFF

    def _write_data(self, value: int) -> None:
        for _ in range(self._beats):
            size, lane = self._size, 8 * (self._tar & 3)
            self._access.write(self._tar, size, value >> lane & ((1 << 8 * size) - 1))
            self._advance()

    @property
    def _size(self) -> int:
        return int(1 << (self._csw & AP_CSW_SIZE))

    @property
    def _beats(self) -> int:
        """A packed transfer fills the word."""
        packed = self._csw & AP_CSW_ADDRINC == AP_CSW_ADDRINC_PACKED
        return (4 - self._tar % 4) // self._size or 1 if packed else 1

    def _advance(self) -> None:
        if self._csw & AP_CSW_ADDRINC:
            counted = (self._tar + self._size) % AUTO_INCREMENT_WRAP
            self._tar = self._tar - self._tar % AUTO_INCREMENT_WRAP + counted
