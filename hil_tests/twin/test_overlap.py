"""A payload that leaves while the rest of it is computed, against what may go wrong meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hil.twin.image import Image
from hil.twin.twin import Twin
from hil.wire.protocol import PROTOCOL_VERSION, FallbackReason, Outcome, ReplyStatus
from hil.wire.to_device import Hello, Reply
from hil.wire.to_host import Capability, Payload, Result
from hil.wire.transport import Received, Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire
from hil_tests.twin.test_conversation import CLOCK_HZ, REMOTE, Host, flip_once

pytestmark = pytest.mark.twin

BAUD = 27_000_000
ROWS, ROW_S, ROW_BYTES = 24, 50e-6, fake.INPUT_BYTES // 24
EARLY = 320
CALL_FOR_REFUSAL, CALL_FOR_NO_CODE, CALL_FOR_LONG_ROWS = -102, -103, -104


@cache
def streaming() -> Path:
    """The firmware around a model that makes its payload row by row."""
    model = Path(__file__).with_name("streaming_model")
    return fake.build(Path(tempfile.mkdtemp(prefix="hil-streaming-")), HIL_MODEL_DIR=model)


@pytest.fixture
def host() -> Iterator[Host]:
    twin = Twin(Image.load(streaming()))
    wire = Wire(twin)
    yield Host(wire, Transport(wire))
    assert not twin.warnings
    twin.close()


def chunks(host: Host, until: type = Payload) -> list[Received]:
    """The payload's chunks up to the one that completes it, or until a message of another kind."""
    found: list[Received] = []
    while True:
        received = host.transport.receive(host.wire.now_s() + 0.3)
        assert received is not None, "the device said nothing"
        if not isinstance(received.message, Payload):
            assert isinstance(received.message, until)
            host.transport._inbox.appendleft(received)
            return found
        found.append(received)
        if received.message.offset + len(received.message.data) == received.message.total:
            return found


def pieces(found: list[Received]) -> list[Payload]:
    return [received.message for received in found if isinstance(received.message, Payload)]


def joined(found: list[Received]) -> bytes:
    data = b""
    for piece in pieces(found):
        assert piece.offset == len(data)
        data += piece.data
    return data


def answered(host: Host, number: int = 1) -> Result:
    host.send(Reply(number, ReplyStatus.OK, REMOTE))
    return host.result()


@pytest.mark.parametrize("early", [0, 1, 100, 244, EARLY, 1024])
def test_what_is_sent_is_the_payload_whatever_leaves_early(host: Host, early: int) -> None:
    host.greet(baud=BAUD, early_bytes=early)
    image = fake.sample(1)
    host.start(1, image)
    found = chunks(host)
    assert joined(found) == image.tobytes()
    before = [piece for piece in pieces(found) if piece.total == 0]
    after = [piece for piece in pieces(found) if piece.total]
    assert all(len(piece.data) % early == 0 for piece in before)
    assert {piece.total for piece in after} == {fake.INPUT_BYTES}
    assert bool(before) == bool(early)
    result = answered(host)
    assert (result.outcome, result.payload_bytes) == (Outcome.ANSWERED, fake.INPUT_BYTES)
    assert result.fused == tuple(image[: fake.CLASSES].astype(int) + np.array(REMOTE))


def test_the_first_bytes_leave_as_soon_as_they_are_enough(host: Host) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    host.start(1, fake.sample(1))
    found = chunks(host)
    cycles = answered(host).cycles
    assert [len(piece.data) for piece in pieces(found)[:2]] == [EARLY, EARLY]
    before = cycles.graph + cycles.quantise + cycles.encode + cycles.frame - cycles.overlap
    assert 3 * ROW_S <= before / CLOCK_HZ < 4 * ROW_S, "three rows hold the first chunk"


