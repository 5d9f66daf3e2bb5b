"""The firmware's portable C, compiled for this machine with sanitisers and driven through a pipe."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hil import paths
from hil.wire import header

PROGRAM = Path(__file__).with_name("program")
SOURCES = ("wire", "auth", "codec", "kernels", "runtime")
INCLUDES = ("board", "wire", "auth", "codec", "kernels", "runtime")
FLAGS = (
    *("-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)


def host_compiler() -> str | None:
    """A C compiler for this machine, if there is one."""
    return shutil.which("gcc") or shutil.which("cc")


def build(folder: Path) -> Path:
    """Compiles the harness into `folder`; returns the program."""
    header.write(folder)
    program = folder / "harness"
    sources = sorted(PROGRAM.glob("*.c"))
    sources += [source for name in SOURCES for source in sorted((paths.MCU / name).glob("*.c"))]
    includes = [f"-I{folder}", *(f"-I{paths.MCU / name}" for name in INCLUDES)]
    compiler = host_compiler()
    assert compiler is not None
    command = [compiler, *FLAGS, *includes, *map(str, sources), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


class Harness:
    """One process; static state of the firmware lives as long as it does."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        if kind is None:
            assert self._process.returncode == 0

    def ask(self, command: str, data: bytes) -> bytes:
        """Sends one request and returns its answer. A sanitiser's report fails the test."""
        pipe_in, pipe_out = self._pipes()
        try:
            pipe_in.write(command.encode() + struct.pack("<I", len(data)) + data)
            pipe_in.flush()
            (size,) = struct.unpack("<I", pipe_out.read(4))
            return pipe_out.read(size)
        except (OSError, struct.error):
            report = self._process.communicate()[1].decode(errors="replace")
            raise AssertionError(f"the firmware's code failed:\n{report}") from None

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout
