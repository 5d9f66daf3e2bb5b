"""A stand-in for Renode: its command line and its Monitor in the recorded style, the twin inside.

`FAKE_RENODE` holds words that make it misbehave: `old`, `foreign` (versions), `mute` (no Monitor),
`deaf` (a Monitor that never answers), `stubborn` (deaf to SIGTERM and quit), `refuse:TEXT` (an error
for commands with TEXT), `die:N` and `wedge:N` (at the Nth RunFor).
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

GREETING = bytes.fromhex("fffd00 fffb01 fffb03 fffc22") + b"enode, version 1.16.1.0 (fake)\r\r\n"
QUANTUM_S = 100e-6
TYPES = {
    "Memory.ArrayMemory", "Memory.MappedMemory", "Miscellaneous.DWT", "Miscellaneous.LED",
    "Timers.STM32_Timer",
}  # fmt: skip
ENTRY = re.compile(r"^\w+:\s*([\w.]+) @", re.MULTILINE)


class RefusedError(Exception):
    """A command fails; the text is Renode's."""


class FakeMachine:
    """The twin behind the Monitor's commands."""

    def __init__(self, faults: dict[str, str]) -> None:
        self._faults = faults
        self._pending = bytearray()
        self._lock = threading.Lock()
        self._client: socket.socket | None = None
        self._file: Path | None = None
        self._steps = 0
        self._crashed = False

    def load_elf(self, path: str) -> str:
        from hil_tests.unit.renode import renode_models

        renode_models.install()
        from hil.twin import Twin, load_image

        self.twin = Twin(load_image(Path(path)), timing="instructions")
        self.uart = self.twin.uart(1)
        return ""

    def load_platform(self, path: str) -> str:
        text = Path(path).read_text()
        for name in ENTRY.findall(text):
            if name not in TYPES:
                raise RefusedError(f"Error E11: Could not resolve type: '{name}'.\r\r\nAt {path}:20:6:")
        return ""

    def listen(self, port: str) -> str:
        server = socket.create_server(("0.0.0.0", int(port)))
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()
        return ""

    def to_file(self, path: str) -> str:
        self._file = Path(path)
        self._file.touch()
        return ""

    def run_for(self, seconds: str) -> str:
        self._steps += 1
        if self._steps == int(self._faults.get("die", 0)):
            print("Segmentation fault", flush=True)
            os._exit(42)
        if self._steps == int(self._faults.get("wedge", 0)):
            time.sleep(3600)
        end_s = self.twin.now_s + float(seconds)
        self._run(min(end_s, self.twin.now_s + QUANTUM_S))
        with self._lock:
            data = bytes(self._pending)
            self._pending.clear()
        self.uart.feed(data)
        self._run(end_s)
        self._send(self.uart.take_bytes())
        return ""

    def _run(self, until_s: float) -> None:
        from hil.errors import TwinFault

        while not self._crashed and self.twin.now_s < until_s:
            try:
                self.twin.run(until_s)
            except TwinFault as fault:
                self._crashed = True
                where = re.search(r"PC (0x[0-9a-f]{8})", str(fault))
                pc = where.group(1) if where else "0x0"
                print(f"12:00:00.0000 [ERROR] cpu: CPU abort [PC={pc}]: {fault.message}", flush=True)

    def _send(self, data: bytes) -> None:
        if data and self._file is not None:
            with self._file.open("ab") as file:
                file.write(data)
        if data and self._client is not None:
            self._client.sendall(data)

    def _serve(self, server: socket.socket) -> None:
        self._client, _ = server.accept()
        while data := self._client.recv(4096):
            with self._lock:
                self._pending += data


class FakeMonitor:
    """One telnet client at a time."""

    def __init__(self, machine: FakeMachine, faults: dict[str, str]) -> None:
        self._faults = faults
        self._prompt = "monitor"
        word = r"(\S+)"
        table: list[tuple[str, Callable[..., str]]] = [
            (r'mach create "(\w+)"', self._create),
            (rf"machine LoadPlatformDescription @{word}", machine.load_platform),
            (rf"sysbus LoadELF @{word}", machine.load_elf),
            (r"cpu VectorTableOffset 0x08000000", lambda: ""),
            (rf'emulation CreateServerSocketTerminal {word} "host" false', machine.listen),
            (r"connector Connect sysbus\.usart1 host", lambda: ""),
            (rf"sysbus\.usart1 CreateFileBackend @{word} true", machine.to_file),
            (r'emulation RunFor "([\d.]+)"', machine.run_for),
            (r"cpu PC", lambda: "0x8000200"),
            (r"cpu ExecutedInstructions", lambda: f"0x{machine.twin.instructions:016X}"),
            (r"machine EnableProfiler @(\S+)", self._profile),
            (r"cpu EnableProfilerCollapsedStack @(\S+)", self._profile),
            (r"machine StartGdbServer \d+ false", lambda: ""),
            (r"version", lambda: "Renode, version 1.16.1.0 (fake)"),
            (r"logLevel \d( [\w.]+)?", lambda *_: ""),
        ]
        self._table = [(re.compile(pattern), action) for pattern, action in table]

    def serve(self, port: int) -> None:
        server = socket.create_server(("0.0.0.0", port))
        client, _ = server.accept()
        if "deaf" in self._faults:
            time.sleep(3600)
        client.sendall(GREETING + self._prompted())
        buffer = b""
        while data := client.recv(4096):
            buffer += data
            while b"\n" in buffer:
                line, _, buffer = buffer.partition(b"\n")
                command = line.decode()
                if command == "quit":
                    if "stubborn" in self._faults:
                        time.sleep(3600)
                    return
                output = self._execute(command)
                body = output.encode() + b"\r\r\n" if output else b""
                client.sendall(line + b"\n\r" + body + self._prompted())

    def _execute(self, command: str) -> str:
        try:
            if (text := self._faults.get("refuse")) and text in command:
                raise RefusedError("Parameters did not match the signature")
            for pattern, action in self._table:
                if found := pattern.fullmatch(command):
                    return action(*found.groups())
        except RefusedError as error:
            return f"There was an error executing command '{command}'\r\r\n{error}"
        return f"No such command or device: {command.split()[0]}"

    def _create(self, name: str) -> str:
        self._prompt = name
        return ""

    def _profile(self, path: str) -> str:
        Path(path).write_text("main;hil_infer 12\n")
        return ""

    def _prompted(self) -> bytes:
        return f"({self._prompt}) ".encode()


def main(arguments: list[str]) -> int:
    words = (word.partition(":") for word in os.environ.get("FAKE_RENODE", "").split())
    faults = {name: value for name, _, value in words}
    if "--version" in arguments:
        version = "1.14.0.28928" if "old" in faults else "1.16.1.14417"
        print("GNU bash 5" if "foreign" in faults else f"Renode v{version}\n  build: fake")
        return 0
    if "stubborn" in faults:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("12:00:00.0000 [INFO] Loaded monitor commands from: /opt/renode/scripts/monitor.py", flush=True)
    if "mute" in faults:
        time.sleep(3600)
    FakeMonitor(FakeMachine(faults), faults).serve(int(arguments[arguments.index("-P") + 1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
