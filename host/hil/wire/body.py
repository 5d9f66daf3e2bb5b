"""What the bodies of all messages have in common."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, TypeVar

from hil.errors import ProtocolError
from hil.wire.protocol import CHUNK_MAX, FrameType

E = TypeVar("E")


class AlteredError(ProtocolError):
    """Content arrived that is not what was sent, in a frame whose CRC is right."""


class Message(Protocol):
    """A frame's meaning: its type and its body."""

    frame_type: ClassVar[FrameType]

    def pack(self) -> bytes: ...

    @classmethod
    def unpack(cls, body: bytes) -> Self: ...


def fixed(layout: struct.Struct, body: bytes, name: str) -> tuple[int, ...]:
    if len(body) != layout.size:
        raise ProtocolError(f"{name} has {len(body)} bytes, not {layout.size}")
    return layout.unpack(body)


def known(kind: Callable[[int], E], value: int, name: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise ProtocolError(f"{name} carries the unknown value {value}") from None


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
