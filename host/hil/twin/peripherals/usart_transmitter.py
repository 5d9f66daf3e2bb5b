"""The sending half of a USART: TDR and shift register, or whole DMA transfers as one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.twin.peripherals.dma import Request
from hil.twin.peripherals.dma_registers import MEMORY_TO_PERIPHERAL
from hil.twin.peripherals.dma_stream import Stream

if TYPE_CHECKING:
    from hil.twin.peripherals.usart import Usart

_UE_TE = 1 << 0 | 1 << 3
_ISR_TC = 1 << 6
_CR3_DMAT = 1 << 7


@dataclass(frozen=True)
class Transmitted:
    """Bytes that left the chip, and when the stop bit of the last one ended, in femtoseconds."""

    data: bytes
    ended_fs: int


@dataclass
class Burst:
    """A DMA transfer on its way: its first start bit falls at `start_fs`."""

    stream: Stream
    data: bytes
    start_fs: int
    byte_fs: int
    counted: int = 0

    def moved(self, now_fs: int) -> int:
        """Items in TDR or beyond: DMA refills TDR as soon as the shift register takes a byte."""
        if now_fs < self.start_fs:
            return 0
        return min(len(self.data), 2 + (now_fs - self.start_fs) // self.byte_fs)

    @property
    def done_fs(self) -> int:
        """When DMA has moved the last byte to TDR."""
        return self.start_fs + max(0, len(self.data) - 2) * self.byte_fs

    @property
    def end_fs(self) -> int:
        """When the last stop bit ends."""
        return self.start_fs + len(self.data) * self.byte_fs


class Transmitter:
    """Bytes leave back to back; what left is collected in `sent`."""

    def __init__(self, usart: Usart) -> None:
        self._usart = usart
        self._machine = usart.machine
        self.sent: list[Transmitted] = []
        self.stop_on_sent = False
        """Stops the run loop when bytes have left."""
        self._shifting: int | None = None
        self._holding: int | None = None
        self._free_fs = 0
        self._burst: Burst | None = None
        self._shift_alarm = self._machine.alarm(self._on_shifted)
        self._dma_alarm = self._machine.alarm(self._on_dma)
        self._burst_alarm = self._machine.alarm(self._on_burst_end)
        self._request = Request(f"{usart.name}_TX", MEMORY_TO_PERIPHERAL, self._on_stream, self.sync)
        self._machine.dma.connect(self._request)

    @property
    def full(self) -> bool:
        """TDR holds a byte: TXE is 0. During a burst DMA refills it at once."""
        if self._holding is not None:
            return True
        burst = self._burst
        return burst is not None and self._machine.clock.now_fs < burst.end_fs - burst.byte_fs

    def reset(self) -> None:
        """The transmitter is switched off; the byte on its way is lost."""
        self._cut()
        self._shifting = self._holding = None
        self._shift_alarm.set(None)

    def discard(self) -> None:
        """Drops what has not started to leave."""
        self._holding = None
        self._cut()

    def write(self, value: int) -> None:
        """Firmware writes TDR."""
        if self._usart.cr1 & _UE_TE != _UE_TE:
            return
        self._usart.flags &= ~_ISR_TC
        if self._shifting is None and self._burst is None:
            self._shift(value, self._machine.clock.now_fs)
        else:
            self._holding = value

    def poke(self, *, follows: bool = False) -> None:
        """Starts a DMA transfer if everything for it is there; `follows` when the line just got free."""
        usart = self._usart
        if self._burst is not None or self._holding is not None or self._shifting is not None:
            return  # tried again when the line is free, without a gap
        if usart.cr1 & _UE_TE != _UE_TE or not usart.cr3 & _CR3_DMAT:
            return
        stream = self._machine.dma.stream(self._request)
        data = stream.rest() if stream is not None else b""
        if stream is None or not data:
            return
        usart.flags &= ~_ISR_TC
        start_fs = max(self._machine.clock.now_fs, self._free_fs)
        if follows and stream.circular:  # its next item has waited in TDR
            start_fs = self._free_fs
        self._burst = Burst(stream, data, start_fs, usart.byte_fs)
        self._burst_alarm.set(self._burst.end_fs)
        self._arm_dma()

    def sync(self) -> None:
        """Brings the stream's count up to the present."""
        burst = self._burst
        if burst is None or burst.counted >= len(burst.data):
            return
        moved = burst.moved(self._machine.clock.now_fs)
        if moved > burst.counted:
            items, burst.counted = moved - burst.counted, moved
            burst.stream.advance(items)

    def _arm_dma(self) -> None:
        """Wakes at the half of the transfer, if firmware asks for that interrupt, and at its end."""
        burst = self._burst
        if burst is None or burst.counted >= len(burst.data):
            return
        at_fs = burst.done_fs
        if burst.stream.interrupts_at_half:
            boundary = burst.counted + burst.stream.until_boundary()
            at_fs = min(at_fs, burst.start_fs + max(0, boundary - 2) * burst.byte_fs)
        self._dma_alarm.set(at_fs)

    def _on_dma(self) -> None:
        self.sync()
        self._arm_dma()

    def _on_stream(self) -> None:
        burst = self._burst
        if burst is not None and not burst.stream.enabled and burst.counted < len(burst.data):
            # Firmware switched the stream off: bytes already in the USART still leave.
            burst.data = burst.data[: burst.counted]
            self._dma_alarm.set(None)
            self._burst_alarm.set(max(burst.end_fs, self._machine.clock.now_fs))
        self.poke()
        self._usart.update_line()

    def _on_burst_end(self) -> None:
        self.sync()
        burst, self._burst = self._burst, None
        if burst is None:
            return
        self._free_fs = burst.end_fs
        self._deliver(burst.data, burst.end_fs)
        self._go_on()

    def _cut(self) -> None:
        """Ends a burst at the bytes that have completely left."""
        self.sync()
        burst, self._burst = self._burst, None
        self._dma_alarm.set(None)
        self._burst_alarm.set(None)
        if burst is not None:
            left = max(0, (self._machine.clock.now_fs - burst.start_fs) // burst.byte_fs)
            self._deliver(burst.data[:left], burst.start_fs + left * burst.byte_fs)

    def _shift(self, value: int, start_fs: int) -> None:
        self._shifting = value
        self._free_fs = start_fs + self._usart.byte_fs
        self._shift_alarm.set(self._free_fs)

    def _on_shifted(self) -> None:
        value, self._shifting = self._shifting, None
        if value is not None:
            self._deliver(bytes([value & 0xFF]), self._free_fs)
        self._go_on()

    def _go_on(self) -> None:
        if self._holding is not None:
            value, self._holding = self._holding, None
            self._shift(value, self._free_fs)
        else:
            self.poke(follows=True)
        if self._shifting is None and self._burst is None:
            self._usart.flags |= _ISR_TC
        self._usart.update_line()

    def _deliver(self, data: bytes, ended_fs: int) -> None:
        if data:
            self.sent.append(Transmitted(data, ended_fs))
            if self.stop_on_sent:
                self._machine.stop_request = True
