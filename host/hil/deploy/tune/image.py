"""Bare images that hold many trials: one compile, no firmware around them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hil import paths
from hil.deploy.build import Toolchain
from hil.deploy.cost import weight_bytes
from hil.deploy.emit import INCLUDES
from hil.deploy.program import DeviceHalf
from hil.deploy.tune.tail import SECTION, tail_source
from hil.deploy.tune.trial import Trial
from hil.errors import BuildError
from hil.twin.timing.calibration.build import FLAGS, LINK, SETUP
from hil.wire import header

LEVEL = "-Ofast"
"""As the firmware compiles what computes (mcu/CMakeLists.txt)."""

CODE, DATA, ARENA = 0x0800_0000, 0x2000_0000, 0x2001_0000
"""As in the firmware: code and constants in flash, variables in DTCM, the arena in SRAM."""
ARENA_MAX = 0x4_0000 - 8192
"""SRAM1 and SRAM2, less the stack at their end."""

_FLASH_BYTES, _CODE_BYTES = 1 << 20, 160 << 10
_CODE_PER_TRIAL = 4 << 10


def batches(trials: Sequence[Trial]) -> list[list[Trial]]:
    """`trials` in order, as many an image as its flash holds."""
    made: list[list[Trial]] = [[]]
    room = _FLASH_BYTES - _CODE_BYTES
    for trial in trials:
        # Packed weights may be twice as many bytes as the graph's.
        size = _CODE_PER_TRIAL + 2 * sum(weight_bytes(op) for op in trial.ops)
        if made[-1] and size > room:
            made.append([])
            room = _FLASH_BYTES - _CODE_BYTES
        made[-1].append(trial)
        room -= size
    return made


def build(toolchain: Toolchain, trials: Sequence[Trial], tail: DeviceHalf | None, folder: Path) -> Path:
    """An ELF with `hil_trials`, a table of functions without arguments, one a trial, named `trial<i>`.

    `payload_bytes` is what a sending one has set; `tail_run` is in it where there is a `tail`. Raises
    BuildError.
    """
    header.write(folder)
    sources = {"trials.c": _trials_source(trials), "setup.c": SETUP}
    roots = ["hil_trials", "calibrate_setup", "layer_cycles"]
    if tail is not None:
        sources["tail.c"] = tail_source(tail)
        roots += ["tail_run", "tail_hil_model_buffers"]
    for name, text in sources.items():
        (folder / name).write_text(text)
    includes = (
        *(paths.MCU / room for room in ("runtime", "kernels", "codec")), folder,
        toolchain.cmsis.nn / "Include", toolchain.cmsis.core_include, toolchain.cmsis.device_include,
    )  # fmt: skip
    ours = [path for room in ("kernels", "codec") for path in sorted((paths.MCU / room).glob("*.c"))]
    elf = folder / "trials.elf"
    command = [
        str(toolchain.compiler.path), *FLAGS, LEVEL, "-w", *(f"-isystem{folder}" for folder in includes),
        *(str(folder / name) for name in sources), *map(str, ours), str(paths.MCU / "runtime" / "quantise.c"),
        str(toolchain.cmsis_nn_library), *LINK, "-Wl,--gc-sections,--no-check-sections",
        f"-Wl,-Ttext=0x{CODE:08x},-Tdata=0x{DATA:08x}",
        # Only one of the two is in use at a time.
        f"-Wl,--section-start=.hil_arena=0x{ARENA:08x},--section-start={SECTION}=0x{ARENA:08x}",
        f"-Wl,-e,calibrate_setup,{','.join(f'-u,{root}' for root in roots)}", "-o", str(elf),
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError(f"the tuner's image: {answer.stderr.strip()[-2000:]}", "check `hil doctor`")
    return elf


def _trials_source(trials: Sequence[Trial]) -> str:
    """All functions, each in the arena as if it were alone."""
    functions = "\n".join(trial.source(f"trial{index}_") for index, trial in enumerate(trials))
    names = "".join(f"    trial{index}_,\n" for index in range(len(trials)))
    return f"""\
{INCLUDES}
static uint8_t arena[{max([8, *(trial.arena_bytes for trial in trials)])}]
    __attribute__((aligned(32), section(".hil_arena"), used));

#define arena_at(offset) ((void *)(arena + (offset)))

__attribute__((used)) int32_t payload_bytes;

{functions}
typedef arm_cmsis_nn_status hil_trial_t(void);

__attribute__((used)) hil_trial_t *const hil_trials[] = {{
{names}}};
"""
