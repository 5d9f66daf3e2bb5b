"""Frames: header, body and CRC-32, COBS-encoded between zero bytes, and a decoder that never raises."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cobs import cobs

from hil.errors import ProtocolError
from hil.wire.protocol import BODY_MAX, CRC_BYTES, ENCODED_MAX, HEADER_BYTES, PROTOCOL_VERSION, NakReason

_HEADER = struct.Struct("<BBH")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Frame:
    """One frame as it left or reached the wire. `kind` may be a number that no `FrameType` has."""

    kind: int
    sequence: int
    body: bytes = b""
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True)
class Damaged:
    """Bytes between two zeros that are no frame."""

    reason: NakReason
    length: int


def encode(frame: Frame) -> bytes:
    """The frame as bytes on the wire, with a zero on either side so that earlier noise is cut off.

    Raises ProtocolError when the body is longer than `BODY_MAX`.
    """
    if len(frame.body) > BODY_MAX:
        raise ProtocolError(f"a body of {len(frame.body)} bytes exceeds {BODY_MAX}")
    raw = _HEADER.pack(frame.version, frame.kind, frame.sequence) + frame.body
    encoded: bytes = cobs.encode(raw + _CRC.pack(zlib.crc32(raw)))
    return b"\0" + encoded + b"\0"


def decode(encoded: bytes) -> Frame | Damaged:
    """The frame in `encoded`, the bytes between two zeros."""
    if len(encoded) > ENCODED_MAX:
        return Damaged(NakReason.LENGTH, len(encoded))
    try:
        raw = cobs.decode(encoded)
    except cobs.DecodeError:
        return Damaged(NakReason.COBS, len(encoded))
    if not HEADER_BYTES + CRC_BYTES <= len(raw) <= HEADER_BYTES + BODY_MAX + CRC_BYTES:
        return Damaged(NakReason.LENGTH, len(raw))
    if zlib.crc32(raw[:-CRC_BYTES]) != _CRC.unpack(raw[-CRC_BYTES:])[0]:
        return Damaged(NakReason.CRC, len(raw))
    version, kind, sequence = _HEADER.unpack_from(raw)
    return Frame(kind, sequence, raw[HEADER_BYTES:-CRC_BYTES], version)


class StreamDecoder:
    """Cuts a byte stream at zeros. Memory is bounded whatever arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._overflow = 0

    def feed(self, data: bytes) -> Iterator[Frame | Damaged]:
        """Yields every frame, and every damaged one, that `data` completes."""
        pieces = data.split(b"\0")
        for index, piece in enumerate(pieces):
            room = ENCODED_MAX - len(self._buffer)
            self._buffer += piece[:room]
            self._overflow += max(0, len(piece) - room)
            if index < len(pieces) - 1 and (outcome := self._flush()) is not None:
                yield outcome

    def _flush(self) -> Frame | Damaged | None:
        encoded, overflow = bytes(self._buffer), self._overflow
        self._buffer.clear()
        self._overflow = 0
        if overflow:
            return Damaged(NakReason.LENGTH, len(encoded) + overflow)
        return decode(encoded) if encoded else None
