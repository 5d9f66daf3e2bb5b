"""The service answers whom it should, in batches, and survives everyone else."""

from __future__ import annotations

import socket
import struct
import threading
from typing import BinaryIO

import pytest
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, await_taken, running, serving

from hil.errors import ServerError
from hil.server.answer import Answer, Request, Status
from hil.server.client import Client
from hil.server.limits import Limits
from hil.server.protocol import (
    HELLO_MAX,
    SERVER_PROTOCOL_VERSION,
    Hello,
    Kind,
    pack_frame,
    pack_hello,
    pack_request,
    parse_answer,
)
from hil.server.service import Service


def client(port: int) -> Client:
    return Client("127.0.0.1", port, HASH, PATIENCE_S)


def test_a_request_is_answered_with_logits_and_the_servers_time():
    with running(FakeRemote(seconds=0.02)) as port:
        answer = client(port).infer(b"\x07four", PATIENCE_S)
    assert (answer.status, answer.logits) == (Status.OK, (5, 7))
    assert answer.server_us >= 20_000
    assert answer.queue_us <= answer.server_us


def test_a_ping_is_answered_even_while_the_network_computes():
    hold = threading.Event()
    with running(FakeRemote(hold=hold)) as port:
        asking = threading.Thread(target=lambda: client(port).infer(b"x", PATIENCE_S))
        asking.start()
        assert client(port).ping(PATIENCE_S) < PATIENCE_S
        hold.set()
        asking.join()


def test_another_bundle_is_refused():
    with running(FakeRemote()) as port, pytest.raises(ServerError, match="serves bundle 000102"):
        Client("127.0.0.1", port, bytes(32), PATIENCE_S)


def test_whoever_has_another_bundle_is_told_how_this_one_packs():
    with (
        running(FakeRemote(), packing="packed by codec 'range' in rows") as port,
        pytest.raises(ServerError, match="packed by codec 'range' in rows") as error,
    ):
        Client("127.0.0.1", port, bytes(32), PATIENCE_S)
    assert "the same --codec" in error.value.hint


def test_another_protocol_is_refused():
    with running(FakeRemote()) as port, socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(pack_frame(Kind.HELLO, struct.pack("<H", 99) + HASH))
        assert f"speaks protocol {SERVER_PROTOCOL_VERSION}, the client 99".encode() in raw.recv(1000)
        assert raw.recv(1000) == b""


def test_a_corrupt_payload_is_its_senders_problem_alone():
    hold = threading.Event()
    remote = FakeRemote(hold=hold)
    with running(remote) as port:
        answers = {}

        def ask(payload: bytes) -> None:
            answers[payload] = client(port).infer(payload, PATIENCE_S)

        threads = [threading.Thread(target=ask, args=(payload,)) for payload in (b"first", b"bad", b"good")]
        for number, thread in enumerate(threads, 1):
            thread.start()
            eventually(lambda number=number: remote.asked >= number)
        hold.set()
        for thread in threads:
            thread.join()
    assert answers[b"bad"].status is Status.CORRUPT
    assert "impossible code" in answers[b"bad"].detail
    assert answers[b"good"].logits == (4, ord("g"))
    assert remote.batches == [1, 1], "the corrupt one was never inferred, nor any other twice"


def test_the_first_bytes_of_a_payload_are_answered_from_their_complete_channels():
    with running(FakeRemote()) as port:
        connection = client(port)
        part = connection.infer(b"\x07four", PATIENCE_S, prefix=True)
        whole = connection.infer(b"\x07four", PATIENCE_S)
        nothing = connection.infer(b"x", PATIENCE_S, prefix=True)
    assert (part.status, part.logits, part.channels) == (Status.OK, (5, 7), 2)
    assert (whole.logits, whole.channels) == ((5, 7), 4)
    assert (nothing.status, nothing.logits, nothing.channels) == (Status.EMPTY, (), 0)
    assert nothing.detail


def test_first_bytes_for_a_bundle_that_needs_all_are_corrupt_and_nobody_elses_problem():
    hold = threading.Event()
    remote = FakeRemote(hold=hold, progressive=False)
    with running(remote) as port:
        answers = {}

        def ask(payload: bytes, prefix: bool) -> None:
            connection = client(port)
            answers[payload] = connection.infer(payload, PATIENCE_S, prefix=prefix)
            answers[payload + b", again"] = connection.infer(payload, PATIENCE_S)

        asked = [(b"first", False), (b"cut", True), (b"good", False)]
        threads = [threading.Thread(target=ask, args=arguments) for arguments in asked]
        for number, thread in enumerate(threads, 1):
            thread.start()
            eventually(lambda number=number: remote.asked >= number)
        hold.set()
        for thread in threads:
            thread.join()
    assert answers[b"cut"].status is Status.CORRUPT
    assert "not progressive" in answers[b"cut"].detail
    assert answers[b"good"].logits == (4, ord("g"))
    assert answers[b"cut, again"].status is Status.OK, "its connection stays open"
    assert sum(remote.batches) == 5


