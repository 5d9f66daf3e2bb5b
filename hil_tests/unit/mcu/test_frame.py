"""The C frame decoder gives the same verdicts as the host's, whatever arrives."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire import frames
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.protocol import BODY_MAX, ENCODED_MAX, FrameType, NakReason
from hil.wire.to_host import Fault
from hil_tests.unit.mcu.harness import Harness

many = settings(max_examples=150, deadline=None)

bodies = st.binary(max_size=64) | st.binary(min_size=240, max_size=BODY_MAX)
any_frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 0xFFFF), bodies)


def decode(firmware: Harness, stream: bytes) -> list[Frame | Damaged]:
    """The C decoder's verdicts. Two zeros close what an earlier stream left open."""
    answer = firmware.ask("D", stream)
    verdicts: list[Frame | Damaged] = []
    at = 0
    while at < len(answer):
        what, first, second = answer[at : at + 3]
        (number,) = struct.unpack_from("<I", answer, at + 3)
        at += 7
        if what == 2:
            verdicts.append(Damaged(NakReason(first), number))
        else:
            (count,) = struct.unpack_from("<I", answer, at)
            verdicts.append(Frame(second, number, answer[at + 4 : at + 4 + count], first))
            at += 4 + count
    return verdicts


def assert_same(firmware: Harness, stream: bytes) -> None:
    stream += b"\0"
    assert decode(firmware, stream) == list(StreamDecoder().feed(stream))


@many
@given(frame=any_frames, split=st.integers(0, BODY_MAX))
def test_frames_are_encoded_alike(firmware: Harness, frame: Frame, split: int) -> None:
    head = min(split, len(frame.body))
    request = struct.pack("<BHI", frame.kind, frame.sequence, head) + frame.body
    assert firmware.ask("E", request) == frames.encode(frame)


@pytest.mark.parametrize("count", [0, 244, 245, 246, 247, 248, 249, 250, 253, 254, 255, 508, BODY_MAX])
@pytest.mark.parametrize("byte", [0, 1, 255])
def test_blocks_of_every_length_are_encoded_alike(firmware: Harness, count: int, byte: int) -> None:
    frame = Frame(FrameType.INPUT, 7, bytes([byte]) * count)
    encoded = firmware.ask("E", struct.pack("<BHI", frame.kind, frame.sequence, 0) + frame.body)
    assert encoded == frames.encode(frame)
    assert len(encoded) <= ENCODED_MAX


def test_an_oversize_body_is_not_encoded(firmware: Harness) -> None:
    assert firmware.ask("E", struct.pack("<BHI", 1, 1, 10) + bytes(BODY_MAX + 1)) == b""


@many
@given(sent=st.lists(any_frames, max_size=4))
def test_frames_come_back(firmware: Harness, sent: list[Frame]) -> None:
    assert decode(firmware, b"".join(map(frames.encode, sent))) == sent


@many
@given(noise=st.binary(max_size=400))
def test_noise_is_judged_alike(firmware: Harness, noise: bytes) -> None:
    assert_same(firmware, noise)


@many
@given(
    pieces=st.lists(st.sampled_from([b"\0", b"\x01", b"\xff", b"\x05abcd", bytes([255]) * 254]), max_size=30)
)
def test_hostile_block_lengths_are_judged_alike(firmware: Harness, pieces: list[bytes]) -> None:
    assert_same(firmware, b"".join(pieces))


@many
@given(frame=any_frames, data=st.data())
def test_flipped_bits_are_judged_alike(firmware: Harness, frame: Frame, data: st.DataObject) -> None:
    stream = bytearray(frames.encode(frame))
    for _ in range(data.draw(st.integers(1, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert_same(firmware, bytes(stream))


@many
@given(frame=any_frames, data=st.data())
def test_truncated_frames_are_judged_alike(firmware: Harness, frame: Frame, data: st.DataObject) -> None:
    stream = frames.encode(frame)
    cut = data.draw(st.integers(0, len(stream)))
    assert_same(firmware, stream[:cut] + frames.encode(frame))


@pytest.mark.parametrize("count", [ENCODED_MAX - 1, ENCODED_MAX, ENCODED_MAX + 1, 5 * ENCODED_MAX])
def test_memory_is_bounded_and_the_length_reported(firmware: Harness, count: int) -> None:
    good = Frame(FrameType.RUN, 3, b"\x01\0\0\0\0\0\0\0")
    assert_same(firmware, b"\x02" * count + frames.encode(good))


def test_a_fault_frame_is_a_frame(firmware: Harness) -> None:
    fault = Fault(0x0800_1234, 0x0800_0101, 0x0002_0000, 0x4000_0000, 0xE000_ED38)
    stream = firmware.ask("H", fault.pack())
    (frame,) = StreamDecoder().feed(stream)
    assert isinstance(frame, Frame)
    assert frame.kind == FrameType.FAULT
    assert Fault.unpack(frame.body) == fault
