"""A twin on the desk: its socket, its supply, its cable and its entry in the cache folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import BoardError, HilError, ProtocolError, UsageError
from hil.probe import protocol as p
from hil.probe import registry
from hil.probe.client import DeskClient
from hil.twin.desk.board import DeskBoard
from hil.twin.desk.cable import Cable
from hil.twin.desk.desk import run_desk
from hil.twin.image import load_image
from hil.twin.wiring import load_wiring
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.twin.desk_process import Desk, desk, environment

pytestmark = pytest.mark.twin

ECHO = """
#define USART3(r) REG(0x40004800 + (r))
void main(void) {
    RCC_APB1ENR |= 1 << 18; USART3(0xC) = 16000000 / 115200; USART3(0) = 0xD;
    out[15] = 0x12345678;
    for (;;) { while (!(USART3(0x1C) & 1 << 5)) {} uint32_t c = USART3(0x24);
        while (!(USART3(0x1C) & 1 << 7)) {} USART3(0x28) = c ^ 0x20; out[0]++; }
}
"""
CHATTER = """
#define USART3(r) REG(0x40004800 + (r))
void main(void) {
    RCC_APB1ENR |= 1 << 18; USART3(0xC) = 16; USART3(0) = 0xD;
    for (;;) { while (!(USART3(0x1C) & 1 << 7)) {} USART3(0x28) = 'x'; out[0]++; }
}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def echo(cache: Path, tmp_path: Path, build: Callable[[str], Path]) -> Iterator[Desk]:
    with desk("ECHO1", environment(cache, tmp_path), str(build(ECHO))) as running:
        yield running


def make_board(build: Callable[[str], Path], tmp_path: Path, source: str | None) -> DeskBoard:
    image = None if source is None else load_image(build(source))
    return DeskBoard(load_wiring("nucleo_f746zg"), tmp_path / "flash.bin", image, lambda message: None)


def test_a_twin_on_the_desk_talks_over_its_serial_port(echo: Desk) -> None:
    with serial.Serial(echo.entry.serial, 115200, timeout=PATIENCE_S) as port:
        port.write(b"hello")
        assert port.read(5) == b"HELLO"
        with echo.client() as client:
            client.call("cable", plugged=False)
            port.write(b"lost")
            eventually(lambda: port.out_waiting == 0)
            client.call("cable", plugged=True)
            port.write(b"found")
            assert port.read(5) == b"FOUND"


def test_the_entry_is_for_its_owner_alone_and_goes_with_the_process(echo: Desk, cache: Path) -> None:
    path = cache / "desk" / "ECHO1.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["pid"] == echo.process.pid
    echo.process.send_signal(signal.SIGINT)
    assert echo.process.wait(PATIENCE_S) == 0
    assert not path.exists()
    assert registry.entries() == []
    assert (cache / "desk" / "ECHO1.flash").stat().st_size == 1 << 20


def test_one_client_at_a_time_with_the_right_token(echo: Desk) -> None:
    with pytest.raises(BoardError, match="wrong token"):
        DeskClient(registry.Entry(**{**echo.entry.__dict__, "token": "0" * 64}))
    with echo.client() as first:
        with pytest.raises(BoardError, match="busy"):
            echo.client()
        assert first.call("state")["board"] == "nucleo_f746zg"
    eventually(lambda: _answers(echo))


def _answers(running: Desk) -> bool:
    try:
        with running.client() as client:
            return bool(client.call("state")["powered"])
    except BoardError:
        return False


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=10)
@given(junk=st.binary(min_size=1, max_size=80), trusted=st.booleans(), framed=st.booleans())
def test_nonsense_ends_its_client_and_nothing_else(
    echo: Desk, junk: bytes, trusted: bool, framed: bool
) -> None:
    eventually(lambda: _answers(echo))
    with socket.create_connection(("127.0.0.1", echo.entry.port), 60) as raw:
        if trusted:
            hello = {"version": p.VERSION, "token": echo.entry.token}
            raw.sendall(p.pack_message(p.Kind.HELLO, p.pack_json(hello)))
        raw.sendall(p.pack_message(p.Kind.TRANSFER, junk) if framed else junk)
    eventually(lambda: _answers(echo))


def test_an_unknown_call_and_wrong_arguments_are_told(echo: Desk) -> None:
    with echo.client() as client:
        with pytest.raises(HilError, match="unknown call"):
            client.call("explode")
        assert client.call("state")["powered"]
    with echo.client() as client, pytest.raises((BoardError, ProtocolError)):
        client.call("power", on=True, off=True)


