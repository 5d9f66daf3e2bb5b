"""One DMA stream (RM0385 8.3): where it is in its transfer, its FIFO and its flags.

A peripheral may move many items at once (`push`, `rest` with `advance`), or one request at a time
(`serve`). The FIFO is there for what firmware can see of it: data that waits for the threshold.
"""

from __future__ import annotations

from typing import Protocol

from hil.twin.machine import Machine
from hil.twin.peripherals import dma_registers as d
from hil.twin.peripherals.dma_copy import MemoryCopy
from hil.twin.peripherals.dma_memory import MemorySide
from hil.twin.peripherals.dma_port import DmaPort, TransferError
from hil.twin.peripherals.dma_registers import (
    DMA_SXCR,
    DMA_SXFCR,
    DMA_SXM0AR,
    DMA_SXM1AR,
    DMA_SXNDTR,
    DMA_SXPAR,
    FLAG_FE,
    FLAG_HT,
    FLAG_TC,
    FLAG_TE,
    MEMORY_TO_MEMORY,
    PERIPHERAL_TO_MEMORY,
)

_CHANGEABLE = d.DMA_SXCR_DMEIE | d.DMA_SXCR_TEIE | d.DMA_SXCR_HTIE | d.DMA_SXCR_TCIE | d.DMA_SXCR_CIRC
_INTERRUPTS = d.DMA_SXCR_DMEIE | d.DMA_SXCR_TEIE | d.DMA_SXCR_HTIE | d.DMA_SXCR_TCIE
_PROTECTED = (DMA_SXNDTR, DMA_SXPAR, DMA_SXM0AR, DMA_SXM1AR)
_PERIPHERAL_COUNT = 0xFFFF
"""NDTR while the peripheral is the flow controller."""


class Controller(Protocol):
    """What a stream needs of its controller."""

    name: str
    machine: Machine
    port: DmaPort
    copies_memory: bool

    def changed(self, stream: Stream) -> bool: ...

    def sync(self, stream: Stream) -> None: ...

    def schedule_copies(self) -> None: ...


class Stream:
    """One stream: where it is in its transfer, and its flags."""

    def __init__(self, controller: Controller, index: int, irq: int) -> None:
        self._controller = controller
        self._irq = irq
        self.index = index
        self.copy = MemoryCopy(self, controller.machine)
        self.memory = MemorySide(self, controller.port)
        self.reset()

    def reset(self) -> None:
        self.registers = {DMA_SXFCR: d.DMA_SXFCR_RESET}
        self._set_control(0)
        self.flags = 0
        self.count = 0
        self._reload = 0
        self._programmed = 0
        self.memory.restart()
        self.copy.stop()
        self.update_line()

    def _set_control(self, value: int) -> None:
        """CR takes `value`; its fields are taken apart here, for they are asked for with every item."""
        self.control = self.registers[DMA_SXCR] = value
        self.enabled = bool(value & d.DMA_SXCR_EN)
        self.channel = value >> d.DMA_SXCR_CHSEL_SHIFT & 7
        self.direction = value >> d.DMA_SXCR_DIR_SHIFT & 3
        self.circular = bool(value & d.DMA_SXCR_CIRC)
        self.item_bytes = d.peripheral_item(value)
        """NDTR counts items of the peripheral's size (RM0385 8.3.11)."""
        self._controller.machine.dma_changes += 1

    @property
    def priority(self) -> tuple[int, int]:
        """Sorts streams as the arbiter does: PL, then the lower number (RM0385 8.3.4)."""
        return -(self.control >> d.DMA_SXCR_PL_SHIFT & 3), self.index

    @property
    def interrupts_at_half(self) -> bool:
        return bool(self.control & d.DMA_SXCR_HTIE)

    def until_boundary(self) -> int:
        """Items until the half or the whole of the buffer is moved."""
        moved, half = self._reload - self.count, self._reload // 2
        return half - moved if moved < half else self.count

    def push(self, data: bytes) -> int:
        """Peripheral to memory: stores items, returns how many bytes were taken."""
        taken = 0
        while taken < len(data) and self.enabled and self.count:
            piece = data[taken : taken + self.until_boundary() * self.item_bytes]
            items = len(piece) // self.item_bytes
            if not self.memory.put(piece, last=items == self.count):
                break
            taken += len(piece)
            self.advance(items)
        return taken

    def push_unnoticed(self, data: bytes) -> bool:
        """The same for items of one byte that end before the next boundary; False on a bus error."""
        if not self.memory.put(data, last=False):
            return False
        self.advance(len(data))
        return True

    def rest(self) -> bytes:
        """Memory to peripheral: what is left of this round, as it is in memory now.

        In circular and double-buffer mode only up to the next half: firmware refills the other one.
        """
        items = self.until_boundary() if self.circular else self.count
        size = items * self.item_bytes
        try:
            return self.memory.load((self._reload - self.count) * self.item_bytes, size)
        except TransferError as error:
            self.fail(error.address)
            return b""

    def serve(self) -> None:
        """A request of the peripheral: one access at PAR, or a burst of them."""
        for _ in range(min(d.peripheral_beats(self.control), self.count)):
            try:
                self._access()
            except TransferError as error:
                self.fail(error.address)

    def _access(self) -> None:
        if not self.enabled or not self.count:
            return
        item, step = self.item_bytes, d.peripheral_step(self.control)
        address = self.registers.get(DMA_SXPAR, 0) + (self._reload - self.count) * step
        if self.direction == PERIPHERAL_TO_MEMORY:
            self.push(self._controller.port.load(address, item, item, step))
            return
        self._controller.port.store(address, self.memory.take(), item, step)
        self.advance(1)
        self.memory.prefetch()

    def read_ahead(self) -> None:
        """The stream was switched on for requests that come one by one."""
        try:
            self.memory.prefetch()
        except TransferError as error:
            self.fail(error.address)

    def source(self, items: int) -> bytes:
        """Memory to memory: the next items from PAR, which is the source then. Raises TransferError."""
        item, step = self.item_bytes, d.peripheral_step(self.control)
        address = self.registers.get(DMA_SXPAR, 0) + (self._reload - self.count) * step
        fits = items * item
        if step == item:
            fits = self._controller.port.reachable(address, fits, write=False) // item * item or item
        return self._controller.port.load(address, fits, item, step)

    def finish(self) -> None:
        """The peripheral, as the flow controller, says that its last item is moved (RM0385 8.3.15)."""
        if self.enabled and self.control & d.DMA_SXCR_PFCTRL and self.memory.put(b"", last=True):
            self.flags |= FLAG_TC
            self._end()

    def advance(self, items: int) -> None:
        """Counts `items` as moved: flags at half and at the end, then reload or stop."""
        before = self._reload - self.count
        self.count -= items
        half = self._reload // 2
        if before < half <= before + items:
            self.flags |= FLAG_HT
        if self.count <= 0:
            self.flags |= FLAG_TC
            self.memory.next_round()
            self.count = self._reload if self.circular else 0
            if self.control & d.DMA_SXCR_DBM:
                self._set_control(self.control ^ d.DMA_SXCR_CT)
            if not self.circular:
                self._end()
        self.update_line()

    def read(self, offset: int) -> int:
        """The stream's register; the FIFO's level is in its status."""
        if offset == DMA_SXNDTR:
            return self.count
        value = self.registers.get(offset, 0)
        if offset == DMA_SXFCR:
            value |= d.fifo_status(len(self.memory.fifo)) << d.DMA_SXFCR_FS_SHIFT
        return value

    def write(self, offset: int, value: int) -> None:
        if offset == DMA_SXCR:
            self._write_control(value & d.DMA_SXCR_WRITABLE)
        elif offset == DMA_SXFCR:
            kept = self.registers[DMA_SXFCR] & 0x7 if self.enabled else value & 0x7
            self.registers[DMA_SXFCR] = kept | (value & d.DMA_SXFCR_FEIE)
        elif self.enabled and offset in _PROTECTED:
            self._write_protected(offset, value)
        elif offset == DMA_SXNDTR:
            self.count = self._programmed = value & 0xFFFF
        else:
            self.registers[offset] = value
        self.update_line()

    def update_line(self) -> None:
        """The line follows flags and enables; DMEIE, TEIE, HTIE and TCIE lie one bit below the flags."""
        wanted = (self.control & _INTERRUPTS) << 1
        wanted |= FLAG_FE if self.registers[DMA_SXFCR] & d.DMA_SXFCR_FEIE else 0
        self._controller.machine.nvic.set_line(self._irq, bool(self.flags & wanted))

    def fail(self, address: int) -> None:
        """A bus error: TEIF, and the stream goes off (RM0385 8.3.19)."""
        self._controller.machine.warn(
            f"{self._controller.name} stream {self.index} cannot reach 0x{address:08x}: transfer error"
        )
        self.flags |= FLAG_TE
        self._end()
        self.update_line()

    def _write_protected(self, offset: int, value: int) -> None:
        """While the stream runs, only the idle buffer of two can be moved (RM0385 8.3.10)."""
        if not self.control & d.DMA_SXCR_DBM or offset in (DMA_SXNDTR, DMA_SXPAR):
            return
        self._controller.sync(self)
        current = DMA_SXM1AR if self.control & d.DMA_SXCR_CT else DMA_SXM0AR
        if offset == current:
            self.flags |= FLAG_TE
            self._end()
        else:
            self.registers[offset] = value

    def _write_control(self, value: int) -> None:
        was_enabled = self.enabled
        if was_enabled and not value & d.DMA_SXCR_EN:
            self._controller.sync(self)
            if not self.enabled:
                return
            self._set_control((self.control & ~(_CHANGEABLE | d.DMA_SXCR_EN)) | (value & _CHANGEABLE))
            # Switching a running stream off empties its FIFO and ends its transfer (RM0385 8.3.14).
            self.memory.put(b"", last=True)
            self.flags |= FLAG_TC
            self._end()
            self._controller.changed(self)
        elif was_enabled:
            self._set_control((self.control & ~_CHANGEABLE) | (value & _CHANGEABLE))
        else:
            self._set_control(value)
            if value & d.DMA_SXCR_EN:
                self._start()

    def _start(self) -> None:
        control, self.registers[DMA_SXFCR] = d.settle(self.control, self.registers[DMA_SXFCR])
        self._set_control(control)
        if self.registers[DMA_SXFCR] & d.DMA_SXFCR_DMDIS and not d.burst_fits(
            self.control, self.registers[DMA_SXFCR]
        ):
            self.flags |= FLAG_FE
            self._set_control(self.control & ~d.DMA_SXCR_EN)
            return
        self.count = self.count or self._programmed
        if self.control & d.DMA_SXCR_PFCTRL:
            self.count = _PERIPHERAL_COUNT
        self._reload = self.count
        self.memory.restart()
        if not self.count:
            return
        if self.direction == MEMORY_TO_MEMORY:
            if self._controller.copies_memory:
                self.copy.active = True
                self._controller.schedule_copies()
            else:
                self.fail(self.registers.get(DMA_SXPAR, 0))
        elif not self._controller.changed(self):
            self._controller.machine.warn(
                f"{self._controller.name} stream {self.index} channel {self.channel}: "
                "nothing that is modelled serves this request"
            )

    def _end(self) -> None:
        self._set_control(self.control & ~d.DMA_SXCR_EN)
        self.memory.restart()
        if self.copy.active:
            self.copy.stop()
            self._controller.schedule_copies()
