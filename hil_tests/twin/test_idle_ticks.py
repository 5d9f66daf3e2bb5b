"""A device with nothing to do leaves out ticks, and loses none."""

from __future__ import annotations

import random

import pytest

from hil.twin.image import Image
from hil.twin.twin import Twin
from hil.wire.protocol import PROTOCOL_VERSION
from hil.wire.to_device import Hello
from hil.wire.to_host import Capability
from hil.wire.transport import Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire

pytestmark = pytest.mark.twin


@pytest.fixture
def wire() -> Wire:
    twin = Twin(Image.load(fake.shared()))
    return Wire(twin)


def ticks(twin: Twin) -> int:
    return int.from_bytes(twin.read(twin.symbol("milliseconds"), 4), "little")


def test_an_idle_device_wakes_every_fifty_milliseconds_and_keeps_time(wire: Wire) -> None:
    twin = wire.twin
    twin.run(1.0)
    behind_s = twin.now_s - ticks(twin) / 1000
    before = twin.instructions
    twin.run(21.0)
    assert abs(twin.now_s - ticks(twin) / 1000 - behind_s) < 0.051
    assert (twin.instructions - before) / 20 < 10_000, "a millisecond's ticks take 180,000 a second"


def test_messages_at_any_moment_of_a_long_sleep_find_the_device_awake_and_in_time(wire: Wire) -> None:
    twin, chance = wire.twin, random.Random(0)
    transport = Transport(wire)
    twin.run(1.0)
    began = twin.now_s - ticks(twin) / 1000
    for _ in range(40):
        twin.run(twin.now_s + 0.12 + 0.1 * chance.random())
        sent_s = twin.now_s
        transport.send(Hello(PROTOCOL_VERSION))
        received = transport.receive(twin.now_s + 0.1)
        assert received is not None
        assert isinstance(received.message, Capability)
        assert twin.now_s - sent_s < 0.02
        assert transport.counters.retransmissions == 0
    twin.run(twin.now_s + 0.2)
    assert abs(twin.now_s - ticks(twin) / 1000 - began) < 0.053
