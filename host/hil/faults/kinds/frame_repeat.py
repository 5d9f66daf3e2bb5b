"""Frames that arrive twice, or in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.values import whole
from hil.faults.wire import Passed, Seen, Way
from hil.wire.transport import Channel


class FrameDuplicate(FrameInjection):
    """Passes a frame, and passes it again when so many others have followed it the same way."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._after: int = settings["after"]
        self._kept: list[tuple[Seen, int]] = []
        """Copies, and how many frames each still waits for."""

    def channel(self, channel: Channel) -> Channel:
        self._kept.clear()  # what was on a wire does not come out of the next one
        return super().channel(channel)

    def strike(self, seen: Seen) -> Sequence[Passed]:
        return self._again(seen, self._after)

    def let(self, seen: Seen) -> Sequence[Passed]:
        return self._again(seen, None)

    def _again(self, seen: Seen, after: int | None) -> Sequence[Passed]:
        waiting = [(copy, left - (copy.way is seen.way)) for copy, left in self._kept]
        if after is not None:
            waiting.append((seen, after))
        due = [copy for copy, left in waiting if left <= 0]
        self._kept = [(copy, left) for copy, left in waiting if left > 0]
        for copy in due:
            self.took_place(f"{copy.name} {copy.way} once more")
        return (Passed(seen.encoded), *(Passed(copy.encoded) for copy in due))


class FrameReorder(FrameInjection):
    """Holds a frame back until the next one the same way has passed."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._held: dict[Way, Seen] = {}

    def channel(self, channel: Channel) -> Channel:
        self._held.clear()
        return super().channel(channel)

    def strike(self, seen: Seen) -> Sequence[Passed]:
        if seen.way in self._held:
            return self.let(seen)
        self._held[seen.way] = seen
        return ()

    def let(self, seen: Seen) -> Sequence[Passed]:
        held = self._held.pop(seen.way, None)
        if held is None:
            return (Passed(seen.encoded),)
        self.took_place(f"{held.name} {held.way} after {seen.name}")
        return (Passed(seen.encoded), Passed(held.encoded))


FRAME_DUPLICATE: Final = Kind(
    "frame-duplicate",
    Layer.LINK,
    "a frame arrives twice",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.LOCAL}),
    FrameDuplicate,
    (FRAME, Setting("after", 0, whole(0, 8), "frames", "so many others come between the two")),
    trials=("rate=0.9", "rate=0.9,after=2", "rate=0.9,after=5"),
)
FRAME_REORDER: Final = Kind(
    "frame-reorder",
    Layer.LINK,
    "a frame arrives after the one that was sent after it",
    frozenset({Outcome.ANSWERED, Outcome.RETRIED, Outcome.LOCAL, Outcome.FALLBACK}),
    FrameReorder,
    (FRAME,),
    trials=("rate=0.9",),
)
