"""The bodies of what the device sends: dataclasses that pack to and unpack from little-endian bytes."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import ClassVar, Self

from hil.errors import ProtocolError
from hil.wire.body import AlteredError, Chunk, fixed, known
from hil.wire.protocol import (
    HASH_BYTES,
    NONCE_BYTES,
    FallbackReason,
    FrameType,
    Integrity,
    NonceSource,
    Outcome,
    RejectReason,
    ResetCause,
)

_CRC = struct.Struct("<I")
"""Of a RESULT, at its end."""


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
        integrity, *rest = fixed(cls.layout, body, "CHECKED")
        return cls(known(Integrity, integrity, "CHECKED"), *rest)


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
        rest[-3:-1] = Checked.unpack(rest[-3]), known(NonceSource, rest[-2], "CAPABILITY")
        reset_cause = known(ResetCause, cause, "CAPABILITY")
        return cls(version, (major, minor, patch), reset_cause, *rest)


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
    """Of replies, where the firmware holds a key: in `wait`, but for the end of the one that was taken,
    which is in `fuse`."""


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
            known(Outcome, outcome, "RESULT"),
            known(FallbackReason, reason, "RESULT"),
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
        frame, reason = fixed(cls.layout, body, "REJECT")
        return cls(frame, known(RejectReason, reason, "REJECT"))


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
        return cls(*fixed(cls.layout, body, "FAULT"))
