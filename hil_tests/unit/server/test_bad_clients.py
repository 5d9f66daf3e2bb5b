"""Whatever a client does, it costs its own session only: everyone else is answered meanwhile."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, running, serving

from hil.errors import ServerError
from hil.server import tls
from hil.server.answer import Request, Status
from hil.server.client import Client
from hil.server.limits import Limits
from hil.server.protocol import Hello, Kind, pack_frame, pack_hello, pack_request
from hil.server.service import Service
from hil.server.tokens import Credential, Tokens

HELLO = pack_hello(Hello(HASH))
IMPATIENT = Limits(hello_s=1.5, frame_s=1.5, write_s=1.5, idle_s=2.0, write_buffer=4096)
"""The good client has to be faster than that, on however busy a machine."""
SOON_S = 30.0
"""Of a queue of thousands of requests, the good client would wait longer for its turn."""
TOKEN = Credential("camera-1", "a-token-of-sixteen-and-more")


@contextlib.contextmanager
def another_is_answered(port: int, **how: object) -> Iterator[None]:
    """A client that asks all the time, and is answered each time."""
    stop, answers, failed = threading.Event(), [0], []

    def ask() -> None:
        try:
            client = Client("127.0.0.1", port, HASH, PATIENCE_S, **how)  # type: ignore[arg-type]
            while not stop.is_set():
                assert client.infer(b"x", SOON_S).status is Status.OK
                answers[0] += 1
                time.sleep(0.01)
            client.close()
        except (ServerError, AssertionError) as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
        so_far = answers[0]
        eventually(lambda: answers[0] > so_far or failed)
    finally:
        stop.set()
        thread.join()
    assert not failed


def raw(port: int, *sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    connection.sendall(b"".join(sent))
    return connection


def dribble(connection: socket.socket, message: bytes) -> int:
    """Sends byte by byte until the server has had enough; how many it took."""
    for sent, byte in enumerate(message):
        try:
            connection.sendall(bytes([byte]))
        except ConnectionError:
            return sent
        time.sleep(0.02)
    return len(message)


def until_closed(connection: socket.socket) -> bytes:
    """What came before the server closed the connection."""
    found = b""
    with connection, contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", b"no HELLO"),
        (HELLO[:7], b"no HELLO"),
        (HELLO + pack_request(1, Request(b"payload"))[:-3], b"took longer"),
        (HELLO, b"nothing was asked"),
        (HELLO + struct.pack("<I", 1 << 20) + b"x", b"announces 1048576 bytes"),
        (HELLO + pack_frame(Kind.PING, bytes(65)), b"PING of 65 bytes"),
        (b"\xff" * 5000, b"announces"),
    ],
    ids=["silent", "half a HELLO", "half a request", "idle", "too long", "a fat ping", "garbage"],
)
def test_who_is_silent_slow_or_malformed_is_sent_away_with_the_reason(sent, reason):
    with running(FakeRemote(), IMPATIENT) as port, another_is_answered(port):
        assert reason in until_closed(raw(port, sent))


def test_a_message_that_comes_byte_by_byte_is_given_up_although_bytes_keep_coming():
    with running(FakeRemote(), IMPATIENT) as port, another_is_answered(port):
        connection = raw(port, HELLO)
        message = pack_request(1, Request(bytes(60_000)))
        assert dribble(connection, message) < len(message)


def test_who_never_reads_is_dropped_and_its_answers_are_not_heaped_up():
    service = Service(FakeRemote(), HASH, IMPATIENT)
    with serving(service) as bound, another_is_answered(bound.port):
        connection = raw(bound.port, HELLO)
        connection.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError):  # reset, broken pipe or timeout, as the system likes
            while True:
                connection.sendall(pack_frame(Kind.PING, bytes(64)) * 1000)
        eventually(lambda: service.stats.ended["stalled"])
        assert service.stats.ended["stalled"] == 1


def test_who_vanishes_in_mid_message_or_before_its_answer_is_forgotten():
    hold = threading.Event()
    service = Service(FakeRemote(hold=hold), HASH)
    with serving(service) as bound:
        requests = [pack_request(number, Request(b"x")) for number in range(8)]
        for cut in (1, 5, 20):
            connection = raw(bound.port, HELLO, *requests, requests[0][:cut])
            connection.recv(5)
            eventually(lambda: service.batcher._pending)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        hold.set()
        with another_is_answered(bound.port):
            pass
        eventually(lambda: not service.sessions)
        assert service.batcher.waiting == 0


def test_a_greedy_client_does_not_starve_the_others():
    with running(FakeRemote(seconds=0.005), Limits(queue_max=64, batch_max=4)) as port:
        greedy = raw(port, HELLO)
        greedy.settimeout(PATIENCE_S)
        stop = threading.Event()

        def swallow() -> None:
            with contextlib.suppress(OSError):
                while greedy.recv(65536):
                    pass

        def flood() -> None:
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    greedy.sendall(pack_request(1, Request(b"x")) * 100)

        threads = [threading.Thread(target=target) for target in (swallow, flood)]
        for thread in threads:
            thread.start()
        with another_is_answered(port):
            time.sleep(0.5)
        stop.set()
        greedy.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def test_more_connections_than_allowed_are_told_so():
    service = Service(FakeRemote(), HASH, Limits(connections_max=2))
    with serving(service) as bound:
        first, _second = (Client("127.0.0.1", bound.port, HASH, PATIENCE_S) for _ in range(2))
        with pytest.raises(ServerError, match="has 2 sessions"):
            Client("127.0.0.1", bound.port, HASH, PATIENCE_S)
        first.close()
        eventually(lambda: len(service.sessions) == 1)
        assert Client("127.0.0.1", bound.port, HASH, PATIENCE_S).infer(b"x", PATIENCE_S).status is Status.OK


@pytest.mark.parametrize(
    "shown", [None, Credential("camera-1", "another-token-altogether"), Credential("stranger", TOKEN.token)]
)
def test_without_the_right_token_nobody_is_let_in(shown):
    tokens = Tokens({TOKEN.name: TOKEN.token})
    with running(FakeRemote(), tokens=tokens) as port, another_is_answered(port, credential=TOKEN):
        with pytest.raises(ServerError, match="does not know this name and token") as caught:
            Client("127.0.0.1", port, HASH, PATIENCE_S, credential=shown)
        assert "HIL_TOKEN" in caught.value.hint


def test_a_stranger_is_not_told_which_bundle_is_served():
    with running(FakeRemote(), tokens=Tokens({TOKEN.name: TOKEN.token})) as port:
        with pytest.raises(ServerError, match="does not know this name"):
            Client("127.0.0.1", port, bytes(32), PATIENCE_S)
        with pytest.raises(ServerError, match="serves bundle"):
            Client("127.0.0.1", port, bytes(32), PATIENCE_S, credential=TOKEN)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """A server's TLS context, and whom its clients trust."""
    pytest.importorskip("cryptography")
    certificate, key = tls.self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")
    return tls.server_context(certificate, key), tls.Trust(fingerprint=tls.fingerprint(certificate))


