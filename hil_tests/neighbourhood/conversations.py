"""Conversations one after the other on a wire that keeps frames for long: none may change a later one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hil.errors import HilError
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil.wire import frames
from hil.wire.body import Message
from hil.wire.frames import Frame
from hil.wire.numbers import Numbers
from hil.wire.protocol import PROTOCOL_VERSION, Integrity, ResetCause
from hil.wire.to_device import Hello, Run
from hil.wire.to_host import Capability, Checked, Layers
from hil.wire.transport import Transport
from hil_tests.neighbourhood.firmware import HARNESS, fresh
from hil_tests.neighbourhood.layers import random_of, whole
from hil_tests.neighbourhood.wire import ROOMS, Driven

CAPABILITY = Capability(
    PROTOCOL_VERSION, (0, 1, 0), ResetCause.PIN, 216_000_000, 1_000_000, 4096, 64, 300, 10, 3, bytes(32),
    Checked(Integrity.SOUND, 0x12345678, 30_000, 400_000),
)  # fmt: skip
MESSAGES = 4
"""Each way, of the conversation that is looked at."""


@dataclass
class _Wire:
    """A channel to the C transport; `among` says what arrives instead of what is written."""

    device: Driven
    among: Callable[[str, bytes], bytes] = lambda way, data: data
    seen: dict[str, list[bytes]] = field(default_factory=lambda: {"down": [], "up": []})
    delivered: list[bytes] = field(default_factory=list)
    waits: bool = False
    """The device has a frame that was not acknowledged."""
    _now_s: float = 0.0
    _arrived: bytes = b""

    def now_s(self) -> float:
        return self._now_s

    def byte_s(self) -> float:
        return 1e-5

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self.seen["down"].append(data)
        self.drive("r", self.among("down", data))

    def read(self, until_s: float) -> bytes:
        data, self._arrived = self._arrived, b""
        if not data:
            self._now_s = max(self._now_s, until_s)
        return data

    def drive(self, what: str, data: bytes) -> None:
        state, inbox, said = self.device.call(what, data)
        self.waits = state == 1
        if inbox is not None:
            self.delivered.append(inbox)
            self.device.call("d")
        encoded = [frames.encode(one) for one in said if isinstance(one, Frame)]
        self.seen["up"] += encoded
        self._arrived += b"".join(self.among("up", one) for one in encoded)


def _converse(host: Transport, wire: _Wire, down: int, up: int) -> str:
    """A greeting, then so many messages each way: what did not arrive, or not once."""
    host.send(Hello(PROTOCOL_VERSION))
    told: list[Message] = [CAPABILITY, *(Layers(number, (up,)) for number in range(up))]
    sent: list[Message] = [Run(number) for number in range(down)]
    wire.delivered.clear()
    for number in range(max(down, up + 1)):
        if number <= up:
            message = told[number]
            wire.drive("b", bytes([message.frame_type]) + message.pack())
            received = host.receive(wire.now_s() + 0.05)
            if received is None or received.message != message:
                return f"the device's message {number} arrives as {received}"
            if wire.waits:
                return f"the device's message {number} is not acknowledged"
        if number < down:
            host.send(sent[number])
    if host.receive(wire.now_s() + 0.05) is not None:
        return "the host hears more than was said"
    if wire.delivered != [message.pack() for message in sent]:
        return f"{len(wire.delivered)} messages of {down} arrive at the device, or others"
    return "a frame had to be repeated" if host.counters.retransmissions else ""


def _late(parameters: Parameters) -> str:
    random, ways = random_of(parameters), str(parameters["ways"])
    with fresh() as harness:
        wire = _Wire(Driven(harness))
        host = Transport(wire, numbers=Numbers((whole(parameters, "begin") - 1) & 0xFFFF))
        if detail := _converse(host, wire, whole(parameters, "down"), whole(parameters, "up")):
            return f"nothing came late, and {detail}"
        host.numbers.sent = (host.numbers.sent + whole(parameters, "further")) & 0xFFFF
        past = {way: seen[2:][-whole(parameters, "age") :] for way, seen in wire.seen.items()}

        def among(way: str, data: bytes) -> bytes:
            late = past[way] if ways in (way, "both") else []
            picked = b"".join(late[at] for at in random.integers(0, max(1, len(late)), 2) if late)
            return picked + data if parameters["place"] == "before" else data + picked

        wire.among = among
        try:
            return _converse(host, wire, MESSAGES, MESSAGES)
        except HilError as error:
            return f"it ends: {error}"


TEMPLATES = (
    Template(
        "late",
        "Does a frame of an earlier conversation that comes late change anything in this one?",
        (
            Whole("down", 0, 40),
            Whole("up", 0, 40),
            Whole("further", 0, 30_000),
            Choice("begin", (1, 0, 255, 256, 32_767, 32_768, 65_279, 65_280, 65_535)),
            Whole("age", 1, 60),
            Choice("ways", ("both", "down", "up")),
            Choice("place", ("before", "behind")),
            Data(),
        ),
        each(_late),
        "the messages that were sent",
        ROOMS,
        full=300,
        sample=20,
        batch=50,
        sources=(*HARNESS, "hil_tests/neighbourhood/layers.py", "hil_tests/neighbourhood/wire.py"),
    ),
)
