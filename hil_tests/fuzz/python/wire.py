"""The host's end of the wire: frames as the firmware's decoder sees them, messages; lying devices."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from hil.errors import HilError, ProtocolError
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Damaged, Frame
from hil.wire.messages import MESSAGES
from hil.wire.protocol import (
    PROTOCOL_VERSION,
    FallbackReason,
    FrameType,
    Integrity,
    Outcome,
    RejectReason,
    ResetCause,
)  # fmt: skip
from hil.wire.to_host import Capability, Checked, Fault, Layers, Payload, Reject, Result, StageCycles, Started
from hil.wire.transport import Transport
from hil_tests.fuzz import firmware_library

_PIECE = struct.Struct("<HBHB")


class _Line:
    """A channel whose device says what the input holds, some bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._left, self._now_s = data, 0.0

    def now_s(self) -> float:
        return self._now_s

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self._now_s += len(data) * self.byte_s()

    def read(self, until_s: float) -> bytes:
        taken, self._left = self._left[:100], self._left[100:]
        self._now_s = self._now_s + 0.001 if taken else max(self._now_s, until_s)
        return taken

    def byte_s(self) -> float:
        return 1e-5


def one(data: bytes) -> None:
    """The first byte says whether the rest is a stream or pieces that become frames."""
    stream = data[1:] if not data[:1] or data[0] & 1 else _frames(data[1:])
    decoder = frames.StreamDecoder()
    seen = [outcome for at in range(0, len(stream), 7) for outcome in decoder.feed(stream[at : at + 7])]
    if firmware_library.is_there():
        assert firmware_library.StreamDecoder().feed(stream) == seen
    for outcome in seen:
        if not isinstance(outcome, Damaged):
            _read(outcome)
    transport = Transport(_Line(stream))
    with contextlib.suppress(HilError):
        while transport.receive(transport.channel.now_s() + 0.2) is not None:
            pass


def _frames(data: bytes) -> bytes:
    """Size, kind, sequence, version and so many bytes of a body become a frame; then the next one."""
    made = bytearray()
    while len(data) >= _PIECE.size:
        size, kind, sequence, version = _PIECE.unpack_from(data)
        body = data[_PIECE.size : _PIECE.size + size % 1057]
        data = data[_PIECE.size + size % 1057 :]
        made += frames.encode(Frame(kind, sequence, body, version))
    return bytes(made)


def _read(frame: Frame) -> None:
    assert frames.encode(frame) == b"\0" + frames.encode(frame).strip(b"\0") + b"\0"
    if frame.kind not in MESSAGES:
        return
    try:
        message = MESSAGES[FrameType(frame.kind)].unpack(frame.body)
    except ProtocolError:
        return
    assert message.pack() == frame.body


def seeds() -> Iterator[bytes]:
    """Every message of a device."""
    cycles = StageCycles(*range(1, 9))
    checked = Checked(Integrity.SOUND, 0x12345678, 30_000, 400_000)
    messages: list[Message] = [
        Capability(
            2, (0, 1, 0), ResetCause.PIN, 216_000_000, 1_000_000, 4096, 64, 300, 10, 3, bytes(32), checked
        ),
        checked,
        Payload(1, 0, 0, b"abc"),
        Payload(1, 9, 3, b"abcdef"),
        Result(1, Outcome.ANSWERED, FallbackReason.NONE, 3, 9, cycles, 900, 0, 1, (1, -2), (300, -70000)),
        Layers(1, (10, 20, 30)),
        Reject(0x12, RejectReason.LENGTH),
        Fault(1, 2, 3, 4, 5),
        Started(ResetCause.WATCHDOG),
    ]
    sent = [Frame(message.frame_type, i, message.pack()) for i, message in enumerate(messages, start=1)]
    for frame in [*sent, Frame(FrameType.ACK, 1), Frame(FrameType.NAK, 0, b"\1")]:
        yield b"\1" + frames.encode(frame)
        yield b"\0" + _PIECE.pack(len(frame.body), frame.kind, frame.sequence, PROTOCOL_VERSION) + frame.body
    yield b"\1" + b"".join(map(frames.encode, sent))
    yield b"\1" + b"\x02\x01" * 600 + b"\0\3\1\0\xff\xff\0"
