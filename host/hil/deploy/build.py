"""CMake and Ninja: CMSIS-NN once per compiler, the firmware once per model."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hil import paths
from hil.deploy.seal import write_seal
from hil.deploy.stack import worst_stack
from hil.deploy.toolchain import CmsisSources, Compiler, find_cmsis, find_compiler, find_program
from hil.durable import adopt
from hil.errors import BuildError, DoesNotFitError
from hil.wire import header

TOOLCHAIN_FILE = paths.MCU / "cmake" / "arm-none-eabi.cmake"


@dataclass(frozen=True)
class Toolchain:
    """A compiler and the libraries built with it."""

    compiler: Compiler
    cmsis: CmsisSources
    cmsis_nn_library: Path


def source_hash(*folders: Path) -> str:
    """SHA-256 over the names and contents of all files below `folders`."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def prepare_toolchain() -> Toolchain:
    """Finds the compiler and CMSIS-NN, and builds the library unless the cache holds it.

    Raises ToolchainError when something is missing, BuildError when CMSIS-NN does not compile.
    """
    compiler, cmsis = find_compiler(), find_cmsis()
    recipe = source_hash(paths.MCU / "cmsis_nn", cmsis.nn / "Include", cmsis.nn / "Source")
    key = hashlib.sha256(f"{compiler.version} {recipe}".encode()).hexdigest()[:16]
    folder = paths.cache_dir() / "cmsis-nn" / key
    library = folder / "libcmsis-nn.a"
    if not library.is_file():
        with tempfile.TemporaryDirectory(dir=paths.cache_dir()) as scratch:
            variables = {"HIL_CMSIS_NN": cmsis.nn}
            configure_and_build(paths.MCU / "cmsis_nn", Path(scratch), compiler, variables)
            folder.mkdir(parents=True, exist_ok=True)
            staged = folder / f"{Path(scratch).name}.a"
            shutil.copyfile(Path(scratch) / "libcmsis-nn.a", staged)
            adopt(staged, library)
    return Toolchain(compiler, cmsis, library)


def build_firmware(toolchain: Toolchain, model_dir: Path, board_config: str, clock_hz: int) -> Path:
    """Builds the firmware around `model_dir`/model.c into the same folder; returns the ELF.

    Its stack is as large as the code can need, and it carries a CRC of itself; see `hil.deploy.stack` and
    `hil.deploy.seal`.

    Raises DoesNotFitError when the linker runs out of flash or RAM, BuildError otherwise.
    """
    header.write(model_dir)
    variables = {
        "HIL_BOARD": board_config,
        "HIL_MODEL_DIR": model_dir,
        "HIL_WIRE_DIR": model_dir,
        "HIL_CMSIS_CORE_INCLUDE": toolchain.cmsis.core_include,
        "HIL_CMSIS_DEVICE_INCLUDE": toolchain.cmsis.device_include,
        "HIL_CMSIS_NN_INCLUDE": toolchain.cmsis.nn / "Include",
        "HIL_CMSIS_NN_LIB": toolchain.cmsis_nn_library,
        "HIL_CLOCK_HZ": clock_hz,
    }
    with tempfile.TemporaryDirectory(dir=paths.cache_dir()) as scratch:
        configure_and_build(paths.MCU, Path(scratch), toolchain.compiler, variables)
        # The code says how much stack it needs; then it is linked with that.
        needed = worst_stack(Path(scratch) / "hil.elf", toolchain.compiler).reserve_bytes
        configure_and_build(
            paths.MCU, Path(scratch), toolchain.compiler, variables | {"HIL_STACK_BYTES": needed}
        )
        write_seal(Path(scratch) / "hil.elf")
        for name in ("hil.elf", "hil.map", "hil.bin"):
            shutil.copyfile(Path(scratch) / name, model_dir / name)
    return model_dir / "hil.elf"


def configure_and_build(
    source: Path, build: Path, compiler: Compiler, variables: Mapping[str, object]
) -> None:
    """`cmake -G Ninja` and `ninja` for `source` in `build`. Raises BuildError with the tool's output."""
    ninja = find_program("ninja")
    definitions = [f"-D{name}={value}" for name, value in variables.items()]
    _run(
        [
            str(find_program("cmake")),
            *("-S", str(source), "-B", str(build), "-G", "Ninja"),
            f"-DCMAKE_MAKE_PROGRAM={ninja}",
            f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN_FILE}",
            f"-DCMAKE_C_COMPILER={compiler.path}",
            *definitions,
        ]
    )
    _run([str(ninja), "-C", str(build)])


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return
    output = answer.stdout + answer.stderr
    overflow = [line for line in output.splitlines() if "overflowed by" in line or "will not fit" in line]
    if overflow:
        raise DoesNotFitError(f"the firmware does not fit: {overflow[0].strip()}", "use a smaller network")
    tail = "\n".join(output.splitlines()[-30:])
    raise BuildError(f"{Path(command[0]).name} failed:\n{tail}", "check `hil doctor`")
