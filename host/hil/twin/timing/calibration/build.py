"""Builds calibration images: generated code with CMSIS-NN, or assembly, at a chosen address."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil import paths
from hil.deploy.build import Toolchain
from hil.deploy.emit import Model, emit
from hil.deploy.graph import Graph
from hil.deploy.lower import plain
from hil.deploy.plan import plan_program
from hil.deploy.program import DeviceHalf
from hil.errors import BuildError
from hil.wire import header

FLAGS = (
    "-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard", "-DSTM32F746xx",
    "-ffunction-sections", "-fdata-sections",
)  # fmt: skip
LINK = ("--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles", "-Wl,--no-warn-rwx-segments")

SETUP = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
/* What start-up code does before main: wait states, accelerator, caches, cycle counter. */
__attribute__((used)) void calibrate_setup(uint32_t flash_acr, uint32_t scb_ccr)
{
    REG(0x40023C00) = flash_acr;
    REG(0xE000ED14) = 0x00040200 | scb_ccr;
    REG(0xE000EDFC) = 1u << 24;
    REG(0xE0001FB0) = 0xC5ACCE55;
    REG(0xE0001000) = 1;
}
__attribute__((used)) uint32_t layer_cycles[64];
"""


@dataclass(frozen=True)
class Place:
    """Where an image runs from: code and constants, variables, and the arena."""

    name: str
    text: int
    data: int
    arena: int


FLASH = Place("flash", 0x0800_0000, 0x2000_0000, 0x2001_0000)
RAM = Place("RAM", 0x2000_0000, 0x2003_C000, 0x2002_4000)
"""Code first, then weights, from the bottom of RAM, as microTVM's linker lays them: the first 64 KB are
DTCM; the arena is in SRAM1."""


def with_5_7_unpacking(toolchain: Toolchain, folder: Path) -> list[Path]:
    """CMSIS-NN's convolution with the weight unpacking that version 5.7.0 had.

    5.7.0 packed weights in their own order, two PKH a word; later versions leave both sides unordered
    and save them. The installed sources still have the old helpers, so names are all that changes.
    """
    made = []
    for name in ("arm_nn_mat_mult_kernel_s8_s16.c", "arm_convolve_s8.c"):
        text = (toolchain.cmsis.nn / "Source" / "ConvolutionFunctions" / name).read_text()
        text = text.replace("read_and_pad_reordered(", "read_and_pad(")
        text = text.replace("arm_s8_to_s16_unordered_with_offset(", "arm_q7_to_q15_with_offset(")
        folder.mkdir(parents=True, exist_ok=True)
        made.append(folder / name)
        made[-1].write_text(text)
    return made


def build_network(
    toolchain: Toolchain,
    graph: Graph,
    folder: Path,
    place: Place,
    level: str,
    kernels: Sequence[Path] = (),
) -> Path:
    """An ELF with `hil_model_run` and `calibrate_setup`. Raises BuildError.

    `kernels` are sources that go before CMSIS-NN's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header.write(folder)
    program = plain(DeviceHalf(graph))
    model = Model(program, plan_program(program, dtcm_bytes=0), 1, bytes(32), None)
    source, setup = folder / "model.c", folder / "setup.c"
    source.write_text(emit(model))
    setup.write_text(SETUP)
    cmsis = toolchain.cmsis
    includes = (
        *(paths.MCU / room for room in ("runtime", "kernels", "codec")), folder,
        cmsis.nn / "Include", cmsis.core_include, cmsis.device_include,
    )  # fmt: skip
    elf = folder / "network.elf"
    _run(
        [
            str(toolchain.compiler.path), *FLAGS, level, *(f"-isystem{i}" for i in includes),
            str(source), str(setup), *map(str, kernels),
            *map(str, sorted((paths.MCU / "kernels").glob("*.c"))),
            str(toolchain.cmsis_nn_library), *_link(place, "hil_model_run"), "-o", str(elf),
        ]
    )  # fmt: skip
    return elf


def build_assembly(compiler: Path, text: str, folder: Path) -> Path:
    """An ELF of assembly functions and `calibrate_setup` in flash. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    source, setup = folder / "kernels.s", folder / "setup.c"
    source.write_text(text)
    setup.write_text(SETUP)
    elf = folder / "kernels.elf"
    link = _link(FLASH, "calibrate_setup")
    _run([str(compiler), *FLAGS, "-O2", str(source), str(setup), *link, "-o", str(elf)])
    return elf


def _link(place: Place, entry: str) -> list[str]:
    return [
        *LINK,
        f"-Wl,-Ttext=0x{place.text:08x},-Tdata=0x{place.data:08x}",
        f"-Wl,--section-start=.hil_arena=0x{place.arena:08x}",
        f"-Wl,-e,{entry},-u,{entry},-u,calibrate_setup",
    ]


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError(f"calibration image: {answer.stderr.strip()[-2000:]}", "check `hil doctor`")
