"""BLAKE2s in C is RFC 7693's, and only the server's own reply to this very exchange fits its tag."""

from __future__ import annotations

import struct
from hashlib import blake2s

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire.authentic import device_key, reply_tag, session_key
from hil.wire.protocol import KEY_BYTES, NONCE_BYTES, TAG_BYTES, ReplyStatus
from hil.wire.to_device import Reply
from hil_tests.unit.mcu.harness import Harness

many = settings(max_examples=150, deadline=None)
u32 = st.integers(0, 2**32 - 1)
keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
nonces = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)
logit_lists = st.lists(st.integers(-(2**15), 2**15 - 1), max_size=200)

KEY, DEVICE, SERVER = bytes(range(32)), bytes(range(16)), bytes(range(100, 116))
COUNTER, SAMPLE, LOGITS = 7, 1234, tuple(range(-500, 500, 100))
PAYLOAD = bytes(range(40, 240))


def digest(firmware: Harness, message: bytes, size: int, key: bytes = b"", piece: int = 255) -> bytes:
    return firmware.ask("B", bytes([size, len(key), piece]) + key + message)


def is_authentic(
    firmware: Harness,
    counter: int,
    body: bytes,
    secrets: bytes = KEY + DEVICE + SERVER,
    payload: bytes = PAYLOAD,
) -> bool:
    question = struct.pack("<II", counter, len(payload)) + payload
    return firmware.ask("A", secrets + question + body) == struct.pack("<I", 1)


def reply(
    key: bytes = KEY,
    device_nonce: bytes = DEVICE,
    server_nonce: bytes = SERVER,
    counter: int = COUNTER,
    sample: int = SAMPLE,
    status: ReplyStatus = ReplyStatus.OK,
    logits: tuple[int, ...] = LOGITS,
    payload: bytes = PAYLOAD,
    part_bytes: int | None = None,
) -> bytes:
    """The body of a REPLY as a server half makes it that holds `key`, and was asked about `payload`."""
    session = session_key(key, device_nonce, server_nonce)
    tag = reply_tag(session, counter, sample, payload, status, logits)
    return Reply(sample, status, logits, tag, part_bytes).pack()


def selftest_sequence(size: int, seed: int) -> bytes:
    """RFC 7693 Appendix E: a deterministic sequence."""
    a, b, out = 0xDEAD4BAD * seed & 0xFFFF_FFFF, 1, bytearray()
    for _ in range(size):
        a, b = b, (a + b) & 0xFFFF_FFFF
        out.append(b >> 24)
    return bytes(out)


def test_the_self_test_of_the_rfc(firmware: Harness) -> None:
    """RFC 7693 Appendix E: 48 digests, keyed and not, and one of them all."""
    whole = b""
    for size in (16, 20, 28, 32):
        for length in (0, 3, 64, 65, 255, 1024):
            message, key = selftest_sequence(length, length), selftest_sequence(size, size)
            whole += digest(firmware, message, size) + digest(firmware, message, size, key)
    expected = "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"
    assert digest(firmware, whole, 32).hex() == expected


def test_the_vector_of_the_rfc(firmware: Harness) -> None:
    """RFC 7693 Appendix B: BLAKE2s-256("abc")."""
    expected = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"
    assert digest(firmware, b"abc", 32).hex() == expected


@many
@given(
    message=st.binary(max_size=400),
    key=st.binary(max_size=32),
    size=st.integers(1, 32),
    piece=st.integers(1, 255),
)
def test_any_message_in_any_pieces(
    firmware: Harness, message: bytes, key: bytes, size: int, piece: int
) -> None:
    assert digest(firmware, message, size, key, piece) == blake2s(message, digest_size=size, key=key).digest()


@many
@given(
    key=keys, device=nonces, server=nonces, counter=u32, sample=u32, logits=logit_lists,
    payload=st.binary(max_size=300),
)  # fmt: skip
def test_the_servers_own_reply_is_taken(
    firmware: Harness, key: bytes, device: bytes, server: bytes, counter: int, sample: int, logits: list[int],
    payload: bytes,
) -> None:  # fmt: skip
    body = reply(key, device, server, counter, sample, ReplyStatus.OK, tuple(logits), payload)
    assert is_authentic(firmware, counter, body, key + device + server, payload)


@many
@given(payload=st.binary(max_size=300), cut=st.floats(0, 1))
def test_a_reply_to_the_first_bytes_is_taken_as_one_to_them_alone(
    firmware: Harness, payload: bytes, cut: float
) -> None:
    part = payload[: round(cut * len(payload))]
    assert is_authentic(firmware, COUNTER, reply(payload=part, part_bytes=len(part)), payload=payload)
    for claimed in {None, len(part) - 1, len(part) + 1, len(payload) + 1} - {-1}:
        if claimed is not None or len(part) < len(payload):
            body = reply(payload=part, part_bytes=claimed)
            assert not is_authentic(firmware, COUNTER, body, payload=payload)


@many
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_the_answer_to_a_payload_that_was_altered_on_its_way_is_never_taken(
    firmware: Harness, place: float, bit: int
) -> None:
    heard = bytearray(PAYLOAD)
    heard[int(place * len(heard))] ^= 1 << bit
    assert not is_authentic(firmware, COUNTER, reply(payload=bytes(heard)))


@many
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_altered_bit_of_a_reply_is_never_taken(firmware: Harness, place: float, bit: int) -> None:
    body = bytearray(reply())
    body[int(place * len(body))] ^= 1 << bit
    assert not is_authentic(firmware, COUNTER, bytes(body))


@many
@given(counter=u32.filter(lambda counter: counter != COUNTER))
def test_the_reply_to_any_other_exchange_is_never_taken(firmware: Harness, counter: int) -> None:
    assert not is_authentic(firmware, counter, reply())


@many
@given(sample=u32.filter(lambda sample: sample != SAMPLE))
def test_the_tag_of_any_other_sample_is_never_taken(firmware: Harness, sample: int) -> None:
    body = reply(sample=sample)
    assert not is_authentic(firmware, COUNTER, struct.pack("<I", SAMPLE) + body[4:])


@many
@given(place=st.integers(0, 2 * NONCE_BYTES + KEY_BYTES - 1), change=st.integers(1, 255))
def test_a_reply_of_any_other_session_or_key_is_never_taken(
    firmware: Harness, place: int, change: int
) -> None:
    secrets = bytearray(KEY + DEVICE + SERVER)
    secrets[place] ^= change
    assert not is_authentic(firmware, COUNTER, reply(), bytes(secrets))


@pytest.mark.parametrize("size", [0, 1, TAG_BYTES - 1])
def test_a_reply_with_a_short_tag_or_none_is_never_taken(firmware: Harness, size: int) -> None:
    assert not is_authentic(firmware, COUNTER, reply()[: -TAG_BYTES + size or None][: 26 + size])


def test_a_refusal_of_the_server_has_a_tag_as_well(firmware: Harness) -> None:
    body = reply(status=ReplyStatus.UNAVAILABLE, logits=())
    assert is_authentic(firmware, COUNTER, body)
    assert not is_authentic(firmware, COUNTER, bytes([*body[:4], ReplyStatus.OK, *body[5:]]))


def test_keys_of_tokens_are_apart_from_all_that_a_token_hashes_to() -> None:
    assert device_key("a token") != device_key("another token")
    assert device_key("a token") != blake2s(b"a token").digest()
    assert len(device_key("")) == KEY_BYTES
