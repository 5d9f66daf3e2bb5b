"""A server that is told to stop answers what it has taken, says so to everybody else, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time

import pytest
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, await_taken, serving
from hil_tests.unit.server.test_process import _importable as importable
from hil_tests.unit.server.test_process import child

from hil.errors import ServerError
from hil.server.answer import Answer, Status
from hil.server.client import Client
from hil.server.limits import Limits
from hil.server.process import ServerProcess
from hil.server.service import Service

__all__ = ["importable"]


def await_inference(server: ServerProcess) -> None:
    eventually(lambda: b"infers" in server.log(), "it never began")


def ask_in_vain(client: Client) -> None:
    with contextlib.suppress(ServerError):
        client.infer(b"x", PATIENCE_S)


def test_while_it_drains_what_was_taken_is_answered_and_nothing_else():
    hold = threading.Event()
    service = Service(FakeRemote(hold=hold), HASH)
    answers: list[Answer] = []
    with serving(service) as bound:
        asking, idle = (Client("127.0.0.1", bound.port, HASH, PATIENCE_S) for _ in range(2))
        thread = threading.Thread(target=lambda: answers.append(asking.infer(b"x", PATIENCE_S)))
        thread.start()
        await_taken(service, 1)
        stopping = asyncio.run_coroutine_threadsafe(service.stop(), service.loop)
        eventually(lambda: service.draining and not service._server.is_serving())
        assert idle.infer(b"x", PATIENCE_S).status is Status.DRAINING
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", bound.port), PATIENCE_S)
        hold.set()
        thread.join()
        with pytest.raises(ServerError, match="gone: the server is shutting down"):
            idle.infer(b"x", PATIENCE_S)
        stopping.result(PATIENCE_S)
    assert answers[0].status is Status.OK


def test_a_request_that_never_ends_does_not_keep_it():
    hold = threading.Event()
    service = Service(FakeRemote(hold=hold), HASH, Limits(drain_s=0.2))
    with serving(service) as bound:
        client = Client("127.0.0.1", bound.port, HASH, PATIENCE_S)
        threading.Thread(target=ask_in_vain, args=(client,), daemon=True).start()
        await_taken(service, 1)
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE_S / 2
    hold.set()


def test_sigterm_answers_what_is_asked_and_exits_with_0(importable):
    with ServerProcess(child("lame")) as server:
        connection = server.connect(HASH, PATIENCE_S)
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(connection.infer(b"x", PATIENCE_S)))
        thread.start()
        await_inference(server)
        os.kill(server.pid, signal.SIGTERM)
        thread.join()
        assert answers[0].status is Status.OK
        assert server._process.wait(PATIENCE_S) == 0


def test_a_second_signal_ends_it_at_once(importable):
    with ServerProcess(child("hung")) as server:
        connection = server.connect(HASH, PATIENCE_S)
        threading.Thread(target=ask_in_vain, args=(connection,), daemon=True).start()
        await_inference(server)
        eventually(lambda: os.kill(server.pid, signal.SIGTERM) or not server.alive)
        assert server._process.wait(PATIENCE_S) == 128 + signal.SIGTERM
