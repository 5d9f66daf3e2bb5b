"""What is packed for the server half or its client is what the other one reads."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import ProtocolError
from hil.server.answer import Answer, Request, Stamp, Status
from hil.server.protocol import (
    HELLO_MAX,
    LENGTH,
    NAME_MAX,
    TOKEN_MAX,
    Hello,
    Kind,
    Refusal,
    frame_length,
    hello_version,
    pack_answer,
    pack_goodbye,
    pack_hello,
    pack_refusal,
    pack_request,
    parse_answer,
    parse_frame,
    parse_hello,
    parse_refusal,
    parse_request,
    shown,
)

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
LOGITS = st.lists(st.integers(-32768, 32767), max_size=200).map(tuple)
TAG = st.sampled_from([b"", bytes(range(16))])
DETAIL = st.text(st.characters(exclude_categories=["Cs"]).filter(str.isprintable), max_size=200)


def body_of(framed: bytes, kind: Kind) -> bytes:
    """The body of the only frame in `framed`."""
    assert frame_length(framed[: LENGTH.size]) == len(framed) - LENGTH.size
    frame = parse_frame(framed[LENGTH.size :])
    assert frame.kind is kind
    return frame.body


@given(U32, st.binary(max_size=300), st.booleans(), st.none() | st.builds(Stamp, U32, U32))
def test_a_request_comes_through(number: int, payload: bytes, prefix: bool, stamp: Stamp | None) -> None:
    request = Request(payload, prefix, stamp)
    assert parse_request(body_of(pack_request(number, request), Kind.INFER)) == (number, request)


@given(U32, st.builds(Answer, st.sampled_from(Status), LOGITS, U32, U32, DETAIL, U16, TAG))
def test_an_answer_comes_through(number: int, answer: Answer) -> None:
    assert parse_answer(body_of(pack_answer(number, answer), Kind.ANSWER)) == (number, answer)


@given(U32, st.integers(4, 255), st.binary(max_size=20))
def test_flags_of_a_later_protocol_are_refused(number: int, flags: int, payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="unknown flags"):
        parse_request(struct.pack("<IB", number, flags) + payload)


@given(st.binary(max_size=60))
def test_noise_is_refused_or_is_a_message(noise: bytes) -> None:
    for parse in (parse_request, parse_answer, parse_hello):
        try:
            parse(noise)
        except ProtocolError:
            continue
        assert len(noise) >= 5


NAMES = st.text(st.characters(categories=["L", "N", "P"]), max_size=30).filter(
    lambda name: len(name.encode()) <= NAME_MAX
)
TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=TOKEN_MAX)


@given(st.binary(min_size=32, max_size=32), NAMES, TOKENS)
def test_a_hello_comes_through_and_is_never_longer_than_a_stranger_may_send(
    bundle_hash: bytes, name: str, token: str
) -> None:
    hello = Hello(bundle_hash, name, token)
    framed = pack_hello(hello)
    assert len(framed) <= LENGTH.size + HELLO_MAX
    body = body_of(framed, Kind.HELLO)
    assert parse_hello(body) == hello
    assert hello_version(body) == hello.version


@given(st.binary(min_size=32, max_size=32), NAMES, TOKENS, st.data())
def test_a_hello_whose_sizes_lie_is_refused(
    bundle_hash: bytes, name: str, token: str, data: st.DataObject
) -> None:
    body = body_of(pack_hello(Hello(bundle_hash, name, token)), Kind.HELLO)
    with pytest.raises(ProtocolError):
        parse_hello(body[: data.draw(st.integers(0, len(body) - 1))])
    with pytest.raises(ProtocolError):
        parse_hello(body + b"x")


def test_a_name_that_would_spoil_a_log_is_refused() -> None:
    with pytest.raises(ProtocolError, match="printable"):
        parse_hello(body_of(pack_hello(Hello(bytes(32), "a\nb")), Kind.HELLO))
    for hello in (Hello(bytes(32), "x" * (NAME_MAX + 1)), Hello(bytes(32), "", "x" * (TOKEN_MAX + 1))):
        with pytest.raises(ProtocolError, match="at most"):
            pack_hello(hello)


@given(st.sampled_from(Refusal), DETAIL)
def test_a_reason_comes_through(code: Refusal, text: str) -> None:
    assert parse_refusal(body_of(pack_refusal(code, text), Kind.REFUSED)) == (code, text)
    assert body_of(pack_goodbye(text), Kind.GOODBYE).decode() == text


@given(st.binary(max_size=2000))
def test_what_a_server_says_moves_no_cursor_and_begins_no_line(said: bytes) -> None:
    assert shown(said).isprintable()
    assert "\x1b" not in parse_refusal(b"\1\x1b[2J" + said)[1]


def test_a_refusal_of_a_later_protocol_still_has_its_words() -> None:
    assert parse_refusal(b"\xc8later") == (None, "later")
    assert parse_refusal(b"") == (None, "")


@given(U32, LOGITS.filter(bool), st.data())
def test_a_cut_answer_is_refused(number: int, logits: tuple[int, ...], data: st.DataObject) -> None:
    body = body_of(pack_answer(number, Answer(Status.OK, logits)), Kind.ANSWER)
    with pytest.raises(ProtocolError):
        parse_answer(body[: data.draw(st.integers(0, len(body) - 1))])
