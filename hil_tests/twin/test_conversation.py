"""Whole conversations with the firmware around the fake model, on the twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

from hil.codec import lzw
from hil.deploy.stack import worst_stack
from hil.deploy.toolchain import find_compiler
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Frame
from hil.wire.protocol import (
    BOOT_BAUD,
    CHUNK_MAX,
    DEADLINE_MAX_MS,
    PROTOCOL_VERSION,
    RETRANSMIT_MS,
    TRIES_MAX,
    FallbackReason,
    FrameType,
    Outcome,
    RejectReason,
    ReplyStatus,
    ResetCause,
    RunFlag,
)
from hil.wire.to_device import Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Fault, Layers, Payload, Reject, Result, Started
from hil.wire.transport import DeviceResetError, Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire

pytestmark = pytest.mark.twin

CLOCK_HZ = 216_000_000
DEADLINE_US = 50_000
REMOTE = tuple(range(100, 1100, 100))


@dataclass
class Host:
    """The host's side of a conversation."""

    wire: Wire
    transport: Transport

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.transport.send(message)

    def receive(self, within_s: float = 0.3) -> Message:
        received = self.transport.receive(self.wire.now_s() + within_s)
        assert received is not None, "the device said nothing"
        return received.message

    def silent(self, within_s: float = 0.05) -> bool:
        return self.transport.receive(self.wire.now_s() + within_s) is None

    def greet(
        self, deadline_us: int = DEADLINE_US, baud: int = BOOT_BAUD, early_bytes: int = 0
    ) -> Capability:
        self.send(Hello(PROTOCOL_VERSION))
        capability = self.receive()
        assert isinstance(capability, Capability)
        self.send(Configure(deadline_us, baud, early_bytes))
        return capability

    def upload(self, number: int, image: fake.Image) -> None:
        data = image.tobytes()
        self.send(*(Input(number, len(data), at, piece) for at, piece in fake.chunks_of(data)))

    def start(self, number: int, image: fake.Image, flags: int = 0) -> None:
        self.upload(number, image)
        self.run(number, flags)

    def run(self, number: int, flags: int = 0) -> None:
        self.send(Run(number, flags))

    def payload(self) -> bytes:
        data = b""
        while True:
            piece = self.receive()
            assert isinstance(piece, Payload)
            assert piece.offset == len(data)
            data += piece.data
            if len(data) == piece.total:
                return data

    def result(self, within_s: float = 0.3) -> Result:
        result = self.receive(within_s)
        assert isinstance(result, Result), result
        return result


@pytest.fixture
def host() -> Iterator[Host]:
    twin = Twin(Image.load(fake.shared()))
    wire = Wire(twin)
    yield Host(wire, Transport(wire))
    assert not twin.warnings
    twin.close()


class ShortHello(Hello):
    """A greeting without its body."""

    def pack(self) -> bytes:
        return b""


def test_greeting(host: Host) -> None:
    capability = host.greet()
    assert capability == Capability(
        protocol_version=PROTOCOL_VERSION,
        firmware_version=(0, 1, 0),
        reset_cause=ResetCause.POWER_ON,
        clock_hz=CLOCK_HZ,
        baud_max=CLOCK_HZ // 8,
        arena_bytes=host.wire.twin.image.symbols["__hil_arena_end"]
        - host.wire.twin.image.symbols["__hil_arena_start"],
        input_bytes=fake.INPUT_BYTES,
        payload_capacity=4 * fake.PIXELS,
        classes=fake.CLASSES,
        layers=2,
        bundle_hash=bytes(range(32)),
        check=capability.check,
    )


