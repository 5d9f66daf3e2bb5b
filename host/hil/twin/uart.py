"""The host's end of a serial port of the twin."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.clock import SECOND_FS, to_fs, to_s
from hil.twin.machine import Machine
from hil.twin.peripherals.usart import Usart


@dataclass(frozen=True)
class Sent:
    """Bytes the firmware sent, and the virtual time in seconds at which the last bit had left."""

    data: bytes
    ended_s: float


class Uart:
    """Feeds bytes to a port and takes what it sent, in virtual time."""

    def __init__(self, port: Usart, machine: Machine) -> None:
        self._port = port
        self._machine = machine

    @property
    def name(self) -> str:
        """The port's name in the reference manual."""
        return self._port.name

    @property
    def byte_s(self) -> float:
        """Seconds one byte takes at the rate that firmware has set."""
        return self._port.byte_fs / SECOND_FS

    @property
    def listening(self) -> bool:
        """The firmware has switched the receiver on."""
        return self._port.rx.enabled

    @property
    def lost(self) -> int:
        """Fed bytes that no receiver took: it was off, or it overran."""
        return self._port.rx.lost

    def feed(self, data: bytes, at_s: float | None = None) -> None:
        """Sends `data` to the port back to back; the first bit falls now, or at `at_s` if later."""
        now_fs = self._machine.clock.now_fs
        at_fs = now_fs if at_s is None else to_fs(at_s) - self._machine.clock.stopped_fs
        self._port.rx.feed(data, max(now_fs, at_fs))

    def take(self) -> list[Sent]:
        """What the port has sent since the last call."""
        sent, self._port.tx.sent = self._port.tx.sent, []
        elapsed_at = self._machine.clock.elapsed_at
        return [Sent(part.data, to_s(elapsed_at(part.ended_fs))) for part in sent]

    def take_bytes(self) -> bytes:
        """The same without the times."""
        return b"".join(part.data for part in self.take())

    def stop_on_sent(self, stop: bool = True) -> None:
        """Whether `Twin.run` returns when bytes have left this port."""
        self._port.tx.stop_on_sent = stop
