"""The twin as a board and as a console: what the orchestrator and `hil twin` use."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.boards.twin import TwinBoard
from hil.errors import BoardError, TwinFault, UsageError
from hil.twin.console import run_console
from hil_tests.patience import PATIENCE_S
from hil_tests.twin.ctrl_c import press_ctrl_c

pytestmark = pytest.mark.twin

Build = Callable[[str], Path]

ECHO = r"""
static volatile uint8_t ring[256], reply[256]; static uint32_t taken;
void irq37(void) {
    USART1_ICR = 1 << 4;
    uint32_t n = 0;
    while (taken != ((256 - DMA2_S(2, 4)) & 255)) { reply[n++] = ring[taken] ^ 0x20;
        taken = (taken + 1) & 255; }
    if (!n) return;
    DMA2_S(7, 0) = 0; DMA2_HIFCR = 0x3D << 22;
    DMA2_S(7, 8) = 0x40011028; DMA2_S(7, 12) = (uint32_t)reply; DMA2_S(7, 4) = n;
    DMA2_S(7, 0) = 4 << 25 | 1 << 10 | 1 << 6 | 1;
}
void main(void) {
    uart_on(16, 1 << 4, 1 << 6 | 1 << 7); NVIC_ISER(1) = 1 << 5;
    DMA2_S(2, 8) = 0x40011024; DMA2_S(2, 12) = (uint32_t)ring; DMA2_S(2, 4) = 256;
    DMA2_S(2, 0) = 4 << 25 | 1 << 10 | 1 << 8 | 1;
    for (;;) WFI();
}
"""


def test_a_started_board_listens_and_answers_in_virtual_time(build: Build) -> None:
    with TwinBoard().start(build(ECHO)) as board:
        channel = board.channel
        assert channel.byte_s() == pytest.approx(1e-5)
        channel.write(b"ABC", at_s=0.5)
        assert channel.read(0.4) == b""
        assert channel.now_s() >= 0.4
        assert channel.read(1.0) == b"abc"
        # Three bytes there, one idle frame, three bytes back, and some instructions.
        assert channel.now_s() == pytest.approx(0.5 + 7e-5, abs=3e-5)
        assert board.instructions() > 0
        board.check()


@pytest.mark.parametrize("tail", [1e-17, 1.3e-16, 0.1 + 0.2])
def test_reading_comes_back_at_its_limit_whatever_the_rounding(build: Build, tail: float) -> None:
    with TwinBoard().start(build(ECHO)) as board:
        until_s = board.channel.now_s() + 0.0333333 + tail
        assert board.channel.read(until_s) == b""
        assert board.channel.now_s() >= until_s


def test_a_crash_reaches_the_reader_and_stays(build: Build) -> None:
    source = """
        void irq37(void) { REG(0x60000000) = 1; } void main(void) { uart_on(16, 1 << 5, 0);
            NVIC_ISER(1) = 1 << 5; }
    """
    with TwinBoard().start(build(source)) as board:
        board.channel.write(b"x")
        with pytest.raises(TwinFault, match="0x60000000"):
            board.channel.read(1.0)
        with pytest.raises(TwinFault):
            board.check()


def test_a_watchdog_reset_is_an_error_of_the_board(build: Build) -> None:
    source = 'void main(void) { uart_on(16, 0, 0); IWDG_KR = 0xCCCC; for (;;) ASM("nop"); }'
    with TwinBoard().start(build(source)) as board, pytest.raises(BoardError, match="watchdog"):
        board.channel.read(1.0)


def test_an_image_that_is_missing_or_foreign_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"nowhere\.elf"):
        TwinBoard().start(tmp_path / "nowhere.elf")
    short = tmp_path / "short.bin"
    short.write_bytes(b"abc")
    with pytest.raises(BoardError, match="too short"):
        TwinBoard().start(short)
    short.write_bytes(b"# Not firmware\n" * 10)
    with pytest.raises(BoardError, match="does not begin with a vector table"):
        TwinBoard().start(short)


def test_the_console_writes_what_the_port_sends(build: Build) -> None:
    source = """
        void main(void) { uart_on(139, 0, 0); for (const char *c = "hi\\n"; *c; c++) {
            while (!(USART1_ISR & 128)) {} USART1_TDR = *c; } }
    """
    shown = io.BytesIO()
    assert run_console(build(source), {1: "stdio"}, 0.1, stdin=io.BytesIO(), stdout=shown) == 0
    assert shown.getvalue() == b"hi\n"


def test_the_console_echoes_over_tcp(build: Build) -> None:
    with socket.socket() as client:

        def connect(message: str) -> None:
            host, port = message.rsplit(" ", 1)[1].split(":")
            client.settimeout(PATIENCE_S)
            client.connect((host, int(port)))
            client.sendall(b"HELLO")

        assert run_console(build(ECHO), {1: "tcp:0"}, 1.0, on_connection=connect, realtime=True) == 0
        assert client.recv(16) == b"hello"


def test_an_unknown_connection_is_refused(build: Build) -> None:
    with pytest.raises(UsageError, match="carrier-pigeon"):
        run_console(build(ECHO), {1: "carrier-pigeon"}, 0.1)
    with pytest.raises(UsageError, match="UART 9"):
        run_console(build(ECHO), {9: "stdio"}, 0.1)


def test_ctrl_c_ends_the_console_cleanly(build: Build) -> None:
    image = build(ECHO)
    pressing = press_ctrl_c()
    assert run_console(image, {1: "pty"}, None) == 0
    pressing.join()


def test_a_closed_board_says_so(build: Build) -> None:
    with TwinBoard().start(build(ECHO)) as board:
        pass
    with pytest.raises(BoardError, match="closed"):
        board.channel.read(1.0)
