"""Reliable messages over a channel: acknowledge, retransmit, drop duplicates, stop and wait.

Both sides follow the same rules. A sender has one frame outstanding; it repeats it on a NAK or
after `RETRANSMIT_MS`, and gives up after `TRIES_MAX`. A receiver acknowledges every intact frame
by its sequence number, delivers it when that is ahead of the last one's, and answers damage with NAK. A
conversation goes on counting beyond the numbers of the one before it: late frames of that are old in this.
A STARTED in the middle of a conversation ends it: whoever waits for the device gets a DeviceResetError.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

from hil.errors import BoardError, ProtocolError
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.messages import MESSAGES
from hil.wire.numbers import Numbers
from hil.wire.protocol import (
    NAK_PAUSE_MS,
    PROTOCOL_VERSION,
    RETRANSMIT_MS,
    TRIES_MAX,
    FrameType,
    RejectReason,
    ResetCause,
)
from hil.wire.to_device import Hello
from hil.wire.to_host import Started

LEAD_S = 0.001
"""A message with a set time is handed to the channel this much earlier. Until then the sender
listens, so that the acknowledgements it owes are not queued behind the message."""

_ENDS = (FrameType.FAULT, FrameType.STARTED)

_RESET_HINTS = {
    ResetCause.POWER_ON: "check its supply",
    ResetCause.PIN: "something pulled NRST low: a button, a debugger, or its supply",
    ResetCause.WATCHDOG: "the firmware hung, or computed longer than the watchdog allows",
}
"""What to look for; before a reset by software the device tells its fault."""


class PeerSilentError(BoardError):
    """The device did not acknowledge or answer in time; it may be reset and addressed again."""


class DeviceResetError(BoardError):
    """The device began anew in the middle of a conversation; it may be greeted again at once."""

    @classmethod
    def by(cls, cause: ResetCause) -> Self:
        """What the device says of it."""
        return cls(f"the device was reset ({cause.name})", _RESET_HINTS.get(cause, ""))


class Channel(Protocol):
    """Bytes to and from a board, on the board's own clock (virtual on the twin, real on hardware)."""

    def now_s(self) -> float:
        """The channel's time."""
        ...

    def write(self, data: bytes, at_s: float | None = None) -> None:
        """Sends `data`; the first bit leaves now, or at `at_s` when that is later."""
        ...

    def read(self, until_s: float) -> bytes:
        """Waits for bytes until the channel's time reaches `until_s`; b"" when none came."""
        ...

    def byte_s(self) -> float:
        """Seconds one byte takes on the wire (ten bits at the current rate)."""
        ...


@runtime_checkable
class AdjustableRate(Protocol):
    """What a channel also is when the host has to set its end's rate (an emulated UART needs it not)."""

    def set_baud(self, baud: int) -> None:
        """Sends and receives at `baud` bits a second from now on."""
        ...


@dataclass(frozen=True)
class Received:
    """A message, when its frame began and ended on the channel's clock, and its bytes on the wire."""

    message: Message
    began_s: float
    ended_s: float
    wire_bytes: int


@dataclass
class Counters:
    """What went wrong on the wire and was put right."""

    retransmissions: int = 0
    damaged: int = 0
    duplicates: int = 0
    strays: int = 0
    """Too far ahead to be of this conversation: neither delivered nor acknowledged."""
    unknown: int = 0


