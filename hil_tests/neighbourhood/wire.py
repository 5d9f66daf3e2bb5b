"""Frames over lengths, zeros, noise and sequence numbers: two decoders that have to agree."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil.wire import frames
from hil.wire.frames import Damaged, Frame, StreamDecoder
from hil.wire.protocol import BODY_MAX, ENCODED_MAX, PROTOCOL_VERSION, RETRANSMIT_MS, FrameType, NakReason
from hil_tests.neighbourhood.firmware import HARNESS, ask, fresh
from hil_tests.neighbourhood.layers import random_of, whole

ROOMS = ("wire", "mcu")
SOURCES = (*HARNESS, "hil_tests/neighbourhood/layers.py")
LENGTHS = (2, 3, 244, 245, 246, 247, 248, 249, 250, 253, 254, 255, 256, 500, 501, 502, 508, 1024)
SEQUENCES = (2, 127, 128, 255, 256, 257, 32767, 32768)


def body_of(parameters: Parameters) -> bytes:
    """A frame's body of the pattern that was asked for."""
    random, length = random_of(parameters), whole(parameters, "length")
    made = {
        "zeros": np.zeros(length),
        "ones": np.full(length, 255),
        "any": random.integers(0, 256, length),
        "few zeros": np.where(random.random(length) < 0.01, 0, random.integers(1, 256, length)),
        "many zeros": np.where(random.random(length) < 0.9, 0, 7),
        "ramp": np.arange(length) % 256,
        "no zeros": random.integers(1, 256, length),
        "last zero": np.append(np.full(max(0, length - 1), 1), 0)[:length],
    }[str(parameters["pattern"])]
    return made.astype(np.uint8).tobytes()


def _noise(parameters: Parameters, name: str) -> bytes:
    random = np.random.default_rng([whole(parameters, "data"), len(name)])
    kind = str(parameters[name])
    if kind == "oversize":
        return bytes(random.integers(1, 256, ENCODED_MAX + 3, dtype=np.uint8))
    count = {"none": 0, "byte": 1, "bytes": 40, "zeros": 5, "code": 1}[kind]
    if kind == "zeros":
        return bytes(count)
    return b"\xff" if kind == "code" else bytes(random.integers(1, 256, count, dtype=np.uint8))


def decoded_in_c(stream: bytes) -> list[Frame | Damaged]:
    """The firmware's verdicts."""
    answer, verdicts, at = ask("D", stream), list[Frame | Damaged](), 0
    while at < len(answer):
        what, first, second = answer[at : at + 3]
        (number,) = struct.unpack_from("<I", answer, at + 3)
        at += 7
        if what == 2:
            verdicts.append(Damaged(NakReason(first), number))
        else:
            (count,) = struct.unpack_from("<I", answer, at)
            verdicts.append(Frame(second, number, answer[at + 4 : at + 4 + count], first))
            at += 4 + count
    return verdicts


def _frame(parameters: Parameters) -> str:
    body, sequence, kind = body_of(parameters), whole(parameters, "sequence"), whole(parameters, "kind")
    frame = Frame(kind, sequence, body)
    encoded = frames.encode(frame)
    head = min(whole(parameters, "head"), len(body))
    if ask("E", struct.pack("<BHI", kind, sequence, head) + body) != encoded:
        return "device and host encode differently"
    raw = struct.pack("<BBH", PROTOCOL_VERSION, kind, sequence) + body
    if _unpacked(encoded[1:-1]) != raw + struct.pack("<I", zlib.crc32(raw)):
        return "what is on the wire is not the frame by COBS's own words"
    if 0 in encoded[1:-1] or len(encoded) > ENCODED_MAX + 2:
        return f"{len(encoded)} bytes on the wire, or a zero among them"
    return _in_noise(parameters, frame, encoded)


