"""Programs on ST's HAL drivers, start-up code and link script, unmodified as the PyPI wheel ships them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from hil.deploy.toolchain import find_cmsis
from hil_tests.twin.firmware import GCC

FLAGS = (
    "-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", "-O1", "-g", "-std=gnu11",
    "-ffunction-sections", "-fdata-sections", "-DSTM32F746xx", "-DUSE_HAL_DRIVER", "-w",
    "-specs=nano.specs",
)  # fmt: skip
DRIVERS = ("", "_cortex", "_rcc", "_rcc_ex", "_gpio", "_dma", "_dma_ex", "_tim", "_tim_ex", "_uart",
           "_uart_ex", "_pwr", "_pwr_ex", "_flash", "_flash_ex")  # fmt: skip

PRELUDE = r"""
#include "stm32f7xx_hal.h"
volatile uint32_t out[64];
void SysTick_Handler(void) { HAL_IncTick(); }
void HardFault_Handler(void) { __BKPT(1); }
static void check(HAL_StatusTypeDef status) { if (status != HAL_OK) __BKPT(2); }
#line 1 "test.c"
"""


def folder() -> Path:
    """ST's F7 board support in the wheel."""
    return find_cmsis().core_include.parents[2]


def _compile(source: Path, target: Path) -> None:
    board = folder()
    includes = [
        board / "Inc",
        board / "Drivers" / "STM32F7xx_HAL_Driver" / "Inc",
        board / "Drivers" / "CMSIS" / "Include",
        board / "Drivers" / "CMSIS" / "Device" / "ST" / "STM32F7xx" / "Include",
    ]
    command = [GCC, *FLAGS, *(f"-I{path}" for path in includes), "-c", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def build_drivers(work: Path) -> list[Path]:
    """Objects of the drivers, the start-up code and the system file; once per folder."""
    board = folder()
    drivers = board / "Drivers" / "STM32F7xx_HAL_Driver" / "Src"
    sources = [drivers / f"stm32f7xx_hal{name}.c" for name in DRIVERS]
    sources += [board / "Src" / "system_stm32f7xx.c", board / "Startup" / "startup_stm32f746xx.s"]
    objects = [work / f"{source.stem}.o" for source in sources]
    for source, target in zip(sources, objects, strict=True):
        if not target.exists():
            _compile(source, target)
    return objects


def build_cube(source: str, work: Path) -> Path:
    """Compiles `source`, which defines `main`, callbacks and handlers, to an ELF under `work`."""
    objects = build_drivers(work)
    name = hashlib.sha256(source.encode()).hexdigest()[:12]
    elf, code, target = work / f"{name}.elf", work / f"{name}.c", work / f"{name}.o"
    if elf.exists():
        return elf
    code.write_text(PRELUDE + source)
    _compile(code, target)
    script = folder() / "STM32F746ZGTx_FLASH.ld"
    command = [GCC, *FLAGS, "-specs=nosys.specs", f"-T{script}", "-Wl,--gc-sections", str(target)]
    done = subprocess.run(
        [*command, *map(str, objects), "-o", str(elf)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return elf
