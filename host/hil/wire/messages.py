"""The bodies of all frames, as frozen dataclasses that pack to and unpack from little-endian bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, TypeVar

from hil.errors import ProtocolError
from hil.wire.protocol import (
    CHUNK_MAX,
    HASH_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    FallbackReason,
    FrameType,
    Integrity,
    NonceSource,
    Outcome,
    RejectReason,
    ReplyStatus,
    ResetCause,
)

E = TypeVar("E")

_CRC = struct.Struct("<I")


class AlteredError(ProtocolError):
    """Content arrived that is not what was sent, in a frame whose CRC is right."""


class Message(Protocol):
    """A frame's meaning: its type and its body."""

    frame_type: ClassVar[FrameType]

    def pack(self) -> bytes: ...

    @classmethod
    def unpack(cls, body: bytes) -> Self: ...


def _fixed(layout: struct.Struct, body: bytes, name: str) -> tuple[int, ...]:
    if len(body) != layout.size:
        raise ProtocolError(f"{name} has {len(body)} bytes, not {layout.size}")
    return layout.unpack(body)


def _known(kind: Callable[[int], E], value: int, name: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise ProtocolError(f"{name} carries the unknown value {value}") from None


@dataclass(frozen=True)
class Hello:
    """Host to device: start a conversation; both sides forget earlier sequence numbers."""

    protocol_version: int

    frame_type: ClassVar = FrameType.HELLO
    layout: ClassVar = struct.Struct("<H")

    def pack(self) -> bytes:
        return self.layout.pack(self.protocol_version)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*_fixed(cls.layout, body, "HELLO"))


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


@dataclass(frozen=True)
class Chunk:
    """A piece of a sample's input or payload."""

    sample: int
    total: int
    """0 in a payload that is still being made: more will come, how much is not known yet."""
    offset: int
    data: bytes

    layout: ClassVar = struct.Struct("<III")

    def pack(self) -> bytes:
        return self._head() + self.data

    def _head(self) -> bytes:
        return self.layout.pack(self.sample, self.total, self.offset)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if not cls.layout.size < len(body) <= cls.layout.size + CHUNK_MAX:
            raise ProtocolError(f"{cls.__name__} has a body of {len(body)} bytes")
        sample, total, offset, *more = cls.layout.unpack_from(body)
        data = body[cls.layout.size :]
        if total and offset + len(data) > total:
            raise ProtocolError(f"{cls.__name__} reaches past its total of {total} bytes")
        return cls(sample, total, offset, data, *more)


class Input(Chunk):
    """Host to device: int8 input bytes of one sample."""

    frame_type: ClassVar = FrameType.INPUT


@dataclass(frozen=True)
class Payload(Chunk):
    """Device to host: encoded payload bytes of one sample."""

    counter: int = 0
    """The number of this exchange, which a reply's tag has to be made for."""

    frame_type: ClassVar = FrameType.PAYLOAD
    layout: ClassVar = struct.Struct("<IIII")

    def _head(self) -> bytes:
        return self.layout.pack(self.sample, self.total, self.offset, self.counter)


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
        return cls(*_fixed(cls.layout, body, "RUN"))


@dataclass(frozen=True)
class Reply:
    """Host to device: the server half's logits, int16 with 8 fraction bits."""

    sample: int
    status: ReplyStatus
    logits: tuple[int, ...]
    tag: bytes = b""
    """`TAG_BYTES` by the server half, for a firmware that holds a key."""

    frame_type: ClassVar = FrameType.REPLY
    layout: ClassVar = struct.Struct("<IBB")

    def pack(self) -> bytes:
        head = self.layout.pack(self.sample, self.status, len(self.logits))
        return head + struct.pack(f"<{len(self.logits)}h", *self.logits) + self.tag

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) < cls.layout.size:
            raise ProtocolError(f"REPLY has only {len(body)} bytes")
        sample, status, count = cls.layout.unpack_from(body)
        bare = cls.layout.size + 2 * count
        if len(body) not in (bare, bare + TAG_BYTES):
            raise ProtocolError(f"REPLY announces {count} logits in {len(body)} bytes")
        logits = struct.unpack_from(f"<{count}h", body, cls.layout.size)
        return cls(sample, _known(ReplyStatus, status, "REPLY"), logits, body[bare:])


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
        return cls(*_fixed(cls.layout, body, "CHECK"))


