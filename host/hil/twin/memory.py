"""The memories of the STM32F746 (RM0385 2.2.2, table 1), each a host buffer that native code shares."""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import dataclass, field

KIB = 1024
FLASH_BASE = 0x0800_0000
FLASH_ALIAS_BASE = 0x0020_0000
FLASH_BYTES = 1024 * KIB
DTCM_BASE = 0x2000_0000
SYSTEM_MEMORY_BASE = 0x1FF0_0000
UNIQUE_ID_ADDRESS = 0x1FF0_F420
FLASH_SIZE_ADDRESS = 0x1FF0_F442
UNIQUE_ID = b"hil-twin-746"


def in_flash(address: int) -> bool:
    """Whether `address` is in flash, by either port."""
    return 0 <= address - FLASH_BASE < FLASH_BYTES or 0 <= address - FLASH_ALIAS_BASE < FLASH_BYTES


@dataclass(frozen=True)
class Region:
    """A range of addresses that a host buffer backs."""

    name: str
    base: int
    size: int
    writable: bool
    dma: bool
    """The DMA controllers reach it: ITCM RAM is for the core alone (RM0385 2.1)."""
    view: memoryview = field(repr=False)
    host_address: int = field(repr=False)

    @property
    def end(self) -> int:
        return self.base + self.size


def _region(name: str, base: int, size: int, *, writable: bool = True, dma: bool = True) -> Region:
    buffer = mmap.mmap(-1, size)
    host_address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    return Region(name, base, size, writable, dma, memoryview(buffer), host_address)


class Memory:
    """All RAM, flash and system memory; `read` and `write` are the host's, without protection."""

    def __init__(self) -> None:
        flash = _region("flash", FLASH_BASE, FLASH_BYTES, writable=False)
        alias = Region(
            "flash (ITCM port)", FLASH_ALIAS_BASE, FLASH_BYTES, False, False, flash.view, flash.host_address
        )
        system = _region("system memory", SYSTEM_MEMORY_BASE, 64 * KIB, writable=False)
        self.regions = (
            flash,
            _region("DTCM", DTCM_BASE, 64 * KIB),
            _region("SRAM1", 0x2001_0000, 240 * KIB),
            _region("SRAM2", 0x2004_C000, 16 * KIB),
            alias,
            _region("ITCM RAM", 0x0000_0000, 16 * KIB, dma=False),
            system,
        )
        flash.view[:] = b"\xff" * flash.size
        self.write(UNIQUE_ID_ADDRESS, UNIQUE_ID)
        self.write(FLASH_SIZE_ADDRESS, (FLASH_BYTES // KIB).to_bytes(2, "little"))

    def region(self, address: int) -> Region | None:
        """The region that holds `address`."""
        for region in self.regions:
            if region.base <= address < region.base + region.size:
                return region
        return None

    def holds(self, address: int, size: int) -> bool:
        """Whether `size` bytes from `address` are memory, in one piece or in adjacent regions."""
        while size > 0:
            region = self.region(address)
            if region is None:
                return False
            size -= region.end - address
            address = region.end
        return True

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes at `address`. Raises ValueError outside memory."""
        parts = []
        while size > 0:
            region = self._at(address)
            piece = min(size, region.end - address)
            offset = address - region.base
            parts.append(bytes(region.view[offset : offset + piece]))
            address, size = address + piece, size - piece
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        """Stores `data` at `address`, flash included. Raises ValueError outside memory."""
        while data:
            region = self._at(address)
            piece = min(len(data), region.end - address)
            offset = address - region.base
            region.view[offset : offset + piece] = data[:piece]
            address, data = address + piece, data[piece:]

    def word(self, address: int) -> int:
        """The 32-bit word at `address`."""
        return int.from_bytes(self.read(address, 4), "little")

    def _at(self, address: int) -> Region:
        region = self.region(address)
        if region is None:
            raise ValueError(f"no memory at 0x{address:08x}")
        return region
