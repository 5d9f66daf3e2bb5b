"""A machine in the stand-in for Renode: started, crashed, hung, and always ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.renode import machine as module
from hil.renode import monitor
from hil.renode.find import Renode
from hil.renode.machine import Machine, Setting
from hil_tests.twin import firmware
from hil_tests.unit.renode.conftest import MakeRenode
from hil_tests.unit.renode.test_process import alive

pytestmark = pytest.mark.twin

HELLO = b"hello"
TALKS = """
void main(void) {
    uart_on(139, 0, 0);
    for (const char *c = "hello"; *c; c++) { while (!(USART1_ISR & 1 << 7)) {} USART1_TDR = *c; }
}
"""
HANGS = "void main(void) { for (;;) out[0]++; }"
CRASHES = "void main(void) { *(volatile uint32_t *)0x30000000 = 1; for (;;) out[0]++; }"

StartMachine = Callable[..., Machine]


@pytest.fixture
def kept() -> dict[str, bytes]:
    return {}


@pytest.fixture
def start(
    make_renode: MakeRenode, tmp_path: Path, kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[StartMachine]:
    """Starts `source` on a Renode that misbehaves as `faults` say; leaves no process behind."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    started: list[Machine] = []

    def make(source: str = TALKS, faults: str = "", **options: bool) -> Machine:
        monkeypatch.setenv("FAKE_RENODE", faults)
        renode = Renode(str(make_renode()), "test", (1, 16, 1))
        setting = Setting(renode, 216, **options)
        started.append(Machine(setting, firmware.build_firmware(source, tmp_path), kept.update))
        return started[-1]

    yield make
    for machine in started:
        machine.stop()
        assert not alive(machine._process.group)


def read_all(machine: Machine, seconds: float) -> bytes:
    data = b""
    while machine.channel.now_s() < seconds:
        data += machine.channel.read(seconds)
    return data


def test_firmware_runs_and_is_counted(start: StartMachine, kept: dict[str, bytes]) -> None:
    machine = start()
    assert read_all(machine, 0.001) == HELLO
    machine.check()
    counted = machine.instructions()
    assert counted is not None
    assert counted > 50
    machine.stop()
    log = kept["renode.log"].decode()
    assert "Loaded monitor commands" in log
    assert "sysbus LoadELF" in log, "the exchange with the Monitor"


def test_a_trace_is_kept(start: StartMachine, kept: dict[str, bytes]) -> None:
    start(trace=True).stop()
    assert set(kept) == {"renode.log", "renode-profile.bin", "renode-stacks.txt"}


def test_firmware_that_hangs_is_told_with_its_place(start: StartMachine) -> None:
    machine = start(HANGS)
    with pytest.raises(BoardError, match=r"sent nothing in .* the core is at 0x08000200"):
        machine.channel.read(60.0)


def test_firmware_that_crashes_is_told_by_function(start: StartMachine) -> None:
    with pytest.raises(BoardError, match=r"the core stopped at 0x080\w+ \(main\+0x"):
        start(CRASHES).channel.read(0.1)


@pytest.mark.parametrize("command", ["LoadPlatformDescription", "LoadELF", "CreateServerSocketTerminal"])
def test_a_refused_command_ends_the_start(start: StartMachine, kept: dict[str, bytes], command: str) -> None:
    with pytest.raises(BoardError, match=f"Renode refused .*{command}.*Parameters did not match"):
        start(faults=f"refuse:{command}")
    assert b"Parameters did not match" in kept["renode.log"]


def test_a_typo_in_the_platform_file(
    start: StartMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = module.platform.PLATFORM.read_text().replace("Miscellaneous.DWT", "Miscellaneous.DTW")
    (tmp_path / "typo.repl").write_text(text)
    monkeypatch.setattr(module.platform, "PLATFORM", tmp_path / "typo.repl")
    with pytest.raises(BoardError, match=r"Could not resolve type: 'Miscellaneous\.DTW'") as caught:
        start()
    assert "platform file" in caught.value.hint


def test_comforts_may_be_refused(start: StartMachine) -> None:
    assert read_all(start(faults="refuse:logLevel"), 0.001) == HELLO


def test_renode_dies_in_mid_run(start: StartMachine, kept: dict[str, bytes]) -> None:
    machine = start(faults="die:5")
    with pytest.raises(BoardError, match=r"exit code 42.*Segmentation fault"):
        read_all(machine, 0.1)
    with pytest.raises(BoardError, match="exit code 42"):
        machine.check()
    machine.stop()
    assert b"Segmentation fault" in kept["renode.log"]


def test_a_step_that_never_ends(start: StartMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_LIMIT_S", 0.5)
    machine = start(faults="wedge:3 stubborn")
    with pytest.raises(BoardError, match="did not answer 'emulation RunFor"):
        read_all(machine, 0.1)


def test_a_renode_that_does_not_come_up(
    start: StartMachine, kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_LIMIT_S", 1.0)
    with pytest.raises(BoardError, match="did not open its Monitor"):
        start(faults="mute")
    assert "renode.log" in kept


def test_a_renode_that_never_answers(
    start: StartMachine, kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "COMMAND_LIMIT_S", 0.5)
    with pytest.raises(BoardError, match="did not greet"):
        start(faults="deaf")
    assert b"Loaded monitor commands" in kept["renode.log"]


def test_ctrl_c_during_the_start_leaves_nothing(
    start: StartMachine, monkeypatch: pytest.MonkeyPatch, kept: dict[str, bytes]
) -> None:
    processes = []

    def interrupted(monitor: object, limit_s: float) -> None:
        raise KeyboardInterrupt

    original = module.RenodeProcess

    def remember(*arguments: object) -> module.RenodeProcess:
        processes.append(original(*arguments))  # type: ignore[arg-type]
        return processes[-1]

    monkeypatch.setattr(module, "RenodeProcess", remember)
    monkeypatch.setattr(module.Monitor, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert not alive(processes[0].group)
    assert "renode.log" in kept
