"""A server half that is started again, within limits."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil_tests.unit.server.fake_remote import HASH

from hil.errors import ServerError
from hil.server import kept
from hil.server.kept import KeptServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptServer]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "host")]))
    with KeptServer([sys.executable, "-m", "hil_tests.unit.server.fake_remote", "plain"]) as running:
        yield running


def kill(server: KeptServer) -> None:
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while server._child.alive:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_child_that_served_and_was_killed_has_a_successor_that_answers(server: KeptServer) -> None:
    server.connect(HASH, 20)
    first = server.pid
    kill(server)
    assert server.connect(HASH, 20).infer(b"abc", 5).logits == (3, ord("a"))
    assert server.pid != first


def test_a_child_that_greets_nobody_is_ended_and_has_a_successor(server: KeptServer) -> None:
    server.connect(HASH, 20)
    first = server.pid
    os.kill(first, signal.SIGSTOP)
    for _ in range(kept.UNGREETED_MAX):
        with pytest.raises(ServerError, match="gone"):
            server.connect(HASH, 0.1)
    assert server.connect(HASH, 20).infer(b"abc", 5).logits == (3, ord("a"))
    assert server.pid != first
    assert not Path(f"/proc/{first}").exists()


def test_starting_again_in_vain_has_an_end(server: KeptServer) -> None:
    server.connect(HASH, 20)
    for _ in range(kept.RESTARTS_MAX):
        kill(server)
        server.connect(HASH, 20)  # and asks nothing
    kill(server)
    with pytest.raises(ServerError, match="in a row in vain"):
        server.connect(HASH, 20)


def test_a_child_that_never_served_is_not_started_again(server: KeptServer) -> None:
    kill(server)
    with pytest.raises(ServerError, match="ended with status -9"):
        server.connect(HASH, 20)
