"""The Monitor commands hil sends, as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.errors import BoardError

MACHINE: Final = "f746"
UART: Final = "sysbus.usart1"
FLASH_BASE: Final = 0x0800_0000
_TERMINAL: Final = "host"
_NOISY: Final = ("rcc", "dma2", "usart1", "dwt", "nvic", "gpioPortA", "gpioPortB", "gpioPortI")
"""Models that warn at every write to a bit they do not know; their errors are still logged."""


@dataclass(frozen=True)
class Files:
    """Where things lie that Renode reads and writes."""

    folder: Path

    @property
    def platform(self) -> Path:
        return self.folder / "stm32f746.repl"

    @property
    def extras(self) -> Path:
        return self.folder / "disco_f746g.repl"

    @property
    def firmware(self) -> Path:
        return self.folder / "firmware.elf"

    @property
    def sent(self) -> Path:
        """What the UART sent."""
        return self.folder / "uart.bin"

    @property
    def console(self) -> Path:
        """Renode's own log."""
        return self.folder / "console.log"

    @property
    def profile(self) -> Path:
        return self.folder / "renode-profile.bin"

    @property
    def stacks(self) -> Path:
        return self.folder / "renode-stacks.txt"


def arguments(monitor_port: int, pid_file: Path) -> list[str]:
    """Renode's command line: headless, its Monitor on a port, its log on standard output."""
    options = ["--disable-gui", "--plain", "--hide-analyzers"]
    return [*options, "-P", str(monitor_port), "--pid-file", str(pid_file)]


def at(path: Path) -> str:
    """A path as the Monitor's language has it. Raises BoardError when it cannot be said."""
    text = str(path)
    if any(character in text for character in ";\"'`\\\n\r\t"):
        raise BoardError(f"Renode cannot be given the path {text}", "set HIL_CACHE to a plain path")
    return "@" + text.replace(" ", "\\ ")


def machine(files: Files) -> list[str]:
    """A machine with memory, peripherals and firmware. Each has to succeed."""
    return [
        f'mach create "{MACHINE}"',
        f"machine LoadPlatformDescription {at(files.platform)}",
        f"sysbus LoadELF {at(files.firmware)}",
        # Said rather than left to be guessed from the ELF.
        f"cpu VectorTableOffset 0x{FLASH_BASE:08X}",
    ]


def comfort(files: Files, timer_hz: int) -> list[str]:
    """What a run can do without: quiet logs, LEDs, timers, a reset that boots again."""
    reset = f"sysbus LoadELF {at(files.firmware)}; cpu VectorTableOffset 0x{FLASH_BASE:08X}"
    return [
        "logLevel 2",
        *(f"logLevel 3 sysbus.{name}" for name in _NOISY),
        f"machine LoadPlatformDescription {at(files.extras)}",
        f"sysbus.timer6 Frequency {timer_hz}",
        f'macro reset """{reset}"""',
    ]


def uart(files: Files, port: int) -> list[str]:
    """The wire: bytes to the device by a socket; from it by a file that is complete after each step."""
    return [
        f'emulation CreateServerSocketTerminal {port} "{_TERMINAL}" false',
        f"connector Connect {UART} {_TERMINAL}",
        f"{UART} CreateFileBackend {at(files.sent)} true",
    ]


def trace(files: Files) -> list[str]:
    """Renode's profilers, for `--renode-trace`."""
    return [
        f"machine EnableProfiler {at(files.profile)}",
        f"cpu EnableProfilerCollapsedStack {at(files.stacks)}",
    ]


def gdb(port: int) -> str:
    """The GDB server. `false`: a debugger that connects must not start the clock, which hil keeps."""
    return f"machine StartGdbServer {port} false"


def run_for(microseconds: int) -> str:
    """So much virtual time, as fast as the host can.

    Renode cuts the product of a binary fraction and its ticks a second: 29 us would become 28.999. The
    digits behind the microseconds are less than a tick of any version, and lift it over the whole one.
    """
    seconds, rest = divmod(microseconds, 1_000_000)
    return f'emulation RunFor "{seconds}.{rest:06d}0004"'
