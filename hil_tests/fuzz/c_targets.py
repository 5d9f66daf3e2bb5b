"""The firmware's targets, and conversations to begin with."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Frame
from hil.wire.protocol import PROTOCOL_VERSION, Codec, FrameType, ReplyStatus, RunFlag
from hil.wire.to_device import Check, Configure, Hello, Input, Reply, Run
from hil_tests.fuzz.target import CTarget

_WIRE = ("wire/cobs.c", "wire/crc32.c", "wire/frame.c")


def _frame_seeds() -> Iterator[bytes]:
    bodies = [b"", b"\0", bytes(range(1, 255)), bytes(300), b"\xff" * 1056]
    for room in range(4):
        stream = b"".join(frames.encode(Frame(FrameType.INPUT, i, body)) for i, body in enumerate(bodies))
        yield bytes([room]) + stream
        pieces = [struct.pack("<HBH", len(body), FrameType.RUN, 9) + body for body in bodies]
        yield bytes([room | 4]) + b"".join(pieces)
    yield b"\0" + b"\x01" * 2000 + b"\0" + b"\x05\x01\0\xff\0"


def _message_seeds() -> Iterator[bytes]:
    chunks = [Input(1, 512, at, bytes(64)) for at in (0, 128, 256, 384, 64, 448)]
    replies = [Reply(1, ReplyStatus.OK, tuple(range(-5, 5))), Reply(1, ReplyStatus.UNAVAILABLE, ())]
    messages: list[Message] = [
        Hello(PROTOCOL_VERSION),
        Configure(1000, 9600, 64),
        Run(1, 1),
        Check(0),
        *replies,
        *chunks,
    ]
    for message in messages:
        yield _piece(message)
    yield b"".join(map(_piece, messages))
    yield struct.pack("<BHH", FrameType.RESULT, 200, 200)
    yield struct.pack("<BHH", FrameType.RESULT, 1100, 3)
    yield struct.pack("<BH", FrameType.LAYERS, 300)


def _piece(message: Message) -> bytes:
    body = message.pack()
    return struct.pack("<BH", message.frame_type, len(body)) + body


_RAW, _FRAME, _WAIT, _ACK, _NAK, _DAMAGED, _ANY_ACK, _BIT_FLIP = range(8)
"""Steps of a script, as c/stand_in_board.c has them."""


_LONG, _SIGNED = 1, 8
"""How a frame is sent: its size in two bytes; a reply with the server half's tag."""
_KEYED, _NOT_RANDOM, _OTHER_RATE = 0x80, 0x40, 0x20
"""The device half has a key; its board has no random numbers; it was reset at another rate."""


def _said(message: Message, step: int = _FRAME, how: int = _LONG) -> bytes:
    body = message.pack()
    return struct.pack("<BBBH", step, message.frame_type, how, len(body)) + body


def _firmware_seeds() -> Iterator[bytes]:
    """Conversations with each sort of device half (c/stand_in_model.c)."""
    ack = bytes([_ACK])
    halves = [(240, 10), (240, 10), (60, 10), (180, 4), (60, 2), (2400, 200), (240, 1)]
    for sort, (size, classes) in enumerate(halves):
        for early, trouble in ((0, 0), (16, 0), (16, 0x99)):
            sample = bytes([trouble]) + bytes(i % 251 for i in range(size - 1))
            script = bytes([sort]) + _said(Hello(PROTOCOL_VERSION)) + ack
            script += _said(Configure(200_000, 115_200, early))
            for at in range(0, size, 1000):
                script += _said(Input(3, size, at, sample[at : at + 1000]))
            script += _said(Run(3, RunFlag.LAYERS)) + ack * 4
            reply = _said(Reply(3, ReplyStatus.OK, tuple(range(classes))))
            yield script + reply + ack * 3
            signed = _said(Reply(3, ReplyStatus.OK, tuple(range(classes))), how=_LONG | _SIGNED)
            keyed = bytes([sort | _KEYED]) + script[1:]
            yield keyed + signed + ack * 3
            yield bytes([keyed[0] | _NOT_RANDOM]) + keyed[1:] + signed + ack * 3
            yield keyed + reply + signed + ack * 3 + script[1:] + signed + ack * 3
            yield script + bytes([_NAK, 0, 0]) + _said(Run(3), _DAMAGED) + b"\x05\0" + ack * 3
            yield script + _said(Reply(3, ReplyStatus.UNAVAILABLE, ())) + ack * 3 + script[1:]
    checked = _said(Check(0)) + ack + _said(Check(77)) + ack
    yield bytes([0]) + _said(Hello(PROTOCOL_VERSION)) + ack + checked + bytes([_BIT_FLIP]) + checked
    yield bytes([0]) + _said(Hello(PROTOCOL_VERSION)) + bytes([_WAIT, 255]) * 8
    yield (
        bytes([_OTHER_RATE, _NAK, 0, 0, _WAIT, 255, _NAK, 0, 0]) + ack + _said(Hello(PROTOCOL_VERSION)) + ack
    )
    yield bytes([0, _RAW, 5, 0, 1, 2, 3, 0, _ANY_ACK, 1, 0]) + _said(Configure(1000, 9600, 0))


def _codec_seeds() -> Iterator[bytes]:
    random = np.random.default_rng(0)
    for codec in Codec:
        for orders in range(2):
            for foreign in (1, 4):
                head = bytes([codec, 9, 12, 2, 14, orders])
                tables = bytes(random.integers(0, 256, 40 if codec != Codec.CONTEXT else 600, np.uint8))
                symbols = np.minimum(random.geometric(0.5, 360) - 1, 15).astype(np.uint8).tobytes()
                yield head + tables + bytes([foreign]) + symbols
    for alphabet in (2, 16, 256):
        yield (
            bytes([len(Codec)])
            + struct.pack("<HH", alphabet, 500)
            + bytes(random.integers(0, 256, 200, np.uint8))
        )


C_TARGETS = (
    CTarget(
        "frame",
        "COBS, CRC and frames against a plain reading of the protocol",
        _frame_seeds,
        harness=("frame.c",),
        sources=_WIRE,
    ),
    CTarget(
        "messages",
        "bodies of messages, and which bytes of an input have arrived",
        _message_seeds,
        harness=("messages.c",),
        sources=("wire/messages.c", "wire/crc32.c", "runtime/coverage.c"),
    ),
    CTarget(
        "firmware",
        "the whole firmware above board.h: bytes in at the UART",
        _firmware_seeds,
        harness=("firmware.c", "stand_in_board.c", "stand_in_model.c", "stand_in_server.c"),
        sources=("app/*.c", "auth/*.c", "wire/*.c", "runtime/*.c", "codec/*.c"),
        restarts=True,
    ),
    CTarget(
        "codec",
        "encoders of all codecs in all their forms, LZW's decoder",
        _codec_seeds,
        harness=("codec.c", "sound_tables.c"),
        sources=("codec/*.c",),
    ),
)
