"""Replies that are not the server half's: made up, or once true and sent again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer
from hil.faults.kinds.frames import FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.wire import Passed, Seen
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.to_device import Reply

_SURE: Final = 0x7FFF
"""The greatest logit there is."""


class FalseReply(FrameInjection):
    """Somebody on the way puts a reply of its own in the place of the true one, with a right CRC."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__({**settings, "frame": "reply"}, random)

    def strike(self, seen: Seen) -> Sequence[Passed]:
        frame = seen.frame
        assert frame is not None
        false = self.false(Reply.unpack(frame.body))
        if false is None:
            return self.let(seen)
        return (Passed(frames.encode(Frame(frame.kind, frame.sequence, false.pack(), frame.version))),)

    @abstractmethod
    def false(self, true: Reply) -> Reply | None:
        """What is sent instead of `true`; None when there is nothing to send."""


class ForgedReply(FalseReply):
    """Logits that make another class win, with the true reply's tag, where it has one, or a guessed one."""

    def false(self, true: Reply) -> Reply | None:
        if not true.logits:
            return None
        best = max(range(len(true.logits)), key=lambda place: true.logits[place])
        other = (best + self.random.randrange(1, max(2, len(true.logits)))) % len(true.logits)
        logits = tuple(_SURE if place == other else logit for place, logit in enumerate(true.logits))
        guessed = bool(true.tag) and self.random.random() < 0.5
        self.took_place(f"class {other} for {best}, {'a guessed tag' if guessed else 'the true tag'}")
        return replace(true, logits=logits, tag=self.random.randbytes(len(true.tag)) if guessed else true.tag)


class ReplayedReply(FalseReply):
    """The reply to an earlier sample, as it was or with the number of this one."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._former: Reply | None = None

    def let(self, seen: Seen) -> Sequence[Passed]:
        frame = seen.frame
        if frame is not None and self.counts(seen):
            self._former = Reply.unpack(frame.body)
        return super().let(seen)

    def false(self, true: Reply) -> Reply | None:
        former = self._former
        if former is None or former.sample == true.sample:
            return None
        as_it_was = self.random.random() < 0.5
        self.took_place(f"of sample {former.sample}, {'as it was' if as_it_was else 'with a new number'}")
        return former if as_it_was else replace(former, sample=true.sample)


FORGED_REPLY: Final = Kind(
    "forged-reply",
    Layer.SERVER,
    "somebody on the way answers instead of the server half",
    frozenset({Outcome.FALLBACK, Outcome.FAILED}),
    ForgedReply,
    own_server=True,
    usual=200,
    trials=("rate=0.9",),
    keyed=True,
)
REPLAYED_REPLY: Final = Kind(
    "replayed-reply",
    Layer.SERVER,
    "somebody on the way sends the reply to an earlier sample again",
    frozenset({Outcome.FALLBACK, Outcome.FAILED}),
    ReplayedReply,
    own_server=True,
    usual=200,
    trials=("rate=0.6",),
    keyed=True,
)
