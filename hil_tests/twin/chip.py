"""Registers and handlers for tests of the chip's peripherals, in front of their C source."""

from __future__ import annotations

CHIP = r"""
#define EXTI(r) REG(0x40013C00 + (r))
#define SYSCFG(r) REG(0x40013800 + (r))
#define GPIO(port, r) REG(0x40020000 + 0x400 * ((port) - 'A') + (r))
#define RNG(r) REG(0x50060800 + (r))
#define CRC(r) REG(0x40023000 + (r))
#define CRC_DR8 (*(volatile uint8_t *)0x40023000)
#define CRC_DR16 (*(volatile uint16_t *)0x40023000)
#define WWDG(r) REG(0x40002C00 + (r))
#define RTC(r) REG(0x40002800 + (r))
#define RTC_TR RTC(0)
#define RTC_DR RTC(4)
#define RTC_CR RTC(8)
#define RTC_ISR RTC(0xC)
#define RTC_PRER RTC(0x10)
#define RTC_WUTR RTC(0x14)
#define RTC_WPR RTC(0x24)
#define RTC_SSR RTC(0x28)
#define RTC_BKP(n) RTC(0x50 + 4 * (n))
#define BKPSRAM(n) REG(0x40024000 + 4 * (n))
#define RCC_AHB2ENR REG(0x40023834)
#define RCC_BDCR REG(0x40023870)
#define PWR_CR2 REG(0x40007008)
#define PWR_CSR2 REG(0x4000700C)
#define IRQS 98
typedef void (*handler_t)(void);
static handler_t table[16 + IRQS] __attribute__((aligned(512)));
/* Takes the vectors to RAM at the first call, and enables one interrupt. */
static void on_irq(int irq, handler_t handler) {
    if (!table[1]) {
        for (int i = 0; i < 16 + IRQS; i++) table[i] = vectors[i];
        SCB_VTOR = (uint32_t)table;
    }
    table[16 + irq] = handler;
    NVIC_ISER(irq / 32) = 1u << irq % 32;
}
static void backup_writable(void) { RCC_APB1ENR |= 1 << 28; PWR_CR1 |= 1 << 8; }
static void rtc_unlock(void) { RTC_WPR = 0xCA; RTC_WPR = 0x53; }
static void rtc_on(uint32_t source) { backup_writable(); RCC_CSR |= 1; RCC_BDCR |= 1;
    RCC_BDCR |= source << 8 | 1 << 15; rtc_unlock(); }
static void rtc_set(uint32_t tr, uint32_t dr) {
    RTC_ISR |= 1 << 7; while (!(RTC_ISR & 1 << 6)) {}
    RTC_TR = tr; RTC_DR = dr;
    RTC_ISR &= ~(1u << 7); RTC_ISR &= ~(1u << 5); while (!(RTC_ISR & 1 << 5)) {}
}
#line 1 "test.c"
"""
