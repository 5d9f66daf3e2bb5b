"""A server half that is started again, within limits."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil_tests.patience import PATIENCE_S, eventually
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
    eventually(lambda: not server._child.alive)


def test_a_child_that_served_and_was_killed_has_a_successor_that_answers(server: KeptServer) -> None:
    server.connect(HASH, PATIENCE_S)
    first = server.pid
    kill(server)
    assert server.connect(HASH, PATIENCE_S).infer(b"abc", PATIENCE_S).logits == (3, ord("a"))
    assert server.pid != first


def test_a_child_that_greets_nobody_is_ended_and_has_a_successor(server: KeptServer) -> None:
    server.connect(HASH, PATIENCE_S)
    first = server.pid
    os.kill(first, signal.SIGSTOP)
    for _ in range(kept.UNGREETED_MAX):
        with pytest.raises(ServerError, match="gone"):
            server.connect(HASH, 0.1)
    assert server.connect(HASH, PATIENCE_S).infer(b"abc", PATIENCE_S).logits == (3, ord("a"))
    assert server.pid != first
    assert not Path(f"/proc/{first}").exists()


def test_starting_again_in_vain_has_an_end(server: KeptServer) -> None:
    server.connect(HASH, PATIENCE_S)
    for _ in range(kept.RESTARTS_MAX):
        kill(server)
        server.connect(HASH, PATIENCE_S)  # and asks nothing
    kill(server)
    with pytest.raises(ServerError, match="in a row in vain"):
        server.connect(HASH, PATIENCE_S)


def test_a_child_that_never_served_is_not_started_again(server: KeptServer) -> None:
    kill(server)
    with pytest.raises(ServerError, match="ended with status -9"):
        server.connect(HASH, PATIENCE_S)
