"""The client of the Monitor against a server that plays recorded exchanges."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from hil.errors import BoardError
from hil.renode.complaints import as_error, complaint
from hil.renode.monitor import Monitor
from hil_tests.unit.renode import recorded
from hil_tests.unit.renode.recorded import Exchange

Play = Callable[..., Monitor]


@pytest.fixture
def play() -> Iterator[Play]:
    """Makes a connected client; the server answers commands with what was recorded, byte by byte."""
    servers: list[socket.socket] = []
    monitors: list[Monitor] = []

    def serve(server: socket.socket, exchanges: tuple[Exchange, ...]) -> None:
        client, _ = server.accept()
        client.sendall(recorded.GREETING)
        for exchange in exchanges:
            expected = exchange.command.encode() + b"\n"
            received = b""
            while len(received) < len(expected):
                received += client.recv(4096)
            assert received == expected
            for place in range(0, len(exchange.raw), 7):
                client.sendall(exchange.raw[place : place + 7])
        while client.recv(64):
            pass

    def make(*exchanges: Exchange, check: Callable[[], None] = lambda: None) -> Monitor:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=serve, args=(server, exchanges), daemon=True).start()
        monitors.append(Monitor(server.getsockname()[1], "f746", check))
        monitors[-1].connect(5.0)
        return monitors[-1]

    yield make
    for one in (*monitors, *servers):
        one.close()


def test_replies_come_one_by_one(play: Play) -> None:
    monitor = play(recorded.CREATED, recorded.COUNTED, recorded.STEPPED)
    assert monitor.run(recorded.CREATED.command) == ""
    assert monitor.run(recorded.COUNTED.command) == "0x0000000001EE6280"
    monitor.step(recorded.STEPPED.command, 5.0)
    assert "0x0000000001EE6280" in monitor.transcript()
    assert "RunFor" not in monitor.transcript(), "steps would fill the log"


def test_a_refused_command_is_an_error_with_renodes_words_and_a_hint(play: Play) -> None:
    monitor = play(recorded.REFUSED)
    with pytest.raises(BoardError, match=r"Could not resolve type: 'UART\.STM32F7_USARTT'") as caught:
        monitor.run(recorded.REFUSED.command)
    assert "/x.repl:12:8" in caught.value.message
    assert "platform file" in caught.value.hint


def test_an_attempt_may_fail(play: Play) -> None:
    monitor = play(recorded.UNKNOWN, recorded.COUNTED)
    assert not monitor.attempt(recorded.UNKNOWN.command)
    assert monitor.attempt(recorded.COUNTED.command)


def test_silence_is_an_error(play: Play) -> None:
    monitor = play()
    with pytest.raises(BoardError, match="did not answer 'cpu PC' within"):
        monitor.run("cpu PC", 0.3)


def test_a_renode_that_ended_is_told_with_its_own_reason(play: Play) -> None:
    def check() -> None:
        if ended:
            raise BoardError("Renode ended with exit code 42", "")

    ended = False
    monitor = play(recorded.CREATED, check=check)
    monitor.run(recorded.CREATED.command)
    ended = True
    with pytest.raises(BoardError, match="exit code 42"):
        monitor.run("cpu PC")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BoardError, match=f"did not open its Monitor on port {port}"):
        Monitor(port, "f746", lambda: None).connect(0.3)


@pytest.mark.parametrize(
    "output",
    [
        "There was an error executing command 'x'\nParameters did not match the signature",
        "No such command or device: x",
        "Error E20: Undefined register",
        "Bad parameters for command x",
        "sysbus does not provide a field, method or property x",
    ],
)
def test_complaints_are_noticed(output: str) -> None:
    assert complaint(output) is not None
    assert as_error("x", output).hint


@pytest.mark.parametrize("output", ["", "0x8000200", "Renode, version 1.16.1", "Errors: 0", "True"])
def test_other_output_is_none(output: str) -> None:
    assert complaint(output) is None


def test_a_taken_port_has_its_own_hint() -> None:
    assert "port" in as_error("emulation Create…", "There was an error… Address already in use").hint
