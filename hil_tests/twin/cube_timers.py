"""Programs for ST's timer and DMA drivers: results in `out`, no console."""

from __future__ import annotations

from pathlib import Path

from hil_tests.twin.cube import Cube

PRELUDE = r"""
#include "stm32f7xx_hal.h"
volatile uint32_t out[64];
void SysTick_Handler(void) { HAL_IncTick(); }
void HardFault_Handler(void) { __BKPT(1); }
static void check(HAL_StatusTypeDef status) { if (status != HAL_OK) __BKPT(2); }
#line 1 "test.c"
"""


def build_cube(source: str, work: Path) -> Path:
    """Compiles `source`, which defines `main`, callbacks and handlers, to an ELF under `work`."""
    return Cube(work).build(source, prelude=PRELUDE)