@dataclass(frozen=True)
class Checked:
    """Device to host: the answer to CHECK."""

    integrity: Integrity
    crc: int
    """Of the covered flash, as computed."""
    covered_bytes: int
    cycles: int
    """That the check took."""

    frame_type: ClassVar = FrameType.CHECKED
    layout: ClassVar = struct.Struct("<BIII")

    def pack(self) -> bytes:
        return self.layout.pack(self.integrity, self.crc, self.covered_bytes, self.cycles)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        integrity, *rest = _fixed(cls.layout, body, "CHECKED")
        return cls(_known(Integrity, integrity, "CHECKED"), *rest)


@dataclass(frozen=True)
class Capability:
    """Device to host: the answer to HELLO."""

    protocol_version: int
    firmware_version: tuple[int, int, int]
    reset_cause: ResetCause
    clock_hz: int
    baud_max: int
    arena_bytes: int
    input_bytes: int
    payload_capacity: int
    classes: int
    layers: int
    bundle_hash: bytes
    check: Checked
    """Of the start."""
    nonce_source: NonceSource = NonceSource.NONE
    nonce: bytes = bytes(NONCE_BYTES)
    """The device's part of the session's key."""

    frame_type: ClassVar = FrameType.CAPABILITY
    layout: ClassVar = struct.Struct(f"<H3BBIIIIIHH{HASH_BYTES}s{Checked.layout.size}sB{NONCE_BYTES}s")

    def pack(self) -> bytes:
        return self.layout.pack(
            self.protocol_version,
            *self.firmware_version,
            self.reset_cause,
            self.clock_hz,
            self.baud_max,
            self.arena_bytes,
            self.input_bytes,
            self.payload_capacity,
            self.classes,
            self.layers,
            self.bundle_hash,
            self.check.pack(),
            self.nonce_source,
            self.nonce,
        )

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) != cls.layout.size:
            raise ProtocolError(f"CAPABILITY has {len(body)} bytes, not {cls.layout.size}")
        version, major, minor, patch, cause, *rest = cls.layout.unpack(body)
        rest[-3:-1] = Checked.unpack(rest[-3]), _known(NonceSource, rest[-2], "CAPABILITY")
        reset_cause = _known(ResetCause, cause, "CAPABILITY")
        return cls(version, (major, minor, patch), reset_cause, *rest)


@dataclass(frozen=True)
class StageCycles:
    """CPU cycles of each stage of one inference; `total` is counted on its own, not summed.

    `wait` runs from the start of the payload's transmission to the arrival of the reply's last
    byte or the deadline; the core sleeps in it. Of a payload whose first bytes left while the rest was
    computed it runs from the end of computing, and `overlap` is the time that the transmission began
    before that: it is no stage, and already in `graph` to `frame`.
    """

    graph: int
    quantise: int
    encode: int
    frame: int
    wait: int
    fuse: int
    total: int
    overlap: int = 0
    verify: int = 0
    """Of replies, where the firmware holds a key: in `wait`, but of the one that was taken in `fuse`."""


