"""`hil twin --board`, `--timing`: the oscillator and the port of the board, and how time is kept."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.twin import wiring
from hil.twin.console import run_console

pytestmark = pytest.mark.twin

# A dot every 8000 cycles of HSE: the board's time tells its oscillator.
DOTS = """
    #define UART(r) REG(PORT + (r))
    void main(void) {
        RCC_CR |= 1 << 16; while (!(RCC_CR & 1 << 17)) {}
        RCC_CFGR = 1; while ((RCC_CFGR & 0xC) != 4) {}
        ENABLE;
        UART(0x0C) = BRR; UART(0) = 9;
        SYST_RVR = 7999; SYST_CVR = 0; SYST_CSR = 5;
        for (;;) { while (!(SYST_CSR & 1 << 16)) {} UART(0x28) = '.'; }
    }
"""
PORTS = {
    "disco_f746g": "#define PORT 0x40011000\n#define ENABLE RCC_APB2ENR |= 1 << 4\n#define BRR 217\n",
    "nucleo_f746zg": "#define PORT 0x40004800\n#define ENABLE RCC_APB1ENR |= 1 << 18\n#define BRR 69\n",
}


def hil_twin(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hil", "twin", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=dict(os.environ)
    )


@pytest.mark.parametrize(("board", "dots"), [("disco_f746g", 31), ("nucleo_f746zg", 10)])
def test_the_boards_own_uart_is_on_stdio_and_its_oscillator_sets_the_pace(
    build: Callable[[str], Path], board: str, dots: int
) -> None:
    image = build(PORTS[board] + DOTS)
    done = hil_twin(str(image), "--board", board, "--seconds", "0.0102")
    assert (done.returncode, done.stdout, done.stderr) == (0, "." * dots, "")


def test_a_uart_that_is_named_takes_the_place_of_the_boards(build: Callable[[str], Path]) -> None:
    image = build(PORTS["nucleo_f746zg"] + DOTS)
    for board, expected in (("nucleo_f746zg", ""), ("disco_f746g", "")):
        done = hil_twin(str(image), "--board", board, "--seconds", "0.01", "--uart1", "stdio")
        assert (done.returncode, done.stdout) == (0, expected)
    done = hil_twin(str(image), "--seconds", "0.01", "--uart3", "stdio")
    assert (done.returncode, done.stdout[:3]) == (0, "...")


def test_boards_and_their_data() -> None:
    found = {name: wiring.load_wiring(name) for name in wiring.names()}
    assert wiring.names()[0] == "disco_f746g"
    assert (found["disco_f746g"].hse_hz, found["disco_f746g"].uart) == (25_000_000, 1)
    assert (found["nucleo_f746zg"].hse_hz, found["nucleo_f746zg"].uart) == (8_000_000, 3)
    with pytest.raises(UsageError, match="disco"):
        wiring.load_wiring("disco")


LOOP = r"""
    /* How many passes of a loop fit between two ticks of a millisecond each. */
    void systick(void) { if (out[1]++ == 1) { USART1_TDR = out[0] > 4000 ? 'f' : 's'; } }
    void main(void) {
        uart_on(16, 0, 0);
        SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7;
        for (;;) { out[0]++; ASM("udiv r0, r1, r2\n udiv r0, r1, r2" ); }
    }
"""


def test_the_console_counts_cycles_unless_it_is_told_to_count_instructions(
    build: Callable[[str], Path],
) -> None:
    """Two dividers a pass: cheap when every instruction costs the same, dear by the pipeline."""
    answers = {}
    for timing in ("instructions", "cycles", None):
        shown = io.BytesIO()
        chosen = {} if timing is None else {"timing": timing}
        assert run_console(build(LOOP), {1: "stdio"}, 0.01, stdin=io.BytesIO(), stdout=shown, **chosen) == 0
        answers[timing] = shown.getvalue()
    assert answers == {"instructions": b"f", "cycles": b"s", None: b"s"}


def test_an_unknown_timing_is_refused(build: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="guessed"):
        run_console(build(LOOP), {}, 0.01, timing="guessed")
