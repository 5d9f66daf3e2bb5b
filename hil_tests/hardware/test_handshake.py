"""A flashed board on a serial port answers HELLO. HIL_SERIAL names the port.

The port may also be the pty of a twin: `hil twin hil.elf --uart1 pty --realtime`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import serial

from hil.wire.messages import Capability, Hello
from hil.wire.protocol import BOOT_BAUD, PROTOCOL_VERSION
from hil.wire.transport import Transport

pytestmark = pytest.mark.hardware

ANSWER_S = 5.0


class SerialChannel:
    """A `Channel` over a serial port, in real time."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def now_s(self) -> float:
        return time.monotonic()

    def byte_s(self) -> float:
        return 10 / self._port.baudrate

    def write(self, data: bytes, at_s: float | None = None) -> None:
        time.sleep(max(0.0, (at_s or 0.0) - self.now_s()))
        self._port.write(data)

    def read(self, until_s: float) -> bytes:
        self._port.timeout = max(0.0, until_s - self.now_s())
        first: bytes = self._port.read(1)
        return first + (self._port.read(self._port.in_waiting) if first else b"")


@pytest.fixture
def transport() -> Iterator[Transport]:
    name = os.environ.get("HIL_SERIAL")
    if not name:
        pytest.skip("HIL_SERIAL names no serial port with a flashed board")
    with serial.Serial(name, BOOT_BAUD, exclusive=True) as port:
        port.reset_input_buffer()
        yield Transport(SerialChannel(port))


def test_a_flashed_board_greets_with_what_it_can_do(transport: Transport) -> None:
    transport.send(Hello(PROTOCOL_VERSION))
    received = transport.receive(time.monotonic() + ANSWER_S)
    assert received is not None, "the board acknowledged HELLO but gave no CAPABILITY"
    capability = received.message
    assert isinstance(capability, Capability)
    assert capability.protocol_version == PROTOCOL_VERSION
    assert 60_000_000 <= capability.clock_hz <= 216_000_000
    assert capability.baud_max >= BOOT_BAUD
    assert capability.input_bytes > 0
