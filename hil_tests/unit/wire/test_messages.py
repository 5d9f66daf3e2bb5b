"""Message bodies are unpacked to what was packed, or refused."""

from __future__ import annotations

import contextlib

import pytest
from hil_tests.unit.wire.strategies import messages
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import ProtocolError
from hil.wire.messages import MESSAGES
from hil.wire.protocol import BODY_MAX, CHUNK_MAX, FrameType, ReplyStatus
from hil.wire.to_device import Input, Reply
from hil.wire.to_host import Payload


@given(messages)
def test_every_message_comes_back_as_it_went(message):
    body = message.pack()
    assert len(body) <= BODY_MAX
    assert type(message).unpack(body) == message
    assert MESSAGES[message.frame_type] is type(message)


@given(st.sampled_from(list(MESSAGES.values())), st.binary(max_size=BODY_MAX))
def test_any_other_body_is_a_protocol_error_or_a_message(kind, body):
    with contextlib.suppress(ProtocolError):
        kind.unpack(body)


@given(messages)
def test_a_body_cut_short_is_refused(message):
    body = message.pack()
    if isinstance(message, Input) or message.frame_type is FrameType.PAYLOAD:
        body = body[:12]
    with pytest.raises(ProtocolError):
        type(message).unpack(body[:-1])


def test_a_chunk_that_reaches_past_its_total_is_refused():
    with pytest.raises(ProtocolError, match="past its total"):
        Input.unpack(Input(0, 10, 8, b"abc").pack())


def test_a_chunk_of_a_payload_that_is_still_made_knows_no_total():
    assert Payload.unpack(Payload(0, 0, 320, b"abc").pack()) == Payload(0, 0, 320, b"abc")


def test_a_chunk_too_long_or_empty_is_refused():
    for data in (b"", bytes(CHUNK_MAX + 1)):
        with pytest.raises(ProtocolError):
            Input.unpack(Input(0, 5000, 0, data).pack())


def test_an_unknown_status_is_refused():
    with pytest.raises(ProtocolError, match="unknown value 9"):
        Reply.unpack(Reply(1, ReplyStatus.OK, ()).pack()[:4] + b"\x09\x00")


def test_every_reliable_frame_type_has_a_message():
    assert set(MESSAGES) == set(FrameType) - {FrameType.ACK, FrameType.NAK}