def test_who_does_not_speak_tls_to_a_tls_port_is_told_so(secure):
    context, trust = secure
    with (
        running(FakeRemote(), Limits(hello_s=3), tls=context) as port,
        another_is_answered(port, trust=trust),
    ):
        with pytest.raises(ServerError, match="hung up without a greeting") as caught:
            Client("127.0.0.1", port, HASH, PATIENCE_S)
        assert "--tls-fingerprint" in caught.value.hint
        until_closed(raw(port, b"\x16\x03\x01\x02\x00\x01" + b"\xff" * 500))
        raw(port, b"\x16\x03\x01").close()
        half = raw(port, b"\x16\x03\x01\x02")
        half.settimeout(PATIENCE_S)
        until_closed(half)


def test_who_speaks_tls_to_a_plain_port_is_told_so(secure):
    _, trust = secure
    with (
        running(FakeRemote()) as port,
        another_is_answered(port),
        pytest.raises(ServerError, match="does not speak TLS"),
    ):
        Client("127.0.0.1", port, HASH, PATIENCE_S, trust=trust)


def test_another_certificate_than_the_trusted_one_is_not_shown_the_token(secure):
    context, _ = secure
    service = Service(FakeRemote(), HASH, tls=context, tokens=Tokens({TOKEN.name: TOKEN.token}))
    with serving(service) as bound:
        for trust in (tls.Trust(fingerprint="0" * 64), tls.Trust(ca=None)):
            with pytest.raises(ServerError, match="is not trusted") as caught:
                Client("127.0.0.1", bound.port, HASH, PATIENCE_S, credential=TOKEN, trust=trust)
            assert "--tls-fingerprint" in caught.value.hint
    assert service.stats.bytes_in == 0


def test_tls_and_token_together_let_in(secure):
    context, trust = secure
    assert isinstance(context, ssl.SSLContext)
    with running(FakeRemote(), tls=context, tokens=Tokens({TOKEN.name: TOKEN.token})) as port:
        client = Client("127.0.0.1", port, HASH, PATIENCE_S, credential=TOKEN, trust=trust)
        assert client.infer(b"\x07four", PATIENCE_S).logits == (5, 7)
