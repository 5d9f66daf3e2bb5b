"""The C transport against its rules, and against the host's transport over a wire that damages."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from enum import IntEnum

import pytest

from hil.errors import BoardError
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.protocol import (
    BODY_MAX,
    PROTOCOL_VERSION,
    RETRANSMIT_MS,
    TRIES_MAX,
    FrameType,
    Integrity,
    NakReason,
    ResetCause,
)
from hil.wire.protocol import RejectReason as Reason
from hil.wire.to_device import Hello, Input, Run
from hil.wire.to_host import Capability, Checked, Layers, Reject
from hil.wire.transport import Received, Transport
from hil_tests.unit.mcu.harness import Harness

RUN = Run(5).pack()


class Sending(IntEnum):
    IDLE = 0
    WAITING = 1
    GAVE_UP = 2
    ABANDONED = 3


@dataclass(frozen=True)
class After:
    """What one call left behind."""

    sending: Sending
    inbox: tuple[int, bytes] | None
    written: bytes

    @property
    def frames(self) -> list[Frame | Damaged]:
        return list(StreamDecoder().feed(self.written))


@dataclass
class Device:
    """The C transport, its UART and its clock."""

    harness: Harness

    def call(self, what: str, data: bytes = b"") -> After:
        answer = self.harness.ask("T", what.encode() + data)
        state, full, kind = answer[:3]
        (count,) = struct.unpack_from("<I", answer, 3)
        inbox = (kind, answer[7 : 7 + count]) if full else None
        return After(Sending(state), inbox, answer[7 + count :])

    def receive(self, *sent: Frame) -> After:
        return self.call("r", b"".join(map(frames.encode, sent)))

    def begin(self, kind: FrameType, body: bytes = b"") -> After:
        return self.call("b", bytes([kind]) + body)

    def wait_ms(self, milliseconds: int) -> After:
        return self.call("t", struct.pack("<I", milliseconds))


@pytest.fixture
def device(fresh: Harness) -> Device:
    return Device(fresh)


def ack(sequence: int) -> Frame:
    return Frame(FrameType.ACK, sequence)


def test_a_message_is_delivered_and_acknowledged(device: Device) -> None:
    after = device.receive(Frame(FrameType.RUN, 9, RUN))
    assert after.inbox == (FrameType.RUN, RUN)
    assert after.frames == [ack(9)]


def test_a_repetition_is_acknowledged_but_not_delivered(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 9, RUN))
    device.call("d")
    after = device.receive(Frame(FrameType.RUN, 9, RUN))
    assert after.inbox is None
    assert after.frames == [ack(9)]


def test_a_second_message_waits_until_the_first_was_read(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    after = device.receive(Frame(FrameType.INPUT, 2, b"later"))
    assert after.inbox == (FrameType.RUN, RUN)
    assert after.frames == []
    device.call("d")
    after = device.receive(Frame(FrameType.INPUT, 2, b"later"))
    assert after.inbox == (FrameType.INPUT, b"later")
    assert after.frames == [ack(2)]


def test_damage_is_answered_with_its_reason(device: Device) -> None:
    damaged = bytearray(frames.encode(Frame(FrameType.RUN, 1, RUN)))
    damaged[-3] ^= 0x20
    after = device.call("r", bytes(damaged))
    assert after.frames == [Frame(FrameType.NAK, 0, bytes([NakReason.CRC]))]
    device.wait_ms(20)
    assert device.call("r", b"\x05ab\0").frames == [Frame(FrameType.NAK, 0, bytes([NakReason.COBS]))]
    device.wait_ms(20)
    assert device.call("r", b"\x03ab\0").frames == [Frame(FrameType.NAK, 0, bytes([NakReason.LENGTH]))]


def test_a_frame_damaged_in_many_places_is_asked_for_once(device: Device) -> None:
    assert len(device.call("r", b"\x05ab\0" * 50).frames) == 1
    assert device.wait_ms(19).written == b""
    assert device.call("r", b"\x05ab\0").written == b""
    device.wait_ms(1)
    assert len(device.call("r", b"\x05ab\0").frames) == 1


def test_an_acknowledged_frame_is_not_sent_again(device: Device) -> None:
    (sent,) = device.begin(FrameType.RESULT, b"x").frames
    assert sent == Frame(FrameType.RESULT, 1, b"x")
    assert device.receive(ack(1)).sending == Sending.IDLE
    assert device.wait_ms(10 * RETRANSMIT_MS).written == b""


def test_another_frame_s_acknowledgement_does_not_count(device: Device) -> None:
    device.begin(FrameType.RESULT)
    assert device.receive(ack(2)).sending == Sending.WAITING


def test_a_nak_repeats_at_once(device: Device) -> None:
    first = device.begin(FrameType.RESULT, b"x").written
    assert device.receive(Frame(FrameType.NAK, 0, b"\1")).written == first


def test_a_nak_while_the_frame_is_leaving_is_ignored(device: Device) -> None:
    first = device.begin(FrameType.RESULT, bytes(range(200)) * 5).written
    assert device.receive(Frame(FrameType.NAK, 0, b"\1")).written == b""
    device.wait_ms(len(first) // 100)
    assert device.receive(Frame(FrameType.NAK, 0, b"\1")).written == first


def test_a_nak_out_of_turn_is_ignored(device: Device) -> None:
    assert device.receive(Frame(FrameType.NAK, 0, b"\1")).written == b""


def test_silence_repeats_and_then_gives_up(device: Device) -> None:
    first = device.begin(FrameType.RESULT, b"x").written
    assert device.wait_ms(RETRANSMIT_MS - 1).written == b""
    for _ in range(TRIES_MAX - 1):
        after = device.wait_ms(RETRANSMIT_MS + 5)
        assert after.written == first
        assert after.sending == Sending.WAITING
    assert device.wait_ms(RETRANSMIT_MS + 5).sending == Sending.GAVE_UP
    assert device.wait_ms(10 * RETRANSMIT_MS).written == b""


def test_hello_starts_over(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    device.begin(FrameType.RESULT)
    hello = Frame(FrameType.HELLO, 1, Hello(PROTOCOL_VERSION).pack())
    after = device.receive(hello)
    assert after.sending == Sending.ABANDONED
    assert after.inbox == (FrameType.HELLO, hello.body)
    assert after.frames == [ack(1)]
    assert device.begin(FrameType.CAPABILITY).frames == [Frame(FrameType.CAPABILITY, 1)]


@pytest.mark.parametrize("hello", [1, 0, 515, 0xFFFF])
def test_the_first_answer_has_the_number_of_the_hello(device: Device, hello: int) -> None:
    device.begin(FrameType.STARTED)
    device.receive(Frame(FrameType.HELLO, hello, Hello(PROTOCOL_VERSION).pack()))
    assert device.begin(FrameType.CAPABILITY).frames == [Frame(FrameType.CAPABILITY, hello)]
    assert device.receive(ack(hello)).sending == Sending.IDLE
    assert device.begin(FrameType.RESULT).frames == [Frame(FrameType.RESULT, (hello + 1) & 0xFFFF)]


@pytest.mark.parametrize(("last", "late"), [(5, 4), (5, 1), (5, 0xFFFF), (2, 0x8003), (0x9000, 0x8FFF)])
def test_a_frame_that_others_have_overtaken_is_acknowledged_and_dropped(
    device: Device, last: int, late: int
) -> None:
    device.receive(Frame(FrameType.RUN, last, RUN))
    device.call("d")
    after = device.receive(Frame(FrameType.INPUT, late, b"old"))
    assert after.frames == [ack(late)]
    assert after.inbox is None


@pytest.mark.parametrize(("last", "new"), [(5, 6), (0xFFFF, 0), (2, 0x8001)])
def test_the_frames_after_it_are_new(device: Device, last: int, new: int) -> None:
    device.receive(Frame(FrameType.RUN, last, RUN))
    device.call("d")
    assert device.receive(Frame(FrameType.INPUT, new, b"new")).inbox == (FrameType.INPUT, b"new")


def test_unknown_types_and_versions_are_delivered_for_refusal(device: Device) -> None:
    after = device.receive(Frame(0x77, 4, b"?", version=9))
    assert after.inbox == (0x77, b"?")
    assert after.frames == [ack(4)]


def test_foreign_acknowledgements_are_ignored(device: Device) -> None:
    device.begin(FrameType.RESULT)
    after = device.receive(Frame(FrameType.ACK, 1, version=9))
    assert after.sending == Sending.WAITING
    assert after.written == b""


def test_the_longest_body_passes(device: Device) -> None:
    body = bytes(range(256)) * 4 + bytes(BODY_MAX - 1024)
    assert device.receive(Frame(FrameType.INPUT, 1, body)).inbox == (FrameType.INPUT, body)


@pytest.mark.parametrize("count", [0, 1, 249, 250, 254, 508, BODY_MAX])
@pytest.mark.parametrize("step", [0, 1])
def test_a_body_may_be_made_where_it_is_sent_from(device: Device, count: int, step: int) -> None:
    body = bytes((1 + step * i) % 256 for i in range(count))
    sent = device.call("m", bytes([FrameType.RESULT]) + body)
    assert sent.frames == [Frame(FrameType.RESULT, 1, body)]
    assert device.wait_ms(2 * RETRANSMIT_MS).written == sent.written


def test_an_acknowledgement_passes_a_message_that_waits_and_one_behind_it(device: Device) -> None:
    device.begin(FrameType.RESULT)
    device.receive(Frame(FrameType.RUN, 1, RUN))
    after = device.receive(Frame(FrameType.INPUT, 2, bytes(500)), ack(1))
    assert after.sending == Sending.IDLE
    assert after.inbox == (FrameType.RUN, RUN)
    assert after.frames == []


def test_damage_behind_a_message_that_waits_is_told(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    damaged = bytearray(frames.encode(Frame(FrameType.INPUT, 2, bytes(500))))
    damaged[-3] ^= 0x20
    after = device.call("r", bytes(damaged))
    assert after.frames == [Frame(FrameType.NAK, 0, bytes([NakReason.CRC]))]
    assert after.inbox == (FrameType.RUN, RUN)


def test_a_message_that_began_behind_another_has_to_come_again(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    late = frames.encode(Frame(FrameType.INPUT, 2, b"x" * 500))
    device.call("r", late[:100])
    device.call("d")
    after = device.call("r", late[100:])
    assert (after.inbox, after.frames) == (None, [])
    assert device.call("r", late).inbox == (FrameType.INPUT, b"x" * 500)


@pytest.mark.parametrize("body", [b"", Hello(PROTOCOL_VERSION).pack(), b"8 bytes."])
def test_a_hello_takes_the_place_of_a_message_that_waits(device: Device, body: bytes) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    after = device.receive(Frame(FrameType.HELLO, 0, body))
    assert after.inbox == (FrameType.HELLO, body)
    assert after.frames == [ack(0)]


def test_a_hello_too_long_to_be_kept_is_heard_the_second_time(device: Device) -> None:
    device.receive(Frame(FrameType.RUN, 1, RUN))
    hello = Frame(FrameType.HELLO, 0, b"a body of another version")
    assert device.receive(hello).inbox is None
    assert device.receive(hello).inbox == (FrameType.HELLO, hello.body)


@dataclass
class BadWire:
    """A channel to the C transport that flips, drops and inserts bytes, on a clock of milliseconds."""

    device: Device
    rate: float
    rng: random.Random
    sending: Sending = Sending.IDLE
    delivered: list[tuple[int, bytes]] = field(default_factory=list)
    _now_ms: int = 0
    _arrived: bytearray = field(default_factory=bytearray)

    def now_s(self) -> float:
        return self._now_ms / 1000

    def byte_s(self) -> float:
        return 1e-5

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self._take(self.device.call("r", self._damage(data)))

    def read(self, until_s: float) -> bytes:
        while not self._arrived and self.now_s() < until_s:
            self._now_ms += 10
            self._take(self.device.wait_ms(10))
        data = bytes(self._arrived)
        self._arrived.clear()
        return data

    def begin(self, kind: FrameType, body: bytes) -> None:
        self._take(self.device.begin(kind, body))

    def _take(self, after: After) -> None:
        if after.inbox is not None:
            self.delivered.append(after.inbox)
            self.device.call("d")
        self.sending = after.sending
        self._arrived += self._damage(after.written)

    def _damage(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            fate = self.rng.random()
            if fate < self.rate:
                out.append(byte ^ 1 << self.rng.randrange(8))
            elif fate >= 1.5 * self.rate:
                out.append(byte)
            if fate > 1 - self.rate / 2:
                out.append(self.rng.randrange(256))
        return bytes(out)


@pytest.mark.parametrize("seed", range(8))
def test_both_transports_lose_and_double_nothing(device: Device, seed: int) -> None:
    wire = BadWire(device, rate=0.002, rng=random.Random(seed))
    host = Transport(wire)
    uploaded = [Input(1, 4096, 64 * i, bytes([i]) * 64) for i in range(30)]
    came: list[Received] = []
    told = [Reject(i, Reason.VALUE) for i in range(30)]
    try:
        for sent, reject in zip(uploaded, told, strict=True):
            host.send(sent)
            wire.begin(FrameType.REJECT, reject.pack())
            while wire.sending == Sending.WAITING:
                if (received := host.receive(wire.now_s() + 0.05)) is not None:
                    came.append(received)
    except BoardError:
        pytest.skip("eight tries in a row were damaged")
    while (received := host.receive(wire.now_s() + 0.05)) is not None:
        came.append(received)
    assert wire.delivered == [(FrameType.INPUT, message.pack()) for message in uploaded]
    assert [received.message for received in came] == told
    assert host.counters.retransmissions > 0


@dataclass
class LateWire(BadWire):
    """A wire on which frames of earlier conversations come again, around those of this one."""

    down: list[bytes] = field(default_factory=list)
    up: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self.said.append(data)
        self._take(self.device.call("r", self._among(self.down, data)))

    def _damage(self, data: bytes) -> bytes:
        self.heard += [b"\0" + frame + b"\0" for frame in data.split(b"\0") if frame]
        return self._among(self.up, data)

    def _among(self, past: list[bytes], data: bytes) -> bytes:
        late = [self.rng.choice(past) for _ in range(self.rng.randrange(3) if past else 0)]
        return b"".join(late[:1]) + data + b"".join(late[1:])

    def grow_old(self) -> None:
        """All that was said so far may come again, but greetings and their answers."""
        for past, lately in ((self.down, self.said), (self.up, self.heard)):
            greetings = (FrameType.HELLO, FrameType.CAPABILITY)
            past += [one for one in lately if frames.decode(one.strip(b"\0")).kind not in greetings]
            lately.clear()


CAPABILITY = Capability(
    PROTOCOL_VERSION, (0, 1, 0), ResetCause.PIN, 216_000_000, 1_000_000, 4096, 64, 300, 10, 3, bytes(32),
    Checked(Integrity.SOUND, 0x12345678, 30_000, 400_000),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_frames_of_an_earlier_conversation_are_old_on_both_sides(device: Device, seed: int) -> None:
    """Neither delivered nor taken for an acknowledgement, however many messages the two have got ahead."""
    wire = LateWire(device, rate=0.0, rng=random.Random(seed))
    host = Transport(wire)

    def tell(kind: FrameType, body: bytes) -> Message:
        wire.begin(kind, body)
        received = host.receive(wire.now_s() + 0.05)
        assert received is not None
        assert wire.sending == Sending.IDLE
        return received.message

    for _ in range(4):
        wire.grow_old()
        host.send(Hello(PROTOCOL_VERSION))
        assert tell(FrameType.CAPABILITY, CAPABILITY.pack()) == CAPABILITY
        wire.delivered.clear()
        sent = [Input(number, 4096, 64, bytes(64)) for number in range(wire.rng.randrange(12))]
        for message in sent:
            host.send(message)
            for layer in range(wire.rng.randrange(4)):
                told = Layers(message.sample, (layer,))
                assert tell(FrameType.LAYERS, told.pack()) == told
        assert wire.delivered == [(FrameType.INPUT, message.pack()) for message in sent]
    assert host.counters.retransmissions == 0
