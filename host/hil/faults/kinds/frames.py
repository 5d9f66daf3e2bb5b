"""What faults of single frames have in common: which frame of a sample they strike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from hil.faults.injection import Injection
from hil.faults.kind import Setting
from hil.faults.values import one_of
from hil.faults.wire import FrameChannel, Passed, Seen
from hil.wire.transport import Channel

TYPES: Final = ("any", "input", "run", "payload", "reply", "result", "ack")
_LEAST: Final = 6
"""Frames of the shortest sample: input, run and result, each with its acknowledgement."""

FRAME: Final = Setting(
    "frame", "any", one_of(TYPES), "", f"which it strikes: {', '.join(TYPES)}; of any, one by chance"
)


class FrameInjection(Injection, ABC):
    """Strikes from one frame of an armed sample on; a kind says for how many, and what becomes of them."""

    frames_hit = 1

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._wanted: str = settings["frame"]
        self._usual = _LEAST if self._wanted == "any" else 1
        """How many such frames the last sample had that was not hit."""
        self._seen = 0
        self._first = 0

    def channel(self, channel: Channel) -> Channel:
        return FrameChannel(channel, self._filter)

    def begin(self, index: int) -> None:
        self._seen = 0
        self._first = self.random.randrange(self._usual)

    def end(self, index: int) -> None:
        if not self.armed and self._seen:
            self._usual = self._seen

    @abstractmethod
    def strike(self, seen: Seen) -> Sequence[Passed]:
        """What arrives instead of a frame that is hit."""

    def let(self, seen: Seen) -> Sequence[Passed]:
        """What arrives of a frame that is not."""
        return (Passed(seen.encoded),)

    def counts(self, seen: Seen) -> bool:
        """Whether it is one of those that may be hit."""
        return self._wanted in ("any", seen.name)

    def _filter(self, seen: Seen) -> Sequence[Passed]:
        if not self.counts(seen):
            return self.let(seen)
        place, self._seen = self._seen, self._seen + 1
        if not self.armed or not self._first <= place < self._first + self.frames_hit:
            return self.let(seen)
        return self.strike(seen)
