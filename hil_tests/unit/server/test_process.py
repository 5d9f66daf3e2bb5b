"""The server half as a child: awaited, stopped, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.fake_remote import HASH

from hil.errors import ServerError
from hil.server.options import Bound
from hil.server.orphan import watch_parent
from hil.server.process import ServerProcess, parse_ready_line, ready_line, serve_command

ROOT = Path(__file__).parents[3]


def child(mode: str) -> list[str]:
    return [sys.executable, "-m", "hil_tests.unit.server.fake_remote", mode]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "host")]))


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def await_the_end_of(pid: int) -> None:
    eventually(lambda: not lives(pid), "it lives on")


def test_a_child_is_awaited_asked_and_stopped():
    with ServerProcess(child("slow")) as server:
        connection = server.connect(HASH, PATIENCE_S)
        assert connection.infer(b"abc", PATIENCE_S).logits == (3, ord("a"))
        assert server.alive
        assert os.getsid(server.pid) == server.pid, "Ctrl-C at the terminal is not for the child"
    assert not lives(server.pid)
    assert server.log() == b"loaded\n"
    server.stop()


def test_a_child_that_cannot_start_is_an_error_with_its_last_words():
    with ServerProcess(child("broken")) as server, pytest.raises(ServerError, match="status 1") as caught:
        server.connect(HASH, PATIENCE_S)
    assert "no such bundle" in caught.value.hint


def test_a_child_that_is_never_ready_is_given_up():
    with ServerProcess(child("mute")) as server, pytest.raises(ServerError, match="not ready"):
        server.connect(HASH, 0.3)
    assert not lives(server.pid)


def test_a_program_that_does_not_exist_is_a_server_error():
    with pytest.raises(ServerError, match="cannot be started"):
        ServerProcess(["/nowhere/python"])


def test_a_child_killed_in_mid_run_is_noticed_at_the_next_request():
    with ServerProcess(child("plain")) as server:
        connection = server.connect(HASH, PATIENCE_S)
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerError, match="gone"):
            connection.infer(b"abc", PATIENCE_S)
        await_the_end_of(server.pid)
        with pytest.raises(ServerError, match="ended with status -9"):
            server.connect(HASH, PATIENCE_S)


def test_sigterm_ends_a_server_in_good_order():
    with ServerProcess(child("plain")) as server:
        server.connect(HASH, PATIENCE_S)
        os.kill(server.pid, signal.SIGTERM)
        await_the_end_of(server.pid)
        assert server._process.wait(PATIENCE_S) == 0


def test_the_end_of_standard_input_is_the_end_of_the_parent():
    reading, writing = os.pipe()
    orphaned = threading.Event()
    watch_parent(orphaned.set, reading)
    assert not orphaned.wait(0.1)
    os.close(writing)
    assert orphaned.wait(PATIENCE_S)


PARENT = """
import signal, sys, time
from hil.server.options import Bound
from hil.server.orphan import watch_parent
from hil.server.process import ServerProcess
from hil_tests.unit.server.fake_remote import HASH
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf to it
with ServerProcess([sys.executable, "-m", "hil_tests.unit.server.fake_remote", "plain"]) as server:
    server.connect(HASH, 300)
    print(server.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_child_survives_its_parent(number):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pid = int(parent.stdout.readline())
    assert lives(pid)
    parent.send_signal(number)
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    await_the_end_of(pid)


def test_the_ready_line_is_found_among_other_output():
    assert parse_ready_line(ready_line(Bound(4711, 9100))) == Bound(4711, 9100)
    for line in ("", "Loading…", "4711", "{}", '{"hil_server": {"port": "x"}}', '{"hil_server": 3}'):
        assert parse_ready_line(line) is None


def test_a_bundle_is_served_by_the_same_python():
    command = serve_command(Path("b.safetensors"))
    assert command[:4] == [sys.executable, "-m", "hil", "serve"]
    assert "--announce" in command
