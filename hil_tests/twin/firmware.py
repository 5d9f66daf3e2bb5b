"""Tiny programs for the twin: a start-up, a link script and register names around a test's C source."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

GCC = "arm-none-eabi-gcc"
FLAGS = (
    "-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", "-O1", "-g", "-std=gnu11",
    "-ffreestanding", "-fno-builtin", "-nostdlib", "-Wall", "-Werror", "-Wno-unused-function",
    "-Wno-main",
)  # fmt: skip

LINK_SCRIPT = """
ENTRY(reset)
MEMORY { flash (rx) : ORIGIN = 0x08000000, LENGTH = 1M  ram (rwx) : ORIGIN = 0x20000000, LENGTH = 320K }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > flash
  .data : { data_start = .; *(.data*) *(.ramcode*) . = ALIGN(4); data_end = .; } > ram AT > flash
  data_load = LOADADDR(.data);
  .bss (NOLOAD) : { bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); bss_end = .; } > ram
  stack_top = 0x20050000;
}
"""
HANDLERS = (
    "nmi", "hardfault", "svcall", "pendsv", "systick", "irq4", "irq6", "irq7", "irq8", "irq37", "irq50",
    "irq58", "irq70",
)  # fmt: skip

PRELUDE = r"""
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define RCC_CR REG(0x40023800)
#define RCC_PLLCFGR REG(0x40023804)
#define RCC_CFGR REG(0x40023808)
#define RCC_AHB1ENR REG(0x40023830)
#define RCC_APB1ENR REG(0x40023840)
#define RCC_APB2ENR REG(0x40023844)
#define RCC_CSR REG(0x40023874)
#define FLASH_ACR REG(0x40023C00)
#define PWR_CR1 REG(0x40007000)
#define PWR_CSR1 REG(0x40007004)
#define USART1_CR1 REG(0x40011000)
#define USART1_CR2 REG(0x40011004)
#define USART1_CR3 REG(0x40011008)
#define USART1_BRR REG(0x4001100C)
#define USART1_ISR REG(0x4001101C)
#define USART1_ICR REG(0x40011020)
#define USART1_RDR REG(0x40011024)
#define USART1_TDR REG(0x40011028)
#define DMA2_LISR REG(0x40026400)
#define DMA2_HISR REG(0x40026404)
#define DMA2_LIFCR REG(0x40026408)
#define DMA2_HIFCR REG(0x4002640C)
#define DMA2_S(n, r) REG(0x40026410 + 0x18 * (n) + (r))
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define NVIC_ISER(n) REG(0xE000E100 + 4 * (n))
#define NVIC_ISPR(n) REG(0xE000E200 + 4 * (n))
#define NVIC_ICPR(n) REG(0xE000E280 + 4 * (n))
#define NVIC_IABR(n) REG(0xE000E300 + 4 * (n))
#define NVIC_IPR(n) (*(volatile uint8_t *)(0xE000E400 + (n)))
#define SCB_ICSR REG(0xE000ED04)
#define SCB_VTOR REG(0xE000ED08)
#define SCB_AIRCR REG(0xE000ED0C)
#define SCB_SCR REG(0xE000ED10)
#define SCB_SHPR(n) (*(volatile uint8_t *)(0xE000ED18 + (n) - 4))
#define SCB_CPACR REG(0xE000ED88)
#define STIR REG(0xE000EF00)
#define DEMCR REG(0xE000EDFC)
#define DWT_CTRL REG(0xE0001000)
#define DWT_CYCCNT REG(0xE0001004)
#define DWT_LAR REG(0xE0001FB0)
#define IWDG_KR REG(0x40003000)
#define IWDG_PR REG(0x40003004)
#define IWDG_RLR REG(0x40003008)
#define ASM(s) __asm volatile(s ::: "memory")
#define WFI() ASM("dsb\n wfi")
volatile uint32_t out[16];
extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;
void main(void);
__attribute__((used)) void reset(void) {
    SCB_CPACR |= 0xF << 20;
    ASM("dsb\n isb");
    uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
    main();
    for (;;) WFI();
}
void unexpected(void) { ASM("bkpt 1"); }
void nmi(void), hardfault(void), svcall(void), pendsv(void), systick(void), irq4(void), irq6(void),
    irq7(void), irq8(void), irq37(void), irq50(void), irq58(void), irq70(void);
