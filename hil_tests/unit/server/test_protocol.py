"""What is packed for the server half or its client is what the other one reads."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import ProtocolError
from hil.server.answer import Answer, Request, Status
from hil.server.protocol import (
    LENGTH,
    Kind,
    frame_length,
    pack_answer,
    pack_request,
    parse_answer,
    parse_frame,
    parse_request,
)

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
LOGITS = st.lists(st.integers(-32768, 32767), max_size=200).map(tuple)
DETAIL = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def body_of(framed: bytes, kind: Kind) -> bytes:
    """The body of the only frame in `framed`."""
    assert frame_length(framed[: LENGTH.size]) == len(framed) - LENGTH.size
    frame = parse_frame(framed[LENGTH.size :])
    assert frame.kind is kind
    return frame.body


@given(U32, st.binary(max_size=300), st.booleans())
def test_a_request_comes_through(number: int, payload: bytes, prefix: bool) -> None:
    request = Request(payload, prefix)
    assert parse_request(body_of(pack_request(number, request), Kind.INFER)) == (number, request)


@given(U32, st.builds(Answer, st.sampled_from(Status), LOGITS, U32, U32, DETAIL, U16))
def test_an_answer_comes_through(number: int, answer: Answer) -> None:
    assert parse_answer(body_of(pack_answer(number, answer), Kind.ANSWER)) == (number, answer)


@given(U32, st.integers(2, 255), st.binary(max_size=20))
def test_flags_of_a_later_protocol_are_refused(number: int, flags: int, payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="unknown flags"):
        parse_request(struct.pack("<IB", number, flags) + payload)


@given(st.binary(max_size=60))
def test_noise_is_refused_or_is_a_message(noise: bytes) -> None:
    for parse in (parse_request, parse_answer):
        try:
            parse(noise)
        except ProtocolError:
            continue
        assert len(noise) >= 5


@given(U32, LOGITS.filter(bool), st.data())
def test_a_cut_answer_is_refused(number: int, logits: tuple[int, ...], data: st.DataObject) -> None:
    body = body_of(pack_answer(number, Answer(Status.OK, logits)), Kind.ANSWER)
    with pytest.raises(ProtocolError):
        parse_answer(body[: data.draw(st.integers(0, len(body) - 1))])
