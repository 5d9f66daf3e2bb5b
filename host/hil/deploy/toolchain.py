"""Finds what building needs: the compiler, CMake and Ninja, CMSIS-NN and the chip's headers."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hil.errors import ToolchainError

COMPILER = "arm-none-eabi-gcc"
APT_PACKAGES = ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi")
OLDEST_COMPILER = (10, 0)
CMSIS_WHEEL = "aidge-export-arm-cortexm"


@dataclass(frozen=True)
class Compiler:
    path: Path
    version: str


@dataclass(frozen=True)
class CmsisSources:
    """Folders of Arm's and ST's sources; nothing of them is in this repository."""

    nn: Path
    """Holds Include/ and Source/."""
    core_include: Path
    device_include: Path
    origin: str


def find_compiler() -> Compiler:
    """`$HIL_ARM_GCC`, else arm-none-eabi-gcc on PATH. Raises ToolchainError when missing or too old."""
    named = os.environ.get("HIL_ARM_GCC") or COMPILER
    found = shutil.which(named)
    advice = f"type: sudo apt-get install {' '.join(APT_PACKAGES)}"
    if found is None:
        raise ToolchainError(f"there is no {named}", advice)
    answer = subprocess.run([found, "-dumpfullversion"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip()
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if answer.returncode or numbers < OLDEST_COMPILER:
        raise ToolchainError(f"{found} has version {version or 'unknown'}, hil needs 10 or newer", advice)
    _check_libc(found, advice)
    return Compiler(Path(found), version)


def _check_libc(compiler: str, advice: str) -> None:
    command = [compiler, "--specs=nano.specs", "-mcpu=cortex-m7", "-x", "c", "-E", "-"]
    probe = subprocess.run(
        command, input="#include <string.h>\n", capture_output=True, text=True, check=False
    )
    if probe.returncode:
        raise ToolchainError(f"{compiler} has no C library (newlib nano)", advice)


def find_program(name: str) -> Path:
    """`cmake` or `ninja`: the one beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ToolchainError(f"there is no {name}", f"type: pip install {name}")
    return Path(found)


def find_cmsis() -> CmsisSources:
    """CMSIS-NN from `$HIL_CMSIS_NN`, an installed CMSIS pack, or the PyPI wheel, in this order.

    The Cortex-M7 and STM32F746 headers always come from the wheel. Raises ToolchainError.
    """
    wheel = _wheel_folder()
    core = wheel / "boards" / "stm32" / "F7" / "Drivers" / "CMSIS"
    headers = core / "Include", core / "Device" / "ST" / "STM32F7xx" / "Include"
    if named := os.environ.get("HIL_CMSIS_NN"):
        return CmsisSources(_checked(Path(named), "HIL_CMSIS_NN"), *headers, "HIL_CMSIS_NN")
    if (pack := _newest_pack()) is not None:
        return CmsisSources(pack, *headers, f"CMSIS pack ARM::CMSIS-NN {pack.name}")
    version = importlib.metadata.version(CMSIS_WHEEL)
    nn = _checked(wheel / "_CMSIS-NN" / "CMSIS-NN", CMSIS_WHEEL)
    return CmsisSources(nn, *headers, f"PyPI {CMSIS_WHEEL} {version}")


def _checked(folder: Path, origin: str) -> Path:
    if not (folder / "Include" / "arm_nnfunctions.h").is_file():
        raise ToolchainError(
            f"{origin} names no CMSIS-NN: there is no Include/arm_nnfunctions.h in {folder}",
            f"name the folder that holds Include/ and Source/, or: pip install {CMSIS_WHEEL}==0.2.1",
        )
    return folder


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec(CMSIS_WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ToolchainError(f"the package {CMSIS_WHEEL} is missing", f"pip install {CMSIS_WHEEL}==0.2.1")
    return Path(next(iter(spec.submodule_search_locations)))


def _newest_pack() -> Path | None:
    """The newest ARM::CMSIS-NN below the data folder of cmsis-pack-manager or `$CMSIS_PACK_ROOT`."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    roots = [data / "cmsis-pack-manager"]
    if named := os.environ.get("CMSIS_PACK_ROOT"):
        roots.insert(0, Path(named))
    for root in roots:
        versions = [p.parent.parent for p in root.glob("ARM/CMSIS-NN/*/Include/arm_nnfunctions.h")]
        if versions:
            return max(versions, key=lambda p: [int(n) for n in re.findall(r"\d+", p.name)])
    return None
