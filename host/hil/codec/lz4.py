"""The LZ4 block format; the encoder is bit for bit mcu/codec/hil_lz4_encode.c.

A sequence is a token (literals, match length − 4, four bits each; 15 goes on in bytes of up to 255), the
literals, a 16-bit offset and the rest of the match length. The last sequence has literals only: at
least the last 5 bytes, and no match begins in the last 12. The encoder is greedy and remembers the
latest position of every hash of four bytes.
"""

from __future__ import annotations

from hil.errors import CodecError
from hil.wire.protocol import LZ4_HASH_BITS, LZ4_SYMBOLS_MAX

_MATCH_MIN = 4
_LAST_LITERALS = 5
_LAST_MATCH = 12
_MULTIPLIER = 2_654_435_761
"""2^32 over the golden ratio (Knuth 6.4)."""


def encoded_bytes_max(count: int) -> int:
    """The size when nothing repeats: a match never takes more bytes than it stands for, less its token."""
    return 1 + count + (0 if count < 15 else 1 + (count - 15) // 255)


def encode(data: bytes) -> bytes:
    """`data` as one block. Raises CodecError above LZ4_SYMBOLS_MAX bytes."""
    if len(data) > LZ4_SYMBOLS_MAX:
        raise CodecError(f"{len(data)} bytes are more than the device's LZ4 takes: {LZ4_SYMBOLS_MAX}")
    out = bytearray()
    latest = [0] * (1 << LZ4_HASH_BITS)
    anchor = at = 0
    while at + _LAST_MATCH <= len(data):
        word = data[at : at + 4]
        key = (int.from_bytes(word, "little") * _MULTIPLIER & 0xFFFF_FFFF) >> (32 - LZ4_HASH_BITS)
        candidate, latest[key] = latest[key], at
        if candidate == at or data[candidate : candidate + 4] != word:
            at += 1
            continue
        length, room = _MATCH_MIN, len(data) - _LAST_LITERALS - at
        while length < room and data[candidate + length] == data[at + length]:
            length += 1
        _put(out, data[anchor:at], length)
        out += (at - candidate).to_bytes(2, "little")
        _extend(out, length - _MATCH_MIN)
        at += length
        anchor = at
    _put(out, data[anchor:], _MATCH_MIN)
    return bytes(out)


def decode(block: bytes, count: int) -> bytes:
    """The `count` bytes of any encoder's block. Raises CodecError on anything that is no such block."""
    out = bytearray()
    at, begun = 0, -_LAST_MATCH
    while True:
        if at == len(block):
            raise CodecError(f"the LZ4 block ends after {len(out)} of {count} bytes")
        token = block[at]
        literals, at = _length(block, at + 1, token >> 4, count - len(out))
        if at + literals > len(block):
            raise CodecError("the LZ4 block ends within literals")
        out += block[at : at + literals]
        at += literals
        if at == len(block):
            break
        begun = len(out)
        offset = int.from_bytes(block[at : at + 2], "little")
        if at + 2 > len(block) or not 0 < offset <= len(out):
            raise CodecError(f"the LZ4 block points {offset} bytes back after {len(out)}")
        length, at = _length(block, at + 2, token & 15, count - len(out) - _MATCH_MIN)
        length += _MATCH_MIN
        source = bytes(out[len(out) - offset : len(out) - offset + length])
        out += (source * (length // offset + 1))[:length]
    if len(out) != count or token & 15:
        raise CodecError(f"the LZ4 block does not end with its {count} bytes")
    if begun >= 0 and (literals < _LAST_LITERALS or begun + _LAST_MATCH > count):
        raise CodecError("the LZ4 block ends in a match")
    return bytes(out)


def _put(out: bytearray, literals: bytes, match: int) -> None:
    """Token, length of the literals, literals."""
    out.append(min(15, len(literals)) << 4 | min(15, match - _MATCH_MIN))
    _extend(out, len(literals))
    out += literals


def _extend(out: bytearray, length: int) -> None:
    """What of a length its four bits in the token do not hold."""
    if length >= 15:
        out += b"\xff" * ((length - 15) // 255)
        out.append((length - 15) % 255)


def _length(block: bytes, at: int, length: int, room: int) -> tuple[int, int]:
    """A length that began with four bits, and where it ends. Raises CodecError when it exceeds `room`."""
    if length == 15:
        while True:
            if at == len(block):
                raise CodecError("the LZ4 block ends within a length")
            length += block[at]
            at += 1
            if block[at - 1] != 255:
                break
    if length > room:
        raise CodecError(f"the LZ4 block holds more than its bytes: {length} where {max(0, room)} are left")
    return length, at
