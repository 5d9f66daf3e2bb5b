"""The first words with a device: who is there, does it run the right firmware, how fast do we talk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Deployment
from hil.errors import BoardError, ProtocolError
from hil.session.integrity import judge_start
from hil.wire.protocol import BOOT_BAUD, NONCE_BYTES, PROTOCOL_VERSION, FrameType, NonceSource
from hil.wire.to_device import Configure, Hello
from hil.wire.to_host import Capability, Fault, Reject
from hil.wire.transport import AdjustableRate, Channel, DeviceResetError, PeerSilentError, Transport

SILENCE_S = 10.0
"""A device that has not introduced itself after so long, by its clock or ours, is not there. Each
attempt, but not this, is stretched by the board's slowness: there are at least two."""

STARTS_MAX = 3
"""A supply that comes back may bounce: a device that is reset while it is greeted is greeted again."""

_ANSWER_S = 0.5
_REJECT_S = 0.02
_SILENT_HINT = "check power, cable and port, and that the firmware was flashed"


@dataclass(frozen=True)
class Handshake:
    """What a device must prove, and how it is configured."""

    info: BoardInfo
    deployment: Deployment
    deadline_us: int
    check: Callable[[], None]
    """Raises BoardError when the board is known to have crashed."""
    early_bytes: int = 0
    """As in CONFIGURE."""
    server_nonce: Callable[[bytes], bytes] | None = None
    """The server half's answer to the device's nonce, where the firmware has a key."""

    def perform(self, transport: Transport) -> Capability:
        """Greets, checks and configures the device. Raises BoardError or ProtocolError."""
        for _ in range(STARTS_MAX - 1):
            with contextlib.suppress(DeviceResetError):
                return self._begin(transport)
        return self._begin(transport)

    def _begin(self, transport: Transport) -> Capability:
        capability = self._greet(transport)
        self._verify(capability)
        baud = wire_baud(self.info, capability)
        nonce = self._agree(capability)
        transport.send(Configure(self.deadline_us, baud, self.early_bytes, nonce))
        set_rate(transport.channel, baud)
        until_s = transport.channel.now_s() + _REJECT_S * self.info.slowness
        while (received := transport.receive(until_s)) is not None:
            refusal = received.message
            if isinstance(refusal, Reject) and refusal.frame == FrameType.CONFIGURE:
                raise BoardError(
                    f"the device refused CONFIGURE: {refusal.reason.name}", "try another deadline"
                )
        return capability

    def _agree(self, capability: Capability) -> bytes:
        """The server half's nonce; zeros where the device takes any reply."""
        if capability.nonce_source is NonceSource.NONE:
            return bytes(NONCE_BYTES)
        if self.server_nonce is None:
            raise BoardError(
                "the firmware wants authentic replies, and this run has no key", "flash this one"
            )
        return self.server_nonce(capability.nonce)

    def _greet(self, transport: Transport) -> Capability:
        """Tries the rate after reset and the run's in turn: the device may be at either."""
        channel = transport.channel
        until_s, until_wall_s = channel.now_s() + SILENCE_S, time.monotonic() + SILENCE_S
        said = ""
        for baud in cycle((BOOT_BAUD, self.info.run_baud)):
            set_rate(channel, baud)
            answer = _hello(transport, _ANSWER_S * self.info.slowness)
            if isinstance(answer, Capability):
                return answer
            said = f", but reported a fault at {answer.pc:#010x}" if answer else said
            self.check()
            if channel.now_s() >= until_s or time.monotonic() >= until_wall_s:
                break
        raise BoardError(
            f"{self.info.name} did not introduce itself within {SILENCE_S:.0f} s{said}", _SILENT_HINT
        )

    def _verify(self, capability: Capability) -> None:
        if capability.protocol_version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"the device speaks protocol {capability.protocol_version}, the host {PROTOCOL_VERSION}",
                "build and flash the firmware again",
            )
        deployment = self.deployment
        judge_start(capability.check, None)
        expected = {
            "bundle_hash": deployment.bundle_hash,
            "clock_hz": deployment.clock_hz,
            "classes": deployment.manifest.classes,
            "layers": len(deployment.layers),
            "input_bytes": deployment.graph.tensor(deployment.graph.input).elements,
        }
        for name, value in expected.items():
            if (found := getattr(capability, name)) != value:
                shown = [part.hex()[:12] if isinstance(part, bytes) else part for part in (found, value)]
                raise BoardError(
                    f"the firmware's {name} is {shown[0]}, this deployment's {shown[1]}",
                    "another firmware is on the board; flash this one",
                )
        judge_start(capability.check, deployment.seal)


def wire_baud(info: BoardInfo, capability: Capability) -> int:
    """The rate to ask for. A cable's is the board's own; without a cable the core's clock must divide."""
    if not info.virtual_time:
        return info.run_baud
    fastest = min(info.run_baud, capability.baud_max)
    return capability.clock_hz // -(-capability.clock_hz // fastest)


def set_rate(channel: Channel, baud: int) -> None:
    """Sets the host's end of the wire, where it has a rate of its own."""
    if isinstance(channel, AdjustableRate):
        channel.set_baud(baud)


def _hello(transport: Transport, answer_s: float) -> Capability | Fault | None:
    """One greeting; None when nothing came back. Messages from before it are skipped."""
    try:
        transport.send(Hello(PROTOCOL_VERSION))
    except PeerSilentError:
        return None
    until_s = transport.channel.now_s() + answer_s
    fault: Fault | None = None
    while (received := transport.receive(until_s)) is not None:
        if isinstance(received.message, Capability):
            return received.message
        if isinstance(received.message, Fault):
            fault = received.message
        if isinstance(received.message, Reject) and received.message.frame == FrameType.HELLO:
            raise ProtocolError(
                f"the device refused HELLO: {received.message.reason.name}",
                "build and flash the firmware again",
            )
    return fault
