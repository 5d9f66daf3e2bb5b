"""A server half makes tags with the key that it shares with a device, and with no other."""

from __future__ import annotations

import pytest
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, serving
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import ServerError
from hil.server.answer import Stamp, Status
from hil.server.client import Client
from hil.server.limits import Limits
from hil.server.protocol import (
    Kind,
    pack_begin,
    pack_begun,
    pack_frame,
    parse_begin,
    parse_begun,
    parse_frame,
)
from hil.server.service import Service
from hil.server.tokens import Credential, Tokens
from hil.wire.authentic import device_key, reply_tag, session_key
from hil.wire.protocol import KEY_BYTES, NONCE_BYTES, ReplyStatus

KEY, NONCE = bytes(range(100, 100 + KEY_BYTES)), bytes(range(NONCE_BYTES))
TOKEN = "a token of more than sixteen characters"
STAMP = Stamp(5, 77)
nonces = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


def service(key: bytes | None = KEY, tokens: Tokens | None = None) -> Service:
    return Service(FakeRemote(), HASH, Limits(), "", tokens, device_key=key)


def client(port: int, token: str = "") -> Client:
    credential = Credential("camera", token) if token else None
    return Client("127.0.0.1", port, HASH, PATIENCE_S, credential=credential)


@given(nonces, nonces | st.just(b""))
def test_nonces_come_through(device: bytes, server: bytes) -> None:
    frame = parse_frame(pack_begin(device, server)[4:])
    assert (frame.kind, parse_begin(frame.body)) == (Kind.BEGIN, (device, server))
    assert parse_begun(parse_frame(pack_begun(server)[4:]).body) == server


def test_an_answer_has_the_tag_of_its_exchange():
    with serving(service()) as bound:
        asked = client(bound.port)
        nonce = asked.begin(NONCE, b"", 5)
        answer = asked.infer(b"\x07four", 5, stamp=STAMP)
    key = session_key(KEY, NONCE, nonce)
    assert answer.tag == reply_tag(
        key, STAMP.counter, STAMP.sample, b"\x07four", ReplyStatus.OK, answer.logits
    )


def test_a_refusal_has_the_tag_of_a_reply_without_logits():
    with serving(service()) as bound:
        asked = client(bound.port)
        nonce = asked.begin(NONCE, b"", 5)
        answer = asked.infer(b"bad", 5, stamp=STAMP)
    assert answer.status is Status.CORRUPT
    key = session_key(KEY, NONCE, nonce)
    assert answer.tag == reply_tag(key, STAMP.counter, STAMP.sample, b"bad", ReplyStatus.UNAVAILABLE, ())


def test_who_asks_for_no_tag_gets_none():
    with serving(service()) as bound:
        asked = client(bound.port)
        assert asked.infer(b"\x07four", 5, stamp=STAMP).tag == b"", "no session has begun"
        asked.begin(NONCE, b"", 5)
        assert asked.infer(b"\x07four", PATIENCE_S).tag == b""


def test_every_session_has_a_nonce_of_its_own_unless_it_goes_on():
    with serving(service()) as bound:
        first = client(bound.port).begin(NONCE, b"", 5)
        assert client(bound.port).begin(NONCE, b"", 5) != first
        assert client(bound.port).begin(NONCE, first, 5) == first


def test_the_key_of_a_device_with_a_token_is_its_tokens():
    with serving(service(None, Tokens({"camera": TOKEN}))) as bound:
        asked = client(bound.port, TOKEN)
        nonce = asked.begin(NONCE, b"", 5)
        answer = asked.infer(b"\x07four", 5, stamp=STAMP)
    key = session_key(device_key(TOKEN), NONCE, nonce)
    assert answer.tag == reply_tag(
        key, STAMP.counter, STAMP.sample, b"\x07four", ReplyStatus.OK, answer.logits
    )


def test_a_server_without_keys_says_so():
    with serving(service(None)) as bound, pytest.raises(ServerError, match="has no key") as error:
        client(bound.port).begin(NONCE, b"", 5)
    assert "token" in error.value.hint


def test_a_begin_that_is_none_ends_the_session():
    with serving(service()) as bound:
        asked = client(bound.port)
        asked._socket.sendall(pack_frame(Kind.BEGIN, b"short"))
        with pytest.raises(ServerError, match="BEGIN has 5 bytes"):
            asked.infer(b"\x07four", PATIENCE_S)


def test_no_key_shows_where_a_service_is_printed():
    assert KEY.hex() not in repr(service())
    assert repr(KEY) not in repr(service())