@dataclass(frozen=True)
class Result:
    """Device to host: the answer to one RUN and what it cost."""

    sample: int
    outcome: Outcome
    reason: FallbackReason
    prediction: int
    payload_bytes: int
    cycles: StageCycles
    stack_peak_bytes: int
    retransmissions: int
    crc_errors: int
    local: tuple[int, ...]
    """int8 logits of the local half, empty where the graph has none."""
    fused: tuple[int, ...]
    """int32 fused logits, in units that only their order matters in."""
    input_crc: int = 0
    """CRC-32 of the input as it lay in the device's memory before the graph ran."""
    payload_crc: int = 0
    """CRC-32 of the payload as the device made it; 0 without one."""
    unauthentic: int = 0
    """Replies that were ignored, as they were not the server's to this exchange."""

    frame_type: ClassVar = FrameType.RESULT
    layout: ClassVar = struct.Struct("<IBBHI9IIHHHIIHH")

    def pack(self) -> bytes:
        """A CRC-32 of its own ends it: the frame's is made later, and would not see what changed before."""
        c = self.cycles
        head = self.layout.pack(
            self.sample,
            self.outcome,
            self.reason,
            self.prediction,
            self.payload_bytes,
            *(c.graph, c.quantise, c.encode, c.frame, c.wait, c.fuse, c.total, c.overlap, c.verify),
            self.stack_peak_bytes,
            self.retransmissions,
            self.crc_errors,
            self.unauthentic,
            self.input_crc,
            self.payload_crc,
            len(self.local),
            len(self.fused),
        )
        body = head + struct.pack(f"<{len(self.local)}b{len(self.fused)}i", *self.local, *self.fused)
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Raises AlteredError where its own CRC is wrong, ProtocolError where the host speaks another one."""
        if len(body) < cls.layout.size + _CRC.size:
            raise ProtocolError(f"RESULT has only {len(body)} bytes")
        content, (crc,) = body[: -_CRC.size], _CRC.unpack(body[-_CRC.size :])
        if zlib.crc32(content) != crc:
            raise AlteredError("the result was altered before its frame was made")
        sample, outcome, reason, prediction, payload, *rest = cls.layout.unpack_from(content)
        cycles, (stack, retransmissions, crc_errors, unauthentic, *crcs) = rest[:9], rest[9:-2]
        locals_, fused = rest[-2:]
        if len(content) != cls.layout.size + locals_ + 4 * fused:
            raise ProtocolError(f"RESULT announces {locals_} + {fused} logits in {len(body)} bytes")
        logits = struct.unpack_from(f"<{locals_}b{fused}i", body, cls.layout.size)
        return cls(
            sample,
            _known(Outcome, outcome, "RESULT"),
            _known(FallbackReason, reason, "RESULT"),
            prediction,
            payload,
            StageCycles(*cycles),
            stack,
            retransmissions,
            crc_errors,
            logits[:locals_],
            logits[locals_:],
            input_crc=crcs[0],
            payload_crc=crcs[1],
            unauthentic=unauthentic,
        )


@dataclass(frozen=True)
class Layers:
    """Device to host: cycles of every layer of the graph, after a RUN with `RunFlag.LAYERS`."""

    sample: int
    cycles: tuple[int, ...]

    frame_type: ClassVar = FrameType.LAYERS
    layout: ClassVar = struct.Struct("<IH")

    def pack(self) -> bytes:
        head = self.layout.pack(self.sample, len(self.cycles))
        return head + struct.pack(f"<{len(self.cycles)}I", *self.cycles)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) < cls.layout.size:
            raise ProtocolError(f"LAYERS has only {len(body)} bytes")
        sample, count = cls.layout.unpack_from(body)
        if len(body) != cls.layout.size + 4 * count:
            raise ProtocolError(f"LAYERS announces {count} layers in {len(body)} bytes")
        return cls(sample, struct.unpack_from(f"<{count}I", body, cls.layout.size))


@dataclass(frozen=True)
class Reject:
    """Device to host: a message was refused; nothing was changed by it."""

    frame: int
    reason: RejectReason

    frame_type: ClassVar = FrameType.REJECT
    layout: ClassVar = struct.Struct("<BB")

    def pack(self) -> bytes:
        return self.layout.pack(self.frame, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        frame, reason = _fixed(cls.layout, body, "REJECT")
        return cls(frame, _known(RejectReason, reason, "REJECT"))


@dataclass(frozen=True)
class Fault:
    """Device to host, from the fault handler: the stacked PC and LR and the fault registers."""

    pc: int
    lr: int
    scb_cfsr: int
    scb_hfsr: int
    scb_bfar: int

    frame_type: ClassVar = FrameType.FAULT
    layout: ClassVar = struct.Struct("<5I")

    def pack(self) -> bytes:
        return self.layout.pack(self.pc, self.lr, self.scb_cfsr, self.scb_hfsr, self.scb_bfar)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*_fixed(cls.layout, body, "FAULT"))


MESSAGES: dict[FrameType, type[Message]] = {
    kind.frame_type: kind
    for kind in (
        Hello, Configure, Input, Run, Reply, Check, Capability, Payload, Result, Layers, Reject, Fault,
        Checked,
    )
}  # fmt: skip