def test_answered(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    host.start(1, image)
    payload = host.payload()
    assert payload == lzw.encode(fake.symbols_of(image), fake.ALPHABET)
    host.send(Reply(1, ReplyStatus.OK, REMOTE))
    result = host.result()
    local = image[: fake.CLASSES].astype(np.int64)
    fused = fake.LOCAL_MULTIPLIER * (local - fake.LOCAL_ZERO_POINT) + fake.REMOTE_MULTIPLIER * np.array(
        REMOTE
    )
    assert (result.outcome, result.reason) == (Outcome.ANSWERED, FallbackReason.NONE)
    assert result.fused == tuple(fused)
    assert result.local == tuple(local)
    assert result.prediction == fused.argmax()
    assert result.payload_bytes == len(payload)
    assert (result.retransmissions, result.crc_errors) == (0, 0)
    assert 0 < result.stack_peak_bytes <= worst_stack(fake.shared(), find_compiler()).bytes


def test_stages_add_up_and_the_wait_is_the_wire_s(host: Host) -> None:
    host.greet()
    host.start(1, fake.sample(1))
    first = host.transport.receive(host.wire.now_s() + 0.3)
    assert first is not None
    assert isinstance(first.message, Payload)
    assert first.message.total == len(first.message.data)
    reply = Reply(1, ReplyStatus.OK, REMOTE)
    size = len(frames.encode(Frame(FrameType.REPLY, 6, reply.pack())))
    at_s = host.wire.now_s() + 0.01
    host.transport.send(reply, at_s)
    cycles = host.result().cycles
    parts = cycles.graph + cycles.quantise + cycles.encode + cycles.frame + cycles.wait + cycles.fuse
    assert parts == pytest.approx(cycles.total, rel=0.001)
    wait_s = at_s + size * host.wire.byte_s() - first.began_s
    assert cycles.wait / CLOCK_HZ == pytest.approx(wait_s, abs=2e-6)
    assert cycles.fuse < 10_000


def test_layers(host: Host) -> None:
    host.greet()
    host.start(1, fake.sample(1), RunFlag.LAYERS)
    host.payload()
    host.send(Reply(1, ReplyStatus.UNAVAILABLE, ()))
    host.result()
    assert host.receive() == Layers(1, (11, 22))


def test_no_reply_falls_back_at_the_deadline(host: Host) -> None:
    host.greet(deadline_us=30_500)
    host.start(1, fake.sample(2))
    host.payload()
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.DEADLINE)
    assert result.prediction == 9
    assert result.fused == ()
    assert result.cycles.wait == 30_500 * 216
    assert result.cycles.fuse < 3_000


def test_a_late_reply_is_acknowledged_and_ignored(host: Host) -> None:
    host.greet(deadline_us=30_000)
    host.start(1, fake.sample(1))
    host.payload()
    assert host.result().reason == FallbackReason.DEADLINE
    host.send(Reply(1, ReplyStatus.OK, REMOTE))
    assert host.silent()
    host.start(2, fake.sample(1))
    host.payload()
    host.send(Reply(1, ReplyStatus.OK, REMOTE[::-1]), Reply(2, ReplyStatus.OK, REMOTE))
    assert host.result().prediction == 9


def test_unavailable_falls_back_at_once(host: Host) -> None:
    host.greet()
    host.start(1, fake.sample(1))
    host.payload()
    host.send(Reply(1, ReplyStatus.UNAVAILABLE, ()))
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.SERVER_UNAVAILABLE)
    assert result.cycles.wait < DEADLINE_US * 216


