"""What a DMA controller reaches (RM0385 2.1, 8.3.2): memory in bulk, registers one access at a time."""

from __future__ import annotations

from hil.twin.bus import BusFaultError
from hil.twin.machine import Machine
from hil.twin.memory import Region

_APB1_END = 0x4000_8000
_PERIPHERALS = 0x4000_0000
_PRIVATE = 0xE000_0000


class TransferError(Exception):
    """An access that nothing answers."""

    def __init__(self, address: int) -> None:
        super().__init__(f"0x{address:08x}")
        self.address = address


class DmaPort:
    """The bus masters of one controller. DMA1's peripheral port ends at APB1."""

    def __init__(self, machine: Machine, *, apb1_only: bool) -> None:
        self._machine = machine
        self._apb1_only = apb1_only
        self._last: Region | None = None
        """The memory that was stored to last; a stream seldom leaves it."""

    def load(self, address: int, size: int, item: int, step: int) -> bytes:
        """`size` bytes from `address` on, in items of `item` bytes `step` apart. Raises TransferError."""
        if _is_register(address):
            return b"".join(self._read_register(address + n * step, item) for n in range(size // item))
        if step == 0:
            return self._memory(address, item) * (size // item)
        if step == item:
            return self._memory(address, size)
        return b"".join(self._memory(address + n * step, item) for n in range(size // item))

    def store(self, address: int, data: bytes, item: int, step: int) -> None:
        """The reverse; what precedes an item that cannot be stored is stored. Raises TransferError."""
        if _is_register(address):
            for n in range(len(data) // item):
                self._write_register(address + n * step, data[n * item : (n + 1) * item])
        elif step == 0:
            self._keep(address, data[-item:])
        elif step == item and self._keep_where_last(address, data):
            return
        elif step == item:
            fits = self._fitting(address, len(data))
            self._keep(address, data[:fits])
            if fits < len(data):
                raise TransferError(address + fits)
        else:
            for n in range(len(data) // item):
                self._keep(address + n * step, data[n * item : (n + 1) * item])

    def reachable(self, address: int, size: int, *, write: bool) -> int:
        """How many of `size` bytes from `address` on are memory that DMA reaches."""
        return self._fitting(address, size, write=write)

    def _fitting(self, address: int, size: int, *, write: bool = True) -> int:
        left = size
        while left > 0:
            region = self._machine.memory.region(address)
            if region is None or not region.dma or (write and not region.writable):
                break
            piece = min(left, region.end - address)
            address, left = address + piece, left - piece
        return size - left

    def _memory(self, address: int, size: int) -> bytes:
        fits = self._fitting(address, size, write=False)
        if fits < size:
            raise TransferError(address + fits)
        return self._machine.memory.read(address, size)

    def _keep(self, address: int, data: bytes) -> None:
        if self._fitting(address, len(data)) < len(data):
            raise TransferError(address)
        self._machine.memory.write(address, data)
        if data:
            self._last = self._machine.memory.region(address)

    def _keep_where_last(self, address: int, data: bytes) -> bool:
        region = self._last
        if region is None or address < region.base or address + len(data) > region.end:
            return False
        offset = address - region.base
        region.view[offset : offset + len(data)] = data
        return True

    def _read_register(self, address: int, width: int) -> bytes:
        self._check(address)
        try:
            return (self._machine.bus.read(address, width)).to_bytes(width, "little")
        except BusFaultError:
            raise TransferError(address) from None

    def _write_register(self, address: int, data: bytes) -> None:
        self._check(address)
        try:
            self._machine.bus.write(address, len(data), int.from_bytes(data, "little"))
        except BusFaultError:
            raise TransferError(address) from None

    def _check(self, address: int) -> None:
        if self._apb1_only and address >= _APB1_END:
            raise TransferError(address)


def _is_register(address: int) -> bool:
    return _PERIPHERALS <= address < _PRIVATE
