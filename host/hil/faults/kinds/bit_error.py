"""Bits that change on the way: seen by the frame's CRC, or before there was one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.values import one_of, whole
from hil.faults.wire import Passed, Seen
from hil.wire import frames
from hil.wire.frames import Frame

CONTENT: Final = ("input", "payload", "reply", "result")
"""Frames whose body an answer rests on."""
_BITS: Final = Setting("bits", 1, whole(1, 64), "bits", "so many, at random places of the frame")


class BitErrorAfterCrc(FrameInjection):
    """Flips bits of the frame as it is on the wire."""

    def strike(self, seen: Seen) -> Sequence[Passed]:
        data = flipped(seen.encoded, self.random, self.settings["bits"])
        self.took_place(f"{self.settings['bits']} bits of {seen.name} {seen.way}")
        return (Passed(data),)


class BitErrorBeforeCrc(FrameInjection):
    """Flips bits of a body, and makes the CRC anew: as memory does that changes before the frame is made."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._content = CONTENT if self._wanted == "any" else (self._wanted,)
        self._usual = 1

    def counts(self, seen: Seen) -> bool:
        return seen.name in self._content

    def strike(self, seen: Seen) -> Sequence[Passed]:
        frame = seen.frame
        assert frame is not None
        body = flipped(frame.body, self.random, self.settings["bits"])
        self.took_place(f"{self.settings['bits']} bits of the body of {seen.name} {seen.way}")
        return (Passed(frames.encode(Frame(frame.kind, frame.sequence, body, frame.version))),)


def flipped(data: bytes, random: Random, bits: int) -> bytes:
    """`data` with so many different bits changed."""
    changed = bytearray(data)
    for place in random.sample(range(8 * len(data)), min(bits, 8 * len(data))):
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


BIT_ERROR_AFTER_CRC: Final = Kind(
    "bit-error-after-crc",
    Layer.LINK,
    "bits of a frame change on the wire",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.LOCAL, Outcome.FALLBACK}),
    BitErrorAfterCrc,
    (FRAME, _BITS),
    trials=("rate=0.9", "rate=0.9,bits=5"),
)
BIT_ERROR_BEFORE_CRC: Final = Kind(
    "bit-error-before-crc",
    Layer.LINK,
    "bits of a frame's body change before its CRC is made, so that the CRC is right",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.LOCAL, Outcome.FALLBACK, Outcome.FAILED}),
    BitErrorBeforeCrc,
    (
        Setting(
            "frame", "any", one_of(("any", *CONTENT)), "", f"any or {', '.join(CONTENT)}; of any, by chance"
        ),
        _BITS,
    ),
    trials=("rate=0.9", "rate=0.9,bits=3"),
    usual=1000,
)