@dataclass
class Transport:
    """The host's end of the wire.

    `trace(direction, time_s, data)` sees all bytes, for the transcript of a run.
    """

    channel: Channel
    trace: Callable[[str, float, bytes], None] = lambda direction, time_s, data: None
    counters: Counters = field(default_factory=Counters)
    retransmit_s: float = RETRANSMIT_MS / 1000
    numbers: Numbers = field(default_factory=Numbers)

    def __post_init__(self) -> None:
        self._decoder = StreamDecoder()
        self._inbox: deque[Received] = deque()
        self._last: Frame | None = None
        """The last message of this conversation, whatever its number."""
        self._talking = False
        """The device was greeted, answered, and has not begun anew since."""
        self._acknowledged: int | None = None
        self._asked_again = False
        self._next_nak_s = 0.0

    def send(self, message: Message, at_s: float | None = None) -> None:
        """Sends `message`, its first bit not before `at_s`, and returns when it was acknowledged.

        Messages that arrive meanwhile are kept for `receive`; HELLO discards those that came before
        it. Raises PeerSilentError when the peer does not acknowledge any of `TRIES_MAX` transmissions,
        DeviceResetError when it was reset.
        """
        if isinstance(message, Hello):
            self.numbers.begin()
            self._last, self._talking = None, False
            self._inbox.clear()
        self._check_reset()
        if at_s is not None:
            self.listen(at_s - LEAD_S)
        encoded = frames.encode(Frame(message.frame_type, self.numbers.next(), message.pack()))
        start_s = max(self.channel.now_s(), at_s or 0.0)
        self._acknowledged = None
        for attempt in range(TRIES_MAX):
            self._put(encoded, start_s if attempt == 0 else None)
            self.counters.retransmissions += attempt > 0
            sent_s = max(start_s, self.channel.now_s()) + len(encoded) * self.channel.byte_s()
            if self._await_acknowledgement(sent_s + self.retransmit_s):
                return
        raise PeerSilentError(
            f"the device did not acknowledge {message.frame_type.name} in {TRIES_MAX} tries",
            "check the cable and the baud rate, or reset the board",
        )

    def receive(self, until_s: float) -> Received | None:
        """The next message, or None when none came before `until_s` on the channel's clock.

        Raises DeviceResetError when the device was reset; what it said before comes first.
        """
        while not self._inbox:
            progressed = self._pump(until_s)
            if self._is_over(until_s, progressed):
                break
        received = self._inbox.popleft() if self._inbox else None
        if received is not None and isinstance(received.message, Started):
            raise DeviceResetError.by(received.message.reset_cause)
        return received

    def listen(self, until_s: float) -> None:
        """Lets the channel's time pass; messages that come are acknowledged, and kept for `receive`.

        Raises DeviceResetError when the device was reset.
        """
        while self.channel.now_s() < until_s:
            self._pump(until_s)
            self._check_reset()

    def _check_reset(self) -> None:
        for received in self._inbox:
            if isinstance(received.message, Started):
                raise DeviceResetError.by(received.message.reset_cause)

    def _is_over(self, until_s: float, progressed: bool) -> bool:
        """Bytes that are there are still read when the time has come, but a babbler is cut off."""
        now_s = self.channel.now_s()
        return now_s >= until_s and (not progressed or now_s >= until_s + self.retransmit_s)

    def _await_acknowledgement(self, until_s: float) -> bool:
        self._asked_again = False
        while self._acknowledged != self.numbers.sent:
            progressed = self._pump(until_s)
            self._check_reset()
            if self._asked_again or self._is_over(until_s, progressed):
                return self._acknowledged == self.numbers.sent
        return True

    def _pump(self, until_s: float) -> bool:
        data = self.channel.read(until_s)
        if not data:
            return False
        ended_s = self.channel.now_s()
        self.trace("rx", ended_s, data)
        for outcome in self._decoder.feed(data):
            if isinstance(outcome, Damaged):
                self._refuse(outcome)
            else:
                self._accept(outcome, ended_s)
        return True

    def _refuse(self, damaged: Damaged) -> None:
        self.counters.damaged += 1
        now_s = self.channel.now_s()
        if now_s >= self._next_nak_s:
            self._next_nak_s = now_s + NAK_PAUSE_MS / 1000
            self._put(frames.encode(Frame(FrameType.NAK, 0, bytes([damaged.reason]))))

    def _accept(self, frame: Frame, ended_s: float) -> None:
        if frame.version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"the device speaks protocol {frame.version}, the host {PROTOCOL_VERSION}",
                "rebuild and flash the firmware with `hil build`",
            )
        if frame.kind == FrameType.ACK:
            self._acknowledged = frame.sequence if frame.sequence == self.numbers.sent else self._acknowledged
        elif frame.kind == FrameType.NAK:
            self._asked_again = True
        elif frame.kind == FrameType.STARTED and not self._talking:
            pass  # there is no conversation that it could end, and a HELLO is its answer
        elif frame.kind not in MESSAGES:
            self.counters.unknown += 1
            self._acknowledge(frame)
        elif self._is_new(frame):
            self._acknowledge(frame)
            self._deliver(frame, ended_s)
        elif self._is_last(frame) or self.numbers.is_behind(frame.sequence):
            self.counters.duplicates += 1
            self._acknowledge(frame)
        else:
            self.counters.strays += 1

    def _deliver(self, frame: Frame, ended_s: float) -> None:
        self._talking = (self._talking or frame.kind == FrameType.CAPABILITY) and frame.kind not in _ENDS
        self._last = frame
        if self.numbers.is_ahead(frame.sequence):
            self.numbers.delivered = frame.sequence
        message = MESSAGES[FrameType(frame.kind)].unpack(frame.body)
        size = len(frames.encode(frame))
        began_s = ended_s - size * self.channel.byte_s()
        self._inbox.append(Received(message, began_s, ended_s, size))

    def _is_new(self, frame: Frame) -> bool:
        ahead = self.numbers.is_ahead(frame.sequence)
        return not self._is_last(frame) and (ahead or self._begins_anew(frame))

    def _is_last(self, frame: Frame) -> bool:
        last = self._last
        return last is not None and (frame.kind, frame.sequence) == (last.kind, last.sequence)

    def _begins_anew(self, frame: Frame) -> bool:
        """A device that was reset, or took a HELLO that came late for ours, has other numbers: these tell."""
        if frame.kind == FrameType.REJECT:
            return frame.body[1:] == bytes([RejectReason.NOT_CONFIGURED])
        if frame.kind == FrameType.CAPABILITY:
            return self._talking  # as an answer to a greeting, only that with its number will do
        return frame.kind in _ENDS

    def _acknowledge(self, frame: Frame) -> None:
        self._put(frames.encode(Frame(FrameType.ACK, frame.sequence)))

    def _put(self, encoded: bytes, at_s: float | None = None) -> None:
        self.trace("tx", max(self.channel.now_s(), at_s or 0.0), encoded)
        self.channel.write(encoded, at_s)
