"""Renode's USART and DMA as its sources describe them, put into the twin.

What differs from silicon: bytes take no time; there is neither an idle flag nor a character match,
only the receiver's timeout, eight times too long; a byte asks for DMA once, when the queue was empty
before; a circular stream's count is not loaded again, so it moves nothing after its first round; and
a stream's offset outlives its being switched off. One instruction is one cycle.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import hil.twin.peripherals.dma as dma_module
import hil.twin.peripherals.usart as usart_module
import hil.twin.twin as twin_module
from hil.twin.clock import SECOND_FS
from hil.twin.peripherals.dma_memory import MemorySide
from hil.twin.peripherals.dma_registers import (
    DMA_SXCR,
    DMA_SXCR_EN,
    DMA_SXM0AR,
    DMA_SXNDTR,
    FLAG_TC,
    MEMORY_TO_PERIPHERAL,
)
from hil.twin.peripherals.dma_stream import Stream
from hil.twin.peripherals.usart_receiver import Receiver

_UE_RE, _RXNE, _RTOF, _DMAR, _RTOIE = 1 << 0 | 1 << 2, 1 << 5, 1 << 11, 1 << 6, 1 << 26


class RenodeReceiver(Receiver):
    """A queue in front of RDR."""

    def __init__(self, usart: Any) -> None:
        self._queue: deque[int] = deque()
        self._ready = False
        super().__init__(usart)

    @property
    def busy(self) -> bool:
        return False

    def feed(self, data: bytes, at_fs: int) -> None:
        for byte in data:
            self._written(byte)

    def take(self) -> int:
        value = self._queue.popleft() if self._queue else 0
        self._ready = bool(self._queue)
        self._refresh()
        return value

    def sync(self) -> None:
        pass

    def poke(self) -> None:
        pass

    def _written(self, byte: int) -> None:
        usart = self._usart
        if usart.cr1 & _UE_RE != _UE_RE:
            self.lost += 1
            return
        self._queue.append(byte)
        was_ready, self._ready = self._ready, True
        self._refresh()
        if not was_ready and usart.cr3 & _DMAR:
            self._ask_dma()
        if usart.cr1 & _RTOIE:
            bit_fs = SECOND_FS * usart.registers.get(usart_module.USART_BRR, 1) // usart.kernel_hz
            wait_fs = usart.registers.get(usart_module.USART_RTOR, 0) * 8 * bit_fs
            self._alarm.set(self._machine.clock.now_fs + wait_fs)

    def _ask_dma(self) -> None:
        stream = self._stream()
        if stream is not None and stream.count:
            stream.push(bytes([self.take()]))

    def _refresh(self) -> None:
        flags = self._usart.flags & ~_RXNE
        self._usart.flags = flags | (_RXNE if self._queue else 0)
        self._usart.update_line()

    def _on_alarm(self) -> None:
        self._usart.flags |= _RTOF
        self._usart.update_line()

    def _arm(self) -> None:
        pass


class RenodeMemory(MemorySide):
    """An offset into the buffer that only the end of a transfer takes back."""

    def restart(self) -> None:
        moved = getattr(self, "_moved", 0)
        super().restart()
        self._moved = moved

    @property
    def offset(self) -> int:
        return self._moved

    @offset.setter
    def offset(self, offset: int) -> None:
        self._moved = offset


class RenodeStream(Stream):
    """A stream whose count is what firmware wrote, less what was moved."""

    memory: RenodeMemory

    def __init__(self, controller: Any, index: int, irq: int) -> None:
        super().__init__(controller, index, irq)
        self.memory = RenodeMemory(self, controller.port)

    def reset(self) -> None:
        super().reset()
        self.memory.next_round()

    def until_boundary(self) -> int:
        return self.count

    def rest(self) -> bytes:
        return self.memory.load(self.memory.offset, self.count * self.item_bytes)

    def advance(self, items: int) -> None:
        self.count -= items
        if self.direction == MEMORY_TO_PERIPHERAL:  # the other way, storing has moved it
            self.memory.offset += items * self.item_bytes
        if self.count <= 0:
            self.count = self.memory.offset = 0
            self.flags |= FLAG_TC
            if not self.circular:
                self.registers[DMA_SXCR] &= ~DMA_SXCR_EN
        self.update_line()

    def write(self, offset: int, value: int) -> None:
        if offset == DMA_SXNDTR:
            self.count = value & 0xFFFF
        elif offset == DMA_SXM0AR:
            self.registers[offset] = value
        else:
            super().write(offset, value)


def install() -> None:
    """Every Twin made from now on has Renode's models. For a process of its own."""
    usart_module.Receiver = RenodeReceiver  # type: ignore[misc]
    dma_module.Stream = RenodeStream  # type: ignore[misc]
    usart_module.Usart.byte_fs = property(lambda self: 1)  # type: ignore[method-assign,assignment]
    if hasattr(twin_module, "CYCLES_PER_INSTRUCTION_PERCENT"):
        twin_module.CYCLES_PER_INSTRUCTION_PERCENT = 100
