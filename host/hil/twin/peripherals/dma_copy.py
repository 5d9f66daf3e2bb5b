"""Memory to memory (RM0385 8.3.6): a copy that takes its time, one at a time by priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.twin.clock import SECOND_FS
from hil.twin.machine import Machine
from hil.twin.peripherals import dma_registers as d
from hil.twin.peripherals.dma_port import TransferError

if TYPE_CHECKING:
    from hil.twin.peripherals.dma_stream import Stream

ACCESS_CYCLES = 2
"""HCLK cycles of one access: one to win the bus and send the address, one for the data. An estimate
after the latency figures of AN4031; waiting for the core's own accesses is not modelled."""


class MemoryCopy:
    """The progress of one stream; it moves data when somebody looks, at its half and at its end."""

    def __init__(self, stream: Stream, machine: Machine) -> None:
        self._stream = stream
        self._machine = machine
        self._alarm = machine.alarm(self._on_alarm)
        self._start_fs: int | None = None
        self._done = 0
        """Items moved since `_start_fs`."""
        self.active = False
        """A transfer is under way; the controller says when it may go on."""

    def stop(self) -> None:
        """The transfer is over."""
        self.active = False
        self._start_fs = None
        self._alarm.set(None)

    def run(self, allowed: bool) -> None:
        """The arbiter gives the bus to this copy, or takes it away."""
        if allowed == (self._start_fs is not None):
            return
        if allowed:
            self._start_fs, self._done = self._machine.clock.now_fs, 0
            self._arm()
        else:
            self.sync()
            self._start_fs = None
            self._alarm.set(None)

    def sync(self) -> None:
        """Moves what has been moved by now."""
        while self.active and self._start_fs is not None:
            elapsed_fs = self._machine.clock.now_fs - self._start_fs
            items = min(elapsed_fs * self._machine.tree.hclk_hz // (self._item_cycles() * SECOND_FS), 1 << 16)
            items = min(items - self._done, self._stream.count)
            if items <= 0:
                return
            try:
                data = self._stream.source(items)
            except TransferError as error:
                self._stream.fail(error.address)
                return
            self._done += len(data) // self._stream.item_bytes
            self._stream.push(data)

    def _item_cycles(self) -> int:
        """A read of PSIZE, and its share of writes of MSIZE."""
        control = self._stream.control
        writes = max(1, d.peripheral_item(control) // d.memory_item(control))
        return ACCESS_CYCLES * (1 + writes)

    def _arm(self) -> None:
        if self._start_fs is None:
            return
        stream = self._stream
        items = self._done + (stream.until_boundary() if stream.interrupts_at_half else stream.count)
        wait_fs = -(-items * self._item_cycles() * SECOND_FS // self._machine.tree.hclk_hz)
        self._alarm.set(self._start_fs + wait_fs)

    def _on_alarm(self) -> None:
        self.sync()
        self._arm()
