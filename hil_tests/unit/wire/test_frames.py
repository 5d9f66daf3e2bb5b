"""Frames survive the wire whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import ProtocolError
from hil.wire import frames
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.protocol import BODY_MAX, ENCODED_MAX, NakReason

any_frame = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=BODY_MAX), st.integers(0, 255)
)


def received(data: bytes) -> list[Frame | Damaged]:
    return list(StreamDecoder().feed(data))


def test_a_known_frame_has_known_bytes():
    """Version 4, type 0x10, sequence 1, body 01 00, CRC-32 as zlib computes it, COBS between zeros."""
    assert frames.encode(Frame(0x10, 1, b"\x01\x00")).hex() == "0004041001020105132214eb00"


@given(any_frame)
def test_every_frame_comes_back_as_it_went(frame):
    encoded = frames.encode(frame)
    assert encoded[0] == encoded[-1] == 0
    assert 0 not in encoded[1:-1]
    assert len(encoded) <= ENCODED_MAX
    assert received(encoded) == [frame]


@given(st.lists(any_frame, max_size=5), st.data())
def test_it_does_not_matter_how_the_stream_is_cut(sent, data):
    stream = b"".join(map(frames.encode, sent))
    decoder, got, place = StreamDecoder(), [], 0
    while place < len(stream):
        step = data.draw(st.integers(1, max(1, len(stream) - place)))
        got += decoder.feed(stream[place : place + step])
        place += step
    assert got == sent


@given(any_frame, st.data())
def test_flipped_bits_never_make_a_wrong_frame(frame, data):
    encoded = bytearray(frames.encode(frame))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert all(
        isinstance(outcome, Damaged) or outcome == frame for outcome in received(bytes(encoded) + b"\0")
    )


@given(any_frame, st.data())
def test_lost_bytes_never_make_a_wrong_frame_and_spare_the_next_one(frame, data):
    encoded = frames.encode(frame)
    begin = data.draw(st.integers(0, len(encoded) - 1))
    end = data.draw(st.integers(begin + 1, len(encoded)))
    after = Frame(0x16, 7, b"the next one")
    *before, last = received(encoded[:begin] + encoded[end:] + frames.encode(after))
    assert last == after
    assert all(isinstance(outcome, Damaged) or outcome == frame for outcome in before)


@given(st.binary(max_size=4000))
def test_garbage_never_raises_and_never_grows_the_buffer(garbage):
    decoder = StreamDecoder()
    assert not [outcome for outcome in decoder.feed(garbage) if isinstance(outcome, Frame)]
    assert len(decoder._buffer) <= ENCODED_MAX


def test_a_frame_without_end_is_cut_off_and_reported_once():
    decoder = StreamDecoder()
    for _ in range(100):
        assert not list(decoder.feed(b"\x11" * 1000))
    assert list(decoder.feed(b"\0")) == [Damaged(NakReason.LENGTH, 100_000)]
    assert list(decoder.feed(frames.encode(Frame(1, 1)))) == [Frame(1, 1)]


def test_a_body_too_long_is_refused_before_it_is_sent():
    with pytest.raises(ProtocolError, match="exceeds"):
        frames.encode(Frame(1, 1, bytes(BODY_MAX + 1)))


def test_the_reason_of_damage_is_named():
    whole = frames.encode(Frame(1, 1, b"abc"))[1:-1]
    assert frames.decode(whole[:-1] + b"\x7f") == Damaged(NakReason.CRC, 11)
    assert frames.decode(b"\xff\x01") == Damaged(NakReason.COBS, 2)
    assert frames.decode(b"\x03\x01\x01") == Damaged(NakReason.LENGTH, 2)