def _unpacked(encoded: bytes) -> bytes:
    """COBS undone, block by block (Cheshire and Baker, SIGCOMM 1997)."""
    out, at = bytearray(), 0
    while at < len(encoded):
        code = encoded[at]
        out += encoded[at + 1 : at + code]
        at += code
        if code < 255 and at < len(encoded):
            out.append(0)
    return bytes(out)


def _in_noise(parameters: Parameters, frame: Frame, encoded: bytes) -> str:
    """Both decoders find the frame, and the same damage, however the stream is cut."""
    before, after = _noise(parameters, "before"), _noise(parameters, "after")
    stream = before + encoded + after + b"\0"
    want = list(StreamDecoder().feed(stream))
    if frame not in want:
        return f"the host's decoder finds {want} and not the frame"
    if sum(isinstance(each, Frame) for each in want) != 1:
        return "more than one frame in a stream with one"
    if decoded_in_c(b"\0" + stream)[-len(want) :] != want:
        return "the device's decoder has other verdicts than the host's"
    return _cut(parameters, stream, want)


def _cut(parameters: Parameters, stream: bytes, want: list[Frame | Damaged]) -> str:
    step = {"whole": len(stream), "bytes": 1, "pieces": 7}[str(parameters["cut"])]
    decoder, found = StreamDecoder(), list[Frame | Damaged]()
    for at in range(0, len(stream), step):
        found += decoder.feed(stream[at : at + step])
    if found != want:
        return f"read in pieces of {step} bytes the stream has other frames"
    if parameters["cut"] != "whole":
        return ""
    places = (
        random_of(parameters).integers(0, len(stream) + 1, 12).tolist()
        if len(stream) > 80
        else range(len(stream))
    )
    for place in places:
        decoder = StreamDecoder()
        if [*decoder.feed(stream[:place]), *decoder.feed(stream[place:])] != want:
            return f"cut at byte {place} the stream has other frames"
    return ""


def _damage(parameters: Parameters) -> str:
    """No damage of up to three bits, and no loss of bytes, is taken for a frame with other content."""
    random, sent = (
        random_of(parameters),
        Frame(whole(parameters, "kind"), whole(parameters, "sequence"), body_of(parameters)),
    )
    stream = bytearray(frames.encode(sent))
    how, count = parameters["damage"], whole(parameters, "count")
    for _ in range(count):
        place = int(random.integers(0, len(stream)))
        if how == "flip":
            stream[place] ^= 1 << int(random.integers(0, 8))
        elif how == "drop" and len(stream) > 1:
            del stream[place]
        elif how == "insert":
            stream.insert(place, int(random.integers(0, 256)))
        else:
            stream[place] = 0
    data = bytes(stream) + b"\0"
    want = list(StreamDecoder().feed(data))
    if decoded_in_c(b"\0" + data)[-len(want) :] != want and want:
        return "device and host judge the damage differently"
    foreign = [each for each in want if isinstance(each, Frame) and each != sent]
    return f"damage was taken for {foreign[0]}" if foreign else ""


def _sequence(parameters: Parameters) -> str:
    """A conversation of some messages each way from sequence number `start` on; repetitions are told."""
    start, count = whole(parameters, "start"), whole(parameters, "messages")
    repeated, random = parameters["repeated"], random_of(parameters)
    with fresh() as device:
        transport = Driven(device)
        if not transport.begin_at(int(start)):
            return "the device does not reach the sequence number"
        for number in range(count):
            sequence = (start + number) & 0xFFFF
            body = bytes(random.integers(0, 256, 5, dtype=np.uint8))
            detail = transport.receives(sequence, body, again=repeated == "yes") or transport.sends(
                sequence, body
            )
            if detail:
                return f"message {number} with sequence {sequence}: {detail}"
    return ""


