"""Unmodified pyOCD, and gdb behind it, on a twin on the desk."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.errors import BoardError
from hil.twin.image import load_image
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.twin.desk_process import Desk, desk, environment

pytestmark = pytest.mark.twin

GDB = next((name for name in ("arm-none-eabi-gdb", "gdb-multiarch") if shutil.which(name)), None)
SOURCE = """
int marker;
__attribute__((noinline)) int fib(int n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
__attribute__((noinline)) void work(int n) {
    out[0] = n;
    out[1] = fib(n % 6);
    out[2]++;
}
void main(void) {
    out[3] = 0x600DF00D;
    for (int n = 1;; n++) {
        work(n);
        ASM("nop");
    }
}
"""


@pytest.fixture(scope="module")
def elf(build: Callable[[str], Path]) -> Path:
    return build(SOURCE)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An empty board."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIL_CACHE", str(folder / "cache"))
        with desk("TWINUNDERTEST", environment(folder / "cache", folder)) as started:
            yield started


@pytest.fixture
def session(running: Desk, elf: Path) -> Iterator[Any]:
    """A pyOCD session in this process, with the firmware loaded and the core halted at reset."""
    from pyocd.core.session import Session
    from pyocd.flash.file_programmer import FileProgrammer

    from hil.probe import registry
    from hil.probe.twin_probe import TwinProbe, TwinProbePlugin

    TwinProbePlugin().load()
    probe = TwinProbe.get_probe_with_id(running.entry.unique_id)
    assert probe is not None
    assert probe.unique_id in [entry.unique_id for entry in registry.entries()]
    options = {"no_config": True, "smart_flash": True, "hide_programming_progress": True}
    with Session(probe, auto_open=True, options=options) as opened:
        FileProgrammer(opened).program(str(elf))
        opened.target.reset_and_halt()
        yield opened


def symbol(elf: Path, name: str) -> int:
    return load_image(elf).symbols[name] & ~1


def test_pyocd_lists_the_twin_with_board_and_target(running: Desk) -> None:
    listed = running.pyocd("list")
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"NUCLEO-F746ZG.*TWINUNDERTEST.*stm32f746zgtx", listed.stdout)
    assert "\u2716" not in listed.stdout  # the mark of a target that nothing describes


def test_pyocd_loads_firmware_without_options_and_it_runs(running: Desk, elf: Path) -> None:
    loaded = running.pyocd("load", str(elf))
    assert loaded.returncode == 0, loaded.stderr
    image = load_image(elf)
    out = f"0x{image.symbols['out'] + 12:x}"
    looked = running.pyocd("cmd", "-c", "halt", "-c", f"read32 {out} 4", "-c", "status")
    assert looked.returncode == 0, looked.stderr
    assert "600df00d" in looked.stdout
    assert "Halted" in looked.stdout
    compared = running.pyocd("cmd", "-c", "halt", "-c", f"compare 0x08000000 {_binary(elf)}")
    assert compared.returncode == 0, compared.stderr
    assert "match" in compared.stdout.lower()


def _binary(elf: Path) -> Path:
    path = elf.with_suffix(".bin")
    first = load_image(elf).segments[0]
    path.write_bytes(first.data)
    return path


def test_a_busy_probe_is_told(running: Desk) -> None:
    with running.client():
        refused = running.pyocd("cmd", "-c", "status")
    assert refused.returncode != 0
    assert "busy" in refused.stderr + refused.stdout


def test_flash_is_what_was_programmed(session: Any, elf: Path) -> None:
    for segment in load_image(elf).segments:
        if segment.data and segment.load_address >= 0x0800_0000:
            read = bytes(session.target.read_memory_block8(segment.load_address, len(segment.data)))
            assert read == segment.data


def test_reset_and_halt_stops_at_the_reset_handler(session: Any, elf: Path) -> None:
    from pyocd.core.target import Target

    for kind in (Target.ResetType.SYSRESETREQ, Target.ResetType.NSRST, Target.ResetType.VECTRESET):
        session.target.reset_and_halt(kind)
        assert session.target.get_state() is Target.State.HALTED
        assert session.target.read_core_register("pc") == symbol(elf, "reset")
        assert session.target.read_core_register("xpsr") & 1 << 24


def test_breakpoint_step_and_registers(session: Any, elf: Path) -> None:
    target = session.target
    target.set_breakpoint(symbol(elf, "work"))
    for count in (1, 2, 3):
        target.resume()
        wait_halted(target)
        assert target.read_core_register("pc") == symbol(elf, "work")
        assert target.read_core_register("r0") == count
        target.remove_breakpoint(symbol(elf, "work"))  # the core would halt there again
        target.step()
        target.set_breakpoint(symbol(elf, "work"))
    pc = target.read_core_register("pc")
    target.step()
    assert 0 < target.read_core_register("pc") - pc <= 4
    target.remove_breakpoint(symbol(elf, "work"))
    target.write_core_register("r7", 0x1234_5678)
    target.write_core_register("s5", 1.5)
    assert target.read_core_register("r7") == 0x1234_5678
    assert target.read_core_register("s5") == 1.5


def test_a_watchpoint_stops_the_writer(session: Any, elf: Path) -> None:
    from pyocd.core.target import Target

    target, out = session.target, load_image(elf).symbols["out"]
    target.set_breakpoint(symbol(elf, "work"))
    target.resume()
    wait_halted(target)
    target.remove_breakpoint(symbol(elf, "work"))
    target.set_watchpoint(out + 4, 4, Target.WatchpointType.WRITE)
    target.resume()
    wait_halted(target)
    assert target.get_halt_reason() is Target.HaltReason.WATCHPOINT
    assert symbol(elf, "work") < target.read_core_register("pc") < symbol(elf, "work") + 64
    target.remove_watchpoint(out + 4, 4, Target.WatchpointType.WRITE)


def test_an_address_where_nothing_is_faults_and_the_session_goes_on(session: Any) -> None:
    from pyocd.core import exceptions

    with pytest.raises(exceptions.TransferFaultError):
        session.target.read32(0x6000_0000)
    session.target.write32(0x6000_0000, 1)
    with pytest.raises(exceptions.TransferFaultError):
        session.target.flush()
    assert session.target.read32(0xE000_ED00) == 0x410F_C271


def test_connecting_freezes_the_watchdogs(session: Any) -> None:
    assert session.target.read32(0xE004_2008) & 0x1800 == 0x1800
    assert session.target.read32(0xE004_2004) & 7 == 7


def wait_halted(target: Any) -> None:
    from pyocd.core.target import Target

    eventually(lambda: target.get_state() is Target.State.HALTED, "the core does not halt")


@pytest.mark.skipif(GDB is None, reason="no gdb for ARM is on PATH")
def test_gdb_sets_a_breakpoint_and_prints_a_backtrace(running: Desk, elf: Path, tmp_path: Path) -> None:
    assert running.pyocd("load", str(elf)).returncode == 0
    port = free_port()
    command = [sys.executable, "-m", "pyocd", "gdbserver", "-p", str(port), "-T", "0"]
    with subprocess.Popen(command, env=running.environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            wait_listening(server)
            script = tmp_path / "session.gdb"
            script.write_text(
                f"set pagination off\nset confirm off\ntarget extended-remote :{port}\n"
                "monitor reset halt\nflushregs\nbreak fib if n == 1\ncontinue\nbacktrace\n"
                "print out[3]\ninfo registers pc\nstepi\ndelete\ntbreak work\ncontinue\nnext\nquit\n"
            )
            told = subprocess.run(
                [str(GDB), "-nx", "-batch", "-x", str(script), str(elf)],
                capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            ).stdout  # fmt: skip
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE_S)
    assert "Breakpoint 1, fib (n" in told
    assert re.search(r"#\d+ .* in work \(n", told), told
    assert re.search(r"#\d+ .* in main \(\)", told), told
    assert f"{0x600D_F00D}" in told
    assert "Temporary breakpoint 2, work" in told


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_listening(server: subprocess.Popen[str]) -> None:
    assert server.stderr is not None
    for line in server.stderr:
        if "listening" in line:
            return
    raise BoardError("the gdb server ended")