def test_stages_add_up_and_the_exchange_is_the_wire_s_with_overlap_too(host: Host) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    host.start(1, fake.sample(1))
    found = chunks(host)
    at_s = host.wire.now_s() + 0.01
    reply = Reply(1, ReplyStatus.OK, REMOTE)
    host.transport.send(reply, at_s)
    cycles = host.result().cycles
    parts = cycles.graph + cycles.quantise + cycles.encode + cycles.frame + cycles.wait + cycles.fuse
    assert parts == pytest.approx(cycles.total, rel=0.001)
    exchange_s = (cycles.overlap + cycles.wait) / CLOCK_HZ
    assert exchange_s == pytest.approx(at_s - found[0].began_s, abs=30e-6)
    assert cycles.graph / CLOCK_HZ == pytest.approx(ROWS * ROW_S, rel=0.02), "framing is no part of it"


def test_without_it_nothing_overlaps(host: Host) -> None:
    host.greet(baud=BAUD)
    host.start(1, fake.sample(1))
    chunks(host)
    assert answered(host).cycles.overlap == 0


def test_a_damaged_chunk_is_repeated_while_the_device_computes(host: Host) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    image = fake.sample(1)
    host.upload(1, image)
    damaged: list[int] = []

    def once(data: bytes) -> bytes:
        if len(data) > EARLY:
            damaged.append(len(data))
            host.wire.to_host = lambda data: data
            return flip_once(data)
        return data

    host.wire.to_host = once
    host.run(1)
    assert joined(chunks(host)) == image.tobytes()
    assert damaged
    result = answered(host)
    assert (result.outcome, result.retransmissions) == (Outcome.ANSWERED, 1)


@pytest.mark.parametrize("trouble", [CALL_FOR_REFUSAL, CALL_FOR_NO_CODE])
def test_a_failure_after_the_first_chunk_fails_the_sample_only(host: Host, trouble: int) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    image = fake.sample(1)
    image[0] = trouble
    host.start(1, image)
    found = chunks(host, until=Result)
    assert found
    assert all(piece.total == 0 for piece in pieces(found))
    assert host.result().outcome == Outcome.FAILED
    host.start(2, fake.sample(2))
    assert joined(chunks(host)) == fake.sample(2).tobytes()
    assert answered(host, 2).outcome == Outcome.ANSWERED


def test_a_deadline_that_passes_while_the_device_computes_ends_the_sending(host: Host) -> None:
    host.greet(deadline_us=20_000, baud=BAUD, early_bytes=EARLY)
    image = fake.sample(1)
    image[0] = CALL_FOR_LONG_ROWS
    host.start(1, image)
    found = chunks(host, until=Result)
    assert 0 < len(joined(found)) < fake.INPUT_BYTES
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.DEADLINE)
    cycles = result.cycles
    assert cycles.wait == 0, "all of it was over before"
    assert cycles.overlap > 20_000 * 216
    assert cycles.graph + cycles.frame + cycles.encode + cycles.fuse == pytest.approx(cycles.total, rel=0.001)


def test_a_greeting_while_the_device_computes_abandons_the_sample(host: Host) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    image = fake.sample(1)
    image[0] = CALL_FOR_LONG_ROWS
    host.start(1, image)
    assert isinstance(host.receive(), Payload)
    host.send(Hello(PROTOCOL_VERSION))
    while isinstance(message := host.receive(), Payload):
        assert message.total == 0, "a chunk that was on its way"
    assert isinstance(message, Capability)
    assert host.silent()
    host.greet(baud=BAUD, early_bytes=EARLY)
    host.start(2, fake.sample(2))
    assert joined(chunks(host)) == fake.sample(2).tobytes()


def test_a_reply_to_the_first_chunks_is_an_answer(host: Host) -> None:
    host.greet(baud=BAUD, early_bytes=EARLY)
    image = fake.sample(1)
    image[0] = CALL_FOR_LONG_ROWS
    host.start(1, image)
    assert isinstance(host.receive(), Payload)
    host.send(Reply(1, ReplyStatus.UNAVAILABLE, ()))
    chunks(host, until=Result)
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.SERVER_UNAVAILABLE)
    assert result.cycles.wait == 0