def test_an_entry_whose_process_is_gone_is_cleaned_up(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        registry.publish(registry.Entry("ALIVE", os.getpid(), port, "t", "nucleo_f746zg", "/dev/null"))
        registry.publish(registry.Entry("NOBODY", 2**22 + 1, port, "t", "nucleo_f746zg", "/dev/null"))
        (registry.folder() / "broken.json").write_text("{")
        assert [entry.unique_id for entry in registry.entries()] == ["ALIVE"]
    assert registry.entries() == []  # nobody listens any more
    assert list(registry.folder().glob("*.json")) == []


def test_an_id_that_is_taken_or_malformed_is_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="no unique ID"):
        run_desk(None, board="nucleo_f746zg", unique_id="../x")
    with pytest.raises(UsageError, match="valid: disco_f746g, nucleo_f746zg"):
        run_desk(None, board="nucleo", unique_id="TWIN1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        registry.publish(registry.Entry("TWIN1", os.getpid(), port, "t", "nucleo_f746zg", "/dev/null"))
        with pytest.raises(UsageError, match="already"):
            run_desk(None, board="nucleo_f746zg", unique_id="twin1")


def test_the_flash_outlives_the_board(build: Callable[[str], Path], tmp_path: Path) -> None:
    board = make_board(build, tmp_path, "void main(void) { out[0] = 7; }")
    board.run(0.001)
    contents = board.twin.read(0x0800_0000, 1 << 20)
    out = load_image(build("void main(void) { out[0] = 7; }")).symbols["out"]
    board.close()
    again = make_board(build, tmp_path, None)
    assert again.twin.read(0x0800_0000, 1 << 20) == contents
    again.run(0.001)
    assert again.twin.read(out, 4) == (7).to_bytes(4, "little")
    again.close()


def test_an_empty_board_locks_up_and_can_still_be_reached(tmp_path: Path) -> None:
    told: list[str] = []
    board = DeskBoard(load_wiring("disco_f746g"), tmp_path / "flash.bin", None, told.append)
    board.run(0.001)
    assert board.unit.control.locked_up
    assert "locked up" in told[-1]
    assert board.transfer([p.Access(p.What.READ_DP, 0)]).words == (0x5BA0_2477,)
    board.close()


def test_without_power_nothing_answers_and_ram_is_lost(build: Callable[[str], Path], tmp_path: Path) -> None:
    board = make_board(build, tmp_path, ECHO)
    board.run(0.001)
    out = board.twin.memory.word(load_image(build(ECHO)).symbols["out"] + 60)
    assert out == 0x1234_5678
    board.power_off()
    outcome = board.transfer([p.Access(p.What.READ_DP, 0)])
    assert (outcome.result, outcome.done) == (p.Result.NO_ANSWER, 0)
    now_s = board.twin.now_s
    board.run(1.0)
    assert board.twin.now_s == now_s
    board.power_on()
    assert board.transfer([p.Access(p.What.READ_DP, 0)]).words == (0x5BA0_2477,)
    board.run(0.001)
    assert not board.idle
    board.close()


def test_the_supply_can_be_cut_at_a_virtual_time(build: Callable[[str], Path], tmp_path: Path) -> None:
    board = make_board(build, tmp_path, "void main(void) { for (;;) out[0]++; }")
    board.cut_power(at_s=0.005, after_bytes=None)
    for _ in range(10):
        board.run(0.002)
    assert not board.powered
    assert board.twin.now_s == pytest.approx(0.005, abs=1e-6)
    with pytest.raises(BoardError, match="when"):
        board.cut_power(at_s=1.0, after_bytes=1)
    board.close()


def test_the_supply_can_be_cut_while_flash_is_programmed(
    build: Callable[[str], Path], tmp_path: Path
) -> None:
    source = """
        __attribute__((section(".ramcode"), noinline, long_call)) void program(void) {
            REG(0x40023C04) = 0x45670123; REG(0x40023C04) = 0xCDEF89AB; REG(0x40023C10) = 1 | 2 << 8;
            for (uint32_t at = 0x08010000; at < 0x08010400; at += 4) {
                REG(at) = 0; while (REG(0x40023C0C) & 1 << 16) {} }
            for (;;) {}
        }
        void main(void) { program(); }
    """
    board = make_board(build, tmp_path, source)
    board.cut_power(at_s=None, after_bytes=100)
    for _ in range(50):
        board.run(0.002)
    assert not board.powered
    flash = (tmp_path / "flash.bin").read_bytes()[0x1_0000:0x1_0400]
    assert flash[:96] == bytes(96)
    assert flash[100:] == b"\xff" * (0x400 - 100)
    board.close()


def test_nobody_has_to_read_the_serial_port(build: Callable[[str], Path], tmp_path: Path) -> None:
    board = make_board(build, tmp_path, CHATTER)
    board.cable.write(bytes(1 << 20))  # far more than a pty and the backlog hold
    out = load_image(build(CHATTER)).symbols["out"]
    board.run(0.0005)
    sent = board.twin.memory.word(out)
    assert sent > 20
    with serial.Serial(board.cable.where, timeout=0):
        pass
    board.run(0.0005)
    assert board.twin.memory.word(out) > sent
    board.close()


def test_a_cable_keeps_what_its_reader_has_not_taken() -> None:
    cable = Cable()
    data = bytes(range(256)) * 100
    with serial.Serial(cable.where, timeout=PATIENCE_S) as port:  # opening it discards what came before
        cable.write(data)
        taken = b""
        while len(taken) < len(data):
            taken += port.read(port.in_waiting or 1)
            cable.write(b"")
    assert taken == data
    cable.close()
