"""One sample's conversation with the device: input, payload, reply in the radio's time, result.

The wire stands for the radio. What the device sends is on the wire at its own pace; the server is
taken to have it when the modelled radio would have brought it, and the reply leaves the host so
that its last byte reaches the device when the radio would have. A device that still computes sends what
of its payload is settled: the radio has each part from then on. Where the payload is progressive and not
all of it comes in time, the server is asked to answer from what does: `hil.session.in_time`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hil.errors import BoardError, FirmwareDamagedError, HilError
from hil.link.radio import Direction, Radio, Ready, Transfer
from hil.measure.power.conditions import Usage, since
from hil.server.answer import Stamp
from hil.session.bus import Bus
from hil.session.in_time import Deadline, Planned, answer_in_time
from hil.session.integrity import HINT
from hil.session.relay import Relay, Relayed
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import CHUNK_MAX, TAG_BYTES, FrameType, RejectReason, ReplyStatus, RunFlag
from hil.wire.to_device import Input, Reply, Run
from hil.wire.to_host import Capability, Fault, Layers, Payload, Reject, Result
from hil.wire.transport import LEAD_S, PeerSilentError, Received, Transport

COMPUTE_MAX_S = 16.0
"""Beyond the deadline: a device that computes longer than this counts as silent. Nothing computes
longer, because the slowest watchdog that mcu/board/ sets resets it after 15.4 s (64 * 4096 / 17 kHz)."""

_LAYERS_S = 0.5


class RefusedError(HilError):
    """The device refused the sample."""

    code = "refused"


@dataclass
class Exchange:
    """What is known of one sample so far; complete once `result` is there."""

    index: int
    result: Result | None = None
    counter: int = 0
    """The device's number of it."""
    layers: tuple[int, ...] | None = None
    payload: bytes | None = None
    """None until all of it arrived."""
    ready: tuple[Ready, ...] = ()
    """When the radio had each part of it, of a payload that was cut short too."""
    payload_start_s: float = 0.0
    payload_end_s: float = 0.0
    uplink: Transfer | None = None
    downlink: Transfer | None = None
    request_s: float | None = None
    """When the server half began; None: it was not asked."""
    remote_s: float = 0.0
    reply: Reply | None = None
    """As scheduled, whether or not it was still sent."""
    arrival_s: float | None = None
    """When the reply's last byte should reach the device; None when the radio lost it."""
    remote_detail: str = ""
    """Why the server half gave no logits."""
    prefix_channels: int = 0
    """Channels that the reply rests on when it answers a payload's first bytes; 0: it answers all."""
    usage: Usage | None = None
    """What the core did from RUN to RESULT, on a board that counts it."""


@dataclass
class _Due:
    reply: Reply
    at_s: float


