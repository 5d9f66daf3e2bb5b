"""The wire with injections in between lets everything else through as it is."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.faults.parse import parse_fault
from hil.faults.wire import FrameChannel, Passed, Seen, Way
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import FrameType

FRAMES = st.lists(st.builds(Frame, st.integers(1, 0x25), st.integers(0, 0xFFFF), st.binary(max_size=40)))


class Wire:
    """A channel that gives pieces of bytes, one each millisecond, and keeps what is written."""

    def __init__(self, pieces: Sequence[bytes] = ()) -> None:
        self.pieces = list(pieces)
        self.written: list[tuple[float | None, bytes]] = []
        self.now = 0.0

    def now_s(self) -> float:
        return self.now

    def byte_s(self) -> float:
        return 1e-5

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self.written.append((at_s, data))

    def read(self, until_s: float) -> bytes:
        if not self.pieces or self.now + 0.001 > until_s:
            self.now = max(self.now, until_s)
            return b""
        self.now += 0.001
        return self.pieces.pop(0)


def all_of(channel: FrameChannel, until_s: float) -> bytes:
    arrived = b""
    while channel.now_s() < until_s:
        arrived += channel.read(until_s)
    return arrived


def let(seen: Seen) -> Sequence[Passed]:
    return (Passed(seen.encoded),)


@given(FRAMES, st.integers(1, 50))
def test_whole_frames_arrive_whatever_pieces_they_come_in(sent: list[Frame], size: int) -> None:
    stream = b"".join(map(frames.encode, sent))
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    channel = FrameChannel(Wire(pieces), let)
    decoder = frames.StreamDecoder()
    assert list(decoder.feed(all_of(channel, 10.0))) == sent


@given(FRAMES)
def test_a_delayed_frame_delays_those_behind_it(sent: list[Frame]) -> None:
    def delay_first(seen: Seen) -> Sequence[Passed]:
        assert seen.way is Way.UP
        first = bool(sent) and seen.frame == sent[0]
        return (Passed(seen.encoded, 0.5 if first else 0.0),)

    channel = FrameChannel(Wire([frames.encode(frame) for frame in sent]), delay_first)
    assert all_of(channel, 0.4) == b"" or not sent
    assert list(frames.StreamDecoder().feed(all_of(channel, 2.0))) == sent


def test_what_is_delayed_to_the_device_leaves_later() -> None:
    wire = Wire()
    channel = FrameChannel(wire, lambda seen: (Passed(seen.encoded, 0.25),))
    channel.write(b"\0abc\0", 1.0)
    assert wire.written == [(1.25, b"\0abc\0")]


@pytest.mark.parametrize("order", ["frame-duplicate:frame=run,after=1", "frame-reorder:frame=run"])
def test_what_is_held_back_on_a_wire_does_not_come_out_of_the_next(order: str) -> None:
    ordered = parse_fault(order)
    injection = ordered.kind.make(ordered.settings, Random(1))
    injection.begin(0)
    injection.armed = True
    held, other = (frames.encode(Frame(kind, 1, b"")) for kind in (FrameType.RUN, FrameType.CHECK))
    first, second = Wire(), Wire()
    injection.channel(first).write(held)
    injection.armed = False
    channel = injection.channel(second)
    channel.write(other)
    channel.write(other)
    assert second.written == [(None, other)] * 2
