"""A device that speaks the wire protocol as the firmware does, without any network in it."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from hil_tests.unit.session.fake_channel import VirtualWire

from hil.deploy.deployment import Fusion
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.messages import MESSAGES
from hil.wire.protocol import (
    CHUNK_MAX,
    PROTOCOL_VERSION,
    RETRANSMIT_MS,
    TRIES_MAX,
    FallbackReason,
    FrameType,
    Integrity,
    Outcome,
    RejectReason,
    ReplyStatus,
    ResetCause,
    RunFlag,
)
from hil.wire.to_device import Check, Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Checked, Fault, Layers, Payload, Reject, Result, StageCycles, Started

CLOCK_HZ = 216_000_000
CLASSES = 4


@dataclass
class Model:
    """What the device half computes: cheap, deterministic functions of the input bytes."""

    input_bytes: int = 16
    payload_bytes: int = 40
    """0: nothing is sent and every answer is local."""
    rows: int = 0
    """The payload is made in so many, each of which settles its share; 0: as a whole."""
    layers: int = 2
    compute_s: float = 0.004
    fuse_s: float = 0.0005
    bundle_hash: bytes = bytes(range(32))
    alone: bool = True
    """False: without a reply its sample has failed."""
    fusion: Fusion | None = field(default_factory=lambda: Fusion(3, -1, 5))

    def local(self, data: bytes) -> tuple[int, ...]:
        total = sum(data)
        return tuple(((total * (place + 3)) % 200) - 100 for place in range(CLASSES))

    def payload(self, data: bytes) -> bytes:
        total = sum(data)
        return bytes((total + place) % 251 for place in range(self.payload_bytes))

    def fused(self, data: bytes, remote: tuple[int, ...]) -> tuple[int, ...]:
        assert self.fusion is not None
        point = self.fusion.local_zero_point
        return tuple(
            self.fusion.local_multiplier * (mine - point) + self.fusion.remote_multiplier * theirs
            for mine, theirs in zip(self.local(data), remote, strict=True)
        )


@dataclass
class Mishaps:
    """What goes wrong, by sample index; a number is how many times it still will."""

    resets: dict[int, int] = field(default_factory=dict)
    """The device restarts when told to run the sample, says so, and waits for HELLO."""
    mute_starts: bool = False
    """Nobody hears that it started."""
    bounces: int = 0
    """So often it restarts when it is configured."""
    refusals: tuple[Reject, ...] = ()
    """What it says behind CONFIGURE."""
    faults: dict[int, int] = field(default_factory=dict)
    """It reports a fault and is silent until the board is restarted."""
    rejects: dict[int, int] = field(default_factory=dict)
    """It refuses the input."""
    failures: dict[int, int] = field(default_factory=dict)
    """It fails when all is computed, and what was sent early has left."""
    silent: bool = False
    """It never says anything."""
    unaccounted_s: float = 0.0
    """Time in `total` that no stage covers."""
    wrong_logits: bool = False
    damaged_starts: int = 0
    """At so many starts of the board its firmware finds itself damaged."""
    damaged: Callable[[int], bool] = lambda check: False
    """Whether the firmware, sound at the start, is damaged by that CHECK."""
    deaf_to_checks: bool = False
    checks: int = 0
    """That were asked for so far."""
    unknown_frames: bool = False
    """An unknown frame type precedes every RESULT."""


class FakeDevice:
    """The firmware's flow on a VirtualWire, in virtual time."""

    def __init__(self, wire: VirtualWire, model: Model, mishaps: Mishaps) -> None:
        self.wire, self.model, self.mishaps = wire, model, mishaps
        wire.on_bytes = self._on_bytes
        self.dead = mishaps.silent
        self.configured: Configure | None = None
        self._integrity = Integrity.FLASH if mishaps.damaged_starts > 0 else Integrity.SOUND
        mishaps.damaged_starts -= 1
        self._start(ResetCause.POWER_ON)

    def _start(self, cause: ResetCause) -> None:
        self._forget()
        self.configured = None
        if not (self.dead or self.mishaps.mute_starts):
            self._say(Started(cause))

    def _forget(self) -> None:
        self._decoder = StreamDecoder()
        self._sequence, self._last = 0, -1
        self._queue: deque[Message] = deque()
        self._outstanding: tuple[int, bytes] | None = None
        self._tries = 0
        self._ticket = 0
        self._input = bytearray()
        self._waiting: int | None = None
        self._life = getattr(self, "_life", 0) + 1
        self._repeats = 0
        self._sent = 0
        self._wait_began: float | None = None
        self._computed_at = 0.0

    # The wire, as hil.wire.transport has it

    def _on_bytes(self, data: bytes) -> None:
        if self.dead:
            return
        for outcome in self._decoder.feed(data):
            if isinstance(outcome, Damaged):
                self.wire.device_write(frames.encode(Frame(FrameType.NAK, 0, bytes([outcome.reason]))))
            else:
                self._on_frame(outcome)

    def _on_frame(self, frame: Frame) -> None:
        if frame.kind == FrameType.ACK:
            if self._outstanding and self._outstanding[0] == frame.sequence:
                self._outstanding = None
                self._send_next()
        elif frame.kind == FrameType.NAK:
            if self._outstanding:
                self._transmit()
        else:
            self.wire.device_write(frames.encode(Frame(FrameType.ACK, frame.sequence)))
            if frame.kind == FrameType.HELLO or frame.sequence != self._last:
                self._last = frame.sequence
                self._on_message(MESSAGES[FrameType(frame.kind)].unpack(frame.body))

    def _say(self, message: Message) -> None:
        self._queue.append(message)
        self._send_next()

    def _send_next(self) -> None:
        if self._outstanding is None and self._queue:
            message = self._queue.popleft()
            self._sequence = (self._sequence + 1) & 0xFFFF
            encoded = frames.encode(Frame(message.frame_type, self._sequence, message.pack()))
            self._outstanding, self._tries = (self._sequence, encoded), 0
            self._transmit()

    def _transmit(self) -> None:
        assert self._outstanding is not None
        if self._tries == TRIES_MAX:
            self._outstanding = None
            self._send_next()
            return
        self._repeats += self._tries > 0
        self._tries += 1
        encoded = self._outstanding[1]
        self.wire.device_write(encoded)
        self._ticket += 1
        self._later(len(encoded) * self.wire.byte_s() + RETRANSMIT_MS / 1000, self._repeat, self._ticket)

    def _repeat(self, ticket: int) -> None:
        if self._outstanding and ticket == self._ticket:
            self._transmit()

    def _later(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        """An action that a reset cancels."""
        life = self._life

        def run() -> None:
            if life == self._life and not self.dead:
                action(*arguments)

        self.wire.after(seconds, run)

    # The application

    def _on_message(self, message: Message) -> None:
        match message:
            case Hello():
                last = self._last
                self._forget()
                self._last, self._sequence = last, last - 1
                self.configured = None
                self._say(self._capability())
            case Check():
                self._check()
            case Configure() if self.mishaps.bounces > 0:
                self.mishaps.bounces -= 1
                self._start(ResetCause.POWER_ON)
            case Configure():
                self.configured = message
                for refusal in self.mishaps.refusals:
                    self._say(refusal)
            case _ if self.configured is None:
                self._say(Reject(message.frame_type, RejectReason.NOT_CONFIGURED))
            case Input():
                self._take(message)
            case Run():
                self._run(message)
            case Reply():
                self._on_reply(message)

    def _check(self) -> None:
        if not self.mishaps.deaf_to_checks:
            number, self.mishaps.checks = self.mishaps.checks, self.mishaps.checks + 1
            damaged = self.mishaps.damaged(number)
            self._say(Checked(Integrity.FLASH if damaged else Integrity.SOUND, 1234, 5000, 40_000))

    def _capability(self) -> Capability:
        model = self.model
        return Capability(
            PROTOCOL_VERSION, (0, 1, 0), ResetCause.POWER_ON, CLOCK_HZ, 3_000_000, 1000, model.input_bytes,
            2000, CLASSES, model.layers, model.bundle_hash, Checked(self._integrity, 1234, 5000, 40_000),
        )  # fmt: skip

    def _take(self, chunk: Input) -> None:
        if self._happens(self.mishaps.rejects, chunk.sample):
            self._say(Reject(FrameType.INPUT, RejectReason.INPUT_RANGE))
            return
        if chunk.offset == 0:
            self._input.clear()
        self._input += chunk.data

    def _run(self, run: Run) -> None:
        if self._happens(self.mishaps.resets, run.sample):
            self._start(ResetCause.PIN)
        elif self._happens(self.mishaps.faults, run.sample):
            self._say(Fault(0x0800_1234, 0x0800_0400, 0x8200, 0, 0x2005_0000))
            self._life += 1
            self._later(0.05, lambda: setattr(self, "dead", True))
        elif len(self._input) != self.model.input_bytes:
            self._say(Reject(FrameType.RUN, RejectReason.INPUT_INCOMPLETE))
        else:
            self._repeats = 0
            self._sent, self._wait_began = 0, None
            for row in range(1, self.model.rows + 1):
                self._later(self.model.compute_s * row / self.model.rows, self._row, run, row)
            self._later(self.model.compute_s, self._computed, run, self.wire.now)

    @staticmethod
    def _happens(mishaps: dict[int, int], sample: int) -> bool:
        if mishaps.get(sample, 0) <= 0:
            return False
        mishaps[sample] -= 1
        return True

    def _row(self, run: Run, row: int) -> None:
        assert self.configured is not None
        early, payload = self.configured.early_bytes, self.model.payload(bytes(self._input))
        ready = len(payload) * row // self.model.rows - self._sent - 1
        if early and ready >= early and not self._outstanding:
            self._send_chunk(run, payload, min(ready, CHUNK_MAX) // early * early, 0)

    def _send_chunk(self, run: Run, payload: bytes, count: int, total: int) -> None:
        if self._wait_began is None:
            self._wait_began = self.wire.now
        self._say(Payload(run.sample, total, self._sent, payload[self._sent : self._sent + count]))
        self._sent += count

    def _computed(self, run: Run, began: float) -> None:
        payload = self.model.payload(bytes(self._input))
        if self._happens(self.mishaps.failures, run.sample):
            cycles = StageCycles(0, 0, 0, 0, 0, 0, 0)
            self._outstanding = None
            self._say(
                Result(
                    run.sample,
                    Outcome.FAILED,
                    FallbackReason.NONE,
                    0,
                    0,
                    cycles,
                    0,
                    0,
                    0,
                    (),
                    (),
                    zlib.crc32(self._input),
                )
            )
            return
        if not payload:
            self._finish(run, began, began + self.model.compute_s, Outcome.LOCAL, FallbackReason.NONE, ())
            return
        self._computed_at = self.wire.now
        self._waiting, self._run_now, self._run_began = run.sample, run, began
        assert self.configured is not None
        begun = self.wire.now if self._wait_began is None else self._wait_began
        left_s = max(0.0, begun + self.configured.deadline_us / 1e6 - self.wire.now)
        while left_s and self._sent < len(payload):
            self._send_chunk(run, payload, min(CHUNK_MAX, len(payload) - self._sent), len(payload))
        self._later(left_s, self._give_up, run.sample)

    def _give_up(self, sample: int) -> None:
        if self._waiting == sample:
            self._answer(Outcome.FALLBACK, FallbackReason.DEADLINE, ())

    def _on_reply(self, reply: Reply) -> None:
        if self._waiting != reply.sample:
            return
        if reply.status is ReplyStatus.OK:
            self._answer(Outcome.ANSWERED, FallbackReason.NONE, reply.logits)
        else:
            self._answer(Outcome.FALLBACK, FallbackReason.SERVER_UNAVAILABLE, ())

    def _answer(self, outcome: Outcome, reason: FallbackReason, remote: tuple[int, ...]) -> None:
        self._waiting = None
        outcome = outcome if remote or self.model.alone else Outcome.FAILED
        self._later(
            self.model.fuse_s,
            self._finish, self._run_now, self._run_began, self.wire.now, outcome, reason, remote,
        )  # fmt: skip

    def _finish(
        self, run: Run, began: float, waited: float, outcome: Outcome, reason: FallbackReason,
        remote: tuple[int, ...],
    ) -> None:  # fmt: skip
        data = bytes(self._input)
        local = tuple(-1 for _ in range(CLASSES)) if self.mishaps.wrong_logits else self.model.local(data)
        fused = self.model.fused(data, remote) if remote else local
        result = Result(
            run.sample, outcome, reason, int(np.argmax(fused)),
            0 if outcome is Outcome.LOCAL else len(self.model.payload(data)),
            self._cycles(began, waited, outcome), 512, self._repeats, 0, local, fused,
            zlib.crc32(data), zlib.crc32(self.model.payload(data)),
        )  # fmt: skip
        if self.mishaps.unknown_frames:
            self.wire.device_write(frames.encode(Frame(0x7E, 9999, b"from the future")))
        self._say(result)
        if run.flags & RunFlag.LAYERS:
            share = int(self.model.compute_s * CLOCK_HZ) // self.model.layers
            self._say(Layers(run.sample, (share,) * self.model.layers))

    def _cycles(self, began: float, waited: float, outcome: Outcome) -> StageCycles:
        def cycles(seconds: float) -> int:
            return round(seconds * CLOCK_HZ)

        exchanged = outcome is not Outcome.LOCAL and self._wait_began is not None
        wait = waited - self._computed_at if exchanged else 0.0
        overlap = self._computed_at - (self._wait_began or 0.0) if exchanged else 0.0
        total = self.wire.now - began + self.mishaps.unaccounted_s
        return StageCycles(
            cycles(self.model.compute_s),
            0,
            0,
            0,
            cycles(wait),
            cycles(self.wire.now - waited),
            cycles(total),
            cycles(overlap),
        )