def test_a_network_that_breaks_is_reported_and_the_service_lives_on():
    with running(FakeRemote()) as port:
        connection = client(port)
        answer = connection.infer(b"boom", PATIENCE_S)
        assert (answer.status, answer.detail) == (Status.FAILED, "RuntimeError: shapes do not match")
        assert connection.infer(b"x", PATIENCE_S).status is Status.OK


def read_answers(stream: BinaryIO, count: int) -> list[tuple[int, Status]]:
    frames = [stream.read(struct.unpack("<I", stream.read(4))[0]) for _ in range(count)]
    return [(number, answer.status) for number, answer in (parse_answer(frame[1:]) for frame in frames)]


@pytest.mark.parametrize("limits", [Limits(queue_max=4, batch_max=1), Limits(session_max=4)])
def test_more_than_is_queued_is_busy_at_once_and_leaves_a_place_for_others(limits):
    hold = threading.Event()
    service = Service(FakeRemote(hold=hold), HASH, limits)
    with serving(service) as bound, socket.create_connection(("127.0.0.1", bound.port)) as raw:
        stream = raw.makefile("rb")
        raw.sendall(pack_hello(Hello(HASH)) + b"".join(pack_request(n, Request(b"x")) for n in range(20)))
        assert stream.read(5)[4] == Kind.WELCOME
        busy = read_answers(stream, 15)
        assert {status for _, status in busy} == {Status.BUSY}
        other = client(bound.port)
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(other.infer(b"x", PATIENCE_S)))
        thread.start()
        eventually(lambda: service.batcher._pending + service.stats.answers["BUSY"] == 21)
        hold.set()
        thread.join()
        assert answers[0].status is Status.OK
        rest = read_answers(stream, 5)
    assert sorted(number for number, _ in busy + rest) == list(range(20)), "each is answered once"


def ask_once(port: int) -> None:
    client(port).infer(b"x", PATIENCE_S)


def test_requests_that_come_together_share_a_batch():
    hold = threading.Event()
    remote = FakeRemote(hold=hold)
    service = Service(remote, HASH, Limits(batch_max=3))
    with serving(service) as bound:
        threads = [threading.Thread(target=ask_once, args=(bound.port,)) for _ in range(6)]
        for number, thread in enumerate(threads, 1):
            thread.start()
            await_taken(service, number)
        hold.set()
        for thread in threads:
            thread.join()
    assert remote.batches == [1, 3, 2], "what comes while one batch is inferred is the next one"


def test_of_a_batch_that_breaks_the_network_only_the_culprit_fails():
    hold = threading.Event()
    remote = FakeRemote(hold=hold)
    answers: dict[bytes, Status] = {}

    def ask(payload: bytes) -> None:
        answers[payload] = client(bound.port).infer(payload, PATIENCE_S).status

    service = Service(remote, HASH)
    with serving(service) as bound:
        threads = [
            threading.Thread(target=ask, args=(one,)) for one in (b"first", b"a", b"b", b"boom", b"c", b"d")
        ]
        for number, thread in enumerate(threads, 1):
            thread.start()
            await_taken(service, number)
        hold.set()
        for thread in threads:
            thread.join()
    assert answers.pop(b"boom") is Status.FAILED
    assert set(answers.values()) == {Status.OK}
    assert len(remote.batches) < 2 + 5, "halves, not one by one"


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("<I", HELLO_MAX + 1),
        struct.pack("<I", 0),
        struct.pack("<I", 10) + b"\x01",
        pack_frame(Kind.HELLO, b"short"),
        pack_request(1, Request(b"without greeting")),
        pack_hello(Hello(HASH)) + struct.pack("<IB", 1, 99),
        pack_hello(Hello(HASH)) + pack_frame(Kind.WELCOME),
        pack_hello(Hello(HASH)) + pack_frame(Kind.INFER, b"ab"),
        pack_hello(Hello(HASH)) + pack_frame(Kind.INFER, struct.pack("<IB", 1, 2) + b"unknown flags"),
    ],
)
def test_noise_ends_its_own_connection_only(noise):
    with running(FakeRemote()) as port:
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        raw.sendall(noise)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1000):
            pass
        raw.close()
        assert client(port).infer(b"x", PATIENCE_S).status is Status.OK


def test_a_stopping_service_still_answers_what_it_has_taken():
    answers = []
    remote = FakeRemote(seconds=0.3)
    with running(remote) as port:
        connection = client(port)
        thread = threading.Thread(target=lambda: answers.append(connection.infer(b"x", PATIENCE_S)))
        thread.start()
        eventually(lambda: remote.asked)
    thread.join()
    assert answers[0].status is Status.OK
