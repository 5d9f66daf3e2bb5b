"""Bodies are laid out alike on both sides."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire.protocol import (
    BODY_MAX,
    CHUNK_MAX,
    CRC_BYTES,
    NONCE_BYTES,
    PART_FIELD_BYTES,
    PROTOCOL_VERSION,
    TAG_BYTES,
    FallbackReason,
    FrameType,
    Integrity,
    NonceSource,
    Outcome,
    ReplyStatus,
    ResetCause,
)
from hil.wire.to_device import Check, Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Checked, Layers, Result, StageCycles
from hil_tests.unit.mcu.harness import Harness

many = settings(max_examples=100, deadline=None)
u16, u32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
cycles = st.builds(StageCycles, *[u32] * 9)


def unpack(firmware: Harness, kind: FrameType, body: bytes) -> bytes:
    """The numbers that the C unpacker finds, or nothing when it refuses."""
    return firmware.ask("N", bytes([kind]) + body)


@many
@given(
    numbers=st.tuples(u32, u16, u32, u32, u16, u16, u16),
    crcs=st.tuples(u32, u32),
    stages=cycles,
    outcome=st.sampled_from(Outcome),
    reason=st.sampled_from(FallbackReason),
    local=st.lists(st.integers(-128, 127), max_size=190),
    fused=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=190),
)
def test_result(
    firmware: Harness,
    numbers: tuple[int, int, int, int, int, int, int],
    crcs: tuple[int, int],
    stages: StageCycles,
    outcome: Outcome,
    reason: FallbackReason,
    local: list[int],
    fused: list[int],
) -> None:
    sample, prediction, payload, stack, retransmissions, crc_errors, unauthentic = numbers
    head = struct.pack(
        "<21I",
        *(sample, outcome, reason, prediction, payload),
        *vars(stages).values(),
        *(stack, retransmissions | crc_errors << 16, unauthentic, *crcs, len(local), len(fused)),
    )
    answer = firmware.ask("R", head + struct.pack(f"<{len(local)}b{len(fused)}i", *local, *fused))
    fits = Result.layout.size + len(local) + 4 * len(fused) + CRC_BYTES <= BODY_MAX
    assert Result.unpack(answer) == Result(
        *(sample, outcome, reason, prediction, payload, stages, stack, retransmissions, crc_errors),
        local=tuple(local),
        fused=tuple(fused) if fits else (),
        input_crc=crcs[0],
        payload_crc=crcs[1],
        unauthentic=unauthentic,
    )


@many
@given(
    version=st.tuples(*[st.integers(0, 255)] * 3),
    cause=st.sampled_from(ResetCause),
    words=st.tuples(u32, u32, u32, u32, u32, u16, u16),
    check=st.builds(Checked, st.sampled_from(Integrity), u32, u32, u32),
    source=st.sampled_from(NonceSource),
    digest=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=16, max_size=16),
)
def test_capability(
    firmware: Harness,
    version: tuple[int, int, int],
    cause: ResetCause,
    words: tuple[int, ...],
    check: Checked,
    source: NonceSource,
    digest: bytes,
    nonce: bytes,
) -> None:
    head = struct.pack("<4B12I", *version, cause, *words, *vars(check).values(), source)
    capability = Capability.unpack(firmware.ask("G", head + digest + nonce))
    assert capability == Capability(PROTOCOL_VERSION, version, cause, *words, digest, check, source, nonce)


@pytest.mark.parametrize("count", [0, 1, 258, 400])
def test_layers(firmware: Harness, count: int) -> None:
    numbers = tuple(range(1000, 1000 + count))
    answer = firmware.ask("Y", struct.pack(f"<I{count}I", 77, *numbers))
    assert Layers.unpack(answer) == Layers(77, numbers[: (BODY_MAX - Layers.layout.size) // 4])


@many
@given(words=st.tuples(u32, u32, u32), data=st.binary(min_size=1, max_size=CHUNK_MAX))
def test_input(firmware: Harness, words: tuple[int, int, int], data: bytes) -> None:
    assert unpack(firmware, FrameType.INPUT, Input(*words, data).pack()) == struct.pack("<3I", *words) + data


@many
@given(
    sample=u32,
    logits=st.lists(st.integers(-(2**15), 2**15 - 1), max_size=255),
    tag=st.sampled_from([b"", bytes(range(TAG_BYTES))]),
    part_bytes=st.none() | u32,
)
def test_reply(firmware: Harness, sample: int, logits: list[int], tag: bytes, part_bytes: int | None) -> None:
    body = Reply(sample, ReplyStatus.OK, tuple(logits), tag, part_bytes).pack()
    numbers = struct.pack(f"<II{len(logits)}i", sample, 0, *logits)
    part = b"" if part_bytes is None or not tag else struct.pack("<I", part_bytes)
    assert unpack(firmware, FrameType.REPLY, body) == numbers + part + tag


@many
@given(words=st.tuples(u32, u32, u32), version=u16)
def test_fixed_bodies(firmware: Harness, words: tuple[int, int, int], version: int) -> None:
    nonce = bytes(range(NONCE_BYTES))
    configure = Configure(*words, nonce).pack()
    assert unpack(firmware, FrameType.CONFIGURE, configure) == struct.pack("<III", *words) + nonce
    assert unpack(firmware, FrameType.RUN, Run(*words[:2]).pack()) == struct.pack("<II", *words[:2])
    assert unpack(firmware, FrameType.CHECK, Check(words[0]).pack()) == struct.pack("<I", words[0])
    assert unpack(firmware, FrameType.HELLO, Hello(version).pack()) == struct.pack("<I", version)


@many
@given(
    kind=st.sampled_from(
        [FrameType.HELLO, FrameType.CONFIGURE, FrameType.RUN, FrameType.REPLY, FrameType.CHECK]
    ),
    body=st.binary(max_size=40),
)
def test_wrong_lengths_are_refused(firmware: Harness, kind: FrameType, body: bytes) -> None:
    right = {FrameType.HELLO: 2, FrameType.CONFIGURE: 28, FrameType.RUN: 8, FrameType.CHECK: 4}
    bare = right.get(kind, 6 + 2 * body[5] if len(body) >= 6 else -1)
    tagged = {bare + TAG_BYTES, bare + PART_FIELD_BYTES + TAG_BYTES}
    expected = {bare, *tagged} if kind is FrameType.REPLY and bare > 0 else {bare}
    assert bool(unpack(firmware, kind, body)) == (len(body) in expected)


@pytest.mark.parametrize("count", [0, 11, 12, CHUNK_MAX + 13, BODY_MAX])
def test_chunks_of_wrong_length_are_refused(firmware: Harness, count: int) -> None:
    assert unpack(firmware, FrameType.INPUT, bytes(count)) == b""