def test_a_sure_local_answer_exits(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    image[4] = 8 + fake.EXIT_MARGIN + 1
    host.start(1, image)
    result = host.result()
    assert (result.outcome, result.prediction, result.payload_bytes) == (Outcome.LOCAL, 4, 0)
    assert result.fused == ()
    image[4] -= 1
    host.start(2, image)
    assert host.payload()


def test_a_failing_layer_fails_the_sample_only(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    image[0] = fake.CALL_FOR_REFUSAL
    host.start(1, image)
    assert host.result().outcome == Outcome.FAILED
    host.start(2, fake.sample(1))
    assert host.payload()


def test_link_down(host: Host) -> None:
    host.greet(deadline_us=5_000_000)
    host.start(1, fake.sample(1))
    host.wire.to_host = lambda data: b""
    assert host.silent(1.3)
    host.wire.to_host = lambda data: data
    result = host.result(1.0)
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.LINK_DOWN)
    assert result.retransmissions >= 7


def flip_once(data: bytes) -> bytes:
    return data[:-2] + bytes([data[-2] ^ 1 or 2]) + data[-1:]


def test_damage_towards_the_device_is_repeated_and_counted(host: Host) -> None:
    host.greet()
    before = host.transport.counters.retransmissions

    def once(data: bytes) -> bytes:
        host.wire.to_device = lambda data: data
        return flip_once(data)

    host.wire.to_device = once
    host.start(1, fake.sample(1))
    host.payload()
    host.send(Reply(1, ReplyStatus.OK, REMOTE))
    assert host.result().crc_errors == 1
    assert host.transport.counters.retransmissions == before + 1


def test_damage_towards_the_host_is_repeated_and_counted(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    host.start(1, image)

    def once(data: bytes) -> bytes:
        host.wire.to_host = lambda data: data
        return flip_once(data)

    host.wire.to_host = once
    assert host.payload() == lzw.encode(fake.symbols_of(image), fake.ALPHABET)
    host.send(Reply(1, ReplyStatus.OK, REMOTE))
    assert host.result().retransmissions == 1
    assert host.transport.counters.damaged == 1


def test_chunks_in_any_order(host: Host) -> None:
    host.greet()
    image = fake.sample(3)
    data = image.tobytes()
    host.send(*(Input(1, len(data), at, piece) for at, piece in reversed(fake.chunks_of(data))), Run(1))
    assert host.payload() == lzw.encode(fake.symbols_of(image), fake.ALPHABET)


@pytest.mark.parametrize(
    ("messages", "kind", "reason"),
    [
        ([Run(1)], FrameType.RUN, RejectReason.INPUT_INCOMPLETE),
        ([Input(1, 99, 0, b"x")], FrameType.INPUT, RejectReason.INPUT_RANGE),
        ([Input(1, fake.INPUT_BYTES, fake.INPUT_BYTES, b"x")], FrameType.INPUT, RejectReason.INPUT_RANGE),
        ([Input(1, fake.INPUT_BYTES, 2**32 - 1, b"xx")], FrameType.INPUT, RejectReason.INPUT_RANGE),
        ([Configure(0, BOOT_BAUD)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Configure(DEADLINE_MAX_MS * 1000 + 1, BOOT_BAUD)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Configure(1, 27_000_001)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Configure(1, 25_500_000)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Configure(1, 300)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Configure(1, BOOT_BAUD, CHUNK_MAX + 1)], FrameType.CONFIGURE, RejectReason.VALUE),
        ([Hello(PROTOCOL_VERSION + 1)], FrameType.HELLO, RejectReason.VERSION),
        ([ShortHello(PROTOCOL_VERSION)], FrameType.HELLO, RejectReason.LENGTH),
    ],
)
def test_refusals(host: Host, messages: list[Message], kind: FrameType, reason: RejectReason) -> None:
    host.greet()
    host.send(*messages)
    assert host.receive() == Reject(kind, reason)
    host.start(7, fake.sample(1))
    assert host.payload()


def test_nothing_runs_unconfigured(host: Host) -> None:
    host.send(Hello(PROTOCOL_VERSION))
    assert isinstance(host.receive(), Capability)
    host.send(Input(1, fake.INPUT_BYTES, 0, b"x"), Run(1))
    assert host.receive() == Reject(FrameType.INPUT, RejectReason.NOT_CONFIGURED)
    assert host.receive() == Reject(FrameType.RUN, RejectReason.NOT_CONFIGURED)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Frame(0x77, 900, b"what"), RejectReason.UNKNOWN_TYPE),
        (Frame(FrameType.RESULT, 900, b""), RejectReason.UNKNOWN_TYPE),
        (Frame(FrameType.RUN, 900, b"short"), RejectReason.LENGTH),
        (Frame(FrameType.INPUT, 900, bytes(12)), RejectReason.LENGTH),
        (Frame(FrameType.REPLY, 900, bytes(5) + b"\xff"), RejectReason.LENGTH),
        (Frame(FrameType.RUN, 900, bytes(8), version=PROTOCOL_VERSION + 1), RejectReason.VERSION),
    ],
)
def test_odd_frames_are_refused(host: Host, frame: Frame, reason: RejectReason) -> None:
    host.greet()
    host.wire.write(frames.encode(frame))
    assert host.receive() == Reject(frame.kind, reason)
    host.send(Hello(PROTOCOL_VERSION))
    assert isinstance(host.receive(), Capability)


def test_oversize_and_noise_are_survived(host: Host) -> None:
    host.greet()
    host.wire.write(b"\x55" * 9000)
    host.silent(0.12)
    host.wire.write(bytes(np.random.default_rng(5).integers(0, 256, 3000, dtype=np.uint8)))
    host.silent(0.05)
    host.send(Hello(PROTOCOL_VERSION))
    assert isinstance(host.receive(), Capability)


