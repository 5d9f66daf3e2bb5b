"""The bodies of what the host sends: dataclasses that pack to and unpack from little-endian bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from hil.errors import ProtocolError
from hil.wire.body import Chunk, fixed, known
from hil.wire.protocol import (
    NONCE_BYTES,
    PART_FIELD_BYTES,
    TAG_BYTES,
    FrameType,
    ReplyStatus,
)


@dataclass(frozen=True)
class Hello:
    """Host to device: start a conversation, in which both sides count on from this message's number."""

    protocol_version: int

    frame_type: ClassVar = FrameType.HELLO
    layout: ClassVar = struct.Struct("<H")

    def pack(self) -> bytes:
        return self.layout.pack(self.protocol_version)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed(cls.layout, body, "HELLO"))


@dataclass(frozen=True)
class Configure:
    """Host to device: the reply deadline, and the rate of the UART from the next frame on."""

    deadline_us: int
    baud: int
    early_bytes: int = 0
    """While the device computes it sends what of the payload is settled, in multiples of so many bytes;
    0: it sends when all is done. At most `CHUNK_MAX`."""
    server_nonce: bytes = bytes(NONCE_BYTES)
    """The server half's part of the session's key; of no meaning to a firmware without a key."""

    frame_type: ClassVar = FrameType.CONFIGURE
    layout: ClassVar = struct.Struct(f"<III{NONCE_BYTES}s")

    def pack(self) -> bytes:
        return self.layout.pack(self.deadline_us, self.baud, self.early_bytes, self.server_nonce)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) != cls.layout.size:
            raise ProtocolError(f"CONFIGURE has {len(body)} bytes, not {cls.layout.size}")
        return cls(*cls.layout.unpack(body))


class Input(Chunk):
    """Host to device: int8 input bytes of one sample."""

    frame_type: ClassVar = FrameType.INPUT


@dataclass(frozen=True)
class Run:
    """Host to device: infer on the uploaded input."""

    sample: int
    flags: int = 0

    frame_type: ClassVar = FrameType.RUN
    layout: ClassVar = struct.Struct("<II")

    def pack(self) -> bytes:
        return self.layout.pack(self.sample, self.flags)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed(cls.layout, body, "RUN"))


@dataclass(frozen=True)
class Reply:
    """Host to device: the server half's logits, int16 with 8 fraction bits."""

    sample: int
    status: ReplyStatus
    logits: tuple[int, ...]
    tag: bytes = b""
    """`TAG_BYTES` by the server half, for a firmware that holds a key."""
    part_bytes: int | None = None
    """How many of the payload's first bytes it answers; None for all. Told with a tag only, which covers
    what is answered: the device has to know what that is."""

    frame_type: ClassVar = FrameType.REPLY
    layout: ClassVar = struct.Struct("<IBB")
    _part: ClassVar = struct.Struct("<I")

    def pack(self) -> bytes:
        head = self.layout.pack(self.sample, self.status, len(self.logits))
        part = b"" if self.part_bytes is None or not self.tag else self._part.pack(self.part_bytes)
        return head + struct.pack(f"<{len(self.logits)}h", *self.logits) + part + self.tag

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) < cls.layout.size:
            raise ProtocolError(f"REPLY has only {len(body)} bytes")
        sample, status, count = cls.layout.unpack_from(body)
        bare = cls.layout.size + 2 * count
        more = len(body) - bare
        if more not in (0, TAG_BYTES, PART_FIELD_BYTES + TAG_BYTES):
            raise ProtocolError(f"REPLY announces {count} logits in {len(body)} bytes")
        logits = struct.unpack_from(f"<{count}h", body, cls.layout.size)
        (part_bytes,) = cls._part.unpack_from(body, bare) if more > TAG_BYTES else (None,)
        tag = body[len(body) - TAG_BYTES :] if more else b""
        return cls(sample, known(ReplyStatus, status, "REPLY"), logits, tag, part_bytes)


@dataclass(frozen=True)
class Check:
    """Host to device: check your code and constants now."""

    start: int = 0
    """What the CRC-32 begins with. Any other than 0 asks for a number that was never stored: then the host
    alone can tell whether it is right, and the device judges only the code in ITCM RAM."""

    frame_type: ClassVar = FrameType.CHECK
    layout: ClassVar = struct.Struct("<I")

    def pack(self) -> bytes:
        return self.layout.pack(self.start)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed(cls.layout, body, "CHECK"))
