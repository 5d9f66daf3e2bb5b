"""One DMA stream (RM0385 8.3): where it is in its transfer, and its flags."""

from __future__ import annotations

from typing import Protocol

from hil.twin.machine import Machine

DMA_SXCR, DMA_SXNDTR, DMA_SXPAR, DMA_SXM0AR, DMA_SXM1AR, DMA_SXFCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14

DMA_SXCR_EN = 1 << 0
DMA_SXCR_TEIE = 1 << 2
DMA_SXCR_HTIE = 1 << 3
DMA_SXCR_TCIE = 1 << 4
DMA_SXCR_DIR_SHIFT = 6
DMA_SXCR_CIRC = 1 << 8
DMA_SXCR_PINC = 1 << 9
DMA_SXCR_MINC = 1 << 10
DMA_SXCR_PSIZE_SHIFT = 11
DMA_SXCR_MSIZE_SHIFT = 13
DMA_SXCR_DBM = 1 << 18
DMA_SXCR_CHSEL_SHIFT = 25
DMA_SXFCR_RESET = 0x21

FLAG_FE, FLAG_DME, FLAG_TE, FLAG_HT, FLAG_TC = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 5

PERIPHERAL_TO_MEMORY, MEMORY_TO_PERIPHERAL, MEMORY_TO_MEMORY = 0, 1, 2


class Controller(Protocol):
    """What a stream needs of its controller."""

    name: str
    machine: Machine

    def changed(self, stream: Stream) -> bool: ...

    def sync(self, stream: Stream) -> None: ...