def test_strangers_during_the_wait_are_refused_after_it(host: Host) -> None:
    host.greet()
    host.start(1, fake.sample(1))
    host.payload()
    host.send(Run(1), Reply(1, ReplyStatus.OK, REMOTE[:3]), Reply(1, ReplyStatus.OK, REMOTE))
    assert host.receive() == Reject(FrameType.REPLY, RejectReason.VALUE)
    assert host.result().outcome == Outcome.ANSWERED


def test_hello_during_the_wait_abandons_the_sample(host: Host) -> None:
    host.greet(deadline_us=5_000_000)
    host.start(1, fake.sample(1))
    host.payload()
    host.send(Hello(PROTOCOL_VERSION))
    assert isinstance(host.receive(), Capability)
    assert host.silent()


@pytest.mark.parametrize("baud", [115_200, 2_000_000, 3_000_000, 27_000_000])
def test_another_rate(host: Host, baud: int) -> None:
    host.wire.set_baud(BOOT_BAUD)
    host.greet(baud=baud)
    host.wire.set_baud(baud)
    host.start(1, fake.sample(1))
    host.payload()
    assert 10 / host.wire.byte_s() == pytest.approx(baud, rel=0.02)


def test_a_lost_acknowledgement_of_a_new_rate(host: Host) -> None:
    host.wire.set_baud(BOOT_BAUD)
    host.send(Hello(PROTOCOL_VERSION))
    assert isinstance(host.receive(), Capability)

    def lose(data: bytes) -> bytes:
        host.wire.to_host = lambda data: data
        return b""

    host.wire.to_host = lose
    host.send(Configure(DEADLINE_US, 3_000_000))
    host.wire.set_baud(3_000_000)
    host.start(1, fake.sample(1))
    assert host.payload()


def heard(host: Host, seconds: float) -> list[tuple[float, Frame]]:
    """Frames of a device that nobody answers."""
    found, decoder, until_s = [], frames.StreamDecoder(), host.wire.now_s() + seconds
    while (now_s := host.wire.now_s()) < until_s:
        outcomes = decoder.feed(host.wire.read(until_s))
        found += [(now_s, outcome) for outcome in outcomes if isinstance(outcome, Frame)]
    return found


def test_a_start_is_told_until_the_tries_are_over(host: Host) -> None:
    said = heard(host, 3.0)
    started = Frame(FrameType.STARTED, 1, Started(ResetCause.POWER_ON).pack())
    assert [frame for _, frame in said] == [started] * TRIES_MAX
    first, last = said[0][0], said[-1][0]
    assert last - first == pytest.approx((TRIES_MAX - 1) * (RETRANSMIT_MS + 25) / 1000, rel=0.25)
    assert host.greet()


def test_a_start_that_is_answered_is_told_once(host: Host) -> None:
    host.greet()
    host.wire.twin.brown_out()
    with pytest.raises(DeviceResetError):
        host.silent(1.0)
    assert heard(host, 1.0) == []


def test_a_greeting_ends_the_telling(host: Host) -> None:
    host.greet()
    assert heard(host, 1.0) == []
    assert host.transport.counters.duplicates == 0


@pytest.mark.parametrize("baud", [BOOT_BAUD, 115_200, 3_000_000])
def test_a_reset_is_told_at_the_rate_of_the_conversation(host: Host, baud: int) -> None:
    host.wire.set_baud(BOOT_BAUD)
    host.greet(baud=baud)
    host.wire.set_baud(baud)
    host.start(1, fake.sample(1))
    host.wire.twin.brown_out()
    reset_s = host.wire.now_s()
    with pytest.raises(DeviceResetError, match="POWER_ON"):
        host.silent(1.0)
    assert host.wire.now_s() - reset_s < 0.01
    host.wire.set_baud(BOOT_BAUD)
    assert host.greet(baud=baud).reset_cause == ResetCause.POWER_ON


def test_where_ram_was_lost_it_is_told_at_the_rate_of_the_boot(host: Host) -> None:
    host.greet(baud=3_000_000)
    twin = host.wire.twin
    twin.power_off()
    twin.power_on()
    host.wire.set_baud(3_000_000)
    assert host.silent(0.05)
    host.wire.set_baud(BOOT_BAUD)
    with pytest.raises(DeviceResetError, match="POWER_ON"):
        host.silent(1.0)


