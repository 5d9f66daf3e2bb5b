"""Messages arrive once, in order, whatever the wire does to their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hil_tests.unit.session.fake_channel import VirtualWire
from hil_tests.unit.session.fake_device import FakeDevice, Mishaps, Model
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import BoardError, ProtocolError
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Frame, StreamDecoder
from hil.wire.numbers import AHEAD_MAX
from hil.wire.protocol import RETRANSMIT_MS, TRIES_MAX, FrameType, RejectReason, ResetCause
from hil.wire.to_device import Hello, Run
from hil.wire.to_host import Capability, Fault, Layers, Reject, Started
from hil.wire.transport import DeviceResetError, PeerSilentError, Transport


class Echo(FakeDevice):
    """Answers every Run with two Layers."""

    def __init__(self, wire: VirtualWire, silent: bool = False) -> None:
        super().__init__(wire, Model(), Mishaps(silent=silent, mute_starts=True))
        self.heard: list[Message] = []
        self.heard_at: list[float] = []

    def _on_message(self, message: Message) -> None:
        self.heard.append(message)
        self.heard_at.append(self.wire.now)
        if isinstance(message, Run):
            for part in range(2):
                self._say(Layers(message.sample, (part,)))


def pair(noise=lambda direction, data: data, silent: bool = False) -> tuple[Transport, Echo]:
    wire = VirtualWire(noise=noise)
    return Transport(wire), Echo(wire, silent)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.25))
def test_over_a_bad_wire_everything_arrives_exactly_once_and_in_order(seed, badness):
    draws = np.random.default_rng(seed)

    def noise(direction: str, data: bytes) -> bytes:
        if draws.random() >= badness:
            return data
        place = int(draws.integers(len(data)))
        kind = draws.integers(3)
        if kind == 0:
            return b""
        if kind == 1:
            return data[:place] + data[place + 1 :]
        return data[:place] + bytes([data[place] ^ int(draws.integers(1, 256))]) + data[place + 1 :]

    transport, echo = pair(noise)
    sent = [Run(number) for number in range(8)]
    got = []
    try:
        for run in sent:
            transport.send(run)
            while len(got) < 2 * run.sample + 2:
                received = transport.receive(transport.channel.now_s() + 5)
                if received is None:  # the device gave up after its eighth try
                    return
                got.append(received.message)
    except PeerSilentError:  # so did the host: allowed on a wire this bad, inventing messages is not
        pass
    else:
        assert got == [Layers(number, (part,)) for number in range(8) for part in range(2)]
    assert echo.heard == sent[: len(echo.heard)]


def test_on_a_good_wire_nothing_is_repeated():
    transport, _ = pair()
    transport.send(Run(1))
    assert transport.receive(1.0).message == Layers(1, (0,))
    counters = transport.counters
    assert (counters.retransmissions, counters.damaged, counters.duplicates) == (0, 0, 0)


def test_a_message_carries_the_time_its_frame_took():
    transport, _ = pair()
    transport.send(Run(1))
    received = transport.receive(1.0)
    assert received.ended_s - received.began_s == pytest.approx(received.wire_bytes * 10 / 921_600)
    assert received.wire_bytes == len(frames.encode(Frame(FrameType.LAYERS, 1, received.message.pack())))


def test_a_damaged_frame_is_asked_for_again_at_once():
    hurt = iter([True])

    def noise(direction: str, data: bytes) -> bytes:
        if direction == "host" and next(hurt, False):
            return data[:5] + b"\x99" + data[6:]
        return data

    transport, echo = pair(noise)
    transport.send(Run(1))
    assert echo.heard == [Run(1)]
    assert transport.counters.retransmissions == 1
    assert transport.channel.now_s() < RETRANSMIT_MS / 1000


def test_a_frame_damaged_in_several_places_is_asked_for_once():
    transport, echo = pair()
    asked = []
    transport.trace = lambda direction, time_s, data: direction == "tx" and asked.append(data)
    echo.wire.device_write(b"\x05ab\0\x07cd\0\x09ef\0")
    assert transport.receive(transport.channel.now_s() + 0.01) is None
    assert len(asked) == 1
    assert transport.counters.damaged == 3


def test_a_silent_peer_is_given_up_after_all_tries():
    transport, _ = pair(silent=True)
    with pytest.raises(PeerSilentError, match="RUN in 8 tries") as caught:
        transport.send(Run(1))
    assert isinstance(caught.value, BoardError)
    assert transport.counters.retransmissions == TRIES_MAX - 1
    assert transport.channel.now_s() == pytest.approx(TRIES_MAX * RETRANSMIT_MS / 1000, rel=0.05)


def test_nothing_received_is_none_once_the_time_has_come():
    transport, _ = pair()
    assert transport.receive(0.25) is None
    assert transport.channel.now_s() == pytest.approx(0.25)


def test_a_babbling_peer_cannot_hold_the_host():
    class Babbler(VirtualWire):
        def read(self, until_s: float) -> bytes:
            self.now += 0.001
            return b"\x55" * 20

    transport = Transport(Babbler())
    assert transport.receive(0.05) is None
    assert transport.channel.now_s() < 0.2
    with pytest.raises(PeerSilentError):
        transport.send(Run(1))


def test_a_message_with_a_set_time_arrives_then_while_acknowledgements_go_out_before():
    transport, echo = pair()
    transport.send(Run(1))
    reply = Run(2)
    size = len(frames.encode(Frame(reply.frame_type, 2, reply.pack())))
    transport.send(reply, at_s=0.5)
    assert echo.heard_at[1] == pytest.approx(0.5 + size * transport.channel.byte_s())
    assert echo._repeats == 0, "both of the device's messages were acknowledged in time"


def test_a_request_for_repetition_does_not_send_a_message_before_its_time():
    transport, echo = pair()
    echo.wire.after(0.01, lambda: echo.wire.device_write(frames.encode(Frame(FrameType.NAK, 0, b"\x01"))))
    transport.send(Run(3), at_s=0.3)
    assert echo.heard_at[0] > 0.3
    assert transport.counters.retransmissions == 0


def test_hello_forgets_what_came_before_it():
    transport, echo = pair()
    transport.send(Run(1))
    transport.listen(0.05)
    transport.send(Hello(1))
    assert echo.heard[-1] == Hello(1)
    assert transport.receive(0.1) is None, "the two answers to Run are of an earlier conversation"


def test_a_repeated_frame_is_delivered_once():
    transport, echo = pair()
    frame = frames.encode(Frame(FrameType.LAYERS, 5, Layers(1, (2,)).pack()))
    for _ in range(3):
        echo.wire.device_write(frame)
    assert transport.receive(0.1).message == Layers(1, (2,))
    assert transport.receive(0.1) is None
    assert transport.counters.duplicates == 2


def test_an_intact_frame_with_a_senseless_body_is_an_error_and_is_not_sent_again():
    transport, echo = pair()
    echo._outstanding = (5, frames.encode(Frame(FrameType.LAYERS, 5, b"?")))
    echo._transmit()
    with pytest.raises(ProtocolError, match="LAYERS"):
        transport.receive(0.1)
    assert transport.receive(1.0) is None
    assert echo._outstanding is None


def test_all_bytes_are_traced():
    wire = VirtualWire()
    Echo(wire)
    seen: list[tuple[str, float, bytes]] = []
    transport = Transport(wire, lambda *line: seen.append(line))
    transport.send(Run(1))
    assert [direction for direction, _, _ in seen] == ["tx", "rx"]
    assert frames.decode(seen[0][2].strip(b"\0")) == Frame(FrameType.RUN, 1, Run(1).pack())


STARTED = Started(ResetCause.WATCHDOG)
FAULT = Fault(1, 2, 3, 4, 5)


def greeted(silent: bool = False) -> tuple[Transport, Echo]:
    """A conversation that goes on; if `silent`, with a device that does not listen any more."""
    transport, echo = pair()
    transport.send(Hello(1))
    say(echo, echo._capability())
    assert isinstance(transport.receive(1.0).message, Capability)
    echo.dead = silent
    return transport, echo


def say(echo: Echo, message: Message, sequence: int = 1) -> None:
    echo.wire.device_write(frames.encode(Frame(message.frame_type, sequence, message.pack())))


def test_whoever_waits_for_a_message_learns_of_a_reset_at_once():
    transport, echo = greeted()
    echo.wire.after(0.2, lambda: say(echo, STARTED))
    with pytest.raises(DeviceResetError, match="WATCHDOG") as caught:
        transport.receive(100.0)
    assert isinstance(caught.value, BoardError)
    assert "watchdog" in caught.value.hint
    assert transport.channel.now_s() < 0.21


@pytest.mark.parametrize(
    "act", [lambda t: t.send(Run(1)), lambda t: t.listen(9.0), lambda t: t.send(Run(1), 9.0)]
)
def test_so_does_whoever_waits_for_something_else(act):
    transport, echo = greeted(silent=True)
    echo.wire.after(0.05, lambda: say(echo, STARTED))
    with pytest.raises(DeviceResetError):
        act(transport)
    assert transport.channel.now_s() < 0.07


def test_what_a_device_said_before_its_reset_comes_first():
    transport, echo = greeted()
    say(echo, Layers(1, (2,)), 2)
    say(echo, STARTED)
    assert transport.receive(1.0).message == Layers(1, (2,))
    with pytest.raises(DeviceResetError):
        transport.receive(1.0)


def test_a_fault_says_more_than_the_reset_behind_it():
    transport, echo = greeted(silent=True)
    say(echo, FAULT, 0)
    say(echo, STARTED)
    with pytest.raises(PeerSilentError):
        transport.send(Run(1))
    assert transport.receive(1.0).message == FAULT
    assert transport.receive(transport.channel.now_s() + 1.0) is None


def test_a_start_that_is_told_again_counts_once():
    transport, echo = greeted()
    say(echo, STARTED)
    say(echo, STARTED)
    say(echo, STARTED, 2)
    with pytest.raises(DeviceResetError):
        transport.receive(1.0)
    assert transport.receive(1.0) is None


def test_a_start_before_or_during_the_greeting_is_none_of_a_conversation():
    """It is not acknowledged either: that could be taken for the acknowledgement of CAPABILITY."""
    transport, echo = pair()
    answers = []
    transport.trace = lambda direction, time_s, data: direction == "tx" and answers.append(data)
    say(echo, STARTED)
    assert transport.receive(0.1) is None
    echo.wire.after(0.0001, lambda: say(echo, STARTED))
    transport.send(Hello(1))
    say(echo, STARTED)
    assert transport.receive(transport.channel.now_s() + 0.01) is None
    assert [frames.decode(data.strip(b"\0")).kind for data in answers] == [FrameType.HELLO]
    say(echo, echo._capability())
    assert isinstance(transport.receive(1.0).message, Capability)


def test_a_start_that_is_damaged_is_asked_for():
    transport, echo = greeted()
    asked = []
    transport.trace = lambda direction, time_s, data: direction == "tx" and asked.append(data)
    encoded = frames.encode(Frame(FrameType.STARTED, 1, STARTED.pack()))
    echo.wire.device_write(encoded[:5] + b"\x99" + encoded[6:])
    assert transport.receive(0.1) is None
    assert [frames.decode(data.strip(b"\0")).kind for data in asked] == [FrameType.NAK]


def test_a_refusal_with_the_number_of_another_message_is_new():
    transport, echo = greeted()
    refusal = Reject(FrameType.INPUT, RejectReason.NOT_CONFIGURED)
    say(echo, refusal)
    assert transport.receive(0.1).message == refusal


class Polite(Echo):
    """Answers a greeting as well."""

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Hello):
            FakeDevice._on_message(self, message)
        else:
            super()._on_message(message)


def greet(transport: Transport) -> None:
    """A conversation begins."""
    transport.send(Hello(1))
    received = transport.receive(transport.channel.now_s() + 1.0)
    assert received is not None
    assert isinstance(received.message, Capability)


def polite() -> tuple[Transport, Polite, Ledger]:
    """The second conversation with a device that answers, and all that was said in the first."""
    wire = VirtualWire()
    transport, device = Transport(wire), Polite(wire, False)
    ledger = Ledger(transport)
    greet(transport)
    transport.send(Run(1))
    for _ in range(2):
        transport.receive(wire.now + 1.0)
    transport.listen(wire.now + 0.01)
    greet(transport)
    transport.listen(wire.now + 0.01)
    return transport, device, ledger


@dataclass
class Ledger:
    """Every frame of both ways."""

    transport: Transport
    tx: list[Frame] = field(default_factory=list)
    rx: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        decoders = {"tx": (StreamDecoder(), self.tx), "rx": (StreamDecoder(), self.rx)}

        def note(direction: str, time_s: float, data: bytes) -> None:
            decoder, found = decoders[direction]
            found += [outcome for outcome in decoder.feed(data) if isinstance(outcome, Frame)]

        self.transport.trace = note


def test_a_conversation_begins_beyond_all_numbers_of_the_one_before():
    _, _, ledger = polite()
    begun = [frame.sequence for frame in ledger.tx if frame.kind == FrameType.HELLO]
    assert begun == [frame.sequence for frame in ledger.rx if frame.kind == FrameType.CAPABILITY]
    assert begun == [1, 1 + 2 + AHEAD_MAX + 1], "the device's two answers were more than the host's message"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_late_frames_of_earlier_conversations_change_nothing(seed):
    """Whatever a device said in them comes again, in any order, between all that it says now."""
    draws = np.random.default_rng(seed)
    wire = VirtualWire()
    transport, _ = Transport(wire), Polite(wire, False)
    past: list[Frame] = []
    for _ in range(3):
        ledger = Ledger(transport)
        late = [frames.encode(frame) for frame in past if frame.kind != FrameType.CAPABILITY]

        def noise(direction: str, data: bytes, late: list[bytes] = late) -> bytes:
            if direction != "device" or not late:
                return data
            picks = draws.integers(len(late), size=draws.integers(4))
            return data + b"".join(late[pick] for pick in picks)

        wire.noise = noise
        greet(transport)
        got = []
        for number in range(int(draws.integers(1, 12))):
            transport.send(Run(number))
            while len(got) < 2 * number + 2:
                received = transport.receive(wire.now + 1.0)
                assert received is not None
                got.append(received.message)
        assert got == [Layers(at // 2, (at % 2,)) for at in range(len(got))]
        assert transport.counters.retransmissions == 0
        past += [frame for frame in ledger.rx if frame not in past]


def test_an_acknowledgement_of_an_earlier_conversation_is_none_of_this_one():
    transport, device, ledger = polite()
    device.dead = True
    for frame in ledger.rx:
        if frame.kind == FrameType.ACK:
            device.wire.device_write(frames.encode(frame))
    with pytest.raises(PeerSilentError, match="RUN"):
        transport.send(Run(2))


def test_a_capability_of_an_earlier_conversation_is_no_answer_to_a_greeting():
    transport, device, ledger = polite()
    device.dead = True
    late = frames.encode(next(frame for frame in ledger.rx if frame.kind == FrameType.CAPABILITY))
    device.wire.after(0.05, lambda: device.wire.device_write(late))
    with pytest.raises(PeerSilentError):
        transport.send(Hello(1))
    assert transport.receive(transport.channel.now_s() + 0.1) is None
    assert transport.counters.duplicates == 1


@pytest.mark.parametrize("further", [AHEAD_MAX + 1, 0x7FFF])
def test_what_is_too_far_ahead_is_neither_taken_nor_acknowledged(further):
    transport, echo = greeted()
    ledger = Ledger(transport)
    say(echo, Layers(1, (2,)), 1 + further)
    assert transport.receive(0.1) is None
    assert ledger.tx == []
    assert transport.counters.strays == 1
    say(echo, Layers(1, (3,)), 1 + AHEAD_MAX)
    assert transport.receive(0.2).message == Layers(1, (3,))
    assert ledger.tx == [Frame(FrameType.ACK, 1 + AHEAD_MAX)]


def test_a_device_that_answers_a_late_hello_has_begun_anew():
    transport, device, ledger = polite()
    late = frames.encode(ledger.tx[0])
    device.wire.write(late)
    received = transport.receive(transport.channel.now_s() + 0.1)
    assert received is not None
    assert isinstance(received.message, Capability)


def test_of_a_device_that_counts_anew_only_that_it_is_not_configured_is_heard():
    transport, device, _ = polite()
    say(device, Reject(FrameType.RUN, RejectReason.INPUT_INCOMPLETE), 3)
    say(device, Reject(FrameType.INPUT, RejectReason.NOT_CONFIGURED), 2)
    now_s = transport.channel.now_s
    assert transport.receive(now_s() + 0.1).message == Reject(FrameType.INPUT, RejectReason.NOT_CONFIGURED)
    assert transport.receive(now_s() + 0.1) is None


def test_that_is_heard_after_a_start_as_well():
    transport, device, _ = polite()
    say(device, STARTED)
    with pytest.raises(DeviceResetError):
        transport.receive(transport.channel.now_s() + 0.1)
    refusal = Reject(FrameType.INPUT, RejectReason.NOT_CONFIGURED)
    say(device, refusal, 2)
    assert transport.receive(transport.channel.now_s() + 0.1).message == refusal
