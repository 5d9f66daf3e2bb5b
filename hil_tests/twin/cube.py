"""Builds programs on ST's own HAL: sources of STM32CubeF7 as the CMSIS wheel carries them, unmodified.

The wheel has HAL, CORTEX, DMA, EXTI, FLASH, GPIO, I2C, PCD, PWR, RCC, TIM, UART and ETH, the start-up,
the system file and a link script; not RNG, CRC, RTC, WWDG, IWDG or LPTIM.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hil.deploy.toolchain import find_cmsis
from hil_tests.twin.firmware import GCC

FLAGS = (
    "-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", "-O1", "-g", "-std=gnu11",
    "-specs=nano.specs", "-ffunction-sections", "-fdata-sections", "-DUSE_HAL_DRIVER", "-DSTM32F746xx",
)  # fmt: skip
MODULES = (
    "hal", "hal_cortex", "hal_dma", "hal_dma_ex", "hal_exti", "hal_flash", "hal_flash_ex", "hal_gpio",
    "hal_pwr", "hal_pwr_ex", "hal_rcc", "hal_rcc_ex", "hal_tim", "hal_tim_ex", "hal_uart", "hal_uart_ex",
)  # fmt: skip
PROJECT_MODULES = ("hal_eth", "hal_pcd", "hal_pcd_ex", "ll_usb")
"""What the wheel's own project needs besides."""

_UNUSED = ("-Wno-unused-function",)

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "main.h"
#include "stm32f7xx_ll_utils.h"
UART_HandleTypeDef uart;
void SysTick_Handler(void) { HAL_IncTick(); }
void Error_Handler(void) { __BKPT(1); }
static void check(HAL_StatusTypeDef status) { if (status != HAL_OK) Error_Handler(); }
static void say(const char *text) {
    check(HAL_UART_Transmit(&uart, (const uint8_t *)text, strlen(text), 1000));
}
static void clock_216(void) {
    RCC_OscInitTypeDef osc = {.OscillatorType = RCC_OSCILLATORTYPE_HSE, .HSEState = RCC_HSE_ON,
        .PLL = {RCC_PLL_ON, RCC_PLLSOURCE_HSE, HSE_VALUE / 1000000, 432, RCC_PLLP_DIV2, 9}};
    RCC_ClkInitTypeDef clk = {RCC_CLOCKTYPE_SYSCLK | RCC_CLOCKTYPE_HCLK | RCC_CLOCKTYPE_PCLK1 |
        RCC_CLOCKTYPE_PCLK2, RCC_SYSCLKSOURCE_PLLCLK, RCC_SYSCLK_DIV1, RCC_HCLK_DIV4, RCC_HCLK_DIV2};
    __HAL_RCC_PWR_CLK_ENABLE();
    __HAL_PWR_VOLTAGESCALING_CONFIG(PWR_REGULATOR_VOLTAGE_SCALE1);
    check(HAL_RCC_OscConfig(&osc));
    check(HAL_PWREx_EnableOverDrive());
    check(HAL_RCC_ClockConfig(&clk, FLASH_LATENCY_7));
}
static void pin(GPIO_TypeDef *port, uint32_t number, uint32_t mode, uint32_t alternate) {
    GPIO_InitTypeDef init = {number, mode, GPIO_PULLUP, GPIO_SPEED_FREQ_HIGH, alternate};
    HAL_GPIO_Init(port, &init);
}
static void uart_on(void) {
    __HAL_RCC_GPIOA_CLK_ENABLE();
    __HAL_RCC_GPIOB_CLK_ENABLE();
    __HAL_RCC_USART1_CLK_ENABLE();
    pin(GPIOA, GPIO_PIN_9, GPIO_MODE_AF_PP, GPIO_AF7_USART1);
    pin(GPIOB, GPIO_PIN_7, GPIO_MODE_AF_PP, GPIO_AF7_USART1);
    uart.Instance = USART1;
    uart.Init = (UART_InitTypeDef){.BaudRate = 115200, .WordLength = UART_WORDLENGTH_8B,
        .StopBits = UART_STOPBITS_1, .Parity = UART_PARITY_NONE, .Mode = UART_MODE_TX_RX};
    check(HAL_UART_Init(&uart));
}
static void board_on(void) {
    SCB_EnableICache();
    SCB_EnableDCache();
    check(HAL_Init());
    clock_216();
    uart_on();
}
#line 1 "program.c"
"""


class Cube:
    """The wheel's sources; objects and programs go to `folder`, each compiled once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        drivers = find_cmsis().core_include.parents[1]
        self.project = drivers.parent
        hal = drivers / "STM32F7xx_HAL_Driver"
        self._hal_sources = hal / "Src"
        cmsis = drivers / "CMSIS"
        self._includes = (
            self.project / "Inc", hal / "Inc", hal / "Inc" / "Legacy",
            cmsis / "Device" / "ST" / "STM32F7xx" / "Include", cmsis / "Include",
        )  # fmt: skip

    def build(self, source: str, hse_hz: int = 25_000_000, *, prelude: str = PROGRAM) -> Path:
        """A program of `prelude` and `source`, which defines main and its handlers."""
        name = hashlib.sha256(f"{prelude} {source} {hse_hz}".encode()).hexdigest()[:12]
        code = self._folder / f"{name}.c"
        code.write_text(prelude + source)
        flags = (f"-DHSE_VALUE={hse_hz}U",)
        objects = [self._object(self._driver(module), flags) for module in MODULES]
        return self._link(name, [self._object(code, (*flags, "-Wall", "-Werror", *_UNUSED)), *objects], flags)

    def build_project(self) -> Path:
        """The wheel's own project: its main.c wants a network's header, which is empty here."""
        header = self._folder / "dnn" / "include" / "forward.hpp"
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("")
        modules = [self._driver(module) for module in (*MODULES, *PROJECT_MODULES)]
        sources = [self.project / "Src" / f"{n}.c" for n in ("main", "stm32f7xx_it", "stm32f7xx_hal_msp")]
        flags = (f"-I{self._folder}",)
        return self._link("project", [self._object(path, flags) for path in [*sources, *modules]], flags)

    def _driver(self, module: str) -> Path:
        return self._hal_sources / f"stm32f7xx_{module}.c"

    def _object(self, source: Path, flags: tuple[str, ...]) -> Path:
        name = hashlib.sha256(f"{source} {flags}".encode()).hexdigest()[:12]
        target = self._folder / f"{source.stem}-{name}.o"
        if not target.exists():
            includes = [f"-I{folder}" for folder in self._includes]
            _run([GCC, *FLAGS, *includes, *flags, "-c", str(source), "-o", str(target)])
        return target

    def _link(self, name: str, objects: Iterable[Path], flags: tuple[str, ...]) -> Path:
        elf = self._folder / f"{name}.elf"
        system = self._object(self.project / "Src" / "system_stm32f7xx.c", flags)
        start = self._object(self.project / "Startup" / "startup_stm32f746xx.s", ())
        script = f"-T{self.project / 'STM32F746ZGTx_FLASH.ld'}"
        _run([GCC, *FLAGS, *map(str, (start, system, *objects)), script, "-Wl,--gc-sections",
              "-Wl,--no-warn-rwx-segments", "-lc", "-lnosys", "-o", str(elf)])  # fmt: skip
        return elf


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