def test_a_fault_is_reported_and_the_chip_reset(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    image[0] = fake.CALL_FOR_FAULT
    host.start(1, image)
    fault = host.receive()
    assert isinstance(fault, Fault)
    function = host.wire.twin.image.function_at(fault.pc)
    assert function is not None
    assert function.name == "hil_model_run"
    host.silent(0.01)
    assert host.greet().reset_cause == ResetCause.SOFTWARE


def test_a_fault_of_the_core_goes_through_the_firmwares_handler() -> None:
    twin = Twin(Image.load(fake.shared()), faults="deliver")
    wire = Wire(twin)
    host = Host(wire, Transport(wire))
    host.greet()
    crash = twin.symbol("hil_model_run") & ~1
    twin.write(crash, b"\x07\xde")  # udf #7
    host.start(1, fake.sample(1))
    fault = host.receive()
    assert isinstance(fault, Fault)
    assert (fault.pc, fault.scb_cfsr) == (crash, 1 << 16)
    assert ["UNDEFINSTR" in warning for warning in twin.warnings] == [True]
    host.silent(0.01)
    assert host.greet().reset_cause == ResetCause.SOFTWARE
    twin.close()


def test_the_watchdog_ends_a_hang(host: Host) -> None:
    host.greet()
    image = fake.sample(1)
    image[0] = fake.CALL_FOR_HANG
    host.start(1, image)
    with pytest.raises(DeviceResetError, match="WATCHDOG"):
        host.silent(10.0)
    assert host.wire.now_s() < 4.2
    assert host.wire.resets == ["independent watchdog"]
    assert host.greet().reset_cause == ResetCause.WATCHDOG


def test_idle_seconds_do_not_reset(host: Host) -> None:
    host.greet()
    assert host.silent(5.0)
    assert host.wire.resets == []
    host.start(1, fake.sample(1))
    assert host.payload()


@dataclass
class Late:
    """A frame of an earlier conversation comes again behind every message of either side."""

    wire: Wire
    past: dict[str, list[bytes]] = field(default_factory=lambda: {"down": [], "up": []})
    now: dict[str, bytes] = field(default_factory=lambda: {"down": b"", "up": b""})
    turn: int = 0

    def __post_init__(self) -> None:
        self.wire.to_device = partial(self._behind, "down")
        self.wire.to_host = partial(self._behind, "up")

    def grow_old(self) -> None:
        """All of it but greetings, to which the device answers, and its starts."""
        spared = (FrameType.HELLO, FrameType.CAPABILITY, FrameType.STARTED)
        for way, said in self.now.items():
            found = [one for one in frames.StreamDecoder().feed(said) if isinstance(one, Frame)]
            self.past[way] += [frames.encode(frame) for frame in found if frame.kind not in spared]
            self.now[way] = b""

    def _behind(self, way: str, data: bytes) -> bytes:
        self.now[way] += data
        is_message = len(data) > ACK_BYTES and data[-1:] == b"\0"
        if not is_message or not self.past[way]:
            return data
        self.turn += 1
        return data + self.past[way][self.turn % len(self.past[way])]


ACK_BYTES = len(frames.encode(Frame(FrameType.ACK, 1)))


@pytest.mark.parametrize("begun", ["uploaded", "waiting", "answered"])
def test_frames_from_before_a_reset_change_nothing_behind_it(host: Host, begun: str) -> None:
    late = Late(host.wire)
    for number in range(4):
        late.grow_old()
        host.greet()
        began_s = host.wire.now_s()
        for sample in range(3 * number, 3 * number + 3):
            host.start(sample, fake.sample(sample))
            assert host.payload() == lzw.encode(fake.symbols_of(fake.sample(sample)), fake.ALPHABET)
            host.send(Reply(sample, ReplyStatus.OK, REMOTE))
            result = host.result()
            assert (result.sample, result.outcome) == (sample, Outcome.ANSWERED)
        assert host.wire.now_s() - began_s < 1.0, "nobody waited for what was said already"
        if begun != "answered":
            host.upload(99, fake.sample(99))
        if begun == "waiting":
            host.run(99)
            host.payload()
        host.wire.twin.brown_out()
        with pytest.raises(DeviceResetError):
            host.silent(1.0)
