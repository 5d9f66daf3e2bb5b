"""Bare images of generated code: one `hil_model_run` a graph, with CMSIS-NN, without the firmware."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil import paths
from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.deploy.build import Toolchain
from hil.deploy.emit import Model, emit
from hil.deploy.graph import Graph
from hil.deploy.lower import plain
from hil.deploy.plan import plan_program
from hil.deploy.program import DeviceHalf, Program
from hil.wire import header

FLAGS = [
    *("-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard", "-O2"),
    *("-Wall", "-Wextra", "-Werror", "-DSTM32F746xx"),
]
LINK = [
    *("--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles", "-Wl,--no-warn-rwx-segments"),
    *("-Wl,-Ttext=0x08000000", "-Wl,-Tdata=0x20010000", "-Wl,--section-start=.hil_arena=0x20020000"),
]

PACK = """
uint32_t quantised __attribute__((weak));
int32_t pack_{index}(uint32_t *when);
int32_t pack_{index}(uint32_t *when)
{{
    return pack(when);
}}
"""
"""Makes the static function of a model callable."""


def model_of(graph: Graph, payload: PayloadFormat | None = None) -> Model:
    """What the emitter takes for a graph that belongs to no bundle."""
    coder = make_coder(payload, {}) if payload else None
    return model_of_program(plain(DeviceHalf(graph, coder)))


def model_of_program(program: Program) -> Model:
    """The same for chosen kernels."""
    return Model(program, plan_program(program, dtcm_bytes=0), 1, bytes(32), None)


def build_image(toolchain: Toolchain, models: list[Model], folder: Path, *, packs: bool = False) -> Path:
    """An ELF in which model i is `hil_model_run_<i>` with `hil_model_buffers_<i>`, and `pack_<i>`."""
    header.write(folder)
    includes = (
        paths.MCU / "runtime",
        paths.MCU / "kernels",
        paths.MCU / "codec",
        folder,
        toolchain.cmsis.nn / "Include",
        toolchain.cmsis.core_include,
        toolchain.cmsis.device_include,
    )
    sources = []
    for index, model in enumerate(models):
        names = ("hil_model_run", "hil_model_buffers", "hil_model_progress", "hil_model")
        renames = "".join(f"#define {name} {name}_{index}\n" for name in names)
        source = folder / f"model_{index}.c"
        source.write_text(renames + emit(model) + (PACK.format(index=index) if packs else ""))
        sources.append(source)
    elf = folder / "graphs.elf"
    roots = [f"-Wl,-u,hil_model_run_{i},-u,hil_model_buffers_{i}" for i in range(len(models))]
    if packs:
        roots += [f"-Wl,-u,pack_{i},-u,hil_model_{i}" for i in range(len(models))]
    command = [
        str(toolchain.compiler.path),
        *FLAGS,
        *(f"-isystem{folder}" for folder in includes),
        *map(str, sources),
        *map(str, sorted((paths.MCU / "kernels").glob("*.c"))),
        *map(str, sorted((paths.MCU / "codec").glob("*.c"))),
        str(paths.MCU / "runtime" / "quantise.c"),
        str(toolchain.cmsis_nn_library),
        *LINK,
        *roots,
        *("-Wl,-e,hil_model_run_0", "-o", str(elf)),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return elf
