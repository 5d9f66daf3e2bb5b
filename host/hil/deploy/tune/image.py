"""Bare images that hold many trials: one compile, no firmware around them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil import paths
from hil.deploy.build import Toolchain
from hil.deploy.cost import weight_bytes
from hil.deploy.emit import INCLUDES, codec_table, payload_format
from hil.deploy.program import DeviceHalf, Sends
from hil.deploy.tune.tail import SECTION, tail_source
from hil.deploy.tune.trial import Trial
from hil.errors import BuildError
from hil.twin.timing.calibration.build import FLAGS, LINK, SETUP
from hil.wire import header

LEVEL = "-O2"
"""As the firmware compiles what computes (mcu/CMakeLists.txt)."""


@dataclass(frozen=True)
class Place:
    """Addresses of code, constants, variables and the arena."""

    code: int = 0x0800_0000
    constants: int | None = None
    """None: behind the code."""
    data: int = 0x2000_0000
    arena: int = 0x2001_0000


FIRMWARE = Place()
"""Code and constants in flash, variables in DTCM, the arena in SRAM: no buffer lies in slower memory."""
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


def compile_library(toolchain: Toolchain, folder: Path) -> list[Path]:
    """Objects of everything that is the same in all images: our kernels, encoders, the set-up.

    Raises BuildError.
    """
    header.write(folder)
    (folder / "setup.c").write_text(SETUP)
    ours = [path for room in ("kernels", "codec") for path in sorted((paths.MCU / room).glob("*.c"))]
    sources = [folder / "setup.c", paths.MCU / "runtime" / "quantise.c", *ours]
    _run([*_compile(toolchain, folder), "-c", *map(str, sources)], folder)
    return [folder / f"{source.stem}.o" for source in sources]


def build(
    toolchain: Toolchain,
    library: Sequence[Path],
    trials: Sequence[Trial],
    tail: DeviceHalf | None,
    folder: Path,
    place: Place = FIRMWARE,
) -> Path:
    """An ELF with `hil_trials`, a table of functions without arguments, one a trial, named `trial<i>_`.

    `payload_bytes` is what a sending one has set; `tail_run` is in it where there is a `tail`. Raises
    BuildError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header.write(folder)
    sources = {"trials.c": _trials_source(trials)}
    roots = ["hil_trials", "calibrate_setup", "layer_cycles"]
    if tail is not None:
        sources["tail.c"] = tail_source(tail)
        roots += ["tail_run", "tail_hil_model_buffers"]
    for name, text in sources.items():
        (folder / name).write_text(text)
    elf = folder / "trials.elf"
    command = [
        *_compile(toolchain, folder), *sources, *map(str, library),
        str(toolchain.cmsis_nn_library), *LINK, "-Wl,--gc-sections,--no-check-sections", *_sections(place),
        f"-Wl,-e,calibrate_setup,{','.join(f'-u,{root}' for root in roots)}", "-o", str(elf),
    ]  # fmt: skip
    _run(command, folder)
    return elf


def _compile(toolchain: Toolchain, folder: Path) -> list[str]:
    includes = (
        *(paths.MCU / room for room in ("runtime", "kernels", "codec")), folder,
        toolchain.cmsis.nn / "Include", toolchain.cmsis.core_include, toolchain.cmsis.device_include,
    )  # fmt: skip
    return [str(toolchain.compiler.path), *FLAGS, LEVEL, "-w", *(f"-isystem{path}" for path in includes)]


def _run(command: list[str], folder: Path) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if answer.returncode:
        raise BuildError(f"the tuner's image: {answer.stderr.strip()[-2000:]}", "check `hil doctor`")


def _sections(place: Place) -> list[str]:
    """Of the two arenas only one is in use at a time."""
    starts = {".hil_arena": place.arena, SECTION: place.arena}
    if place.constants is not None:
        starts[".rodata"] = place.constants
    return [
        f"-Wl,-Ttext=0x{place.code:08x},-Tdata=0x{place.data:08x}",
        *(f"-Wl,--section-start={name}=0x{address:08x}" for name, address in starts.items()),
    ]


def _sender(trials: Sequence[Trial]) -> str:
    """What a step that encodes on its way wants to know of the firmware. All trials are of one half."""
    half = next((trial.half for trial in trials if trial.sends is Sends.PAYLOAD), None)
    if half is None:
        return ""
    return f"""\
void (*hil_model_progress)(uint32_t settled_bytes);

{codec_table(half)}const hil_model_t hil_model = {{
{payload_format(half)}
}};

"""


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

{_sender(trials)}{functions}
typedef arm_cmsis_nn_status hil_trial_t(void);

__attribute__((used)) hil_trial_t *const hil_trials[] = {{
{names}}};
"""
