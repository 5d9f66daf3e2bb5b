"""A flashed board on a serial port answers HELLO. HIL_SERIAL names the port.

The port may also be the pty of a twin: `hil twin hil.elf --uart1 pty --realtime`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from hil.probe.channel import SerialChannel
from hil.wire.protocol import BOOT_BAUD, PROTOCOL_VERSION
from hil.wire.to_device import Hello
from hil.wire.to_host import Capability
from hil.wire.transport import Transport

pytestmark = pytest.mark.hardware

ANSWER_S = 5.0


@pytest.fixture
def transport() -> Iterator[Transport]:
    name = os.environ.get("HIL_SERIAL")
    if not name:
        pytest.skip("HIL_SERIAL names no serial port with a flashed board")
    channel = SerialChannel(name)
    yield Transport(channel)
    channel.close()


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