class Driven:
    """The C transport behind the harness."""

    def __init__(self, harness) -> None:
        self._harness = harness

    def call(self, what: str, data: bytes = b"") -> tuple[int, bytes | None, list[Frame | Damaged]]:
        answer = self._harness.ask("T", what.encode() + data)
        (count,) = struct.unpack_from("<I", answer, 3)
        inbox = answer[7 : 7 + count] if answer[1] else None
        return answer[0], inbox, list(StreamDecoder().feed(answer[7 + count :]))

    def begin_at(self, sequence: int) -> bool:
        """Sends until the next message has `sequence`: only sending counts up."""
        return self.call("s", struct.pack("<I", sequence - 1))[0] == 0

    def receives(self, sequence: int, body: bytes, *, again: bool) -> str:
        sent = frames.encode(Frame(FrameType.RUN, sequence, body))
        _, inbox, said = self.call("r", sent)
        if inbox != body or said != [Frame(FrameType.ACK, sequence)]:
            return f"it was not delivered: {said}"
        self.call("d")
        if again:
            _, inbox, said = self.call("r", sent)
            if inbox is not None or said != [Frame(FrameType.ACK, sequence)]:
                return f"its repetition was delivered, or not acknowledged: {said}"
        return ""

    def sends(self, sequence: int, body: bytes) -> str:
        state, _, said = self.call("b", bytes([FrameType.RESULT]) + body)
        if said != [Frame(FrameType.RESULT, sequence, body)] or state != 1:
            return f"the device's own message is {said}"
        for other in ((sequence - 1) & 0xFFFF, (sequence + 1) & 0xFFFF):
            if self.call("r", frames.encode(Frame(FrameType.ACK, other)))[0] != 1:
                return f"the acknowledgement of {other} was taken for its own"
        state, _, said = self.call("t", struct.pack("<I", RETRANSMIT_MS + 20))
        if said != [Frame(FrameType.RESULT, sequence, body)]:
            return f"without an acknowledgement it repeats {said}"
        return (
            ""
            if self.call("r", frames.encode(Frame(FrameType.ACK, sequence)))[0] == 0
            else "its ACK is ignored"
        )


PATTERN = Choice(
    "pattern", ("any", "zeros", "ones", "few zeros", "many zeros", "ramp", "no zeros", "last zero")
)
LENGTH = Whole("length", 0, BODY_MAX, LENGTHS)
NOISE = ("none", "byte", "bytes", "zeros", "code", "oversize")
HEAD = (LENGTH, PATTERN, Whole("sequence", 0, 65535, SEQUENCES), Whole("kind", 0, 255, (1, 2, 127, 128)))

TEMPLATES = (
    Template(
        "frame",
        "Does a frame come through whatever its bytes are, and whatever lies around it?",
        (
            *HEAD,
            Whole("head", 0, BODY_MAX),
            Choice("before", NOISE),
            Choice("after", NOISE),
            Choice("cut", ("whole", "bytes", "pieces")),
            Data(),
        ),
        each(_frame),
        "the other side's decoder, COBS undone by its paper's words, zlib's CRC-32",
        ROOMS,
        full=1600,
        sample=40,
        sources=SOURCES,
    ),
    Template(
        "damage",
        "Is a damaged frame refused alike on both sides, and never taken for another one?",
        (*HEAD, Choice("damage", ("flip", "drop", "insert", "zero")), Whole("count", 1, 3), Data()),
        each(_damage),
        "the other side's decoder, and the frame that was sent",
        ROOMS,
        full=1600,
        sample=40,
        sources=SOURCES,
    ),
    Template(
        "sequence",
        "Does a conversation go on when sequence numbers wrap?",
        (
            Choice("start", (1, 2, 254, 255, 256, 65533, 65534, 65535)),
            Whole("messages", 1, 6),
            Choice("repeated", ("no", "yes")),
            Data(),
        ),
        each(_sequence),
        "the rules of docs/protocol.md",
        ROOMS,
        full=200,
        sample=6,
        batch=50,
        sources=SOURCES,
    ),
)
