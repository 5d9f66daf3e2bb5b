"""How far to run at once. A step costs the host milliseconds, and blurs when in it things happened.

Conversations repeat. How long the device was silent after the same two frames last time tells how
long it will be now: nine tenths of that go in one step, the rest in fine ones. Virtual time alone
decides, so that a run is the same on every host.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FINE_US: Final = 25
LONGEST_US: Final = 20_000
_GROWTH: Final = 1.25
_TRUST: Final = 0.9
_KIND: Final = 3
"""Where a frame has its type: delimiter, COBS code, version, type."""

Key = tuple[int, int, int]


def kind(data: bytes) -> int:
    """The type of the frame that `data` begins with, as far as that can be seen."""
    return data[_KIND] if len(data) > _KIND else -1


@dataclass
class Pace:
    """Follows a conversation and says how long the next step should be. Times in microseconds."""

    _wrote: int = -1
    _heard: int = -1
    _answers: int = 0
    """Times the device was heard since the last write."""
    _since_us: int = 0
    _step_us: float = FINE_US
    _silences: dict[Key, int] = field(default_factory=dict)

    def wrote(self, data: bytes, now_us: int) -> None:
        """The host put `data` on the wire."""
        if now_us > self._since_us:
            self._learn(now_us)
        self._wrote, self._answers = kind(data), 0
        self._restart(now_us)

    def heard(self, data: bytes, now_us: int) -> None:
        """The device sent `data`."""
        self._learn(now_us)
        self._heard = kind(data)
        self._answers += 1
        self._restart(now_us)

    def next_us(self, now_us: int) -> int:
        """The length of the next step."""
        expected = self._silences.get(self._key, 0)
        ahead = int(_TRUST * expected) - (now_us - self._since_us)
        if ahead > FINE_US:
            return ahead
        step = int(self._step_us)
        self._step_us = min(self._step_us * _GROWTH, LONGEST_US)
        return step

    @property
    def _key(self) -> Key:
        return self._wrote, self._heard, self._answers

    def _learn(self, now_us: int) -> None:
        silence = now_us - self._since_us
        self._silences[self._key] = min(self._silences.get(self._key, silence), silence)

    def _restart(self, now_us: int) -> None:
        self._since_us = now_us
        self._step_us = FINE_US
