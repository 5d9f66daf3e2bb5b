"""The client never waits longer than it was told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, running

from hil.errors import ServerError, UsageError
from hil.server.address import ServerAddress
from hil.server.answer import Answer, Status
from hil.server.client import Client
from hil.server.protocol import Kind, pack_answer, pack_frame

WELCOME = pack_frame(Kind.WELCOME)


def listener(behave: Callable[[socket.socket], None]) -> int:
    """The port of a server that does `behave` with its one connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with server, server.accept()[0] as connection, contextlib.suppress(OSError):
            behave(connection)

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def welcome_then(then: Callable[[socket.socket], None]) -> int:
    def behave(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(WELCOME)
        connection.recv(100)
        then(connection)

    return listener(behave)


def test_nobody_there_is_a_server_error_with_a_hint():
    with pytest.raises(ServerError, match="there is no server") as caught:
        Client("127.0.0.1", 1, HASH, PATIENCE_S)
    assert "hil serve" in caught.value.hint


def test_a_server_that_says_nothing_is_given_up():
    began = time.monotonic()
    with pytest.raises(ServerError, match="in time"):
        Client("127.0.0.1", listener(lambda connection: time.sleep(PATIENCE_S)), HASH, 0.2)
    assert time.monotonic() - began < PATIENCE_S / 2


def test_a_server_that_dribbles_is_given_up_too():
    def dribble(connection: socket.socket) -> None:
        for byte in pack_answer(1, Answer(Status.OK, (1,) * 2000)):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    client = Client("127.0.0.1", welcome_then(dribble), HASH, PATIENCE_S)
    began = time.monotonic()
    with pytest.raises(ServerError, match="in time"):
        client.infer(b"x", 0.2)
    assert time.monotonic() - began < 4000 * 0.05 / 2


def test_a_server_that_hangs_up_is_gone():
    client = Client("127.0.0.1", welcome_then(lambda connection: None), HASH, PATIENCE_S)
    with pytest.raises(ServerError, match="gone: "):
        client.infer(b"x", PATIENCE_S)
    with pytest.raises(ServerError, match="gone: "):
        client.infer(b"x", PATIENCE_S)


def test_an_answer_to_an_earlier_request_is_passed_over():
    def late(connection: socket.socket) -> None:
        connection.sendall(pack_answer(77, Answer(Status.BUSY)) + pack_answer(1, Answer(Status.OK, (3,))))
        time.sleep(0.2)

    assert Client("127.0.0.1", welcome_then(late), HASH, PATIENCE_S).infer(b"x", PATIENCE_S).logits == (3,)


@pytest.mark.parametrize("noise", [b"\xff" * 50, pack_frame(Kind.ANSWER, b"?"), b"\x01\0\0\0\x63"])
def test_a_server_that_talks_nonsense_is_gone(noise):
    def talk(connection: socket.socket) -> None:
        connection.sendall(noise)
        time.sleep(0.2)

    with pytest.raises(ServerError, match="gone"):
        Client("127.0.0.1", welcome_then(talk), HASH, PATIENCE_S).infer(b"x", PATIENCE_S)


def test_an_address_is_a_server_too():
    with running(FakeRemote()) as port:
        address = ServerAddress.parse(f"127.0.0.1:{port}")
        assert address.connect(HASH, PATIENCE_S).infer(b"ab", PATIENCE_S).logits == (2, ord("a"))
    assert address.log() == b""


@pytest.mark.parametrize("text", ["localhost", "host:", ":80", "host:0", "host:70000", "host:http"])
def test_a_wrong_address_is_a_usage_error(text):
    with pytest.raises(UsageError, match="no server address"):
        ServerAddress.parse(text)