class Stream:
    """One stream: where it is in its transfer, and its flags."""

    def __init__(self, controller: Controller, index: int, irq: int) -> None:
        self._controller = controller
        self._memory = controller.machine.memory
        self._irq = irq
        self.index = index
        self.reset()

    def reset(self) -> None:
        self.registers = {DMA_SXCR: 0, DMA_SXFCR: DMA_SXFCR_RESET}
        self.flags = 0
        self.count = 0
        self._reload = 0
        self.update_line()

    @property
    def control(self) -> int:
        return self.registers[DMA_SXCR]

    @property
    def enabled(self) -> bool:
        return bool(self.control & DMA_SXCR_EN)

    @property
    def channel(self) -> int:
        return self.control >> DMA_SXCR_CHSEL_SHIFT & 7

    @property
    def direction(self) -> int:
        return self.control >> DMA_SXCR_DIR_SHIFT & 3

    @property
    def circular(self) -> bool:
        return bool(self.control & DMA_SXCR_CIRC)

    @property
    def interrupts_at_half(self) -> bool:
        return bool(self.control & DMA_SXCR_HTIE)

    @property
    def item_bytes(self) -> int:
        """In direct mode the memory side moves items of the peripheral's size (RM0385 8.3.10)."""
        return 1 << min(self.control >> DMA_SXCR_PSIZE_SHIFT & 3, 2)

    def until_boundary(self) -> int:
        """Items until the half or the whole of the buffer is moved."""
        moved, half = self._reload - self.count, self._reload // 2
        return half - moved if moved < half else self.count

    def push(self, data: bytes) -> int:
        """Peripheral to memory: stores items, returns how many bytes were taken."""
        taken = 0
        while taken < len(data) and self.enabled:
            piece = data[taken : taken + self.until_boundary() * self.item_bytes]
            if not self._store(piece):
                break
            taken += len(piece)
            self.advance(len(piece) // self.item_bytes)
        return taken

    def rest(self) -> bytes:
        """Memory to peripheral: what is left of this round, as it is in memory now."""
        address, size = self._address(), self.count * self.item_bytes
        if not self.registers.get(DMA_SXCR, 0) & DMA_SXCR_MINC:
            size = self.item_bytes
        if not self._reachable(address, size, write=False):
            self._fail(address)
            return b""
        data = self._memory.read(address, size)
        return data if self.control & DMA_SXCR_MINC else data * self.count

    def advance(self, items: int) -> None:
        """Counts `items` as moved: flags at half and at the end, then reload or stop."""
        before = self._reload - self.count
        self.count -= items
        half = self._reload // 2
        if before < half <= before + items:
            self.flags |= FLAG_HT
        if self.count <= 0:
            self.flags |= FLAG_TC
            self.count = self._reload if self.circular else 0
            if not self.circular:
                self.registers[DMA_SXCR] &= ~DMA_SXCR_EN
        self.update_line()

    def write(self, offset: int, value: int) -> None:
        if offset == DMA_SXCR:
            self._write_control(value)
        elif self.enabled and offset in (DMA_SXNDTR, DMA_SXPAR, DMA_SXM0AR):
            return  # protected while the stream runs (RM0385 8.5.5)
        elif offset == DMA_SXNDTR:
            self.count = value & 0xFFFF
        else:
            self.registers[offset] = value

    def update_line(self) -> None:
        """The interrupt line follows flags and enables; TEIE, HTIE, TCIE lie one bit below the flags."""
        wanted = self.control & (DMA_SXCR_TEIE | DMA_SXCR_HTIE | DMA_SXCR_TCIE)
        self._controller.machine.nvic.set_line(self._irq, bool(self.flags & wanted << 1))

    def _write_control(self, value: int) -> None:
        was_enabled = self.enabled
        if was_enabled and not value & DMA_SXCR_EN:
            self._controller.sync(self)
            if not self.enabled:
                return
            self.registers[DMA_SXCR] = value
            # Switching a running stream off ends its transfer (RM0385 8.3.14).
            self.flags |= FLAG_TC
            self._controller.changed(self)
        elif was_enabled:
            keep = DMA_SXCR_TEIE | DMA_SXCR_HTIE | DMA_SXCR_TCIE
            self.registers[DMA_SXCR] = (self.control & ~keep) | (value & keep)
        else:
            self.registers[DMA_SXCR] = value
            if value & DMA_SXCR_EN:
                self._start()
        self.update_line()

    def _start(self) -> None:
        if not self.count:
            self.registers[DMA_SXCR] &= ~DMA_SXCR_EN
            return
        self._reload = self.count
        if self.control & DMA_SXCR_DBM:
            self._controller.machine.warn(f"{self._controller.name}: double-buffer mode is not modelled")
        if self.direction == MEMORY_TO_MEMORY:
            self._copy()
        elif not self._controller.changed(self):
            self._controller.machine.warn(
                f"{self._controller.name} stream {self.index} channel {self.channel}: "
                "nothing that is modelled serves this request"
            )

    def _copy(self) -> None:
        """Memory to memory: done at once. PAR is the source then (RM0385 8.3.6)."""
        source, size = self.registers.get(DMA_SXPAR, 0), self.count * self.item_bytes
        if not self._reachable(source, size, write=False):
            self._fail(source)
        elif self._store(self._memory.read(source, size)):
            self.advance(self.count)

    def _address(self) -> int:
        address = self.registers.get(DMA_SXM0AR, 0)
        if self.control & DMA_SXCR_MINC:
            address += (self._reload - self.count) * self.item_bytes
        return address

    def _store(self, data: bytes) -> bool:
        address = self._address()
        if not self.control & DMA_SXCR_MINC:
            data = data[-self.item_bytes :]
        if not self._reachable(address, len(data), write=True):
            self._fail(address)
            return False
        self._memory.write(address, data)
        return True

    def _reachable(self, address: int, size: int, *, write: bool) -> bool:
        region = self._memory.region(address)
        if region is None or not region.dma or (write and not region.writable):
            return False
        return self._memory.holds(address, size)

    def _fail(self, address: int) -> None:
        self._controller.machine.warn(
            f"{self._controller.name} stream {self.index} cannot reach 0x{address:08x}: transfer error"
        )
        self.flags |= FLAG_TE
        self.registers[DMA_SXCR] &= ~DMA_SXCR_EN
        self.update_line()
