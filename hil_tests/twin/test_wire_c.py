"""Framing as the Cortex-M7 executes it, and the firmware on other clocks, crystals and boards."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hil.errors import DoesNotFitError
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import BODY_MAX, PROTOCOL_VERSION, FrameType
from hil.wire.to_device import Hello
from hil.wire.to_host import Capability
from hil.wire.transport import Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire

pytestmark = pytest.mark.twin

INPUT, OUTPUT = 0x2002_0000, 0x2003_0000


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    twin = Twin(Image.load(fake.shared()))
    yield twin
    twin.close()


def greeting(wire: Wire) -> Capability:
    host = Transport(wire)
    host.send(Hello(PROTOCOL_VERSION))
    received = host.receive(wire.now_s() + 0.5)
    assert received is not None
    assert isinstance(received.message, Capability)
    return received.message


@pytest.mark.parametrize("count", [0, 1, 245, 500, BODY_MAX])
def test_crc_and_encoding(twin: Twin, count: int) -> None:
    body = np.random.default_rng(count).integers(0, 3, count, dtype=np.uint8).tobytes()
    twin.write(INPUT, body)
    assert twin.call("hil_crc32", 0, INPUT, count) == zlib.crc32(body)
    head = count // 3
    arguments = (FrameType.PAYLOAD, 0xBEEF, INPUT, head, INPUT + head, count - head, OUTPUT)
    encoded = twin.read(OUTPUT, twin.call("hil_frame_encode", *arguments))
    assert encoded == frames.encode(Frame(FrameType.PAYLOAD, 0xBEEF, body))


def test_without_a_crystal_it_runs_from_the_internal_oscillator() -> None:
    twin = Twin(Image.load(fake.shared()), hse_hz=0)
    assert greeting(Wire(twin)).clock_hz == twin.hclk_hz == 216_000_000
    assert 10 / twin.uart(1).byte_s == pytest.approx(921_600, rel=0.01)
    twin.close()


@pytest.mark.parametrize("mhz", [60, 180])
def test_nucleo_at_other_clocks(tmp_path: Path, mhz: int) -> None:
    elf = fake.build(tmp_path, HIL_BOARD="nucleo_f746zg", HIL_CLOCK_HZ=mhz * 1_000_000)
    twin = Twin(Image.load(elf), hse_hz=8_000_000)
    assert greeting(Wire(twin, port=3)).clock_hz == twin.hclk_hz == mhz * 1_000_000
    assert 10 / twin.uart(3).byte_s == pytest.approx(921_600, rel=0.01)
    assert twin.warnings == []
    twin.close()


def test_overflow_is_told(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="DTCM"):
        fake.build(tmp_path, HIL_STACK_BYTES=65_536)