@dataclass
class Conversation:
    """Runs samples over one transport."""

    transport: Transport
    relay: Relay
    radio: Radio
    bus: Bus
    seed: int
    deadline_s: float
    request_timeout_s: float
    slowness: float = 1.0
    """How much longer than its own time the device may take, on the channel's clock."""
    meter: Callable[[], Usage | None] = lambda: None
    """What the core did since power-on, on a board that counts it."""
    progressive: Deadline | None = None
    """None: the server half answers whole payloads only."""
    keyed: bool = False
    """The device takes no reply but one that the server half made a tag for."""
    _due: _Due | None = field(default=None, init=False)
    _buffer: bytearray = field(default_factory=bytearray, init=False)
    _ready: list[Ready] = field(default_factory=list, init=False)

    def run(self, index: int, data: bytes, with_layers: bool) -> Exchange:
        """Sample number `index` with input bytes `data`.

        Raises RefusedError when the device refuses it, PeerSilentError or BoardError when it is gone.
        """
        exchange = Exchange(index)
        self._due = None
        self._buffer.clear()
        self._ready.clear()
        for offset in range(0, len(data), CHUNK_MAX):
            self.transport.send(Input(index, len(data), offset, data[offset : offset + CHUNK_MAX]))
        before = self.meter()
        self.transport.send(Run(index, RunFlag.LAYERS if with_layers else 0))
        until_s = self._now() + (COMPUTE_MAX_S + self.deadline_s) * self.slowness
        while exchange.result is None:
            self._step(exchange, until_s)
        after = self.meter()
        exchange.usage = None if before is None or after is None else since(after, before)
        until_s = self._now() + _LAYERS_S * self.slowness
        while with_layers and exchange.layers is None and self._now() < until_s:
            self._step(exchange, until_s, patient=True)
        return exchange

    def _now(self) -> float:
        return self.transport.channel.now_s()

    def _step(self, exchange: Exchange, until_s: float, patient: bool = False) -> None:
        """Handles the next message, or sends the reply when its time has come first."""
        due = self._due
        received = self.transport.receive(until_s if due is None else due.at_s - LEAD_S)
        if received is not None:
            self._take(exchange, received)
        elif due is not None:
            self._due = None
            self.transport.send(due.reply, due.at_s)
        elif not patient:
            raise PeerSilentError(f"the device gave no result for sample {exchange.index}", "see wire.jsonl")

    def _take(self, exchange: Exchange, received: Received) -> None:
        message = received.message
        if isinstance(message, Fault):
            raise BoardError(
                f"the device faulted at {message.pc:#010x}, called from {message.lr:#010x} "
                f"(CFSR {message.scb_cfsr:#010x}, HFSR {message.scb_hfsr:#010x})",
                "look the address up with arm-none-eabi-addr2line in artefacts/",
            )
        if isinstance(message, Capability):
            raise BoardError(f"the device was reset ({message.reset_cause.name})", "check its supply")
        if isinstance(message, Reject) and message.frame != FrameType.REPLY:
            name = FrameType(message.frame).name if message.frame in list(FrameType) else hex(message.frame)
            if message.reason is RejectReason.NOT_CONFIGURED:
                raise BoardError(f"the device was reset: it refused {name} as not configured")
            if message.reason is RejectReason.DAMAGED:
                raise FirmwareDamagedError(f"the device refused {name}: its firmware is damaged", HINT)
            raise RefusedError(f"the device refused {name}: {message.reason.name}")
        if isinstance(message, Reject):
            self.bus.warn_once("reply-refused", f"the device refused a REPLY: {message.reason.name}")
        elif isinstance(message, Result) and message.sample == exchange.index:
            exchange.result, self._due = message, None
            if exchange.payload is None and self._buffer:
                self._abandon(exchange)
        elif isinstance(message, Layers) and message.sample == exchange.index:
            exchange.layers = message.cycles
        elif isinstance(message, Payload) and message.sample == exchange.index:
            self._collect(exchange, message, received)

    def _collect(self, exchange: Exchange, chunk: Payload, received: Received) -> None:
        if chunk.offset == 0:
            self._buffer.clear()
            self._ready.clear()
            exchange.payload_start_s = received.began_s
        if chunk.offset != len(self._buffer):
            raise BoardError(f"the payload of sample {exchange.index} has a gap at {len(self._buffer)}")
        self._buffer += chunk.data
        exchange.counter = chunk.counter
        exchange.payload_end_s = received.ended_s
        self._note(chunk, received.began_s - exchange.payload_start_s)
        if len(self._buffer) == chunk.total:
            exchange.payload = bytes(self._buffer)
            exchange.ready = tuple(self._ready)
            self._forward(exchange, exchange.payload)

    def _note(self, chunk: Payload, began_s: float) -> None:
        """Each chunk of a payload that is still made is a part; those that know the total are one."""
        if not chunk.total:
            self._ready.append(Ready(len(self._buffer), began_s))
        elif not self._ready or self._ready[-1].message_bytes != chunk.total:
            self._ready.append(Ready(chunk.total, began_s))

    def _abandon(self, exchange: Exchange) -> None:
        """A payload that never became whole: the radio sent what it had, and nobody is asked."""
        sent = len(self._buffer)
        exchange.ready = tuple(
            replace(part, message_bytes=min(part.message_bytes, sent)) for part in self._ready
        )
        self._buffer.clear()
        exchange.uplink = self._transfer(sent, Direction.UPLINK, exchange.index, exchange.ready)

    def _forward(self, exchange: Exchange, payload: bytes) -> None:
        """Asks the server and schedules the reply; a message the radio loses has no consequence."""
        exchange.uplink = uplink = self._transfer(
            len(payload), Direction.UPLINK, exchange.index, exchange.ready
        )
        stamp = Stamp(exchange.counter, exchange.index) if self.keyed else None
        planned = self._plan(payload, uplink, exchange.index, stamp)
        if planned is not None:
            self._schedule(exchange, planned.relayed, planned.begun_s)
            if not planned.whole:
                self._stop_sending(exchange, uplink, planned.relayed.channels)
        elif not uplink.lost:
            relayed = self.relay.ask(payload, self.request_timeout_s, stamp=stamp)
            self._schedule(exchange, relayed, uplink.seconds)

    def _plan(self, payload: bytes, uplink: Transfer, index: int, stamp: Stamp | None) -> Planned | None:
        """The answer that can be back in time; None where none can, and for all that are not progressive."""
        if self.progressive is None:
            return None
        tag, part = (bytes(TAG_BYTES), len(payload)) if self.keyed else (b"", None)
        reply = Reply(index, ReplyStatus.OK, (0,) * self.progressive.classes, tag, part)  # no other is longer
        reply_s = max(self.radio.undisturbed_s(len(reply.pack())), self._uart_s(reply))
        return answer_in_time(
            payload,
            uplink,
            self.progressive.latest_s(reply_s),
            self.relay.expected_s,
            lambda part, prefix: self.relay.ask(part, self.request_timeout_s, prefix=prefix, stamp=stamp),
        )

    def _schedule(self, exchange: Exchange, relayed: Relayed, begun_s: float) -> None:
        """Plans the reply of a server half that began `begun_s` after the payload, or later by the wire."""
        exchange.remote_s, exchange.remote_detail = relayed.seconds, relayed.detail
        if self.keyed and not relayed.tag:
            return  # what only we could say the device would not believe: it waits for its deadline
        status = ReplyStatus.UNAVAILABLE if relayed.logits is None else ReplyStatus.OK
        exchange.reply = reply = Reply(
            exchange.index, status, relayed.logits or (), relayed.tag, relayed.part_bytes
        )
        downlink = self._transfer(len(reply.pack()), Direction.DOWNLINK, exchange.index)
        exchange.downlink = downlink
        exchange.request_s = request_s = max(exchange.payload_end_s, exchange.payload_start_s + begun_s)
        uart_s = self._uart_s(reply)
        self._warn_of_slow_wire(exchange, begun_s, downlink, uart_s)
        if downlink.lost:
            return
        exchange.arrival_s = arrival_s = request_s + relayed.seconds + max(downlink.seconds, uart_s)
        self._due = _Due(reply, arrival_s - uart_s)  # void when the device's result comes first

    def _stop_sending(self, exchange: Exchange, uplink: Transfer, channels: int) -> None:
        """Packets after the reply's first bit, or after the deadline where it is lost, are not sent."""
        assert self.progressive is not None
        exchange.prefix_channels = channels
        until_s = self.progressive.seconds
        if exchange.arrival_s is not None and exchange.downlink is not None:
            reply_s = exchange.arrival_s - exchange.payload_start_s - exchange.downlink.airtime_s
            until_s = min(until_s, reply_s)
        exchange.uplink = uplink.stopped(until_s)

    def _uart_s(self, reply: Reply) -> float:
        """How long `reply` takes on the wire."""
        encoded = frames.encode(Frame(reply.frame_type, 0, reply.pack()))
        return len(encoded) * self.transport.channel.byte_s()

    def _transfer(
        self, message_bytes: int, direction: Direction, index: int, ready: Sequence[Ready] = ()
    ) -> Transfer:
        return self.radio.transfer(message_bytes, direction, seed=self.seed, sample=index, ready=ready)

    def _warn_of_slow_wire(
        self, exchange: Exchange, uplink_s: float, downlink: Transfer, uart_s: float
    ) -> None:
        wire_s = exchange.payload_end_s - exchange.payload_start_s
        if self.radio.instant or (wire_s <= uplink_s and uart_s <= downlink.seconds):
            return
        self.bus.warn_once(
            "wire-bottleneck",
            f"the wire takes {1000 * (wire_s + uart_s):.2f} ms for what {self.radio.name} "
            f"carries in {1000 * (uplink_s + downlink.seconds):.2f} ms, so `link` is the wire's time",
            "raise the board's run_baud, or read `link` as an upper bound",
        )
