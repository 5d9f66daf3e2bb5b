"""The C targets, compiled by clang with libFuzzer and the sanitisers."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from hil import paths
from hil.wire import header
from hil_tests.fuzz.target import HERE, CTarget

WARNINGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror")
SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FLAGS = ("-O1", "-g", "-fno-omit-frame-pointer", *WARNINGS, *SANITISERS)
FIRMWARE = (
    "-Dmain=hil_firmware_main",
    "-DHIL_VERSION_MAJOR=0",
    "-DHIL_VERSION_MINOR=1",
    "-DHIL_VERSION_PATCH=0",
)
_TRIFLE = "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long s) { return d == 0 && s != 0; }"
_STATE = {
    ".bss": "hil_bss",
    ".hil_fast": "hil_bss",
    ".data": "hil_data",
    ".hil_key": "hil_key,alloc,load,data,contents",
}
"""Sections of the firmware's own variables and of its key, and where c/ finds them."""


@functools.cache
def clang() -> str | None:
    """A clang that links libFuzzer, if there is one."""
    names = ["clang", *(f"clang-{version}" for version in range(22, 10, -1))]
    for found in filter(None, map(shutil.which, names)):
        with tempfile.TemporaryDirectory() as folder:
            command = [found, "-fsanitize=fuzzer", "-xc", "-", "-o", f"{folder}/trifle"]
            if (
                subprocess.run(command, input=_TRIFLE.encode(), capture_output=True, check=False).returncode
                == 0
            ):
                return found
    return None


def build(target: CTarget, folder: Path) -> Path:
    """Compiles `target` into `folder`; returns the program. Raises CalledProcessError with clang's words."""
    header.write(folder)
    program = folder / target.name
    harness = [HERE / "c" / name for name in target.harness]
    sources = [source for pattern in target.sources for source in sorted(paths.MCU.glob(pattern))]
    if target.restarts:
        sources = [_gathered(source, folder) for source in sources]
    _compile(folder, "-fsanitize=fuzzer", *map(str, [*harness, *sources]), "-o", str(program))
    return program


def _gathered(source: Path, folder: Path) -> Path:
    """The object of `source`, its variables in sections that have a beginning and an end."""
    made = folder / f"{source.stem}.o"
    _compile(folder, "-fsanitize=fuzzer-no-link", *FIRMWARE, "-c", str(source), "-o", str(made))
    renamed = [f"--rename-section={old}={new}" for old, new in _STATE.items()]
    subprocess.run(["objcopy", *renamed, str(made)], check=True)
    return made


def _compile(folder: Path, *arguments: str) -> None:
    compiler = clang()
    assert compiler is not None, "there is no clang with libFuzzer"
    rooms = sorted({source.parent for source in paths.MCU.glob("*/*.h")})
    includes = [f"-I{room}" for room in (folder, HERE / "c", *rooms)]
    subprocess.run([compiler, *FLAGS, *includes, *arguments], check=True)
