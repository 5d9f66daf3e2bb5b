"""The memory side of a DMA stream (RM0385 8.3.8 to 8.3.12): address, buffers, FIFO and its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.peripherals import dma_registers as d
from hil.twin.peripherals.dma_port import DmaPort, TransferError

if TYPE_CHECKING:
    from hil.twin.peripherals.dma_stream import Stream


class MemorySide:
    """Where the stream is in memory, and the bytes between memory and peripheral."""

    def __init__(self, stream: Stream, port: DmaPort) -> None:
        self._stream = stream
        self._port = port
        self.restart()

    def restart(self) -> None:
        """A transfer begins or ended: nothing is under way."""
        self.fifo = b""
        self._moved = 0
        """Bytes moved from or to memory in this round."""

    def next_round(self) -> None:
        """The buffer is done; the next one starts at its beginning."""
        self._moved = 0

    def put(self, data: bytes, *, last: bool) -> bool:
        """Peripheral to memory: takes `data`; the last ones empty the FIFO. False on a bus error.

        In direct mode all goes to memory; else the FIFO is moved when it reaches its threshold.
        """
        stream = self._stream
        control, fifo_control = stream.control, stream.registers[d.DMA_SXFCR]
        if last or not fifo_control & d.DMA_SXFCR_DMDIS:
            out, self.fifo = self.fifo + data, b""
        else:
            self.fifo += data
            threshold = d.threshold_bytes(fifo_control)
            ready = len(self.fifo) // threshold * threshold
            out, self.fifo = self.fifo[:ready], self.fifo[ready:]
        item = d.memory_item(control)
        step = item if control & d.DMA_SXCR_MINC else 0
        # An item that the end cut short is filled up where it cannot be told from its neighbours.
        padded = out if step else out + bytes(-len(out) % item)
        if not padded:
            return True
        try:
            self._port.store(self._base + (self._moved if step else 0), padded, item, step)
        except TransferError as error:
            stream.fail(error.address)
            return False
        self._moved += len(out)
        return True

    def take(self) -> bytes:
        """Memory to peripheral: the bytes of one access. Raises TransferError."""
        self.prefetch()
        item = self._stream.item_bytes
        data, self.fifo = self.fifo[:item], self.fifo[item:]
        return data

    def prefetch(self) -> None:
        """Reads ahead: one item in direct mode, else the whole FIFO once it is down to its threshold.

        Raises TransferError.
        """
        stream, level = self._stream, len(self.fifo)
        if not stream.enabled or stream.direction != d.MEMORY_TO_PERIPHERAL:
            return
        if not self._uses_fifo:
            room = 0 if level else stream.item_bytes
        elif level <= d.threshold_bytes(self._fifo_control):
            room = (d.FIFO_BYTES - level) // self._item * self._item
        else:
            room = 0
        wanted = min(room, stream.count * stream.item_bytes - level)
        if wanted > 0:
            self.fifo += self.load(self._moved, wanted)
            self._moved += wanted

    def load(self, offset: int, size: int) -> bytes:
        """`size` bytes of the current buffer from `offset` on. Raises TransferError."""
        item, step = self._item, self._step
        whole = -(-size // item) * item
        return self._port.load(self._base + (offset if step else 0), whole, item, step)[:size]

    @property
    def _base(self) -> int:
        control = self._stream.control
        second = control & d.DMA_SXCR_DBM and control & d.DMA_SXCR_CT
        return self._stream.registers.get(d.DMA_SXM1AR if second else d.DMA_SXM0AR, 0)

    @property
    def _item(self) -> int:
        return d.memory_item(self._stream.control)

    @property
    def _step(self) -> int:
        return self._item if self._stream.control & d.DMA_SXCR_MINC else 0

    @property
    def _fifo_control(self) -> int:
        return self._stream.registers[d.DMA_SXFCR]

    @property
    def _uses_fifo(self) -> bool:
        return bool(self._fifo_control & d.DMA_SXFCR_DMDIS)
