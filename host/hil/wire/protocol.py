"""The constants host and firmware share. The C header is generated from this file by `wire.header`."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

PROTOCOL_VERSION: Final = 4
"""Since 2 the firmware tells whether it is intact (CAPABILITY, CHECK, CHECKED), and may want replies that are
authentic (nonces, the counter in PAYLOAD, the tag of REPLY); since 3 that tag covers the payload as well."""

HEADER_BYTES: Final = 4
"""version u8, type u8, sequence u16, all little-endian."""

CRC_BYTES: Final = 4
"""CRC-32 (IEEE 802.3, reflected, as zlib's) over header and body, little-endian."""

BODY_MAX: Final = 1076
"""Longest body of a frame: both logit lists of 200 classes in a RESULT, or a chunk and its head."""

CHUNK_MAX: Final = 1024
"""Most input or payload bytes carried by one frame."""

RAW_MAX: Final = HEADER_BYTES + BODY_MAX + CRC_BYTES
"""Longest frame before COBS."""

ENCODED_MAX: Final = RAW_MAX + (RAW_MAX + 253) // 254 + 2
"""Longest frame on the wire: COBS overhead and a zero on either side."""

BOOT_BAUD: Final = 921_600
"""Rate after reset, the fastest that an ST-LINK/V2-1 virtual COM port passes reliably."""

RETRANSMIT_MS: Final = 100
"""A frame not acknowledged for so long is sent again."""

NAK_PAUSE_MS: Final = 20
"""At most one NAK in so long: a frame damaged in several places is asked for once, and two ends at
different baud rates do not answer each other's garbled NAKs for ever."""

TRIES_MAX: Final = 8
"""After so many transmissions without an acknowledgement the peer counts as gone."""

DEADLINE_MAX_MS: Final = 10_000
"""The firmware times with a 32-bit cycle counter, which wraps after 19.9 s at 216 MHz."""

HASH_BYTES: Final = 32
"""SHA-256 of the bundle that the firmware was built from."""

KEY_BYTES: Final = 32
"""A device's key, and a session's."""

NONCE_BYTES: Final = 16
TAG_BYTES: Final = 16

PART_FIELD_BYTES: Final = 4
"""Of an authentic REPLY to a payload's first bytes: how many of them it answers."""

REPLY_LABEL: Final = 0x52
"""The first byte that a reply's tag is computed over: R."""

LOCAL_LOGIT_BYTES: Final = 1
REMOTE_LOGIT_FRACTION_BITS: Final = 8
"""Server logits cross the link as int16 with 8 fraction bits (range ±128, step 1/256)."""


class FrameType(IntEnum):
    """What a frame means. ACK and NAK are unreliable; all others are acknowledged."""

    ACK = 0x01
    NAK = 0x02
    HELLO = 0x10
    CONFIGURE = 0x11
    INPUT = 0x12
    RUN = 0x13
    REPLY = 0x14
    CHECK = 0x15
    CAPABILITY = 0x20
    PAYLOAD = 0x21
    RESULT = 0x22
    LAYERS = 0x23
    REJECT = 0x24
    FAULT = 0x25
    CHECKED = 0x26
    STARTED = 0x27


class NakReason(IntEnum):
    """Why a receiver asks for the outstanding frame again."""

    CRC = 1
    LENGTH = 2
    COBS = 3


class ReplyStatus(IntEnum):
    """What a REPLY carries."""

    OK = 0
    UNAVAILABLE = 1


class Outcome(IntEnum):
    """How the device came to its answer."""

    ANSWERED = 0
    FALLBACK = 1
    LOCAL = 2
    FAILED = 3


class FallbackReason(IntEnum):
    """Why an answer came from the local half alone."""

    NONE = 0
    DEADLINE = 1
    SERVER_UNAVAILABLE = 2
    LINK_DOWN = 3
    UNAUTHENTIC = 4
    """Replies came, but none of them was the server's to this exchange; the deadline passed."""


class RejectReason(IntEnum):
    """Why the device refuses a message. Nothing is changed by a refused message."""

    VERSION = 1
    UNKNOWN_TYPE = 2
    LENGTH = 3
    INPUT_RANGE = 4
    INPUT_INCOMPLETE = 5
    NOT_CONFIGURED = 6
    VALUE = 7
    DAMAGED = 8


class NonceSource(IntEnum):
    """Where the device has its nonce from."""

    NONE = 0
    """The firmware holds no key: it has no nonce, and takes replies as they come."""
    RNG = 1
    COUNTER = 2
    """The generator did not work: unique ID, cycle counter and time since the start, hashed under the key.
    Two starts that take the same time have the same one."""


class Integrity(IntEnum):
    """What a check of code and constants found."""

    SOUND = 0
    UNSEALED = 1
    """No CRC was written after linking, or one of another range."""
    FLASH = 2
    """Code or constants in flash differ from the CRC."""
    COPY = 3
    """Code in ITCM RAM differs from the flash that it was copied from."""


class RunFlag(IntEnum):
    """Options of a RUN."""

    LAYERS = 1


class ResetCause(IntEnum):
    """Why the device last reset, from RCC_CSR."""

    UNKNOWN = 0
    POWER_ON = 1
    PIN = 2
    SOFTWARE = 3
    WATCHDOG = 4


class Codec(IntEnum):
    """How payload symbols are packed."""

    NONE = 0
    LZW = 1
    RANGE = 2
    HUFFMAN = 3
    LZ4 = 4
    CONTEXT = 5


class Order(IntEnum):
    """In which order payload symbols are packed."""

    PLANES = 0
    ROWS = 1


LZW_WIDTH_MAX: Final = 12
LZW_ENTRIES: Final = 1 << LZW_WIDTH_MAX
"""The LZW table freezes when full; the first code table holds the alphabet itself."""

LZW_SCRATCH_BYTES: Final = 4 * LZW_ENTRIES
"""The firmware's encoder: one word for every entry (first child, next sibling, symbol)."""

RANGE_BITS: Final = 12
"""Frequencies of the range coder sum to 2^12 in every channel. A symbol then costs at most 12 bits, and
dividing a range of 24 bits or more rounds away less than 2^-12 of it."""

CONTEXT_LEVELS: Final = 4
"""What a context tells apart in each of its two sources."""

CONTEXT_ALPHABET_MAX: Final = 16
"""Both levels and a symbol fill a byte."""

CONTEXT_LEFT: Final = 0xFFFF
"""The source to the left; others are channels."""

HUFFMAN_LENGTH_MAX: Final = 15
"""Bits of the longest Huffman code: a halfword that is not full yet and one code fit a word."""

SHUFFLE_BLOCK: Final = 1024
"""Symbols whose bits are regrouped at a time."""

LZ4_HASH_BITS: Final = 10
LZ4_SYMBOLS_MAX: Final = 0xFFFF
"""The encoder remembers positions in 16 bits."""

LZ4_SCRATCH_BYTES: Final = (2 << LZ4_HASH_BITS) + SHUFFLE_BLOCK
"""The firmware's encoder: a position for every hash, and one block on its way through the shuffle."""
