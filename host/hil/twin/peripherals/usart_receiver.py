"""The receiving half of a USART: bytes on the wire, into RDR one by one or into memory in bulk."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.twin.peripherals.dma import Request
from hil.twin.peripherals.dma_registers import PERIPHERAL_TO_MEMORY
from hil.twin.peripherals.dma_stream import Stream

if TYPE_CHECKING:
    from hil.twin.peripherals.usart import Usart

_UE_RE = 1 << 0 | 1 << 2
_ISR_ORE = 1 << 3
_ISR_IDLE = 1 << 4
_ISR_RXNE = 1 << 5
_ISR_RTOF = 1 << 11
_ISR_CMF = 1 << 17
_CR1_CMIE = 1 << 14
_CR3_DMAR = 1 << 6
_CR3_OVRDIS = 1 << 12


@dataclass
class Arrival:
    """Bytes on the wire back to back; the first start bit falls at `start_fs`."""

    data: bytes
    start_fs: int
    byte_fs: int
    taken: int = 0

    def complete(self, now_fs: int) -> int:
        """Bytes whose stop bit has ended."""
        return min(len(self.data), max(0, (now_fs - self.start_fs) // self.byte_fs))

    def end_fs(self, count: int) -> int:
        """When the stop bit of byte number `count`, from 1, ends."""
        return self.start_fs + count * self.byte_fs


class Receiver:
    """Follows the wire in virtual time, and wakes only where something can be noticed."""

    def __init__(self, usart: Usart) -> None:
        self._usart = usart
        self._machine = usart.machine
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._arrival: Arrival | None = None
        self._free_fs = 0
        self._idle_fs: int | None = None
        self._timeout_fs: int | None = None
        self._data = 0
        self._armed_at = 0
        """`Machine.dma_changes` when the alarm was set; the three that follow hold while it is the same."""
        self._due_fs: int | None = None
        """Nothing happens on the wire before."""
        self._noticed = 0
        """How many bytes of the arrival are in when the alarm goes off."""
        self._block_stream: Stream | None = None
        """What moves all bytes before that one, an item each."""
        self.lost = 0
        """Bytes that arrived while the receiver was off, or overran."""
        self._alarm = self._machine.alarm(self._on_alarm)
        self._request = Request(f"{usart.name}_RX", PERIPHERAL_TO_MEMORY, self._on_stream, self.sync)
        self._machine.dma.connect(self._request)

    @property
    def enabled(self) -> bool:
        """UE and RE are set."""
        return self._usart.cr1 & _UE_RE == _UE_RE

    @property
    def busy(self) -> bool:
        """A byte is arriving."""
        return self._arrival is not None

    def feed(self, data: bytes, at_fs: int) -> None:
        """Puts `data` on the wire at `at_fs`, or behind what is already queued."""
        if data:
            self._waiting.append((at_fs, bytes(data)))
            self._arm()

    def reset(self) -> None:
        """The chip was reset: what is on the wire goes on arriving."""
        self.disable()
        self._arm()

    def disable(self) -> None:
        """The receiver forgets what it has."""
        self._idle_fs = self._timeout_fs = None
        self._data = 0

    def take(self) -> int:
        """Firmware reads RDR."""
        self._usart.flags &= ~_ISR_RXNE
        self._usart.update_line()
        return self._data

    def poke(self) -> None:
        """Enables changed: a byte that waits in RDR may go to DMA now."""
        stream = self._stream()
        if stream is not None and self._usart.flags & _ISR_RXNE and stream.push(bytes([self._data & 0xFF])):
            self._usart.flags &= ~_ISR_RXNE
        self._arm()

    def sync(self) -> None:
        """Takes what has arrived up to now, in the order of time."""
        now_fs = self._machine.clock.now_fs
        if self._machine.dma_changes == self._armed_at:
            if self._due_fs is None or now_fs < self._due_fs:
                return
            if self._takes_unnoticed(now_fs):
                return
        self._follow(now_fs)

    def _takes_unnoticed(self, now_fs: int) -> bool:
        """Moves bytes that end before the alarm, which stays; False where that is not all there is to it."""
        arrival, stream = self._arrival, self._block_stream
        if arrival is None or stream is None:
            return False
        complete = (now_fs - arrival.start_fs) // arrival.byte_fs
        if complete >= self._noticed:
            return False
        data = self._notice(arrival, complete)
        if not stream.push_unnoticed(data):
            return False
        arrival.taken += len(data)
        self._due_fs = arrival.end_fs(complete + 1)
        return arrival.taken == complete

    def _follow(self, now_fs: int) -> None:
        while self._step(now_fs):
            pass
        self._arm()

    def _step(self, now_fs: int) -> bool:
        """One step of the wire up to `now_fs`; False when nothing more has happened."""
        arrival = self._arrival
        if arrival is not None:
            self._take(arrival, arrival.complete(now_fs))
            if arrival.taken < len(arrival.data):
                return False
            self._arrival = None
            self._free_fs = arrival.end_fs(len(arrival.data))
            if self._idle_fs is not None:
                # The line counts as idle after one silent frame (RM0385 31.5.5).
                self._idle_fs = self._free_fs + arrival.byte_fs
                bits = self._usart.timeout_bits
                self._timeout_fs = None if bits is None else self._free_fs + bits * arrival.byte_fs // 10
            return True
        starts_fs = max(self._waiting[0][0], self._free_fs) if self._waiting else None
        if self._idle_fs is not None and self._idle_fs <= now_fs:
            self._notice_silence(self._idle_fs, starts_fs, _ISR_IDLE)
            self._idle_fs = None
            return True
        if self._timeout_fs is not None and self._timeout_fs <= now_fs:
            self._notice_silence(self._timeout_fs, starts_fs, _ISR_RTOF)
            self._timeout_fs = None
            return True
        if starts_fs is not None and starts_fs <= now_fs:
            self._arrival = Arrival(self._waiting.popleft()[1], starts_fs, self._usart.byte_fs)
            self._idle_fs = self._timeout_fs = None
            return True
        return False

    def _notice_silence(self, at_fs: int, starts_fs: int | None, flag: int) -> None:
        """The line was silent up to `at_fs`, unless the next byte began before."""
        if starts_fs is None or at_fs <= starts_fs:
            self._usart.flags |= flag
            self._usart.update_line()

    def _take(self, arrival: Arrival, complete: int) -> None:
        while arrival.taken < complete:
            if not self.enabled:
                self.lost += complete - arrival.taken
                arrival.taken = complete
                return
            data = self._notice(arrival, complete)
            stream = self._stream()
            moved = stream.push(data) if stream is not None else 0
            if not moved:
                self._receive(arrival.data[arrival.taken])
                moved = 1
            arrival.taken += moved

    def _notice(self, arrival: Arrival, complete: int) -> bytes:
        """The bytes up to number `complete`, which the receiver has seen now."""
        data = arrival.data[arrival.taken : complete]
        self._idle_fs = arrival.end_fs(complete)  # marks activity; the end of the burst sets the time
        if self._usart.match in data:
            self._usart.flags |= _ISR_CMF
            self._usart.update_line()
        return data

    def _receive(self, value: int) -> None:
        usart = self._usart
        if usart.flags & _ISR_RXNE:
            self.lost += 1
            if not usart.cr3 & _CR3_OVRDIS:
                usart.flags |= _ISR_ORE
                usart.update_line()
                return
        self._data = value
        usart.flags |= _ISR_RXNE
        usart.update_line()

    def _stream(self) -> Stream | None:
        return self._machine.dma.stream(self._request) if self._usart.cr3 & _CR3_DMAR else None

    def _on_stream(self) -> None:
        self.sync()
        self.poke()
        self._usart.update_line()

    def _on_alarm(self) -> None:
        self._follow(self._machine.clock.now_fs)

    def _arm(self) -> None:
        arrival = self._arrival
        self._armed_at = self._machine.dma_changes
        if arrival is not None:
            stream = self._stream()
            self._noticed = arrival.taken + self._until_noticed(arrival, stream)
            self._block_stream = stream if stream and self.enabled and stream.item_bytes == 1 else None
            self._due_fs = arrival.end_fs(arrival.taken + 1)
            self._alarm.set(arrival.end_fs(self._noticed))
            return
        times = [time_fs for time_fs in (self._idle_fs, self._timeout_fs) if time_fs is not None]
        if self._waiting:
            times.append(max(self._waiting[0][0], self._free_fs))
        self._due_fs = min(times, default=None)
        self._alarm.set(self._due_fs)

    def _until_noticed(self, arrival: Arrival, stream: Stream | None) -> int:
        """Bytes until firmware can notice something: each one without DMA, else a match or the end."""
        rest = len(arrival.data) - arrival.taken
        if not self.enabled:
            return max(rest, 1)
        if stream is None:
            return 1
        if self._usart.cr1 & _CR1_CMIE:
            match = arrival.data.find(self._usart.match, arrival.taken)
            rest = min(rest, match - arrival.taken + 1) if match >= 0 else rest
        return max(1, min(rest, stream.until_boundary()))