typedef void (*vector_t)(void);
__attribute__((section(".vectors"), used)) const vector_t vectors[16 + 98] = {
    (vector_t)&stack_top, reset, nmi, hardfault, [11] = svcall, [14] = pendsv, systick,
    [16 + 4] = irq4, [16 + 6] = irq6, irq7, irq8, [16 + 37] = irq37, [16 + 50] = irq50, [16 + 58] = irq58,
    [16 + 70] = irq70,
};
/* The USART1 kernel clock is PCLK2; BRR is the divider with OVER8 clear. */
static void uart_on(uint32_t brr, uint32_t cr1, uint32_t cr3) {
    RCC_APB2ENR |= 1 << 4;
    RCC_AHB1ENR |= 1 << 22;
    USART1_BRR = brr;
    USART1_CR3 = cr3;
    USART1_CR1 = cr1 | 1 << 3 | 1 << 2 | 1;
}
#line 1 "test.c"
"""

CLOCK_216_MHZ = r"""
static void clock_216(void) {
    RCC_APB1ENR |= 1 << 28;
    RCC_CR |= 1 << 16; while (!(RCC_CR & 1 << 17)) {}
    PWR_CR1 |= 1 << 16; while (!(PWR_CSR1 & 1 << 16)) {}
    PWR_CR1 |= 1 << 17; while (!(PWR_CSR1 & 1 << 17)) {}
    RCC_PLLCFGR = 25 | 432 << 6 | 0 << 16 | 1 << 22 | 9 << 24;
    RCC_CR |= 1 << 24; while (!(RCC_CR & 1 << 25)) {}
    FLASH_ACR = 7 | 3 << 8;
    RCC_CFGR = 5 << 10 | 4 << 13;
    RCC_CFGR |= 2; while ((RCC_CFGR & 0xC) != 8) {}
}
"""

DMA = r"""
static void dma_tx(const void *from, uint32_t n, uint32_t extra) {
    DMA2_S(7, 8) = 0x40011028; DMA2_S(7, 12) = (uint32_t)from; DMA2_S(7, 4) = n;
    DMA2_S(7, 0) = 4 << 25 | 1 << 10 | 1 << 6 | extra | 1;
}
static void dma_rx(void *to, uint32_t n, uint32_t extra) {
    DMA2_S(2, 8) = 0x40011024; DMA2_S(2, 12) = (uint32_t)to; DMA2_S(2, 4) = n;
    DMA2_S(2, 0) = 4 << 25 | 1 << 10 | extra | 1;
}
static void cycles_on(void) { DEMCR |= 1 << 24; DWT_LAR = 0xC5ACCE55; DWT_CTRL |= 1; }
"""


FLASH = r"""
#define FLASH_KEYR REG(0x40023C04)
#define FLASH_OPTKEYR REG(0x40023C08)
#define FLASH_SR REG(0x40023C0C)
#define FLASH_CR REG(0x40023C10)
#define FLASH_OPTCR REG(0x40023C14)
#define BSY (1 << 16)
#define X8 (0 << 8)
#define X16 (1 << 8)
#define X32 (2 << 8)
#define X64 (3 << 8)
#define IN_RAM __attribute__((noinline, section(".ramcode")))
IN_RAM static void unlock(void) { FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xCDEF89AB; }
IN_RAM static void ready(void) { ASM("dsb"); while (FLASH_SR & BSY) {} }
IN_RAM static void start_erase(uint32_t sector) {
    FLASH_CR = X32 | 2 | sector << 3; FLASH_CR |= 1 << 16; }
IN_RAM static void erase(uint32_t sector) { start_erase(sector); ready(); FLASH_CR = X32; }
IN_RAM static void program(uint32_t address, uint32_t value) {
    FLASH_CR = X32 | 1; REG(address) = value; ready(); FLASH_CR = X32; }
"""


def have_compiler() -> bool:
    """Whether the cross compiler is on PATH."""
    return shutil.which(GCC) is not None


def build_firmware(source: str, tmp_path: Path) -> Path:
    """Compiles `source`, which defines `main` and its handlers, to an ELF under `tmp_path`."""
    name = hashlib.sha256(source.encode()).hexdigest()[:12]
    elf = tmp_path / f"{name}.elf"
    if elf.exists():
        return elf
    script, code = tmp_path / "test.ld", tmp_path / f"{name}.c"
    script.write_text(LINK_SCRIPT + "".join(f"PROVIDE({name} = unexpected);\n" for name in HANDLERS))
    code.write_text(PRELUDE + source)
    command = [GCC, *FLAGS, f"-T{script}", "-Wl,--build-id=none", str(code), "-o", str(elf), "-lgcc"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return elf
