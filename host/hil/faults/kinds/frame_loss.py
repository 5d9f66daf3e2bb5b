"""Frames that never arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.values import whole
from hil.faults.wire import Passed, Seen
from hil.wire.protocol import TRIES_MAX


class FrameLoss(FrameInjection):
    """Drops so many frames in a row."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self.frames_hit = settings["frames"]

    def strike(self, seen: Seen) -> Sequence[Passed]:
        self.took_place(f"{seen.name} {seen.way} lost")
        return ()


FRAME_LOSS: Final = Kind(
    "frame-loss",
    Layer.LINK,
    "frames on the wire never arrive",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.FALLBACK, Outcome.LOCAL, Outcome.FAILED}),
    FrameLoss,
    (FRAME, Setting("frames", 1, whole(1, 4 * TRIES_MAX), "frames", "so many in a row")),
    trials=("rate=0.9", "rate=0.9,frames=3", "rate=0.3,frames=9"),
)
